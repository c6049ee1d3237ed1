"""What did its job in an incident, in sentences with seconds."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.model.entity import IncidentKind
from hadiag.model.finding import Finding
from hadiag.model.time import NS, Instant
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.rulelang.template import format_duration
from hadiag.state import Views


def what_worked(
    findings: Sequence[Finding], views: Views, start: Instant | None, end: Instant | None
) -> tuple[str, ...]:
    """Say which protections worked: fencing, recovery, redundant links, quorum."""
    if start is None or end is None:
        return ()
    kinds = {f.incident_kind for f in findings if f.holds is Tri.TRUE}
    sentences = [*_fencing(views, start, end), *_recovery(views, start, end)]
    if IncidentKind.LINK_DEGRADED in kinds and IncidentKind.PARTITION not in kinds:
        sentences.append("Another link carried the cluster traffic, so no node was lost.")
    if IncidentKind.PARTITION in kinds and IncidentKind.SPLIT_BRAIN not in kinds:
        sentences.append("No resource was active on both sides of the partition.")
    return tuple(dict.fromkeys(sentences))


def _inside(views: Views, table: str, start: Instant, end: Instant) -> tuple[View, ...]:
    return views.begun(table, start.ns - 60 * NS, end.ns + 60 * NS)


def _fencing(views: Views, start: Instant, end: Instant) -> list[str]:
    found = []
    for view in _inside(views, "fencing.operation", start, end):
        if view.value.get("result") != "ok" or view.start is None or view.end is None:
            continue
        took = format_duration(max(0, view.end.ns - view.start.ns) / NS)
        found.append(f"Fencing of {view.value.get('target')} succeeded in {took}.")
    return found


def _recovery(views: Views, start: Instant, end: Instant) -> list[str]:
    found = []
    for view in _inside(views, "rsc.outage", start, end):
        if view.end is None or view.start is None or view.value.get("planned"):
            continue
        took = format_duration(max(0, view.end.ns - view.start.ns) / NS)
        where = view.value.get("to_node")
        found.append(f"{view.value.get('resource')} was active again{f' on {where}' if where else ''} after {took}.")
    return found
