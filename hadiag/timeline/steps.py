"""Steps of a node's wall clock: what its journals measure, where its files run back in time, and what daemons say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.timeline.files import LogFile
from hadiag.timeline.sample import Sample
from hadiag.timeline.uptimes import Key, Measure, measured
from hadiag.timeline.zones import DAY

_FAMILIES: Final = frozenset({"pacemaker", "corosync", "journal", "system", "kernel"})
_SMALLEST: Final = 2 * NS
"""Several processes write one log: lines out of order by less than this are no step."""
_ALONE: Final = 10 * NS
"""A step back that only one file shows, and no daemon tells, must be this large."""
_LARGEST: Final = 180 * DAY
_NEAR: Final = 300 * NS
_NEVER: Final = np.iinfo(np.int64).max
_MOST: Final = 5
"""A file that runs back more often than this was merged or sorted, not stepped."""
CHANGES: Final = frozenset(
    {
        *("systemd.time_changed", "journald.time_jump"),
        *("chrony.step", "chrony.forward", "chrony.backward", "ntpd.step"),
    }
)
"""Events that tell of a change of the clock; some carry the size in the field ``offset_s``."""
_AT_ONCE: Final = 2 * NS
"""Daemons tell of a step this soon after it."""

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Step:
    """A jump of a wall clock: from ``before`` to ``after`` on the node's own clock, by ``by`` ns (positive: forward).

    ``firsts`` tells for each file that shows it the first line behind it. ``exact`` is the size where a journal measured it,
    a daemon printed it, or anchors on both sides tell it; the order of a log shows too small a size, since time passed
    between its two lines.
    """

    before: int
    after: int
    by: int
    firsts: dict[Key, int]
    exact: bool = False
    elapsed: int = 0
    """Time that passed between the lines before and behind it, where that is known."""
    measured: bool = False
    """Against a clock that nobody sets; it stands still while a machine is suspended, so that waking up looks like a step."""
    told: int | None = None
    """Time behind it at which a daemon told of it."""


def stretches(steps: Sequence[Step], file: Key, lines: Ints, utc: Ints) -> Ints:
    """Number of the steps that each line of a file stands behind; ``steps`` are in the order in which they happened.

    The place in the file decides where the file shows a step. Else it is the stretch between two steps in which the clock
    showed that time, or the nearest: between a step forward and the time before it the clock showed none. Where it showed a
    time twice, the line stands in the earlier stretch: a file that does not run back stopped early.
    """
    distance = np.zeros((len(steps) + 1, len(lines)), dtype=np.int64)
    for number, step in enumerate(steps):
        distance[number] = np.maximum(distance[number], utc - step.before)
        distance[number + 1] = np.maximum(distance[number + 1], step.after - utc)
    for number, step in enumerate(steps):
        first = step.firsts.get(file)
        if first is not None:
            distance[: number + 1, lines >= first] = _NEVER
            distance[number + 1 :, lines < first] = _NEVER
    return np.asarray(distance.argmin(axis=0), dtype=np.int64)


def find_steps(files: Iterable[LogFile], samples: Sequence[Sample]) -> dict[Node, list[Step]]:
    """Find the steps of each node that its own logs show."""
    told: dict[Node, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.raw.type in CHANGES and sample.utc is not None:
            told[sample.node].append(sample)
    mine: dict[Node, list[LogFile]] = defaultdict(list)
    backs: dict[Node, list[Step]] = defaultdict(list)
    for file in files:
        mine[file.node].append(file)
        found = _run_backs(file)
        if len(found) <= _MOST:
            backs[file.node].extend(found)
    steps: dict[Node, list[Step]] = {}
    for node in sorted({*told, *mine}):
        known = [_of(measure) for measure in measured(mine.get(node, ()))]
        rest = _without(backs.get(node, []), known)
        known += _confirmed(_cluster(rest), told.get(node, []))
        steps[node] = _in_order([*known, *_told_only(known, told.get(node, []))])
        _date(steps[node], told.get(node, []))
    found_any = {node: found for node, found in steps.items() if found}
    _spread(found_any, samples)
    return found_any


def _in_order(steps: Iterable[Step]) -> list[Step]:
    """The order in which steps happened: that of the lines of a file that shows both, else that of the times."""

    def compare(one: Step, other: Step) -> int:
        shared = sorted(one.firsts.keys() & other.firsts.keys())
        lines = next((d for key in shared if (d := one.firsts[key] - other.firsts[key])), 0)
        return lines or one.after - other.after

    return sorted(steps, key=cmp_to_key(compare))


def insert(steps: Sequence[Step], step: Step) -> list[Step]:
    """Add a step to those of a node."""
    return _in_order([*steps, step])


def _of(measure: Measure) -> Step:
    firsts = dict(measure.firsts)
    return Step(measure.before, measure.after, measure.by, firsts, True, measure.elapsed, measured=True)


def _without(backs: Sequence[Step], measured: Sequence[Step]) -> list[Step]:
    """Steps back that no journal measures; the others tell of their step in which line of a file it lies."""
    rest = []
    for back in backs:
        near = [each for each in measured if each.by < 0 and _shows(back, each)]
        if near:
            closest = min(near, key=lambda each: abs(each.after - back.after))
            closest.firsts.update({key: line for key, line in back.firsts.items() if key not in closest.firsts})
            before, after = max(closest.before, back.before), min(closest.after, back.after)
            if after - before >= closest.by:
                closest.before, closest.after, closest.elapsed = before, after, after - before - closest.by
        else:
            rest.append(back)
    return rest


def _shows(back: Step, step: Step) -> bool:
    """Tell whether a file can run back like this because of a step: by no more than its size, and around its time."""
    around = back.before <= step.after - step.by + NS and back.after >= step.before + step.by - NS
    return around and abs(back.by) <= abs(step.by) + NS


def _run_backs(file: LogFile) -> list[Step]:
    """Steps back of a file that holds one host's lines in the order of writing."""
    if file.family not in _FAMILIES or len(file.nodes) > 1:
        return []
    found = []
    for index in range(1, len(file.runs)):
        before, after = file.runs[index - 1], file.runs[index]
        last, first = file.utc(before.last, before.last_line), file.utc(after.first, after.first_line)
        if last is not None and first is not None and _SMALLEST <= last - first <= _LARGEST:
            found.append(Step(last, first, first - last, {file.key: after.first_line}))
    return found


