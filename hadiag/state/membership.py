"""Rings, partitions, and nodes that are present or absent, as each observer's corosync and controller saw them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.state.intervals import Intervals
from hadiag.state.reading import at_of, daemon, moment_of, number, text, words
from hadiag.state.stream import Break, by_observer, placed, with_breaks
from hadiag.state.windows import Window, windows
from hadiag.timeline.known import COROSYNC_START

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.model.view import View
    from hadiag.state.fencing_results import Fenced
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

NEW_RING = "corosync.totem.new_membership"
NEW_RING_OLD = "corosync.totem.new_membership_old"
NO_LEAVE = "corosync.totem.failed_to_receive_leave"
MEMBERS = "corosync.quorum.members"
SYNC = "corosync.quorum.sync_lists"
NODE_STATE = "pcmk.node.state"
COROSYNC_END = ("corosync.main.exit_normal", "corosync.main.exit_error")
PEER_DOWN_ORDERLY = ("pcmk.shutdown.peer_done", "pcmk.sched.shutdown")
PEER_UNCLEAN = ("sched.will_fence", "sched.unclean", "sched.scheduling_fence")

_CHANGES = re.compile(r"(joined|left)\s*:\s*([0-9 ]+)")
_ORDERLY_BEFORE = 300 * NS
_UNCLEAN_AFTER = 60 * NS
_FENCED_BEFORE = 120 * NS
_TRUSTED = "controld"


@dataclass(slots=True)
class _Observer:
    """What one observer's corosync knows at a moment."""

    node: Node
    members: tuple[str, ...] | None = None
    synced: tuple[str, ...] | None = None
    sync_left: tuple[str, ...] = ()
    sync_joined: tuple[str, ...] = ()
    settled: bool = True
    ring_at: Instant | None = None
    ring_uid: str | None = None
    unclean: tuple[str, ...] = ()

    def reset(self) -> None:
        """Forget everything: nothing of an earlier life of corosync holds."""
        self.members = self.synced = self.ring_at = self.ring_uid = None
        self.sync_left = self.sync_joined = self.unclean = ()
        self.settled = True


@dataclass(slots=True)
class _Tables:
    ring: Intervals = field(default_factory=lambda: Intervals("membership.ring"))
    partition: Intervals = field(default_factory=lambda: Intervals("membership.partition"))
    absent: Intervals = field(default_factory=lambda: Intervals("node.absent"))
    state: Intervals = field(default_factory=lambda: Intervals("node.state"))


class MembershipTracker:
    """Tables ``membership.ring``, ``membership.partition``, ``node.absent`` and ``node.state``."""

    consumes = frozenset(
        {NEW_RING, NEW_RING_OLD, NO_LEAVE, MEMBERS, SYNC, NODE_STATE}
        | {*COROSYNC_START, *COROSYNC_END, *PEER_DOWN_ORDERLY, *PEER_UNCLEAN}
    )

    def views(self, given: Given) -> Iterator[View]:
        """Replay each observer's lines."""
        timeline = given.timeline
        tables = _Tables()
        corosync = by_observer(
            placed(timeline, NEW_RING, NEW_RING_OLD, NO_LEAVE, MEMBERS, SYNC, *COROSYNC_START, *COROSYNC_END)
        )
        for node, events in corosync.items():
            _replay(timeline, tables, _Observer(node), events)
        _node_states(timeline, tables, frozenset(corosync))
        for table in (tables.ring, tables.partition, tables.state):
            yield from table.views()
        for view in tables.absent.views():
            yield _with_fencing(view, given.fenced_by.get(str(view.value["node"]), ()))


def _replay(timeline: Timeline, tables: _Tables, observer: _Observer, events: Sequence[Event]) -> None:
    for step in with_breaks(timeline, observer.node, events):
        if isinstance(step, Break) or step.type in COROSYNC_START or step.type in COROSYNC_END:
            _forget(tables, observer, step.at, step.uid)
        else:
            _corosync_line(timeline, tables, observer, step)


def _corosync_line(timeline: Timeline, tables: _Tables, observer: _Observer, event: Event) -> None:
    if event.type in (NEW_RING, NEW_RING_OLD):
        _settle(tables, observer)
        _new_ring(timeline, tables, observer, event)
    elif event.type == NO_LEAVE:
        observer.unclean = _names(timeline, words(event, "failed", "nodes"))
        _amend_ring(tables, observer, event, unclean=observer.unclean)
    elif event.type == MEMBERS:
        _members(timeline, tables, observer, event)
    else:
        _sync_list(timeline, tables, observer, event)


def _sync_list(timeline: Timeline, tables: _Tables, observer: _Observer, event: Event) -> None:
    """Keep corosync's lists of the sync phase; they are printed just before the ring's own line."""
    kind = (text(event, "kind") or "").lower()
    nodes = _names(timeline, words(event, "nodeids", "nodes", "members"))
    if "member" in kind:
        _settle(tables, observer)
        observer.synced, observer.sync_left, observer.sync_joined = nodes, (), ()
    elif "left" in kind:
        observer.sync_left = nodes
    elif "joined" in kind:
        observer.sync_joined = nodes


