"""Wall time to UTC: years and zones."""

from __future__ import annotations

import pytest

from hadiag.model.time import NS, TimeBasis
from hadiag.timeline.files import in_year, nearest_year, year_start
from hadiag.timeline.zones import Clue, ZonePlan, constant, from_clues, from_zone
from tests.unit.timeline.builders import Log, bsd, fact, members, timeline, utc

HOUR = 3600


def at(log: Log, facts: list[object] | None = None, **options: object) -> list[int]:
    """Aligned times of a single log."""
    return [event.at.ns for event in timeline([log], facts or (), **options).events if event.at]  # type: ignore[arg-type]


@pytest.mark.parametrize("zone_s", [-8 * HOUR, 0, HOUR, 5 * HOUR + 1800, 5 * HOUR + 2700, 13 * HOUR])
def test_epoch_of_a_transition_gives_zone_and_year(zone_s: int) -> None:
    """The DC prints an epoch; every line of its log is then exact, whatever the time of the file says."""
    log = Log("a", "a/pacemaker.log", zone_s=zone_s, mtime="2031-01-01T00:00:00Z")
    log.graph("10:00:00.500")
    log.add("10:00:01.250", "pcmk.node.state", node="b", state="lost")
    line = timeline([log])
    assert [event.at.ns for event in line.events if event.at] == [utc("10:00:00.500"), utc("10:00:01.250")]
    assert {event.at.basis for event in line.events if event.at} == {TimeBasis.EPOCH_ANCHOR}
    assert line.clocks[line.events[0].observer].offsets[0].utc_offset_s == zone_s
    assert not [warning for warning in line.warnings if warning.code == "time-assumed"]


def test_zone_holds_for_all_logs_of_a_node() -> None:
    """corosync.log has no epoch of its own, but the same clock."""
    pacemaker = Log("a", "a/pacemaker.log", zone_s=2 * HOUR)
    corosync = Log("a", "a/corosync.log", "corosync", style="s", zone_s=2 * HOUR)
    pacemaker.graph("10:00:00")
    corosync.ring("10:00:05", "1.4", joined="1")
    assert [event.at.ns for event in timeline([pacemaker, corosync]).events if event.at][-1] == utc("10:00:05")


def test_same_message_with_zone_gives_the_zone() -> None:
    """The journal prints its offset; the detail log of the same node gets it from there."""
    detail = Log("a", "a/pacemaker.log", zone_s=-5 * HOUR)
    told = Log("a", "a/journal.log", "journal", style="journal")
    for second in range(5):
        detail.add(f"10:00:0{second}", "pcmk.node.state", f"Node n{second} state is now lost", node="b", state="lost")
        told.add(f"10:00:0{second}.020", "pcmk.node.state", f"Node n{second} state is now lost", node="b", state="lost")
    line = timeline([detail, told])
    assert [event.at.ns for event in line.events if event.at] == [utc(f"10:00:0{second}") for second in range(5)]
    assert line.events[0].at
    assert line.events[0].at.basis is TimeBasis.IN_LOG


def test_operation_history_gives_the_zone_of_a_node_that_was_never_dc() -> None:
    """The CIB holds the epoch of an operation whose result the node logged."""
    log = Log("a", "a/pacemaker.log", zone_s=HOUR)
    log.add("10:00:00", "pcmk.op.result", "Result of start", rsc="db", call=12, op="start", node="a", rc=0)
    row = fact("rsc.history", resource="db", node="a", call=12, last_rc_change_ns=utc("10:00:00"), op="start", rc=0)
    assert at(log, [*members("a"), row]) == [utc("10:00:00")]


def test_scheduler_input_gives_the_zone_of_the_dc() -> None:
    """The input file of a transition holds the time of its calculation."""
    log = Log("a", "a/messages", "system", style="s", zone_s=9 * HOUR)
    log.add("10:00:00", "pcmk.transition.calculated", "Calculated transition 3", file="/var/lib/pe-input-3.bz2")
    row = fact("pe_input", hint="a", file="pe-input-3.bz2", execution_ns=utc("10:00:00"))
    assert at(log, [row]) == [utc("10:00:00")]


