"""Every rule and audit that ships with hadiag passes the tests that stand in its own file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from hadiag import catalogue
from hadiag.model.fact import Fact
from hadiag.resources import rules_dir
from hadiag.rulelang.lint import Weight, lint
from hadiag.rulelang.loader import read_rules
from hadiag.rulelang.ruleset import RuleSet
from hadiag.rulelang.testing import TestCase, cases, run_test
from hadiag.rulelang.world import ViewsLike
from hadiag.timeline import Timeline


@cache
def shipped() -> tuple[RuleSet, tuple[str, ...]]:
    """Read the shipped rules once; what does not load is a problem, the rest is tested anyway."""
    return read_rules([rules_dir()], catalogue.load([rules_dir() / "events"]))


def read_logs(paths: Sequence[str]) -> tuple[Timeline, ViewsLike, Sequence[Fact]]:
    """Run raw logs through the pipeline."""
    from hadiag.pipeline import Options, read_timeline
    from hadiag.state import build_views

    timeline, reading, _ = read_timeline(paths, Options())
    return timeline, build_views(timeline, reading.facts), reading.facts


def test_all_rules_load() -> None:
    """No file of the shipped pack has a problem."""
    assert shipped()[1] == ()


def test_lint_finds_no_errors() -> None:
    """Lint has no remark of weight error on the shipped pack."""
    assert [str(remark) for remark in lint(shipped()[0]) if remark.weight is Weight.ERROR] == []


@pytest.mark.parametrize("case", list(cases(shipped()[0])), ids=lambda case: case.label)
def test_rule(case: TestCase) -> None:
    """What comes out of the situation of a test is what the rule file expects."""
    result = run_test(shipped()[0], case, read_logs)
    assert result.passed, "\n".join(result.problems)
