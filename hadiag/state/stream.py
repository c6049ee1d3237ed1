"""Events of one observer in order, together with the moments at which its beliefs end."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from hadiag.model.frozen import record
from hadiag.model.time import Instant, TimeBasis

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hadiag.model.entity import Node
    from hadiag.model.event import Event
    from hadiag.timeline import Timeline


@record
class Break:
    """A moment at which everything that an observer believed ends."""

    at: Instant
    observer: Node
    uid: str | None = None


def placed(timeline: Timeline, *types: str) -> tuple[Event, ...]:
    """Events of some types that have a time."""
    return tuple(event for event in timeline.of(*types) if event.at is not None)


def by_observer(events: Iterable[Event]) -> Mapping[Node, list[Event]]:
    """Group events by the node that logged them, keeping their order."""
    groups: dict[Node, list[Event]] = {}
    for event in events:
        groups.setdefault(event.observer, []).append(event)
    return dict(sorted(groups.items()))


def silence_breaks(timeline: Timeline, observer: Node) -> tuple[Break, ...]:
    """Starts of the silent stretches of a node: its last lines before an unclean end."""
    return tuple(
        Break(instant(timeline, observer, silence.start_ns), observer)
        for silence in timeline.silences.get(observer, ())
    )


def with_breaks(timeline: Timeline, observer: Node, events: Iterable[Event]) -> tuple[Event | Break, ...]:
    """Events of one observer with its breaks; at equal times a silence comes last."""
    steps: list[tuple[int, int, int, Event | Break]] = []
    for index, event in enumerate(events):
        if event.at is not None:
            steps.append((event.at.ns, 0, index, event))
    for index, pause in enumerate(silence_breaks(timeline, observer)):
        steps.append((pause.at.ns, 1, index, pause))
    return tuple(step[3] for step in sorted(steps, key=lambda step: step[:3]))


def instant(timeline: Timeline, node: Node, ns: int) -> Instant:
    """Instant for a moment on a node's clock, with the uncertainty of that node's lines."""
    near = nearest(timeline, node, ns)
    if near is None or near.at is None:
        return Instant(ns, None, "", TimeBasis.ASSUMED)
    return Instant(ns, near.at.err_ns, near.at.logged if near.at.ns == ns else "", near.at.basis)


def nearest(timeline: Timeline, node: Node, ns: int) -> Event | None:
    """Event of a node that is closest to a moment, the last one before it if there is any."""
    times, events = timeline.logged_by(node)
    return events[max(0, bisect_right(times, ns) - 1)] if events else None
