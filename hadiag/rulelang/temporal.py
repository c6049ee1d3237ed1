"""Three-valued relations in time between rows.

Order on one node follows its own log; across nodes it follows the clocks with their error, and where the intervals of
uncertainty overlap the answer is UNKNOWN. Windows (``within``) are the author's estimate and are read generously: the
error of the clocks is added to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hadiag.model.event import Event
from hadiag.model.frozen import record
from hadiag.model.time import Instant
from hadiag.model.tri import Tri
from hadiag.rulelang.rows import OPEN_END, OPEN_START, Row


class Orders(Protocol):
    """What the clock asks of the timeline."""

    def get(self, uid: str) -> Event:
        """Event by uid."""

    def order(self, a: Event, b: Event) -> Tri:
        """Whether a is certainly before b."""


@record
class Point:
    """A moment of a row: ``ns`` is far outside for an open end, ``instant`` None then."""

    ns: int
    instant: Instant | None
    observer: str
    uid: str | None

    def moved(self, by_ns: int) -> Point:
        """The moment shifted; it is no event then."""
        return self if by_ns == 0 else Point(self.ns + by_ns, self.instant, self.observer, None)


def start_of(row: Row) -> Point:
    """Start of a row."""
    return Point(row.lo, row.start, row.observer, row.start_uid)


def end_of(row: Row) -> Point:
    """End of a row."""
    return Point(row.hi, row.end, row.observer, row.end_uid)


def point_of(row: Row) -> Point:
    """The moment that stands for a row: the result of an operation, the start of everything else."""
    return end_of(row) if row.operation else start_of(row)


def named_point(row: Row, suffix: str | None) -> Point:
    """Point by suffix: ``start``, ``end`` or none."""
    if suffix == "start":
        return start_of(row)
    return end_of(row) if suffix == "end" else point_of(row)


class Clock:
    """Orders points."""

    def __init__(self, timeline: Orders) -> None:
        self._timeline = timeline

    def before(self, a: Point, b: Point) -> Tri:
        """Tell whether a is certainly before b."""
        if a.uid is not None and a.uid == b.uid:
            return Tri.FALSE
        if OPEN_START in {a.ns, b.ns} or OPEN_END in {a.ns, b.ns}:
            return Tri.of(a.ns < b.ns)
        if a.instant is None or b.instant is None:
            return Tri.UNKNOWN
        known = self._by_events(a, b)
        return self._by_time(a, b) if known is None else known

    def _by_time(self, a: Point, b: Point) -> Tri:
        slack = self.slack(a, b)
        if slack is None or abs(b.ns - a.ns) <= slack:
            return Tri.UNKNOWN
        return Tri.of(a.ns < b.ns)

    def _by_events(self, a: Point, b: Point) -> Tri | None:
        if a.uid is None or b.uid is None:
            return None
        try:
            return self._timeline.order(self._timeline.get(a.uid), self._timeline.get(b.uid))
        except KeyError:  # context events may have been thinned out
            return None

    @staticmethod
    def slack(a: Point, b: Point) -> int | None:
        """Error of the distance between two points; 0 on one node, None where a clock is not known."""
        if a.observer and a.observer == b.observer:
            return 0
        first = None if a.instant is None else a.instant.err_ns
        second = None if b.instant is None else b.instant.err_ns
        return None if first is None or second is None else first + second

    def follows(self, earlier: Point, later: Point, within: int | None) -> Tri:
        """Tell whether ``later`` comes after ``earlier``, at most ``within`` ns later."""
        order = self.before(earlier, later)
        if order is Tri.FALSE or within is None:
            return order
        if earlier.ns == OPEN_START or later.ns == OPEN_END:
            return Tri.UNKNOWN & order
        slack = self.slack(earlier, later)
        distance = later.ns - earlier.ns
        if distance > within + (slack or 0) or (slack is None and -distance > within):
            return Tri.FALSE
        return order

    def after(self, own: Row, other: Point, within: int | None) -> Tri:
        """Own row begins after a point."""
        return self.follows(other, start_of(own), within)

    def ahead(self, own: Row, other: Point, within: int | None) -> Tri:
        """Own row lies before a point."""
        return self.follows(point_of(own), other, within)

    def near(self, own: Row, other: Row, suffix: str | None, within: int) -> Tri:
        """Own row is no further away than ``within``; operations and groups extend from start to end."""
        own_from, own_to = extent_of(own, None)
        other_from, other_to = extent_of(other, suffix)
        gap = max(0, other_from.ns - own_to.ns, own_from.ns - other_to.ns)
        slack = self.slack(own_from, other_from)
        if gap > within + (slack or 0):
            return Tri.FALSE
        return Tri.UNKNOWN if slack is None else Tri.TRUE

    def during(self, own: Row, other: Row, widen: int) -> Tri:
        """Own row begins inside another."""
        moment = start_of(own)
        return ~self.before(moment, start_of(other).moved(-widen)) & ~self.before(end_of(other).moved(widen), moment)

    def overlaps(self, own: Row, other: Row, widen: int) -> Tri:
        """Both rows share time."""
        ours = self.before(start_of(own), end_of(other).moved(widen))
        return ours & self.before(start_of(other), end_of(own).moved(widen))

    def holds_at(self, own: Row, moment: Point) -> Tri:
        """Own state holds when a moment comes: it began before, and did not end before."""
        return self.before(start_of(own), moment) & ~self.before(end_of(own), moment)


def extent_of(row: Row, suffix: str | None) -> tuple[Point, Point]:
    """From where to where a row extends for ``near``: operations from start to end, groups from first to last point."""
    if suffix is not None:
        moment = named_point(row, suffix)
        return moment, moment
    if row.operation:
        return start_of(row), end_of(row)
    points = [point_of(part) for part in row.rows]
    return min(points, key=lambda point: point.ns), max(points, key=lambda point: point.ns)


Relation = Callable[[Row, Row], Tri]
"""Relation of the own row to the row of the anchor."""


def relation(clock: Clock, word: str, suffix: str | None, within: int | None) -> Relation:
    """Make the relation that a time word stands for."""
    if word == "after":
        return lambda own, other: clock.after(own, named_point(other, suffix), within)
    if word == "before":
        return lambda own, other: clock.ahead(own, named_point(other, suffix), within)
    if word == "near":
        return lambda own, other: clock.near(own, other, suffix, within or 0)
    if word == "during":
        return lambda own, other: clock.during(own, other, within or 0)
    if word == "overlaps":
        return lambda own, other: clock.overlaps(own, other, within or 0)
    return lambda own, other: clock.holds_at(own, named_point(other, suffix))


def closes(own: Row, other: Row) -> Tri:
    """The own event is the one that ended the other state."""
    return Tri.of(other.end_uid is not None and own.start_uid == other.end_uid)


def opens(own: Row, other: Row) -> Tri:
    """The own event is the one that began the other state."""
    return Tri.of(other.start_uid is not None and own.start_uid == other.start_uid)
