"""Whose clock stepped, where the clocks of two nodes jump against each other.

A jump lies between the last pair of one piece of a skew and the first pair of the next. A step back leaves a trace in the
logs of the node that made it (they run back in time), a step forward leaves a gap at least as long as the step. So a jump
where a known step lies is the rest of its size, and one that the node itself would have shown is a step of the reference.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.timeline.sample import Sample
from hadiag.timeline.skew import Skew
from hadiag.timeline.steps import CHANGES, Step, cuts, insert

JUMP: Final = NS
"""Pieces of a skew that differ by at least this are a step, less is drift."""
_NEAR: Final = 120 * NS
_SLACK: Final = NS
_STARTS: Final = frozenset(
    {"corosync.main.starting", "corosync.main.started_2x", "kernel.boot", "systemd.boot", "pacemakerd.start"}
)

Steps = dict[Node, list[Step]]


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of a node's clock against the reference by ``size``, between two of the node's own times."""

    node: Node
    size: int
    low: int
    high: int
    skew: int
    """Skew before it."""
    bound: int
    """Where the new piece begins."""

    @property
    def on_reference(self) -> tuple[int, int]:
        """The bounds on the clock of the reference."""
        return self.low - self.skew, self.high - self.skew - self.size


def jumps_of(node: Node, skew: Skew) -> Iterator[Jump]:
    """Jumps of a skew, in time order."""
    for before, after in pairwise(skew.pieces):
        size = after.skew - before.skew
        if abs(size) >= JUMP and after.start is not None and before.times and after.times:
            yield Jump(node, size, before.times[-1], after.times[0], before.skew, after.start)


