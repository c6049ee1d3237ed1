"""Clocks of all nodes: own times of the samples to instants on the reference clock, and what is known of each clock."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from hadiag.model.diagnosis import ClockStep, NodeClock, OffsetSpan, SkewSpan
from hadiag.model.entity import Node
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.source import Warn
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.timeline.anchors import Anchor, Key, anchors, shared_lines
from hadiag.timeline.bounds import bounded
from hadiag.timeline.files import LogFile
from hadiag.timeline.identity import Identities
from hadiag.timeline.jumps import JUMP, Attribution, Jump, jumps_of
from hadiag.timeline.merge import merge
from hadiag.timeline.nodelines import NodeLines, lines_by_node
from hadiag.timeline.sample import Sample
from hadiag.timeline.since_boot import date_by_uptime
from hadiag.timeline.skew import Piece, Skew, align, choose_reference
from hadiag.timeline.steps import CHANGES, Step, cuts, find_steps, stretches
from hadiag.timeline.walls import Walls

_ZONE_AT_LEAST: Final = 600 * NS
_HALF_HOUR: Final = 1800 * NS
_QUARTER: Final = 900 * NS
_FAR: Final = 7200 * NS
_PRINTED: Final = NS // 2
"""A shared fact lies in the middle of the unit that its line prints, half a second behind its begin at most."""
_ATTEMPTS: Final = 8
"""Steps that are found or resized by their jumps, at most; each changes the pairs of the next look."""
_SYNCHRONISED: Final = NS
"""Error of a clock that its host calls synchronised."""


@dataclass(slots=True)
class Clocks:
    """Alignment of all nodes; ``reference`` is None where there is no sample at all."""

    reference: Node | None
    skews: Mapping[Node, Skew]
    steps: dict[Node, list[Step]]
    samples: list[Sample]
    files: Sequence[LogFile]
    walls: Walls
    alone: bool
    lines: Mapping[Node, NodeLines]
    """The dated ones of ``samples`` by their node."""
    open_jumps: Mapping[Node, Sequence[Jump]]
    """Jumps of a node's skew that may be those of the reference's clock."""

    def use_up(self) -> deque[Sample]:
        """Hand all samples over; the clocks keep none."""
        samples = deque(self.samples)
        self.samples.clear()
        self.lines = {}
        return samples

    def aligned(self, node: Node, own: int) -> int:
        """Time on the reference clock of a step-corrected own time."""
        skew = self.skews.get(node)
        piece = skew.piece(own) if skew else None
        return own - piece.skew if piece else own

    def instant(self, sample: Sample) -> Instant | None:
        """Aligned instant of a sample with its error."""
        time = sample.raw.time
        return None if sample.utc is None else self._at(sample, sample.own, time.text if time else sample.printed)

    def last(self, sample: Sample) -> Instant | None:
        """Aligned instant of the last repetition that was folded into a sample."""
        time, line = sample.raw.last_time, sample.raw.ref.line
        utc = sample.file.utc(time, line) if time else None
        if utc is None or time is None or sample.utc is None:
            return None
        return self._at(sample, sample.own + utc - sample.utc, time.text)

    def _at(self, sample: Sample, own: int, printed: str) -> Instant:
        if self.alone:
            return Instant(own, sample.error, printed, sample.basis)
        skew = self.skews.get(sample.node)
        piece = skew.piece(own) if skew else None
        if piece is None:
            return Instant(own, None, printed, sample.basis)
        return Instant(own - piece.skew, sample.error + piece.error_at(own), printed, sample.basis)

    def base(self, node: Node) -> int:
        """Sum of the steps of a node before the stretch whose times were left as they are."""
        return self.lines[node].base if node in self.lines else 0

    def of_line(self, file: LogFile, node: Node, utc: int, line: int) -> int:
        """Aligned time of any line of a file, from the own clock's time."""
        steps = self.steps.get(node)
        if not steps:
            return self.aligned(node, utc)
        behind = int(stretches(steps, file.key, np.array([line]), np.array([utc]))[0])
        return self.aligned(node, utc - sum(step.by for step in steps[:behind]) + self.base(node))


