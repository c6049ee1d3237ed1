"""Where each resource was active, from the results on each node (table ``rsc.active``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.event import Event
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.state.clones import Kind
from hadiag.state.fencing_results import Fenced, outlived
from hadiag.state.intervals import Intervals
from hadiag.state.operations import rc_of
from hadiag.state.reading import at_of, base_name, daemon, text
from hadiag.state.snapshots import Claim
from hadiag.state.stream import Break, placed, silence_breaks
from hadiag.state.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.time import Instant
    from hadiag.state.given import Given

_BOOT = "kernel.boot"
_NODE_STATE = "pcmk.node.state"
_PROMOTED_RCS = frozenset({8, 9, 191})
_RUNNING_RCS = frozenset({0, 8, 190, 191})
_GONE_RC = 7
_ABSENT_RCS = frozenset({5, 7})
_NO_RESULT = frozenset({"cancelled", "pending", "unknown"})
_PRINTED = 2 * NS
"""A snapshot is stamped in whole seconds: what a line tells this close to it is not told better by the snapshot."""

Step = tuple[int, int, "View | Break | Fenced | Event | Claim"]


class _Replay:
    """The intervals while they are replayed, and where only snapshots can tell: before the first line, and after a node was lost."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.table = Intervals("rsc.active")
        self.kinds = kinds
        self.logged: dict[tuple[str, str], Window[int]] = {}
        self.known: set[tuple[str, str]] = set()
        self.last: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def forget(self, node: str, ns: int) -> None:
        """A node was lost or began anew: what is known of it is no longer from its lines."""
        self.known = {pair for pair in self.known if pair[0] != node}
        self.ended[node] = ns


def active_views(given: Given, operations: Sequence[View], kinds: Mapping[str, Kind]) -> tuple[View, ...]:
    """Replay the results of each node, and what snapshots say where there is no result."""
    timeline, replay = given.timeline, _Replay(kinds)
    boots = placed(timeline, _BOOT)
    losses = [event for event in placed(timeline, _NODE_STATE) if _lost(event)]
    per_node: dict[str, list[Step]] = {}
    for view in operations:
        if view.end is not None:
            per_node.setdefault(str(view.value["node"]), []).append((view.end.ns, 0, view))
    for claim in given.claims:
        per_node.setdefault(str(claim.node), []).append((claim.at.ns, 3, claim))
    replay.logged = _logged(operations)
    for node in per_node:
        times, _ = timeline.logged_by(Node(node))
        replay.last[node] = times[-1] if times else 0
    for node, steps in sorted(per_node.items()):
        steps += [(pause.at.ns, 1, pause) for pause in silence_breaks(timeline, Node(node))]
        steps += [(d.at.ns, 2, d) for d in given.fenced_by.get(node, ()) if not outlived(timeline, d)]
        steps += [(boot.at.ns, 2, boot) for boot in boots if boot.observer == node and boot.at is not None]
        steps += [(at_of(lost).ns, 2, lost) for lost in losses if text(lost, "node") == node]
        for _, _, step in sorted(steps, key=lambda step: step[:2]):
            _step(replay, node, step)
    return replay.table.views()


def _logged(operations: Sequence[View]) -> dict[tuple[str, str], Window[int]]:
    """When the logs tell results of each resource on each node."""
    times: dict[tuple[str, str], list[int]] = {}
    for view in operations:
        if view.end is not None and _tells(view):
            times.setdefault((str(view.value["node"]), str(view.value["resource"])), []).append(view.end.ns)
    return {pair: Window(found, key=int) for pair, found in times.items()}


def _tells(view: View) -> bool:
    """Whether a line says how an operation went."""
    return view.told_by is None and view.value["status"] not in _NO_RESULT


def _step(replay: _Replay, node: str, step: View | Break | Fenced | Event | Claim) -> None:
    table = replay.table
    if isinstance(step, View):
        _result(table, node, step, replay.kinds)
        if _tells(step):
            replay.known.add((node, str(step.value["resource"])))
        return
    if isinstance(step, Claim):
        _claimed(replay, node, step)
        return
    if isinstance(step, Fenced):
        _end_fenced(table, node, step)
    elif isinstance(step, Event) and step.type == _NODE_STATE:
        _end_hearsay(table, node, step)
    else:
        _end_node(table, node, step.at, step.uid)
    if not any(isinstance(key, tuple) and key[0] == node for key in table.open_keys()):
        replay.forget(node, at_of(step).ns if isinstance(step, Event) else step.at.ns)


def _claimed(replay: _Replay, node: str, claim: Claim) -> None:
    """Take a snapshot's word where no line tells of that resource on that node, and of what came behind the last line."""
    pair = (node, claim.resource)
    lines = replay.logged.get(pair)
    near = lines is not None and lines.between(claim.at.ns - _PRINTED, claim.at.ns + _PRINTED)
    behind = claim.since is not None and _is_behind(replay, node, claim.since.ns, lines)
    if (pair in replay.known or near) and not behind:
        return
    table = replay.table
    key = next((key for key in table.open_keys() if _names(key, pair)), (node, claim.instance))
    if not claim.role:
        at = claim.since if claim.role is not None and claim.since is not None else claim.at
        table.close(key, at)
        return
    current = table.current(key)
    if current is not None and current.value["role"] == claim.role:
        return
    start = claim.at
    if claim.since is not None and replay.ended.get(node, 0) < claim.since.ns <= claim.at.ns:
        start = claim.since
    kind = replay.kinds.get(claim.resource, Kind())
    value = _value(claim.resource, node, claim.role, kind, fencing=claim.fencing)
    table.open(key, claim.observer, start, None, {**value, "proof": "snapshot"}, told_by=claim.fact)


