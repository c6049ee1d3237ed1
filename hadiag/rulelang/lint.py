"""Remarks on packs that load: what makes a rule hard to trust, to read or to test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from hadiag.model.entity import Role
from hadiag.model.frozen import record
from hadiag.rulelang.condition import Condition
from hadiag.rulelang.entries import Audit, Cause, InlineTest, Rule, Step
from hadiag.rulelang.ruleset import RuleSet
from hadiag.rulelang.tables import FACT_TABLES

LOCK_NAME = "rules.lock"
"""File of a pack that lists its ids, so that none disappears unnoticed."""

LEAST_LITERAL = 3
"""Literal characters in a row that a pattern has to contain."""


class Weight(StrEnum):
    """How much a remark weighs."""

    ERROR = "error"
    WARNING = "warning"


@record
class Remark:
    """One remark: ``file:line``, the id, a stable code, and a sentence."""

    place: str
    id: str
    code: str
    weight: Weight
    message: str

    def __str__(self) -> str:
        """Format as one line."""
        return f"{self.place}: {self.weight}: {self.id}: {self.message} [{self.code}]"


Found = Iterator[tuple[str, Weight, str]]


def lint(rule_set: RuleSet) -> tuple[Remark, ...]:
    """All remarks on a rule set, by place."""
    rows = [(name, found) for name, rule in rule_set.findings.items() for found in _lint_rule(rule, rule_set)]
    rows += [(name, found) for name, audit in rule_set.audits.items() for found in _lint_audit(audit)]
    rows += [(name, found) for name, cause in rule_set.causes.items() for found in _lint_cause(cause)]
    remarks = [Remark(rule_set.places[name].place, name, *found) for name, found in rows]
    for line in rule_set.duplicate_edges:
        place, _, message = line.partition(": ")
        remarks.append(Remark(place, "edges", "edge-twice", Weight.ERROR, message))
    remarks.extend(_lint_locks(rule_set))
    return tuple(sorted(remarks, key=lambda remark: (remark.place, remark.id, remark.code, remark.message)))


def _lint_rule(rule: Rule, rule_set: RuleSet) -> Found:
    yield from _lint_match(rule.match)
    absent = any(step.absent and step.kind != "fact" for step in rule.match.values())
    yield from _lint_tests(rule.tests, needs_unknown=absent)
    if rule.status == "stable" and not any(test.logs for test in rule.tests) and rule.tests:
        inline = any(test.events or test.facts for test in rule.tests)
        if not inline:
            yield "test-only-views", Weight.WARNING, "at least one test from events or raw logs, not only from views"
    if rule.role in {Role.FAILURE, Role.TRIGGER, Role.CONDITION} and not (
        rule.remediation.pcs and rule.remediation.crm
    ):
        yield "no-remediation", Weight.WARNING, "remediation for pcs and for crm is missing"
    if not rule.references:
        yield "no-reference", Weight.WARNING, "a reference is missing"
    if absent and not rule.needs:
        yield "no-needs", Weight.WARNING, "'needs' should say what would settle the absence"
    if rule.role in {Role.FAILURE, Role.IMPACT} and not rule_set.edges_to(rule.id):
        yield "no-cause", Weight.WARNING, "no edge leads here: nothing can explain this finding"
    if rule.finding.says is None:
        yield "no-says", Weight.WARNING, "'finding.says' is missing: the report has no sentence for it"


def _lint_audit(audit: Audit) -> Found:
    yield from _lint_match(audit.match)
    yield from _lint_tests(audit.tests, needs_unknown=False)
    if not (audit.fix.pcs and audit.fix.crm):
        yield "no-remediation", Weight.WARNING, "a fix for pcs and for crm is missing"
    if not audit.references:
        yield "no-reference", Weight.WARNING, "a reference is missing"


def _lint_cause(cause: Cause) -> Found:
    if not (cause.leads_to or cause.prevents or cause.enables):
        yield "no-effect", Weight.ERROR, "the cause leads to nothing and can never be named"
    if not cause.ask:
        yield "no-ask", Weight.WARNING, "'ask' should say what would confirm the cause"
    if not (cause.remediation.pcs or cause.remediation.crm):
        yield "no-remediation", Weight.WARNING, "remediation is missing"
    if not cause.references:
        yield "no-reference", Weight.WARNING, "a reference is missing"


def _lint_match(match: Mapping[str, Step]) -> Found:
    first = next(iter(match))
    for name, step in match.items():
        if step.absent and step.kind != "fact" and not step.anchors:
            yield "absence-unanchored", Weight.WARNING, f"{name}: an absence without a time word means all of the logs"
        if step.absent and (step.after or step.before) and step.within is None:
            yield (
                "absence-unbounded",
                Weight.WARNING,
                f"{name}: without 'within' the absence reaches to the end of the logs",
            )
        if name != first and not step.absent and not _is_tied(name, step, match):
            yield "step-untied", Weight.ERROR, f"{name}: nothing ties this step to another (join, same, or a time word)"
        if step.absent and step.kind == "fact" and not step.requires and _no_snapshot(step):
            yield "absence-unprovable", Weight.ERROR, f"{name}: no snapshot proves this absence; say 'requires'"
        for field, condition in step.where.items():
            yield from _lint_patterns(name, field, condition)


def _no_snapshot(step: Step) -> bool:
    return any(FACT_TABLES[table].snapshot is None for table in step.looks_at)


def _is_tied(name: str, step: Step, match: Mapping[str, Step]) -> bool:
    """Facts speak of the whole cluster and may stand alone."""
    if step.kind == "fact" or step.refers_to or step.same:
        return True
    if any(condition.references for condition in step.where.values()):
        return True
    others = [other for key, other in match.items() if key != name]
    return any(
        name in other.refers_to or any(ref.step == name for each in other.where.values() for ref in each.references)
        for other in others
    )


def _lint_patterns(name: str, field: str, condition: Condition) -> Found:
    for tests in condition.any_of:
        for test in tests:
            if test.operator == "matches" and _longest_literal(str(test.operand)) < LEAST_LITERAL:
                yield (
                    "pattern-vague",
                    Weight.WARNING,
                    f"{name}.where.{field}: a pattern with fewer than {LEAST_LITERAL} literal characters in a row",
                )


def _longest_literal(pattern: str) -> int:
    """Longest run of plain characters outside of classes, groups with alternatives and repetitions."""
    longest = run = 0
    depth = 0
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and position + 1 < len(pattern):
            run = run + 1 if not pattern[position + 1].isalnum() else 0
            position += 1
        elif char == "[":
            depth, run = depth + 1, 0
        elif char == "]":
            depth, run = max(0, depth - 1), 0
        elif char in "?*{":
            longest, run = max(longest, run - 1), 0
        else:
            run = 0 if depth or char in ".^$|()+}" else run + 1
        longest = max(longest, run if depth == 0 and not _repeats(pattern, position + 1) else run - 1)
        position += 1
    return longest


def _repeats(pattern: str, position: int) -> bool:
    return position < len(pattern) and pattern[position] in "?*{"


def _lint_tests(tests: tuple[InlineTest, ...], *, needs_unknown: bool) -> Found:
    holds = {each.holds for test in tests for each in test.expect}
    if "true" not in holds:
        yield "no-positive-test", Weight.ERROR, "no test in which it holds"
    if all(test.expect for test in tests):
        yield "no-negative-test", Weight.ERROR, "no test in which it does not hold (expect: [])"
    if needs_unknown and "unknown" not in holds:
        yield "no-unknown-test", Weight.ERROR, "it asks for an absence, and no test leaves that open"
    names = [test.name for test in tests]
    if len(names) != len(set(names)):
        yield "test-name-twice", Weight.WARNING, "two tests have the same name"


def _lint_locks(rule_set: RuleSet) -> Iterator[Remark]:
    for info in rule_set.packs:
        path = info.directory / LOCK_NAME
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            name = line.strip()
            if name and not name.startswith("#") and name not in rule_set.places:
                message = "this id was published and is gone; deprecate a rule instead of removing or renaming it"
                yield Remark(f"{info.directory.name}/{path.name}:{number}", name, "id-gone", Weight.ERROR, message)


def lock_text(rule_set: RuleSet, directory: Path) -> str:
    """Content of ``rules.lock`` for a pack: all its ids that are not experimental, sorted."""
    pack = next((info.pack.name for info in rule_set.packs if info.directory == directory), directory.name)
    ids = [name for name, place in rule_set.places.items() if place.pack == pack and _is_published(rule_set, name)]
    return "".join(f"{name}\n" for name in sorted(ids))


def _is_published(rule_set: RuleSet, name: str) -> bool:
    entry = rule_set.findings.get(name) or rule_set.audits.get(name)
    return entry is None or entry.status != "experimental"
