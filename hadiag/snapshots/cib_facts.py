"""The state and the configuration that one CIB holds, as one fact: table ``cib.state``.

A directory of scheduler inputs may hold thousands of CIBs that differ in little, so each gives a single fact whose values are
columns: names, states and settings are lists that run side by side. ``read_snapshot`` turns it back into rows.
"""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING

from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.snapshots.base import truth
from hadiag.snapshots.cib_settings import Setting, settings_of
from hadiag.snapshots.cib_state import CibState, base_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml import etree

    from hadiag.model.entity import Scalar
    from hadiag.model.fact import Fact
    from hadiag.snapshots.base import Source

TABLE = "cib.state"
OLD_COPY = re.compile(r"^cib-\d+\.raw$", re.ASCII)
"""Names under which Pacemaker keeps what its configuration was before each change."""
_INFINITY = 1_000_000
_CHANGING = frozenset({"start", "stop", "promote", "demote", "migrate_to", "migrate_from"})
_RUNNING = frozenset({"0", "8", "190", "191"})
_FAIL_COUNT = re.compile(r"^fail-count-(?P<resource>.+?)(?:#.*)?$")
_SINCE = ("last-rc-change", "last-run")
_MOST = 50_000
"""Rows of one column; no real CIB has more."""


@record
class NodeRow:
    """A node: state is online, offline, unclean, pending, standby or maintenance; ``since_ns`` only where the CIB tells it."""

    name: str
    nodeid: str
    kind: str
    state: str
    standby: bool
    maintenance: bool
    since_ns: int | None


@record
class ResourceRow:
    """A resource on a node; role Stopped where the history ends with a stop.

    ``since_ns`` is the time of its last change, on the clock of the node. ``doubtful``: its start or a change
    of its role failed, and nobody knows what is there.
    """

    instance: str
    node: str
    role: str
    failed: bool
    since_ns: int | None
    doubtful: bool = False

    @property
    def resource(self) -> str:
        """Name without the number of a clone instance."""
        return base_of(self.instance)


@record
class FailRow:
    """Failures of a resource on a node that count towards its threshold."""

    resource: str
    node: str
    count: int


def state_fact(source: Source, root: etree._Element, origin: str) -> Fact:
    """The ``cib.state`` fact of a CIB; ``origin`` is ``pe-input`` for a scheduler input, else ``cib``.

    Only the scheduler writes the date of its run, so a CIB with one is its input under another name.
    """
    date = _int(root.get("execution-date"))
    executed = date * NS if date else None
    live = root.find("status/node_state") is not None
    newest = _newest(root)
    origin = "pe-input" if executed is not None else origin
    at = executed if origin == "pe-input" else _written(source, newest)
    state = CibState(root, date * 1000 if date else None)
    values: dict[str, Scalar] = {
        "origin": origin,
        "file": source.name,
        "live": live,
        "admin_epoch": _int(root.get("admin_epoch")),
        "epoch": _int(root.get("epoch")),
        "num_updates": _int(root.get("num_updates")),
        "newest_ns": newest,
        "exact": origin == "pe-input" or source.mtime is not None,
        "dc": _name_of(root, root.get("dc-uuid")),
        "quorate": truth(root.get("have-quorum")),
        "update_origin": root.get("update-origin"),
        "update_client": root.get("update-client"),
        "update_user": root.get("update-user"),
        "last_written": root.get("cib-last-written"),
        **_columns("node", list(_nodes(root, state, live=live))),
        **_columns("resource", list(_resources(state)) if live else []),
        **_columns("failure", list(_failures(state))),
        **_columns("setting", [(one.section, one.object, one.name, one.value) for one in settings_of(root)]),
    }
    return source.fact(TABLE, values, root.sourceline or 0, at)


_WIDTHS = {"node": 7, "resource": 5, "failure": 3, "setting": 4}


def _columns(name: str, rows: list[tuple[str, ...]]) -> dict[str, Scalar]:
    kept = rows[:_MOST]
    return {f"{name}.{index}": tuple(intern(row[index]) for row in kept) for index in range(_WIDTHS[name])}


def _rows(values: Mapping[str, Scalar], name: str) -> Iterator[tuple[str, ...]]:
    columns = [values.get(f"{name}.{index}") for index in range(_WIDTHS[name])]
    whole = [column for column in columns if isinstance(column, tuple)]
    return zip(*whole, strict=False) if len(whole) == len(columns) else iter(())


def _written(source: Source, newest: int | None) -> int | None:
    """Time of a CIB that was printed or copied: that of its file, which is not older than what it tells."""
    if source.mtime is None:
        return newest
    return max(source.mtime * NS, newest or 0)


def _newest(root: etree._Element) -> int | None:
    """Newest moment that a CIB names: of its operations, and since when its nodes are there."""
    found = [_int(op.get(key)) for op in root.iterfind("status//lrm_rsc_op") for key in _SINCE]
    found += [_int(state.get(key)) for state in root.iterfind("status/node_state") for key in ("in_ccm", "crmd")]
    times = [each for each in found if each is not None and each > 1]
    return max(times) * NS if times else None


