"""Stamps of all lines of a block at once: byte columns in numpy instead of a Python statement per line.

A *shape* is how a date is written (``Nov 22 10:09:24.085``, ``2026-11-22T10:09:24.085123+01:00`` …), a *place* where
it stands in a line (at the start, behind ``I, [``, behind ``Agent(rsc)[pid]:`` …).  A file keeps to few of them, so
the layout that fitted most lines so far is tried first and the others see only what it left over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hadiag.model.frozen import record
from hadiag.model.time import NS, PLACEHOLDER_YEAR, ZONE_OFFSETS

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NO_STAMP: Final = np.iinfo(np.int64).min
"""Wall time of a line without a stamp."""
NO_OFFSET: Final = 1 << 20
"""UTC offset of a stamp that states none."""

PAD: Final = 128
"""Bytes that must follow the last line in the buffer, so that columns can be gathered without a bounds check."""

_YEARS: Final = range(1970, 2200)
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_ZONE_MEMO: Final = 64


def _month_table() -> Bytes:
    """Month number by the second and third letter of its name (0: no month), the first letter is checked apart."""
    table = np.zeros(1 << 16, dtype=np.uint8)
    for number, name in enumerate(_MONTHS, 1):
        table[name[1] << 8 | name[2]] = number
    return table


def _calendar() -> tuple[Ints, Ints]:
    """Days from 1970 to the start of each year, and from the start of a year to each month (plain, leap)."""
    leap = np.array([int(y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)) for y in _YEARS])
    years = np.concatenate(([0], np.cumsum(365 + leap)))
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    plain = np.concatenate(([0, 0], np.cumsum(lengths)))
    late = np.concatenate(([0, 0], np.cumsum(lengths + (np.arange(12) == 1))))
    return years.astype(np.int64), np.stack((plain, late)).astype(np.int64)


_MONTH: Final = _month_table()
_INITIAL: Final = np.frombuffer(b"\0" + bytes(name[0] for name in _MONTHS), dtype=np.uint8)
_YEAR_DAYS, _MONTH_DAYS = _calendar()
_POWERS: Final = 10 ** np.arange(9, -1, -1, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """Columns of a block, one row for each line; only ``wall`` says whether a line has a stamp at all.

    ``begin`` and ``end`` delimit the stamp text, ``offset`` is the UTC offset in seconds, ``digits`` counts those of
    the fraction, ``layout`` is the index in ``LAYOUTS``.
    """

    wall: Ints
    offset: Ints
    digits: Ints
    begin: Ints
    end: Ints
    layout: Ints


def gather(buffer: bytearray, begin: Ints, width: int) -> Bytes:
    """The ``width`` bytes from each position on, as a matrix."""
    windows = np.ndarray((max(len(buffer) - width + 1, 0),), dtype=f"V{width}", buffer=buffer, strides=(1,))
    return windows[begin].view(np.uint8).reshape(len(begin), width)


def _number(digits: Bytes, first: int, count: int) -> Ints:
    value = digits[:, first].astype(np.int64)
    for column in range(first + 1, first + count):
        value = value * 10 + digits[:, column]
    return value


def _all_digits(digits: Bytes, *spans: tuple[int, int]) -> Flags:
    ok = np.ones(len(digits), dtype=np.bool_)
    for first, count in spans:
        for column in range(first, first + count):
            ok &= digits[:, column] < 10
    return ok


def _month_of(rows: Bytes, column: int) -> Ints:
    """Month number from three letters, 0 where they name none."""
    pair = rows[:, column + 1].astype(np.int64) << 8 | rows[:, column + 2]
    month = _MONTH[pair]
    return np.where(_INITIAL[month] == rows[:, column], month, 0).astype(np.int64)


def _clock(rows: Bytes, digits: Bytes, column: int) -> tuple[Flags, Ints]:
    """``HH:MM:SS`` as seconds of the day."""
    ok = _all_digits(digits, (column, 2), (column + 3, 2), (column + 6, 2))
    ok &= (rows[:, column + 2] == 58) & (rows[:, column + 5] == 58)
    hour, minute, second = (_number(digits, column + k, 2) for k in (0, 3, 6))
    ok &= (hour < 24) & (minute < 60) & (second <= 60)
    return ok, hour * 3600 + minute * 60 + second


def _date(year: Ints, month: Ints, day: Ints) -> tuple[Flags, Ints]:
    """Days since 1970; false where no such day exists."""
    ok = (year >= _YEARS[0]) & (year <= _YEARS[-1]) & (month >= 1) & (month <= 12)
    index = np.where(ok, year - _YEARS[0], 0)
    month = np.where(ok, month, 1)
    leap = (_YEAR_DAYS[index + 1] - _YEAR_DAYS[index] == 366).astype(np.int64)
    before = _MONTH_DAYS[leap, month]
    ok &= (day >= 1) & (day <= _MONTH_DAYS[leap, month + 1] - before)
    return ok, _YEAR_DAYS[index] + before + day - 1


def _month_day(rows: Bytes, digits: Bytes, year: Ints) -> tuple[Flags, Ints]:
    """``Mmm dd HH:MM:SS`` in a given year, the day padded by a zero or a blank."""
    tens = np.where(rows[:, 4] == 32, 0, digits[:, 4])
    ok = (tens < 10) & (digits[:, 5] < 10) & (rows[:, 3] == 32) & (rows[:, 6] == 32)
    good, days = _date(year, _month_of(rows, 0), tens.astype(np.int64) * 10 + digits[:, 5])
    fine, seconds = _clock(rows, digits, 7)
    return ok & good & fine, days * 86400 + seconds


def _bsd(rows: Bytes, digits: Bytes) -> tuple[Flags, Ints]:
    ok, seconds = _month_day(rows, digits, np.full(len(rows), PLACEHOLDER_YEAR, dtype=np.int64))
    return ok & ((rows[:, 15] == 32) | (rows[:, 15] == 46)), seconds


def _dmesg(rows: Bytes, digits: Bytes) -> tuple[Flags, Ints]:
    ok, seconds = _month_day(rows, digits, _number(digits, 16, 4))
    return ok & _all_digits(digits, (16, 4)) & (rows[:, 15] == 32) & (rows[:, 20] == 93), seconds


def _numeric(rows: Bytes, digits: Bytes, dash: int, between: tuple[int, int]) -> tuple[Flags, Ints]:
    ok = _all_digits(digits, (0, 4), (5, 2), (8, 2)) & (rows[:, 4] == dash) & (rows[:, 7] == dash)
    ok &= (rows[:, 10] == between[0]) | (rows[:, 10] == between[1])
    good, days = _date(_number(digits, 0, 4), _number(digits, 5, 2), _number(digits, 8, 2))
    fine, seconds = _clock(rows, digits, 11)
    return ok & good & fine, days * 86400 + seconds


def _iso(rows: Bytes, digits: Bytes) -> tuple[Flags, Ints]:
    return _numeric(rows, digits, 45, (84, 32))


def _slash(rows: Bytes, digits: Bytes) -> tuple[Flags, Ints]:
    return _numeric(rows, digits, 47, (95, 95))


def _access(rows: Bytes, digits: Bytes) -> tuple[Flags, Ints]:
    ok = _all_digits(digits, (0, 2), (7, 4)) & (rows[:, 2] == 47) & (rows[:, 6] == 47) & (rows[:, 11] == 58)
    good, days = _date(_number(digits, 7, 4), _month_of(rows, 3), _number(digits, 0, 2))
    fine, seconds = _clock(rows, digits, 12)
    return ok & good & fine, days * 86400 + seconds


def _epoch(rows: Bytes, digits: Bytes) -> tuple[Flags, Ints]:
    ok = _all_digits(digits, (0, 10)) & (rows[:, 0] == 49) & (rows[:, 10] == 46)
    return ok, _number(digits, 0, 10)


@record
class Shape:
    """A way to write a date: its fixed part, and what kind of zone may follow it (``""``, iso, word, utc)."""

    read: Callable[[Bytes, Bytes], tuple[Flags, Ints]]
    length: int
    has_year: bool
    zone: str = ""
    fraction: bool = True


BSD: Final = Shape(_bsd, 15, has_year=False)
ISO: Final = Shape(_iso, 19, has_year=True, zone="iso")
FULL: Final = Shape(_iso, 19, has_year=True, zone="word")
SLASH: Final = Shape(_slash, 19, has_year=True, fraction=False)
EPOCH: Final = Shape(_epoch, 10, has_year=True, zone="utc")
DMESG: Final = Shape(_dmesg, 20, has_year=True, fraction=False)
ACCESS: Final = Shape(_access, 20, has_year=True, zone="word", fraction=False)

Finder = Callable[["Lines", Ints], tuple[Flags, Ints]]


class Lines:
    """The padded bytes of a block with the place where each line begins, behind any ``<PRI>``."""

    def __init__(self, data: bytes, starts: Ints, scratch: bytearray | None = None) -> None:
        """Copy the block into ``scratch`` (if it is large enough), whose pages are in memory already."""
        size = len(data) + PAD
        self.text = scratch if scratch is not None and len(scratch) >= size else bytearray(size)
        self.text[: len(data)] = data
        self.text[len(data) : size] = b"\n" * PAD
        self.bytes = np.frombuffer(self.text, dtype=np.uint8, count=size)
        self.begin = self._behind_priority(starts)
        self.stop = np.append(self.begin[1:], len(data))

    def _behind_priority(self, starts: Ints) -> Ints:
        """RFC 3164 ``<30>`` and RFC 5424 ``<30>1 `` prefixes are no part of the stamp."""
        angle = self.bytes[starts] == 60
        if not angle.any():
            return starts
        begin = starts.copy()
        for width in (2, 3, 4):
            begin = np.where(angle & (begin == starts) & (self.bytes[starts + width] == 62), starts + width + 1, begin)
        version = angle & (begin != starts) & (self.bytes[begin] == 49) & (self.bytes[begin + 1] == 32)
        return np.where(version, begin + 2, begin)

    def byte(self, rows: Ints, column: int) -> Bytes:
        """One byte of the given lines."""
        return self.bytes[self.begin[rows] + column]

    def find(self, rows: Ints, marks: Ints, limit: int) -> tuple[Flags, Ints]:
        """The first of ``marks`` (positions in the block) in each line, within ``limit`` bytes of its start."""
        if not len(marks):
            return np.zeros(len(rows), dtype=np.bool_), self.begin[rows]
        index = np.searchsorted(marks, self.begin[rows])
        place = marks[np.minimum(index, len(marks) - 1)]
        inside = (place >= self.begin[rows]) & (place < self.stop[rows]) & (place - self.begin[rows] < limit)
        return inside, place

    def marks(self, *parts: tuple[int, int]) -> Ints:
        """Positions where all the given (column, byte) pairs hold."""
        size = len(self.bytes) - PAD
        ok = np.ones(size, dtype=np.bool_)
        for column, byte in parts:
            ok &= self.bytes[column : size + column] == byte
        return np.flatnonzero(ok)


def _at_start(lines: Lines, rows: Ints) -> tuple[Flags, Ints]:
    return np.ones(len(rows), dtype=np.bool_), lines.begin[rows]


def _behind(step: int, *checks: tuple[int, int]) -> Finder:
    """A stamp at a fixed column, when the bytes before it are right."""

    def find(lines: Lines, rows: Ints) -> tuple[Flags, Ints]:
        ok = np.ones(len(rows), dtype=np.bool_)
        for column, byte in checks:
            ok &= lines.byte(rows, column) == byte
        return ok, lines.begin[rows] + step

    return find


def _behind_tag(lines: Lines, rows: Ints) -> tuple[Flags, Ints]:
    """``Agent(rsc)[pid]:<TAB>stamp`` of old resource agents, ``daemon[pid]: stamp`` of heartbeat."""
    ok, place = lines.find(rows, lines.marks((0, 93), (1, 58)), 160)
    return ok, place + 3


def _behind_audit(lines: Lines, rows: Ints) -> tuple[Flags, Ints]:
    ok, place = lines.find(rows, lines.marks((5, 40), (0, 97), (1, 117), (4, 116)), 120)
    return ok, place + 6


def _in_access(lines: Lines, rows: Ints) -> tuple[Flags, Ints]:
    ok, place = lines.find(rows, lines.marks((0, 91), (3, 47), (7, 47)), 160)
    return ok, place + 1


@record
class Layout:
    """A shape at a place. ``runs`` is false for stamps that tell no order: the access lines inside pcsd.log."""

    find: Finder
    shape: Shape
    runs: bool = True


LAYOUTS: Final = (
    Layout(_at_start, BSD),
    Layout(_at_start, ISO),
    Layout(_behind(4, (1, 44), (2, 32), (3, 91)), ISO),
    Layout(_behind(4, (3, 32), (8, 45)), FULL),
    Layout(_at_start, EPOCH),
    Layout(_behind(5, (0, 91), (4, 32)), DMESG),
    Layout(_behind(9, (0, 99), (8, 32), (12, 32)), BSD),
    Layout(_behind(8, (7, 32), (11, 32)), BSD),
    Layout(_behind_tag, BSD),
    Layout(_behind_tag, SLASH),
    Layout(_behind_audit, EPOCH),
    Layout(_in_access, ACCESS, runs=False),
)
"""Every known layout; the index is the ``layout`` of ``Stamps``."""


def read_stamps(lines: Lines, order: list[int]) -> Stamps:
    """Read the stamp of every line, trying the layouts in ``order``."""
    count = len(lines.begin)
    wall = np.full(count, NO_STAMP, dtype=np.int64)
    offset = np.full(count, NO_OFFSET, dtype=np.int64)
    digits, end = np.zeros(count, dtype=np.int64), lines.begin.copy()
    begin, layout = lines.begin.copy(), np.full(count, -1, dtype=np.int64)
    rest = np.arange(count)
    for index in order:
        found, place = LAYOUTS[index].find(lines, rest)
        rows = rest
        if not found.all():
            rows, place = rest[found], place[found]
        if not len(rows):
            continue
        hit, columns = _read_shape(lines, place, LAYOUTS[index].shape)
        if len(rows) == count and hit.all():
            return Stamps(*columns[:3], place, columns[3], np.full(count, index, dtype=np.int64))
        rows = rows[hit]
        wall[rows], offset[rows], digits[rows], end[rows] = columns
        begin[rows], layout[rows] = place[hit], index
        rest = rest[wall[rest] == NO_STAMP]
        if not len(rest):
            break
    return Stamps(wall, offset, digits, begin, end, layout)


def _read_shape(lines: Lines, begin: Ints, shape: Shape) -> tuple[Flags, tuple[Ints, Ints, Ints, Ints]]:
    """Which of the places hold a stamp of this shape, and the columns wall, offset, digits, end of those."""
    begin = np.minimum(begin, len(lines.bytes) - PAD)
    rows = gather(lines.text, begin, 24)
    ok, seconds = _fixed_part(rows, shape)
    if not ok.all():
        begin, seconds = begin[ok], seconds[ok]
    end = begin + shape.length
    fraction, digits = _fraction(lines, end) if shape.fraction else (np.zeros_like(end), np.zeros_like(end))
    end += digits + (digits > 0)
    offset, end = _zone(lines, end, shape.zone)
    return ok, (seconds * NS + fraction, offset, digits, end)


def _fixed_part(rows: Bytes, shape: Shape) -> tuple[Flags, Ints]:
    """Decode each run of equal stamps once: bursts of lines share their second."""
    words = rows[:, : shape.length + 1]
    if not len(words):
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)
    packed = rows.view(np.uint64)
    mask = np.frombuffer(b"\xff" * (shape.length + 1) + b"\0" * (23 - shape.length), dtype=np.uint64)
    change = np.zeros(len(rows) - 1, dtype=np.bool_)
    for column, bits in enumerate(mask):
        if bits:
            change |= ((packed[1:, column] ^ packed[:-1, column]) & bits) != 0
    firsts = np.concatenate(([0], np.flatnonzero(change) + 1))
    ok, seconds = shape.read(rows[firsts], rows[firsts] - np.uint8(48))
    lengths = np.diff(np.append(firsts, len(rows)))
    return np.repeat(ok, lengths), np.repeat(seconds, lengths)


def _fraction(lines: Lines, end: Ints) -> tuple[Ints, Ints]:
    """Nanoseconds and number of digits behind a ``.`` or ``,``."""
    mark = lines.bytes[end]
    alive = (mark == 46) | (mark == 44)
    value, digits = np.zeros_like(end), np.zeros_like(end)
    if not alive.any():
        return value, digits
    columns = gather(lines.text, end, 16) - np.uint8(48)
    for column in range(1, 10):
        digit = columns[:, column]
        alive = alive & (digit < 10)
        if not alive.any():
            break
        value = np.where(alive, value * 10 + digit, value)
        digits += alive
    return value * _POWERS[digits], digits


def _zone(lines: Lines, end: Ints, kind: str) -> tuple[Ints, Ints]:
    """UTC offset and the end of the stamp behind it."""
    offset = np.full(len(end), NO_OFFSET, dtype=np.int64)
    if kind == "utc":
        return np.zeros_like(end), end
    if not kind or not len(end):
        return offset, end
    skip = 1 if kind == "word" else 0
    first = lines.bytes[end + skip]
    rows = np.flatnonzero((first == 43) | (first == 45) | ((first == 90) if kind == "iso" else (first >= 65)))
    if not len(rows):
        return offset, end
    words = gather(lines.text, end[rows] + skip, 8).view(np.uint64).ravel()
    end = end.copy()
    for word in _distinct(words):
        seconds, length = _read_zone(word.tobytes(), word=kind == "word")
        here = rows[words == word]
        offset[here] = seconds
        end[here] += length + skip if length else 0
    return offset, end


def _distinct(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The different zone texts of a block, at most a few: a hostile file may hold a new one in every line."""
    if (words == words[0]).all():
        return words[:1]
    return np.unique(words)[:_ZONE_MEMO]


def _read_zone(text: bytes, *, word: bool) -> tuple[int, int]:
    """Offset and length of ``Z``, ``+0200``, ``+02:00``, ``+02`` or a zone name at the start of ``text``."""
    if text[:1] == b"Z" and not word:
        return 0, 1
    if text[:1] not in (b"+", b"-"):
        name = text.split(b" ", 1)[0].split(b"]", 1)[0]
        return ZONE_OFFSETS.get(name.decode("latin-1"), NO_OFFSET), len(name)
    sign = -1 if text[:1] == b"-" else 1
    hours, minutes, length = text[1:3], text[4:6] if text[3:4] == b":" else text[3:5], 0
    length = 6 if text[3:4] == b":" else 5
    if not minutes.isdigit() or len(minutes) != 2:
        minutes, length = b"00", 3
    if not hours.isdigit() or int(hours) > 15 or int(minutes) > 59:
        return NO_OFFSET, 0
    return sign * (int(hours) * 3600 + int(minutes) * 60), length
