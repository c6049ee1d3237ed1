"""The causal graph of one incident: which finding brought about which, and which latent causes could stand behind them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from hadiag.diagnose.score import Candidate, Effect
from hadiag.model.entity import Node, Role
from hadiag.model.finding import Finding
from hadiag.model.frozen import record
from hadiag.model.tri import Tri
from hadiag.rulelang.entries import Cause
from hadiag.rulelang.ruleset import Edge, RuleSet
from hadiag.rulelang.tables import STATE_TABLES
from hadiag.rulelang.words import PRIORS, STRENGTHS, UNKNOWN_FACTOR
from hadiag.timeline import Timeline

SLACK_NS = 2 * 10**9
"""Stamps of one second may put an effect this far before its cause."""


TELLING = 0.5
"""Only the absence of an effect that is at least even speaks: what comes along now and then says nothing by staying away."""

TRIGGER_NS = 30 * 10**9
"""How long before the first finding the sign of a trigger is looked for."""

LATER_NS = 60 * 10**9
"""How long after the first finding any other sign is looked for at most."""


@record
class Link:
    """An edge between two findings of the incident. ``certain`` tells that their order is beyond clock error."""

    source: str
    target: str
    strength: float
    certain: bool


@record
class Expected:
    """An effect that a candidate should have and that no finding shows."""

    candidate: str
    rule: str
    strength: float
    state: str
    nodes: tuple[str, ...]


@record
class CausalGraph:
    """Findings, the links between them, candidates, and what each candidate should have brought about.

    ``weights`` maps (candidate, finding) to the strength of the edge; ``expected`` lists the effects that were not seen.
    """

    findings: Mapping[str, Finding] = field(hash=False)
    links: tuple[Link, ...]
    candidates: tuple[Candidate, ...]
    weights: Mapping[tuple[str, str], float] = field(hash=False)
    expected: tuple[Expected, ...]

    def effects(self) -> tuple[Effect, ...]:
        """The evidence for ``score``: each finding, and each effect that is absent although its log covers the time."""
        into: dict[str, float] = {}
        for link in self.links:
            into[link.target] = into.get(link.target, 1.0) * (1 - link.strength)
        spoken: dict[str, dict[str, float]] = {}
        for (candidate, finding), weight in self.weights.items():
            spoken.setdefault(finding, {})[candidate] = weight
        seen = [
            _seen(finding, 1 - into.get(finding.id, 1.0), spoken[finding.id])
            for finding in self.findings.values()
            if finding.id in spoken
        ]
        return (*seen, *self._absent())

    def _absent(self) -> list[Effect]:
        grouped: dict[tuple[str, tuple[str, ...]], dict[str, float]] = {}
        for one in self.expected:
            if one.state == "absent" and one.strength >= TELLING:
                grouped.setdefault((one.rule, one.nodes), {})[one.candidate] = one.strength
        return [Effect(f"{rule}@{','.join(nodes)}", "absent", 0.0, w) for (rule, nodes), w in sorted(grouped.items())]

    def parents(self, finding: str) -> tuple[Link, ...]:
        """Links into a finding, strongest first."""
        found = [link for link in self.links if link.target == finding]
        return tuple(sorted(found, key=lambda link: (-link.strength, link.source)))


def _seen(finding: Finding, leak: float, weights: Mapping[str, float]) -> Effect:
    return Effect(finding.id, "seen", leak, weights, 1.0 if finding.holds is Tri.TRUE else UNKNOWN_FACTOR)


def build_graph(findings: Sequence[Finding], ruleset: RuleSet, timeline: Timeline) -> CausalGraph:
    """Link the findings of an incident, instantiate the causes that could explain them, and look for what is missing."""
    by_id = {finding.id: finding for finding in findings}
    links = _acyclic(_timely(_links(findings, ruleset), by_id))
    candidates, weights = _candidates(findings, ruleset)
    expected = _expected(candidates, weights, by_id, ruleset, timeline)
    return CausalGraph(by_id, links, candidates, weights, expected)


class _Dated:
    """The findings of a rule in order of their begin, so that an edge meets only those that lie in its reach."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.all = list(findings)
        dated = [(finding.start, finding) for finding in self.all if finding.start is not None]
        dated.sort(key=lambda each: each[0].ns)
        self._dated = [finding for _, finding in dated]
        self._begins = [start.ns for start, _ in dated]
        self._undated = [finding for finding in self.all if finding.start is None]
        errors = [start.err_ns for start, _ in dated]
        known = [error for error in errors if error is not None]
        self._error = None if len(known) < len(errors) else max(known, default=0)

    def reached(self, source: Finding, within_ns: int | None) -> Sequence[Finding]:
        """Those that may follow a finding within this time; all where either clock is unknown."""
        if source.start is None or within_ns is None:
            return self.all
        high = bisect_right(self._begins, _latest(source, source.start.ns, within_ns))
        low = 0
        if source.start.err_ns is not None and self._error is not None:
            low = bisect_left(self._begins, source.start.ns - source.start.err_ns - self._error)
        return [*self._dated[low:high], *self._undated]


