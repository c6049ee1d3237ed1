"""Whether an absence is proven: which logs would show a row, and whether they cover the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.finding import Unproven
from hadiag.model.tri import Tri
from hadiag.rulelang.compile import CompiledStep, Window
from hadiag.rulelang.entries import Need, Rule, Step
from hadiag.rulelang.rows import OPEN_END, OPEN_START, Row
from hadiag.rulelang.ruleset import EventTypeInfo
from hadiag.rulelang.tables import FACT_TABLES, STATE_TABLES
from hadiag.rulelang.temporal import extent_of, named_point
from hadiag.rulelang.where import Binding
from hadiag.rulelang.world import World

RESUME_NS: Final = 60 * 10**9
"""A paused daemon whose node falls silent this soon after a window may never have come to tell of the pause."""

_FAMILIES = (
    ("corosync", "corosync"),
    ("knet", "corosync"),
    ("quorum", "corosync"),
    ("qdevice", "qdevice"),
    ("qnetd", "qdevice"),
    ("pcmk", "pacemaker"),
    ("sched", "pacemaker"),
    ("fence", "pacemaker"),
    ("execd", "pacemaker"),
    ("attrd", "pacemaker"),
    ("cib", "pacemaker"),
    ("pacemakerd", "pacemaker"),
    ("ra", "pacemaker"),
    ("remote", "pacemaker"),
    ("kernel", "kernel"),
    ("sbd", "sbd"),
    ("pcsd", "pcsd"),
)


def family_of(event_type: str) -> str:
    """Log family in which an event type stands; ``system`` where it is neither the cluster's nor the kernel's."""
    first = event_type.split(".", 1)[0]
    return next((family for prefix, family in _FAMILIES if prefix == first), "system")


class Prover:
    """Answers whether logs or snapshots would have shown what a step asks for."""

    def __init__(self, world: World, rules: Mapping[str, Rule], event_types: Mapping[str, EventTypeInfo]) -> None:
        self._world = world
        self._rules = rules
        self._event_types = event_types

    def witnesses(self, step: Step) -> tuple[tuple[str, ...], bool]:
        """Event types whose coverage counts, and whether all of them are needed (else one is enough)."""
        if step.kind == "event":
            return self._known_types(step), True
        if step.kind == "state":
            shown = [name for table in step.looks_at for name in STATE_TABLES[table].shown_by]
            return tuple(dict.fromkeys(shown)), False
        if step.kind == "finding":
            return self._of_findings(step), True
        return (), True

    def _known_types(self, step: Step) -> tuple[str, ...]:
        """Types of a step; a prefix stands for the types of the catalogue, or for those that occur."""
        found: list[str] = []
        for name in () if step.event is None else step.event:
            if not name.endswith(".*"):
                found.append(name)
                continue
            known = [each for each in self._event_types if each.startswith(name[:-1])]
            found.extend(sorted(known) or self._world.event_types(name))
        return tuple(dict.fromkeys(found))

    def _of_findings(self, step: Step) -> tuple[str, ...]:
        """One witness for each step that the named rules have to find."""
        found: list[str] = []
        for name in step.looks_at:
            rule = self._rules.get(name)
            for inner in () if rule is None else rule.match.values():
                if not inner.absent and not inner.optional and inner.kind != "fact":
                    types, every = self.witnesses(inner)
                    found.extend(types if every else types[:1])
        return tuple(dict.fromkeys(found))

    def covers(self, node: str, step: Step, start_ns: int, end_ns: int) -> Tri:
        """Tell whether the logs of a node would show rows of a step in all of a window."""
        types, every = self.witnesses(step)
        answers = [self._covered(node, name, start_ns, end_ns) for name in types]
        if not answers:
            return Tri.TRUE if step.kind == "finding" else Tri.UNKNOWN
        pick = min if every else max
        return Tri(pick(answer.value for answer in answers))

    def _covered(self, node: str, event_type: str, start_ns: int, end_ns: int) -> Tri:
        known = self._event_types.get(event_type)
        if known is not None and known.after_resume and self._world.falls_silent(node, start_ns, end_ns + RESUME_NS):
            return Tri.UNKNOWN
        return self._world.timeline.covered(Node(node), event_type, start_ns, end_ns)

    def shows(self, node: str, step: Step, start_ns: int, end_ns: int) -> bool:
        """Tell whether a node certainly would have shown a row in a window."""
        return self.covers(node, step, start_ns, end_ns) is Tri.TRUE

    def absence(self, compiled: CompiledStep, binding: Binding, needs: Sequence[Need]) -> tuple[Tri, Unproven | None]:
        """Truth of an absence for which no row was found, and what is missing if it is not proven."""
        if compiled.step.kind == "fact":
            return self._fact_absence(compiled, binding, needs)
        window = self.window(compiled, binding)
        nodes = self._observers(compiled, binding, window)
        if window is None or not nodes:
            return Tri.UNKNOWN, self._unproven(compiled, nodes, window, needs)
        if window[1] < window[0]:
            return Tri.TRUE, None
        open_nodes = tuple(name for name in nodes if not self.shows(name, compiled.step, *window))
        every = compiled.step.nodes == "all"
        if not open_nodes or (not every and len(open_nodes) < len(nodes)):
            return Tri.TRUE, None
        return Tri.UNKNOWN, self._unproven(compiled, open_nodes, window, needs)

    def window(self, compiled: CompiledStep, binding: Binding) -> tuple[int, int] | None:
        """Window of an absence in ns; without a time word all of the logs, None where nothing is dated."""
        span = self._world.span
        if span is None:
            return None
        lo, hi = span
        first = True
        for window in compiled.windows:
            low, high = _window_of(window, binding[window.step], span)
            lo, hi = (low, high) if first else (max(lo, low), min(hi, high))
            first = False
        return lo, hi

    def _observers(self, compiled: CompiledStep, binding: Binding, window: tuple[int, int] | None) -> tuple[str, ...]:
        """Nodes whose logs could show the row: all members at that time, or those that the step's own conditions leave."""
        if not compiled.observer_tests:
            members = self._world.members if window is None else self._world.members_at(*window)
            return members or self._world.node_names
        return tuple(name for name in self._world.node_names if _fits(compiled, name, binding))

    def _fact_absence(
        self, compiled: CompiledStep, binding: Binding, needs: Sequence[Need]
    ) -> tuple[Tri, Unproven | None]:
        observers = None
        if compiled.observer_tests:
            observers = frozenset(name for name in self._world.node_names if _fits(compiled, name, binding))
        for snapshot in required_snapshots(compiled.step):
            if not self._world.was_read(snapshot, observers):
                why = _why(compiled.name, snapshot, needs) or f"no {snapshot} was read"
                nodes = () if observers is None else tuple(sorted(observers))
                return Tri.UNKNOWN, Unproven(compiled.name, snapshot, nodes, None, None, why)
        tables = [FACT_TABLES[name].snapshot for name in compiled.step.looks_at]
        if None in tables and not compiled.step.requires:
            return Tri.UNKNOWN, Unproven(compiled.name, None, (), None, None, "no file would show that it is absent")
        return Tri.TRUE, None

    def family(self, event_type: str) -> str:
        """Log family in which an event type stands."""
        return family_of(event_type)

    def _unproven(
        self, compiled: CompiledStep, nodes: Sequence[str], window: tuple[int, int] | None, needs: Sequence[Need]
    ) -> Unproven:
        types, _ = self.witnesses(compiled.step)
        family = family_of(types[0]) if types else None
        start, end = window or (None, None)
        whose = ", ".join(nodes) or "the nodes"
        default = f"no {family or 'log'} log of {whose} covers the whole time in which it would show"
        return Unproven(compiled.name, family, tuple(nodes), start, end, _why(compiled.name, family, needs) or default)


