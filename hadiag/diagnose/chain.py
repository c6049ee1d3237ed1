"""The chain of an incident: from the cause to the impact, each step with the lines that prove it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hadiag.diagnose.evidence import of_finding
from hadiag.diagnose.explain import fill
from hadiag.diagnose.graph import CausalGraph
from hadiag.diagnose.score import UNKNOWN_CAUSE, Candidate
from hadiag.model.diagnosis import ChainStep
from hadiag.model.entity import Role
from hadiag.model.finding import Finding
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.rulelang.ruleset import RuleSet
from hadiag.timeline import Timeline

MAX_STEPS = 8
UNKNOWN_TEXT = "What came first left no trace in these logs, or hadiag does not know it."


def build_chain(
    graph: CausalGraph, best: Sequence[str], ruleset: RuleSet, timeline: Timeline, *, known: bool = True
) -> tuple[ChainStep, ...]:
    """Lay out the story of the best explanation, at most ``MAX_STEPS`` steps: what brings about stands before what is brought about, else time orders.

    ``known`` tells whether the trigger is; else the story begins with what is not known.

    A step names as its reason the strongest parents that are in the chain themselves; the causes come first.
    """
    candidates = [c for c in graph.candidates if c.id in best and _has_effect(graph, c)]
    findings = _chosen(graph, candidates, MAX_STEPS - max(1, len(candidates)))
    causes = [_cause_step(c, ruleset) for c in candidates]
    if not known or not causes:
        causes.insert(0, _unknown_step())
    story = _Story(graph, tuple(c.id for c in candidates), frozenset(f.id for f in findings), timeline)
    return (*causes, *_in_order([story.step(f) for f in findings]))


def _in_order(steps: Sequence[ChainStep]) -> list[ChainStep]:
    """Let every step follow its reasons; among those that may come next, the earliest comes."""
    left = list(steps)
    open_ = {step.id for step in steps}
    ordered = []
    while left:
        ready = next((step for step in left if not open_ & set(step.because_of)), left[0])
        left.remove(ready)
        open_.discard(ready.id)
        ordered.append(ready)
    return ordered


def _has_effect(graph: CausalGraph, candidate: Candidate) -> bool:
    return any(key[0] == candidate.id for key in graph.weights)


def _chosen(graph: CausalGraph, candidates: Sequence[Candidate], limit: int) -> list[Finding]:
    """The findings that tell the story best: those with a kind first, then the signs of the cause itself, one of each rule."""
    names = {candidate.id for candidate in candidates}
    tied = {key[1] for key in graph.weights if key[0] in names} | {
        name for link in graph.links for name in (link.source, link.target)
    }
    pool = [
        f
        for f in graph.findings.values()
        if f.start is not None and f.role is not Role.CONDITION and (f.incident_kind or f.id in tied)
    ]
    named = {node for c in candidates for node in c.nodes}
    chosen: dict[tuple[str, ...], Finding] = {}
    for finding in sorted(pool, key=lambda f: (not named & set(f.nodes), _time(f))):
        key = (finding.rule, *finding.nodes, *finding.resources) if finding.incident_kind else (finding.rule,)
        chosen.setdefault(key, finding)
    told = [f for f in chosen.values() if not _is_echo(f, chosen.values())]
    ranked = sorted(told, key=_importance)
    return sorted(ranked[:limit], key=_place)


def _is_echo(finding: Finding, others: Iterable[Finding]) -> bool:
    """An impact without a kind says nothing new beside one of the same resource that has a kind."""
    if finding.role is not Role.IMPACT or finding.incident_kind is not None:
        return False
    return any(f.incident_kind and f.role is Role.IMPACT and set(f.resources) & set(finding.resources) for f in others)


def _place(finding: Finding) -> tuple[int, int, str]:
    """Place in the story: by time, and at equal times what brings about before what is brought about."""
    start, ident = _time(finding)
    return (start, [Role.TRIGGER, Role.FAILURE, Role.RESPONSE, Role.IMPACT, Role.CONDITION].index(finding.role), ident)


def _importance(finding: Finding) -> tuple[int, int, int, int, str]:
    start, ident = _time(finding)
    return (
        finding.incident_kind is None,
        finding.holds is not Tri.TRUE,
        -finding.severity.rank,
        start,
        ident,
    )


def _time(finding: Finding) -> tuple[int, str]:
    return (finding.start.ns if finding.start else 0, finding.id)


def _cause_step(candidate: Candidate, ruleset: RuleSet) -> ChainStep:
    text = fill(ruleset.causes[candidate.cause].statement, candidate)
    return ChainStep(candidate.id, "cause", (), None, None, candidate.nodes, (), text)


def _unknown_step() -> ChainStep:
    return ChainStep(UNKNOWN_CAUSE, "cause", (), None, None, (), (), UNKNOWN_TEXT)


@record
class _Story:
    graph: CausalGraph
    causes: tuple[str, ...]
    told: frozenset[str]
    timeline: Timeline

    def step(self, finding: Finding) -> ChainStep:
        """Tell one finding, with its reasons among the other steps."""
        reasons = self._reasons(finding.id)
        return ChainStep(
            id=finding.id,
            node_kind="finding",
            because_of=tuple(reasons),
            lag_s=_lag(finding, [self.graph.findings[r] for r in reasons if r in self.graph.findings]),
            at=finding.start,
            nodes=finding.nodes,
            evidence=of_finding(self.timeline, finding),
            text=finding.says or finding.title,
        )

    def _reasons(self, finding: str) -> list[str]:
        observed = [link.source for link in self.graph.parents(finding) if link.source in self.told]
        latent = [name for name in self.causes if (name, finding) in self.graph.weights]
        reasons = observed[:2] or latent[:2] or self._ancestors(finding)[:1]
        return reasons if reasons or self.causes else [UNKNOWN_CAUSE]

    def _ancestors(self, finding: str) -> list[str]:
        """Nearest ancestors that are told, where the direct parents are not."""
        seen: set[str] = set()
        layer = [link.source for link in self.graph.parents(finding)]
        while layer:
            found = [name for name in layer if name in self.told]
            if found:
                return found
            seen.update(layer)
            layer = [link.source for name in layer for link in self.graph.parents(name) if link.source not in seen]
        return []


def _lag(finding: Finding, parents: Sequence[Finding]) -> float | None:
    starts = [p.start.ns for p in parents if p.start is not None]
    if not starts or finding.start is None:
        return None
    return round((finding.start.ns - min(starts)) / NS, 3)
