"""What an incident cost."""

from __future__ import annotations

from hadiag.diagnose.impact import impact
from hadiag.model.entity import IncidentKind, Layer, Node, Role, Severity
from hadiag.model.finding import Finding
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.state import Views


def at(second: float) -> Instant:
    """A moment."""
    return Instant(round(second * NS), 0, "", TimeBasis.IN_LOG)


def failure(name: str, start: float, end: float) -> Finding:
    """A finding that lasts."""
    return Finding(
        name, name, Tri.TRUE, name, "", 0.9, Layer.RESOURCE, Role.FAILURE, Severity.ERROR,
        IncidentKind.RESOURCE_FAILED, None, ("a",), (), at(start), at(end), {}, {},
    )  # fmt: skip


def outage(resource: str, start: float, end: float) -> View:
    """A resource that was down."""
    return View("rsc.outage", Node("a"), at(start), at(end), {"resource": resource, "planned": False}, None)


def test_outages_belong_to_the_incident_they_are_nearest_to() -> None:
    """Two incidents a minute apart: each has its own outage, and fencing in one is no phase of the other."""
    first, second = failure("first", 100, 101), failure("second", 160, 170)
    fencing = View("fencing.operation", Node("a"), at(162), at(165), {"target": "b", "result": "ok"}, None)
    views = Views([outage("app", 100.5, 101), outage("db", 159, 171), fencing])
    early = impact([first], [IncidentKind.RESOURCE_FAILED], views, [(160 * NS, 170 * NS)])
    late = impact([second], [IncidentKind.RESOURCE_FAILED], views, [(100 * NS, 101 * NS)])
    assert [one.resource for one in early.resources] == ["app"]
    assert early.phases.fence_s is None
    assert [one.resource for one in late.resources] == ["db"]
    assert late.phases.fence_s == 3
