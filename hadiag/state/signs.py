"""When the peers of a node first missed it: seconds before its membership ended and anybody calls it lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.state.reading import at_of, moment_of, number, text
from hadiag.state.stream import placed
from hadiag.state.windows import Window, windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hadiag.model.time import Instant
    from hadiag.timeline import Timeline

LINK_UP = "knet.link.up"
NO_LINKS = "knet.host.no_links"
TOKEN_LOST = "corosync.totem.token_lost"  # noqa: S105 (no secret: it goes round the ring)
RINGS = ("corosync.totem.new_membership", "corosync.totem.new_membership_old")
RUN_UP = 60 * NS
"""From the first sign that a node is missed to the word of the controller: token, consensus, and the new membership."""
_FORMED = 3 * NS
"""All nodes print a ring, and the controller whom it lost, within this time."""
_BURST = 5 * NS
"""The peers of a node miss it within this time of each other."""
_MS = NS // 1000


class LossSigns:
    """What the links to each node did, and when the token was overdue."""

    def __init__(self, timeline: Timeline) -> None:
        named = ((text(event, "host") or "", event) for event in placed(timeline, LINK_UP, NO_LINKS))
        self._links = windows(((str(timeline.node(name) or name), event) for name, event in named), key=moment_of)
        self._tokens = Window(placed(timeline, TOKEN_LOST), key=moment_of)
        self._rings = Window(placed(timeline, *RINGS), key=moment_of)

    def missed_since(self, node: str, lost: Instant) -> Instant:
        """When all links to a lost node went down, else since when the token was overdue; the loss itself without either."""
        near = self._links[node].between(lost.ns - RUN_UP, lost.ns) if node in self._links else ()
        ups = [at_of(event).ns for event in near if event.type == LINK_UP]
        downs = [at_of(event).ns for event in near if event.type == NO_LINKS and at_of(event).ns > max(ups, default=0)]
        ring = self._rings.before(lost.ns - _FORMED, 1)  # what is older than the ring before led to that ring
        tokens = self._tokens.between(max([lost.ns - RUN_UP, *map(moment_of, ring)]), lost.ns)
        overdue = [at_of(event).ns - (number(event, "timeout_ms") or 0) * _MS for event in tokens]
        began = _last_burst(downs) or max(overdue, default=None)
        if began is None or began >= lost.ns:
            return lost
        return replace(lost, ns=began, err_ns=(lost.err_ns or 0) + NS, logged="")


def _last_burst(times: Sequence[int]) -> int | None:
    """Begin of the last lines that follow each other closely: the links of a node that starts are not up either."""
    began = None
    for before, moment in pairwise((None, *times)):
        began = moment if before is None or moment is None or moment - before > _BURST else began
    return began
