"""Questions to a timeline."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from hadiag.model.tri import Tri
from hadiag.timeline.schema import COLUMNS
from hadiag.timeline.timeline import printed_unit
from tests.unit.timeline.builders import Log, members, timeline, utc


def small() -> tuple[Log, Log]:
    """Two logs of a node with a few events."""
    pacemaker, corosync = Log("a", "a/pacemaker.log"), Log("a", "a/corosync.log", "corosync", style="s")
    pacemaker.graph("10:00:00")
    pacemaker.add("10:00:05.100", "fence.op_result", target="b", result="ok")
    pacemaker.add("10:00:05.200", "fence.op_results_other", target="b")
    corosync.ring("10:00:05", "1.4", left="2")
    corosync.ring("10:00:05", "1.8", joined="2")
    return pacemaker, corosync


def test_events_by_type_and_by_prefix() -> None:
    """An exact type, a prefix, several at once; always in the order of time."""
    line = timeline(small(), members("a", "b"))
    assert [event.type for event in line.of("fence.op_result")] == ["fence.op_result"]
    assert len(line.of("fence.*")) == 2
    assert [event.type for event in line.of("fence.*", "corosync.totem.new_membership")][:2] == [
        "corosync.totem.new_membership"
    ] * 2
    assert line.of("fence") == ()
    assert line.of("none.*") == ()


def test_event_by_uid() -> None:
    """The uid is that of the canonical line."""
    pacemaker, corosync = small()
    line = timeline([pacemaker, corosync])
    assert line.get(pacemaker.raws[1].ref.uid).type == "fence.op_result"
    with pytest.raises(KeyError):
        line.get("0" * 16)


def test_order_on_one_node() -> None:
    """In one file the line decides; across files the printed units must not overlap."""
    pacemaker, corosync = small()
    line = timeline([pacemaker, corosync])
    first, second = line.of("corosync.totem.new_membership")
    fence = line.of("fence.op_result")[0]
    graph = line.of("pcmk.graph.start")[0]
    assert (line.order(first, second), line.order(second, first)) == (Tri.TRUE, Tri.FALSE)
    assert line.order(first, fence) is Tri.UNKNOWN
    assert (line.order(graph, first), line.order(first, graph)) == (Tri.TRUE, Tri.FALSE)
    assert line.order(fence, fence) is Tri.FALSE


def test_subject_and_fields() -> None:
    """The subject is the field that the catalogue names."""
    event = timeline(small(), members("a", "b")).of("fence.op_result")[0]
    assert (event.subject, event.observer, event.seq) == ("b", "a", 2)


def test_folded_repetitions_keep_their_number_and_end() -> None:
    """A row that stands for a storm tells how often and until when, on the aligned clock."""
    log = Log("a", "a/pacemaker.log", zone_s=3600)
    log.graph("10:00:00")
    row = log.add("10:00:05", "pcmk.node.state", "again and again", node="b", state="lost")
    log.raws[-1] = replace(row, repeated=70, last_time=log.stamp(utc("10:04:00")))
    event = timeline([log]).of("pcmk.node.state")[0]
    assert event.last
    assert (event.repeated, event.last.ns) == (70, utc("10:04:00"))


def test_equal_input_gives_equal_timelines() -> None:
    """The order in which events and files were read does not matter."""
    pacemaker, corosync = small()
    one, two = timeline([pacemaker, corosync], members("a", "b")), timeline([corosync, pacemaker], members("a", "b"))
    assert one.events == two.events
    assert one.coverage == two.coverage
    assert one.warnings == two.warnings


def test_empty_input() -> None:
    """Nothing read is a timeline without anything."""
    line = timeline([])
    assert (line.events, line.nodes, line.span, line.coverage, line.clocks) == ((), (), None, (), {})
    assert line.node("a") is None
    assert list(line.frame().columns) == [column.name for column in COLUMNS]


def test_frame_has_the_documented_columns() -> None:
    """Types as documented; a line without time has no time."""
    pacemaker, corosync = small()
    corosync.add(None, "corosync.main.ready")
    frame = timeline([pacemaker, corosync], members("a", "b")).frame()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {c.name: c.dtype for c in COLUMNS}
    assert frame["time"].iloc[0] == pd.Timestamp("2026-11-22T10:00:00Z")
    assert frame["time"].isna().sum() == 1
    assert bool((frame["layer"] <= "resource").all())
    assert frame.loc[frame["type"] == "fence.op_result", "subject"].tolist() == ["b"]


def test_printed_unit() -> None:
    """Unit of the last digit of a stamp."""
    assert printed_unit("Nov 22 10:00:00") == 10**9
    assert printed_unit("Nov 22 10:00:00.123") == 10**6
    assert printed_unit("2026-11-22T10:00:00.123456+01:00") == 1000
    assert utc("10:00:00") % 10**9 == 0
