"""The bundles of two clusters at once: each is analyzed as if the other were not there."""

from __future__ import annotations

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
