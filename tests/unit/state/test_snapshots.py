"""Snapshots as the state where no log tells it: at their time, and never before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from hadiag.model.diagnosis import NodeClock, OffsetSpan
from hadiag.model.entity import Node
from hadiag.model.time import TimeBasis
from hadiag.state import build_views
from tests.unit.state.builders import START, MemoryTimeline, fact, offset, timeline
from tests.unit.state.cibs import cib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hadiag.model.fact import Fact
    from hadiag.state import Views
    from hadiag.timeline import Timeline

NOTHING = "+0s n1 pacemakerd.start @pacemakerd\n+900s n1 pacemakerd.start @pacemakerd"
OPTIONS = [("crm_config", "", "stonith-enabled", "false")]


def views(lines: str, *facts: Fact) -> Views:
    """Views of a few lines and a few CIBs."""
    return build_views(timeline(lines), list(facts))


def active(found: Views, at: str) -> list[str]:
    """What is active where at a moment."""
    return sorted(
        f"{v.value['resource']}@{v.value['node']}={v.value['role']}" for v in found.at("rsc.active", START + offset(at))
    )


def rows(found: Views, table: str, key: str, at: str) -> dict[object, object]:
    """Values of a table by node or name at a moment."""
    return {v.value.get("node", v.value.get("name")): v.value[key] for v in found.at(table, START + offset(at))}


def test_a_snapshot_is_not_the_state_before_it() -> None:
    """A CIB of after the incident says nothing of the time before it."""
    found = views(NOTHING, cib("600s", resources="web@n2=Started", nodes="n1=online n2=standby", settings=OPTIONS))
    assert active(found, "599s") == []
    assert active(found, "600s") == ["web@n2=Started"]
    for table, key in (("node.state", "state"), ("node.standby", "value"), ("cluster.option", "value")):
        assert rows(found, table, key, "599s") == {}, table
        assert rows(found, table, key, "600s") != {}, table
    assert found.at("dc.view", START + offset("599s")) == ()


def test_the_history_in_a_snapshot_tells_since_when() -> None:
    """The last operation of the history is older than the snapshot, and dated."""
    found = views(NOTHING, cib("600s", resources="web@n2=Started+300s web@n1=Stopped+299s"))
    assert active(found, "299s") == []
    assert active(found, "300s") == ["web@n2=Started"]


def test_scheduler_inputs_show_the_cluster_at_each_transition() -> None:
    """States follow from one input to the next, with the moments that the history names."""
    found = views(
        NOTHING,
        cib("100s", resources="web@n1=Started+20s", settings=OPTIONS),
        cib("200s", nodes="n1=standby n2=online", resources="web@n1=Started+20s", settings=OPTIONS),
        cib("300s", nodes="n1=online n2=online", resources="web@n1=Stopped+201s web@n2=Started+202s"),
    )
    assert active(found, "150s") == ["web@n1=Started"]
    assert active(found, "201s") == []
    assert active(found, "250s") == ["web@n2=Started"]
    assert [rows(found, "node.standby", "value", at)["n1"] for at in ("150s", "250s", "300s")] == [False, True, False]
    assert rows(found, "cluster.option", "value", "250s") == {"stonith-enabled": "false"}
    assert rows(found, "cluster.option", "value", "300s") == {}


def test_the_log_counts_where_it_tells() -> None:
    """What a line of the node says is not overruled by what the DC believed."""
    lines = """
    +100s n1 pcmk.op.result_new op=start rsc=web node=n1 result=ok rc=0 opkey=web_start_0 call=5
    +500s n1 pcmk.op.result_new op=stop rsc=web node=n1 result=ok rc=0 opkey=web_stop_0 call=7
    """
    found = views(
        lines,
        cib("50s", resources="web@n2=Started+10s"),
        cib("300s", nodes="n1=offline n2=online", resources="web@n2=Started+10s"),
        cib("600s", resources="web@n1=Started+100s"),
    )
    assert active(found, "300s") == ["web@n1=Started", "web@n2=Started"]
    assert active(found, "700s") == ["web@n2=Started"]


def test_what_was_active_before_the_first_line_ends_with_it() -> None:
    """The log begins with the stop: the snapshot before it tells what was stopped."""
    found = views(
        "+500s n1 pcmk.op.result_new op=stop rsc=web node=n1 result=ok rc=0 opkey=web_stop_0 call=7",
        cib("300s", resources="web@n1=Started+100s"),
    )
    (view,) = found.of("rsc.active")
    assert (view.value["proof"], view.told_by is not None, view.closed_by) == ("snapshot", True, "u1")


@pytest.mark.parametrize("row", ["web@n2=Started*", "web@n3=Started"])
def test_what_nobody_can_know_is_not_told(row: str) -> None:
    """A start that failed, and a resource on a node that is unclean, are no activity."""
    found = views(NOTHING, cib("300s", nodes="n1=online n2=online n3=unclean", resources=row))
    assert active(found, "400s") == []


def test_a_fenced_node_runs_nothing_whatever_an_older_history_says() -> None:
    """The moment of a history that lies before the loss of the node is not taken up again after it."""
    lines = """
    +400s n1 fence.op_result action=reboot target=n2 delegate=n1 client=c origin=n1 result=ok op_id=a
    +900s n1 pacemakerd.start @pacemakerd
    """
    found = views(lines, cib("300s", resources="web@n2=Started+100s"), cib("600s", resources="web@n2=Started+100s"))
    assert active(found, "350s") == ["web@n2=Started"]
    assert active(found, "500s") == []
    assert active(found, "600s") == ["web@n2=Started"]


def test_the_word_of_a_dc_ends_where_it_falls_silent_or_is_followed() -> None:
    """A belief of yesterday's DC is not the state of today."""
    silent = views("+0s n1 pacemakerd.start @pacemakerd\n+400s n1 log.silent", cib("300s"))
    assert rows(silent, "node.state", "state", "350s") == {"n1": "online", "n2": "online"}
    assert rows(silent, "node.state", "state", "450s") == {}
    followed = views(NOTHING, cib("300s", nodes="n1=online n2=offline"), cib("500s", "n2"))
    assert {(v.observer, v.value["node"]) for v in followed.at("node.state", START + offset("600s"))} == {
        ("n2", "n1"),
        ("n2", "n2"),
    }


