"""Difference of the nodes' clocks against a reference node, from shared anchors.

The difference is the middle of what the printed units of the pairs leave open (their weighted median, where they scatter
more than that), piecewise constant: where several pairs in a row agree on another value,
a new piece begins (a clock step, or the drift of a clock that nothing disciplines). The error of an instant is its
printed unit, plus what the printed units of the pairs leave open (or 1.48 times their median absolute deviation, where
they scatter more than that), plus the distance to the nearest pair times ``DRIFT``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.timeline.anchors import Anchor, Key, Pair, pairs

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DRIFT: Final = 50e-6
"""Assumed drift of an undisciplined quartz clock, in s per s."""
LATENCY: Final = NS // 50
"""Time that a shared fact takes to reach the log of the last node."""
_SPREAD: Final = 1.4826
_TOLERANCE: Final = NS // 4
"""Pairs that differ by less than this from the median are never outliers."""
_ENOUGH: Final = 5
_RUN: Final = 3
"""Pairs in a row that it takes to begin a new piece; their weights may make up for one."""


@record
class Piece:
    """A stretch of constant difference: bounds on the node's own clock (None: open), difference, error at a pair, times of pairs."""

    start: int | None
    end: int | None
    skew: int
    error: int
    times: tuple[int, ...]

    def error_at(self, own: int) -> int:
        """Error of the difference at a time on the node's own clock."""
        if not self.times:
            return self.error
        index = bisect_left(self.times, own)
        near = min(abs(own - at) for at in self.times[max(index - 1, 0) : index + 1])
        return self.error + int(near * DRIFT)


@dataclass(slots=True)
class Skew:
    """Clock of one node against the reference: pieces in time order; none where nothing is known. ``basis`` says why."""

    pieces: list[Piece] = field(default_factory=list)
    basis: str = "anchors"
    _starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._starts = [piece.start for piece in self.pieces[1:] if piece.start is not None]

    def piece(self, own: int) -> Piece | None:
        """Piece that a time on the node's own clock lies in."""
        return self.pieces[bisect_left(self._starts, own + 1)] if self.pieces else None

    def less_sure(self, stretch: tuple[int | None, int | None], extra: int) -> Skew:
        """The same with a larger error in a stretch of the node's own time."""
        pieces = [part for piece in self.pieces for part in _parts(piece, stretch, extra)]
        return Skew(pieces, self.basis)


def _parts(piece: Piece, stretch: tuple[int | None, int | None], extra: int) -> Iterator[Piece]:
    """A piece, cut at the ends of a stretch; what lies in the stretch has a larger error."""
    low, high = stretch
    edges = [piece.start, *(e for e in (low, high) if e is not None and _inside(piece, e)), piece.end]
    for start, end in pairwise(edges):
        before = low is not None and end is not None and end <= low
        behind = high is not None and start is not None and start >= high
        error = piece.error if before or behind else piece.error + extra
        yield Piece(start, end, piece.skew, error, piece.times)


def _inside(piece: Piece, at: int) -> bool:
    return (piece.start is None or piece.start < at) and (piece.end is None or at < piece.end)


