"""Views that exclude each other: which they are, and for how long."""

from __future__ import annotations

import pytest

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.model.view import Coverage
from hadiag.state import build_views
from tests.unit.state.builders import START, timeline

IDS = {"1": "n1", "2": "n2"}
TOGETHER = """
    +0s  n1 corosync.main.starting version=3.1.7
    +0s  n2 corosync.main.starting version=3.1.7
    +3s  n1 corosync.totem.new_membership ring_id=1.9 joined="1 2"
    +3s  n1 corosync.quorum.members nodeids="1 2"
    +3s  n1 corosync.quorum.primary
    +3s  n2 corosync.totem.new_membership ring_id=1.9 joined="1 2"
    +3s  n2 corosync.quorum.members nodeids="1 2"
    +3s  n2 corosync.quorum.primary
"""
APART = """
    +60s n1 corosync.totem.new_membership ring_id=1.d left="2"
    +60s n1 corosync.totem.failed_to_receive_leave failed="2"
    +60s n1 corosync.quorum.members nodeids="1"
    +61s n2 corosync.totem.new_membership ring_id=2.d left="1"
    +61s n2 corosync.totem.failed_to_receive_leave failed="1"
    +61s n2 corosync.quorum.members nodeids="2"
"""
AGAIN = """
    +91s n1 corosync.totem.new_membership ring_id=1.11 joined="2"
    +91s n1 corosync.quorum.members nodeids="1 2"
    +91s n2 corosync.totem.new_membership ring_id=1.11 joined="1"
    +91s n2 corosync.quorum.members nodeids="1 2"
"""


def rows(lines: str) -> dict[str, list[tuple[tuple[str, ...], float]]]:
    """Nodes and overlap of the contradictions of each sort."""
    found: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for view in build_views(timeline(lines, aliases=IDS)).of("contradiction"):
        nodes, overlap = view.value["nodes"], view.value["overlap_s"]
        assert isinstance(nodes, tuple)
        assert isinstance(overlap, float)
        found.setdefault(str(view.value["what"]), []).append((nodes, round(overlap, 1)))
    return found


def test_two_sides_of_a_partition() -> None:
    """Both sides stay quorate and alive without the other; each pair of nodes is one row, with the seconds of the overlap."""
    assert rows(TOGETHER + APART + AGAIN) == {
        "alive_but_lost": [(("n1", "n2"), 30.0)],
        "two_quorate": [(("n1", "n2"), 30.0)],
    }


def test_a_partition_that_lasts_until_the_logs_end() -> None:
    """What still holds at the end of the logs is counted until then."""
    found = rows(TOGETHER + APART + "+100s n1 x.y\n+130s n2 x.y")
    assert found["two_quorate"] == [(("n1", "n2"), 39.0)]


def test_two_partitions_are_two_rows() -> None:
    """Nodes that lose each other twice contradict each other twice."""
    later = {"+60s": "+160s", "+61s": "+161s", "+91s": "+191s", "1.d": "1.15", "2.d": "2.15", "1.11": "1.19"}
    second = APART + AGAIN
    for old, new in later.items():
        second = second.replace(old, new)
    assert rows(TOGETHER + APART + AGAIN + second)["alive_but_lost"] == [(("n1", "n2"), 30.0)] * 2


def test_the_scheduler_calls_it_active_twice() -> None:
    """Where all stamps are whole seconds and prove nothing, the scheduler's own word does, as long as no other row tells it."""
    text = """
        +0s n1 pcmk.op.result op=start rsc=a node=n1 rc=0 result=ok opkey=a_start_0
        +5s n2 pcmk.op.result op=monitor rsc=a node=n2 rc=0 result=ok opkey=a_monitor_0
        +5s n1 {}
        +5s n2 pcmk.op.result op=stop rsc=a node=n2 rc=0 result=ok opkey=a_stop_0
        +5s n1 pcmk.op.result op=stop rsc=a node=n1 rc=0 result=ok opkey=a_stop_0
    """
    said = "sched.multi_active rsc=a count=2"
    found, silent = (
        build_views(timeline(text.format(line), err_ms=2000)).of("contradiction") for line in (said, "x.y")
    )

    assert [(v.value["what"], v.value["nodes"], v.value["overlap_s"]) for v in found] == [
        ("found_active", ("n1", "n2"), 0.0)
    ]
    assert silent == ()


def test_how_long_a_fenced_node_logged_on() -> None:
    """From the confirmation of its fencing to the last line of that life, less what the clocks leave open."""
    text = """
        +0s   n1 x.y
        +100s n2 fence.op_result target=n1 action=off result=ok op_id=aaaaaaaa
        +130s n1 x.y
        +150s n1 x.y
        +150s n1 log.silent
        +170s n1 log.back
        +170s n1 x.y
    """
    (found,) = build_views(timeline(text)).of("contradiction")
    assert found.value["what"] == "fenced_but_logging"
    assert found.value["overlap_s"] == pytest.approx(49.998)


def test_quorum_that_is_left_from_the_ring_before() -> None:
    """While corosync waits for the quorum device it still calls itself quorate; two sides that then lose it never both had it."""
    waits = """
        +63s n1 corosync.quorum.nonprimary
        +64s n2 corosync.quorum.nonprimary
    """
    later = waits.replace("+63s", "+75s").replace("+64s", "+175s")
    assert "two_quorate" not in rows(TOGETHER + APART + waits)
    assert "two_quorate" not in rows(TOGETHER + APART + later)
    kept = "+99s n1 x.y\n+100s n2 corosync.quorum.nonprimary\n+130s n2 x.y"
    assert rows(TOGETHER + APART + kept)["two_quorate"] == [(("n1", "n2"), 38.0)]


def test_lines_that_were_cut_off() -> None:
    """Where the last lines of a node are missing, what it believed ends when the others have it in their ring again."""
    text = """
        +0s  n1 pcmk.dc.take
        +9s  n1 x.y
        +20s n2 pcmk.dc.take
        +20s n2 corosync.totem.new_membership ring_id=2.9 left="1"
        +20s n2 corosync.quorum.members nodeids="2"
        +40s n2 corosync.totem.new_membership ring_id=1.d joined="1"
        +40s n2 corosync.quorum.members nodeids="1 2"
        +60s n2 x.y
    """
    line = timeline(text, aliases=IDS)
    line.coverage = (
        Coverage(Node("n1"), "pacemaker", "n1/pacemaker.log", START, START + 60 * NS, 9, 9, to_collection=True),
    )
    (found,) = build_views(line).of("contradiction")
    assert (found.value["what"], round(float(str(found.value["overlap_s"])), 1)) == ("two_dcs", 20.0)
