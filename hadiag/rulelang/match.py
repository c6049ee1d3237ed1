"""Run the compiled steps of one rule: bindings grow step by step, and truth is the least of all steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from hadiag.model.finding import Unproven
from hadiag.model.frozen import record
from hadiag.model.tri import Tri
from hadiag.rulelang.compile import CompiledStep
from hadiag.rulelang.entries import Need
from hadiag.rulelang.proof import Prover
from hadiag.rulelang.quantify import Group, groups
from hadiag.rulelang.rows import OPEN_END, OPEN_START, Row, canonical
from hadiag.rulelang.world import World

MAX_MATCHES: Final = 50_000
"""Bindings of one rule at most; a rule that has more asks too little."""

MAX_MORE: Final = 20
"""Further rows of a step that are kept as evidence beside the one that is bound."""


@record
class Match:
    """A binding of steps to rows with its truth. ``more`` holds further evidence of a step."""

    rows: Mapping[str, Row]
    truth: Tri = Tri.TRUE
    unproven: tuple[Unproven, ...] = ()
    more: Mapping[str, tuple[Row, ...]] | None = None

    def with_row(self, name: str, row: Row, truth: Tri, unproven: Iterable[Unproven], more: Sequence[Row]) -> Match:
        """This match and one more step."""
        further = self.more
        if more:
            further = {**(further or {}), name: tuple(more[:MAX_MORE])}
        return Match(
            {**self.rows, name: row},
            truth if self.truth is Tri.TRUE else self.truth & truth,
            (*self.unproven, *unproven),
            further,
        )


@record
class Outcome:
    """All matches of a rule; ``cut`` tells that there were too many."""

    matches: tuple[Match, ...]
    cut: bool


class Matcher:
    """Matches one rule."""

    def __init__(self, steps: Sequence[CompiledStep], world: World, prover: Prover, needs: Sequence[Need] = ()) -> None:
        self._steps = steps
        self._world = world
        self._prover = prover
        self._needs = needs

    def run(self, one_of: Sequence[Sequence[str]] = ()) -> Outcome:
        """Find all matches that hold or are open."""
        matches = [Match({})]
        cut = False
        for step in self._steps:
            step.prepare(self._world.select(step.step.kind, step.step.looks_at, step.words), self._world.prepared)
            grown: list[Match] = []
            for match in matches:
                grown.extend(self._extend(step, match))
                if len(grown) > MAX_MATCHES:
                    cut = True
                    del grown[MAX_MATCHES:]
                    break
            matches = grown
            if not matches:
                break
        found = [match for match in matches if all(any(name in match.rows for name in group) for group in one_of)]
        return Outcome(tuple(found), cut)

    def _extend(self, step: CompiledStep, match: Match) -> Iterator[Match]:
        if step.step.absent:
            return self._absent(step, match)
        if step.step.collective:
            return self._collective(step, match)
        return self._optional(step, match) if step.step.optional else self._single(step, match)

    def _judged(self, step: CompiledStep, match: Match) -> Iterator[tuple[Row, Tri]]:
        """Candidate rows with the truth of all checks that are due; rows that certainly do not fit are left out."""
        if any(name not in match.rows for check in step.checks for name in check.others if check.own == step.name):
            return
        for row in step.candidates(match.rows):
            truth = row.holds
            if step.checks:
                binding = {**match.rows, step.name: row}
                for check in step.checks:
                    answer = check.truth(binding)
                    if answer is not Tri.TRUE:
                        truth = answer
                        if answer is Tri.FALSE:
                            break
            if truth is not Tri.FALSE:
                yield row, truth

    def _single(self, step: CompiledStep, match: Match) -> Iterator[Match]:
        judged = list(self._judged(step, match))
        if step.is_anchor or not match.rows:
            for row, truth in judged:
                yield match.with_row(step.name, row, truth, self._order_note(step, match, row, truth), ())
            return
        for row, truth, more in _representatives(step, judged):
            yield match.with_row(step.name, row, truth, self._order_note(step, match, row, truth), more)

    def _optional(self, step: CompiledStep, match: Match) -> Iterator[Match]:
        judged = [(row, truth) for row, truth in self._judged(step, match) if truth is Tri.TRUE]
        if step.step.minimum > 1 or step.step.distinct or step.step.nodes or step.step.concurrent:
            found = next((group for group in self._groups(step, judged) if group.truth is Tri.TRUE), None)
            yield match if found is None else match.with_row(step.name, found.row, Tri.TRUE, (), ())
            return
        rows = [row for row, _ in judged]
        yield match.with_row(step.name, rows[0], Tri.TRUE, (), rows[1:]) if rows else match

    def _collective(self, step: CompiledStep, match: Match) -> Iterator[Match]:
        judged = list(self._judged(step, match))
        if step.step.optional:
            yield from self._optional(step, match)
            return
        for group in self._groups(step, judged):
            notes = self._order_note(step, match, group.row, group.truth) if not group.silent else ()
            if group.truth is Tri.UNKNOWN and group.silent:
                notes = (self._silent_note(step, group),)
            yield match.with_row(step.name, group.row, group.truth, notes, ())

    def _groups(self, step: CompiledStep, judged: Sequence[tuple[Row, Tri]]) -> Iterator[Group]:
        return groups(step, judged, self._world, self._prover)

    def _absent(self, step: CompiledStep, match: Match) -> Iterator[Match]:
        worst = Tri.FALSE
        doubtful = None
        for row, truth in self._judged(step, match):
            worst |= truth
            doubtful = row
            if truth is Tri.TRUE:
                return
        if worst is Tri.UNKNOWN and doubtful is not None:
            note = self._order_note(step, match, doubtful, Tri.UNKNOWN)
            yield Match(match.rows, match.truth & Tri.UNKNOWN, (*match.unproven, *note), match.more)
            return
        truth, note_or_none = self._prover.absence(step, match.rows, self._needs)
        notes = match.unproven if note_or_none is None else (*match.unproven, note_or_none)
        yield Match(match.rows, match.truth & truth, notes, match.more)

    def _order_note(self, step: CompiledStep, match: Match, row: Row, truth: Tri) -> tuple[Unproven, ...]:
        """Why a row is only a possible one."""
        if truth is not Tri.UNKNOWN:
            return ()
        if row.holds is Tri.UNKNOWN:
            why = "it rests on a finding or on intervals that could not be decided themselves"
            return (Unproven(step.name, None, _observers([row]), *_around([row]), why),)
        others = [
            match.rows[name] for check in step.checks for name in (check.own, *check.others) if name in match.rows
        ]
        involved = [row, *others]
        names = _observers(involved)
        why = f"the clocks of {' and '.join(names) or 'the nodes'} do not tell the order of the two"
        return (Unproven(step.name, None, names, *_around(involved), why),)

    def _silent_note(self, step: CompiledStep, group: Group) -> Unproven:
        types, _ = self._prover.witnesses(step.step)
        family = None if not types else self._prover.family(types[0])
        why = f"no {family or 'log'} log of {', '.join(group.silent)} covers that time"
        return Unproven(step.name, family, group.silent, *_around([group.row]), why)


def _representatives(
    step: CompiledStep, judged: Sequence[tuple[Row, Tri]]
) -> Iterator[tuple[Row, Tri, tuple[Row, ...]]]:
    """One row for each combination of the fields that the rule looks at: the first certain one; the others are evidence."""
    found: dict[tuple[object, ...], list[tuple[Row, Tri]]] = {}
    for row, truth in judged:
        key = tuple(canonical(row.get(name)) for name in step.needed)
        found.setdefault(key, []).append((row, truth))
    for rows in found.values():
        best = max(truth.value for _, truth in rows)
        chosen = [row for row, truth in rows if truth.value == best]
        yield chosen[0], Tri(best), tuple(chosen[1 : MAX_MORE + 1])


def _observers(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({part.observer for row in rows for part in row.rows if part.observer}))


def _around(rows: Sequence[Row]) -> tuple[int | None, int | None]:
    starts = [row.lo for row in rows if row.lo != OPEN_START]
    ends = [row.hi for row in rows if row.hi != OPEN_END] or starts
    return (min(starts), max(ends)) if starts else (None, None)
