"""Node ids of nodes that no configuration names, read from the lines of corosync.

Corosync speaks of nodes by number, Pacemaker by name, and without corosync.conf or a CIB nothing puts the two together in plain words.
But knet prints the numbers of the *peers* only: of the members that a log lists, the one that never appears as a
peer is the log's own node. When one number and one name are left over, they belong together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hadiag.model.entity import NodeRole, Scalar
from hadiag.model.event import RawEvent

if TYPE_CHECKING:
    from hadiag.timeline.identity import Identities

MEMBER_LISTS = frozenset({"corosync.quorum.members", "corosync.quorum.sync_lists"})
PEER_LINES = frozenset(
    {"knet.link.down", "knet.link.up", "knet.host.no_links", "knet.host.best_link", "knet.host.active_links"}
)


@dataclass(slots=True)
class _Heard:
    """Numbers that one node's corosync printed."""

    members: set[int] = field(default_factory=set)
    peers: set[int] = field(default_factory=set)
    alone: set[int] = field(default_factory=set)

    def own(self) -> int | None:
        """The one member that is no peer; else the one with which it was ever alone in a ring."""
        left = self.members - self.peers
        for found in (left, self.alone - self.peers):
            if len(found) == 1:
                return next(iter(found))
        return None


def infer_node_ids(found: Identities, raws: Iterable[RawEvent]) -> None:
    """Give the nodes without a node id the one that their own log shows, then the last one that is left."""
    heard = _listen(found, raws)
    taken = {number for entity in found.entities() for number in entity.nodeids}
    for name, numbers in sorted(heard.items()):
        entity, own = found.entity(name), numbers.own()
        if entity.nodeids or own is None or own in taken:
            continue
        taken.add(own)
        found.identify(name, own, next(iter(sorted(entity.clusters)), ""))
    _last(found, {number for numbers in heard.values() for number in numbers.members} - taken)


def _listen(found: Identities, raws: Iterable[RawEvent]) -> Mapping[str, _Heard]:
    heard: dict[str, _Heard] = defaultdict(_Heard)
    for raw in raws:
        if raw.type in MEMBER_LISTS:
            members = _numbers(raw.fields.get("nodeids"))
            numbers = heard[found.observer(raw.ref.bundle, raw.host, raw.node_hint)]
            if raw.fields.get("kind") in {None, "members"}:
                numbers.members |= members
                numbers.alone |= members if len(members) == 1 else set()
        elif raw.type in PEER_LINES:
            heard[found.observer(raw.ref.bundle, raw.host, raw.node_hint)].peers |= _numbers(raw.fields.get("host"))
    return heard


def _numbers(value: Scalar) -> set[int]:
    words = value if isinstance(value, tuple) else str(value if value is not None else "").split()
    return {int(word) for word in words if word.isdigit() and len(word) < 12}


def _last(found: Identities, free: set[int]) -> None:
    """The only number that is left belongs to the only member that has none."""
    nameless = [e for e in found.entities() if e.role is NodeRole.MEMBER and not e.nodeids and not e.name.isdigit()]
    if len(free) == 1 and len(nameless) == 1:
        found.identify(nameless[0].name, free.pop(), next(iter(sorted(nameless[0].clusters)), ""))
