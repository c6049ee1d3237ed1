"""The controller: its state machine, who it takes for the DC, and the transitions that the DC ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state.intervals import Intervals
from hadiag.state.reading import text
from hadiag.state.stream import Break, by_observer, placed, with_breaks
from hadiag.state.transitions import CONSUMES as TRANSITION_LINES
from hadiag.state.transitions import LIFE, transition_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Node
    from hadiag.model.event import Event
    from hadiag.model.view import View
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

FSA = "pcmk.fsa.transition"
DC_SET = "pcmk.dc.set"
DC_UNSET = "pcmk.dc.unset"
DC_TAKE = "pcmk.dc.take"
DC_RELEASED = "pcmk.dc.released"

_DC_STATES = frozenset({"S_IDLE", "S_INTEGRATION", "S_FINALIZE_JOIN", "S_POLICY_ENGINE", "S_TRANSITION_ENGINE"})


class ControllerTracker:
    """Tables ``controller.state``, ``dc.view`` and ``transition``."""

    consumes = frozenset({FSA, DC_SET, DC_UNSET, DC_TAKE, DC_RELEASED, *TRANSITION_LINES})

    def views(self, given: Given) -> Iterator[View]:
        """Replay each observer's lines."""
        timeline = given.timeline
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
        yield from transition_views(given)


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


TRACKER = ControllerTracker()
