"""Which events of a log are kept: context near core events, samples of anchors, storms folded.

* A context event is kept where a core event of the same log is within a minute of it, before or after. Until that is
  known its line waits unread.
* Anchor events serve to align clocks: of each type the first, the last, and at most one in five seconds are kept.
* Of the same event (type, fields and program equal) fifty a minute are kept one by one; what follows is folded into one
  row that says how many they were and when the last one was. A row spans ten minutes at most.
* Of events of one type, program and subject that differ in other fields (a flood of retransmit lists), a thousand a minute
  are kept one by one, then they are folded in the same way.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from hadiag.model.event import EventClass, RawEvent
from hadiag.model.time import NS, LoggedTime
from hadiag.scan.stamps import NO_STAMP, Flags, Ints

NEAR_NS: Final = 60 * NS
"""How far from a core event a context event may be."""
ANCHOR_NS: Final = 5 * NS
"""Least distance of two kept anchor events of a type."""
STORM: Final = 50
"""Equal events within ``STORM_NS`` that are kept one by one."""
FLOOD: Final = 1000
"""Events of one type, program and subject within ``STORM_NS`` that are kept one by one."""
STORM_NS: Final = 60 * NS
"""The window in which events are counted, and the pause that ends a storm."""
FOLD_NS: Final = 600 * NS
"""Longest stretch that one folded row stands for."""

_MAX_WAITING: Final = 20_000
_MAX_CORE: Final = 50_000
_MAX_RUNS: Final = 50_000

Reader = Callable[[int], RawEvent | None]
"""Reads the event of a row of a batch, or finds that it is none."""


@dataclass(slots=True)
class Batch:
    """Lines of one block that are context events at most, in their order."""

    walls: Ints
    rows: Ints
    read: Reader


@dataclass(slots=True)
class Row:
    """A kept event and what was folded into it; ``read_last`` reads the stamp of the last folded line when it is asked."""

    event: RawEvent
    repeated: int
    last_time: LoggedTime | None = None
    read_last: Callable[[], LoggedTime | None] | None = None

    def finished(self) -> RawEvent:
        """The event as it is kept."""
        if self.repeated == self.event.repeated:
            return self.event
        last = self.read_last() if self.read_last is not None else self.last_time
        return replace(self.event, repeated=self.repeated, last_time=last)


@dataclass(slots=True)
class Run:
    """Repetitions: since when, the last one, how many, and the row that they are folded into.

    ``flood`` says that they differ in their fields.
    """

    start: int
    last: int
    flood: bool = False
    count: int = 1
    row: Row | None = None

    def open_at(self, wall: int) -> bool:
        """Whether what is printed at this time belongs to the run."""
        return abs(wall - (self.start if self.row is None else self.last)) <= STORM_NS

    def folds(self, wall: int) -> bool:
        """Whether what is printed at this time goes into the row of the run."""
        return self.row is not None and abs(wall - self.last) <= STORM_NS and abs(wall - self.start) <= FOLD_NS

    def fold(self, wall: int, repeated: int, read_last: Callable[[], LoggedTime | None]) -> None:
        """Count a line that was not read."""
        if self.row is not None:
            self.count += 1
            self.last = wall
            self.row.repeated += repeated
            self.row.read_last = read_last


@dataclass(slots=True)
class Keeper:
    """Decides for one log which events are kept. Lines come in the order of the file."""

    _rows: list[Row] = field(default_factory=list)
    _runs: dict[Hashable, Run] = field(default_factory=dict)
    _core: list[int] = field(default_factory=list)
    _waiting: list[Batch] = field(default_factory=list)
    _anchored: dict[str, int] = field(default_factory=dict)
    _skipped: dict[str, tuple[int, Reader, int]] = field(default_factory=dict)

    def mark(self, wall: int) -> None:
        """Note the time of a core event that was only counted."""
        if wall != NO_STAMP and (not self._core or wall - self._core[-1] >= NS):
            insort(self._core, wall)

    def take(self, event: RawEvent, wall: int, subject: str | None) -> Run | None:
        """Take in a core event; the run that it was folded into, if it was. ``subject`` names the field of the subject."""
        if wall != NO_STAMP:
            insort(self._core, wall)
        return self._keep(event, wall, subject)

    def wait(self, batch: Batch) -> None:
        """Take in lines that are context events at most."""
        self._waiting.append(batch)

    def sample(self, key: str, walls: Ints, rows: Ints, read: Reader) -> None:
        """Take in lines that are anchor events of one type at most."""
        place, count = 0, len(rows)
        while place < count:
            last = self._anchored.get(key)
            if last is not None:
                rest = walls[place:]
                due = np.flatnonzero((rest != NO_STAMP) & ((rest - last >= ANCHOR_NS) | (rest < last)))
                ahead = int(due[0]) if len(due) else count - place
                if ahead:
                    place += ahead
                    self._skipped[key] = (int(walls[place - 1]), read, int(rows[place - 1]))
                    continue
            event = read(int(rows[place]))
            if event is not None:
                self._anchored[key] = int(walls[place])
                self._skipped.pop(key, None)
                self._keep(event, int(walls[place]), None)
            place += 1

    def settle(self, newest: int | None) -> None:
        """Decide on waiting lines, now that the log is read up to the wall time ``newest`` (None: to its end)."""
        undecided: list[Batch] = []
        for batch in self._waiting:
            near = self.near(batch.walls)
            for row, wall in zip(batch.rows[near].tolist(), batch.walls[near].tolist(), strict=True):
                event = batch.read(row)
                if event is not None:
                    self._keep(event, wall, None)
            open_still = ~near & (np.abs(batch.walls - newest) <= NEAR_NS) if newest is not None else near & ~near
            if open_still.any():
                undecided.append(Batch(batch.walls[open_still], batch.rows[open_still], batch.read))
        self._waiting = _newest(undecided)
        if len(self._core) > _MAX_CORE:
            del self._core[: -_MAX_CORE // 2]

    def near(self, walls: Ints) -> Flags:
        """Which times are within a minute of a core event; a line without a stamp always is."""
        near: Flags = walls == NO_STAMP
        if near.all():
            return near
        first, last = int(walls[~near].min()), int(walls[~near].max())
        known = self._core[bisect_left(self._core, first - NEAR_NS) : bisect_right(self._core, last + NEAR_NS)]
        if not known:
            return near
        core = np.array(known, dtype=np.int64)
        after = np.searchsorted(core, walls - NEAR_NS)
        found = core[np.minimum(after, len(core) - 1)]
        near |= (after < len(core)) & (found <= walls + NEAR_NS)
        return near

    def finish(self) -> tuple[RawEvent, ...]:
        """All kept events in the order of their lines."""
        self.settle(None)
        for wall, read, number in self._skipped.values():
            event = read(number)
            if event is not None:
                self._keep(event, wall, None)
        self._skipped.clear()
        return tuple(sorted((row.finished() for row in self._rows), key=lambda event: event.ref.line))

    def _keep(self, event: RawEvent, wall: int, subject: str | None) -> Run | None:
        runs = []
        if event.cls is EventClass.CORE:
            key = (event.type, event.program, event.fields.get(subject) if subject else None)
            runs.append((self._counted(key, wall, flood=True), FLOOD))
        if not runs or not runs[0][0].folds(wall):
            runs.append((self._counted((event.type, event.program, *sorted(event.fields.items())), wall), STORM))
        for run, most in runs:
            if run.row is not None and abs(wall - run.start) <= FOLD_NS:
                run.row.repeated += event.repeated
                run.row.last_time, run.row.read_last = event.time, None
                return run
            if run.count > most:
                run.row, run.start = Row(event, event.repeated), wall
                self._rows.append(run.row)
                return None
        self._rows.append(Row(event, event.repeated))
        return None

    def _counted(self, key: Hashable, wall: int, *, flood: bool = False) -> Run:
        """The run of a key with one more in it."""
        run = self._runs.get(key)
        if run is None or not run.open_at(wall):
            if len(self._runs) >= _MAX_RUNS:
                self._runs = {key: run for key, run in self._runs.items() if abs(wall - run.last) <= STORM_NS}
            if len(self._runs) >= _MAX_RUNS:
                self._runs.clear()
            run = self._runs[key] = Run(wall, wall, flood)
            return run
        run.count += 1
        run.last = wall
        return run


def _newest(batches: Sequence[Batch]) -> list[Batch]:
    """The last batches that together have no more lines than may wait."""
    kept: list[Batch] = []
    room = _MAX_WAITING
    for batch in reversed(batches):
        if room <= 0:
            break
        kept.append(Batch(batch.walls[-room:], batch.rows[-room:], batch.read))
        room -= len(batch.rows)
    return kept[::-1]
