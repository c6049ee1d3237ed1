"""What the scheduler of a DC, and those that plan a stop, believe of nodes (table ``node.state``, witness ``schedulerd``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state.fencing_results import Fenced
from hadiag.state.intervals import Intervals
from hadiag.state.reading import text
from hadiag.state.stream import Break, by_observer, silence_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.model.view import View
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

UNCLEAN = ("sched.will_fence", "sched.unclean", "sched.scheduling_fence")
LEAVING = ("pcmk.shutdown.requested", "pcmk.sched.shutdown")
LEFT = "pcmk.shutdown.peer_done"
NODE_STATE = "pcmk.node.state"
CALCULATED = "pcmk.transition.calculated"
LIFE = ("pacemakerd.start", "pacemakerd.stop_done", "pcmk.controller.stopping")

_WITNESS = "schedulerd"

Step = tuple[int, int, int, "Event | Break | Fenced"]


class JudgedTracker:
    """A node is unclean from the run of the scheduler that calls it so, to the run that does not, or to its fencing."""

    consumes = frozenset({*UNCLEAN, *LEAVING, LEFT, NODE_STATE, CALCULATED, *LIFE})

    def views(self, given: Given) -> Iterator[View]:
        """Replay the lines of each observer."""
        table = Intervals("node.state")
        kinds = (*UNCLEAN, *LEAVING)
        told = {event.observer for event in given.placed(*kinds)}
        lines = by_observer(given.placed(*kinds, LEFT, NODE_STATE, CALCULATED, *LIFE))
        for observer in sorted(told):
            steps: list[Step] = [
                (event.at.ns, 0, event.seq, event) for event in lines[observer] if event.at is not None
            ]
            steps += [(pause.at.ns, 1, 0, pause) for pause in silence_breaks(given.timeline, observer)]
            steps += [(done.at.ns, 2, 0, done) for done in given.fenced]
            self._replay(given.timeline, table, observer, sorted(steps, key=lambda step: step[:3]))
        yield from table.views()

    @staticmethod
    def _replay(timeline: Timeline, table: Intervals, observer: Node, steps: list[Step]) -> None:
        named: set[str] = set()
        for _, _, _, step in steps:
            if isinstance(step, Break) or (not isinstance(step, Fenced) and step.type in LIFE):
                table.close_observer(observer, step.at, step.uid)
            elif isinstance(step, Fenced):
                table.close((observer, step.target), step.at, step.uid)
            elif step.type == CALCULATED:
                _calculated(table, observer, step, named)
                named.clear()
            else:
                _line(timeline, table, observer, step, named)


def _calculated(table: Intervals, observer: Node, run: Event, named: set[str]) -> None:
    """The end of a run: whom it did not call unclean it believes to be in order again."""
    for key in table.open_keys():
        current = table.current(key)
        mine = isinstance(key, tuple) and key[0] == observer and key[1] not in named
        if mine and current is not None and current.value["state"] == "unclean":
            table.close(key, run.at, run.uid)


def _line(timeline: Timeline, table: Intervals, observer: Node, event: Event, named: set[str]) -> None:
    name = text(event, "target", "node", "peer") or ""
    node = str(timeline.node(name) or name)
    if not node:
        return
    key = (observer, node)
    if event.type in UNCLEAN:
        named.add(node)
        table.change(key, observer, event.at, event.uid, _value(node, "unclean", unclean=True))
    elif event.type in LEAVING:
        table.change(key, observer, event.at, event.uid, _value(node, "shutting_down", unclean=None))
    elif event.type == LEFT or text(event, "state") in {"lost", "member"}:
        current = table.current(key)
        if current is not None and current.value["state"] == "shutting_down":
            table.close(key, event.at, event.uid)


def _value(node: str, state: str, *, unclean: bool | None) -> dict[str, Scalar]:
    return {"node": node, "state": state, "witness": _WITNESS, "unclean": unclean}


TRACKER = JudgedTracker()
