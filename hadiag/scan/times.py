"""What the stamps of a whole log file say: runs of rising time, gaps, hosts.

``BlockClock.read`` takes the blocks of one file in order and reads the stamp of every line, vectorised.  A new
``StampRun`` begins

* where the printed time runs back by more than ``TOLERANCE_NS`` against the line before it (2 s: several daemons write
  one file, and each takes its stamp before it gets the lock; a real step of a clock, the end of DST or a merged file
  jumps further),
* where the UTC offset that the lines state changes, or lines begin or cease to print a year,
* where the year of stamps without one rolls over: such stamps are compared modulo a year, so that December to January
  is a step forward into a new run, and a late line of 23:59:59 among those of the new year does not end it.

Gaps are those inside a run; between two runs their ends tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from hadiag.model.frozen import record
from hadiag.model.record import PrintedGap, StampRun
from hadiag.model.time import NS, UNITS, LoggedTime
from hadiag.scan.blocks import Block
from hadiag.scan.stamps import LAYOUTS, NO_OFFSET, NO_STAMP, PAD, Bytes, Flags, Ints, Lines, Stamps, gather, read_stamps

TOLERANCE_NS: Final = 2 * NS
"""How far printed time may run back inside a run."""
GAP_NS: Final = 60 * NS
"""Neighbouring stamps further apart than this make a ``PrintedGap``."""
MAX_GAPS: Final = 200
"""Longest gaps that are kept of a file."""
MAX_RUNS: Final = 1000
"""Runs that are kept of a file; what follows belongs to the last one."""
MAX_HOSTS: Final = 64
"""Different host columns that are counted in a file."""

_YEAR_NS: Final = 366 * 86400 * NS
_HALF_NS: Final = _YEAR_NS // 2
_HOST_WIDTH: Final = 64
_HOST = re.compile(rb"[A-Za-z0-9][\w.:-]*(?<!:)\Z", re.ASCII)
_NO_HOST = frozenset(
    (
        *(b"emerg", b"alert", b"crit", b"error", b"warning", b"notice", b"info", b"debug", b"trace"),
        *(b"EMERG", b"ALERT", b"CRIT", b"ERROR", b"WARNING", b"NOTICE", b"INFO", b"DEBUG"),
    )
)


@record
class ClockReading:
    """What the stamps of one file say.

    ``unparsed`` counts the lines that neither carry a stamp nor continue the line before them (not indented, no
    ``-- `` header of journalctl). ``runs_dropped`` tells that there were more than ``MAX_RUNS`` runs.
    """

    lines: int
    stamped: int
    unparsed: int
    runs: tuple[StampRun, ...]
    gaps: tuple[PrintedGap, ...]
    hosts: tuple[tuple[str, int], ...]
    nul_bytes: bool
    cut_lines: int
    runs_dropped: bool = False


@dataclass(slots=True)
class _Mark:
    """A stamped line: where it is, and what it prints."""

    line: int
    time: LoggedTime


class BlockClock:
    """Reads the stamps of one log file, block after block.

    ``from_journal`` marks the stamps as the journal's; ``host_column`` false says that the format prints no host;
    ``continues`` says that a line without a head always continues the record before it (pcsd), so that none is
    counted as unparsed; ``undated`` says that the format prints no calendar time (``timestamp: off``, dmesg).
    """

    def __init__(
        self,
        *,
        from_journal: bool = False,
        host_column: bool = True,
        continues: bool = False,
        undated: bool = False,
    ) -> None:
        self._from_journal = from_journal
        self._host_column = host_column
        self._quiet = continues or undated
        self._uses = [0] * len(LAYOUTS)
        self._runs: list[StampRun] = []
        self._first: _Mark | None = None
        self._last: _Mark | None = None
        self._gaps: list[PrintedGap] = []
        self._hosts: dict[bytes, int] = {}
        self._no_hosts: dict[bytes, int] = {}
        self._lines = self._stamped = self._unparsed = self._cut = 0
        self._nul = self._dropped = False
        self._late = False  # the last stamp is of the old year in a run of the new one
        self._scratch = bytearray()
        self._stamps: Stamps | None = None

    def read(self, block: Block) -> Ints:
        """Take in the next block; the printed wall time of each line in ns, ``NO_STAMP`` where it has none."""
        if len(self._scratch) < len(block.data) + PAD:
            self._scratch = bytearray(2 * len(block.data) + PAD)
        lines = Lines(block.data, block.starts, self._scratch)
        stamps = read_stamps(lines, self._order())
        self._stamps = stamps
        self._count(block, lines, stamps)
        self._follow(block, stamps)
        if self._host_column:
            self._count_hosts(lines, stamps)
        return stamps.wall

    def reading(self) -> ClockReading:
        """What was read so far."""
        runs = list(self._runs)
        if self._first and self._last:
            runs.append(_run(self._first, self._last))
        hosts = sorted(((name.decode("ascii"), n) for name, n in self._hosts.items()), key=lambda h: (-h[1], h[0]))
        return ClockReading(
            lines=self._lines,
            stamped=self._stamped,
            unparsed=self._unparsed,
            runs=tuple(runs),
            gaps=tuple(sorted(self._gaps, key=lambda gap: gap.line)),
            hosts=tuple(hosts),
            nul_bytes=self._nul,
            cut_lines=self._cut,
            runs_dropped=self._dropped,
        )

    def _order(self) -> list[int]:
        """Layouts, the one that fitted most lines first."""
        return sorted(range(len(LAYOUTS)), key=lambda index: -self._uses[index])

    def _count(self, block: Block, lines: Lines, stamps: Stamps) -> None:
        self._lines += block.count
        self._nul |= block.nul_bytes
        self._cut += block.cut
        for index, uses in enumerate(np.bincount(stamps.layout + 1, minlength=len(LAYOUTS) + 1)[1:].tolist()):
            self._uses[index] += uses
        bare = np.flatnonzero(stamps.wall == NO_STAMP)
        self._stamped += block.count - len(bare)
        if len(bare) and not self._quiet:
            self._unparsed += int(_strange(lines, bare).sum())

    def _follow(self, block: Block, stamps: Stamps) -> None:
        """Cut the stamped lines into runs and note the gaps between neighbours."""
        rows = np.flatnonzero((stamps.wall != NO_STAMP) & _ORDERED[stamps.layout])
        if not len(rows):
            return
        wall, offset = stamps.wall[rows], stamps.offset[rows]
        dated = _DATED[stamps.layout[rows]]
        mark = self._mark(block, stamps, int(rows[0]))
        if self._last is None:
            self._first = self._last = mark
        else:
            self._meet(self._last, mark)
        step, breaks = self._steps(wall, offset, dated)
        self._note_gaps(wall, step, breaks, rows + block.first_line)
        ends = np.flatnonzero(breaks)
        room = MAX_RUNS - 1 - len(self._runs)
        self._dropped |= len(ends) > room
        for end in ends[:room].tolist():
            self._close(self._mark(block, stamps, int(rows[end])), self._mark(block, stamps, int(rows[end + 1])))
        self._last = self._mark(block, stamps, int(rows[-1]))

    def _meet(self, last: _Mark, mark: _Mark) -> None:
        """Join the first stamp of a block to the last one of the block before it."""
        pair = np.array([last.time.wall_ns, mark.time.wall_ns], dtype=np.int64)
        offsets = [NO_OFFSET if t.utc_offset_s is None else t.utc_offset_s for t in (last.time, mark.time)]
        dated = np.array([last.time.has_year, mark.time.has_year])
        step, breaks = self._steps(pair, np.array(offsets, dtype=np.int64), dated)
        self._note_gaps(pair, step, breaks, np.array([last.line, mark.line]))
        if breaks[0] and len(self._runs) < MAX_RUNS - 1:
            self._close(last, mark)
        else:
            self._dropped |= bool(breaks[0])

    def _steps(self, wall: Ints, offset: Ints, dated: Flags) -> tuple[Ints, Flags]:
        """Time from each stamp to the next, and whether a new run begins there."""
        step = np.diff(wall)
        moved = (offset[1:] != NO_OFFSET) & (offset[:-1] != NO_OFFSET) & (offset[1:] != offset[:-1])
        if moved.any():
            step = step - np.where(moved, np.diff(offset) * NS, 0)
        yearless = ~dated[1:] & ~dated[:-1]
        rolled, fell = yearless & (step < -_HALF_NS), yearless & (step > _HALF_NS)
        turns = np.flatnonzero(rolled | fell)
        if len(turns):
            step = step + np.where(rolled, _YEAR_NS, 0) - np.where(fell, _YEAR_NS, 0)
        breaks = (step < -TOLERANCE_NS) | moved | (dated[1:] != dated[:-1])
        self._turn_years(turns, rolled, breaks)
        return step, breaks

    def _turn_years(self, turns: Ints, rolled: Flags, breaks: Flags) -> None:
        """Begin a run at each turn of the year, except where a late line of the old year stood before."""
        before = 0
        for turn in turns.tolist():
            late = self._late and not breaks[before:turn].any()
            if rolled[turn]:
                breaks[turn] = not late
                self._late = False
            else:
                self._late = not breaks[turn]
            before = turn
        self._late &= not breaks[before:].any()

    def _close(self, last: _Mark, mark: _Mark) -> None:
        """End the present run at ``last`` and begin one at ``mark``."""
        if self._first:
            self._runs.append(_run(self._first, last))
        self._first = self._last = mark

    def _note_gaps(self, wall: Ints, step: Ints, breaks: Flags, numbers: Ints) -> None:
        wide = np.flatnonzero((step > GAP_NS) & ~breaks)
        if len(wide) > MAX_GAPS:
            wide = np.sort(wide[np.argsort(-step[wide], kind="stable")[:MAX_GAPS]])
        for index in wide.tolist():
            self._gaps.append(PrintedGap(int(wall[index]), int(wall[index + 1]), int(numbers[index + 1])))
        if len(self._gaps) > MAX_GAPS:
            self._gaps.sort(key=lambda gap: gap.start_wall_ns - gap.end_wall_ns)
            del self._gaps[MAX_GAPS:]

    def stamped(self, block: Block) -> StampedBlock:
        """The last block that was read, with its stamps."""
        return StampedBlock(block, self._stamps, self._from_journal)

    def _mark(self, block: Block, stamps: Stamps, row: int) -> _Mark:
        return _Mark(block.first_line + row, _logged(block, stamps, row, from_journal=self._from_journal))

    def _count_hosts(self, lines: Lines, stamps: Stamps) -> None:
        rows = np.flatnonzero((stamps.wall != NO_STAMP) & _HOSTED[stamps.layout])
        if not len(rows):
            return
        place = _host_place(lines, stamps.end[rows])
        words = gather(lines.text, place, _HOST_WIDTH)
        for names in (self._hosts, self._no_hosts):
            for name in names:
                if not len(words):
                    return
                same = _starts_with(words, name)
                names[name] += int(same.sum())
                words = words[~same]
        while len(words) and max(len(self._hosts), len(self._no_hosts)) < MAX_HOSTS:
            name = words[0].tobytes().split(b" ", 1)[0]
            same = _starts_with(words, name)
            (self._hosts if _is_host(name, words[0]) else self._no_hosts)[name] = int(same.sum())
            words = words[~same]


_ORDERED: Final = np.array([layout.runs for layout in LAYOUTS])
_DATED: Final = np.array([layout.shape.has_year for layout in LAYOUTS])
_HOSTED: Final = np.array([index < 2 or index in (3, 4) for index in range(len(LAYOUTS))])


@dataclass(frozen=True, slots=True, eq=False)
class StampedBlock:
    """A block and what its stamps say."""

    block: Block
    stamps: Stamps | None
    from_journal: bool

    def bodies(self, rows: Ints) -> list[bytes]:
        """The same of many lines."""
        data, starts, ends = self.block.data, self.block.starts[rows], self.block.ends[rows]
        if self.stamps is None:
            return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        stamped = self.stamps.wall[rows] != NO_STAMP
        begins = np.where(stamped, self.stamps.begin[rows], starts).tolist()
        stops = np.where(stamped, self.stamps.end[rows], starts).tolist()
        return [
            _around(data, start, begin, stop, end)
            for start, begin, stop, end in zip(starts.tolist(), begins, stops, ends.tolist(), strict=True)
        ]

    def body(self, row: int) -> bytes:
        """A line without its stamp: what stands before it (a tag, a priority), and what behind."""
        start, end = int(self.block.starts[row]), int(self.block.ends[row])
        data = self.block.data
        if self.stamps is None or int(self.stamps.wall[row]) == NO_STAMP:
            return data[start:end]
        begin, stop = int(self.stamps.begin[row]), int(self.stamps.end[row])
        return _around(data, start, begin, stop, end)

    def logged(self, row: int) -> LoggedTime | None:
        """The stamp of a line."""
        if self.stamps is None or int(self.stamps.wall[row]) == NO_STAMP:
            return None
        return _logged(self.block, self.stamps, row, from_journal=self.from_journal)


def _around(data: bytes, start: int, begin: int, stop: int, end: int) -> bytes:
    """A line without the stamp in it, which lies from ``begin`` to ``stop``."""
    return data[stop:end] if begin == start else b"%s\0%s" % (data[start:begin], data[stop:end])


def _logged(block: Block, stamps: Stamps, row: int, *, from_journal: bool) -> LoggedTime:
    begin, end = int(stamps.begin[row]), int(stamps.end[row])
    offset, digits = int(stamps.offset[row]), int(stamps.digits[row])
    return LoggedTime(
        text=block.data[begin:end].decode("ascii", "replace"),
        wall_ns=int(stamps.wall[row]),
        has_year=bool(_DATED[stamps.layout[row]]),
        utc_offset_s=None if offset == NO_OFFSET else offset,
        resolution_ns=UNITS[digits],
        from_journal=from_journal,
    )


def _run(first: _Mark, last: _Mark) -> StampRun:
    return StampRun(first.time, last.time, first.line, last.line)


def _strange(lines: Lines, bare: Ints) -> Flags:
    """Which of the lines without a stamp are no continuation, no blank line and no header of journalctl."""
    first, second = lines.byte(bare, 0), lines.byte(bare, 1)
    plain = (first != 32) & (first != 9) & (first != 10) & (first != 13)
    header = (first == 45) & (second == 45)
    note = (first == 0xE2) & (second == 0x96)  # the bar that newer systemd prints before catalogue text
    strange: Flags = plain & ~header & ~note
    return strange


def _host_place(lines: Lines, end: Ints) -> Ints:
    """Where the host column begins: behind the stamp, and behind the ``[pid]`` of corosync and pacemaker 1.1."""
    place = end + 1
    bracket = lines.bytes[place] == 91
    if bracket.any():
        rows = np.flatnonzero(bracket)
        blank = gather(lines.text, place[rows], 16) == 32
        place[rows] += np.where(blank.any(axis=1), np.argmax(blank, axis=1) + 1, 0)
    return place


def _is_host(name: bytes, row: Bytes) -> bool:
    """Tell a host from a level, a number, the end of a tag, or ``corosync`` of 1.4 (``corosync [TOTEM ]``)."""
    if len(name) >= _HOST_WIDTH - 1 or not _HOST.match(name):
        return False
    return name not in _NO_HOST and not name.isdigit() and int(row[len(name) + 1]) != 91


def _starts_with(words: Bytes, name: bytes) -> Flags:
    """Rows that begin with a name and a blank (a name as wide as the row needs none), eight bytes at a time."""
    want = np.frombuffer((name + b" ")[:_HOST_WIDTH].ljust(_HOST_WIDTH, b"\0"), dtype=np.uint64)
    mask = np.frombuffer((b"\xff" * (len(name) + 1))[:_HOST_WIDTH].ljust(_HOST_WIDTH, b"\0"), dtype=np.uint64)
    packed = words.view(np.uint64)
    same: Flags = (packed[:, 0] & mask[0]) == want[0]
    for column in range(1, len(name) // 8 + 1 if len(name) < _HOST_WIDTH else len(want)):
        same &= (packed[:, column] & mask[column]) == want[column]
    return same
