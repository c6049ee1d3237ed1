"""Table ``clock.step``: moments at which the wall clock of a node was set, as the logs of all nodes together show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.view import View
from hadiag.state.stream import instant, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Scalar
    from hadiag.state.given import Given


class ClockStepTracker:
    """A step needs no line of its own: the log runs back, or the anchors that nodes share jump."""

    consumes: frozenset[str] = frozenset()

    def views(self, given: Given) -> Iterator[View]:
        """Yield one moment for each step that the clocks show."""
        timeline = given.timeline
        for node, clock in sorted(timeline.clocks.items()):
            for step in clock.steps:
                at = instant(timeline, node, step.at_ns)
                near = nearest(timeline, node, step.at_ns)
                uid = near.uid if near else None
                value: dict[str, Scalar] = {"node": str(node), "by_s": step.by_s, "or_of": step.or_of}
                yield View("clock.step", node, at, at, value, uid, uid)


TRACKER = ClockStepTracker()
