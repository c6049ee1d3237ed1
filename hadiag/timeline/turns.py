"""Where the wall clock of a node shows a change to or from daylight-saving time: the files run back, or skip, about an hour.

A change takes place on a full or half hour of UTC, so the last line before it and the first behind it lie on both sides of such
a moment. A clock that somebody sets back by an hour hardly ever does that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from hadiag.model.time import NS
from hadiag.timeline.files import LogFile, in_year
from hadiag.timeline.zones import DAY, HALF_HOUR, Clue, Turn, ZonePlan

_SIZES: Final = (3600 * NS, 1800 * NS)
"""Sizes of a change (half an hour on Lord Howe Island)."""
_QUIET: Final = 600 * NS
"""Longest silence around a change back."""
_SOON: Final = 120 * NS
"""Largest distance of the lines around a change forward from it: an hour without lines alone means little."""
_FIRM: Final = 3
"""Weight of clues that may contradict a change."""


def turns(files: Iterable[LogFile]) -> list[Turn]:
    """Changes that the zone-less files of one node show, by wall time; those that several files show once."""
    backs: list[Turn] = []
    skips: dict[int, list[Turn]] = defaultdict(list)
    for file in files:
        backs.extend(_backs(file))
        for turn in _skips(file):
            skips[turn.first // DAY].append(turn)
    shown: Counter[int] = Counter(turn.first // DAY for turn in backs)
    found = [_joined([t for t in backs if t.first // DAY == day]) for day in sorted(shown)]
    found += [_joined(rows) for _, rows in sorted(skips.items()) if len(rows) > 1 and len({t.size for t in rows}) == 1]
    return sorted((turn for turn in found if turn), key=lambda turn: turn.first)


def _joined(rows: Sequence[Turn]) -> Turn:
    """What several files show of one change: the lines nearest to it."""
    size = rows[0].size
    same = [turn for turn in rows if turn.size == size]
    lines: dict[tuple[str, str], int] = {}
    for turn in same:
        for key, line in turn.lines.items():
            lines.setdefault(key, line)
    return Turn(max(turn.last for turn in same), min(turn.first for turn in same), size, lines)


def _backs(file: LogFile) -> Iterator[Turn]:
    for index in range(1, len(file.runs)):
        before, after = file.runs[index - 1], file.runs[index]
        last, first = file.wall(before.last, before.last_line), file.wall(after.first, after.first_line)
        if (
            before.last.utc_offset_s is not None
            or after.first.utc_offset_s is not None
            or last is None
            or first is None
        ):
            continue
        for size in _SIZES:
            if size - _QUIET <= last - first <= size:
                yield Turn(last, first, size, {file.key: after.first_line})
                break


def _skips(file: LogFile) -> Iterator[Turn]:
    """Gaps from right before a half hour to right behind the same a whole change later, on a Sunday."""
    if file.summary is None or not file.is_zoneless:
        return
    for gap in file.summary.gaps:
        run = file.run(gap.line)
        year = file.years[run] if file.runs else None
        dated = bool(file.runs) and file.runs[run].first.has_year
        if year is None:
            continue
        last, first = (wall if dated else in_year(wall, year) for wall in (gap.start_wall_ns, gap.end_wall_ns))
        border = -(-last // HALF_HOUR) * HALF_HOUR
        for size in _SIZES:
            begun = first - border - size
            if (
                border - last <= _SOON and 0 <= begun <= _SOON and (first // DAY + 4) % 7 == 0
            ):  # 1970 began on a Thursday
                yield Turn(last, first, -size, {file.key: gap.line})


def with_turns(plan: ZonePlan, found: Sequence[Turn], clues: Sequence[Clue]) -> ZonePlan:
    """A plan of one offset, with the changes that the files show and no clue contradicts."""
    if len(plan.segments) > 1 or plan.zone:
        return plan
    offset = plan.segments[0][1]
    for turn in found:
        # the offset that is known may be the one before or the one behind the change
        support = {after: _support(clues, turn, after) for after in (offset, offset - turn.size) if turn.fits(after)}
        after = max(
            (each for each in support if support[each] is not None), key=lambda each: support[each] or 0, default=None
        )
        if after is not None:
            return ZonePlan(((None, after + turn.size), (turn.moment(after), after)), plan.basis)
    return plan


def _support(clues: Sequence[Clue], turn: Turn, after: int) -> int | None:
    """Weight of the clues that have the offset of their side, None where a firm one has not.

    In a file that shows the change the line of a clue tells its side.
    """
    total = 0
    for clue in clues:
        line = turn.lines.get(clue.path)
        behind = clue.line >= line if line is not None and clue.line else clue.utc_ns >= turn.moment(after)
        if clue.offset == (after if behind else after + turn.size):
            total += clue.weight
        elif clue.weight >= _FIRM:
            return None
    return total
