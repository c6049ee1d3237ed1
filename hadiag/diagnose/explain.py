"""Ranked explanations of one incident, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from hadiag.diagnose.evidence import of_finding
from hadiag.diagnose.graph import CausalGraph
from hadiag.diagnose.incidents import place
from hadiag.diagnose.score import (
    EXPLAINED,
    UNKNOWN,
    UNKNOWN_CAUSE,
    Candidate,
    Component,
    Effect,
    Scored,
    by_lead,
    components,
    is_fragile,
    is_needed,
    rank,
)
from hadiag.diagnose.score import lead as lead_of
from hadiag.model.diagnosis import Argument, CauseRef, CauseRole, Evidence, Explanation
from hadiag.model.entity import Category, Scalar, Severity
from hadiag.model.finding import Finding, Remediation
from hadiag.model.frozen import record
from hadiag.model.tri import Tri
from hadiag.rulelang.entries import Cause
from hadiag.rulelang.ruleset import RuleSet
from hadiag.rulelang.template import Template
from hadiag.timeline import Timeline

CEILING = 0.95
"""No confidence above this is ever shown: the model itself may be wrong."""

UNCHECKED_CEILING = 0.55
"""Confidence of a cause whose surest sign could not be looked for: possible, never likely."""

CERTAIN = 0.97
SHOWN_SHARE = 1 / 3
"""An explanation is shown when it has at least this share of the winner's confidence."""

MAX_SHOWN = 6
POSSIBLE = 0.3
UNLIKELY = 0.1

UNKNOWN_STATEMENT = "A cause that hadiag does not know, or that left no trace in these logs."


@record
class Ranking:
    """Explanations of an incident, and whether the first one hangs on a single strength."""

    explanations: tuple[Explanation, ...]
    fragile: bool
    best: tuple[str, ...]
    """Candidates of the best explanation."""


def explain(graph: CausalGraph, ruleset: RuleSet, timeline: Timeline) -> Ranking:
    """Rank the causes of an incident; the last explanation is always the unknown cause.

    The part of the graph with the gravest finding leads: its causes compete for the first place. The best causes of the other parts stand
    beside each of them, as what prevented recovery or contributed.
    """
    pool = {c.id: c for c in (UNKNOWN, *graph.candidates)}
    found = [part for part in components(graph.candidates, graph.effects()) if is_needed(part)]
    parts = sorted(found, key=lambda part: _gravity(part, graph))
    lead = _leading([part for part in parts if any(c.role == "trigger" for c in part.candidates)], graph)
    if lead is not None and _outweighed(lead, graph):
        lead = None
    beside = [name for part in parts if part is not lead and _is_told(part, graph, ruleset) for name in _best(part)]
    writer = _Writer(graph, ruleset, timeline, pool, tuple(beside), lead)
    if lead is None:
        alone = Scored((UNKNOWN_CAUSE,), UNKNOWN.log_odds, 0.0, 1.0)
        return Ranking((writer.explanation(alone, 1.0, 1),), fragile=False, best=tuple(beside))
    root = _root(lead, graph)
    merged = by_lead(rank(lead.candidates, lead.effects), pool, root)
    ordered = _ordered(merged, pool, root, writer.ceiling)
    texts = tuple(writer.explanation(one, share, number) for number, (one, share) in enumerate(ordered, 1))
    best = tuple(name for name in ordered[0][0].causes if name != UNKNOWN_CAUSE)
    return Ranking(texts, is_fragile(lead.candidates, lead.effects, root), (*best, *beside))


def _leading(parts: Sequence[Component], graph: CausalGraph) -> Component | None:
    """The part whose cause is the answer: the one that the gravest finding goes back to, on the strongest and then the shortest way."""
    if not parts:
        return None
    roots = {
        e.key: part for part in reversed(parts) for e in part.effects if e.state == "seen" and e.observed < EXPLAINED
    }
    told = [f for f in graph.findings.values() if f.holds is Tri.TRUE and f.incident_kind is not None]
    for finding in sorted(told, key=_order_of):
        part = _traced(finding.id, roots, graph)
        if part is not None:
            return part
    return parts[0]


def _traced(finding: str, roots: Mapping[str, Component], graph: CausalGraph) -> Component | None:
    seen: set[str] = set()
    layer = [finding]
    while layer:
        part = next((roots[name] for name in layer if name in roots), None)
        if part is not None:
            return part
        seen.update(layer)
        above = {link.source: link for name in layer for link in graph.parents(name) if link.source not in seen}
        layer = sorted(above, key=lambda name: (-above[name].strength, -_start(graph.findings[name]), name))
    return None


def _start(finding: Finding) -> int:
    return finding.start.ns if finding.start else 0


def _is_told(part: Component, graph: CausalGraph, ruleset: RuleSet) -> bool:
    """Tell whether the cause of a part belongs into the answer: not where all that it explains is a remark.

    What people did on purpose is always said: it is what the reader looks for first.
    """
    own = [graph.findings[e.key].severity.rank for e in part.effects if e.key in graph.findings]
    deliberate = any(ruleset.causes[c.cause].category is Category.ADMINISTRATOR for c in part.candidates)
    return deliberate or max(own, default=-1) >= Severity.WARNING.rank