def _new_ring(timeline: Timeline, tables: _Tables, observer: _Observer, event: Event) -> None:
    joined, left = _changes(timeline, event)
    joined, left = joined or observer.sync_joined, left or observer.sync_left
    before = observer.members
    members = observer.synced
    if members is None and before is not None:
        members = tuple(sorted((set(before) | set(joined)) - set(left)))
    value: dict[str, Scalar] = {
        "ring_id": text(event, "ring_id") or _old_ring_id(event),
        "seq": _sequence(event),
        "members": members,
        "left": left,
        "joined": joined,
        "unclean": (),
    }
    tables.ring.open(observer.node, observer.node, event.at, event.uid, value)
    observer.synced, observer.sync_left, observer.sync_joined = None, (), ()
    observer.settled, observer.ring_at, observer.ring_uid, observer.unclean = False, event.at, event.uid, ()
    if members is None and before is None and left:
        # Only the nodes that left are known: they are gone even though the rest of the ring is not.
        observer.members = None


def _members(timeline: Timeline, tables: _Tables, observer: _Observer, event: Event) -> None:
    members = _names(timeline, words(event, "nodeids", "nodes", "members"))
    if tables.ring.current(observer.node) is None:
        observer.ring_at, observer.ring_uid, observer.settled = event.at, event.uid, False
        ring: dict[str, Scalar] = {"ring_id": "", "seq": None, "left": (), "joined": (), "unclean": ()}
        tables.ring.open(observer.node, observer.node, event.at, event.uid, ring)
    _amend_ring(tables, observer, event, members=members)
    _settle(tables, observer)


def _amend_ring(tables: _Tables, observer: _Observer, event: Event, **changes: tuple[str, ...]) -> None:
    ring = tables.ring.current(observer.node)
    if ring is not None:
        ring.value.update(changes)
        ring.note(event.uid)


def _settle(tables: _Tables, observer: _Observer) -> None:
    """Draw the conclusions of the current ring, once its lines have all been read."""
    ring = tables.ring.current(observer.node)
    if observer.settled or ring is None:
        return
    observer.settled = True
    members, left = ring.value.get("members"), ring.value.get("left")
    before = observer.members
    observer.members = members if isinstance(members, tuple) else None
    gone = set(before or ()) - set(observer.members or ()) if observer.members is not None else set()
    if isinstance(left, tuple):
        gone |= set(left) - set(observer.members or ())
    _absences(tables, observer, ring.evidence, gone)
    if observer.members is None:
        tables.partition.close(observer.node, observer.ring_at, observer.ring_uid)
        return
    tables.partition.change(
        observer.node, observer.node, observer.ring_at, observer.ring_uid, {"members": observer.members}
    )
    for node in observer.members:
        tables.absent.close((observer.node, node), observer.ring_at, observer.ring_uid)
        _corosync_state(tables, observer, node, "member", unclean=None)


def _absences(tables: _Tables, observer: _Observer, evidence: Sequence[str], gone: set[str]) -> None:
    # The line that names the nodes without a leave message exists since corosync 2.0; without any line the
    # departure was announced.
    for node in sorted(gone - {observer.node}):
        unclean = node in observer.unclean
        key = (observer.node, node)
        if tables.absent.current(key) is None:
            value: dict[str, Scalar] = {"node": node, "how": "unclean" if unclean else "orderly", "fenced": False}
            opened = tables.absent.open(key, observer.node, observer.ring_at, observer.ring_uid, value)
            for uid in evidence:
                opened.note(uid)
        _corosync_state(tables, observer, node, "lost", unclean=unclean)


def _corosync_state(tables: _Tables, observer: _Observer, node: str, state: str, *, unclean: bool | None) -> None:
    value: dict[str, Scalar] = {"node": node, "state": state, "witness": "corosync", "unclean": unclean}
    tables.state.change((observer.node, node, "corosync"), observer.node, observer.ring_at, observer.ring_uid, value)


def _forget(tables: _Tables, observer: _Observer, at: Instant | None, uid: str | None) -> None:
    _settle(tables, observer)
    for table in (tables.ring, tables.partition, tables.absent, tables.state):
        table.close_observer(observer.node, at, uid)
    observer.reset()


def _changes(timeline: Timeline, event: Event) -> tuple[tuple[str, ...], tuple[str, ...]]:
    joined, left = words(event, "joined"), words(event, "left")
    if not joined and not left:
        found = dict(_CHANGES.findall(text(event, "changes") or ""))
        joined, left = tuple(found.get("joined", "").split()), tuple(found.get("left", "").split())
    return _names(timeline, joined), _names(timeline, left)