class Attribution:
    """Turns jumps into steps of the node that made them."""

    def __init__(self, samples: Sequence[Sample], steps: Steps, bases: Mapping[Node, int], reference: Node) -> None:
        self.steps = steps
        self.bases = bases
        self.reference = reference
        self.by_node: dict[Node, list[Sample]] = {}
        for sample in samples:
            if sample.utc is not None:
                self.by_node.setdefault(sample.node, []).append(sample)
        self._ordered: dict[Node, list[Sample]] = {}

    def improve(self, skews: Mapping[Node, Skew]) -> bool:
        """Correct the steps by one jump; False where nothing is left to correct."""
        others = {n: list(jumps_of(n, s)) for n, s in skews.items() if n != self.reference and s.pieces}
        for jump in (jump for found in others.values() for jump in found):
            if self._resize(jump) or self._is_of_reference(jump, others):
                return True
        return False

    def _resize(self, jump: Jump) -> bool:
        """The rest of the size of a step that the logs show: of the node's own, or of the reference's."""
        for node, size, bounds in (
            (jump.node, jump.size, (jump.low, jump.high)),
            (self.reference, -jump.size, jump.on_reference),
        ):
            low, high = bounds
            for step, cut in self._cuts(node):
                if not step.exact and low - _SLACK <= cut <= high + _SLACK and size * step.by > 0:
                    step.elapsed = abs(size) if size < 0 else 0
                    step.by += size
                    step.exact = True
                    return True
        return False

    def widened(self, skews: Mapping[Node, Skew]) -> dict[Node, Skew]:
        """Skews whose error holds also where the size of a step rests on the order of a log alone, with pairs on one side."""
        wide = dict(skews)
        for node, skew in skews.items():
            if node == self.reference:
                shown = (t - p.skew for n, other in skews.items() if n != node for p in other.pieces for t in p.times)
            else:
                shown = (t for piece in skew.pieces for t in piece.times)
            cuts = self._cuts(node)
            if skew.pieces and any(not step.exact for step, _ in cuts):
                wide[node] = self._wide(node, skew, cuts, sorted(shown))
        return wide

    def _wide(self, node: Node, skew: Skew, cuts: Sequence[tuple[Step, int]], shown: Sequence[int]) -> Skew:
        ends = [None, *(cut for _, cut in cuts), None]
        for index, (step, cut) in enumerate(cuts):
            before, after = _within(shown, ends[index], cut), _within(shown, cut, ends[index + 2])
            if step.exact:
                continue
            near = self._between(node, cut - _NEAR, cut + _NEAR)
            slack = max((b.own - a.own for a, b in pairwise(near)), default=0) + NS
            if before and after:  # what is left of the size is less than a jump
                slack = min(slack, JUMP)
            skew = skew.less_sure((cut, ends[index + 2]) if before >= after else (ends[index], cut), slack)
        return skew

    def _cuts(self, node: Node) -> list[tuple[Step, int]]:
        """Steps of a node with the step-corrected time at which each happened."""
        return cuts(self.steps.get(node, []), self.bases.get(node, 0))

    def _between(self, node: Node, low: int, high: int) -> list[Sample]:
        mine = self._ordered.get(node)
        if mine is None:
            mine = sorted(self.by_node.get(node, ()), key=lambda each: (each.own, each.raw.ref.line))
            self._ordered[node] = mine
        first = bisect_left(mine, low - _SLACK, key=lambda each: each.own)
        return mine[first : bisect_right(mine, high + _SLACK, key=lambda each: each.own)]

    def _told(self, node: Node, low: int, high: int) -> list[Sample]:
        return [sample for sample in self._between(node, low, high) if sample.raw.type in CHANGES]

    def _is_of_reference(self, jump: Jump, others: Mapping[Node, Sequence[Jump]]) -> bool:
        """Make it a step of the reference where all others show it, or where it alone can have made it."""
        low, high = jump.on_reference
        told = self._told(self.reference, min(low, high) - _NEAR, max(low, high) + _NEAR)
        if len(others) > 1:
            alike = all(any(abs(other.size - jump.size) < NS for other in found) for found in others.values())
        else:
            own = self._told(jump.node, jump.low - _NEAR, jump.high + _NEAR)
            alike = not own and (bool(told) or self._left_a_gap(jump))
        if not alike:
            return False
        at, gap = (told[0], 0) if told else self._behind_gap(jump)
        if at is None or at.utc is None:
            return False
        exact = Step(at.utc + min(jump.size, 0), at.utc, -jump.size, {}, exact=True)
        exact.elapsed = max(gap + jump.size, 0) if jump.size < 0 else 0
        self.steps[self.reference] = insert(self.steps.get(self.reference, []), exact)
        return True

    def _left_a_gap(self, jump: Jump) -> bool:
        """A step forward of the reference leaves a gap in its logs, and one back of the node would show in its own.

        A machine that was suspended falls behind as well: its peers lost it meanwhile, and it did not start anew.
        """
        behind, _ = self._behind_gap(jump)
        if jump.size > 0 or behind is None:
            return False
        started = any(each.raw.type in _STARTS for each in self._between(jump.node, jump.low, jump.high))
        lost = any(
            each.raw.type == "pcmk.node.state"
            and each.raw.fields.get("state") == "lost"
            and str(each.raw.fields.get("node")) == str(jump.node)
            for each in self._between(self.reference, *sorted(jump.on_reference))
            if each.own < behind.own
        )
        return started or not lost

    def _behind_gap(self, jump: Jump) -> tuple[Sample | None, int]:
        """First event of the reference behind its largest gap around a jump, and the gap; None where it is shorter than the jump."""
        low, high = jump.on_reference
        inside = self._between(self.reference, min(low, high), max(low, high))
        widest = max(pairwise(inside), key=lambda pair: pair[1].own - pair[0].own, default=None)
        gap = widest[1].own - widest[0].own if widest else 0
        if widest is None or (jump.size < 0 and gap < -jump.size - _SLACK):
            return None, 0
        return widest[1], gap


def _within(times: Sequence[int], low: int | None, high: int | None) -> int:
    """Number of the times between two bounds, None for open."""
    return (len(times) if high is None else bisect_left(times, high)) - (0 if low is None else bisect_left(times, low))