def _latest(source: Finding, start: int, within_ns: int) -> int:
    """Until when, in ns, what a finding brings about may begin."""
    tail = source.end.ns - start if source.end is not None else 0
    return start + max(within_ns, 0) + tail + SLACK_NS


def _links(findings: Sequence[Finding], ruleset: RuleSet) -> list[Link]:
    by_rule = {rule: _Dated(members) for rule, members in _by_rule(findings).items()}
    found: list[Link] = []
    for rule, sources in by_rule.items():
        for edge in ruleset.edges_from(rule) if rule not in ruleset.causes else ():
            targets = by_rule.get(edge.effect)
            if targets is not None and edge.kind == "causes":
                found.extend(_links_along(edge, sources, targets))
    return found


def _links_along(edge: Edge, sources: _Dated, targets: _Dated) -> Iterator[Link]:
    for source in sources.all:
        for target in targets.reached(source, edge.within_ns):
            link = _link(source, target, edge)
            if link is not None:
                yield link


def _by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return found


def _link(source: Finding, target: Finding, edge: Edge) -> Link | None:
    if source.id == target.id or not joined(source, target, edge.join):
        return None
    if source.start is None or target.start is None:
        return Link(source.id, target.id, edge.weight, certain=False)
    if target.start.before(source.start) is Tri.TRUE:
        return None
    if edge.within_ns is not None and target.start.ns > _latest(source, source.start.ns, edge.within_ns):
        return None
    certain = source.start.before(target.start) is Tri.TRUE
    return Link(source.id, target.id, edge.weight if certain else edge.weight * 0.9, certain)


def joined(source: Finding, target: Finding, join: Sequence[tuple[str, str]] | None) -> bool:
    """Tell whether two findings speak of the same entities.

    ``join`` pairs fields of the source with fields of the target: ``nodes``, ``resources``, or a name of its identity. Without it, they share a node or a resource, or one of them names neither.
    """
    if join is None:
        return (
            _overlap(source.nodes, target.nodes)
            or _overlap(source.resources, target.resources)
            or not ((source.nodes or source.resources) and (target.nodes or target.resources))
        )
    return all(_overlap(values(source, mine), values(target, theirs)) for mine, theirs in join)


def values(finding: Finding, name: str) -> tuple[str, ...]:
    """Values of a field of a finding: its nodes, its resources, or a field of any of its steps."""
    if name in {"node", "nodes"}:
        return finding.nodes
    if name in {"resource", "resources"}:
        return finding.resources
    found: list[str] = []
    for step in finding.bindings.values():
        value = step.get(name)
        if isinstance(value, tuple):
            found.extend(value)
        elif value is not None:
            found.append(str(value))
    return tuple(found)


