"""Clocks of several nodes."""

from __future__ import annotations

import numpy as np
import pytest

from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.timeline import Timeline
from hadiag.timeline.anchors import Pair
from hadiag.timeline.skew import DRIFT, Cuts, estimate, weighted_median
from tests.unit.timeline.builders import Log, fact, members, timeline, utc


def pair_of_nodes(skew_s: float, style: str = "ms") -> tuple[Log, Log]:
    """Two nodes that share rings and CIB changes; the clock of ``b`` is ahead."""
    a, b = Log("a", "a/pacemaker.log", style=style), Log("b", "b/pacemaker.log", style=style, skew_s=skew_s)
    for log, late in ((a, 0), (b, 4_000_000)):
        log.graph("10:00:00")
        for number in range(5):
            log.ring(utc(f"10:0{number}:00.{100 + number * 137}") + late, f"1.{number}", joined="1 2")
            log.diff(utc(f"10:0{number}:10.{211 + number * 97}") + late, f"0.{number}.1")
    return a, b


def errors(line: Timeline) -> list[float]:
    """Stated errors in s, by event."""
    return [event.at.err_ns / NS for event in line.events if event.at and event.at.err_ns is not None]


@pytest.mark.parametrize("skew_s", [-3600.5, -47, -0.3, 0, 12.5, 47, 290])
def test_skew_of_a_clock_is_found_and_taken_out(skew_s: float) -> None:
    """The clock of b shows another time; aligned, shared facts fall together within the stated error."""
    line = timeline(pair_of_nodes(skew_s), members("a", "b"))
    clocks = line.clocks
    assert clocks[line.nodes[0].name].is_reference
    found = clocks[line.nodes[1].name].skew_s
    assert found == pytest.approx(skew_s, abs=0.03)
    for ring in range(5):
        first, second = (e for e in line.of("corosync.totem.new_membership") if e.fields["ring_id"] == f"1.{ring}")
        assert first.at
        assert second.at
        assert abs(first.at.ns - second.at.ns) <= (first.at.err_ns or 0) + (second.at.err_ns or 0)
    assert max(errors(line)) < 0.1


def test_stamps_in_whole_seconds_have_a_larger_error() -> None:
    """With whole seconds on both sides the truth still lies inside the stated error."""
    found = {}
    for skew in (47, 46.5):
        line = timeline(pair_of_nodes(skew, "s"), members("a", "b"))
        span = line.clocks[line.nodes[1].name].skews[0]
        assert span.skew_s is not None
        assert span.error_s is not None
        assert abs(span.skew_s - skew) <= span.error_s
        found[skew] = span.error_s
    assert found[46.5] < found[47] < 1.1  # differences that differ leave less open


def test_order_of_two_nodes_needs_more_than_the_error() -> None:
    """Far apart is certain, close together is not."""
    a, b = pair_of_nodes(47)
    early = a.add("10:10:00.000", "pcmk.node.state", "early", node="b", state="lost")
    close = b.add("10:10:00.003", "pcmk.node.state", "close", node="a", state="lost")
    late = b.add("10:10:02.000", "pcmk.node.state", "late", node="a", state="lost")
    line = timeline([a, b], members("a", "b"))
    one, two, three = (line.get(raw.ref.uid) for raw in (early, close, late))
    assert line.order(one, three) is Tri.TRUE
    assert line.order(three, one) is Tri.FALSE
    assert line.order(one, two) is Tri.UNKNOWN
    assert line.order(two, three) is Tri.TRUE


def test_node_without_anchor_has_no_error_and_no_skew() -> None:
    """Nothing is shared: the order across nodes is unknown, and a warning says so."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")
    a.graph("10:00:00")
    b.graph("11:00:00")
    line = timeline([a, b], members("a", "b"))
    assert [clock.skew_s for clock in line.clocks.values()] == [None, None]
    assert line.order(line.events[0], line.events[1]) is Tri.UNKNOWN
    assert [w.where for w in line.warnings if w.code == "clock-unverified"] == ["b"]


def test_synchronised_clocks_stand_for_each_other() -> None:
    """Two hosts whose time service says that they are synchronised agree within a second."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")
    a.graph("10:00:00")
    b.graph("11:00:00")
    facts = [fact("host.clock", hint=node, source="chrony", synchronised=True) for node in ("a", "b")]
    line = timeline([a, b], [*members("a", "b"), *facts])
    assert line.order(line.events[0], line.events[1]) is Tri.TRUE
    assert line.clocks[line.nodes[1].name].skews[0].basis == "time_source"