def _outweighed(lead: Component, graph: CausalGraph) -> bool:
    """Tell whether a graver finding, with no parent in the incident, is explained by no cause at all.

    Then what the known causes explain is beside the point: the trigger is not known.
    """
    told = {key[1] for key in graph.weights}
    gravest = max((graph.findings[e.key].severity.rank for e in lead.effects if e.key in graph.findings), default=-1)
    return any(
        finding.severity.rank > gravest
        for finding in graph.findings.values()
        if finding.severity.rank >= Severity.ERROR.rank
        and finding.id not in told
        and not graph.parents(finding.id)
        and finding.holds is Tri.TRUE
    )


def _root(part: Component, graph: CausalGraph) -> Effect | None:
    """The effect whose cause is the answer: the gravest, then the earliest, that the findings above it do not explain."""
    own = [e for e in part.effects if e.key in graph.findings and e.observed < EXPLAINED]
    return min(own, key=lambda e: _order_of(graph.findings[e.key]), default=None)


def _order_of(finding: Finding) -> tuple[bool, int, int, int, str]:
    unproven = finding.holds is not Tri.TRUE
    return (unproven, -finding.severity.rank, place((finding.incident_kind,)), _start(finding), finding.id)


def _gravity(part: Component, graph: CausalGraph) -> tuple[int, int, str]:
    """Order of the parts: the gravest finding first, then the earliest."""
    own = [graph.findings[e.key] for e in part.effects if e.key in graph.findings]
    gravest = max((f.severity.rank for f in own), default=-1)
    return (-gravest, min((f.start.ns for f in own if f.start), default=0), part.candidates[0].id)


def _best(part: Component) -> tuple[str, ...]:
    """Candidates of the best set of a part, where it is at least possible."""
    first = rank(part.candidates, part.effects)[0]
    return tuple(name for name in first.causes if name != UNKNOWN_CAUSE) if first.posterior >= POSSIBLE else ()


def _ordered(
    merged: Sequence[tuple[Scored, float]],
    pool: Mapping[str, Candidate],
    root: Effect | None,
    ceiling: Callable[[Scored], float],
) -> list[tuple[Scored, float]]:
    """The explanations that are shown, best first, the unknown cause last.

    Where the best one is no more than possible, the next one is shown as well, however far behind: an open question has two sides.
    """
    known = [pair for pair in merged if lead_of(pair[0].causes, pool, root) != UNKNOWN_CAUSE]
    unknown = next(pair for pair in merged if lead_of(pair[0].causes, pool, root) == UNKNOWN_CAUSE)
    alone = replace(
        unknown[0], causes=tuple(c for c in unknown[0].causes if pool[c].role != "trigger" or c == UNKNOWN_CAUSE)
    )
    open_ = bool(known) and min(known[0][1], ceiling(known[0][0])) <= UNCHECKED_CEILING
    close = [pair for pair in known if pair[1] >= known[0][1] * SHOWN_SHARE]
    shown = known[: min(MAX_SHOWN, max(len(close), 2 if open_ else 1))]
    return [*shown, (alone, unknown[1])]


