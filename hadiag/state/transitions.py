"""Table ``transition``: each run of the scheduler, from its calculation to the result of its actions, with its input."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.intervals import Intervals, end_ns, start_ns
from hadiag.state.reading import number, text
from hadiag.state.snapshots import Snapshot
from hadiag.state.stream import Break, by_observer, placed, with_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

CALCULATED = "pcmk.transition.calculated"
GRAPH = "pcmk.graph.start"
RESULT = "pcmk.transition.result"
ABORTED = ("pcmk.transition.aborted", "pcmk.transition.aborted_old")
LIFE = ("pacemakerd.start", "pacemakerd.stop_done", "pcmk.controller.stopping")
CONSUMES = frozenset({CALCULATED, GRAPH, RESULT, *ABORTED, *LIFE})

_SAME_PLAN = 600 * NS
"""A number comes again after a restart of the controller, but not this soon."""
_STAMPED = 3 * NS
"""The execution date of an input has whole seconds, and the plan is logged a moment after it was made."""


def transition_views(given: Given) -> Iterator[View]:
    """Transitions of each DC; an input without a line makes one of its own."""
    timeline = given.timeline
    inputs = [one for one in given.snapshots if one.fact.values.get("origin") == "pe-input"]
    logged = [
        view
        for observer, events in by_observer(placed(timeline, CALCULATED, GRAPH, RESULT, *ABORTED, *LIFE)).items()
        for view in _observed(timeline, observer, events)
    ]
    by_name: dict[str, list[Snapshot]] = {}
    for one in inputs:
        by_name.setdefault(str(one.fact.values.get("file")).removesuffix(".bz2"), []).append(one)
    used: set[str] = set()
    before: dict[Node, tuple[str, str | None]] = {}
    for view in sorted(logged, key=start_ns):
        found = _input_of(view, by_name)
        path = found.fact.path if found is not None else None
        if path is None and before.get(view.observer, ("", None))[0] == view.value["file"]:
            path = before[view.observer][1]  # an input that has not changed is not saved again
        before[view.observer] = str(view.value["file"]), path
        used |= {path} if path is not None else set()
        yield replace(view, value={**view.value, "input": path})
    for one in inputs:
        if one.fact.path not in used:
            yield _unlogged(one)


def _input_of(view: View, inputs: Mapping[str, Sequence[Snapshot]]) -> Snapshot | None:
    """The input with the name that the DC logged and the date of the run; names come again, dates do not."""
    name = str(view.value["file"]).removesuffix(".bz2")
    near = [
        one
        for one in inputs.get(name, ())
        if name and start_ns(view) - _STAMPED <= one.at.ns <= min(end_ns(view), start_ns(view)) + _STAMPED
    ]
    own = [one for one in near if one.observer == view.observer]
    return next(iter(own or near), None)


def _unlogged(one: Snapshot) -> View:
    file = str(one.fact.values.get("file"))
    value: dict[str, Scalar] = {
        "number": None,
        "dc": str(one.observer),
        "file": file,
        "kind": _kind(file, None),
        "result": "",
        "aborts": 0,
        "input": one.fact.path,
    }
    return View("transition", one.observer, one.at, one.at, value, None, told_by=one.fact)


def _observed(timeline: Timeline, observer: Node, events: Sequence[Event]) -> tuple[View, ...]:
    table = Intervals("transition")
    plans: dict[int, Event] = {}
    unused: dict[str, Event] = {}
    for step in with_breaks(timeline, observer, events):
        if isinstance(step, Break) or step.type in LIFE:
            table.close(observer, step.at, step.uid)
        elif step.type == CALCULATED:
            plans[number(step, "transition", "number") or 0] = unused[step.uid] = step
        elif step.type == GRAPH:
            _begin(table, observer, step, plans)
        elif step.type == RESULT:
            _finish(table, observer, step, plans)
        else:
            _abort(table, observer)
    run = table.views()
    begun = {uid for view in run for uid in (view.opened_by, *view.evidence)}
    left = [plan for uid, plan in unused.items() if uid not in begun and not _is_told(plan, run)]
    return (*run, *(_not_run(observer, plan) for plan in left))


def _is_told(plan: Event, run: Sequence[View]) -> bool:
    """Whether a log that prints whole seconds tells of the plan of a run once more."""
    mine = number(plan, "transition", "number")
    at = plan.at.ns if plan.at is not None else 0
    return any(view.value["number"] == mine and abs(start_ns(view) - at) <= _STAMPED for view in run)


def _not_run(observer: Node, plan: Event) -> View:
    """A plan that another one replaced before any of its actions began, or whose run no log shows."""
    return View("transition", observer, plan.at, plan.at, _value(observer, plan, plan), plan.uid, plan.uid)


def _value(observer: Node, event: Event, plan: Event | None) -> dict[str, Scalar]:
    file = text(event, "pe_file", "file", "source") or ""
    return {
        "number": number(event, "transition", "number"),
        "dc": str(observer),
        "file": file.rsplit("/", 1)[-1],
        "kind": _kind(file, plan),
        "result": "",
        "aborts": 0,
    }


def _begin(table: Intervals, observer: Node, event: Event, plans: dict[int, Event]) -> None:
    """A transition begins with its calculation; the graph follows at once."""
    plan = plans.get(number(event, "transition", "number") or 0)
    opened = table.open(observer, observer, event.at, event.uid, _value(observer, event, plan))
    opened.note(plan.uid if plan is not None else None)
    if plan is not None and plan is not event and _recent(plan, event):
        opened.start, opened.opened_by = plan.at, plan.uid
        opened.note(event.uid)


def _finish(table: Intervals, observer: Node, event: Event, plans: dict[int, Event]) -> None:
    transition = number(event, "transition", "number")
    current = table.current(observer)
    if current is None or current.value["number"] != transition:
        # Only the daemon's own log prints the start of the graph; elsewhere the plan is the start.
        plan = plans.get(transition or 0)
        begun = plan if plan is not None and _recent(plan, event) else event
        _begin(table, observer, begun, plans)
        current = table.current(observer)
    if current is None:
        return
    file = (text(event, "pe_file", "source", "file") or "").rsplit("/", 1)[-1]
    current.value["number"] = transition
    current.value["result"] = (text(event, "result", "state") or "").rstrip(".")
    if file:
        current.value["file"], current.value["kind"] = file, _kind(file, None)
    table.close(observer, event.at, event.uid)


def _recent(plan: Event, result: Event) -> bool:
    return plan.at is not None and result.at is not None and 0 <= result.at.ns - plan.at.ns < _SAME_PLAN


def _abort(table: Intervals, observer: Node) -> None:
    current = table.current(observer)
    if current is not None:
        aborts = current.value["aborts"]
        current.value["aborts"] = (aborts if isinstance(aborts, int) else 0) + 1


def _kind(file: str, plan: Event | None) -> str:
    said = f"{file} {plan.message if plan is not None else ''}"
    if "pe-error" in said or "with errors" in said or "with ERRORs" in said:
        return "error"
    if "pe-warn" in said or "with warnings" in said or "with WARNINGs" in said:
        return "warn"
    return "input"
