"""UTC offset of a node's wall clock over time: what is known of it, and the reading of a wall time with it.

A *clue* ties a printed wall time to an absolute time on the same node's clock. Offsets are multiples of a quarter of an hour
between -12 h and +14 h, so that the distance to the next multiple is the clue's own error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hadiag.model.diagnosis import OffsetSpan
from hadiag.model.frozen import record
from hadiag.model.time import NS, TimeBasis

QUARTER: Final = 900 * NS
HALF_HOUR: Final = 1800 * NS
DAY: Final = 86_400 * NS
LOWEST: Final = -12 * 3600 * NS
HIGHEST: Final = 14 * 3600 * NS
_HEARSAY: Final = 3
"""Weight of clues below which an offset is hearsay."""
_DST: Final = frozenset({3600 * NS, 1800 * NS})
"""Sizes of a change to daylight-saving time (half an hour on Lord Howe Island)."""


@record
class Clue:
    """A wall time and the absolute time it stands for. ``basis`` tells where the absolute time comes from."""

    wall_ns: int
    utc_ns: int
    weight: int
    basis: TimeBasis
    path: tuple[str, str] = ("", "")
    """Input and file in which the wall time stands."""
    line: int = 0

    @property
    def offset(self) -> int:
        """Nearest offset on a quarter of an hour, in ns."""
        return (self.wall_ns - self.utc_ns + QUARTER // 2) // QUARTER * QUARTER

    @property
    def residual(self) -> int:
        """Distance to that offset, in ns."""
        return abs(self.wall_ns - self.utc_ns - self.offset)


@record
class Turn:
    """A change that files show: wall time of the last line before and the first behind it, and by how much the clock went back."""

    last: int
    first: int
    size: int
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """First line behind the change in each file that shows it."""
    anywhen: bool = False
    """Not on a full or half hour: somebody changed the zone."""

    def moment(self, after: int) -> int:
        """UTC of the change, from the offset behind it: the full or half hour before the first line."""
        if self.anywhen:
            return self.first - after
        return (self.first - after) // HALF_HOUR * HALF_HOUR

    def fits(self, after: int) -> bool:
        """Tell whether the last line before the change lies before it."""
        return self.last - after - self.size <= self.moment(after) + 2 * NS


@record
class ZonePlan:
    """Offsets of a wall clock: ``(valid from, in UTC ns; None for the first), (offset in ns)``."""

    segments: tuple[tuple[int | None, int], ...]
    basis: TimeBasis
    zone: str | None = None
    moved: bool = False
    """The zone was changed while the node ran; where, each file tells by its line."""
    weak: bool = False
    """Only epochs that other nodes made tell it, one or two of them."""

    @property
    def is_firm(self) -> bool:
        """False for an assumption, for hearsay, and for the offset at the time of a collection, which may lie behind a change."""
        if self.weak:
            return False
        stated = self.basis is TimeBasis.SNAPSHOT and self.zone is not None
        return stated or self.basis in {TimeBasis.JOURNAL, TimeBasis.IN_LOG, TimeBasis.EPOCH_ANCHOR}

    def to_utc(self, wall_ns: int, *, later: bool = False) -> int:
        """UTC of a wall time. A repeated hour is read as its first run unless ``later``; a skipped one as before the change."""
        found = []
        begun = wall_ns - self.segments[0][1]
        for index, (start, offset) in enumerate(self.segments):
            utc = wall_ns - offset
            end = self.segments[index + 1][0] if index + 1 < len(self.segments) else None
            if start is None or utc >= start:
                begun = utc
                if end is None or utc < end:
                    found.append(utc)
        return found[-1 if later else 0] if found else begun

    def is_ambiguous(self, wall_ns: int) -> bool:
        """Tell whether a wall time occurs twice."""
        return len(self.segments) > 1 and self.to_utc(wall_ns) != self.to_utc(wall_ns, later=True)

    def shifted(self, by_ns: int, basis: TimeBasis) -> ZonePlan:
        """Plan whose offsets are larger by an amount."""
        return ZonePlan(tuple((start, offset + by_ns) for start, offset in self.segments), basis, self.zone)

    def spans(self) -> tuple[OffsetSpan, ...]:
        """Form of the result contract."""
        ends = [start for start, _ in self.segments[1:]] + [None]
        return tuple(
            OffsetSpan(start, end, offset // NS, self.basis)
            for (start, offset), end in zip(self.segments, ends, strict=True)
        )


def constant(offset_ns: int, basis: TimeBasis) -> ZonePlan:
    """Plan of a clock that never changes its offset."""
    return ZonePlan(((None, offset_ns),), basis)


def from_zone(name: str, start_ns: int, end_ns: int, basis: TimeBasis) -> ZonePlan | None:
    """Plan of an IANA zone for a stretch of time; None where the system does not know the zone."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    at = start_ns - DAY
    segments: list[tuple[int | None, int]] = [(None, _offset(zone, at))]
    for _ in range(4000):  # some 10 years by days: logs are shorter
        if at > end_ns + DAY:
            break
        if _offset(zone, at + DAY) != segments[-1][1]:
            change = _change(zone, at, at + DAY)
            segments.append((change, _offset(zone, change)))
        at += DAY
    return ZonePlan(tuple(segments), basis, name)


