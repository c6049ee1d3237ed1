"""Steps of a node's wall clock: where its files run back in time, and where daemons say that it was changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.timeline.files import LogFile
from hadiag.timeline.sample import Sample
from hadiag.timeline.zones import DAY

_FAMILIES: Final = frozenset({"pacemaker", "corosync", "journal", "system", "kernel"})
_SMALLEST: Final = 2 * NS
"""Several processes write one log: lines out of order by less than this are no step."""
_ALONE: Final = 10 * NS
"""A step back that only one file shows, and no daemon tells, must be this large."""
_LARGEST: Final = 180 * DAY
_NEAR: Final = 300 * NS
_MOST: Final = 5
"""A file that runs back more often than this was merged or sorted, not stepped."""
CHANGES: Final = frozenset({"systemd.time_changed", "chrony.step", "chrony.forward", "chrony.backward", "ntpd.step"})
"""Events that tell of a change of the clock; some carry the size in the field ``offset``."""


@dataclass(slots=True)
class Step:
    """A jump of a wall clock: from ``before`` to ``after`` on the node's own clock, by ``by`` ns (positive: forward).

    ``runs`` tells for each file that shows a step back the run that begins behind it. ``exact`` is the size where a
    daemon printed it or anchors on both sides tell it; the order of a log shows too small a size, since time passed
    between its two lines.
    """

    before: int
    after: int
    by: int
    runs: dict[tuple[str, str], int]
    exact: bool = False
    elapsed: int = 0
    """Time that passed between the lines before and behind it, where that is known."""

    def is_behind(self, file: LogFile, line: int, utc: int) -> bool:
        """Tell whether a line with this time stands behind the step."""
        first = self.runs.get(file.key)
        if first is not None:
            return file.run(line) >= first
        if self.by >= 0:
            return utc >= self.after
        return (
            utc > self.before
        )  # in between the clock showed each time twice; a file that does not run back stopped early


def find_steps(files: Iterable[LogFile], samples: Sequence[Sample]) -> dict[Node, list[Step]]:
    """Find the steps of each node that its own logs show."""
    told: dict[Node, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.raw.type in CHANGES and sample.utc is not None:
            told[sample.node].append(sample)
    backs: dict[Node, list[Step]] = defaultdict(list)
    for file in files:
        found = _run_backs(file)
        if len(found) <= _MOST:
            backs[file.node].extend(found)
    steps: dict[Node, list[Step]] = {}
    for node in sorted({*told, *backs}):
        known = _confirmed(_cluster(backs.get(node, [])), told.get(node, []))
        steps[node] = sorted([*known, *_told_only(known, told.get(node, []))], key=lambda each: each.after)
    return {node: found for node, found in steps.items() if found}


def _run_backs(file: LogFile) -> list[Step]:
    """Steps back of a file that holds one host's lines in the order of writing."""
    if file.family not in _FAMILIES or len(file.nodes) > 1:
        return []
    found = []
    for index in range(1, len(file.runs)):
        before, after = file.runs[index - 1], file.runs[index]
        last, first = file.utc(before.last, before.last_line), file.utc(after.first, after.first_line)
        if last is not None and first is not None and _SMALLEST <= last - first <= _LARGEST:
            found.append(Step(last, first, first - last, {file.key: index}))
    return found


def _cluster(backs: list[Step]) -> list[Step]:
    """Join what several files show of one step. The busiest file shows most of its size."""
    joined: list[Step] = []
    for step in sorted(backs, key=lambda each: (each.after, each.before)):
        known = joined[-1] if joined else None
        if known and abs(known.after - step.after) < _NEAR and abs(known.before - step.before) < _NEAR:
            known.runs.update(step.runs)
            known.by = min(known.by, step.by)
            known.before, known.after = max(known.before, step.before), min(known.after, step.after)
        else:
            joined.append(step)
    return joined


def _told_size(sample: Sample) -> int | None:
    """Size that a daemon prints, in ns; chrony and ntpd print seconds with sign, positive is forward."""
    try:
        seconds = float(str(sample.raw.fields.get("offset")).rstrip("s "))
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
        if near or len(step.runs) > 1 or abs(step.by) >= _ALONE:
            kept.append(step)
    return kept


def _told_only(known: Sequence[Step], told: Sequence[Sample]) -> list[Step]:
    """Steps whose size a daemon prints and that no file shows by itself."""
    found: list[Step] = []
    for sample in told:
        size, at = _told_size(sample), sample.utc or 0
        seen = any(abs(step.after - at) < _NEAR for step in (*known, *found))
        if size is not None and abs(size) >= _SMALLEST and not seen:
            found.append(Step(at - size, at, size, {}, exact=True))
    return found


def correct(samples: Iterable[Sample], steps: Mapping[Node, list[Step]]) -> dict[Node, int]:
    """Take the steps out of ``own``: times continue those of the longest stretch between steps.

    Returns:
        For each node with steps the sum of those before that stretch.
    """
    by_node: dict[Node, list[Sample]] = defaultdict(list)
    for sample in samples:
        sample.own = sample.utc or 0
        if sample.node in steps and sample.utc is not None:
            by_node[sample.node].append(sample)
    bases = {}
    for node, mine in by_node.items():
        utc = np.array([sample.utc for sample in mine], dtype=np.int64)
        behind = _behind(steps[node], mine, utc)
        before = np.array([step.by for step in steps[node]], dtype=np.int64) @ behind
        base = bases[node] = _base(utc, behind.sum(axis=0), before)
        for sample, own in zip(mine, (utc - before + base).tolist(), strict=True):
            sample.own = own
    return bases


def _behind(steps: Sequence[Step], mine: Sequence[Sample], utc: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each step which samples stand behind it (1) and which before (0); see ``Step.is_behind``."""
    rows: dict[tuple[str, str], list[int]] = {}
    wanted = {key for step in steps for key in step.runs}
    for row, sample in enumerate(mine if wanted else ()):
        if sample.file.key in wanted:
            rows.setdefault(sample.file.key, []).append(row)
    found = np.zeros((len(steps), len(mine)), dtype=np.int64)
    for number, step in enumerate(steps):
        found[number] = utc >= step.after if step.by >= 0 else utc > step.before
        for key, first in step.runs.items():
            found[number, rows.get(key, [])] = [
                mine[row].file.run(mine[row].raw.ref.line) >= first for row in rows.get(key, [])
            ]
    return found


def _base(utc: NDArray[np.int64], count: NDArray[np.int64], before: NDArray[np.int64]) -> int:
    """Sum of the steps before the stretch that lasts longest: the clock of most of the log is the right one."""
    longest = max(np.unique(count).tolist(), key=lambda number: (int(np.ptp(utc[count == number])), number))
    return int(before[np.flatnonzero(count == longest)[-1]])
