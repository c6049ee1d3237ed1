"""Steps that bind several rows together: counts in windows, distinct values, quantifiers over members, concurrent intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from hadiag.model.frozen import record
from hadiag.model.tri import Tri
from hadiag.rulelang.compile import CompiledStep
from hadiag.rulelang.entries import Concurrent, bound_of
from hadiag.rulelang.proof import Prover
from hadiag.rulelang.rows import OPEN_END, OPEN_START, Row, as_tuple, canonical, group_row
from hadiag.rulelang.world import World

MAX_ROWS: Final = 5000
"""Rows of one group that are compared pairwise at most."""

Judged = tuple[Row, Tri]
"""A row and how it stands to the anchors of its step."""


@record
class Group:
    """Rows bound together, with the truth of the group and a note why it is open."""

    row: Row
    truth: Tri
    silent: tuple[str, ...] = ()


def groups(compiled: CompiledStep, judged: Sequence[Judged], world: World, prover: Prover) -> Iterator[Group]:
    """All groups of a collective step."""
    for members in _grouped(compiled.group_by, judged):
        if compiled.step.concurrent is not None:
            yield from _concurrent(compiled.step.concurrent, members, world)
        elif compiled.step.nodes is not None:
            yield from _by_nodes(compiled, members, world, prover)
        elif compiled.windows or compiled.step.within is None:
            yield from _in_window(compiled, members, world)
        else:
            yield from _bursts(compiled, members, world)


def _grouped(fields: Sequence[str], judged: Sequence[Judged]) -> list[list[Judged]]:
    if not fields:
        return [list(judged)] if judged else []
    found: dict[tuple[object, ...], list[Judged]] = {}
    for row, truth in judged:
        key = tuple(canonical(row.get(name)) for name in fields)
        if None not in key:
            found.setdefault(key, []).append((row, truth))
    return list(found.values())


def _enough(compiled: CompiledStep, rows: Sequence[Row], world: World) -> bool:
    if not rows or sum(row.weight for row in rows) < compiled.step.minimum:
        return False
    return all(_is_distinct(name, bound, rows, world) for name, bound in compiled.step.distinct.items())


def _is_distinct(name: str, bound: str, rows: Sequence[Row], world: World) -> bool:
    values = {value for row in rows for value in as_tuple(row.get(name))}
    if bound != "all":
        return len(values) >= bound_of(bound)
    observers = {row.observer for row in rows}
    others = set(world.members_at(rows[0].lo, rows[-1].lo)) - observers
    return bool(others) and others <= values


def _in_window(compiled: CompiledStep, judged: Sequence[Judged], world: World) -> Iterator[Group]:
    certain = [row for row, truth in judged if truth is Tri.TRUE]
    if _enough(compiled, certain, world):
        yield Group(group_row(certain, Tri.TRUE), Tri.TRUE)
        return
    possible = [row for row, _ in judged]
    if _enough(compiled, possible, world):
        yield Group(group_row(possible, Tri.UNKNOWN), Tri.UNKNOWN)


def _bursts(compiled: CompiledStep, judged: Sequence[Judged], world: World) -> Iterator[Group]:
    """Stretches in which every window of ``within`` that ends in them holds enough; overlapping windows are one burst."""
    rows = [row for row, _ in judged]
    within = compiled.step.within or 0
    spans: list[list[int]] = []
    first = 0
    weight = 0
    for last, row in enumerate(rows):
        weight += row.weight
        while row.lo - rows[first].lo > within:
            weight -= rows[first].weight
            first += 1
        if weight < compiled.step.minimum or not _enough(compiled, rows[first : last + 1], world):
            continue
        if spans and first <= spans[-1][1]:
            spans[-1][1] = last
        else:
            spans.append([first, last])
    for begin, end in spans:
        burst = rows[begin : end + 1]
        truth = Tri(min(row.holds.value for row in burst))
        yield Group(group_row(burst, truth), truth)


def _by_nodes(compiled: CompiledStep, judged: Sequence[Judged], world: World, prover: Prover) -> Iterator[Group]:
    """So many members have a row of their own close to the first one."""
    done: set[int] = set()
    for row, _ in judged:
        if id(row) in done:
            continue
        near = [(other, truth) for other, truth in judged if _belongs(row, other, compiled.step.within)]
        group = _quantified(compiled, near, world, prover)
        if group is not None:
            done.update(id(part) for part in group.row.parts)
            yield group


def _belongs(first: Row, other: Row, within: int | None) -> bool:
    if within is not None:
        return first.lo <= other.lo <= first.lo + within
    return other.lo < first.hi and first.lo < other.hi


def _quantified(compiled: CompiledStep, near: Sequence[Judged], world: World, prover: Prover) -> Group | None:
    rows = [row for row, _ in near]
    start, end = rows[0].lo, max(row.lo for row in rows)
    members = world.members_at(start, end + 1)
    if compiled.step.within is not None and start != OPEN_START:
        end = start + compiled.step.within
    yes = {row.observer for row, truth in near if truth is Tri.TRUE}
    maybe = {row.observer for row, truth in near if truth is Tri.UNKNOWN} - yes
    silent = {name for name in members if name not in yes | maybe and not prover.shows(name, compiled.step, start, end)}
    truth = _count_nodes(compiled.step.nodes or "any", yes, maybe | silent, set(members))
    if truth is Tri.FALSE:
        return None
    return Group(group_row(rows, truth), truth, tuple(sorted(silent)))


def _count_nodes(quantifier: str, yes: set[str], unknown: set[str], members: set[str]) -> Tri:
    total = len(members | yes)
    if quantifier == "any":
        needed = 1
    elif quantifier == "all":
        needed = total
    else:
        needed = total // 2 + 1 if quantifier == "majority" else bound_of(quantifier)
    if len(yes) >= needed:
        return Tri.TRUE
    return Tri.UNKNOWN if len(yes | unknown) >= needed else Tri.FALSE


@record
class _Span:
    """An interval with the error of its ends; an open end is cut to what the observer's logs cover."""

    row: Row
    value: str | tuple[str, ...]
    lo: int
    hi: int
    lo_err: int | None
    hi_err: int | None


