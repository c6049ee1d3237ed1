"""Make findings and audit results from matches: identity, folding, subjects, evidence, texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from hadiag.model.entity import Role, Scalar
from hadiag.model.event import Event
from hadiag.model.fact import Fact
from hadiag.model.finding import AuditResult, FactEvidence, Finding, Remediation, Unproven
from hadiag.model.frozen import record
from hadiag.model.time import Instant
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.rulelang.condition import Reference
from hadiag.rulelang.entries import Audit, Commands, Rule, Step
from hadiag.rulelang.match import Match
from hadiag.rulelang.rows import OPEN_START, Row, as_tuple, canonical
from hadiag.rulelang.tables import STATE_TABLES
from hadiag.rulelang.template import Template
from hadiag.rulelang.words import UNKNOWN_FACTOR

MAX_EVIDENCE: Final = 50
"""Events of one step that a finding keeps."""

_RESOURCE_FIELDS = ("resource", "rsc")
_NODE_FIELDS = ("node", "target", "peer")


@record
class Extent:
    """What the evidence of a match spans; both None for configuration alone."""

    start: Instant | None
    end: Instant | None

    @property
    def lo(self) -> int:
        """Start in ns; open ends lie far outside."""
        return OPEN_START if self.start is None else self.start.ns

    @property
    def hi(self) -> int:
        """End in ns."""
        return self.lo if self.end is None else max(self.lo, self.end.ns)


def evidence_steps(match: Mapping[str, Step], chosen: Sequence[str]) -> tuple[str, ...]:
    """Steps that are quoted: those the rule names, else all that are found and are no background."""
    if chosen:
        return tuple(chosen)
    background = {name for step in match.values() for name in (step.closes, step.opens) if name}
    return tuple(
        name for name, step in match.items() if not step.absent and step.holds_at is None and name not in background
    )


def extent(match: Match, steps: Sequence[str]) -> Extent:
    """Span of the evidence."""
    rows = [match.rows[name] for name in steps if name in match.rows] or list(match.rows.values())
    rows = [row for row in rows if not row.timeless]
    starts = [row.start for row in rows if row.start is not None]
    ends = [row.end for row in rows if row.end is not None] or starts
    first = min(starts or ends, key=lambda instant: instant.ns, default=None)
    last = max([*ends, *starts], key=lambda instant: instant.ns, default=None)
    return Extent(first, last)


@record
class Folded:
    """Matches that are one finding; the first is the one that its texts come from."""

    key: tuple[Scalar, ...]
    matches: tuple[Match, ...]
    truth: Tri
    extent: Extent


def fold(matches: Iterable[Match], rule: Rule | Audit, merge_ns: int, steps: Sequence[str]) -> list[Folded]:
    """Group matches by identity and by nearness in time; certain matches of a group displace the open ones."""
    by_key: dict[tuple[object, ...], list[tuple[Extent, Match]]] = {}
    for match in matches:
        key: tuple[object, ...] = tuple(canonical(value_in(match, reference)) for reference in rule.per)
        by_key.setdefault(tuple(sorted(map(str, key))) if rule.unordered else key, []).append(
            (extent(match, steps), match)
        )
    folded: list[Folded] = []
    for rows in by_key.values():
        rows.sort(key=lambda row: row[0].lo)
        folded.extend(_one(group, rule.per) for group in _near(rows, merge_ns))
    return folded


def _near(rows: Sequence[tuple[Extent, Match]], merge_ns: int) -> Iterable[list[tuple[Extent, Match]]]:
    group: list[tuple[Extent, Match]] = []
    until = OPEN_START
    for span, match in rows:
        if group and span.lo > until + merge_ns:
            yield group
            group = []
        group.append((span, match))
        until = span.hi if len(group) == 1 else max(until, span.hi)
    if group:
        yield group


def _one(group: Sequence[tuple[Extent, Match]], per: Sequence[Reference]) -> Folded:
    truth = Tri(max(match.truth.value for _, match in group))
    rows = [(span, match) for span, match in group if match.truth is truth]
    starts = [span.start for span, _ in rows if span.start is not None]
    ends = [span.end for span, _ in rows if span.end is not None]
    first = min(starts, key=lambda instant: instant.ns, default=None)
    last = max(ends, key=lambda instant: instant.ns, default=None)
    key = tuple(value_in(rows[0][1], reference) for reference in per)
    return Folded(key, tuple(match for _, match in rows), truth, Extent(first, last))


def value_in(match: Match, reference: Reference) -> Scalar:
    """Value of a field of a step; None where the step is not bound."""
    row = match.rows.get(reference.step)
    return None if row is None else row.get(reference.field)


def fill(template: Template, match: Match) -> str:
    """Write a text with the values of a match."""
    return template.fill(lambda step, field: value_in(match, Reference(step, field)))


def commands(written: Commands, match: Match) -> Remediation:
    """Write the commands of a remediation."""

    def value(step: str, field: str) -> Scalar:
        return value_in(match, Reference(step, field))

    return Remediation(
        tuple(template.fill_command(value) for template in written.pcs),
        tuple(template.fill_command(value) for template in written.crm),
    )


def make_finding(rule: Rule, folded: Folded, members: frozenset[str], owners: Mapping[int, str]) -> Finding:
    """The finding of a group of matches.

    Args:
        rule: the rule.
        folded: its matches.
        members: all node names; subjects that are no node are left out of default nodes.
        owners: names of the nodes whose files state facts, by identity of the fact.
    """
    best = folded.matches[0]
    steps = evidence_steps(rule.match, rule.finding.evidence)
    nodes = _subjects(folded.matches, rule.finding.subjects.nodes)
    resources = _subjects(folded.matches, rule.finding.subjects.resources)
    if not rule.finding.subjects.nodes:
        nodes = _default_nodes(rule.match, best, members)
    if not rule.finding.subjects.resources:
        resources = _default_resources(rule.match, best)
    evidence = {name: uids for name in steps if (uids := _uids(folded.matches, name))}
    facts = _fact_evidence(folded.matches, owners)
    certain = folded.truth is Tri.TRUE
    return Finding(
        id=_identity(rule.id, folded, evidence, facts),
        rule=rule.id,
        holds=folded.truth,
        title=fill(rule.title, best),
        says="" if rule.finding.says is None else fill(rule.finding.says, best),
        confidence=rule.confidence if certain else round(rule.confidence * UNKNOWN_FACTOR, 4),
        layer=rule.layer,
        role=rule.role,
        severity=rule.severity,
        incident_kind=rule.incident_kind,
        category=rule.category,
        nodes=nodes,
        resources=resources,
        start=folded.extent.start,
        end=folded.extent.end,
        evidence=evidence,
        bindings=_bindings(rule.match, best, rule.per, folded.key),
        unproven=() if certain else _unproven(folded.matches),
        remediation=commands(rule.remediation, best),
        references=rule.references,
        fact_evidence=facts,
    )


def make_audit(audit: Audit, folded: Folded, owners: Mapping[int, str]) -> AuditResult:
    """The result of an audit."""
    best = folded.matches[0]
    facts = _fact_evidence(folded.matches, owners)
    source = facts[0] if facts else None
    if audit.source is not None and audit.source in best.rows:
        own = _fact_evidence([Match({audit.source: best.rows[audit.source]})], owners)
        source = own[0] if own else source
    return AuditResult(
        id=audit.id,
        severity=audit.severity,
        holds=folded.truth,
        nodes=_subjects(folded.matches, audit.nodes),
        found=fill(audit.found, best),
        expected=fill(audit.expected, best),
        source=source,
        why=audit.why,
        fix=commands(audit.fix, best),
    )


def condition_of(audit: Audit, folded: Folded, result: AuditResult, owners: Mapping[int, str]) -> Finding:
    """The finding of role *condition* that an audit may also be."""
    best = folded.matches[0]
    facts = _fact_evidence(folded.matches, owners)
    return Finding(
        id=_identity(audit.id, folded, {}, facts),
        rule=audit.id,
        holds=folded.truth,
        title=fill(audit.title, best),
        says=f"Found: {result.found}; expected: {result.expected}. {audit.why}",
        confidence=1.0 if folded.truth is Tri.TRUE else UNKNOWN_FACTOR,
        layer=audit.layer,
        role=Role.CONDITION,
        severity=audit.severity,
        incident_kind=None,
        category=None,
        nodes=result.nodes,
        resources=_subjects(folded.matches, audit.resources),
        start=None,
        end=None,
        evidence={},
        bindings=_bindings(audit.match, best, audit.per, folded.key),
        unproven=() if folded.truth is Tri.TRUE else _unproven(folded.matches),
        remediation=result.fix,
        references=audit.references,
        fact_evidence=facts,
    )


def _subjects(matches: Sequence[Match], references: Sequence[Reference]) -> tuple[str, ...]:
    found = {name for match in matches for reference in references for name in as_tuple(value_in(match, reference))}
    return tuple(sorted(name for name in found if name))


def _default_nodes(steps: Mapping[str, Step], match: Match, members: frozenset[str]) -> tuple[str, ...]:
    for name, step in steps.items():
        row = match.rows.get(name)
        if row is None:
            continue
        fields = STATE_TABLES[step.looks_at[0]].nodes if step.kind == "state" else _NODE_FIELDS
        named = {value for field in fields for part in row.rows for value in as_tuple(part.get(field))}
        known = {value for value in named if value in members or step.kind == "state"} - {""}
        return tuple(sorted(known or set(as_tuple(row.get("nodes"))) or set(as_tuple(row.get("observers")))))
    return ()


def _default_resources(steps: Mapping[str, Step], match: Match) -> tuple[str, ...]:
    for name, step in steps.items():
        row = match.rows.get(name)
        if row is None:
            continue
        fields = STATE_TABLES[step.looks_at[0]].resources if step.kind == "state" else _RESOURCE_FIELDS
        found = {value for field in fields for part in row.rows for value in as_tuple(part.get(field))}
        return tuple(sorted(found | set(as_tuple(row.get("resources")) if step.kind == "finding" else ())))
    return ()


def _uids(matches: Sequence[Match], name: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in matches:
        row = match.rows.get(name)
        further = (match.more or {}).get(name, ())
        for each in () if row is None else (row, *further):
            for part in each.rows:
                found.update(dict.fromkeys(_uids_of(part)))
        if len(found) >= MAX_EVIDENCE:
            break
    return tuple(found)[:MAX_EVIDENCE]


def _uids_of(row: Row) -> list[str]:
    if isinstance(row.origin, Event):
        return [row.origin.uid]
    if isinstance(row.origin, Finding):
        return list(row.origin.events)
    if isinstance(row.origin, View):
        # Of an operation the result says most, of a state its beginning.
        ends = [row.origin.closed_by, row.origin.opened_by] if _is_operation(row.origin) else [row.origin.opened_by]
        uids = [*ends, *row.origin.evidence, row.origin.closed_by]
        return [uid for uid in uids if uid]
    return []


def _fact_evidence(matches: Sequence[Match], owners: Mapping[int, str]) -> tuple[FactEvidence, ...]:
    found: dict[FactEvidence, None] = {}
    for match in matches:
        for row in match.rows.values():
            for part in row.rows:
                fact = part.origin.told_by if isinstance(part.origin, View) else part.origin
                if isinstance(fact, Fact):
                    node = owners.get(id(fact)) or part.observer or None
                    found[FactEvidence(node, fact.path, fact.line, fact.text)] = None
                elif isinstance(part.origin, Finding):
                    found.update(dict.fromkeys(part.origin.fact_evidence))
    return tuple(found)[:MAX_EVIDENCE]


def _unproven(matches: Sequence[Match]) -> tuple[Unproven, ...]:
    return tuple(dict.fromkeys(row for match in matches for row in match.unproven))[:MAX_EVIDENCE]


def _bindings(
    steps: Mapping[str, Step], match: Match, per: Sequence[Reference], key: Sequence[Scalar]
) -> dict[str, dict[str, Scalar]]:
    found: dict[str, dict[str, Scalar]] = {name: _fields(match.rows[name]) for name in steps if name in match.rows}
    if per:
        found["key"] = {reference.field: value for reference, value in zip(per, key, strict=True)}
    return found


def _fields(row: Row) -> dict[str, Scalar]:
    names = {name: None for part in row.rows for name in part.fields} | dict.fromkeys(row.fields)
    values = {name: row.get(name) for name in (*names, "observer", "observers", "nodes", "count", "start", "end")}
    return {name: value for name, value in values.items() if value is not None}


def _identity(rule: str, folded: Folded, evidence: Mapping[str, Sequence[str]], facts: Sequence[FactEvidence]) -> str:
    first = next((uids[0] for uids in evidence.values() if uids), "")
    if not first and facts:
        first = f"{facts[0].path}:{facts[0].line}"
    parts = [rule, *(str(canonical(value)) for value in folded.key), first]
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    return f"{rule}-{digest}"


def _is_operation(view: View) -> bool:
    table = STATE_TABLES.get(view.table)
    return table is not None and table.operation
