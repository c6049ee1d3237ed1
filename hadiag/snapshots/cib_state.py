"""State of nodes and resources from a CIB alone, as the scheduler reads the operation history.

The history of each resource on each node is replayed in the order of its calls; what the scheduler of pacemaker concludes
(lib/pengine/unpack.c) follows: a failed start counts as active and failed, a failed stop as still active, a probe that
found the program missing as stopped, an interrupted migration as active where it may be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hadiag.model.frozen import record
from hadiag.snapshots.base import milliseconds, truth
from hadiag.snapshots.cib_nodes import (
    CibNode,
    attributes_of,
    fencing_enabled,
    member_nodes,
    options_of,
    remote_nodes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml import etree

_OK, _MISSING, _GONE, _PROMOTED, _FAILED_PROMOTED = 0, 5, 7, 8, 9
_DEGRADED = {190: _OK, 191: _PROMOTED}
_PENDING, _DONE, _CANCELLED, _ERROR = -1, 0, 1, 4
_ORDER = ("ignore", "demote", "restart", "reset", "restart-container", "migrate", "block", "stop", "standby", "fence")
_LASTING = frozenset({"stop", "migrate", "standby", "fence"})
"""Responses to a failure that a later success does not take back."""


_ROLES = {"stop": "Stopped", "promote": "Promoted", "demote": "Unpromoted", "migrate_from": "Started"}
"""Role after a success."""
_CLEARING = frozenset({"start", "stop", "promote", "migrate_from"})


@record
class CibResource:
    """Activity of a resource on a node: ``role`` is Started, Promoted or Unpromoted; ``known`` tells that it is configured."""

    resource: str
    node: str
    role: str
    failed: bool = False
    known: bool = True


@dataclass(slots=True)
class _Kind:
    """What the configuration says of a resource."""

    promotable: bool = False
    managed: bool = True
    fencing: bool = False
    timeout_ms: int = 0
    on_fail: dict[tuple[str, int | None], str] = field(default_factory=dict)


@dataclass(slots=True)
class _Replay:
    """Result of replaying the history of a resource on a node."""

    role: str = "Stopped"
    on_fail: str = "ignore"
    elsewhere: list[str] = field(default_factory=list)


class CibState:
    """Nodes and active resources of a CIB.

    Attributes:
        nodes: all nodes by name.
        resources: what is active, by resource and node.
    """

    def __init__(self, root: etree._Element, now_ms: int | None = None) -> None:
        self._options = options_of(root)
        self._fencing = fencing_enabled(self._options)
        self._now_ms = now_ms
        self._kinds = dict(_kinds(root, self._options))
        self.nodes = member_nodes(root)
        for remote in remote_nodes(root):
            known = self.nodes.get(remote.name)
            if known is not None:
                remote.standby, remote.maintenance = known.standby, known.maintenance
            self.nodes[remote.name] = remote
        for node in self.nodes.values():
            if node.kind != "member" and node.state is not None:
                transient = attributes_of(node.state, "transient_attributes/instance_attributes")
                node.standby = node.standby or truth(transient.get("standby")) is True
        self._histories = {node.name: _histories(node.state) for node in self.nodes.values() if node.state is not None}
        self._found: dict[tuple[str, str], CibResource] = {}
        self._read()

    @property
    def active(self) -> Mapping[tuple[str, str], CibResource]:
        """Active resources by instance and node."""
        return self._found

    def history(self, node: str) -> Mapping[str, list[etree._Element]]:
        """Operations of each resource on a node in the order of their calls, by instance."""
        return self._histories.get(node, {})

    @property
    def resources(self) -> tuple[CibResource, ...]:
        """Active resources by name and node."""
        return tuple(self._found[key] for key in sorted(self._found))

    def _read(self) -> None:
        """Members first; a remote or guest node once what carries it is known to run."""
        pending = []
        for node in self.nodes.values():
            if node.kind == "member":
                self._node(node)
            else:
                pending.append(node)
        for _ in range(len(pending) + 1):
            ready = [node for node in pending if self._is_up(node)]
            if not ready:
                break
            for node in ready:
                node.online = True
                pending.remove(node)
                self._node(node)
        for node in pending:
            node.online = False
            if node.state is not None and (self._fencing or node.kind == "guest"):
                self._node(node)
                self._lost(node)

    def _is_up(self, node: CibNode) -> bool:
        carriers = [one for one in self._found.values() if one.resource == node.host]
        return any(not one.failed and (node.kind == "remote" or self._holds(one.node)) for one in carriers)

    def _holds(self, name: str) -> bool:
        host = self.nodes.get(name)
        return host is not None and (host.online or not host.unclean)

    def _lost(self, node: CibNode) -> None:
        """A guest that is gone is no node that could be unclean; nothing runs in it but what failed with it."""
        if node.kind == "guest":
            node.unclean = False

    def _node(self, node: CibNode) -> None:
        if node.state is None or not (node.online or self._fencing or node.shutdown or node.kind == "guest"):
            return
        for resource, history in self._histories.get(node.name, {}).items():
            self._resource(node, resource, history)

    def _resource(self, node: CibNode, instance: str, history: list[etree._Element]) -> None:
        resource = base_of(instance)
        kind = self._kinds.get(resource)
        done = self._replay(node.name, instance, history, kind or _Kind())
        failed = done.on_fail != "ignore"
        if done.role != "Stopped":
            self._active(node, instance, done, kind)
        for name in done.elsewhere:
            self._found.setdefault((instance, name), CibResource(resource, name, "Started", failed, kind is not None))

    def _active(self, node: CibNode, instance: str, done: _Replay, kind: _Kind | None) -> None:
        failed = done.on_fail != "ignore"
        managed = kind is None or kind.managed
        if not node.online and managed and not node.maintenance and node.kind != "guest" and self._fencing:
            node.unclean = True
        if done.on_fail == "fence" and not node.unclean and self._fencing:
            node.unclean = True
        if done.on_fail == "standby":
            node.standby = True
        failed = failed or (node.kind == "guest" and not node.online)
        resource = base_of(instance)
        self._found[instance, node.name] = CibResource(resource, node.name, done.role, failed, kind is not None)

    def _replay(self, node: str, instance: str, history: list[etree._Element], kind: _Kind) -> _Replay:
        done = _Replay()
        for op in history:
            self._step(done, node, instance, op, kind)
        return done

    def _step(self, done: _Replay, node: str, instance: str, op: etree._Element, kind: _Kind) -> None:
        rc, status, target = _number(op, "rc-code", 0), _number(op, "op-status", _DONE), _target(op)
        rc = _DEGRADED.get(rc, rc)
        task, interval = op.get("operation", ""), _number(op, "interval", 0)
        probe = task == "monitor" and not interval
        if status == _CANCELLED or task in {"notify", "meta-data", "asyncmon", "delete"}:
            return
        if status == _PENDING:
            _pending(done, task, kind)
            return
        expired = self._is_expired(op, rc, target, kind, task)
        failed = status not in {_DONE, _ERROR} or rc != target
        if status in {_DONE, _ERROR} and _explains(rc, target, kind, probe=probe):
            failed = False
            if rc == _GONE:
                done.role, done.on_fail = "Stopped", "ignore"
        if rc == _PROMOTED and status in {_DONE, _ERROR} and (not expired or rc == target):
            done.role = "Promoted"
        if failed and expired:
            return
        if failed and rc == _FAILED_PROMOTED:
            done.role = "Promoted"
        response = _on_fail(kind, task, interval, rc, fencing=self._fencing)
        if failed and response != "ignore":
            self._failure(done, (node, instance), op, rc, response)
        else:
            self._success(done, (node, instance), op, target if failed else rc, kind)

    def _is_expired(self, op: etree._Element, rc: int, target: int, kind: _Kind, task: str) -> bool:
        changed = _number(op, "last-rc-change", 0) * 1000
        if rc == target or not kind.timeout_ms or not changed or (task == "stop" and self._fencing):
            return False
        return self._now_ms is None or self._now_ms > changed + kind.timeout_ms

    def _failure(self, done: _Replay, where: tuple[str, str], op: etree._Element, rc: int, response: str) -> None:
        task = op.get("operation")
        done.on_fail = max(done.on_fail, response, key=_ORDER.index)
        if task in {"migrate_to", "migrate_from"}:
            done.role = "Started"
            other = op.get("migrate_target" if task == "migrate_to" else "migrate_source", "")
            if self._may_run(other, where[1], op):
                done.elsewhere.append(other)
        elif task == "promote":
            done.role = "Promoted"
        elif task == "demote":
            done.role = "Promoted" if response == "block" else "Stopped" if rc == _GONE else "Unpromoted"
        if task == "monitor" and not _number(op, "interval", 0) and rc == _MISSING:
            done.role = "Stopped"
        elif done.role == "Stopped":
            done.role = self._active_role(where[1])

    def _active_role(self, instance: str) -> str:
        kind = self._kinds.get(base_of(instance))
        return "Unpromoted" if kind is not None and kind.promotable else "Started"

    def _success(self, done: _Replay, where: tuple[str, str], op: etree._Element, rc: int, kind: _Kind) -> None:
        task = op.get("operation", "")
        clears = task in _CLEARING or rc == _GONE or (task == "demote" and done.on_fail == "demote")
        if rc == _MISSING:
            done.role = "Stopped"
        elif rc == _GONE:
            pass
        elif task == "start":
            done.role = "Unpromoted" if kind.promotable else "Started"
        elif task in _ROLES:
            done.role = _ROLES[task]
        elif task == "migrate_to":
            self._migrated(done, where, op)
        elif done.role == "Stopped":
            done.role = self._active_role(where[1])
        if clears and done.on_fail not in _LASTING:
            done.on_fail = "ignore"

    def _migrated(self, done: _Replay, where: tuple[str, str], op: etree._Element) -> None:
        """Sent away: the target has it if it took it, else both may have it."""
        node, instance = where
        target = op.get("migrate_target", "")
        newer_here = self._newer(node, instance, op)
        taken = self._find(target, instance, "migrate_from", node)
        if taken is not None and newer_here:
            return
        arrived = taken is not None and _number(taken, "op-status", _PENDING) != _PENDING
        if arrived and taken is not None and _number(taken, "rc-code", 0) == _OK:
            done.role = "Stopped"  # only the stop on the source is still missing
            return
        newer_there = self._newer_state(target, instance, op)
        if newer_here and newer_there:
            return
        done.role = "Started"
        target_node = self.nodes.get(target)
        if not newer_there and target_node is not None and target_node.online:
            if arrived or instance in self._histories.get(target, {}):
                done.elsewhere.append(target)
        elif not newer_here:
            done.on_fail = max(done.on_fail, "restart", key=_ORDER.index)

    def _may_run(self, name: str, instance: str, op: etree._Element) -> bool:
        node = self.nodes.get(name)
        if node is None or not node.online or instance not in self._histories.get(name, {}):
            return False
        return not self._newer_state(name, instance, op)

    def _find(self, node: str, instance: str, task: str, source: str) -> etree._Element | None:
        for op in self._histories.get(node, {}).get(instance, ()):
            if op.get("operation") == task and op.get("migrate_source") in {None, source}:
                return op
        return None

    def _newer(self, node: str, instance: str, than: etree._Element) -> bool:
        """Whether a node did anything but monitor a resource after an operation."""
        return any(
            op.get("operation") in {"start", "stop", "migrate_to", "migrate_from"} and _call(op) > _call(than)
            for op in self._histories.get(node, {}).get(instance, ())
        )

    def _newer_state(self, node: str, instance: str, than: etree._Element) -> bool:
        """Whether another node has a start, a stop or a monitor that says "stopped" of later than an operation."""
        at = _number(than, "last-rc-change", 0)
        for op in self._histories.get(node, {}).get(instance, ()):
            changed = _number(op, "last-rc-change", 0)
            stopped = op.get("operation") == "monitor" and _number(op, "rc-code", 0) == _GONE and at > 0
            if (stopped or op.get("operation") in {"start", "stop"}) and changed > at:
                return True
        return False


def base_of(instance: str) -> str:
    """Resource of an instance of a clone (``name:0``)."""
    return instance.partition(":")[0]


def _pending(done: _Replay, task: str, kind: _Kind) -> None:
    if task == "start" and done.role == "Stopped":
        done.role = "Unpromoted" if kind.promotable else "Started"
    elif task == "promote":
        done.role = "Promoted"
    elif task == "migrate_to" and done.role == "Stopped":
        done.role = "Started"


def _explains(rc: int, target: int, kind: _Kind, *, probe: bool) -> bool:
    """Whether a result other than the expected one is no failure: what a probe found, or a stop of what is not managed."""
    if rc == _GONE:
        return probe or target == rc or not kind.managed
    return probe and rc in {_OK, _PROMOTED}


def _on_fail(kind: _Kind, task: str, interval: int, rc: int, *, fencing: bool) -> str:
    """Response to a failure: as configured for the operation, else restart, or fencing for a stop."""
    said = kind.on_fail.get((task, interval if task == "monitor" else None))
    if said and not (said == "fence" and not fencing):
        return said
    if task == "stop":
        return "fence" if fencing and not kind.fencing else "block"
    if task == "demote" and rc not in {_OK, _GONE}:
        monitored = kind.on_fail.get(("monitor promoted", None))
        return "restart" if monitored in {None, "demote"} else str(monitored)
    return "restart"


def _kinds(root: etree._Element, options: Mapping[str, str]) -> Iterator[tuple[str, _Kind]]:
    for section in root.iterfind("configuration/resources"):
        defaults = attributes_of(root, "configuration/rsc_defaults/meta_attributes")
        everything = (
            truth(options.get("maintenance-mode")) is not True and truth(options.get("is-managed-default")) is not False
        )
        yield from _inside(section, defaults, _Kind(managed=everything), root)


def _inside(
    parent: etree._Element, meta: Mapping[str, str], outer: _Kind, root: etree._Element
) -> Iterator[tuple[str, _Kind]]:
    for element in parent:
        own = {**meta, **attributes_of(element, "meta_attributes")} if isinstance(element.tag, str) else {}
        if element.tag in {"group", "clone", "master", "bundle"}:
            promotable = outer.promotable or element.tag == "master" or truth(own.get("promotable")) is True
            engine = next((each for each in element if each.get("masters") or each.get("promoted-max")), None)
            promotable = promotable or (element.tag == "bundle" and engine is not None)
            yield from _bundled(element)
            yield from _inside(element, own, _Kind(promotable=promotable, managed=outer.managed), root)
        elif element.tag == "primitive":
            yield element.get("id", ""), _kind(element, own, outer, root)


def _bundled(element: etree._Element) -> Iterator[tuple[str, _Kind]]:
    """The resources that a bundle brings along: containers, addresses and connections."""
    if element.tag != "bundle":
        return
    ident = element.get("id", "")
    for number in range(1000):
        yield f"{ident}-{number}", _Kind()
        for engine in ("docker", "podman", "rkt"):
            yield f"{ident}-{engine}-{number}", _Kind()


def _kind(element: etree._Element, meta: Mapping[str, str], outer: _Kind, root: etree._Element) -> _Kind:
    managed = (
        outer.managed and truth(meta.get("is-managed")) is not False and truth(meta.get("maintenance")) is not True
    )
    found = _Kind(outer.promotable, managed, element.get("class") == "stonith")
    found.timeout_ms = milliseconds(meta.get("failure-timeout")) or 0
    places = [element]
    if element.get("template"):
        places += root.findall(f"configuration/resources/template[@id='{_plain(element.get('template', ''))}']")
    for place in reversed(places):
        for op in place.iterfind("operations/op"):
            said = op.get("on-fail") or op.get("on_fail") or attributes_of(op, "meta_attributes").get("on-fail")
            if said:
                name = op.get("name", "")
                interval = milliseconds(op.get("interval", "0")) if name == "monitor" else None
                found.on_fail[name, interval] = said
    found.on_fail = {key: value for key, value in found.on_fail.items() if value in _ORDER}
    return found


def _plain(ident: str) -> str:
    return ident.replace("'", "")


def _histories(state: etree._Element) -> dict[str, list[etree._Element]]:
    """Operations of each resource in the order of their calls; what is pending comes last."""
    found: dict[str, list[etree._Element]] = {}
    for resource in state.iterfind("lrm/lrm_resources/lrm_resource"):
        ops = sorted(resource.iterfind("lrm_rsc_op"), key=_call)
        found[resource.get("id", "")] = ops
    return found


def _call(op: etree._Element) -> int:
    call = _number(op, "call-id", -1)
    return call if call >= 0 else 1 << 40


def _number(op: etree._Element, name: str, default: int) -> int:
    try:
        return int(op.get(name, ""))
    except ValueError:
        return default


def _target(op: etree._Element) -> int:
    """Return code that the scheduler wanted: the third part of ``action:transition:target-rc:uuid``."""
    parts = op.get("transition-key", "").split(":")
    if len(parts) > 3 and parts[2].isdigit():
        return int(parts[2])
    return _number(op, "rc-code", 0)
