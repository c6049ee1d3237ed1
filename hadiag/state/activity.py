"""Where each resource was active, from the results on each node (table ``rsc.active``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.state.clones import Kind
from hadiag.state.fencing_results import Fenced, fenced_nodes
from hadiag.state.intervals import Intervals
from hadiag.state.operations import rc_of
from hadiag.state.reading import at_of, daemon, text
from hadiag.state.stream import Break, placed, silence_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

_BOOT = "kernel.boot"
_NODE_STATE = "pcmk.node.state"
_PROMOTED_RCS = frozenset({8, 9, 191})
_RUNNING_RCS = frozenset({0, 8, 190, 191})
_GONE_RC = 7
_ABSENT_RCS = frozenset({5, 7})

Step = tuple[int, int, "View | Break | Fenced | Event"]


def active_views(
    timeline: Timeline, facts: Sequence[Fact], operations: Sequence[View], kinds: Mapping[str, Kind]
) -> tuple[View, ...]:
    """Replay the results of each node."""
    table = Intervals("rsc.active")
    fenced = fenced_nodes(timeline)
    boots = placed(timeline, _BOOT)
    losses = [event for event in placed(timeline, _NODE_STATE) if _lost(event)]
    per_node: dict[str, list[Step]] = {}
    for view in operations:
        if view.end is not None:
            per_node.setdefault(str(view.value["node"]), []).append((view.end.ns, 0, view))
    for node, steps in sorted(per_node.items()):
        steps += [(pause.at.ns, 1, pause) for pause in silence_breaks(timeline, Node(node))]
        steps += [(done.at.ns, 2, done) for done in fenced if done.target == node]
        steps += [(boot.at.ns, 2, boot) for boot in boots if boot.observer == node and boot.at is not None]
        steps += [(at_of(lost).ns, 2, lost) for lost in losses if text(lost, "node") == node]
        for _, _, step in sorted(steps, key=lambda step: step[:2]):
            _step(table, node, step, kinds)
    views = table.views()
    return (*views, *_snapshots(timeline, facts, views, operations, kinds))


def _step(table: Intervals, node: str, step: View | Break | Fenced | Event, kinds: Mapping[str, Kind]) -> None:
    if isinstance(step, Break):
        _end_node(table, node, step.at, step.uid)
    elif isinstance(step, Fenced):
        _end_fenced(table, node, step)
    elif isinstance(step, View):
        _result(table, node, step, kinds)
    elif step.type == _NODE_STATE:
        _end_hearsay(table, node, step)
    else:
        _end_node(table, node, step.at, step.uid)


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
    if view.value["status"] in ("cancelled", "pending", "unknown"):
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


def _snapshots(
    timeline: Timeline,
    facts: Sequence[Fact],
    views: Sequence[View],
    operations: Sequence[View],
    kinds: Mapping[str, Kind],
) -> Iterator[View]:
    """What a status snapshot saw active where no line tells anything of that resource on that node."""
    told = {(str(view.value["resource"]), str(view.value["node"])) for view in operations}
    told |= {(str(view.value["resource"]), str(view.value["node"])) for view in views}
    devices = {str(view.value["resource"]) for view in operations if view.value["fencing_device"] is True}
    table = Intervals("rsc.active")
    for fact in facts:
        resource, name = fact.values.get("resource"), fact.values.get("node")
        if fact.table != "monitor.resource" or not isinstance(resource, str) or not isinstance(name, str):
            continue
        resource, node = resource.split(":")[0], str(timeline.node(name) or name)
        role = _snapshot_role(str(fact.values.get("role") or ""))
        if fact.as_of_ns is None or not role or (resource, node) in told:
            continue
        kind = kinds.get(resource, Kind())
        fencing = resource in devices or str(fact.values.get("agent") or "").startswith("stonith:")
        value = _value(resource, node, role, kind, fencing=fencing)
        observer = (timeline.node(fact.node_hint) if fact.node_hint else None) or Node(node)
        at = Instant(fact.as_of_ns, NS, "", TimeBasis.SNAPSHOT)
        table.change((node, resource), observer, at, None, {**value, "proof": "snapshot"})
    yield from table.views()


def _snapshot_role(role: str) -> str:
    names = {"Master": "Promoted", "Slave": "Unpromoted"}
    role = names.get(role, role)
    return role if role in ("Started", "Promoted", "Unpromoted") else ""
