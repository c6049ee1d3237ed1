"""How long things took, against the times of the lines that the recordings name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.golden.judge import Sample, samples
from tests.golden.scoreboard import ROOT, run

TOLERANCE_S = 2.0
MARKS = {
    "lost": ("membership formed without", "new membership on the majority", "membership lost"),
    "asked": ("fencing of",),
    "done": ("succeeded",),
    "back": ("recovered", "started on survivor"),
}
PHASES = {"decide_s": ("lost", "asked"), "fence_s": ("asked", "done"), "recover_s": ("done", "back")}
FENCED = [s for s in samples(ROOT) if any("fencing of" in event["what"] for event in s.expected["events"])]


def _moment(events: Sequence[dict[str, Any]], mark: str) -> float | None:
    for event in events:
        fits = any(words in event["what"] for words in MARKS[mark])
        if fits and (mark != "asked" or event["what"].endswith("requested")):
            return datetime.fromisoformat(str(event["time"])).timestamp()
    return None


@pytest.mark.parametrize("sample", FENCED, ids=[sample.name for sample in FENCED])
def test_phases_of_the_fail_over(sample: Sample) -> None:
    """Each phase that two expected events bound lasts as long as lies between them."""
    result, _ = run(sample.raw)
    phases = [incident["impact"]["phases"] for incident in result["incidents"]]
    compared = 0
    for name, (begin, end) in PHASES.items():
        moments = [_moment(sample.expected["events"], mark) for mark in (begin, end)]
        if None in moments:
            continue
        truth = float(moments[1] or 0) - float(moments[0] or 0)
        found = [each[name] for each in phases if each[name] is not None]
        assert any(abs(each - truth) <= TOLERANCE_S for each in found), (name, truth, found)
        compared += 1
    assert compared