def test_host_states_its_zone() -> None:
    """The zone of the host counts where no line tells an epoch."""
    log = Log("a", "a/corosync.log", "corosync", style="s", zone_s=HOUR, mtime="10:10:00")
    log.ring("10:00:00", "1.4", joined="1")
    assert at(log, [fact("host.zone", hint="a", zone="Europe/Berlin", utc_offset_s=None)]) == [utc("10:00:00")]
    assert at(log, [fact("host.zone", hint="a", zone=None, utc_offset_s=3600)]) == [utc("10:00:00")]


def test_zone_of_the_host_gives_way_to_epochs() -> None:
    """Daemons that run with another zone than the shell of the collector are right about their own log."""
    log = Log("a", "a/pacemaker.log", zone_s=0)
    log.graph("10:00:00")
    log.graph("10:05:00", 2)
    assert at(log, [fact("host.zone", hint="a", zone="Asia/Tokyo", utc_offset_s=32400)])[0] == utc("10:00:00")


def test_unknown_zone_is_that_of_the_peers_and_said_to_be_assumed() -> None:
    """No clue at all: the other nodes' zone, with a warning."""
    known = Log("a", "a/pacemaker.log", zone_s=HOUR)
    bare = Log("b", "b/corosync.log", "corosync", style="s", zone_s=HOUR, mtime="11:47:03")
    known.graph("10:00:00")
    bare.ring("10:00:00", "1.4", joined="1")
    line = timeline([known, bare], members("a", "b"))
    event = line.of("corosync.totem.new_membership")[0]
    assert event.at
    assert (event.at.ns, event.at.basis) == (utc("10:00:00"), TimeBasis.ASSUMED)
    assert any(warning.code == "time-assumed" and warning.where == "b" for warning in line.warnings)


def test_time_of_a_file_in_use_suggests_the_zone() -> None:
    """The last line was written when the file was last changed."""
    log = Log("a", "a/corosync.log", "corosync", style="s", zone_s=4 * HOUR, mtime="10:00:00")
    log.ring("10:00:00", "1.4", joined="1")
    assert at(log) == [utc("10:00:00")]


def test_year_runs_backwards_over_new_year() -> None:
    """The last line is of the year of the file; December before January is of the year before."""
    log = Log("a", "a/corosync.log", "corosync", style="s", mtime="2026-01-02T00:00:00Z")
    log.ring(utc("2025-12-31T23:59:58Z"), "1.4", joined="1")
    log.ring(utc("2026-01-01T00:00:05Z"), "1.8", joined="2")
    assert at(log) == [utc("2025-12-31T23:59:58Z"), utc("2026-01-01T00:00:05Z")]