def required_snapshots(step: Step) -> tuple[str, ...]:
    """Snapshots that have to be read before the absence of a fact means anything."""
    own = [FACT_TABLES[name].snapshot for name in step.looks_at if name in FACT_TABLES]
    return tuple(dict.fromkeys(step.requires or [snapshot for snapshot in own if snapshot is not None]))


def _fits(compiled: CompiledStep, name: str, binding: Binding) -> bool:
    probe = Row({}, name, None, None)
    return all(test(probe, binding) for test in compiled.observer_tests)


def _why(step: str, family: str | None, needs: Sequence[Need]) -> str | None:
    named = next((need for need in needs if need.step == step), None)
    if named is None:
        named = next((need for need in needs if need.step is None and need.log == family), None)
    return None if named is None else named.why


def _window_of(window: Window, other: Row, span: tuple[int, int]) -> tuple[int, int]:
    within = window.within
    if window.word in {"during", "overlaps"}:
        return _clip(other.lo, span) - (within or 0), _clip(other.hi, span) + (within or 0)
    if window.word == "near":
        begin, finish = extent_of(other, window.suffix)
        return _clip(begin.ns, span) - (within or 0), _clip(finish.ns, span) + (within or 0)
    moment = _clip(named_point(other, window.suffix).ns, span)
    if window.word == "after":
        return moment, max(span[1], moment) if within is None else moment + within
    if window.word == "before":
        return (min(span[0], moment) if within is None else moment - within), moment
    return moment, moment


def _clip(ns: int, span: tuple[int, int]) -> int:
    if ns == OPEN_START:
        return span[0]
    return span[1] if ns == OPEN_END else ns
