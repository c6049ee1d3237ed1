"""Links of the cluster network: knet links to each peer, and the rings of the older redundant ring protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state.intervals import Intervals
from hadiag.state.membership import COROSYNC_END
from hadiag.state.reading import number, text
from hadiag.state.stream import Break, by_observer, placed, with_breaks
from hadiag.timeline.known import COROSYNC_START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.model.view import View
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

_STATES = {
    "knet.link.down": "down",
    "knet.link.up": "up",
    "corosync.rrp.faulty": "down",
    "corosync.rrp.recovered": "up",
}


class LinkTracker:
    """Table ``link.state``."""

    consumes = frozenset({*_STATES, *COROSYNC_START, *COROSYNC_END})

    def views(self, given: Given) -> Iterator[View]:
        """Replay the link lines of each observer."""
        timeline = given.timeline
        table = Intervals("link.state")
        for observer, events in by_observer(placed(timeline, *sorted(self.consumes))).items():
            # Where the log begins in the middle of a life, the first line of a link also tells the state before it.
            first_life, since, since_uid = True, None, None
            for step in with_breaks(timeline, observer, events):
                if isinstance(step, Break) or step.type not in _STATES:
                    table.close_observer(observer, step.at, step.uid)
                    started = not isinstance(step, Break) and step.type in COROSYNC_START
                    first_life, since, since_uid = False, step.at if started else None, step.uid
                else:
                    _link(timeline, table, step, (since, since_uid) if since or first_life else None)
        yield from table.views()


def _link(timeline: Timeline, table: Intervals, event: Event, since: tuple[Instant | None, str | None] | None) -> None:
    peer = text(event, "host", "peer", "node") or ""
    peer = str(timeline.node(peer) or peer)
    link = number(event, "link", "ring")
    state = _STATES[event.type]
    key = (event.observer, peer, link)
    if table.current(key) is None and since is not None:
        before = "up" if state == "down" else "down"
        value = {"peer": peer, "link": link, "state": before, "startup": before == "down"}
        table.open(key, event.observer, *since, value)
    value = {"peer": peer, "link": link, "state": state, "startup": False}
    table.change(key, event.observer, event.at, event.uid, value)


TRACKER = LinkTracker()