def weighted_median(values: Ints, weights: Ints) -> int:
    """Median of weighted values; the middle of the two halves' inner values on a tie."""
    order = np.argsort(values, kind="stable")
    run = np.cumsum(weights[order])
    index = int(np.searchsorted(2 * run, run[-1]))
    value = int(values[order[index]])
    if 2 * int(run[index]) == int(run[-1]) and index + 1 < len(order):
        return (value + int(values[order[index + 1]])) // 2
    return value


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Pairs in the order of their times, as columns: time on the reference clock, difference, half-width, weight."""

    at: Ints
    difference: Ints
    half: Ints
    weight: Ints

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, which: slice | Flags) -> _Pairs:
        return _Pairs(self.at[which], self.difference[which], self.half[which], self.weight[which])

    @property
    def own(self) -> Ints:
        """Times on the node's own clock."""
        return self.at + self.difference

    @property
    def strength(self) -> int:
        """How much they are worth as evidence of a piece of their own."""
        return int(np.minimum(self.weight, 2).sum())

    def weighted(self) -> Ints:
        """Weights by kind, and less for stamps in whole seconds than for milliseconds."""
        return self.weight * np.where(self.half < NS // 10, 10, 1)


def _columns(found: Sequence[Pair]) -> _Pairs:
    rows = [(pair.at, pair.difference, pair.half, pair.weight) for pair in found]
    return _Pairs(*np.array(rows, dtype=np.int64).T.copy())


def _together(parts: Sequence[_Pairs]) -> _Pairs:
    return _Pairs(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.difference for part in parts]),
        np.concatenate([part.half for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    skew: int
    mad: int
    tolerance: int
    inliers: _Pairs


def _fit(found: _Pairs) -> _Fit:
    weights = found.weighted()
    skew = weighted_median(found.difference, weights)
    away = np.abs(found.difference - skew)
    mad = weighted_median(away, weights)
    tolerance = max(_TOLERANCE, int(found.half.max()), int(3 * _SPREAD * min(mad, NS)))
    near = away <= tolerance
    if not near.any():  # two halves far apart, and nothing between them: one of the two
        skew = int(found.difference[np.argmin(away)])
        near = np.abs(found.difference - skew) <= tolerance
    return _Fit(skew, mad, tolerance, found[near])


@record
class Cuts:
    """Where steps of a size that is not known exactly are: on the node's own clock, and on the reference's."""

    own: Sequence[int] = ()
    reference: Sequence[int] = ()

    def beside(self, found: _Pairs, index: int, end: int) -> bool:
        """Tell whether one lies between a run of pairs and the pair before or behind it."""
        return any(self._between(found, at) for at in (index, end) if 0 < at < len(found))

    def _between(self, found: _Pairs, index: int) -> bool:
        """Tell whether one lies between a pair and the one before it."""
        first, last = found.at[index - 1 : index + 1].tolist()
        low, high = found.own[index - 1 : index + 1].tolist()
        return any(low - NS <= at <= high + NS for at in self.own) or any(
            first - NS <= at <= last + NS for at in self.reference
        )


def _exceptional(found: _Pairs, fit: _Fit, cuts: Cuts) -> tuple[int, int] | None:
    """Longest run of outliers in a row that agree among themselves: where a new piece begins and ends.

    A step beside them that is known already is evidence as well.
    """
    best: tuple[int, int] | None = None
    apart = np.abs(found.difference - fit.skew) > np.maximum(fit.tolerance, found.half)
    end = 0
    for index in np.flatnonzero(apart).tolist():
        if index < end:
            continue
        end = index + _agreeing(found[index:], apart[index:], fit)
        strength = found[index:end].strength
        if cuts.beside(found, index, end):
            strength = _RUN
        if strength >= _RUN and (best is None or end - index > best[1] - best[0]):
            best = index, end
    return best


def _agreeing(found: _Pairs, apart: Flags, fit: _Fit) -> int:
    """How many outliers in a row agree with the first of the pairs."""
    reach = int(np.argmin(apart)) if not apart.all() else len(apart)
    distance = np.abs(found.difference[:reach] - found.difference[0])
    alike = distance <= np.maximum(fit.tolerance, found.half[0] + found.half[:reach])
    return reach if alike.all() else int(np.argmin(alike))


def _split(found: _Pairs, cuts: Cuts, depth: int = 0) -> list[_Fit]:
    """Fits of consecutive pieces, in time order."""
    fit = _fit(found)
    run = _exceptional(found, fit, cuts) if depth < 40 and len(found) >= _RUN else None
    if run is None or run == (0, len(found)):
        return [fit]
    parts = [found[: run[0]], found[run[0] : run[1]], found[run[1] :]]
    return [piece for part in parts if len(part) for piece in _split(part, cuts, depth + 1)]


def _joined(fits: list[_Fit], cuts: Cuts) -> list[_Fit]:
    """Join neighbours that do not differ, and drop pieces that rest on a stray pair."""
    joined: list[_Fit] = []
    ordered = _together([fit.inliers for fit in fits])
    end = 0
    for fit in fits:
        index, end = end, end + len(fit.inliers)
        if fit.inliers.strength < _RUN and len(fits) > 1 and not cuts.beside(ordered, index, end):
            continue
        before = joined[-1] if joined else None
        if before and abs(before.skew - fit.skew) <= max(before.tolerance, fit.tolerance):
            joined[-1] = _fit(_together([before.inliers, fit.inliers]))
        else:
            joined.append(fit)
    return joined or fits[:1]


def estimate(found: Sequence[Pair], cuts: Cuts) -> Skew:
    """Difference of a node's clock from pairs in time order."""
    if not found:
        return Skew()
    fits = _joined(_split(_columns(found), cuts), cuts)
    owns = [np.sort(fit.inliers.own) for fit in fits]
    bounds = [(int(before[-1]) + int(after[0])) // 2 for before, after in pairwise(owns)]
    return Skew(
        [
            Piece(start, end, *_narrowed(fit), tuple(own.tolist()))
            for start, end, fit, own in zip([None, *bounds], [*bounds, None], fits, owns, strict=True)
        ]
    )


def _narrowed(fit: _Fit) -> tuple[int, int]:
    """Difference and its error: within the bounds that the printed units leave, else by the spread of the pairs.

    Every pair confines the difference to its own half-width. With enough pairs the strictest bound on each side is not
    believed, since one late line would make it too strict.
    """
    inliers = fit.inliers
    spare = 1 if len(inliers) >= _ENOUGH else 0
    low = int(np.sort(inliers.difference - inliers.half)[-1 - spare])
    high = int(np.sort(inliers.difference + inliers.half)[spare])
    if low <= high:
        return (low + high) // 2, (high - low) // 2 + LATENCY
    return fit.skew, int(_SPREAD * fit.mad) + int(inliers.half.min()) + LATENCY


def choose_reference(
    known: Mapping[Node, Mapping[Key, list[Anchor]]],
    nodes: Sequence[Node],
    certain: frozenset[Node],
    stepped: Collection[Node] = (),
) -> Node | None:
    """Node with the most shared anchors; a proven zone goes first, then a clock without steps, the name decides a tie."""
    if not nodes:
        return None
    counts: dict[Key, int] = {}
    for node in nodes:
        for key in known.get(node, {}):
            counts[key] = counts.get(key, 0) + 1
    shared = {node: sum(1 for key in known.get(node, {}) if counts[key] > 1) for node in nodes}
    return min(nodes, key=lambda node: (shared[node] == 0, node not in certain, node in stepped, -shared[node], node))


def align(
    known: Mapping[Node, Mapping[Key, list[Anchor]]],
    nodes: Sequence[Node],
    reference: Node,
    unsure: Mapping[Node, Sequence[int]],
) -> dict[Node, Skew]:
    """Clock of every node against the reference, directly or by way of nodes that are aligned already.

    ``unsure`` are steps of a size that is not known exactly, on each node's corrected clock.
    """
    aligned: dict[Node, Skew] = {reference: Skew([Piece(None, None, 0, 0, ())], "reference")}
    on_reference: dict[Node, Mapping[Key, list[Anchor]]] = {reference: known.get(reference, {})}
    pending = [node for node in nodes if node != reference]
    while pending:
        options = [
            (len(found), via, node, found)
            for node in pending
            for via in on_reference
            if (found := pairs(on_reference[via], known.get(node, {})))
        ]
        if not options:
            break
        _, via, node, found = min(options, key=lambda each: (-each[0], each[1] != reference, each[1], each[2]))
        cuts = Cuts(unsure.get(node, ()), unsure.get(reference, ()))
        skew = _through(estimate(found, cuts), aligned[via])
        aligned[node] = skew
        on_reference[node] = _shift(known.get(node, {}), skew)
        pending.remove(node)
    aligned.update({node: Skew([], "none") for node in pending})
    return aligned


def _through(skew: Skew, via: Skew) -> Skew:
    """Add the error of the node in between."""
    extra = max((piece.error for piece in via.pieces), default=0)
    return Skew([Piece(p.start, p.end, p.skew, p.error + extra, p.times) for p in skew.pieces])


def _shift(mine: Mapping[Key, list[Anchor]], skew: Skew) -> dict[Key, list[Anchor]]:
    """Anchors of a node moved to the reference clock."""
    moved: dict[Key, list[Anchor]] = {}
    for key, found in mine.items():
        moved[key] = []
        for anchor in found:
            piece = skew.piece(anchor.at)
            at = anchor.at - (piece.skew if piece else 0)
            moved[key].append(Anchor(at, anchor.half, anchor.weight, anchor.ring, anchor.lost))
    return moved