def test_beliefs_from_snapshots_are_no_contradiction() -> None:
    """Two DCs one after the other, known from their inputs only, were never seen at the same time."""
    found = views(NOTHING, cib("300s"), cib("500s", "n2"))
    assert found.of("contradiction") == ()


def test_an_act_is_a_better_witness_than_the_input_made_while_it_was_done() -> None:
    """The mode changed between the two; the CIB of the same second may show the one before."""
    lines = "+100s n1 sudo.command user=root cmd='crm node standby n2'\n+900s n1 pacemakerd.start @pacemakerd"
    found = build_views(
        timeline(lines, aliases={"n2": "n2"}), [cib("101s"), cib("300s", nodes="n1=online n2=standby"), cib("600s")]
    )
    spans = [
        (v.value["value"], v.start.ns - START if v.start else None)
        for v in found.of("node.standby")
        if v.value["node"] == "n2"
    ]
    assert spans == [(False, None), (True, offset("100s")), (False, offset("600s"))]


def test_fail_counts_members_and_quorum_come_from_snapshots_too() -> None:
    """Where no line tells them; the members from corosync's own tool."""
    facts: Sequence[Fact] = [
        cib("300s", failures="web@n2=3"),
        fact("quorum.status", "n1", "310s", quorate=True),
        fact("quorum.member", "n1", nodeid=1, name="n1"),
    ]
    found = views(NOTHING, facts[0], facts[1], replace(facts[2], path=facts[1].path))
    at = START + offset("400s")
    assert [v.value["count"] for v in found.at("rsc.failcount", at)] == [3]
    assert [v.value["members"] for v in found.at("membership.partition", at)] == [("1",)]
    assert [v.value["quorate"] for v in found.at("quorum.view", at)] == [True]


def test_an_older_copy_of_the_file_of_a_node_that_is_down_counts_for_nothing() -> None:
    """A copy dates from its making, not from its content; its version tells."""
    stale = cib("600s", "n2", origin="cib", live=False, settings=[("crm_config", "", "stonith-enabled", "true")])
    newer = cib("300s", settings=OPTIONS, epoch=9)
    assert rows(views(NOTHING, newer, stale), "cluster.option", "value", "700s") == {"stonith-enabled": "false"}