def _cluster(backs: Sequence[Step]) -> list[Step]:
    """Join what several files show of one step. The busiest file shows most of its size.

    A file that runs back twice shows two steps, however near.
    """
    joined: list[Step] = []
    for step in sorted(backs, key=lambda each: (each.after, each.before)):
        near = [each for each in joined if _is_near(each, step) and not each.firsts.keys() & step.firsts.keys()]
        if not near:
            joined.append(step)
            continue
        known = min(near, key=lambda each: abs(each.after - step.after))
        known.firsts.update(step.firsts)
        known.by = min(known.by, step.by)
        known.before, known.after = max(known.before, step.before), min(known.after, step.after)
    return joined


def _is_near(one: Step, other: Step) -> bool:
    return abs(one.after - other.after) < _NEAR and abs(one.before - other.before) < _NEAR


def _told_size(sample: Sample) -> int | None:
    """Size that a daemon prints, in ns; chrony and ntpd print seconds with sign, positive is forward."""
    try:
        seconds = float(str(sample.raw.fields.get("offset_s")).rstrip("s "))
    except ValueError:
        return None
    return round(seconds * NS) if abs(seconds) < 1e7 else None


def _confirmed(steps: Iterable[Step], told: Sequence[Sample]) -> list[Step]:
    kept = []
    for step in steps:
        near = [sample for sample in told if abs((sample.utc or 0) - step.after) < _NEAR]
        sizes = [size for size in map(_told_size, near) if size is not None and size < 0]
        if sizes and abs(sizes[0]) >= abs(step.by):
            step.by, step.exact = sizes[0], True
        if near or len(step.firsts) > 1 or abs(step.by) >= _ALONE:
            kept.append(step)
    return kept


def _told_only(known: Sequence[Step], told: Sequence[Sample]) -> list[Step]:
    """Steps whose size a daemon prints and that no file shows by itself."""
    found: list[Step] = []
    for sample in told:
        size, at = _told_size(sample), sample.utc or 0
        if size is None or abs(size) < _SMALLEST:
            continue
        if not any(abs(step.after - at) < _NEAR and step.by * size > 0 for step in (*known, *found)):
            firsts = {each.file.key: each.raw.ref.line for each in (sample, *sample.copies)}
            found.append(Step(at - size, at, size, firsts, exact=True))
    return found


def _date(steps: Sequence[Step], told: Sequence[Sample]) -> None:
    for step in steps:
        near = [sample.utc for sample in told if sample.utc is not None and abs(sample.utc - step.after) <= _AT_ONCE]
        step.told = min(near, key=lambda at: abs(at - step.after), default=None)


def _spread(steps: Mapping[Node, Sequence[Step]], samples: Iterable[Sample]) -> None:
    """Let copies of a line tell where a measured step lies in files that do not show it: behind it, if the copy is.

    So are the lines of such a file that follow each other at once up to the first of these.
    """
    kept = {node: [each for each in found if each.measured and each.by < each.elapsed] for node, found in steps.items()}
    lines: dict[Key, dict[int, int]] = defaultdict(dict)
    learned: dict[int, dict[Key, tuple[int, int]]] = defaultdict(dict)
    for sample in (sample for sample in samples if kept.get(sample.node)):
        copies = [sample, *sample.copies]
        for each in copies:
            lines[each.file.key][each.raw.ref.line] = each.utc or 0
        for step in kept[sample.node] if sample.copies else ():
            behind = any(each.raw.ref.line >= step.firsts.get(each.file.key, each.raw.ref.line + 1) for each in copies)
            for each in copies:
                low, high = learned[id(step)].get(each.file.key, (0, _NEVER))
                line = each.raw.ref.line
                learned[id(step)][each.file.key] = (low, min(high, line)) if behind else (max(low, line), high)
    for step in (each for found in kept.values() for each in found):
        for key, (low, high) in learned[id(step)].items():
            if key not in step.firsts and high != _NEVER:
                step.firsts[key] = _first_at_once(lines[key], low, high)


def _first_at_once(times: Mapping[int, int], low: int, high: int) -> int:
    """The first of the lines behind ``low`` that follow each other at once up to the line ``high``."""
    first = high
    for line in sorted((line for line in times if low < line < high), reverse=True):
        if not 0 <= times[first] - times[line] <= _AT_ONCE:
            break
        first = line
    return first


def cuts(steps: Sequence[Step], base: int) -> list[tuple[Step, int]]:
    """Steps of a node with the time of the first line behind each on its corrected clock."""
    passed, found = -base, []
    for step in steps:
        passed += step.by
        found.append((step, step.after - passed))
    return found
