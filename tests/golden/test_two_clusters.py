"""The bundles of two clusters at once: each is analyzed as if the other were not there."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from hadiag.errors import UsageError
from hadiag.pipeline import Options, analyze
from hadiag.report.text import terminal_text
from tests.golden.judge import Sample, samples
from tests.golden.scoreboard import ROOT

ONE, OTHER = (sample for sample in samples(ROOT) if sample.name.startswith(("01-", "37-")))


def _archives(*chosen: Sample) -> list[str]:
    return [str(path) for sample in chosen for path in sorted((ROOT / sample.name).glob("*.tar.*"))]


@pytest.mark.parametrize(("sample", "name"), [(ONE, "webcluster"), (OTHER, "hill")])
def test_the_other_cluster_changes_nothing(sample: Sample, name: str) -> None:
    """Both have nodes 1 and 2; nothing said of the ones may stand in the views of the others."""
    alone = analyze(_archives(sample))
    with_other = analyze(_archives(ONE, OTHER), Options(cluster=name))
    assert terminal_text(with_other.diagnosis) == terminal_text(alone.diagnosis)


def test_a_choice_is_asked_for() -> None:
    """Two clusters in one analysis would be wrong for both."""
    with pytest.raises(UsageError, match="hill, webcluster"):
        analyze(_archives(ONE, OTHER))


def test_two_clusters_of_one_name(tmp_path: Path) -> None:
    """Both are called ``webcluster``: each is offered, and found, by its name and its nodes."""
    with tarfile.open(_archives(OTHER)[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(re.sub(rb"\bhill\b", b"webcluster", path.read_bytes()))
    inputs = [*_archives(ONE), str(tmp_path)]
    with pytest.raises(UsageError, match=r"webcluster:node1\+node2, webcluster:peak\+ridge\+slope"):
        analyze(inputs)
    result = analyze(inputs, Options(cluster="webcluster:peak+ridge+slope"))
    assert [node.name for node in result.timeline.nodes] == ["peak", "ridge", "slope"]
    assert {event.observer for event in result.timeline.events} == {"peak", "ridge"}