def _names(timeline: Timeline, nodes: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({str(timeline.node(name) or name) for name in nodes}))


def _old_ring_id(event: Event) -> str:
    address, sequence = text(event, "ip"), text(event, "seq")
    return f"{address or ''}:{sequence or ''}" if address or sequence else ""


def _sequence(event: Event) -> int | None:
    """Number of the ring; corosync 3.0.3 and later print it in hex behind the representative's node id."""
    plain = number(event, "seq")
    if plain is not None:
        return plain
    ring = text(event, "ring_id") or ""
    if "." in ring and ":" not in ring:
        last = ring.rsplit(".", 1)[1]
        return int(last, 16) if re.fullmatch(r"[0-9a-fA-F]{1,16}", last) else None
    last = ring.rsplit(":", 1)[-1]
    return int(last) if last.isdigit() else None


def _node_states(timeline: Timeline, tables: _Tables, with_corosync: frozenset[Node]) -> None:
    """Peer states of the pacemaker daemons; only the controller's word counts for a node being lost."""
    unclean = _about(placed(timeline, *PEER_UNCLEAN))
    orderly = _about(placed(timeline, *PEER_DOWN_ORDERLY))
    starts = placed(timeline, "pacemakerd.start", "pacemakerd.stop_done")
    states = placed(timeline, NODE_STATE)
    for observer, events in by_observer((*states, *starts)).items():
        ordered = sorted(events, key=lambda event: (event.at.ns if event.at else 0, event.seq))
        for step in with_breaks(timeline, observer, ordered):
            if isinstance(step, Break) or step.type != NODE_STATE:
                _forget_daemons(tables, observer, step)
            else:
                gone = (text(step, "state") or "").lower() == "lost"
                how = _departure(timeline, step, orderly, unclean) if gone else ""
                _node_state(timeline, tables, step, how, with_corosync)


def _forget_daemons(tables: _Tables, observer: Node, step: Event | Break) -> None:
    for key in tables.state.open_keys():
        if isinstance(key, tuple) and key[0] == observer and key[2] != "corosync":
            tables.state.close(key, step.at, step.uid)
    for key in tables.absent.open_keys():
        if isinstance(key, tuple) and key[0] == observer and len(key) == 3:
            tables.absent.close(key, step.at, step.uid)


def _node_state(timeline: Timeline, tables: _Tables, event: Event, how: str, with_corosync: frozenset[Node]) -> None:
    node, state = text(event, "node", "peer"), (text(event, "state") or "").lower()
    if not node or not state:
        return
    node = str(timeline.node(node) or node)
    witness = daemon(event.program or text(event, "daemon")).removeprefix("pacemaker-") or _TRUSTED
    unclean = {"unclean": True, "orderly": False}.get(how) if state == "lost" else None
    if state == "lost" and witness != _TRUSTED:
        state = "process_lost"
    value: dict[str, Scalar] = {"node": node, "state": state, "witness": witness, "unclean": unclean}
    tables.state.change((event.observer, node, witness), event.observer, event.at, event.uid, value)
    if witness != _TRUSTED or event.observer in with_corosync:
        return
    key = (event.observer, node, _TRUSTED)
    if state == "member":
        tables.absent.close(key, event.at, event.uid)
    elif state == "lost" and node != event.observer and tables.absent.current(key) is None:
        absence: dict[str, Scalar] = {"node": node, "how": how, "fenced": False}
        tables.absent.open(key, event.observer, event.at, event.uid, absence)


Signs = dict[str, "Window[Event]"]
"""Lines about each node, in order of time."""


def _about(events: Sequence[Event]) -> Signs:
    named = ((text(event, "node", "target", "peer"), event) for event in events)
    return windows(((node, event) for node, event in named if node is not None), key=moment_of)


def _departure(timeline: Timeline, lost: Event, orderly: Signs, unclean: Signs) -> str:
    """How a node went, judged by the lines around the moment at which it was lost."""
    node = timeline.node(text(lost, "node", "peer") or "") or text(lost, "node", "peer")
    moment = at_of(lost).ns
    if node in unclean and unclean[node].between(moment, moment + _UNCLEAN_AFTER):
        return "unclean"
    if node in orderly and orderly[node].between(moment - _ORDERLY_BEFORE, moment + 5 * NS):
        return "orderly"
    return "unknown"


def _with_fencing(view: View, fenced: Sequence[Fenced]) -> View:
    """Tell whether the absent node was fenced in, or just before, its absence."""
    for done in fenced:
        if view.start is None:
            continue
        starts_before = done.at.ns >= view.start.ns - _FENCED_BEFORE
        ends_after = view.end is None or done.at.before(view.end) is not Tri.FALSE
        if starts_before and ends_after:
            return replace(view, value={**view.value, "fenced": True}, evidence=(*view.evidence, done.uid))
    return view


TRACKER = MembershipTracker()
