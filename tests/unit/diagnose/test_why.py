"""What speaks against a cause."""

from __future__ import annotations

from functools import cache

import pytest

from hadiag.diagnose.why import WhyNot, why_not
from hadiag.pipeline import Analysis, analyze
from hadiag.report.explained import explain_why_not
from tests.conftest import ROOT

STOP_FAILED = ROOT / "samples" / "09-stop-failure-fenced"


@cache
def _analysis() -> Analysis:
    return analyze([str(path) for path in sorted(STOP_FAILED.glob("*.tar.*"))])


def _asked(cause: str) -> WhyNot:
    analysis = _analysis()
    incident = analysis.diagnosis.incidents[0]
    members = [finding for finding in analysis.diagnosis.findings if finding.id in incident.findings]
    return why_not(cause, members, analysis.ruleset, analysis.timeline)


def test_a_cause_without_any_sign() -> None:
    """Where no finding speaks for a cause, the answer names the signs that it would have."""
    found = _asked("network.cut")
    assert found.cases == ()
    assert "network.partition" in [rule for rule, _ in found.signs]
    assert "no finding of this incident speaks for it" in next(iter(explain_why_not(found, {}, table=False)))


def test_a_rival_is_weighed_line_by_line() -> None:
    """The differences add up to the difference of the scores, and the strongest argument against comes first."""
    case = _asked("resource.stop-too-slow").cases[0]
    assert case.candidate not in case.best
    assert case.share < 0.5
    assert case.rows[0].effect.startswith("resource.monitor-timed-out")
    assert case.rows == tuple(sorted(case.rows, key=lambda row: (row.difference, row.effect)))


def test_the_winner_has_nothing_against_it() -> None:
    """Compared with itself a cause has no difference."""
    case = _asked("resource.application-hangs").cases[0]
    assert case.candidate in case.best
    assert [row.difference for row in case.rows] == pytest.approx([0.0] * len(case.rows))