class _Zoned(MemoryTimeline):
    """A timeline whose clocks have a zone and no skew."""

    def aligned(self, node: Node, ns: int) -> int:
        """Every clock is right."""
        del node
        return ns


def _with_zone(lines: str, hours: int) -> Timeline:
    line = timeline(lines)
    span = OffsetSpan(None, None, hours * 3600, TimeBasis.IN_LOG)
    return cast(
        "Timeline",
        _Zoned(
            **vars(cast("MemoryTimeline", line))
            | {"clocks": {Node("n1"): NodeClock(is_reference=True, offsets=(span,))}}
        ),
    )


def test_a_file_without_status_has_been_so_since_its_last_write() -> None:
    """What Pacemaker kept of earlier configurations is dated by what it tells itself, in the zone of the node's logs."""
    old = cib(
        "600s",
        origin="cib",
        live=False,
        epoch=3,
        settings=OPTIONS,
        last_written="Sun Nov 22 12:01:40 2026",
        file="cib-3.raw",
    )
    new = cib("600s", origin="cib", live=False, epoch=4, last_written="Sun Nov 22 12:03:20 2026", file="cib.xml")
    found = build_views(_with_zone(NOTHING, 2), [old, new])
    spans = [(v.value["name"], v.start, v.end) for v in found.of("cluster.option")]
    assert [(name, start.ns - START, end.ns - START) for name, start, end in spans if start and end] == [
        ("stonith-enabled", offset("100s"), offset("200s"))
    ]
    (change,) = found.of("config.change")
    assert (change.value["change"], change.start) == ("removed", change.end)
    assert change.start is not None
    assert change.start.ns == START + offset("200s")


def test_an_old_copy_without_a_zone_is_not_the_state_at_the_time_of_its_archive() -> None:
    """Nobody knows when it was in force."""
    old = cib(
        "600s", origin="cib", live=False, settings=OPTIONS, last_written="Sun Nov 22 12:01:40 2026", file="cib-3.raw"
    )
    assert views(NOTHING, old).of("cluster.option") == ()


def _with(one: Fact, **more: str) -> Fact:
    return replace(one, values={**one.values, **more})


def test_status_output_alone_tells_nodes_leader_and_quorum() -> None:
    """What crm_mon printed holds from its time on; nobody says anything of before."""
    facts = [
        _with(fact("monitor.node", "n1", "300s", state="online"), node="n1"),
        _with(fact("monitor.node", "n1", "300s", state="standby"), node="n2"),
        fact("monitor.cluster", "n1", "300s", dc="n2", quorate=False),
    ]
    found = views(NOTHING, *facts)
    assert rows(found, "node.state", "state", "310s") == {"n1": "online", "n2": "standby"}
    at = START + offset("310s")
    assert [v.value["dc"] for v in found.at("dc.view", at)] == ["n2"]
    assert [v.value["quorate"] for v in found.at("quorum.view", at)] == [False]
    assert [table for table in found.tables if found.at(table, START + offset("290s")) and table != "daemon.life"] == []


def test_what_happened_behind_the_last_line_is_told_by_the_snapshot_taken_later() -> None:
    """A report copies the logs first and the CIB last: what it dates later is newer than any line."""
    lines = """
    +100s n1 pcmk.op.result_new op=start rsc=web node=n1 result=ok rc=0 opkey=web_start_0 call=5
    +200s n2 pcmk.op.result_new op=monitor rsc=web node=n2 result=ok rc=7 opkey=web_monitor_0 call=5
    """
    found = views(lines, cib("300s", resources="web@n1=Stopped+250s web@n2=Started+251s"))
    assert active(found, "240s") == ["web@n1=Started"]
    assert active(found, "260s") == ["web@n2=Started"]


def test_a_cancelled_monitor_tells_nothing() -> None:
    """The log begins with it, and the snapshot of that moment knows what ran."""
    lines = """
    +300s n1 pcmk.op.result_new op=monitor rsc=web node=n1 result=cancelled opkey=web_monitor_10000 call=6
    +310s n1 pcmk.op.result_new op=stop rsc=web node=n1 result=ok rc=0 opkey=web_stop_0 call=7
    """
    found = views(lines, cib("300s", resources="web@n1=Started+100s"))
    assert active(found, "200s") == ["web@n1=Started"]
    assert active(found, "320s") == []