def _concurrent(wanted: Concurrent, judged: Sequence[Judged], world: World) -> Iterator[Group]:
    spans = _spans(wanted, [row for row, truth in judged if truth is not Tri.FALSE][:MAX_ROWS], world)
    pairs: list[tuple[int, int, Tri]] = []
    active: list[int] = []
    for index, span in enumerate(spans):
        active = [other for other in active if spans[other].hi + _reach(spans[other], span) > span.lo]
        for other in active:
            truth = _overlap(wanted, spans[other], span)
            if truth is not Tri.FALSE:
                pairs.append((other, index, truth))
        active.append(index)
    for level in (Tri.TRUE, Tri.UNKNOWN):
        chosen = [(a, b) for a, b, truth in pairs if truth is level]
        found = list(_components(chosen))
        made = [group for indices in found if (group := _overlap_group(wanted, spans, indices, chosen, level))]
        yield from made
        if made:
            return


def _spans(wanted: Concurrent, rows: Iterable[Row], world: World) -> list[_Span]:
    span = world.span or (0, 0)
    found = []
    for row in rows:
        value = canonical(row.get(wanted.distinct))
        if value is None:
            continue
        lo = span[0] if row.lo == OPEN_START else row.lo
        hi = world.last_word(row.observer) if row.hi == OPEN_END else row.hi
        lo_err = 0 if row.start is None else row.start.err_ns
        hi_err = 0 if row.end is None else row.end.err_ns
        if hi >= lo:
            found.append(_Span(row, value, lo, hi, lo_err, hi_err))
    found.sort(key=lambda each: each.lo)
    return found


def _reach(a: _Span, b: _Span) -> int:
    return (a.hi_err or 0) + (b.lo_err or 0)


def _overlap(wanted: Concurrent, a: _Span, b: _Span) -> Tri:
    """An overlap within the error of the clocks is open; a gap is none, or every fail-over would be a double start."""
    if a.value == b.value or not _excludes(wanted, a.row, b.row):
        return Tri.FALSE
    length = min(a.hi, b.hi) - max(a.lo, b.lo)
    if a.row.observer == b.row.observer:
        return Tri.of(length > wanted.for_)
    errors = (a.lo_err, a.hi_err, b.lo_err, b.hi_err)
    if any(error is None for error in errors):
        return Tri.UNKNOWN if length > wanted.for_ else Tri.FALSE
    if length <= wanted.for_:
        return Tri.FALSE
    slack = max((a.lo_err or 0) + (b.hi_err or 0), (a.hi_err or 0) + (b.lo_err or 0))
    return Tri.of(True if length - slack > wanted.for_ else None)


def _excludes(wanted: Concurrent, a: Row, b: Row) -> bool:
    if wanted.excludes is not None:
        ours, theirs = a.get(wanted.excludes), b.get(wanted.excludes)
        if ours is None or theirs is None or b.observer in as_tuple(ours) or a.observer in as_tuple(theirs):
            return False
    if wanted.disjoint is not None:
        ours, theirs = a.get(wanted.disjoint), b.get(wanted.disjoint)
        if ours is None or theirs is None or set(as_tuple(ours)) & set(as_tuple(theirs)):
            return False
    return True


def _components(pairs: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Connected sets of intervals, in the order of their first member."""
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        while parent.setdefault(index, index) != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for a, b in pairs:
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    sets: dict[int, list[int]] = {}
    for index in sorted(parent):
        sets.setdefault(root(index), []).append(index)
    yield from sets.values()


def _overlap_group(
    wanted: Concurrent, spans: Sequence[_Span], indices: Sequence[int], pairs: Sequence[tuple[int, int]], truth: Tri
) -> Group | None:
    inside = set(indices)
    own = [(spans[a], spans[b]) for a, b in pairs if a in inside]
    at_least = _simultaneous(own)
    if at_least < wanted.at_least:
        return None
    first = max((pair for pair in own), key=lambda pair: -max(pair[0].lo, pair[1].lo))
    last = max((pair for pair in own), key=lambda pair: min(pair[0].hi, pair[1].hi))
    begin = max(first, key=lambda span: span.lo).row
    finish = min(last, key=lambda span: span.hi).row
    longest = max(min(a.hi, b.hi) - max(a.lo, b.lo) for a, b in own)
    rows = [spans[index].row for index in indices]
    group = group_row(rows, truth, {"overlap_s": max(0, longest) / 1e9})
    group.start, group.start_uid, group.lo = begin.start, begin.start_uid, begin.lo
    group.end, group.end_uid, group.hi = finish.end, finish.end_uid, finish.hi
    return Group(group, truth)


def _simultaneous(pairs: Sequence[tuple[_Span, _Span]]) -> int:
    """Largest number of different values that hold at one moment."""
    partners: dict[int, set[object]] = {}
    moments = sorted({max(a.lo, b.lo) for a, b in pairs})
    for moment in moments:
        for a, b in pairs:
            if max(a.lo, b.lo) <= moment < max(min(a.hi, b.hi), max(a.lo, b.lo) + 1):
                partners.setdefault(moment, set()).update((a.value, b.value))
    return max((len(values) for values in partners.values()), default=0)
