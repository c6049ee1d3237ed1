"""Which findings belong to one incident."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from hadiag.diagnose.graph import CausalGraph
from hadiag.model.entity import IncidentKind, Role, Severity
from hadiag.model.finding import Finding
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.timeline import Timeline

NEAR_NS = 60 * NS
"""Findings about the same node or resource that are no further apart belong together even without an edge."""

CAUSE_NEAR_NS = 600 * NS
"""Findings that one cause could explain belong together within this time."""


_GRAVEST_FIRST = (
    IncidentKind.SPLIT_BRAIN,
    IncidentKind.FENCING_FAILED,
    IncidentKind.PARTITION,
    IncidentKind.QUORUM_LOSS,
    IncidentKind.NODE_LOST,
    IncidentKind.REMOTE_LOST,
    IncidentKind.SELF_FENCED,
    IncidentKind.NODE_FENCED,
    IncidentKind.FENCE_RACE,
    IncidentKind.NOT_RECOVERED,
    IncidentKind.RESOURCE_BLOCKED,
    IncidentKind.STORAGE_FAILED,
    IncidentKind.DAEMON_DIED,
)
"""Of two incidents of one severity the one that endangers more comes first; kinds that are not listed come after these."""


def group(findings: Sequence[Finding], graph: CausalGraph, timeline: Timeline) -> tuple[tuple[Finding, ...], ...]:
    """Split the findings into incidents: connected by edges, by a common possible cause, or by nearness and subject.

    Near is what was logged near: a condition that lasted for an hour does not join what happened at its ends. Remarks join no
    incidents either, they go where the nearest of them is. Conditions have no time of their own and join no incident. Groups in
    which nothing has a kind are no incident.
    """
    timed = [f for f in findings if f.start is not None and f.role is not Role.CONDITION]
    moments = {f.id: _moments(f, timeline) for f in timed}
    parent = {f.id: f.id for f in timed}
    for one, other in _pairs(timed, graph, moments):
        _union(parent, one, other)
    groups: dict[str, list[Finding]] = {}
    for finding in timed:
        groups.setdefault(_root(parent, finding.id), []).append(finding)
    real = [tuple(sorted(g, key=_order)) for g in groups.values() if any(counts(f) for f in g)]
    return tuple(sorted(real, key=lambda g: (-severity(g).rank, place(kinds(g)), _order(g[0]))))


Moments = Mapping[str, Sequence[int]]
"""When the evidence of each finding was logged, in order, in ns."""


def _moments(finding: Finding, timeline: Timeline) -> list[int]:
    logged = (timeline.get(uid).at for uid in finding.events if uid)
    found = sorted(at.ns for at in logged if at is not None)
    return found or [at.ns for at in (finding.start, finding.end) if at is not None]


def place(found: Iterable[IncidentKind | None]) -> int:
    """Place of the gravest of some kinds in the order of gravity; 0 is the gravest."""
    known = set(found)
    return next((number for number, kind in enumerate(_GRAVEST_FIRST) if kind in known), len(_GRAVEST_FIRST))


def counts(finding: Finding) -> bool:
    """Tell whether a finding makes an incident: it holds, and it has a kind."""
    return finding.incident_kind is not None and finding.holds is Tri.TRUE


def _order(finding: Finding) -> tuple[int, str]:
    return (finding.start.ns if finding.start else 0, finding.id)


def _pairs(timed: Sequence[Finding], graph: CausalGraph, moments: Moments) -> Iterable[tuple[str, str]]:
    known = {f.id for f in timed}
    for link in graph.links:
        if link.source in known and link.target in known:
            yield link.source, link.target
    yield from _near(timed, moments)
    yield from _common_cause({f.id: f for f in timed}, graph, moments)


def _near(timed: Sequence[Finding], moments: Moments) -> Iterable[tuple[str, str]]:
    """Pairs of neighbours that speak of the same; of a remark the pair with the nearest only."""
    ordered = sorted(timed, key=lambda f: (moments[f.id][0], f.id))
    nearest: dict[str, tuple[int, str]] = {}
    open_still: list[Finding] = []
    for other in ordered:
        open_still = [one for one in open_still if moments[other.id][0] - moments[one.id][-1] <= NEAR_NS]
        for one in open_still:
            gap = _gap(moments[one.id], moments[other.id])
            if gap > NEAR_NS or _planned(one) != _planned(other) or not _share(one, other):
                continue
            if not _is_remark(one) and not _is_remark(other):
                yield one.id, other.id
            for mine, theirs in ((one, other), (other, one)):
                if _is_remark(mine):
                    nearest[mine.id] = min(nearest.get(mine.id, (gap, theirs.id)), (gap, theirs.id))
        open_still.append(other)
    yield from ((remark, other) for remark, (_, other) in nearest.items())


def _share(one: Finding, other: Finding) -> bool:
    return bool(set(one.nodes) & set(other.nodes) or set(one.resources) & set(other.resources))


def _is_remark(finding: Finding) -> bool:
    return finding.incident_kind is None and finding.severity.rank < Severity.WARNING.rank


def _gap(one: Sequence[int], other: Sequence[int]) -> int:
    """Least distance between two rows of moments."""
    few, many = sorted((one, other), key=len)
    found = 1 << 62
    for moment in few:
        index = bisect_left(many, moment)
        found = min(found, *(abs(moment - near) for near in many[max(index - 1, 0) : index + 1]))
    return found


def _planned(finding: Finding) -> bool:
    """What was done on purpose, and what came of it as it was meant to."""
    return finding.incident_kind is not None and finding.severity is Severity.INFO


def _common_cause(timed: Mapping[str, Finding], graph: CausalGraph, moments: Moments) -> Iterable[tuple[str, str]]:
    explained: dict[str, list[str]] = {}
    for candidate, finding in graph.weights:
        if finding in timed:
            explained.setdefault(candidate, []).append(finding)
    for ids in explained.values():
        ordered = sorted((timed[i] for i in ids), key=_order)
        for one, other in pairwise(ordered):
            if _gap(moments[one.id], moments[other.id]) <= CAUSE_NEAR_NS:
                yield one.id, other.id


def _root(parent: dict[str, str], name: str) -> str:
    while parent[name] != name:
        parent[name] = parent[parent[name]]
        name = parent[name]
    return name


def _union(parent: dict[str, str], one: str, other: str) -> None:
    a, b = sorted((_root(parent, one), _root(parent, other)))
    parent[b] = a


def severity(findings: Iterable[Finding]) -> Severity:
    """Highest severity of the findings that hold and have a kind."""
    ranked = [f.severity for f in findings if counts(f)]
    return max(ranked, key=lambda s: s.rank, default=Severity.INFO)


def kinds(findings: Iterable[Finding]) -> tuple[IncidentKind, ...]:
    """Kinds of the findings that hold, in the order of the contract."""
    found = {f.incident_kind for f in findings if f.holds is Tri.TRUE}
    return tuple(kind for kind in IncidentKind if kind in found)
