"""A zone that somebody changed while the node ran."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hadiag.model.record import PrintedGap
from hadiag.model.time import NS
from tests.unit.timeline.builders import Log, timeline, utc

if TYPE_CHECKING:
    from hadiag.timeline import Timeline

HOUR = 3600


def _times(line: Timeline, node: str) -> list[float]:
    start = utc("10:00:00")
    return [(event.at.ns - start) / NS for event in line.events if event.at and event.observer == node]


def _with_gaps(log: Log) -> Log:
    """The gaps that the scan would have noted."""
    stamps = [(raw.time.wall_ns, raw.ref.line) for raw in log.raws if raw.time is not None]
    log.gaps = tuple(PrintedGap(one, two, line) for (one, _), (two, line) in pairwise(stamps) if two - one > 60 * NS)
    return log


def _moved(zone: int, path: str = "a/pacemaker.log", begin: int = 0) -> Log:
    """A log with epochs on both sides of a move at 10:05."""
    log = Log("a", path, zone_s=begin)
    log.graph("10:00:00")
    log.add("10:04:55", "pcmk.node.state", "before", node="b", state="lost")
    log.zone_s = zone
    log.add("10:05:05", "pcmk.node.state", "behind", node="b", state="member")
    log.graph("10:09:00", 2)
    return _with_gaps(log)


def test_epochs_on_both_sides_tell_a_move_from_a_step() -> None:
    """To the east and to the west, by any number of quarters."""
    for zone in (19_800, -5 * HOUR, HOUR, -2700):
        line = timeline([_moved(zone)])
        assert _times(line, "a") == [0.0, 295.0, 305.0, 540.0], zone
        clock = line.clocks[line.events[0].observer]
        assert [span.utc_offset_s for span in clock.offsets] == [0, zone]
        assert clock.steps == ()


def test_hours_that_are_shown_twice_are_told_apart_by_their_lines() -> None:
    """Behind a move to the west each stamp was there before: the place in the file decides, in every file for itself."""
    other = Log("a", "a/corosync.log", family="corosync")
    other.add("10:01:00", "corosync.totem.token_lost", "one")
    other.add("10:06:00", "corosync.totem.token_lost", "two")  # changes over a minute after the other daemon
    other.zone_s = -5 * HOUR
    other.add("10:06:10", "corosync.totem.token_lost", "three")
    line = timeline([_moved(-5 * HOUR), other])
    assert _times(line, "a") == [0.0, 60.0, 295.0, 305.0, 360.0, 370.0, 540.0]


def test_a_clock_that_was_set_takes_its_epochs_along() -> None:
    """The distance between stamps and epochs stays: that is a step and no other zone."""
    log = Log("a", "a/pacemaker.log")
    log.graph("10:00:00")
    log.add("10:04:55", "pcmk.node.state", "before", node="b", state="lost")
    log.skew_s = -5 * HOUR
    log.add("10:05:05", "pcmk.node.state", "behind", node="b", state="member")
    log.graph("10:09:00", 2)
    line = timeline([_with_gaps(log)])
    assert len(line.clocks[line.events[0].observer].offsets) == 1


def test_the_silence_of_a_quiet_cluster_is_no_move() -> None:
    """A recheck every quarter of an hour leaves gaps of just that size."""
    log = Log("a", "a/pacemaker.log")
    for number, minute in enumerate(("10:00:00", "10:15:00", "10:30:00", "11:00:00")):
        log.graph(minute, number)
    line = timeline([_with_gaps(log)])
    assert _times(line, "a") == [0.0, 900.0, 1800.0, 3600.0]
    assert len(line.clocks[line.events[0].observer].offsets) == 1
