"""Ranked explanations of one incident, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hadiag.diagnose.evidence import of_finding
from hadiag.diagnose.graph import CausalGraph
from hadiag.diagnose.score import UNKNOWN, UNKNOWN_CAUSE, Candidate, Scored, by_trigger, is_fragile, rank
from hadiag.model.diagnosis import Argument, CauseRef, CauseRole, Evidence, Explanation
from hadiag.model.entity import Category, Scalar
from hadiag.model.finding import Finding, Remediation
from hadiag.rulelang.language import Cause
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

UNKNOWN_STATEMENT = "A cause that hadiag does not know, or that left no trace in these logs."


@dataclass(frozen=True, slots=True)
class Ranking:
    """Explanations of an incident, and whether the first one hangs on a single strength."""

    explanations: tuple[Explanation, ...]
    fragile: bool
    best: tuple[str, ...]
    """Candidates of the best set."""


def explain(graph: CausalGraph, ruleset: RuleSet, timeline: Timeline) -> Ranking:
    """Rank the causes of an incident; the last explanation is always the unknown cause."""
    effects = graph.effects()
    pool = {c.id: c for c in (UNKNOWN, *graph.candidates)}
    scored = rank(graph.candidates, effects)
    merged = by_trigger(scored, pool)
    writer = _Writer(graph, ruleset, timeline, pool)
    top = merged[0][1]
    shown = [pair for pair in merged if pair[1] >= top * SHOWN_SHARE and not _is_unknown(pair[0], pool)][:MAX_SHOWN]
    if not shown:
        shown = [pair for pair in merged if not _is_unknown(pair[0], pool)][:2] if graph.candidates else []
    unknown = next(pair for pair in merged if _is_unknown(pair[0], pool))
    ordered = [*shown, unknown]
    texts = [writer.explanation(one, share, number) for number, (one, share) in enumerate(ordered, 1)]
    fragile = bool(graph.candidates) and is_fragile(graph.candidates, effects)
    return Ranking(tuple(texts), fragile, merged[0][0].causes)


def _is_unknown(one: Scored, pool: Mapping[str, Candidate]) -> bool:
    roles = [name for name in one.causes if pool[name].role == "trigger"]
    return roles in ([], [UNKNOWN_CAUSE])


@dataclass(frozen=True, slots=True)
class _Writer:
    graph: CausalGraph
    ruleset: RuleSet
    timeline: Timeline
    pool: Mapping[str, Candidate]

    def explanation(self, one: Scored, share: float, number: int) -> Explanation:
        """Put one set of causes into words."""
        refs = self._refs(one)
        lead = next((ref for ref in refs if ref.role is CauseRole.TRIGGER), None)
        candidates = [self.pool[name] for name in one.causes if name != UNKNOWN_CAUSE]
        entries = [self.ruleset.causes[c.cause] for c in candidates]
        return Explanation(
            rank=number,
            cause=lead.cause if lead else UNKNOWN_CAUSE,
            category=lead.category if lead else Category.UNKNOWN,
            causes=refs,
            statement=self._statement(candidates, lead is None),
            confidence=min(share, self._ceiling(candidates)),
            nodes=_merge(ref.nodes for ref in refs),
            resources=_merge(ref.resources for ref in refs) or self._affected(),
            for_=self._for(one),
            against=(),
            uncheckable=self._uncheckable(candidates),
            remediation=_remediation(entries, candidates),
            references=_merge(entry.references for entry in entries),
            arguments=self._arguments(one),
            log_prior=one.log_prior,
        )

    def _affected(self) -> tuple[str, ...]:
        """Resources that the incident touched, where the cause itself is bound to none."""
        return tuple(sorted({name for f in self.graph.findings.values() for name in f.resources}))

    def _refs(self, one: Scored) -> tuple[CauseRef, ...]:
        refs = []
        for name in one.causes:
            candidate = self.pool[name]
            if name == UNKNOWN_CAUSE:
                refs.append(CauseRef(UNKNOWN_CAUSE, Category.UNKNOWN, CauseRole.TRIGGER))
                continue
            cause = self.ruleset.causes[candidate.cause]
            refs.append(CauseRef(cause.id, cause.category, cause.role, candidate.nodes, candidate.resources))
        if not any(ref.role is CauseRole.TRIGGER for ref in refs):
            refs.append(CauseRef(UNKNOWN_CAUSE, Category.UNKNOWN, CauseRole.TRIGGER))
        order = list(CauseRole)
        return tuple(sorted(refs, key=lambda ref: (order.index(ref.role), self._gravity(ref), ref.cause, ref.nodes)))

    def _gravity(self, ref: CauseRef) -> tuple[int, int]:
        """The cause of the gravest and earliest finding leads."""
        own = [
            self.graph.findings[key[1]]
            for key in self.graph.weights
            if self.pool[key[0]].cause == ref.cause and self.pool[key[0]].nodes == ref.nodes
        ]
        gravest = max((f.severity.rank for f in own), default=-1)
        return (-gravest, min((f.start.ns for f in own if f.start), default=0))

    def _statement(self, candidates: Sequence[Candidate], unknown: bool) -> str:
        words = [fill(self.ruleset.causes[c.cause].statement, c) for c in sorted(candidates, key=_role_order)]
        if unknown:
            words.insert(0, UNKNOWN_STATEMENT)
        return " ".join(words)

    def _ceiling(self, candidates: Sequence[Candidate]) -> float:
        names = {c.id for c in candidates if c.role == "trigger"}
        unchecked = any(
            e.candidate in names and e.strength >= CERTAIN and e.state == "unknown" for e in self.graph.expected
        )
        return UNCHECKED_CEILING if unchecked else CEILING

    def _for(self, one: Scored) -> tuple[Evidence, ...]:
        found: list[Evidence] = []
        for finding in self._explained(one):
            found.extend(of_finding(self.timeline, finding, 3))
        return tuple(dict.fromkeys(found))[:12]

    def _explained(self, one: Scored) -> list[Finding]:
        chosen = {key[1] for key in self.graph.weights if key[0] in one.causes}
        return [f for f in self.graph.findings.values() if f.id in chosen]

    def _uncheckable(self, candidates: Sequence[Candidate]) -> tuple[str, ...]:
        names = {c.id for c in candidates}
        open_ = [e for e in self.graph.expected if e.candidate in names and e.state == "unknown" and e.strength >= 0.5]
        return tuple(dict.fromkeys(_not_checked(one.rule, one.nodes, self.ruleset) for one in open_))

    def _arguments(self, one: Scored) -> tuple[Argument, ...]:
        return tuple(
            Argument(e.key, e.state, round(e.probability(one.causes), 6), round(e.log_likelihood(one.causes), 6))
            for e in self.graph.effects()
        )


def _not_checked(rule: str, nodes: Sequence[str], ruleset: RuleSet) -> str:
    what = ruleset.findings[rule].description if rule in ruleset.findings else rule
    where = f"the logs of {', '.join(nodes)}" if nodes else "these logs"
    return f"Not checkable, {where} do not cover it: {what}"


def _role_order(candidate: Candidate) -> tuple[int, str]:
    return ([role.value for role in CauseRole].index(candidate.role), candidate.id)


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
