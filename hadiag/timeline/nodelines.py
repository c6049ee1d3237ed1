"""The dated lines of one node on its own clock, the steps of that clock taken out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hadiag.model.entity import Node
from hadiag.timeline.sample import Sample
from hadiag.timeline.steps import Step, stretches
from hadiag.timeline.uptimes import Key

Ints = NDArray[np.int64]


class NodeLines:
    """Lines of a node that have a time. Their order by the corrected clock is kept until that is corrected anew.

    Attributes:
        samples: the lines, by file.
        base: sum of the steps before the stretch whose times are left as they are.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples
        self.base = 0
        self._utc = np.fromiter((each.utc or 0 for each in samples), dtype=np.int64, count=len(samples))
        self._numbers = np.fromiter((each.raw.ref.line for each in samples), dtype=np.int64, count=len(samples))
        self._own = self._utc
        self._files = _by_file(samples)
        self._ordered: list[Sample] | None = None
        self._owns: list[int] | None = None

    def correct(self, steps: Sequence[Step]) -> None:
        """Take the steps out of ``own``: times continue those of the longest stretch between steps."""
        self._ordered = self._owns = None
        stretch = self._stretches(steps)
        passed = np.cumsum([0, *(step.by for step in steps)])
        self.base = int(passed[_longest(self._utc, stretch)]) if steps else 0
        self._own = self._utc - passed[stretch] + self.base
        for sample, own in zip(self.samples, self._own.tolist(), strict=True):
            sample.own = own if sample.utc != own else sample.utc or 0  # most are: one number less for each

    @property
    def ordered(self) -> Sequence[Sample]:
        """The lines in the order of the corrected clock."""
        if self._ordered is None:
            order = np.lexsort((self._numbers, self._own))
            self._ordered = [self.samples[row] for row in order.tolist()]
        return self._ordered

    @property
    def owns(self) -> Sequence[int]:
        """Times of the lines by the corrected clock, in order."""
        if self._owns is None:
            self._owns = [sample.own for sample in self.ordered]
        return self._owns

    def between(self, low: int, high: int) -> Sequence[Sample]:
        """Lines from one time to another, both included, in order."""
        return self.ordered[bisect_left(self.owns, low) : bisect_right(self.owns, high)]

    def moments(self, steps: Sequence[Step]) -> list[tuple[int, int]]:
        """Bounds of each step on the corrected clock: the last line before it and the first behind it."""
        if not steps or not self.samples:
            return [(step.after, step.after) for step in steps]
        order = np.argsort(self._own, kind="stable")
        own, stretch = self._own[order], self._stretches(steps)[order]
        found, passed = [], -self.base
        for number, step in enumerate(steps):
            before, behind = own[stretch <= number], own[stretch > number]
            low, high = step.before - passed, step.after - passed - step.by
            passed += step.by
            if step.told is not None:
                low = high = step.told - passed
            elif step.exact and step.firsts:
                low, high = max([low, *before[-1:].tolist()]), min([high, *behind[:1].tolist()])
            elif len(before) and len(behind):
                low, high = int(before[-1]), int(behind[0])
            else:
                low = high
            found.append((low, high) if low <= high else ((low + high) // 2,) * 2)
        return found

    def _stretches(self, steps: Sequence[Step]) -> Ints:
        """Number of the steps that each line stands behind."""
        found = np.zeros(len(self.samples), dtype=np.int64)
        for key, rows in self._files if steps else ():
            found[rows] = stretches(steps, key, self._numbers[rows], self._utc[rows])
        return found


def lines_by_node(samples: Iterable[Sample]) -> dict[Node, NodeLines]:
    """The lines of each node that have a time, nodes by name; ``own`` is their time as it is printed."""
    found: dict[Node, list[Sample]] = defaultdict(list)
    for sample in samples:
        sample.own = sample.utc or 0
        if sample.utc is not None:
            found[sample.node].append(sample)
    return {node: NodeLines(found[node]) for node in sorted(found)}


def _by_file(samples: Sequence[Sample]) -> list[tuple[Key, Ints]]:
    """Places of the lines of each file."""
    rows: dict[Key, list[int]] = defaultdict(list)
    for row, sample in enumerate(samples):
        rows[sample.file.key].append(row)
    return [(key, np.array(its, dtype=np.int64)) for key, its in rows.items()]


def _longest(utc: Ints, stretch: Ints) -> int:
    """The stretch that lasts longest: the clock of most of the log is the right one."""
    found: list[int] = np.flatnonzero(np.bincount(stretch)).tolist()  # np.unique imports numpy.ma
    return max(found, key=lambda number: (int(np.ptp(utc[stretch == number])), number))
