"""Log files with their runs of stamps: the year of each run, and wall time to UTC."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.event import RawEvent
from hadiag.model.record import LogSummary, StampRun
from hadiag.model.time import NS, PLACEHOLDER_YEAR, LoggedTime, TimeBasis
from hadiag.timeline.zones import DAY, ZonePlan

BESIDE: Final = 2 * DAY
"""Logs of one incident lie at most this far from each other, whatever their zones."""
_HALF_YEAR: Final = 183 * DAY
_EARLIEST: Final = 946_684_800 * NS
"""2000-01-01: a file time before it is no time."""
_EPOCH_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_PLACEHOLDER_START: Final = (datetime(PLACEHOLDER_YEAR, 1, 1, tzinfo=UTC).toordinal() - _EPOCH_DAY) * DAY
_MARCH: Final = _PLACEHOLDER_START + 60 * DAY


@cache
def year_start(year: int) -> int:
    """Wall time of 1 January 00:00."""
    return (datetime(year, 1, 1, tzinfo=UTC).toordinal() - _EPOCH_DAY) * DAY


def year_of(wall_ns: int) -> int:
    """Year of a wall time."""
    return datetime.fromtimestamp(wall_ns // NS, UTC).year


def in_year(wall_ns: int, year: int) -> int:
    """Move a stamp without year (read in the placeholder year, a leap year) into a year."""
    moved = wall_ns - _PLACEHOLDER_START + year_start(year)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return moved - DAY if wall_ns >= _MARCH and not leap else moved


def nearest_year(wall_ns: int, utc_ns: int) -> int:
    """Year in which a stamp without year is nearest to an absolute time."""
    year = year_of(max(utc_ns, 0))
    return min((year - 1, year, year + 1), key=lambda each: abs(in_year(wall_ns, each) - utc_ns))


@dataclass(slots=True)
class LogFile:
    """A log file while its times are resolved. ``years`` holds the year of each run, None while unknown."""

    bundle: str
    path: str
    family: str
    node: Node
    summary: LogSummary | None
    runs: list[StampRun]
    years: list[int | None] = field(default_factory=list)
    plan: ZonePlan | None = None
    nodes: set[Node] = field(default_factory=set)
    year_assumed: bool = False
    turn_line: int | None = None
    """First line in the new zone, where somebody changed the zone of the node."""
    _firsts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.years = [year_of(run.last.wall_ns) if run.last.has_year else None for run in self.runs]
        self._firsts = [run.first_line for run in self.runs]

    @property
    def key(self) -> tuple[str, str]:
        """Input and path."""
        return self.bundle, self.path

    def run(self, line: int) -> int:
        """Index of the run that a line stands in."""
        return max(bisect_right(self._firsts, line) - 1, 0)

    def learn_year(self, line: int, year: int) -> None:
        """Take the year of a run from a line whose year is proven."""
        if self.runs:
            self.years[self.run(line)] = year

    def settle_years(self, reference_ns: int | None) -> bool:
        """Spread known years over all runs; without one, the last stamp is the last before the reference time.

        Returns:
            Whether every run has a year now.
        """
        if not self.runs:
            return True
        if all(year is None for year in self.years):
            if reference_ns is None:
                return False
            self.year_assumed = True
            self.years[-1] = _latest_year(self.runs[-1].last.wall_ns, reference_ns)
        for index in range(len(self.runs) - 2, -1, -1):
            following = self.years[index + 1]
            if self.years[index] is None and following is not None:
                back = self.runs[index].last.wall_ns - self.runs[index + 1].first.wall_ns
                self.years[index] = following - 1 if back > _HALF_YEAR else following
        for index in range(1, len(self.runs)):
            before = self.years[index - 1]
            if self.years[index] is None and before is not None:
                back = self.runs[index - 1].last.wall_ns - self.runs[index].first.wall_ns
                self.years[index] = before + 1 if back > _HALF_YEAR else before
        return True

    @property
    def is_dated(self) -> bool:
        """Tell whether the year of some run is known."""
        return not self.runs or any(year is not None for year in self.years)

    @property
    def span(self) -> tuple[int, int] | None:
        """Wall time of the first and the last stamp, None while their year is unknown."""
        walls = [
            self.wall(time, line)
            for run in self.runs
            for time, line in ((run.first, run.first_line), (run.last, run.last_line))
        ]
        known = [wall for wall in walls if wall is not None]
        return (min(known), max(known)) if known else None

    def settle_beside(self, spans: Iterable[tuple[int, int]]) -> bool:
        """Take the year in which the file lies beside logs whose year is proven, give or take ``BESIDE``.

        Returns:
            Whether there is one; the latest of several is taken.
        """
        near = sorted(spans, reverse=True)
        for year in sorted({year_of(end) + more for _, end in near for more in (-1, 0, 1)}, reverse=True):
            self.years[-1] = year
            self.settle_years(None)
            mine = self.span
            if mine and any(mine[0] <= end + BESIDE and start - BESIDE <= mine[1] for start, end in near):
                self.year_assumed = True
                return True
            self.years = [None] * len(self.runs)
        return False

    def wall(self, time: LoggedTime, line: int) -> int | None:
        """Wall time with its year."""
        if time.has_year:
            return time.wall_ns
        year = self.years[self.run(line)] if self.runs else None
        return None if year is None else in_year(time.wall_ns, year)

    def utc(self, time: LoggedTime, line: int) -> int | None:
        """UTC on the node's own clock, None without zone or year."""
        if time.utc_offset_s is not None and time.has_year:
            return time.wall_ns - time.utc_offset_s * NS
        wall = self.wall(time, line)
        if wall is None:
            return None
        if time.utc_offset_s is not None:
            return wall - time.utc_offset_s * NS
        if self.plan is None:
            return None
        if self.turn_line is not None and self.plan.moved:
            return wall - self.plan.segments[-1 if line >= self.turn_line else 0][1]
        later = self.plan.is_ambiguous(wall) and self._after_step_back(line, wall)
        return self.plan.to_utc(wall, later=later)

    def basis(self, time: LoggedTime) -> TimeBasis:
        """How the UTC offset of a stamp became known."""
        if time.from_journal:
            return TimeBasis.JOURNAL
        if time.utc_offset_s is not None:
            return TimeBasis.IN_LOG
        return self.plan.basis if self.plan else TimeBasis.ASSUMED

    def _after_step_back(self, line: int, wall: int) -> bool:
        """Tell whether a line in a repeated hour stands behind the step back of the file."""
        index = self.run(line)
        if index == 0:
            return False
        last = self.wall(self.runs[index - 1].last, self.runs[index - 1].last_line)
        return last is not None and 0 <= last - wall + 3600 * NS <= 2 * 3600 * NS

    def proven_utc(self, time: LoggedTime, line: int) -> int | None:
        """UTC on the node's own clock where nothing of it is assumed."""
        proven = self.basis(time) is not TimeBasis.ASSUMED and (time.has_year or not self.year_assumed)
        return self.utc(time, line) if proven else None

    @property
    def is_zoneless(self) -> bool:
        """Tell whether the file needs a zone."""
        return any(run.first.utc_offset_s is None or run.last.utc_offset_s is None for run in self.runs)


def _latest_year(wall_ns: int, reference_ns: int) -> int:
    """Last year in which a stamp is not after the reference time (a day and a half is left for zones and clocks)."""
    year = year_of(reference_ns) + 1
    while in_year(wall_ns, year) > reference_ns + DAY + DAY // 2:
        year -= 1
    return year


def runs_of(raws: Iterable[RawEvent]) -> list[StampRun]:
    """Runs of a file without summary, from the stamps of its events."""
    runs: list[StampRun] = []
    for raw in sorted(raws, key=lambda each: each.ref.line):
        time = raw.time
        if time is None:
            continue
        if runs and time.wall_ns >= runs[-1].last.wall_ns - 2 * NS:
            runs[-1] = StampRun(runs[-1].first, time, runs[-1].first_line, raw.ref.line)
        else:
            runs.append(StampRun(time, time, raw.ref.line, raw.ref.line))
    return runs


def believable(mtime: int | None) -> int | None:
    """Time of a file in ns, None where it is none."""
    return mtime * NS if mtime is not None and mtime * NS > _EARLIEST else None
