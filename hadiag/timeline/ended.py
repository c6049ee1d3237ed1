"""A step that only the end of a node tells: its log is longer than its life.

A node that was switched off logs nothing any more. Where its last line, by the difference of the clocks that was known last, lies
behind the confirmation of its fencing, nothing of a new life follows, and its log has a gap at least as long, its clock went forward in that gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.timeline.known import STARTS
from hadiag.timeline.sample import Sample
from hadiag.timeline.skew import Skew
from hadiag.timeline.steps import Step

_BOOTS: Final = STARTS | {"journald.start_stop", "rsyslog.start"}
_BOOT: Final = 10 * NS
_RESULTS: Final = frozenset({"fence.op_result", "fence.peer_terminated"})
_SMALLEST: Final = 3 * NS
_LARGEST: Final = 3600 * NS
_SLACK: Final = NS


def fencing_results(samples: Iterable[Sample]) -> list[Sample]:
    """Lines that tell how fencing ended."""
    return [sample for sample in samples if sample.raw.type in _RESULTS and sample.utc is not None]


def ends_of(results: Iterable[Sample], node: Node, skews: Mapping[Node, Skew]) -> Iterator[int]:
    """When others logged that a node was switched off, on the reference clock."""
    for sample in results:
        fields = sample.raw.fields
        if sample.node == node:
            continue
        if str(fields.get("target")) == str(node) and fields.get("result") in ("ok", None) and not fields.get("manual"):
            skew = skews.get(sample.node)
            piece = skew.piece(sample.own) if skew else None
            if piece is not None:
                yield sample.own - piece.skew + piece.error_at(sample.own)


def step_of(mine: Sequence[Sample], skew: Skew, known: Sequence[int], end: int) -> Step | None:
    """The step that the lines of a node behind its end tell.

    ``mine`` are in the order of its corrected clock, by which ``known`` are the times of facts that it shares with others.
    """
    late = [index for index, sample in enumerate(mine) if _aligned(skew, sample) > end]
    if not late or not known or any(_begins(mine, index, late[0]) for index in late):
        return None  # it started anew, or went on: what is late may be of another life
    size = _aligned(skew, mine[-1]) - end
    if size < _SMALLEST:
        return None
    last_known = max((at for at in known if at <= mine[-1].own), default=None)
    if last_known is None or size > _LARGEST:
        return None
    inside = [sample for sample in mine if sample.own >= last_known - _SLACK]
    gap = max(pairwise(inside), key=lambda pair: pair[1].own - pair[0].own, default=None)
    if gap is None or gap[1].own - gap[0].own < size - _SLACK or gap[0].utc is None or gap[1].utc is None:
        return None
    return Step(gap[0].utc, gap[1].utc, size, {})


def _begins(mine: Sequence[Sample], index: int, first: int) -> bool:
    """Tell whether a line begins another life: it says so, or comes after a pause in which a machine may have started.

    The pause before the ``first`` line of all these may be the step.
    """
    pause = mine[index].own - mine[index - 1].own if index > first else 0
    return mine[index].raw.type in _BOOTS or pause > _BOOT


def _aligned(skew: Skew, sample: Sample) -> int:
    piece = skew.piece(sample.own)
    return sample.own - (piece.skew if piece else 0)