def _offset(zone: ZoneInfo, at_ns: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_ns // NS)
    delta = moment.astimezone(zone).utcoffset()
    return int(delta.total_seconds()) * NS if delta is not None else 0


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """First second with the offset of ``high``."""
    first = _offset(zone, low)
    low, high = low // NS, high // NS
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle * NS) == first:
            low = middle
        else:
            high = middle
    return high * NS


def from_clues(clues: Iterable[Clue], shown: Sequence[Turn] = ()) -> ZonePlan | None:
    """Plan that most clues support; two offsets that follow each other an hour apart are daylight-saving time.

    Args:
        clues: what is known of the node.
        shown: changes of the wall clock that the files of the node show.
    """
    usable = sorted((c for c in clues if LOWEST <= c.offset <= HIGHEST), key=lambda c: (c.utc_ns, c.offset))
    support: dict[int, int] = defaultdict(int)
    for clue in usable:
        support[clue.offset] += clue.weight
    if not support:
        return None
    best = min(support, key=lambda each: (-support[each], abs(each), each))
    mine = [clue for clue in usable if clue.offset == best]
    basis = min((clue.basis for clue in mine), key=_RANKS.index)
    segments: list[tuple[int | None, int]] = [(None, best)]
    for other, weight in sorted(support.items()):
        if abs(other - best) in _DST and weight >= 2:
            segments = _with_change(segments, mine, [clue for clue in usable if clue.offset == other], shown)
    return ZonePlan(tuple(segments), basis, weak=support[best] < _HEARSAY)


_RANKS = [TimeBasis.JOURNAL, TimeBasis.IN_LOG, TimeBasis.EPOCH_ANCHOR, TimeBasis.SNAPSHOT, TimeBasis.ASSUMED]


def _with_change(
    segments: list[tuple[int | None, int]], mine: list[Clue], others: list[Clue], shown: Sequence[Turn]
) -> list[tuple[int | None, int]]:
    """Add a change of offset where all clues of one offset come before all of the other."""
    if others[0].utc_ns > mine[-1].utc_ns:
        change = _moment(mine[-1], others[0], shown)
        return [*segments, (change, others[0].offset)]
    if others[-1].utc_ns < mine[0].utc_ns and segments[0][0] is None:
        change = _moment(others[-1], mine[0], shown)
        return [(None, others[0].offset), (change, segments[0][1]), *segments[1:]]
    return segments


def _moment(before: Clue, after: Clue, shown: Sequence[Turn]) -> int:
    """UTC of a change between two clues: where a file shows it, else 01:00 UTC on a Sunday, else the middle."""
    low, high = before.utc_ns, after.utc_ns
    for turn in shown:
        moment = turn.moment(after.offset)
        if turn.size == before.offset - after.offset and low - NS <= moment <= high + NS:
            return moment
    sunday = (low // DAY) * DAY + 3600 * NS
    while sunday < high:
        if sunday > low and (sunday // DAY + 4) % 7 == 0:  # 1970-01-01 was a Thursday
            return sunday
        sunday += DAY
    return (low + high) // 2
