"""Table ``clock.step``: moments at which the wall clock of a node was set, as the logs of all nodes together show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hadiag.model.view import View
from hadiag.state.stream import instant, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Scalar
    from hadiag.state.given import Given


_HALF_HOUR_S: Final = 1800
_ABOUT_S: Final = 3


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
                value: dict[str, Scalar] = {
                    "node": str(node),
                    "by_s": step.by_s,
                    "or_of": step.or_of,
                    "like_zone": _like_zone(step.by_s),
                }
                yield View("clock.step", node, at, at, value, uid, uid)


def _like_zone(by_s: float) -> bool:
    """Whether a step is one of whole half hours: where no epoch stands near it, somebody may have changed the zone instead."""
    halves = round(by_s / _HALF_HOUR_S)
    return halves != 0 and abs(by_s - halves * _HALF_HOUR_S) <= _ABOUT_S


TRACKER = ClockStepTracker()