def test_single_node_needs_no_anchor() -> None:
    """One node has one clock: the error is the printed unit."""
    log = Log("a", "a/pacemaker.log")
    log.graph("10:00:00")
    assert errors(timeline([log], members("a", "b"))) == [0.001]


def test_lines_that_syslog_stamps_are_a_little_late() -> None:
    """A stamp in µs of syslog is the time of arrival, not that of the message."""
    log = Log("a", "a/messages", "system", style="iso")
    log.add("10:00:00", "pcmk.node.state", node="b", state="lost")
    assert errors(timeline([log])) == [0.05]


def test_wrong_assumed_zone_is_no_skew() -> None:
    """A node whose zone nothing tells is two hours off: its zone is wrong, not its clock."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log", zone_s=7200, skew_s=3, mtime="12:00:00")
    a.graph("10:00:00")
    for log in (a, b):
        for number in range(5):
            log.ring(f"10:0{number}:00.5", f"1.{number}", joined="1 2")
    line = timeline([a, b], members("a", "b"))
    clock = line.clocks[line.nodes[1].name]
    assert clock.skew_s == pytest.approx(3, abs=0.03)
    assert clock.offsets[0].utc_offset_s == 7200
    assert not [warning for warning in line.warnings if warning.code == "time-assumed"]


def test_clock_that_jumps_has_two_skews_and_a_step() -> None:
    """b steps forward by 30 s between two rings; before and after, shared facts fall together."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log", skew_s=2)
    for log in (a, b):
        log.graph("10:00:00")
    for number in range(12):
        b.skew_s = 2 if number < 6 else 32
        for log in (a, b):
            log.ring(f"10:{number:02d}:00.5", f"1.{number:x}", joined="1 2")
            log.diff(f"10:{number:02d}:20.5", f"0.{number}.1")
    line = timeline([a, b], members("a", "b"))
    clock = line.clocks[line.nodes[1].name]
    assert [span.skew_s for span in clock.skews] == [pytest.approx(value, abs=0.03) for value in (2, 2, 32)]
    assert [span.error_s for span in clock.skews] == [pytest.approx(value, abs=0.1) for value in (0, 30, 0)]
    assert [step.by_s for step in clock.steps] == [pytest.approx(30, abs=0.05)]
    assert clock.steps[0].or_of == line.nodes[0].name
    assert utc("10:05:20") < clock.steps[0].at_ns <= utc("10:06:01")
    for event in line.events:
        assert event.at
        assert event.at.err_ns is not None
        assert event.at.err_ns < NS


def test_changes_of_a_split_cluster_are_no_anchors() -> None:
    """While each node is in a ring of its own, equal CIB versions are different changes."""
    a, b = pair_of_nodes(0)
    a.ring("10:20:00", "1.ff", left="2")
    b.ring("10:20:00", "2.ff", left="1")
    for number in range(30):
        a.diff(f"10:21:{number:02d}.1", f"0.9.{number}")
        b.diff(f"10:25:{number:02d}.9", f"0.9.{number}")
    line = timeline([a, b], members("a", "b"))
    assert line.clocks[line.nodes[1].name].skew_s == pytest.approx(0, abs=0.03)


def test_requests_and_results_bound_a_clock() -> None:
    """Without anchors, a result lies between its request and the end of the transition."""
    a, b = Log("a", "a/messages", "system", style="iso"), Log("b", "b/messages", "system", style="iso", skew_s=20)
    for number in range(3):
        minute = f"10:0{number}"
        a.add(f"{minute}:00.0", "pcmk.op.initiate", op="start", rsc=f"r{number}", node="b")
        b.add(f"{minute}:01.5", "pcmk.op.result", op="start", rsc=f"r{number}", node="b")
        a.add(f"{minute}:03.0", "pcmk.transition.result", transition=number)
    line = timeline([a, b], members("a", "b"))
    span = line.clocks[line.nodes[1].name].skews[0]
    assert span.basis == "bounds"
    assert span.skew_s is not None
    assert span.error_s is not None
    assert abs(span.skew_s - 20) <= span.error_s < 4


def test_third_node_is_aligned_through_the_second() -> None:
    """c shares facts with b only; its error grows by that of b."""
    a, b = pair_of_nodes(10)
    c = Log("c", "c/pacemaker.log", skew_s=-5)
    for log in (b, c):
        for number in range(6):
            log.diff(f"10:3{number}:00.5", f"1.{number}.0")
    c.graph("10:40:00")
    line = timeline([a, b, c], members("a", "b", "c"))
    clocks = {node.name: line.clocks[node.name] for node in line.nodes}
    reference = next(name for name, clock in clocks.items() if clock.is_reference)
    assert reference == "b"
    relative = {name: clock.skew_s for name, clock in clocks.items()}
    assert relative == {"a": pytest.approx(-10, abs=0.05), "b": 0, "c": pytest.approx(-15, abs=0.05)}