def _overlap(left: Iterable[str], right: Iterable[str]) -> bool:
    return bool(set(left) & set(right))


def _timely(links: Sequence[Link], findings: Mapping[str, Finding]) -> list[Link]:
    """Leave out what was over before something else, that leads to the same effect at least as surely, began."""
    into: dict[str, list[Link]] = {}
    for link in links:
        into.setdefault(link.target, []).append(link)
    return [
        link
        for link in links
        if not any(
            other.strength >= link.strength and is_over(findings[link.source], findings[other.source])
            for other in into[link.target]
        )
    ]


def is_over(one: Finding, other: Finding) -> bool:
    """Tell whether a finding had certainly ended before another began."""
    end = one.end or one.start
    return end is not None and other.start is not None and end.before(other.start) is Tri.TRUE


def _acyclic(links: Iterable[Link]) -> tuple[Link, ...]:
    """Keep the links with the best evidence of order, and drop those that would close a circle."""
    kept: list[Link] = []
    below: dict[str, set[str]] = {}
    for link in sorted(links, key=lambda one: (not one.certain, -one.strength, one.source, one.target)):
        if link.source == link.target or link.source in _reach(link.target, below):
            continue
        kept.append(link)
        below.setdefault(link.source, set()).add(link.target)
    return tuple(sorted(set(kept), key=lambda one: (one.source, one.target)))


