"""Which events of a log are kept: context near core events, samples of anchors, storms folded.

* A context event is kept where a core event of the same log is within a minute of it, before or after. Until that is
  known the line waits, mostly unread.
* Anchor events serve to align clocks: of each type the first, the last, and at most one in five seconds are kept.
* Of the same event (type, fields and program equal) fifty a minute are kept one by one; what follows is folded into one
  row that says how many they were and when the last one was. A row spans ten minutes at most.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Final

from hadiag.model.event import EventClass, RawEvent
from hadiag.model.time import NS, LoggedTime
from hadiag.scan.stamps import NO_STAMP

NEAR_NS: Final = 60 * NS
"""How far from a core event a context event may be."""
ANCHOR_NS: Final = 5 * NS
"""Least distance of two kept anchor events of a type."""
STORM: Final = 50
"""Equal events within ``STORM_NS`` that are kept one by one."""
STORM_NS: Final = 60 * NS
"""The window in which equal events are counted, and the pause that ends a storm."""
FOLD_NS: Final = 600 * NS
"""Longest stretch that one folded row stands for."""

_MAX_WAITING: Final = 20_000
_MAX_CORE: Final = 50_000


@dataclass(slots=True)
class Waiting:
    """A line whose event may be kept: ``read`` parses and confirms it, and may find that it is none."""

    wall: int
    key: str
    read: Callable[[], RawEvent | None]


@dataclass(slots=True)
class _Run:
    """Repetitions of one event: since when, how many, and the row that they are folded into."""

    start: int
    last: int
    count: int = 1
    row: int | None = None


@dataclass(slots=True)
class _Row:
    """A kept event and what was folded into it."""

    event: RawEvent
    repeated: int
    last_time: LoggedTime | None = None

    def finished(self) -> RawEvent:
        if self.repeated == self.event.repeated:
            return self.event
        return replace(self.event, repeated=self.repeated, last_time=self.last_time)


@dataclass(slots=True)
class Keeper:
    """Decides for one log which events are kept. Lines come in the order of the file."""

    _rows: list[_Row] = field(default_factory=list)
    _runs: dict[Hashable, _Run] = field(default_factory=dict)
    _core: list[int] = field(default_factory=list)
    _waiting: list[Waiting] = field(default_factory=list)
    _anchored: dict[str, int] = field(default_factory=dict)
    _skipped: dict[str, Waiting] = field(default_factory=dict)

    def take(self, event: RawEvent, wall: int) -> None:
        """Take in an event that was read."""
        if event.cls is EventClass.CORE:
            if wall != NO_STAMP:
                insort(self._core, wall)
            self._keep(event, wall)
        elif event.cls is EventClass.CONTEXT:
            self.wait(Waiting(wall, event.type, lambda: event))
        else:
            self.sample(Waiting(wall, event.type, lambda: event))

    def wait(self, line: Waiting) -> None:
        """Take in a line that is a context event at most."""
        self._waiting.append(line)

    def sample(self, line: Waiting) -> None:
        """Take in a line that is an anchor event at most."""
        last = self._anchored.get(line.key)
        if last is not None and (line.wall == NO_STAMP or 0 <= line.wall - last < ANCHOR_NS):
            self._skipped[line.key] = line
            return
        event = line.read()
        if event is not None:
            self._anchored[line.key] = line.wall
            self._skipped.pop(line.key, None)
            self._keep(event, line.wall)

    def settle(self, newest: int | None) -> None:
        """Decide on waiting lines, now that the log is read up to the wall time ``newest`` (None: to its end)."""
        undecided: list[Waiting] = []
        for line in self._waiting:
            if line.wall == NO_STAMP or self._near(line.wall):
                event = line.read()
                if event is not None:
                    self._keep(event, line.wall)
            elif newest is not None and abs(newest - line.wall) <= NEAR_NS:
                undecided.append(line)
        self._waiting = undecided[-_MAX_WAITING:]
        if len(self._core) > _MAX_CORE:
            del self._core[: -_MAX_CORE // 2]

    def finish(self) -> tuple[RawEvent, ...]:
        """All kept events in the order of their lines."""
        self.settle(None)
        for line in self._skipped.values():
            event = line.read()
            if event is not None:
                self._keep(event, line.wall)
        self._skipped.clear()
        return tuple(sorted((row.finished() for row in self._rows), key=lambda event: event.ref.line))

    def _near(self, wall: int) -> bool:
        index = bisect_left(self._core, wall - NEAR_NS)
        return index < len(self._core) and self._core[index] <= wall + NEAR_NS

    def _keep(self, event: RawEvent, wall: int) -> None:
        key = (event.type, event.program, *sorted(event.fields.items()))
        run = self._runs.get(key)
        if run is None or abs(wall - (run.start if run.row is None else run.last)) > STORM_NS:
            self._runs[key] = _Run(wall, wall)
            self._rows.append(_Row(event, event.repeated))
            return
        run.count += 1
        run.last = wall
        if run.row is not None and abs(wall - run.start) <= FOLD_NS:
            row = self._rows[run.row]
            row.repeated += event.repeated
            row.last_time = event.time
            return
        if run.count > STORM:
            run.row, run.start = len(self._rows), wall
        self._rows.append(_Row(event, event.repeated))
