"""Tables ``admin.action``, ``node.standby`` and ``node.maintenance``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.view import View
from hadiag.state.admin_acts import CONSUMES, EFFECTS, Act, acts
from hadiag.state.intervals import Intervals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

_MODES = {
    "standby": ("node.standby", True),
    "unstandby": ("node.standby", False),
    "maintenance": ("node.maintenance", True),
    "unmaintenance": ("node.maintenance", False),
}


class AdminTracker:
    """Deliberate acts, and the modes that they put nodes into."""

    consumes = CONSUMES

    def views(self, timeline: Timeline, facts: Sequence[Fact]) -> Iterator[View]:
        """Yield acts and modes."""
        found = acts(timeline)
        for act in found:
            yield _view(act)
        tables = {name: Intervals(name) for name in ("node.standby", "node.maintenance")}
        for act in found:
            _mode(tables, act)
        known = {(name, key) for name, table in tables.items() for key in table.open_keys()}
        for fact in facts:
            _snapshot(timeline, tables, known, fact)
        for table in tables.values():
            yield from table.views()


def _view(act: Act) -> View:
    value: dict[str, Scalar] = {
        "what": act.what,
        "tool": act.tool or None,
        "user": act.user,
        "target": act.target,
        "on": act.target or "the cluster",
        "planned_effects": EFFECTS.get(act.what, ()),
    }
    return View("admin.action", act.observer, act.at, act.at, value, act.uid, act.uid, tuple(act.evidence[:50]))


def _mode(tables: dict[str, Intervals], act: Act) -> None:
    if act.what not in _MODES:
        return
    name, value = _MODES[act.what]
    table = tables[name]
    if table.current(act.target) is None:
        # A change is logged, so before the first one the other value held.
        table.open(act.target, act.observer, None, None, {"node": act.target, "value": not value})
    table.change(act.target, act.observer, act.at, act.uid, {"node": act.target, "value": value})


def _snapshot(timeline: Timeline, tables: dict[str, Intervals], known: set[tuple[str, object]], fact: Fact) -> None:
    name = fact.values.get("name")
    if fact.table != "node" or not isinstance(name, str) or fact.as_of_ns is None:
        return
    node = str(timeline.node(name) or name)
    for key, table in (("standby", "node.standby"), ("maintenance", "node.maintenance")):
        value = fact.values.get(key)
        if isinstance(value, bool) and (table, node) not in known:
            at = Instant(fact.as_of_ns, NS, "", TimeBasis.SNAPSHOT)
            observer = _observer(timeline, fact, node)
            tables[table].change(node, observer, at, None, {"node": node, "value": value})


def _observer(timeline: Timeline, fact: Fact, node: str) -> Node:
    return (timeline.node(fact.node_hint) if fact.node_hint else None) or Node(node)


TRACKER = AdminTracker()
