"""Whole runs over all recorded incidents: the verdict, the expected events, the clocks, and what must not be concluded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.golden.judge import Sample, confidently_wrong, samples
from tests.golden.scoreboard import FAMILIES, ROOT, problems, run, without_family, without_node

SAMPLES = samples(ROOT)
NAMES = [sample.name for sample in SAMPLES]


def _calm(result: dict[str, Any]) -> bool:
    return all(f["severity"] not in {"error", "critical"} for f in result["findings"] if f["holds"] == "true")


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_bundle(sample: Sample) -> None:
    """The archive that a user sends is analyzed as its expectation says."""
    found, result = problems(sample, raw=False)
    assert found == []
    if sample.expected.get("verdict") == "no_incident":
        assert _calm(result)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_raw_logs(sample: Sample) -> None:
    """The whole /var/log of every node is analyzed as its expectation says."""
    found, _ = problems(sample, raw=True)
    assert found == []


PARTS = [(s, node) for s in SAMPLES for node in s.expected["cluster"]["nodes"] if without_node(s, node)]


@pytest.mark.parametrize(("sample", "node"), PARTS, ids=[f"{s.name}-without-{node}" for s, node in PARTS])
def test_without_a_node(sample: Sample, node: str) -> None:
    """With the logs of a node missing, no wrong cause is ever called likely."""
    result, _ = run(without_node(sample, node))
    assert confidently_wrong(result, sample.expected) is None


LACKING = [(s, family) for s in SAMPLES for family in FAMILIES]


@pytest.mark.parametrize(("sample", "family"), LACKING, ids=[f"{s.name}-without-{f}" for s, f in LACKING])
def test_without_a_log_family(sample: Sample, family: str, tmp_path: Path) -> None:
    """With one family of logs missing on all nodes, no wrong cause is ever called likely."""
    result, _ = run(without_family(sample, family, tmp_path))
    assert confidently_wrong(result, sample.expected) is None