def _is_behind(replay: _Replay, node: str, since: int, lines: Window[int] | None) -> bool:
    """Whether what a history dates lies behind the last line of a node, or in its very second without a line of its own."""
    if since < replay.last.get(node, 0) - NS:
        return False
    return lines is None or not lines.between(since - _PRINTED, since + _PRINTED)


def _names(key: object, pair: tuple[str, str]) -> bool:
    return isinstance(key, tuple) and key[0] == pair[0] and base_name(str(key[1])) == pair[1]


def _lost(event: Event) -> bool:
    return text(event, "state") == "lost" and daemon(event.program) in ("pacemaker-controld", "")


def _end_hearsay(table: Intervals, node: str, lost: Event) -> None:
    """What the DC reported of a node without logs holds until the DC lost the node."""
    for key in table.open_keys():
        current = table.current(key)
        if isinstance(key, tuple) and key[0] == node and current is not None and current.observer == lost.observer:
            table.close(key, lost.at, lost.uid)


def _end_node(table: Intervals, node: str, at: Instant | None, uid: str | None) -> None:
    for key in table.open_keys():
        if isinstance(key, tuple) and key[0] == node:
            table.close(key, at, uid)


def _end_fenced(table: Intervals, node: str, done: Fenced) -> None:
    """Fencing ends what began before it; a start after the reboot may be logged before the confirmation."""
    for key in table.open_keys():
        current = table.current(key)
        before = current is not None and (current.start is None or current.start.before(done.at) is not Tri.FALSE)
        if isinstance(key, tuple) and key[0] == node and before:
            table.close(key, done.at, done.uid)


def _result(table: Intervals, node: str, view: View, kinds: Mapping[str, Kind]) -> None:
    if view.value["status"] in _NO_RESULT:
        return
    key = (node, str(view.value["instance"]))
    op, rc, ok = view.value["op"], rc_of(view), view.value["status"] == "ok"
    if op == "monitor":
        _monitor(table, key, view, kinds)
    elif op in ("stop", "migrate_to") and ok:
        table.close(key, view.end, view.closed_by)
    elif op in ("start", "migrate_from", "promote", "demote") and ok:
        role = _role(str(op), str(view.value["resource"]), kinds)
        proof = "probe" if op == "demote" and table.current(key) is None else str(op)
        _active(table, key, view, role, kinds, proof)
    elif op == "demote" and rc == _GONE_RC:
        table.close(key, view.end, view.closed_by)
    else:
        _note(table, key, view)


def _monitor(table: Intervals, key: tuple[str, str], view: View, kinds: Mapping[str, Kind]) -> None:
    rc, probe = rc_of(view), view.value["probe"] is True
    current = table.current(key)
    if rc == _GONE_RC or (probe and rc in _ABSENT_RCS):
        table.close(key, view.end, view.closed_by)
    elif rc in _RUNNING_RCS:
        kind = kinds.get(str(view.value["resource"]), Kind())
        role = "Promoted" if rc in _PROMOTED_RCS else "Unpromoted" if kind.promotable else "Started"
        if current is not None and not probe and rc not in _PROMOTED_RCS:
            role = str(current.value["role"])
        _active(table, key, view, role, kinds, "probe" if probe else "monitor")
    else:
        _note(table, key, view)


def _note(table: Intervals, key: tuple[str, str], view: View) -> None:
    current = table.current(key)
    if current is not None:
        current.note(view.closed_by)


def _role(op: str, resource: str, kinds: Mapping[str, Kind]) -> str:
    if op == "promote":
        return "Promoted"
    promotable = kinds.get(resource, Kind()).promotable
    return "Unpromoted" if promotable or op == "demote" else "Started"


def _active(  # noqa: PLR0913, PLR0917 (the parts of one result)
    table: Intervals, key: tuple[str, str], view: View, role: str, kinds: Mapping[str, Kind], proof: str
) -> None:
    current = table.current(key)
    if current is not None and current.value["role"] == role:
        current.note(view.closed_by)
        return
    resource = str(view.value["resource"])
    value = _value(resource, key[0], role, kinds.get(resource, Kind()), fencing=view.value["fencing_device"] is True)
    table.open(key, view.observer, view.end, view.closed_by, {**value, "proof": proof})


def _value(resource: str, node: str, role: str, kind: Kind, *, fencing: bool) -> dict[str, Scalar]:
    return {
        "resource": resource,
        "node": node,
        "role": role,
        "clone": kind.clone,
        "promotable": kind.promotable,
        "fencing_device": fencing,
    }