def settle_clocks(
    samples: Sequence[Sample], files: Sequence[LogFile], walls: Walls, facts: Sequence[Fact], who: Identities
) -> Clocks:
    """Merge copies, take out steps, and align the nodes; a wrong assumed zone shows as a skew of quarters of an hour."""
    clocks = _settled(samples, files, walls)
    shifts = _zone_shifts(clocks, walls)
    if shifts:
        for node, (by, basis) in sorted(shifts.items()):
            walls.shift(node, by, basis, files)
        if any(by for by, _ in shifts.values()):
            for sample in samples:
                sample.stamp()
            clocks = _settled(samples, files, walls)
    return _with_time_sources(clocks, facts, who)


def _settled(samples: Sequence[Sample], files: Sequence[LogFile], walls: Walls) -> Clocks:
    date_by_uptime(samples)
    merged = merge(samples)
    steps = find_steps(files, merged)
    lines = lines_by_node(merged)
    nodes = list(lines)
    firm = frozenset(n for n in nodes if n not in walls.plans or walls.plans[n].is_firm)
    certain = firm or frozenset(n for n in nodes if walls.plans[n].basis is not TimeBasis.ASSUMED)
    shared = shared_lines(merged)
    known: dict[Node, dict[Key, list[Anchor]]] = {}
    skews: dict[Node, Skew] = {}
    open_jumps: Mapping[Node, Sequence[Jump]] = {}
    attribution: Attribution | None = None
    moved: Sequence[Node] = nodes
    for _ in range(_ATTEMPTS):
        for node in moved:
            if node in steps:
                lines[node].correct(steps[node])
            known[node] = anchors(shared.get(node, ()))
        if attribution is None:
            reference = choose_reference(known, nodes, certain, steps)
            if reference is None:
                break
            attribution = Attribution(lines, steps, reference)
        skews = _aligned(known, attribution, lines, merged)
        changed = attribution.improve(skews)
        if changed is None:
            open_jumps = attribution.open_jumps(skews)
            skews = attribution.widened(skews, open_jumps)
            break
        moved = [changed]
    chosen = attribution.reference if attribution else None
    return Clocks(chosen, skews, steps, merged, files, walls, len(nodes) < 2, lines, open_jumps)


def _aligned(
    known: Mapping[Node, Mapping[Key, list[Anchor]]],
    attribution: Attribution,
    lines: Mapping[Node, NodeLines],
    merged: Sequence[Sample],
) -> dict[Node, Skew]:
    """The clock of each node against the reference, with the steps that are known so far."""
    reference = attribution.reference
    unsure = {
        node: [cut for step, cut in cuts(mine, lines[node].base) if not step.exact]
        for node, mine in attribution.steps.items()
        if node in lines
    }
    skews = align(known, list(lines), reference, unsure)
    for node in [node for node, skew in skews.items() if not skew.pieces]:
        skews[node] = bounded(merged, reference, node)
    return {node: _placed(skew, lines[node]) for node, skew in skews.items()}


def _main(skew: Skew) -> Piece | None:
    """Piece with the most pairs."""
    return max(skew.pieces, key=lambda piece: len(piece.times), default=None)


