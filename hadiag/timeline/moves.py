"""A node whose zone somebody changed while it ran: its stamps jump by whole quarters of an hour, and its clock does not.

A step of the clock looks the same in the stamps, but the epochs that daemons print step along with it. So the epochs before and
behind the jump decide: if their distance from the stamps changed by just the jump, it was the zone. Each daemon changes over at a
time of its own (some only at their restart), so every file has its own place of the jump.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from hadiag.model.time import NS, TimeBasis
from hadiag.timeline.files import LogFile, in_year
from hadiag.timeline.zones import HIGHEST, LOWEST, QUARTER, Clue, Turn, ZonePlan

_SILENCE: Final = 300 * NS
"""Longest silence in a file around its jump."""
_FIRM: Final = 3
_SURE: Final = 10
"""Weight of epochs that each side needs."""
_EXACT: Final = 5 * NS
"""Largest silence around a jump that only its size betrays."""
_APART: Final = 86_400 * NS


def jumps(files: Iterable[LogFile]) -> list[Turn]:
    """Places in the zone-less files of a node where the stamps jump by about whole quarters of an hour."""
    return [turn for file in files if file.is_zoneless for turn in (*_back(file), *_forward(file))]


def _back(file: LogFile) -> Iterator[Turn]:
    for index in range(1, len(file.runs)):
        before, after = file.runs[index - 1], file.runs[index]
        last, first = file.wall(before.last, before.last_line), file.wall(after.first, after.first_line)
        if last is not None and first is not None:
            size = -(-(last - first) // QUARTER) * QUARTER
            if 0 < size <= HIGHEST - LOWEST and size - (last - first) <= _SILENCE:
                yield _jump(last, first, size, file, after.first_line)


def _forward(file: LogFile) -> Iterator[Turn]:
    for gap in file.summary.gaps if file.summary is not None else ():
        run = file.run(gap.line)
        year = file.years[run] if file.runs else None
        if year is None:
            continue
        dated = file.runs[run].first.has_year
        last, first = (wall if dated else in_year(wall, year) for wall in (gap.start_wall_ns, gap.end_wall_ns))
        size = (first - last) // QUARTER * QUARTER
        if 0 < size <= HIGHEST - LOWEST and first - last - size <= _SILENCE:
            yield _jump(last, first, -size, file, gap.line)


def _jump(last: int, first: int, size: int, file: LogFile, line: int) -> Turn:
    return Turn(last, first, size, {file.key: line}, anywhen=True)


def moved_plan(clues: Sequence[Clue], found: Sequence[Turn], daylight: Sequence[Turn] = ()) -> ZonePlan | None:
    """Plan of a node whose zone was changed once, as its epochs and its files show; None where they show no such thing.

    ``daylight`` are the changes to or from daylight-saving time that the files show: those are no moves.
    """
    firm = sorted((clue for clue in clues if clue.weight >= _FIRM), key=lambda clue: clue.utc_ns)
    sides: dict[int, list[Clue]] = defaultdict(list)
    for clue in firm:
        sides[clue.offset].append(clue)
    strong = [offset for offset, mine in sides.items() if sum(clue.weight for clue in mine) >= _SURE]
    if len(strong) != 2 or 10 * sum(len(sides[offset]) for offset in strong) < 9 * len(firm):
        return None
    first, second = sorted(strong, key=lambda offset: sides[offset][0].utc_ns)
    last, next_ = sides[first][-1], sides[second][0]
    if last.utc_ns > next_.utc_ns:
        return None
    if any(turn.size == first - second for turn in daylight):
        return None
    moments = [turn.moment(second) for turn in found if turn.size == first - second]
    between = [moment for moment in moments if last.utc_ns - 2 * NS <= moment <= next_.utc_ns + 2 * NS]
    if not between:
        return None
    return ZonePlan(((None, first), (min(between), second)), TimeBasis.EPOCH_ANCHOR, moved=True)


def shown_plan(
    clues: Sequence[Clue], found: Sequence[Turn], stepped: Sequence[int], zones: Sequence[str]
) -> ZonePlan | None:
    """Plan of a node whose epochs are all on one side of a jump that several of its files show to the second.

    Args:
        clues: what ties stamps of the node to absolute times.
        found: jumps of its files.
        stepped: wall times at which a daemon says that the clock was changed: then it was not the zone.
        zones: zones that ``timedatectl`` said it had set.
    """
    firm = [clue for clue in clues if clue.weight >= _FIRM]
    offsets = {clue.offset for clue in firm}
    if len(offsets) != 1:
        return None
    offset = offsets.pop()
    for size, mine in sorted(_by_size(found).items()):
        files = {key for turn in mine for key in turn.lines}
        sides = {_is_behind(clue, mine) for clue in firm}
        told = any(abs(wall - turn.first) <= _SILENCE for wall in stepped for turn in mine)
        # forward, the silence of a quiet cluster between two rechecks looks just like it
        shown = bool(zones) or (size > 0 and len(files) > 1)
        if not shown or len(sides) != 1 or told:
            continue
        after = offset if sides.pop() else offset - size
        if LOWEST <= after <= HIGHEST and LOWEST <= after + size <= HIGHEST:
            at = min(turn.moment(after) for turn in mine)
            return ZonePlan(((None, after + size), (at, after)), TimeBasis.EPOCH_ANCHOR, moved=True)
    return None


def _by_size(found: Sequence[Turn]) -> dict[int, list[Turn]]:
    sizes: dict[int, list[Turn]] = defaultdict(list)
    for turn in found:
        if (turn.size - (turn.last - turn.first)) <= _EXACT:
            sizes[turn.size].append(turn)
    return sizes


def _is_behind(clue: Clue, mine: Sequence[Turn]) -> bool:
    """Whether the line of a clue is behind the jump: by its line where its file shows it, else by its stamp."""
    for turn in mine:
        if clue.path in turn.lines:
            return clue.line >= turn.lines[clue.path]
    return clue.wall_ns >= max(turn.first for turn in mine)


def place(file: LogFile, plan: ZonePlan, found: Sequence[Turn]) -> int | None:
    """First line of a file in the new zone, None where the file shows no jump of that size about that time."""
    (_, before), (at, after) = plan.segments[0], plan.segments[-1]
    mine = [turn for turn in found if file.key in turn.lines and turn.size == before - after]
    near = [turn for turn in mine if abs(turn.moment(after) - (at or 0)) <= _APART]
    return min(near, key=lambda turn: abs(turn.moment(after) - (at or 0))).lines[file.key] if near else None