def _name_of(root: etree._Element, uuid: str | None) -> str | None:
    if not uuid:
        return None
    for node in root.iterfind("configuration/nodes/node"):
        if node.get("id") == uuid:
            return node.get("uname") or uuid
    return uuid


def _nodes(root: etree._Element, state: CibState, *, live: bool) -> Iterator[tuple[str, ...]]:
    ids = {element.get("uname"): element.get("id", "") for element in root.iterfind("configuration/nodes/node")}
    for node in state.nodes.values():
        word = node.text if live else ""
        flags = (str(int(node.standby)), str(int(node.maintenance)))
        since = _since_online(node.state) if word not in {"offline", "unclean"} else None
        yield (node.name, ids.get(node.name, ""), node.kind, word, *flags, _text(since))


def _since_online(state: etree._Element | None) -> int | None:
    """When a node came, which the CIB tells since Pacemaker 2.1.7."""
    times = [_int(state.get(key)) for key in ("in_ccm", "crmd")] if state is not None else []
    known = [each for each in times if each is not None and each > 1]
    return max(known) * NS if len(known) == len(times) and known else None


def _resources(state: CibState) -> Iterator[tuple[str, ...]]:
    active = dict(state.active)
    for node in state.nodes.values():
        for instance, history in state.history(node.name).items():
            one = active.pop((instance, node.name), None)
            since = _changed(history)
            if one is not None:
                failed = "doubtful" if _is_doubtful(history) else str(int(one.failed))
                yield (instance, node.name, one.role, failed, _text(since))
            elif since is not None:
                yield (instance, node.name, "Stopped", "0", _text(since))
    for (instance, name), one in sorted(active.items()):
        yield (instance, name, one.role, str(int(one.failed)), "")


def _changed(history: list[etree._Element]) -> int | None:
    """Time of the last operation that changed where a resource is, else of the probe that found it."""
    done = [op for op in history if op.get("rc-code") == "0" and op.get("op-status", "0") == "0"]
    changing = [op for op in done if op.get("operation") in _CHANGING]
    found = (
        changing[-1:] or [op for op in history if op.get("operation") == "monitor" and op.get("interval") == "0"][:1]
    )
    times = [_int(op.get("last-rc-change")) for op in found]
    return times[0] * NS if times and times[0] else None


def _is_doubtful(history: list[etree._Element]) -> bool:
    """Whether the scheduler assumes the worst case: the last change or the probe failed, or a monitor found it gone.

    A stop that failed left it running.
    """
    last = [op for op in history if op.get("operation") in _CHANGING][-1:]
    if any(op.get("operation") not in {"stop", "migrate_to"} and op.get("rc-code") != "0" for op in last):
        return True
    found = [op for op in history if op.get("operation") == "monitor"]
    gone = any(op.get("rc-code") == "7" and op.get("interval") != "0" for op in found)
    return gone or (not last and not any(op.get("rc-code") in _RUNNING for op in found))


def _failures(state: CibState) -> Iterator[tuple[str, ...]]:
    for node in state.nodes.values():
        pairs = node.state.iterfind("transient_attributes/instance_attributes/nvpair") if node.state is not None else ()
        for pair in pairs:
            match = _FAIL_COUNT.match(pair.get("name", ""))
            value = pair.get("value", "")
            count = _INFINITY if value.upper() == "INFINITY" else _int(value)
            if match is not None and count is not None:
                yield (match["resource"], node.name, str(count))


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _int(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,12}", text, re.ASCII) else None


def _ns(text: str) -> int | None:
    return int(text) if text else None


@record
class CibSnapshot:
    """One CIB as rows."""

    fact: Fact
    nodes: tuple[NodeRow, ...]
    resources: tuple[ResourceRow, ...]
    failures: tuple[FailRow, ...]

    @property
    def version(self) -> tuple[int, int, int]:
        """Admin epoch, epoch and number of updates."""
        numbers = [self.fact.values.get(key) for key in ("admin_epoch", "epoch", "num_updates")]
        admin, epoch, updates = (number if isinstance(number, int) else -1 for number in numbers)
        return admin, epoch, updates

    def settings(self) -> Iterator[Setting]:
        """The configuration, one row for each value."""
        return (Setting(*row) for row in _rows(self.fact.values, "setting"))

    def options(self) -> dict[str, str]:
        """Cluster options; of several sets the first that names one counts."""
        found: dict[str, str] = {}
        for one in self.settings():
            if one.section == "crm_config":
                found.setdefault(one.name, one.value)
        return found


def read_snapshot(fact: Fact) -> CibSnapshot:
    """Rows of a ``cib.state`` fact."""
    values = fact.values
    nodes = tuple(
        NodeRow(name, nodeid, kind, state, standby == "1", maintenance == "1", _ns(since))
        for name, nodeid, kind, state, standby, maintenance, since in _rows(values, "node")
    )
    resources = tuple(
        ResourceRow(instance, node, role, failed != "0", _ns(since), failed == "doubtful")
        for instance, node, role, failed, since in _rows(values, "resource")
    )
    failures = tuple(FailRow(name, node, int(count)) for name, node, count in _rows(values, "failure"))
    return CibSnapshot(fact, nodes, resources, failures)