def _zone_shifts(clocks: Clocks, walls: Walls) -> dict[Node, tuple[int, TimeBasis]]:
    """Shifts of assumed zones: differences near a multiple of half an hour (or closer to one of a quarter)."""
    reference = clocks.reference
    plan = walls.plans.get(reference) if reference else None
    proven = plan is None or plan.basis is not TimeBasis.ASSUMED
    firm = plan is None or plan.is_firm
    found: dict[Node, tuple[int, TimeBasis]] = {}
    for node, skew in clocks.skews.items():
        piece, mine = _main(skew), walls.plans.get(node)
        if piece is None or mine is None or node == reference:
            continue
        if mine.basis is not TimeBasis.ASSUMED and (mine.is_firm or not firm):
            continue
        if abs(piece.skew) < _ZONE_AT_LEAST:
            if proven:  # a wrong zone would have shown
                found[node] = 0, TimeBasis.EPOCH_ANCHOR
            continue
        for unit, near in ((_HALF_HOUR, 300 * NS), (_QUARTER, 60 * NS)):
            by = (piece.skew + unit // 2) // unit * unit
            if by and abs(piece.skew - by) <= near:
                found[node] = by, (TimeBasis.EPOCH_ANCHOR if proven else TimeBasis.ASSUMED)
                break
        else:
            if abs(piece.skew) >= _FAR:  # a zone and a clock that is minutes off are likelier than a clock off by hours
                found[node] = (piece.skew + _HALF_HOUR // 2) // _HALF_HOUR * _HALF_HOUR, TimeBasis.ASSUMED
    return found


def _placed(skew: Skew, lines: NodeLines) -> Skew:
    """Move the bounds between pieces to where the node tells of a change, else to its longest pause."""
    pieces = list(skew.pieces)
    for index, (before, after) in enumerate(pairwise(skew.pieces)):
        if abs(before.skew - after.skew) < JUMP or not before.times or not after.times:
            continue
        low, high = sorted((before.times[-1], after.times[0]))
        told = [sample.own for sample in lines.between(low, high) if sample.raw.type in CHANGES]
        inside = lines.owns[bisect_left(lines.owns, low - _PRINTED) : bisect_left(lines.owns, high + 1)]
        pause = max(pairwise(inside), key=lambda pair: pair[1] - pair[0], default=(low, high))
        bound = told[0] if told else pause[1]  # the node says so itself
        pieces[index] = replace(pieces[index], end=bound)
        pieces[index + 1] = replace(pieces[index + 1], start=bound)
    return Skew(pieces, skew.basis)


def _with_time_sources(clocks: Clocks, facts: Sequence[Fact], who: Identities) -> Clocks:
    """Let two clocks that their hosts call synchronised stand for each other, where no anchor connects them."""
    synchronised = {
        who.host(fact.bundle, fact.node_hint)
        for fact in facts
        if fact.table == "host.clock" and fact.values.get("synchronised") is True
    }
    if clocks.reference not in synchronised:
        return clocks
    skews = dict(clocks.skews)
    for node, skew in skews.items():
        if not skew.pieces and node in synchronised:
            skews[node] = Skew([Piece(None, None, 0, _SYNCHRONISED, ())], "time_source")
    clocks.skews = skews
    return clocks


def node_clocks(clocks: Clocks) -> dict[Node, NodeClock]:
    """Clocks in the form of the result contract."""
    printed = _printed_offsets(clocks)
    verified = clocks.alone or any(s.pieces for n, s in clocks.skews.items() if n != clocks.reference)
    found = {}
    for node in sorted({sample.node for sample in clocks.samples}):
        plan = clocks.walls.plans.get(node)
        offsets = plan.spans() if plan else printed.get(node, ())
        skew = clocks.skews.get(node, Skew())
        own = _own(clocks, node, skew)
        spans = _spans(clocks, node, skew, own) if verified else ()
        steps = _clock_steps(clocks, node, skew, own)
        found[node] = NodeClock(node == clocks.reference, offsets, spans, steps, _middle(clocks, node, spans))
    return found


@record
class _Own:
    """A node's own clock: bounds of each of its steps by the corrected clock, and the jumps that only the peers show."""

    bounds: Sequence[tuple[int, int]]
    jumped: Mapping[int, ClockStep]


def _own(clocks: Clocks, node: Node, skew: Skew) -> _Own:
    lines = clocks.lines.get(node) or NodeLines(())
    bounds = lines.moments(clocks.steps.get(node, []))
    return _Own(bounds, {jump.bound: _jumped(jump, lines.owns) for jump in jumps_of(node, skew)})


def _printed_offsets(clocks: Clocks) -> dict[Node, tuple[OffsetSpan, ...]]:
    """Offsets of nodes whose lines all tell their zone."""
    seen: dict[Node, dict[tuple[int | None, TimeBasis], list[int]]] = defaultdict(dict)
    for sample in (each for canonical in clocks.samples for each in (canonical, *canonical.copies)):
        time = sample.raw.time
        if time is None or time.utc_offset_s is None or sample.utc is None:
            continue
        key = (None if time.from_journal else time.utc_offset_s, sample.basis)
        ends = seen[sample.node].setdefault(key, [sample.utc, sample.utc])
        ends[0], ends[1] = min(ends[0], sample.utc), max(ends[1], sample.utc)
    spans = {}
    for node, offsets in seen.items():
        stated = {key: ends for key, ends in offsets.items() if key[0] is not None} or offsets
        ordered = sorted(stated.items(), key=lambda each: each[1])
        starts: list[int | None] = [None, *(ends[0] for _, ends in ordered[1:])]
        finish: list[int | None] = [*(ends[0] for _, ends in ordered[1:]), None]
        spans[node] = tuple(
            OffsetSpan(start, end, offset, basis)
            for start, end, ((offset, basis), _) in zip(starts, finish, ordered, strict=True)
        )
    return spans


def _spans(clocks: Clocks, node: Node, skew: Skew, own: _Own) -> tuple[SkewSpan, ...]:
    """Skew over aligned time: the pieces, cut at the node's own steps."""
    found: list[SkewSpan] = []
    steps = clocks.steps.get(node, []) if node != clocks.reference else []
    base = clocks.base(node) if steps else 0
    bounds = [(low + high) // 2 for low, high in own.bounds] if steps else []
    jumped = {bound: step.at_ns for bound, step in own.jumped.items()}
    for piece in skew.pieces:
        inside = [
            at for at in bounds if (piece.start is None or at > piece.start) and (piece.end is None or at < piece.end)
        ]
        edges = [piece.start, *inside, piece.end]
        for low, high in pairwise(edges):
            passed = sum(step.by for step, at in zip(steps, bounds, strict=True) if low is not None and at <= low)
            value = (piece.skew + passed - base) / NS
            start = None if low is None else jumped.get(low, low - piece.skew)
            end = None if high is None else jumped.get(high, high - piece.skew)
            found.append(SkewSpan(start, end, round(value, 6), round(piece.error / NS, 6), skew.basis))
    return tuple(found)


def _clock_steps(clocks: Clocks, node: Node, skew: Skew, own: _Own) -> tuple[ClockStep, ...]:
    found = []
    for step, (low, high) in zip(clocks.steps.get(node, []), own.bounds, strict=True):
        piece = skew.piece((low + high) // 2)
        error = (high - low) // 2 + (piece.error if piece else 0)
        at = clocks.aligned(node, (low + high) // 2)
        found.append(ClockStep(at, round(step.by / NS, 3), round(error / NS, 3) if step.exact else None))
    either = {jump.bound for jump in clocks.open_jumps.get(node, ())}
    for bound, made in own.jumped.items():
        found.append(replace(made, or_of=clocks.reference) if bound in either else made)
    return tuple(sorted(found, key=lambda each: (each.at_ns, each.by_s)))


def _jumped(jump: Jump, owns: Sequence[int]) -> ClockStep:
    """A step that only the peers' clocks show: in the longest pause between two shared facts, or anywhere between these.

    ``owns`` are the times of the node's lines by its own clock, in order.
    """
    place = bisect_left(owns, jump.bound)
    behind = min(owns[max(place - 1, 0) : place + 1], key=lambda own: abs(own - jump.bound))
    first = bisect_left(owns, behind)
    before = owns[first - 1] if first else behind
    low = before - jump.skew
    at = (low + max(behind - jump.skew - jump.size, low)) // 2
    earliest, latest = jump.on_reference
    return ClockStep(at, round(jump.size / NS, 3), round(max(at - earliest, latest - at, 0) / NS, 3))


def _middle(clocks: Clocks, node: Node, spans: Sequence[SkewSpan]) -> float | None:
    """Skew in the middle of the node's log."""
    times = sorted(clocks.aligned(node, own) for own in clocks.lines[node].owns) if node in clocks.lines else []
    if not times or not spans:
        return None
    middle = times[len(times) // 2]
    return next((span.skew_s for span in spans if span.end_ns is None or middle < span.end_ns), spans[-1].skew_s)


def clock_warnings(clocks: Clocks, speaking: frozenset[Node]) -> list[Warn]:
    """Warnings for nodes whose clock nothing ties to the others."""
    if clocks.alone:
        return []
    found = []
    for node, skew in sorted(clocks.skews.items()):
        if not skew.pieces and node in speaking:
            text = f"No event ties the clock of {node} to that of {clocks.reference}; the order of their events is unknown."
            found.append(Warn("clock-unverified", text, str(node)))
    return found
