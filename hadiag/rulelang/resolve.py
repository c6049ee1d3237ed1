"""Second phase of loading: every name that a rule uses has to exist, and steps have to be able to see each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from hadiag.rulelang.condition import Reference
from hadiag.rulelang.entries import Audit, Cause, Commands, Rule, Step
from hadiag.rulelang.ruleset import EventTypeInfo, Located
from hadiag.rulelang.tables import (
    EVENT_FIELDS,
    FACT_FIELDS,
    FACT_TABLES,
    FINDING_FIELDS,
    SNAPSHOTS,
    SPAN_FIELDS,
    STATE_TABLES,
)
from hadiag.rulelang.template import Template

EventTypes = Mapping[str, EventTypeInfo] | None
Path = tuple[str | int, ...]

_ENTITY_FIELDS = ("nodes", "node", "resource", "device", "link", "cluster", "resources")


def check_references(
    rules: Mapping[str, Rule],
    audits: Mapping[str, Audit],
    causes: Mapping[str, Cause],
    places: Mapping[str, Located],
    event_types: EventTypes,
) -> None:
    """Check all entries; problems land in their documents."""
    findings = {*rules, *(audit.id for audit in audits.values() if audit.condition)}
    for rule in rules.values():
        _RuleCheck(rule.match, places[rule.id], event_types, rules, findings).check_rule(rule)
    for audit in audits.values():
        _RuleCheck(audit.match, places[audit.id], event_types, rules, findings).check_audit(audit)
    for cause in causes.values():
        _check_cause(cause, places[cause.id])


def types_of(step: Step, event_types: Mapping[str, EventTypeInfo]) -> tuple[str, ...]:
    """Event types that an event step looks at, prefixes (``kernel.nic.*``) resolved, sorted."""
    found: set[str] = set()
    for name in () if step.event is None else step.event:
        if name.endswith(".*"):
            found.update(known for known in event_types if known.startswith(name[:-1]))
        elif name in event_types:
            found.add(name)
    return tuple(sorted(found))


class _RuleCheck:
    """Checks the names inside one rule or audit."""

    def __init__(
        self,
        match: Mapping[str, Step],
        place: Located,
        event_types: EventTypes,
        rules: Mapping[str, Rule],
        findings: set[str],
    ) -> None:
        self._match = match
        self._place = place
        self._event_types = event_types
        self._rules = rules
        self._findings = findings
        self._order = {name: index for index, name in enumerate(match)}

    def check_rule(self, rule: Rule) -> None:
        """Check a finding rule."""
        self._check_match(rule.one_of)
        self._check_template(("title",), rule.title)
        self._check_fields(("per",), rule.per)
        self._check_fields(("finding", "subjects", "nodes"), rule.finding.subjects.nodes)
        self._check_fields(("finding", "subjects", "resources"), rule.finding.subjects.resources)
        self._check_evidence(rule.finding.evidence)
        if rule.finding.says is not None:
            self._check_template(("finding", "says"), rule.finding.says)
        self._check_commands("remediation", rule.remediation)
        for index, need in enumerate(rule.needs):
            if need.step is not None and need.step not in self._match:
                self._place.problem(("needs", index, "step"), self._known_steps(need.step))

    def check_audit(self, audit: Audit) -> None:
        """Check an audit: its steps look at facts only."""
        self._check_match(audit.one_of)
        for name, step in self._match.items():
            if step.kind != "fact":
                self._place.problem(("match", name), "a 'fact' step; an audit looks at configuration only")
        self._check_snapshots(("requires",), audit.requires)
        for path, template in ((("title",), audit.title), (("found",), audit.found), (("expected",), audit.expected)):
            self._check_template(path, template)
        for key in ("per", "nodes", "resources"):
            self._check_fields((key,), getattr(audit, key))
        self._check_commands("fix", audit.fix)
        if audit.source is not None and audit.source not in self._match:
            self._place.problem(("source",), self._known_steps(audit.source))

    def _check_match(self, one_of: Sequence[Sequence[str]]) -> None:
        if not any(not step.absent and not step.optional for step in self._match.values()) and not one_of:
            only_facts = all(step.kind == "fact" for step in self._match.values())
            if not only_facts:
                self._place.problem(("match",), "at least one step that has to be found; absence alone finds nothing")
        for index, group in enumerate(one_of):
            for name in group:
                if name not in self._match or not self._match[name].optional:
                    self._place.problem(("one_of", index), f"names of steps with 'count: any', not {name!r}")
        for name, step in self._match.items():
            self._check_step(name, step)

    def _check_step(self, name: str, step: Step) -> None:
        self._check_source(name, step)
        known = self._fields_of(step)
        for field, condition in step.where.items():
            self._check_own_field(("match", name, "where", field), known, field)
            for reference in condition.references:
                self._check_reference(("match", name, "where", field), name, reference)
        for index, field in enumerate(step.same):
            self._check_own_field(("match", name, "same", index), known, field)
        for field in step.distinct:
            self._check_own_field(("match", name, "distinct", field), known, field)
        for anchor in step.refers_to:
            self._check_anchor(name, step, anchor)
        self._check_snapshots(("match", name, "requires"), step.requires)
        if step.concurrent:
            overlap = step.concurrent
            for compared in (overlap.distinct, *overlap.same, overlap.excludes, overlap.disjoint):
                if compared is not None:
                    self._check_own_field(("match", name, "concurrent"), known, compared)

    def _check_source(self, name: str, step: Step) -> None:
        path: Path = ("match", name, step.kind)
        for looked in step.looks_at:
            if step.kind == "state" and looked not in STATE_TABLES:
                self._place.problem(path, f"a state table, not {looked!r}{_rather(looked, STATE_TABLES)}")
            elif step.kind == "fact" and looked not in FACT_TABLES:
                self._place.problem(path, f"a fact table, not {looked!r}{_rather(looked, FACT_TABLES)}")
            elif step.kind == "finding" and looked not in self._findings:
                self._place.problem(path, f"the id of a finding; there is no {looked}{_near(looked, self._findings)}")
            elif step.kind == "event" and self._event_types is not None:
                probe = Step(event=(looked,))
                found = types_of(probe, self._event_types)
                if found and not any(self._event_types[each].kept for each in found):
                    self._place.problem(path, f"an event that is kept; lines of {looked} are noise and counted only")
                if not found:
                    self._place.problem(
                        path, f"an event type of the catalogue; there is no {looked}{_near(looked, self._event_types)}"
                    )

    def _check_anchor(self, name: str, step: Step, named: str) -> None:
        path: Path = ("match", name)
        if named not in self._match or named == name:
            self._place.problem(path, self._known_steps(named))
            return
        other = self._match[named]
        if other.absent:
            self._place.problem(path, f"a step that is found as anchor; {named!r} is an absence")
        elif other.optional and not step.optional:
            self._place.problem(path, f"a step that has to be found as anchor; {named!r} is optional")
        elif other.kind == "fact":
            self._place.problem(path, f"a step with a time as anchor; {named!r} is a fact")
        elif step.collective and self._order[named] > self._order[name]:
            self._place.problem(path, f"{named!r} to stand before this step, which binds several rows")
        if named in {step.closes, step.opens}:
            self._check_tied(path, named, other)

    def _check_tied(self, path: Path, named: str, other: Step) -> None:
        if other.kind != "state" or other.collective:
            self._place.problem(path, f"a single state for 'closes' and 'opens'; {named!r} is none")

    def _check_reference(self, path: Path, name: str, reference: Reference) -> None:
        other = self._match.get(reference.step)
        if other is None or reference.step == name:
            self._place.problem(path, self._known_steps(reference.step))
            return
        step = self._match[name]
        if other.absent:
            self._place.problem(path, f"a field of a step that is found; {reference.step!r} is an absence")
        elif other.optional and not (step.optional or step.absent):
            self._place.problem(path, f"a field of a step that has to be found; {reference.step!r} is optional")
        elif step.collective and self._order[reference.step] > self._order[name]:
            self._place.problem(path, f"{reference.step!r} to stand before this step, which binds several rows")
        else:
            self._check_own_field(path, self._fields_of(other), reference.field)

    def _check_fields(self, path: Path, references: Sequence[Reference]) -> None:
        for index, reference in enumerate(references):
            self._check_value((*path, index), reference.step, reference.field)

    def _check_template(self, path: Path, template: Template) -> None:
        for place in template.places:
            self._check_value(path, place.step, place.field)

    def _check_commands(self, key: str, commands: Commands) -> None:
        for tool, templates in (("pcs", commands.pcs), ("crm", commands.crm)):
            for index, template in enumerate(templates):
                self._check_template((key, tool, index), template)

    def _check_value(self, path: Path, step: str, field: str) -> None:
        if step not in self._match:
            self._place.problem(path, self._known_steps(step))
        elif self._match[step].absent:
            if self._match[step].kind != "fact" or field != "observer":
                self._place.problem(path, f"a field of a step that is found; {step!r} is an absence")
        else:
            self._check_own_field(path, self._fields_of(self._match[step]), field)

    def _check_own_field(self, path: Path, known: frozenset[str] | None, field: str) -> None:
        if known is not None and field not in known:
            self._place.problem(path, f"a field, not {field!r}{_rather(field, known)}")

    def _check_evidence(self, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if name not in self._match or self._match[name].absent:
                self._place.problem(("finding", "evidence", index), self._known_steps(name))

    def _check_snapshots(self, path: Path, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if name not in SNAPSHOTS:
                self._place.problem((*path, index), f"a kind of snapshot; known: {', '.join(SNAPSHOTS)}")

    def _known_steps(self, name: str) -> str:
        return f"the name of another step, not {name!r}; known: {', '.join(self._match)}"

    def _fields_of(self, step: Step) -> frozenset[str] | None:
        """Fields of a step; None where any field may occur, or where it looks at what does not exist."""
        if step.kind == "event":
            return self._event_fields(step)
        if step.kind == "finding":
            return frozenset({*FINDING_FIELDS, *SPAN_FIELDS, *self._key_fields(step)})
        tables = STATE_TABLES if step.kind == "state" else FACT_TABLES
        if any(name not in tables for name in step.looks_at):
            return None
        if step.kind == "fact" and any(FACT_TABLES[name].open for name in step.looks_at):
            return None
        extra = SPAN_FIELDS if step.kind == "state" else (*FACT_FIELDS, "count")
        return frozenset({*extra, *(field for name in step.looks_at for field in tables[name].fields)})

    def _event_fields(self, step: Step) -> frozenset[str] | None:
        if self._event_types is None:
            return None
        types = types_of(step, self._event_types)
        if not types:
            return None
        return frozenset(
            {*EVENT_FIELDS, *SPAN_FIELDS, *(field for name in types for field in self._event_types[name].fields)}
        )

    def _key_fields(self, step: Step) -> Iterator[str]:
        for name in step.looks_at:
            if name in self._rules:
                yield from (reference.field for reference in self._rules[name].per)


def _near(name: str, names: Collection[str]) -> str:
    """Names that may have been meant."""
    close = get_close_matches(name, sorted(names), 3, 0.75)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _rather(name: str, names: Collection[str]) -> str:
    """Names that may have been meant, or all there are."""
    return _near(name, names) or f"; known: {', '.join(sorted(names))}"


def _check_cause(cause: Cause, place: Located) -> None:
    templates: list[tuple[Path, Template]] = [(("statement",), cause.statement)]
    for index, ask in enumerate(cause.ask):
        templates += [(("ask", index, key), getattr(ask, key)) for key in ("what", "why", "command")]
    for tool in ("pcs", "crm"):
        commands: tuple[Template, ...] = getattr(cause.remediation, tool)
        templates += [(("remediation", tool, index), command) for index, command in enumerate(commands)]
    for path, template in templates:
        for found in template.places:
            if found.step != "cause" or found.field not in _ENTITY_FIELDS:
                place.problem(path, f"places such as {{cause.{cause.binds}}}; known: {', '.join(_ENTITY_FIELDS)}")