def _reach(start: str, below: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    stack = [start]
    while stack:
        here = stack.pop()
        if here not in seen:
            seen.add(here)
            stack.extend(below.get(here, ()))
    return seen


def _candidates(
    findings: Sequence[Finding], ruleset: RuleSet
) -> tuple[tuple[Candidate, ...], dict[tuple[str, str], float]]:
    """The causes that some finding speaks for.

    One that only rare edges would reach has no sign of its own: dozens of them would share the certainty among themselves without a
    line that tells any of them.
    """
    weights: dict[tuple[str, str], float] = {}
    pool: dict[str, Candidate] = {}
    by_rule = _by_rule(findings)
    for rule, members in by_rule.items():
        for edge in ruleset.edges_to(rule):
            cause = ruleset.causes.get(edge.cause) if edge.kind == "causes" else None
            if cause is None:
                continue
            for finding in members:
                for candidate in _instances(cause, finding):
                    pool.setdefault(candidate.id, candidate)
                    key = (candidate.id, finding.id)
                    weights[key] = max(weights.get(key, 0.0), edge.weight)
    weights |= _everywhere(pool, weights, by_rule, ruleset)
    spoken_for = {key[0] for key, weight in weights.items() if weight > STRENGTHS["rare"]}
    weights = {key: weight for key, weight in weights.items() if key[0] in spoken_for}
    by_id = {finding.id: finding for finding in findings}
    own = _of_candidates(weights)
    located = [_located(candidate, own[name], by_id) for name, candidate in pool.items() if name in spoken_for]
    return tuple(sorted(located, key=lambda c: c.id)), weights


def _of_candidates(weights: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    """For each candidate the findings that it may explain, with the weights."""
    found: dict[str, dict[str, float]] = {}
    for (candidate, finding), weight in weights.items():
        found.setdefault(candidate, {})[finding] = weight
    return found


def _everywhere(
    pool: Mapping[str, Candidate],
    weights: Mapping[tuple[str, str], float],
    by_rule: Mapping[str, Sequence[Finding]],
    ruleset: RuleSet,
) -> dict[tuple[str, str], float]:
    """Weights of effects that need not name what the cause is bound to: a node that stalls costs all the others the token."""
    found = dict(weights)
    of_cause: dict[str, list[Candidate]] = {}
    for candidate in pool.values():
        of_cause.setdefault(candidate.cause, []).append(candidate)
    for cause, candidates in of_cause.items():
        for edge in ruleset.edges_from(cause):
            if edge.kind != "causes" or edge.join is None or edge.join:
                continue
            for candidate in candidates:
                for finding in by_rule.get(edge.effect, ()):
                    key = (candidate.id, finding.id)
                    found[key] = max(found.get(key, 0.0), edge.weight)
    return found


def _instances(cause: Cause, finding: Finding) -> list[Candidate]:
    def make(nodes: tuple[str, ...], resources: tuple[str, ...], key: str) -> Candidate:
        ident = f"{cause.id}@{key}" if key else cause.id
        return Candidate(ident, cause.id, PRIORS[cause.prior], cause.role.value, nodes, resources, cause.category.value)

    if cause.binds == "node":
        return [make((node,), (), node) for node in finding.nodes]
    if cause.binds in {"resource", "device"}:
        bound = finding.resources or values(finding, "device")
        return [make((), (resource,), resource) for resource in bound]
    return [make((), (), "")]


def _located(candidate: Candidate, own: Mapping[str, float], findings: Mapping[str, Finding]) -> Candidate:
    """Put a cause that is bound to a resource or to the cluster where the effects sit that speak for it most clearly."""
    if candidate.nodes:
        return candidate
    best = max(own.values())
    nodes = {node for name, weight in own.items() if weight == best for node in findings[name].nodes}
    return replace(candidate, nodes=tuple(sorted(nodes)))


def _expected(
    candidates: Sequence[Candidate],
    weights: Mapping[tuple[str, str], float],
    findings: Mapping[str, Finding],
    ruleset: RuleSet,
    timeline: Timeline,
) -> tuple[Expected, ...]:
    found: list[Expected] = []
    explained = _of_candidates(weights)
    for candidate in candidates:
        own = [findings[name] for name in explained.get(candidate.id, ())]
        seen = {finding.rule for finding in own}
        span = _span(own)
        for edge in ruleset.edges_from(candidate.cause):
            if edge.kind == "causes" and edge.effect not in seen:
                window = _window(edge, span, ruleset)
                state = _coverage(edge.effect, candidate.nodes, window, ruleset, timeline)
                found.append(Expected(candidate.id, edge.effect, edge.weight, state, candidate.nodes))
    return tuple(found)


def _span(findings: Sequence[Finding]) -> tuple[int, int] | None:
    """When what a cause explains began: the first and the last of its findings."""
    starts = [finding.start.ns for finding in findings if finding.start is not None]
    return (min(starts), max(starts)) if starts else None


def _window(edge: Edge, span: tuple[int, int] | None, ruleset: RuleSet) -> tuple[int, int] | None:
    """When an effect would have shown: a trigger from just before what the cause explains, anything else from there on."""
    if span is None:
        return None
    first, last = span
    effect = ruleset.findings.get(edge.effect)
    if effect is not None and effect.role is Role.TRIGGER:
        return first - TRIGGER_NS, last
    return first - SLACK_NS, first + min(edge.within_ns or LATER_NS, LATER_NS)


def _coverage(
    rule: str, nodes: Sequence[str], span: tuple[int, int] | None, ruleset: RuleSet, timeline: Timeline
) -> str:
    """``absent`` where the logs of all nodes of the cause cover what the rule would have seen, else ``unknown``."""
    types = shown_by(ruleset, rule)
    if span is None or not types or not nodes:
        return "unknown"
    for node in nodes:
        if not any(timeline.covered(Node(node), kind, *span) is Tri.TRUE for kind in types):
            return "unknown"
    return "absent"


def shown_by(ruleset: RuleSet, rule: str) -> tuple[str, ...]:
    """Event types whose log would have shown the first positive step of a rule; empty where that cannot be told."""
    found = ruleset.findings.get(rule)
    if found is None:
        return ()
    for step in found.match.values():
        if step.absent or step.optional:
            continue
        if step.kind == "event":
            return step.looks_at
        if step.kind == "state":
            return tuple(kind for table in step.looks_at for kind in STATE_TABLES[table].shown_by)
    return ()