def test_year_of_the_collection_where_files_have_none() -> None:
    """Without a time of the file the collection of the input tells the year."""
    log = Log("a", "a/corosync.log", "corosync", style="s")
    log.ring(utc("2024-02-29T10:00:00Z"), "1.4", joined="1")
    assert at(log, collected_at={log.bundle: utc("2024-03-02T00:00:00Z") // NS}) == [utc("2024-02-29T10:00:00Z")]


def test_repeated_hour_is_told_by_the_order_of_lines() -> None:
    """When daylight-saving time ends, 02:30 comes twice; the second time stands behind the step back."""
    summer, winter = 2 * HOUR, HOUR
    log = Log("a", "a/pacemaker.log", mtime="2026-10-25T08:00:00Z")
    true = [utc(f"2026-10-25T{time}Z") for time in ("00:10:00", "00:40:00", "01:10:00", "01:40:00", "02:10:00")]
    for number, ns in enumerate(true):
        log.zone_s = summer if ns < utc("2026-10-25T01:00:00Z") else winter
        log.add(ns, "pcmk.node.state", f"line {number}", node="b", state="lost")
    line = timeline([log], [fact("host.zone", hint="a", zone="Europe/Berlin", utc_offset_s=3600)])
    assert [event.at.ns for event in line.events if event.at] == true
    assert not line.clocks[line.events[0].observer].steps


def test_change_of_offset_between_epochs_is_daylight_saving_time() -> None:
    """Two epochs an hour apart in offset: the change lies at the step back between them."""
    log = Log("a", "a/pacemaker.log", zone_s=2 * HOUR)
    log.graph("2026-10-25T00:10:00Z")
    log.add(utc("2026-10-25T00:59:00Z"), "pcmk.node.state", "last of summer", node="b", state="lost")
    log.zone_s = HOUR
    log.add(utc("2026-10-25T01:01:00Z"), "pcmk.node.state", "first of winter", node="b", state="lost")
    log.graph("2026-10-25T03:10:00Z", 2)
    line = timeline([log])
    assert [event.at.ns for event in line.events if event.at] == [
        utc(f"2026-10-25T{time}Z") for time in ("00:10:00", "00:59:00", "01:01:00", "03:10:00")
    ]
    offsets = line.clocks[line.events[0].observer].offsets
    assert [span.utc_offset_s for span in offsets] == [2 * HOUR, HOUR]
    assert offsets[1].start_ns == utc("2026-10-25T01:00:00Z")


def test_line_without_time_keeps_its_place_at_the_end() -> None:
    """A log that prints no time is listed last, and orders only against its own file."""
    log = Log("a", "a/corosync.log", "corosync")
    log.add(None, "corosync.main.starting")
    log.add(None, "corosync.main.ready")
    dated = Log("a", "a/pacemaker.log")
    dated.graph("10:00:00")
    events = timeline([log, dated]).events
    assert [event.at is None for event in events] == [False, True, True]
    assert [event.seq for event in events[1:]] == [1, 2]


def test_leap_day_and_year_helpers() -> None:
    """A stamp in the placeholder year moves into any year, leap years included."""
    march = bsd(utc("2023-03-01T12:00:00Z")).wall_ns
    assert in_year(march, 2023) == utc("2023-03-01T12:00:00Z")
    assert in_year(march, 2024) == utc("2024-03-01T12:00:00Z")
    assert nearest_year(bsd(utc("2025-12-31T23:00:00Z")).wall_ns, utc("2026-01-01T05:00:00Z")) == 2025
    assert year_start(2026) == utc("2026-01-01T00:00:00Z")


def test_plan_reads_skipped_and_repeated_hours() -> None:
    """A skipped wall time is read as before the change; a repeated one as first or second run."""
    plan = from_zone("Europe/Berlin", utc("2026-01-01T00:00:00Z"), utc("2026-12-31T00:00:00Z"), TimeBasis.SNAPSHOT)
    assert plan is not None
    assert [offset // NS for _, offset in plan.segments] == [HOUR, 2 * HOUR, HOUR]
    wall = utc("2026-10-25T02:30:00Z")
    assert plan.to_utc(wall) == utc("2026-10-25T00:30:00Z")
    assert plan.to_utc(wall, later=True) == utc("2026-10-25T01:30:00Z")
    assert plan.to_utc(utc("2026-03-29T02:30:00Z")) == utc("2026-03-29T01:30:00Z")
    assert from_zone("Mars/Olympus", 0, 0, TimeBasis.SNAPSHOT) is None


def test_majority_of_clues_wins() -> None:
    """One stale epoch does not move the zone."""
    good = [Clue(utc("11:00:00") + n * NS, utc("10:00:00") + n * NS, 10, TimeBasis.EPOCH_ANCHOR) for n in range(3)]
    stale = Clue(utc("11:30:00"), utc("05:30:00"), 1, TimeBasis.EPOCH_ANCHOR)
    assert from_clues([*good, stale]) == constant(HOUR * NS, TimeBasis.EPOCH_ANCHOR)
    assert from_clues([]) is None
    assert isinstance(constant(0, TimeBasis.ASSUMED).shifted(900 * NS, TimeBasis.ASSUMED), ZonePlan)


def test_offset_at_the_collection_gives_way_to_epochs_of_a_peer() -> None:
    """A report is made after a change to winter time: its own offset is no longer that of the logs."""
    a, b = Log("a", "a/pacemaker.log", zone_s=2 * HOUR), Log("b", "b/corosync.log", "corosync", zone_s=2 * HOUR)
    a.graph("2026-10-20T10:00:00Z")
    for ring in range(1, 6):
        for log in (a, b):
            log.ring(f"2026-10-20T10:0{ring}:00Z", f"1.{ring}", joined="1 2")
    utc_ns = utc("2026-11-20T10:00:00Z")
    told = fact("host.time", "b", utc_ns=utc_ns, wall="2026-11-20T11:00:00")
    line = timeline([a, b], [*members("a", "b"), told])
    for event in line.of("corosync.totem.new_membership"):
        assert event.at
        assert event.at.ns in {utc(f"2026-10-20T10:0{ring}:00Z") for ring in range(1, 6)}
