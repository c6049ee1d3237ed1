"""Whose clock stepped, where the clocks of two nodes jump against each other.

A jump lies between the last pair of one piece of a skew and the first pair of the next. A step back leaves a trace in the
logs of the node that made it (they run back in time), a step forward leaves a gap at least as long as the step. So a jump
where a known step lies is the rest of its size, and one that the node itself would have shown is a step of the reference.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.timeline.ended import ends_of, fencing_results, step_of
from hadiag.timeline.known import STARTS
from hadiag.timeline.nodelines import NodeLines
from hadiag.timeline.sample import Sample
from hadiag.timeline.skew import Skew
from hadiag.timeline.steps import CHANGES, Step, cuts, insert

JUMP: Final = NS
"""Pieces of a skew that differ by at least this are a step, less is drift."""
_NEAR: Final = 120 * NS
_SLACK: Final = NS
_PRINTED: Final = NS // 2 + 1
"""A shared fact lies in the middle of the unit that its line prints."""
_AROUND: Final = 600 * NS
"""How often a node logs is told by what it logged so long before and after."""
_AWAY: Final = 10 * NS
"""A machine that was suspended is back in the cluster so soon."""

Steps = dict[Node, list[Step]]


@record
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

    def __init__(self, lines: Mapping[Node, NodeLines], steps: Steps, reference: Node) -> None:
        self.steps = steps
        self.reference = reference
        self._lines = lines
        self._ends = fencing_results(sample for each in lines.values() for sample in each.samples)

    def improve(self, skews: Mapping[Node, Skew]) -> Node | None:
        """Correct the steps by one jump: those of the node that is returned; None where nothing is left to correct."""
        others = self._jumps(skews)
        for jump in (jump for found in others.values() for jump in found):
            corrected = self._resize(jump) or self._withdraw(jump)
            if corrected is not None:
                return corrected
            if self._owner(jump, others) == self.reference and self._of_reference(jump):
                return self.reference
        return self._outlived(skews)

    def _jumps(self, skews: Mapping[Node, Skew]) -> dict[Node, list[Jump]]:
        """Jumps of all nodes that are compared with the reference."""
        return {n: list(jumps_of(n, s)) for n, s in skews.items() if n != self.reference and s.pieces}

    def _outlived(self, skews: Mapping[Node, Skew]) -> Node | None:
        """Add a step that only the end of a node tells, if it has none of an uncertain size yet."""
        for node in sorted(skews):
            unsure = any(not step.exact for step in self.steps.get(node, ()))
            ends = sorted(ends_of(self._ends, node, skews)) if skews[node].pieces and not unsure else []
            known = self._shown(node, skews) if ends else []
            for end in ends:
                step = step_of(self._lines[node].ordered, skews[node], known, end)
                if step is not None:
                    self.steps[node] = insert(self.steps.get(node, []), step)
                    return node
        return None

    def open_jumps(self, skews: Mapping[Node, Skew]) -> dict[Node, list[Jump]]:
        """Jumps of which nothing tells whether the node made them, or the reference the other way."""
        others = self._jumps(skews)
        return {
            node: found
            for node, jumps in others.items()
            if (found := [jump for jump in jumps if self._owner(jump, others) is None])
        }

    def _resize(self, jump: Jump) -> Node | None:
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
                    return node
        return None

    def _withdraw(self, jump: Jump) -> Node | None:
        """Drop a step that a journal measured and that the peers' clocks do not show: the machine was suspended meanwhile."""
        for node, size, (low, high) in (
            (jump.node, jump.size, (jump.low, jump.high)),
            (self.reference, -jump.size, jump.on_reference),
        ):
            slack = abs(size) + _SLACK
            for step, cut in self._cuts(node):
                if step.measured and low - slack <= cut <= high + slack and abs(size + step.by) < JUMP:
                    self.steps[node] = [each for each in self.steps[node] if each is not step]
                    return node
        return None

    def widened(self, skews: Mapping[Node, Skew], unclear: Mapping[Node, Sequence[Jump]]) -> dict[Node, Skew]:
        """Skews whose error holds also where the size of a step rests on the order of a log alone, with pairs on one side.

        ``unclear`` are the open jumps; between their bounds either clock may be off by their size.
        """
        wide = dict(skews)
        for node, skew in skews.items():
            cuts = self._cuts(node)
            if skew.pieces and any(not step.exact for step, _ in cuts):
                wide[node] = self._wide(node, skew, cuts, self._shown(node, skews))
        for node, jumps in unclear.items():
            for jump in jumps:
                earliest, latest = sorted(jump.on_reference)
                behind = max(jump.high - _PRINTED, jump.bound)
                for each, low, high in ((node, jump.low, behind), (self.reference, earliest, latest - _PRINTED)):
                    wide[each] = wide[each].less_sure((low + 1, max(high, low + 2)), abs(jump.size))
        return wide

    def _shown(self, node: Node, skews: Mapping[Node, Skew]) -> list[int]:
        """Times of the facts that a node shares with others, on its own corrected clock."""
        if node == self.reference:
            others = (skew for other, skew in skews.items() if other != node)
            return sorted(t - piece.skew for skew in others for piece in skew.pieces for t in piece.times)
        return sorted(t for piece in skews[node].pieces for t in piece.times)

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
        return cuts(self.steps.get(node, []), self._lines[node].base if node in self._lines else 0)

    def _between(self, node: Node, low: int, high: int) -> Sequence[Sample]:
        return self._lines[node].between(low - _SLACK, high + _SLACK)

    def _told(self, node: Node, low: int, high: int) -> list[Sample]:
        return [sample for sample in self._between(node, low, high) if sample.raw.type in CHANGES]

    def _owner(self, jump: Jump, others: Mapping[Node, Sequence[Jump]]) -> Node | None:
        """The node whose clock made a jump; None where both may have made it.

        With three nodes the others tell. With two it is who tells of a change, or was away just so long (a machine that is
        suspended falls behind). Else a step forward needs a gap in the log as long as itself, and one back that no log shows a
        silence as long, which a node that logs all the time does not have.
        """
        low, high = sorted(jump.on_reference)
        if len(others) > 1:
            alike = all(any(abs(other.size - jump.size) < NS for other in found) for found in others.values())
            return self.reference if alike else jump.node
        if self._told(jump.node, jump.low - _NEAR, jump.high + _NEAR):
            return jump.node
        if self._told(self.reference, low - _NEAR, high + _NEAR):
            return self.reference
        mine, theirs = (jump.node, jump.low, jump.high), (self.reference, low, high)
        ahead, behind = (mine, theirs) if jump.size > 0 else (theirs, mine)
        size = abs(jump.size)
        started = any(each.raw.type in STARTS for each in self._between(*behind))
        if not started and self._was_away(behind[0], ahead, size):
            return behind[0]
        forward = self._longest(*ahead) >= size - _SLACK
        back = self._longest(behind[0], behind[1] - _AROUND, behind[2] + _AROUND) >= size
        if forward == back:  # both may have made it, or each of them a part of it
            return None
        return ahead[0] if forward else behind[0]

    def _was_away(self, node: Node, peer: tuple[Node, int, int], size: int) -> bool:
        """Tell whether the peer lost a node, and had it back, about as long after as its clock fell behind."""
        lost = None
        for each in self._between(*peer):
            if each.raw.type == "pcmk.node.state" and str(each.raw.fields.get("node")) == str(node):
                if each.raw.fields.get("state") == "lost":
                    lost = each.own
                elif lost is not None:
                    away = each.own - lost
                    return size - _AWAY <= away <= size + _AWAY
        return False

    def _longest(self, node: Node, low: int, high: int) -> int:
        """Longest time between two events of a node in a stretch of its own time."""
        return max((after.own - before.own for before, after in pairwise(self._between(node, low, high))), default=0)

    def _of_reference(self, jump: Jump) -> bool:
        """Make it a step of the reference: where it tells of it, else behind its longest gap."""
        low, high = jump.on_reference
        told = self._told(self.reference, min(low, high) - _NEAR, max(low, high) + _NEAR)
        at, gap = (told[0], 0) if told else self._behind_gap(jump)
        if at is None or at.utc is None:
            return False
        exact = Step(at.utc + min(jump.size, 0), at.utc, -jump.size, {}, exact=True)
        exact.elapsed = max(gap + jump.size, 0) if jump.size < 0 else 0
        self.steps[self.reference] = insert(self.steps.get(self.reference, []), exact)
        return True

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
