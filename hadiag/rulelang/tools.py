"""What ``hadiag rules`` does: list, show, lint, test, new, schema. Pure functions; the command line prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hadiag.errors import UsageError
from hadiag.model.entity import Layer
from hadiag.model.frozen import record
from hadiag.rulelang.language import ID_PATTERN, AuditFile, CauseFile, Pack, Rule, json_schema
from hadiag.rulelang.lint import Remark, lint
from hadiag.rulelang.ruleset import RuleSet
from hadiag.rulelang.step import Strict
from hadiag.rulelang.testing import LogReader, TestResult, cases, run_test

_SCHEMAS: dict[str, type[Strict]] = {
    "rule-v1.schema.json": Rule,
    "causes-v1.schema.json": CauseFile,
    "audit-v1.schema.json": AuditFile,
    "pack-v1.schema.json": Pack,
}


@record
class Entry:
    """One line of ``hadiag rules list``. ``kind`` is finding, cause or audit."""

    id: str
    kind: str
    status: str
    layer: str
    severity: str
    title: str
    tests: int
    place: str


def entries(rule_set: RuleSet) -> tuple[Entry, ...]:
    """All findings, causes and audits, by kind and id."""
    return tuple(sorted(_entries(rule_set), key=lambda entry: (entry.kind, entry.id)))


def _entries(rule_set: RuleSet) -> Iterator[Entry]:
    for name, rule in rule_set.findings.items():
        severity = rule.severity.value
        place = rule_set.places[name].place
        yield Entry(name, "finding", rule.status, rule.layer, severity, rule.title.source, len(rule.tests), place)
    for name, audit in rule_set.audits.items():
        severity = audit.severity.value
        place = rule_set.places[name].place
        yield Entry(name, "audit", audit.status, audit.layer, severity, audit.title.source, len(audit.tests), place)
    for name, cause in rule_set.causes.items():
        yield Entry(name, "cause", "stable", cause.layer, "", cause.title, 0, rule_set.places[name].place)


def show(rule_set: RuleSet, name: str) -> str:
    """Where an entry stands, its edges, and its text as written.

    Raises:
        UsageError: there is no such id.
    """
    if name not in rule_set.places:
        near = sorted(known for known in rule_set.places if name in known or known in name)
        hint = f" Did you mean {', '.join(near[:5])}?" if near else " 'hadiag rules list' shows all ids."
        raise UsageError(f"There is no rule, cause or audit {name}.{hint}")
    lines = [f"# {name} ({rule_set.places[name].place}, pack {rule_set.places[name].pack})"]
    lines += [f"# {edge.cause} {edge.kind} it ({edge.strength}, {edge.place})" for edge in rule_set.edges_to(name)]
    lines += [f"# it {edge.kind} {edge.effect} ({edge.strength}, {edge.place})" for edge in rule_set.edges_from(name)]
    return "\n".join(lines) + "\n" + source(rule_set, name)


def source(rule_set: RuleSet, name: str) -> str:
    """Text of an entry as it stands in its file."""
    place = rule_set.places[name]
    lines = (place.directory / Path(place.document.file).name).read_text("utf-8").splitlines()
    if not place.path:
        return "\n".join(lines) + "\n"
    begin = place.document.line_of(place.path) - 1
    following = (*place.path[:-1], int(place.path[-1]) + 1)
    end = place.document.lines[following] - 1 if following in place.document.lines else len(lines)
    return "\n".join(lines[begin:end]).rstrip() + "\n"


def remarks(rule_set: RuleSet, only: str | None = None) -> tuple[Remark, ...]:
    """Remarks of lint, on everything or on one id."""
    return tuple(remark for remark in lint(rule_set) if only in {None, remark.id})


def run_tests(rule_set: RuleSet, only: str | None = None, read_logs: LogReader | None = None) -> tuple[TestResult, ...]:
    """Run the tests of all rules and audits, or of one."""
    return tuple(run_test(rule_set, case, read_logs) for case in cases(rule_set, only))


def schemas() -> dict[str, str]:
    """JSON Schemas by file name, for ``rules/schema``; the same text on every run."""
    found = {}
    for name, model in _SCHEMAS.items():
        schema = json_schema(model)
        schema["$id"] = f"hadiag/{name}"
        found[name] = json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return found


def new_rule(name: str, layer: str = "pacemaker") -> str:
    """Text of a rule to start from; it loads and its tests pass once the marked lines are the author's own.

    Raises:
        UsageError: the id is not a dotted lower-case name.
    """
    if not re.fullmatch(ID_PATTERN, name):
        raise UsageError(f"{name!r} is no rule id. An id is lower case with a dot, such as fencing.login-refused.")
    if layer not in list(Layer):
        raise UsageError(f"{layer!r} is no layer. Layers: {', '.join(Layer)}.")
    return _SKELETON.format(id=name, layer=layer)


_SKELETON = """\
# yaml-language-server: $schema=../../schema/rule-v1.schema.json
schema: hadiag/rule/v1
id: {id}
title: "{{op.target}} could not be fenced by {{op.executed_by}}"      # <- what happened, in one line
status: experimental
layer: {layer}
role: failure                 # condition | trigger | failure | response | impact
severity: error
confidence: 0.9
description: >
  What it means, in two or three sentences.
per: [op.target]
match:
  op: {{state: fencing.operation, where: {{result: failed}}}}
  ok: {{event: fence.op_result, where: {{result: ok, target: $op.target}}, after: op, within: 60s, count: 0}}
finding:
  subjects: {{nodes: [$op.target]}}
  evidence: [op]
  says: "{{op.executed_by}} tried for {{op.duration}}."
needs:
  - {{log: pacemaker, of: any member, step: ok, why: "shows whether a later attempt worked"}}
false_positives: []
remediation:
  pcs: ["pcs stonith history show {{op.target}}"]
  crm: ["stonith_admin --history {{op.target}} --verbose"]
references: [https://clusterlabs.org/projects/pacemaker/doc/]
tests:
  - name: it holds
    events: |
      +0s    n1  log.start
      +300s  n1  log.end
      state fencing.operation n1 +0s..+20s target=n2 action=reboot result=failed executed_by=n1
    expect: [{{holds: "true", subjects: {{nodes: [n2]}}}}]
  - name: the log ends too early to tell
    events: |
      +0s   n1  log.start
      +20s  n1  log.end
      state fencing.operation n1 +0s..+20s target=n2 action=reboot result=failed executed_by=n1
    expect: [{{holds: "unknown", unproven: [ok]}}]
  - name: a later attempt worked
    events: |
      +0s    n1  log.start
      +31s   n1  fence.op_result target=n2 result=ok
      state fencing.operation n1 +0s..+20s target=n2 action=reboot result=failed executed_by=n1
    expect: []
"""


def summary(results: Sequence[TestResult]) -> str:
    """One line on a run of tests."""
    failed = sum(not result.passed for result in results)
    return f"{len(results)} tests, {len(results) - failed} passed, {failed} failed"


def by_layer(rule_set: RuleSet, results: Sequence[TestResult]) -> Iterator[tuple[str, int, int]]:
    """For each layer in the order of the layers: its name, the tests that passed, and all tests."""
    layers = {name: rule.layer for name, rule in rule_set.findings.items()}
    layers |= {name: audit.layer for name, audit in rule_set.audits.items()}
    for layer in Layer:
        own = [result for result in results if layers.get(result.case.rule) == layer]
        if own:
            yield layer.value, sum(result.passed for result in own), len(own)
