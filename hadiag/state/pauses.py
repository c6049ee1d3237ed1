"""Table ``node.pause``: stretches in which corosync of a node did not run, as it found out itself when it ran again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.reading import at_of, number
from hadiag.state.stream import placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.event import Event
    from hadiag.state.given import Given

PAUSES = ("corosync.main.not_scheduled", "corosync.totem.process_pause")
_MS = NS // 1000


class PauseTracker:
    """The line is printed when the pause is over, and says how long it was: it began that much earlier."""

    consumes = frozenset(PAUSES)

    def views(self, given: Given) -> Iterator[View]:
        """Yield one interval for each report."""
        timeline = given.timeline
        for event in placed(timeline, *PAUSES):
            yield _pause(event)


def _pause(event: Event) -> View:
    at = at_of(event)
    ms = number(event, "ms")
    start = at if ms is None else replace(at, ns=at.ns - round(ms * _MS), logged="")
    value = {"node": str(event.observer), "duration_s": None if ms is None else ms / 1000}
    return View("node.pause", event.observer, start, at, value, event.uid, event.uid)


TRACKER = PauseTracker()
