"""The timeline: all events on one clock, with the nodes, their clocks, and what the logs cover."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hadiag.model.diagnosis import NodeClock, Silence
from hadiag.model.entity import Node
from hadiag.model.event import Event
from hadiag.model.source import SourceRef, Warn
from hadiag.model.time import NS, UNITS, LoggedTime
from hadiag.model.tri import Tri
from hadiag.model.view import Coverage
from hadiag.timeline.coverage import CoverageMap
from hadiag.timeline.frame import to_frame
from hadiag.timeline.identity import Identities, NodeIdentity
from hadiag.timeline.shifts import Shifts

if TYPE_CHECKING:
    import pandas as pd


class Timeline:
    """All events of a cluster on the clock of a reference node, immutable once built.

    Attributes:
        events: sorted by aligned time, then place; events without time last.
        nodes: who is who, by name.
        coverage: what each log covers.
        clocks: what is known of each clock.
        silences: silent stretches of nodes, in aligned UTC ns.
        cluster_names: clusters in the input.
        warnings: what had to be assumed.
        span: aligned UTC ns of the first and last line, None without any time.
    """

    def __init__(
        self,
        events: tuple[Event, ...],
        who: tuple[Identities, tuple[NodeIdentity, ...]],
        covered: CoverageMap,
        times: tuple[Mapping[Node, NodeClock], Shifts],
        warnings: tuple[Warn, ...],
    ) -> None:
        self.events = events
        self._who, self.nodes = who
        self._covered = covered
        self.coverage: tuple[Coverage, ...] = covered.coverage
        self.silences: Mapping[Node, tuple[Silence, ...]] = {
            node: tuple(found) for node, found in sorted(covered.silences.items())
        }
        self.clocks, self._shifts = times
        self.cluster_names: tuple[str, ...] = self._who.clusters.names
        self.warnings = warnings
        self.span = _span(events, self.coverage)
        self._positions: dict[str, int] = {}
        self._by_type: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            self._positions[event.uid] = index
            self._by_type.setdefault(event.type, []).append(index)
        self._types = sorted(self._by_type)
        self._found: dict[tuple[str, ...], tuple[Event, ...]] = {}
        self._by_observer: dict[Node, tuple[list[int], list[Event]]] | None = None

    def of(self, *types: str) -> tuple[Event, ...]:
        """Events of some types, in order. A type that ends in ``.*`` stands for all that begin so."""
        if types not in self._found:
            chosen = {name for wanted in types for name in self._matching(wanted)}
            places = [index for name in chosen for index in self._by_type[name]]
            self._found[types] = tuple(self.events[index] for index in sorted(places))
        return self._found[types]

    def _matching(self, wanted: str) -> list[str]:
        if not wanted.endswith(".*"):
            return [wanted] if wanted in self._by_type else []
        prefix = wanted[:-1]
        first = bisect_left(self._types, prefix)
        last = bisect_left(self._types, prefix[:-1] + "/")  # "/" follows "."
        return self._types[first:last]

    def logged_by(self, node: Node) -> tuple[Sequence[int], Sequence[Event]]:
        """Aligned times in ns of the dated events that a node logged, and the events, in order."""
        if self._by_observer is None:
            self._by_observer = {}
            for event in self.events:
                if event.at is not None:
                    times, events = self._by_observer.setdefault(event.observer, ([], []))
                    times.append(event.at.ns)
                    events.append(event)
        return self._by_observer.get(node, ((), ()))

    def get(self, uid: str) -> Event:
        """Event of a uid.

        Raises:
            KeyError: there is no such event.
        """
        return self.events[self._positions[uid]]

    def node(self, name: str) -> Node | None:
        """Canonical node of any alias, address, host name or node id (as text)."""
        known = self._who.lookup(name)
        return Node(known) if known else None

    def order(self, a: Event, b: Event) -> Tri:
        """Tell whether ``a`` certainly comes before ``b``: by file and own clock on one node, else by aligned time."""
        if a.uid == b.uid:
            return Tri.FALSE
        if a.observer != b.observer:
            return a.at.before(b.at) if a.at and b.at else Tri.UNKNOWN
        lines = {(ref.bundle, ref.path): ref.line for ref in a.refs}
        for ref in b.refs:
            line = lines.get((ref.bundle, ref.path))
            if line is not None:
                return Tri.of(line < ref.line)
        if a.at is None or b.at is None:
            return Tri.UNKNOWN
        return _on_one_clock(a, b)

    def covered(self, node: Node, event_type: str, start_ns: int, end_ns: int) -> Tri:
        """Tell whether the absence of an event in a window would mean anything.

        Returns:
            TRUE: a log of the node that would show the type covers the whole window and is not silent in it.
            FALSE: no such log covers any of it. UNKNOWN: partly, or silent.
        """
        return self._covered.covered(node, event_type, start_ns, end_ns)

    def aligned(self, node: Node, ns: int) -> int:
        """Time on the reference clock of a UTC time that a node's own clock showed, such as that of a snapshot."""
        clock = self.clocks.get(node)
        for span in clock.skews if clock else ():
            moved = None if span.skew_s is None else ns - round(span.skew_s * NS)
            if moved is not None and (span.end_ns is None or moved < span.end_ns):
                return moved
        return ns

    def time_of(self, ref: SourceRef, stamp: LoggedTime | None) -> int | None:
        """Aligned UTC time in ns of a line that is no event, None where its file has none."""
        return self._shifts.aligned(ref, stamp)

    def frame(self) -> pd.DataFrame:
        """Table of all events with the columns of ``schema.COLUMNS``."""
        return to_frame(self.events)


def _on_one_clock(a: Event, b: Event) -> Tri:
    """Order of two events in different logs of one node: its clock is one, only the printed units differ."""
    if a.at is None or b.at is None:
        return Tri.UNKNOWN
    unit_a, unit_b = printed_unit(a.at.logged), printed_unit(b.at.logged)
    if a.at.ns + unit_a <= b.at.ns:
        return Tri.TRUE
    return Tri.FALSE if b.at.ns + unit_b <= a.at.ns else Tri.UNKNOWN


def printed_unit(logged: str) -> int:
    """Unit of the last digit of a printed stamp, in ns."""
    _, point, fraction = logged.rpartition(".")
    digits = len(fraction) - len(fraction.lstrip("0123456789")) if point else 0
    return UNITS[min(digits, 9)]


def _span(events: tuple[Event, ...], coverage: tuple[Coverage, ...]) -> tuple[int, int] | None:
    starts = [event.at.ns for event in events[:1] if event.at]
    ends = [event.at.ns for event in reversed(events) if event.at][:1]
    starts += [row.start_ns for row in coverage if row.start_ns is not None]
    ends += [row.end_ns for row in coverage if row.end_ns is not None and not row.to_collection]
    return (min(starts), max(ends)) if starts and ends else None
