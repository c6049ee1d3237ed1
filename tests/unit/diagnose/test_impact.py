"""What an incident cost."""

from __future__ import annotations

from hadiag.diagnose.impact import impact
from hadiag.model.entity import IncidentKind, Layer, Node, Role, Scalar, Severity
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


def shot(start: float, end: float, result: str) -> View:
    """Fencing of a node."""
    value = {"target": "b", "action": "reboot", "result": result}
    return View("fencing.operation", Node("a"), at(start), at(end), value, None)


def loss(start: float, *, fenced_before: bool = False) -> View:
    """A node that its peers had missed for six seconds."""
    value: dict[str, Scalar] = {
        "node": "b",
        "how": "unclean",
        "witnesses": ("a",),
        "missed_s": 6.0,
        "fenced_before": fenced_before,
    }
    return View("node.loss", Node("a"), at(start), at(start + 60), value, None)


def test_phases_of_a_fail_over() -> None:
    """Detection begins when the node is first missed; fencing lasts from the first request to the try that worked."""
    views = Views([loss(106), shot(107, 127, "timeout"), shot(128, 130, "ok"), outage("app", 100, 133)])
    phases = impact([failure("first", 106, 130)], [IncidentKind.NODE_LOST], views).phases
    assert (phases.detect_s, phases.decide_s, phases.fence_s, phases.recover_s) == (6, 1, 23, 3)


def test_phases_where_fencing_never_works() -> None:
    """What was decided is known, how long fencing takes is not."""
    views = Views([loss(106), shot(107, 127, "timeout"), shot(128, 140, "failed")])
    phases = impact([failure("first", 106, 140)], [IncidentKind.FENCING_FAILED], views).phases
    assert (phases.detect_s, phases.decide_s, phases.fence_s, phases.recover_s) == (6, 1, None, None)


def test_phases_where_a_node_is_fenced_for_another_reason() -> None:
    """It leaves the membership because it was fenced: that is no detection, and nothing was decided by it."""
    views = Views([shot(120, 126, "ok"), loss(125, fenced_before=True), outage("app", 100, 128)])
    phases = impact([failure("first", 100, 126)], [IncidentKind.NODE_FENCED], views).phases
    assert (phases.detect_s, phases.decide_s, phases.fence_s, phases.recover_s) == (None, 20, 6, 2)
