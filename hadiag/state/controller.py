"""The controller: its state machine, who it takes for the DC, and the transitions that the DC ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.intervals import Intervals
from hadiag.state.reading import number, text
from hadiag.state.stream import Break, by_observer, placed, with_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

FSA = "pcmk.fsa.transition"
DC_SET = "pcmk.dc.set"
DC_UNSET = "pcmk.dc.unset"
DC_TAKE = "pcmk.dc.take"
DC_RELEASED = "pcmk.dc.released"
CALCULATED = "pcmk.transition.calculated"
GRAPH = "pcmk.graph.start"
RESULT = "pcmk.transition.result"
ABORTED = ("pcmk.transition.aborted", "pcmk.transition.aborted_old")
LIFE = ("pacemakerd.start", "pacemakerd.stop_done", "pcmk.controller.stopping")

_DC_STATES = frozenset({"S_IDLE", "S_INTEGRATION", "S_FINALIZE_JOIN", "S_POLICY_ENGINE", "S_TRANSITION_ENGINE"})
_SAME_PLAN = 60 * NS


class ControllerTracker:
    """Tables ``controller.state``, ``dc.view`` and ``transition``."""

    consumes = frozenset({FSA, DC_SET, DC_UNSET, DC_TAKE, DC_RELEASED, CALCULATED, GRAPH, RESULT, *ABORTED, *LIFE})

    def views(self, timeline: Timeline, facts: Sequence[Fact]) -> Iterator[View]:
        """Replay each observer's lines."""
        del facts
        states, leaders = Intervals("controller.state"), Intervals("dc.view")
        for observer, events in by_observer(
            placed(timeline, FSA, DC_SET, DC_UNSET, DC_TAKE, DC_RELEASED, *LIFE)
        ).items():
            fresh = True
            for step in with_breaks(timeline, observer, events):
                if isinstance(step, Break) or step.type in LIFE:
                    states.close(observer, step.at, step.uid)
                    leaders.close(observer, step.at, step.uid)
                    fresh = False
                elif step.type == FSA:
                    _fsa(states, leaders, observer, step, first=fresh)
                    fresh = False
                else:
                    _dc(timeline, leaders, observer, step)
        yield from states.views()
        yield from leaders.views()
        yield from _transitions(timeline)


def _fsa(states: Intervals, leaders: Intervals, observer: Node, event: Event, *, first: bool) -> None:
    before, after = text(event, "from_state", "from"), text(event, "to_state", "to", "state")
    if after is None:
        return
    if first and before and states.current(observer) is None:
        states.open(observer, observer, None, None, {"state": before})
        if before in _DC_STATES and leaders.current(observer) is None:
            leaders.open(observer, observer, None, event.uid, {"dc": str(observer)})
    states.change(observer, observer, event.at, event.uid, {"state": after})
    current = leaders.current(observer)
    if after in _DC_STATES:
        leaders.change(observer, observer, event.at, event.uid, {"dc": str(observer)})
    elif current is not None and current.value["dc"] == str(observer) and after != "S_ELECTION":
        leaders.change(observer, observer, event.at, event.uid, {"dc": ""})


def _dc(timeline: Timeline, leaders: Intervals, observer: Node, event: Event) -> None:
    if event.type == DC_TAKE:
        leader = str(observer)
    elif event.type == DC_SET:
        name = text(event, "node", "dc") or ""
        leader = str(timeline.node(name) or name)
    else:
        leader = ""
    leaders.change(observer, observer, event.at, event.uid, {"dc": leader})


def _transitions(timeline: Timeline) -> Iterator[View]:
    for observer, events in by_observer(placed(timeline, CALCULATED, GRAPH, RESULT, *ABORTED, *LIFE)).items():
        yield from _observer_transitions(timeline, observer, events)


def _observer_transitions(timeline: Timeline, observer: Node, events: Sequence[Event]) -> Iterator[View]:
    table = Intervals("transition")
    plans: dict[int, Event] = {}
    for step in with_breaks(timeline, observer, events):
        if isinstance(step, Break) or step.type in LIFE:
            table.close(observer, step.at, step.uid)
        elif step.type == CALCULATED:
            plans[number(step, "transition", "number") or 0] = step
        elif step.type == GRAPH:
            _begin(table, observer, step, plans)
        elif step.type == RESULT:
            _finish(table, observer, step, plans)
        else:
            _abort(table, observer)
    yield from table.views()


def _begin(table: Intervals, observer: Node, event: Event, plans: dict[int, Event]) -> None:
    transition = number(event, "transition", "number")
    file = text(event, "pe_file", "file", "source") or ""
    plan = plans.get(transition or 0)
    value: dict[str, Scalar] = {
        "number": transition,
        "dc": str(observer),
        "file": file.rsplit("/", 1)[-1],
        "kind": _kind(file, plan),
        "result": "",
        "aborts": 0,
    }
    opened = table.open(observer, observer, event.at, event.uid, value)
    opened.note(plan.uid if plan is not None else None)


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
    return plan.at is not None and result.at is not None and result.at.ns - plan.at.ns < 10 * _SAME_PLAN


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


TRACKER = ControllerTracker()
