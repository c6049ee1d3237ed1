"""Which findings belong to one incident."""

from __future__ import annotations

from dataclasses import replace

from hadiag.diagnose.graph import CausalGraph
from hadiag.diagnose.incidents import group
from hadiag.model.entity import IncidentKind, Layer, Role, Severity
from hadiag.model.finding import Finding
from hadiag.model.tri import Tri
from tests.unit.state.builders import timeline

LOG = timeline("""
    +0s n1 quorum.lost
    +10s n1 daemon.died
    +1000s n1 daemon.died
    +1010s n1 quorum.lost
""")
"""Four lines of one node, two and two."""


def finding(name: str, *lines: int, severity: Severity = Severity.ERROR, kind: bool = True) -> Finding:
    """A finding about n1 that rests on some of the lines."""
    events = [LOG.events[line] for line in lines]
    return Finding(
        name, name, Tri.TRUE, name, "", 0.9, Layer.RESOURCE, Role.FAILURE, severity,
        IncidentKind.RESOURCE_FAILED if kind else None, None, ("n1",), (), events[0].at, events[-1].at,
        {"seen": tuple(event.uid for event in events)}, {},
    )  # fmt: skip


def groups(*findings: Finding) -> list[set[str]]:
    graph = CausalGraph({f.id: f for f in findings}, (), (), {}, ())
    return [{f.id for f in found} for found in group(findings, graph, LOG)]


def test_neighbours_about_one_node_are_one_incident() -> None:
    """What is a minute apart at most belongs together, what is further apart does not."""
    assert groups(finding("a", 0), finding("b", 1), finding("c", 2)) == [{"a", "b"}, {"c"}]


def test_a_long_condition_does_not_join_what_happened_at_its_ends() -> None:
    """It goes with both only where something else does."""
    long = replace(finding("long", 0), end=LOG.events[3].at)

    assert groups(long, finding("first", 1), finding("second", 2)) == [{"long", "first"}, {"second"}]


def test_a_remark_goes_with_the_nearest_and_joins_nothing() -> None:
    """It rests on lines of two incidents, and belongs to the one that is nearer."""
    remark = finding("remark", 1, 3, severity=Severity.NOTICE, kind=False)

    assert groups(remark, finding("first", 1), finding("second", 2)) == [{"remark", "first"}, {"second"}]


def test_what_was_done_on_purpose_stands_apart() -> None:
    """An act and its intended effects are no part of a failure that happened beside them."""
    act = finding("act", 0, severity=Severity.INFO)

    assert groups(finding("failed", 1), act) == [{"failed"}, {"act"}]