def test_outliers_do_not_move_the_estimate() -> None:
    """A node that joined late logs some facts much later than the others."""
    good = [Pair(n * NS, 5 * NS + n % 3 * 1_000_000, 1_000_000, 1) for n in range(20)]
    bad = [Pair(n * 3 * NS, n * 40 * NS, 1_000_000, 1) for n in range(1, 6)]
    skew = estimate(sorted([*good, *bad], key=lambda pair: pair.at), Cuts())
    assert [piece.skew for piece in skew.pieces] == [5 * NS + 1_000_000]


def test_error_grows_with_the_distance_to_the_nearest_anchor() -> None:
    """An hour away from all anchors the clock may have drifted."""
    skew = estimate([Pair(n * NS, 0, 1_000_000, 4) for n in range(5)], Cuts())
    piece = skew.pieces[0]
    assert piece.error_at(3604 * NS) - piece.error_at(4 * NS) == int(3600 * NS * DRIFT)
    assert not estimate([], Cuts()).pieces


def test_weighted_median() -> None:
    """The value in whose middle half of the weight lies; between two values their mean."""
    assert weighted_median(np.array([9, 1, 2]), np.array([1, 1, 1])) == 2
    assert weighted_median(np.array([1, 9]), np.array([1, 1])) == 5
    assert weighted_median(np.array([1, 9]), np.array([1, 5])) == 9
    assert weighted_median(np.array([4]), np.array([3])) == 4


def test_partitions_that_count_the_same_versions_are_no_anchors() -> None:
    """No log of corosync: each side lost the other and goes on counting CIB versions by itself, at its own moments."""
    logs = pair_of_nodes(47)
    for log, other, late in ((logs[0], "b", 0), (logs[1], "a", 26)):
        log.raws[:] = [raw for raw in log.raws if raw.type != "corosync.totem.new_membership"]
        log.add("10:06:00.5", "pcmk.node.state", f"{other} lost", "pacemaker-controld", node=other, state="lost")
        for number in range(20, 30):
            log.diff(utc(f"10:07:{late:02d}.0") + number * NS // 2, f"0.{number}.1")
    clock = timeline(logs, members("a", "b")).clocks
    (span,) = clock[timeline(logs, members("a", "b")).nodes[1].name].skews
    assert span.skew_s == pytest.approx(47, abs=0.1)


def test_what_a_node_says_of_its_own_start_is_no_anchor() -> None:
    """Each node sees itself when it starts and its peer when it meets it: a second apart, and no difference of clocks."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")
    for log, own, peer in ((a, "10:00:02.0", "10:00:02.1"), (b, "10:00:00.0", "10:00:01.9")):
        log.graph("10:00:00")
        other = "b" if log is a else "a"
        for program in ("pacemaker-controld", "pacemaker-attrd", "pacemaker-fenced"):
            log.add(own, "pcmk.node.state", f"{log.node} is now member", program, node=log.node, state="member")
            log.add(peer, "pcmk.node.state", f"{other} is now member", program, node=other, state="member")
        log.ring("10:00:03.0", "1.4", joined="1 2")
    line = timeline([a, b], members("a", "b"))
    assert line.clocks[line.nodes[1].name].skew_s == pytest.approx(0, abs=0.05)


def test_a_version_of_the_cib_is_one_fact_whatever_digest_follows() -> None:
    """The node that changed the CIB prints no digest, the others do."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log", skew_s=40)
    for number in range(4):
        a.diff(f"10:0{number}:00", f"0.{number}.0")
        digest = f"{number:032x}"
        b.add(f"10:0{number}:00", "cib.diff", f"Diff: +++ 0.{number}.0 {digest}", "pacemaker-based", digest=digest)
    line = timeline([a, b], members("a", "b"))
    (span,) = line.clocks[line.nodes[1].name].skews
    assert span.skew_s == pytest.approx(40, abs=0.03)


def test_pairs_of_two_opinions_give_one_of_them() -> None:
    """Half of the pairs say one thing and half another, and nothing lies between."""
    skew = estimate([Pair(0, 0, 1_000_000, 4), Pair(NS, 60 * NS, 1_000_000, 4)], Cuts())
    assert [piece.skew for piece in skew.pieces] in ([0], [60 * NS])
