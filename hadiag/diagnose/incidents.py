"""Which findings belong to one incident."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from hadiag.diagnose.graph import CausalGraph
from hadiag.model.entity import IncidentKind, Role, Severity
from hadiag.model.finding import Finding
from hadiag.model.time import NS
from hadiag.model.tri import Tri

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


def group(findings: Sequence[Finding], graph: CausalGraph) -> tuple[tuple[Finding, ...], ...]:
    """Split the findings into incidents: connected by edges, by a common possible cause, or by nearness and subject.

    Conditions have no time of their own and join no incident. Groups in which nothing has a kind are no incident.
    """
    timed = [f for f in findings if f.start is not None and f.role is not Role.CONDITION]
    parent = {f.id: f.id for f in timed}
    for one, other in _pairs(timed, graph):
        _union(parent, one, other)
    groups: dict[str, list[Finding]] = {}
    for finding in timed:
        groups.setdefault(_root(parent, finding.id), []).append(finding)
    real = [tuple(sorted(g, key=_order)) for g in groups.values() if any(counts(f) for f in g)]
    return tuple(sorted(real, key=lambda g: (-severity(g).rank, place(kinds(g)), _order(g[0]))))


def place(found: Iterable[IncidentKind | None]) -> int:
    """Place of the gravest of some kinds in the order of gravity; 0 is the gravest."""
    known = set(found)
    return next((number for number, kind in enumerate(_GRAVEST_FIRST) if kind in known), len(_GRAVEST_FIRST))


def counts(finding: Finding) -> bool:
    """Tell whether a finding makes an incident: it holds, and it has a kind."""
    return finding.incident_kind is not None and finding.holds is Tri.TRUE


def _order(finding: Finding) -> tuple[int, str]:
    return (finding.start.ns if finding.start else 0, finding.id)


def _pairs(timed: Sequence[Finding], graph: CausalGraph) -> Iterable[tuple[str, str]]:
    known = {f.id for f in timed}
    for link in graph.links:
        if link.source in known and link.target in known:
            yield link.source, link.target
    yield from _near(timed)
    yield from _common_cause({f.id: f for f in timed}, graph)


def _near(timed: Sequence[Finding]) -> Iterable[tuple[str, str]]:
    open_still: list[Finding] = []
    for other in sorted(timed, key=_order):
        open_still = [one for one in open_still if _gap(one, other) <= NEAR_NS]
        for one in open_still:
            if _planned(one) != _planned(other):
                continue
            if set(one.nodes) & set(other.nodes) or set(one.resources) & set(other.resources):
                yield one.id, other.id
        open_still.append(other)


def _planned(finding: Finding) -> bool:
    return finding.incident_kind is IncidentKind.PLANNED_CHANGE


def _gap(one: Finding, other: Finding) -> int:
    if one.start is None or other.start is None:
        return 1 << 62
    first, second = sorted((one, other), key=_order)
    assert first.start is not None  # noqa: S101 - both were checked above
    assert second.start is not None  # noqa: S101
    end = first.end or first.start
    return max(0, second.start.ns - end.ns)


def _common_cause(timed: Mapping[str, Finding], graph: CausalGraph) -> Iterable[tuple[str, str]]:
    explained: dict[str, list[str]] = {}
    for candidate, finding in graph.weights:
        if finding in timed:
            explained.setdefault(candidate, []).append(finding)
    for ids in explained.values():
        ordered = sorted((timed[i] for i in ids), key=_order)
        for one, other in pairwise(ordered):
            if _gap(one, other) <= CAUSE_NEAR_NS:
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