@record
class _Writer:
    graph: CausalGraph
    ruleset: RuleSet
    timeline: Timeline
    pool: Mapping[str, Candidate]
    beside: tuple[str, ...]
    lead: Component | None

    def explanation(self, one: Scored, share: float, number: int) -> Explanation:
        """Put one set of causes into words."""
        names = [name for name in (*one.causes, *self.beside) if name != UNKNOWN_CAUSE]
        candidates = [self.pool[name] for name in names]
        entries = [self.ruleset.causes[c.cause] for c in candidates]
        refs = self._refs(one)
        lead = next(ref for ref in refs if ref.role is CauseRole.TRIGGER)
        trigger = self._statement(
            [c for c in candidates if c.id in one.causes and c.role == "trigger"]
        )  # the leading one first
        beside = self._words([c for c in candidates if c.id not in one.causes or c.role != "trigger"])
        return Explanation(
            rank=number,
            cause=lead.cause,
            category=lead.category,
            causes=refs,
            statement=f"{trigger} {beside}".strip(),
            confidence=min(share, self.ceiling(one)),
            nodes=_merge(ref.nodes for ref in refs),
            resources=_merge(ref.resources for ref in refs) or self._affected(),
            for_=self._for(names),
            against=self._against(one),
            uncheckable=self._uncheckable(names),
            remediation=_remediation(entries, candidates),
            references=_merge(entry.references for entry in entries),
            arguments=self._arguments(one),
            log_prior=one.log_prior,
            lead=trigger,
            beside=beside,
        )

    def _affected(self) -> tuple[str, ...]:
        """Resources that the incident touched, where the cause itself is bound to none."""
        return tuple(sorted({name for f in self.graph.findings.values() for name in f.resources}))

    def _refs(self, one: Scored) -> tuple[CauseRef, ...]:
        """The causes with their parts; a trigger of another part of the graph only contributed."""
        refs = [self._ref(name, own=True) for name in one.causes if name != UNKNOWN_CAUSE]
        first = next((ref for ref in refs if ref.role is CauseRole.TRIGGER), None)
        if first is None:
            refs.append(CauseRef(UNKNOWN_CAUSE, Category.UNKNOWN, CauseRole.TRIGGER))
        else:
            refs = [_beside(ref) if ref.category != first.category else ref for ref in refs]
        refs += [self._ref(name, own=False) for name in self.beside]
        order = list(CauseRole)
        return tuple(sorted(refs, key=lambda ref: order.index(ref.role)))

    def _ref(self, name: str, *, own: bool) -> CauseRef:
        candidate = self.pool[name]
        cause = self.ruleset.causes[candidate.cause]
        role = cause.role if own or cause.role is not CauseRole.TRIGGER else CauseRole.CONTRIBUTING
        return CauseRef(cause.id, cause.category, role, candidate.nodes, candidate.resources)

    def _statement(self, triggers: Sequence[Candidate]) -> str:
        return self._words(triggers) or UNKNOWN_STATEMENT

    def _words(self, candidates: Sequence[Candidate]) -> str:
        ordered = sorted(candidates, key=_role_order)
        return " ".join(dict.fromkeys(fill(self.ruleset.causes[c.cause].statement, c) for c in ordered))

    def ceiling(self, one: Scored) -> float:
        """The most that may be said of a set of causes, given what could be looked for."""
        names = {name for name in one.causes if self.pool[name].role == "trigger"}
        unchecked = any(
            e.candidate in names and e.strength >= CERTAIN and e.state == "unknown" for e in self.graph.expected
        )
        return UNCHECKED_CEILING if unchecked else CEILING

    def _for(self, names: Sequence[str]) -> tuple[Evidence, ...]:
        found: list[Evidence] = []
        for finding in self._explained(names):
            found.extend(of_finding(self.timeline, finding, 3))
        return tuple(dict.fromkeys(found))[:12]

    def _against(self, one: Scored) -> tuple[Evidence, ...]:
        """Lines of findings that these causes hardly bring about."""
        found: list[Evidence] = []
        for effect in self.lead.effects if self.lead else ():
            finding = self.graph.findings.get(effect.key)
            if finding is not None and effect.probability(one.causes) < UNLIKELY:
                found.extend(of_finding(self.timeline, finding, 2))
        return tuple(dict.fromkeys(found))[:8]

    def _explained(self, names: Sequence[str]) -> list[Finding]:
        chosen = {key[1] for key in self.graph.weights if key[0] in names}
        return [f for f in self.graph.findings.values() if f.id in chosen]

    def _uncheckable(self, names: Sequence[str]) -> tuple[str, ...]:
        open_ = [e for e in self.graph.expected if e.candidate in names and e.state == "unknown" and e.strength >= 0.5]
        return tuple(dict.fromkeys(_not_checked(one.rule, one.nodes, self.ruleset) for one in open_))

    def _arguments(self, one: Scored) -> tuple[Argument, ...]:
        return tuple(
            Argument(e.key, e.state, round(e.probability(one.causes), 6), round(e.log_likelihood(one.causes), 6))
            for e in (self.lead.effects if self.lead else ())
        )


def _beside(ref: CauseRef) -> CauseRef:
    """A trigger of another kind than the leading one brought something about on the side."""
    return replace(ref, role=CauseRole.CONTRIBUTING) if ref.role is CauseRole.TRIGGER else ref


def _not_checked(rule: str, nodes: Sequence[str], ruleset: RuleSet) -> str:
    what = ruleset.findings[rule].description if rule in ruleset.findings else rule
    where = f"the logs of {', '.join(nodes)}" if nodes else "these logs"
    return f"Not checkable, {where} do not cover it: {what}"


def _role_order(candidate: Candidate) -> int:
    return [role.value for role in CauseRole].index(candidate.role)


def fill(template: Template, candidate: Candidate) -> str:
    """Fill the places ``{cause.…}`` of a cause's text with the entities that it is bound to."""
    return template.fill(lambda step, field: _bound(candidate, step, field))


def fill_command(template: Template, candidate: Candidate) -> str:
    """Fill the places of a command."""
    return template.fill_command(lambda step, field: _bound(candidate, step, field))


def _bound(candidate: Candidate, step: str, field: str) -> Scalar:
    if step != "cause":
        return None
    if field in {"node", "nodes"}:
        return candidate.nodes
    if field in {"resource", "resources", "device"}:
        return candidate.resources
    return None


def _merge(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for group in groups for word in group))


def _remediation(entries: Sequence[Cause], candidates: Sequence[Candidate]) -> Remediation:
    pcs, crm = [], []
    for entry, candidate in zip(entries, candidates, strict=True):
        pcs += [fill_command(line, candidate) for line in entry.remediation.pcs]
        crm += [fill_command(line, candidate) for line in entry.remediation.crm]
    return Remediation(tuple(dict.fromkeys(pcs)), tuple(dict.fromkeys(crm)))
