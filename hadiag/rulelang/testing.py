"""Run the tests that stand in rule files, and say exactly what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from hadiag.model.fact import Fact
from hadiag.model.finding import AuditResult, Finding
from hadiag.model.frozen import record
from hadiag.model.tri import Tri
from hadiag.rulelang.entries import Audit, Expectation, InlineTest, Rule
from hadiag.rulelang.evaluate import Evaluation, evaluate
from hadiag.rulelang.inline import NotationError, build_timeline, read_situation, resolved_views
from hadiag.rulelang.ruleset import RuleSet
from hadiag.rulelang.strata import looks_at_findings
from hadiag.rulelang.world import ViewsLike
from hadiag.state import Views, build_views
from hadiag.timeline import Timeline


@record
class TestCase:
    """One test of one rule or audit."""

    __test__ = False

    rule: str
    index: int
    test: InlineTest

    @property
    def label(self) -> str:
        """Name for reports."""
        return f"{self.rule}: {self.test.name}"


@record
class TestResult:
    """Result of one test; no problems means that it passed."""

    __test__ = False

    case: TestCase
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.problems


def cases(rule_set: RuleSet, only: str | None = None) -> Iterator[TestCase]:
    """All tests of a rule set, or of one rule."""
    entries: dict[str, Rule | Audit] = {**rule_set.findings, **rule_set.audits}
    for name in sorted(entries):
        if only in (None, name):
            for index, test in enumerate(entries[name].tests):
                yield TestCase(name, index, test)


LogReader = Callable[[Sequence[str]], tuple[Timeline, ViewsLike, Sequence[Fact]]]
"""Runs paths through the pipeline; the stages to the right of this one hand it in."""


def run_test(rule_set: RuleSet, case: TestCase, read_logs: LogReader | None = None) -> TestResult:
    """Run one test.

    Args:
        rule_set: the rules.
        case: the test.
        read_logs: for tests from raw logs; without it such a test fails.
    """
    try:
        evaluation = _evaluate(rule_set, case, read_logs)
    except NotationError as error:
        return TestResult(case, (str(error),))
    problems = [f"{warning.code}: {warning.message}" for warning in evaluation.warnings]
    if case.rule in rule_set.audits:
        results = [result for result in evaluation.audits if result.id == case.rule]
        problems += compare(case.test.expect, [_seen_audit(result) for result in results])
    else:
        found = [finding for finding in evaluation.findings if finding.rule == case.rule]
        problems += compare(case.test.expect, [_seen_finding(finding) for finding in found])
    return TestResult(case, tuple(problems))


def _evaluate(rule_set: RuleSet, case: TestCase, read_logs: LogReader | None) -> Evaluation:
    test = case.test
    if test.logs is not None:
        return _from_logs(rule_set, case, read_logs)
    situation = read_situation(
        test.start,
        rule_set.event_types,
        events=test.events,
        views=test.views,
        facts=test.facts,
        findings=test.findings,
    )
    timeline = build_timeline(situation)
    views = Views(resolved_views(situation, timeline)) if situation.views else build_views(timeline, situation.facts)
    return evaluate(needed_rules(rule_set, case.rule), timeline, views, situation.facts, situation.findings)


def needed_rules(rule_set: RuleSet, name: str) -> RuleSet:
    """The part of a rule set that a rule rests on: itself, and the rules whose findings it looks at."""
    wanted: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in wanted:
            wanted.add(current)
            rule = rule_set.findings.get(current)
            waiting.extend(() if rule is None else looks_at_findings(rule))
    return RuleSet(
        findings={key: rule for key, rule in rule_set.findings.items() if key in wanted},
        causes=rule_set.causes,
        audits={key: audit for key, audit in rule_set.audits.items() if key in wanted},
        edges=rule_set.edges,
        duplicate_edges=rule_set.duplicate_edges,
        digest=rule_set.digest,
        packs=rule_set.packs,
        strata=tuple(key for key in rule_set.strata if key in wanted),
        places=rule_set.places,
        event_types=rule_set.event_types,
    )


def _from_logs(rule_set: RuleSet, case: TestCase, read_logs: LogReader | None) -> Evaluation:
    """Lay the raw logs out as a directory of nodes and run it through the pipeline."""
    if read_logs is None:
        raise NotationError("a test from raw logs needs the whole pipeline")
    folder = rule_set.places[case.rule].directory
    with TemporaryDirectory(prefix="hadiag-rule-test-") as directory:
        for name, source in sorted((case.test.logs or {}).items()):
            _copy(folder / source, Path(directory), name)
        timeline, views, facts = read_logs([directory])
    return evaluate(needed_rules(rule_set, case.rule), timeline, views, facts)


def _copy(source: Path, directory: Path, name: str) -> None:
    target = (directory / name).resolve()
    if not target.is_relative_to(directory.resolve()) or not source.is_file():
        raise NotationError(f"{name}: {source.name} has to be a file beside the rule, named node/file in the test")
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(source, target)


@record
class Seen:
    """What came out, with the values that an expectation may name."""

    label: str
    values: dict[str, Any]


def _seen_finding(finding: Finding) -> Seen:
    counts = [count for binding in finding.bindings.values() if isinstance(count := binding.get("count"), int)]
    return Seen(
        finding.title,
        {
            "holds": "true" if finding.holds is Tri.TRUE else "unknown",
            "nodes": finding.nodes,
            "resources": finding.resources,
            "unproven": tuple(sorted({row.step for row in finding.unproven})),
            "title": finding.title,
            "says": finding.says,
            "count": max(counts, default=None),
        },
    )


def _seen_audit(result: AuditResult) -> Seen:
    values = {"holds": "true" if result.holds is Tri.TRUE else "unknown", "nodes": result.nodes}
    return Seen(result.found, {**values, "found": result.found, "expected": result.expected})


def compare(expected: Sequence[Expectation], seen: Sequence[Seen]) -> list[str]:
    """Pair expectations with what came out; everything that stays alone is a problem."""
    left = list(seen)
    problems = []
    for wanted in expected:
        differences = [(_differences(wanted, each), each) for each in left]
        best = min(differences, key=lambda row: len(row[0]), default=None)
        if best is None:
            problems.append(f"expected {_wanted(wanted)}, but nothing (more) came out")
            continue
        left.remove(best[1])
        problems.extend(best[0])
    problems.extend(f"unexpected: {each.label} ({_shown(each.values)})" for each in left)
    return problems


def _wanted(wanted: Expectation) -> dict[str, Any]:
    keys = (each.name for each in fields(wanted) if each.name != "subjects")
    values = {key: value for key in keys if (value := getattr(wanted, key)) is not None}
    values.update({key: tuple(names) for key, names in wanted.subjects.items()})
    return values


def _differences(wanted: Expectation, seen: Seen) -> list[str]:
    problems = []
    for key, value in _wanted(wanted).items():
        given = seen.values.get(key)
        expected = tuple(sorted(value)) if isinstance(value, tuple) else value
        if given != expected:
            problems.append(f"{seen.label}: expected {key} {expected!r}, found {given!r}")
    return problems


def _shown(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in values.items() if key not in {"title", "says"})
