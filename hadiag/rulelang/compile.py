"""Compile a match into steps with closures, join keys and time relations, in the order of evaluation.

Steps that have to be found come first, in file order; then the optional ones, then the absences. A condition that looks at a
later step is checked when that step is bound.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hadiag.model.frozen import record
from hadiag.model.tri import Tri
from hadiag.rulelang.condition import Condition, Reference
from hadiag.rulelang.entries import Step
from hadiag.rulelang.rows import OPEN_END, OPEN_START, Row, canonical
from hadiag.rulelang.tables import AGGREGATES, STATE_TABLES
from hadiag.rulelang.temporal import Clock, Relation, closes, opens, relation
from hadiag.rulelang.where import Binding, BoundTest, RowTest, compile_bound, compile_static, plain_words

GENEROUS_NS = 120 * 10**9
"""Added to windows when candidates are looked up; the exact relation decides afterwards."""


FEW = 8
"""Fewer rows than this are looked through without a search."""

Index = dict[tuple[object, ...], tuple[list[Row], list[int]]]
"""Rows by the values of the join fields, each list in the order of starts, with the starts."""

_NOTHING: tuple[list[Row], list[int]] = ([], [])


@record
class Check:
    """A relation between two steps, evaluated as soon as both are bound."""

    own: str
    others: tuple[str, ...]
    test: BoundTest | None = None
    relation: Relation | None = None

    def truth(self, binding: Binding) -> Tri:
        """Truth for a binding that holds both steps."""
        own = binding[self.own]
        if self.test is not None:
            return Tri.of(self.test(own, binding))
        if self.relation is None:
            return Tri.TRUE
        return self.relation(own, binding[self.others[0]])


@record
class Window:
    """A time word of a step, for finding candidates and for the window of an absence."""

    word: str
    step: str
    suffix: str | None
    within: int | None


@dataclass(slots=True)
class CompiledStep:
    """A step ready to run. ``joins`` pairs own fields with fields of steps that are bound before."""

    name: str
    step: Step
    static: tuple[RowTest, ...]
    joins: tuple[tuple[str, Reference], ...]
    checks: tuple[Check, ...]
    windows: tuple[Window, ...]
    group_by: tuple[str, ...]
    needed: tuple[str, ...]
    is_anchor: bool
    timed: bool
    observer_tests: tuple[BoundTest, ...] = ()
    words: tuple[tuple[str, frozenset[str]], ...] = ()
    signature: tuple[object, ...] = ()
    _index: Index | None = field(default=None, repr=False)

    def prepare(self, rows: Sequence[Row], shared: dict[tuple[object, ...], Index]) -> None:
        """Filter the rows of the sources and index them by the join fields.

        Args:
            rows: rows of the sources.
            shared: indices of steps that look at the same in the same way; findings change between rules and are not shared.
        """
        if self.step.kind == "finding":
            self._index = self._make_index(rows)
        elif self.signature in shared:
            self._index = shared[self.signature]
        else:
            self._index = shared[self.signature] = self._make_index(rows)

    def _make_index(self, rows: Sequence[Row]) -> Index:
        index: dict[tuple[object, ...], list[Row]] = {}
        fields = tuple(own for own, _ in self.joins)
        for row in rows:
            if self.timed and row.timeless:
                continue
            for test in self.static:
                if not test(row):
                    break
            else:
                key = tuple([canonical(row.get(name)) for name in fields])
                if None not in key:
                    index.setdefault(key, []).append(row)
        return {key: (found, [row.lo for row in found]) for key, found in index.items()}

    def candidates(self, binding: Binding) -> Sequence[Row]:
        """Rows that fulfil static conditions and joins, cut down to the time that can matter."""
        if self._index is None:
            return ()
        key: tuple[object, ...] = ()
        for _, reference in self.joins:
            row = binding.get(reference.step)
            value = None if row is None else canonical(row.get(reference.field))
            if value is None:
                return ()
            key = (*key, value)
        found, starts = self._index.get(key, _NOTHING)
        if len(found) < FEW or not self.windows:
            return found
        lo, hi = self._bounds(binding)
        return found[bisect_left(starts, lo) : bisect_right(starts, hi)]

    def _bounds(self, binding: Binding) -> tuple[int, int]:
        lo, hi = OPEN_START, OPEN_END
        for window in self.windows:
            other = binding.get(window.step)
            if other is not None:
                low, high = start_bounds(window, other, points_only=self.step.kind == "event")
                lo, hi = max(lo, low), min(hi, high)
        return lo, hi


def start_bounds(window: Window, other: Row, *, points_only: bool) -> tuple[int, int]:
    """Bounds for the start of rows that can stand in a relation; generous."""
    lo, hi = OPEN_START, OPEN_END
    reach = (window.within or 0) + GENEROUS_NS
    if window.word == "after":
        lo = _shift(other.lo, -reach)
        hi = OPEN_END if window.within is None else _shift(other.hi, reach)
    elif window.word == "during":
        lo, hi = _shift(other.lo, -reach), _shift(other.hi, reach)
    elif window.word in {"overlaps", "holds_at"}:
        hi = _shift(other.hi, reach)
    elif window.word == "before":
        hi = _shift(other.hi, reach)
        lo = _shift(other.lo, -reach) if points_only and window.within is not None else OPEN_START
    elif window.word == "near":
        hi = _shift(other.hi, reach)
        lo = _shift(other.lo, -reach) if points_only else OPEN_START
    return lo, hi


def _shift(ns: int, by: int) -> int:
    return ns if ns in {OPEN_START, OPEN_END} else ns + by


def evaluation_order(match: Mapping[str, Step]) -> tuple[str, ...]:
    """Steps to find, optional steps, absences; each in file order."""

    def rank(name: str) -> int:
        step = match[name]
        return 2 if step.absent else 1 if step.optional else 0

    return tuple(sorted(match, key=rank))


def compile_match(
    match: Mapping[str, Step], per: Sequence[Reference], needed: Sequence[Reference], clock: Clock
) -> tuple[CompiledStep, ...]:
    """Compile the steps of a rule.

    Args:
        match: the steps.
        per: identity fields of the rule.
        needed: further fields that tell matches apart (subjects).
        clock: orders points.
    """
    order = evaluation_order(match)
    position = {name: index for index, name in enumerate(order)}
    checks: dict[str, list[Check]] = {name: [] for name in match}
    referred: dict[str, set[str]] = {name: set() for name in match}
    for reference in (*per, *needed):
        referred[reference.step].add(reference.field)
    parts = {name: _Parts(name, match, position, clock) for name in order}
    for name in order:
        for check in parts[name].checks:
            last = max((check.own, *check.others), key=position.__getitem__)
            checks[last].append(check)
        for reference in parts[name].references:
            referred[reference.step].add(reference.field)
    anchors = {named for step in match.values() for named in step.refers_to}
    identity: dict[str, list[str]] = {name: [] for name in match}
    for reference in per:
        identity[reference.step].append(reference.field)
    return tuple(
        parts[name].build(
            checks=tuple(checks[name]),
            needed=tuple(sorted(referred[name])),
            identity=identity[name],
            is_anchor=name in anchors,
        )
        for name in order
    )


def _may_have(step: Step, field_name: str) -> bool:
    if step.absent or step.kind == "fact":
        return False
    if step.kind != "state" or field_name == "observer":
        return True
    return any(field_name in STATE_TABLES[name].fields for name in step.looks_at)


def _is_shared(name: str, step: Step) -> bool:
    """Whether rows that are bound together have to agree in an identity field; what they are to differ in is no such field."""
    if name in AGGREGATES or name in step.distinct:
        return False
    if step.concurrent is not None:
        return name not in {step.concurrent.distinct, "observer"}
    return not (step.nodes is not None and name == "observer")


class _Parts:
    """Takes one step apart."""

    def __init__(self, name: str, match: Mapping[str, Step], position: Mapping[str, int], clock: Clock) -> None:
        self.name = name
        self.step = match[name]
        self.static: list[RowTest] = []
        self.joins: list[tuple[str, Reference]] = []
        self.checks: list[Check] = []
        self.references: list[Reference] = []
        self.observer_tests: list[BoundTest] = []
        self.words: list[tuple[str, frozenset[str]]] = []
        self._match = match
        self._position = position
        for field_name, condition in self.step.where.items():
            self._take_condition(field_name, condition)
        for field_name in self.step.same:
            self._take_same(field_name)
        self._take_times(clock)

    def _bound_before(self, steps: Sequence[str]) -> bool:
        return all(self._position[step] < self._position[self.name] for step in steps)

    def _take_condition(self, field_name: str, condition: Condition) -> None:
        references = condition.references
        self.references.extend(references)
        if field_name == "observer":
            self.observer_tests.append(compile_bound(field_name, condition))
        if not references:
            self.static.append(compile_static(field_name, condition))
            words = plain_words(condition)
            if words is not None:
                self.words.append((field_name, words))
            return
        steps = tuple(dict.fromkeys(reference.step for reference in references))
        join = condition.join
        if join is not None and self._bound_before(steps):
            self.joins.append((field_name, join))
            return
        self.checks.append(Check(self.name, steps, test=compile_bound(field_name, condition)))

    def _take_same(self, field_name: str) -> None:
        other = self._same_as(field_name)
        if other is None:
            return
        reference = Reference(other, field_name)
        self.references.append(reference)
        self.joins.append((field_name, reference))
        if field_name == "observer":
            self.observer_tests.append(lambda row, binding: row.observer == binding[other].observer)

    def _same_as(self, field_name: str) -> str | None:
        """The step whose field ``same`` means: a time anchor, else the nearest earlier step; None for a first step."""
        earlier = [name for name in self._match if self._position[name] < self._position[self.name]]
        anchors = [name for name in self.step.refers_to if name in earlier]
        if anchors:
            return anchors[0]
        found = [name for name in earlier if _may_have(self._match[name], field_name)]
        return found[-1] if found else None

    def _take_times(self, clock: Clock) -> None:
        for word, point in self.step.anchors:
            other, _, suffix = point.partition(".")
            made = relation(clock, word, suffix or None, self.step.within)
            self.checks.append(Check(self.name, (other,), relation=made))
        if self.step.closes:
            self.checks.append(Check(self.name, (self.step.closes,), relation=closes))
        if self.step.opens:
            self.checks.append(Check(self.name, (self.step.opens,), relation=opens))

    def windows(self) -> tuple[Window, ...]:
        """Time words whose anchor is bound before this step."""
        found = []
        for word, point in self.step.anchors:
            other, _, suffix = point.partition(".")
            if self._bound_before([other]):
                found.append(Window(word, other, suffix or None, self.step.within))
        return tuple(found)

    def build(
        self, *, checks: tuple[Check, ...], needed: tuple[str, ...], identity: Sequence[str], is_anchor: bool
    ) -> CompiledStep:
        """Put the parts together."""
        step = self.step
        shared = step.concurrent.same if step.concurrent else ()
        timed = bool(step.refers_to or step.within is not None or step.concurrent or is_anchor)
        return CompiledStep(
            name=self.name,
            step=step,
            static=tuple(self.static),
            joins=tuple(self.joins),
            checks=checks,
            windows=self.windows(),
            group_by=tuple(
                dict.fromkeys([*step.same, *shared, *(name for name in identity if _is_shared(name, step))])
            ),
            needed=needed,
            is_anchor=is_anchor,
            timed=timed,
            observer_tests=tuple(self.observer_tests),
            words=tuple(self.words),
            signature=self._signature(timed=timed),
        )

    def _signature(self, *, timed: bool) -> tuple[object, ...]:
        """What the index of a step depends on."""
        # As text, because 1 and true are equal in Python, and different conditions.
        static = repr([row for row in self.step.where.items() if not row[1].references])
        return (self.step.kind, self.step.looks_at, static, tuple(own for own, _ in self.joins), timed)
