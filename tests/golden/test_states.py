"""The views against the lines of all recorded incidents, each read by other means than the event catalogue."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.golden.judge import Sample, samples
from tests.golden.scoreboard import ROOT
from tests.golden.states_agree import Input, disagreements, lines_that_disagree

SAMPLES = samples(ROOT)
NAMES = [sample.name for sample in SAMPLES]


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
@pytest.mark.parametrize("kind", ["bundle", "raw"])
def test_states(sample: Sample, kind: str) -> None:
    """Each expected event begins or ends a state within two seconds of its true time, and no line is at odds with the views."""
    one = Input.read(sample.raw if kind == "raw" else sample.bundle)
    expected = [event for event in sample.expected["events"] if kind == "raw" or event["in_bundle"] != "no"]
    counted: Counter[str] = Counter()

    assert list(disagreements(one, expected, counted)) == []
    assert list(lines_that_disagree(one, counted)) == []
    assert counted["events"] == len(expected)
