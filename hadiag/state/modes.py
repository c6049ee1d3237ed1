"""Tables ``node.standby`` and ``node.maintenance``, from deliberate acts and from snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.snapshots.base import truth
from hadiag.state.intervals import Intervals
from hadiag.state.snapshots import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Scalar
    from hadiag.model.view import View
    from hadiag.state.admin_acts import Act
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

_MODES = {
    "standby": ("node.standby", True),
    "unstandby": ("node.standby", False),
    "maintenance": ("node.maintenance", True),
    "unmaintenance": ("node.maintenance", False),
}
_SETTLE = 60 * NS
"""An act and the scheduler input that shows it lie this close together; in between, the act is the better witness."""


def mode_views(given: Given) -> Iterator[View]:
    """Modes of nodes, of single resources and of the whole cluster (node "")."""
    steps: list[tuple[int, int, Act | Snapshot]] = [(act.at.ns, 0, act) for act in given.acts if act.what in _MODES]
    steps += [(one.at.ns, 1, one) for one in given.snapshots]
    tables = {name: Intervals(name) for name in ("node.standby", "node.maintenance")}
    acted: dict[tuple[str, str], int] = {}
    for ns, _, step in sorted(steps, key=lambda step: step[:2]):
        if isinstance(step, Snapshot):
            for name, key, value in modes_of(given.timeline, step):
                _take(tables[name], (name, key), value, step, acted)
        else:
            name, value = _MODES[step.what]
            acted[name, step.target] = ns
            _act(tables[name], step, value=value)
    for table in tables.values():
        yield from table.views()


def _act(table: Intervals, act: Act, *, value: bool) -> None:
    if table.current(act.target) is None:
        # A change is logged, so before the first one the other value held.
        table.open(act.target, act.observer, None, None, {"node": act.target, "value": not value})
    table.change(act.target, act.observer, act.at, act.uid, {"node": act.target, "value": value})


def _take(
    table: Intervals, where: tuple[str, str], value: bool, one: Snapshot, acted: dict[tuple[str, str], int]
) -> None:
    if one.at.ns - acted.get(where, -_SETTLE << 1) < _SETTLE:
        return
    row: dict[str, Scalar] = {"node": where[1], "value": value}
    table.change(where[1], one.observer, one.at, None, row, told_by=one.fact)


def modes_of(timeline: Timeline, one: Snapshot) -> Iterator[tuple[str, str, bool]]:
    """Table, node (a resource for its own mode, "" for the cluster) and value of each mode that a CIB shows."""
    for row in one.cib.nodes:
        name = str(timeline.node(row.name) or row.name)
        if one.is_live or row.standby:
            yield "node.standby", name, row.standby
        yield "node.maintenance", name, row.maintenance
    yield "node.maintenance", "", truth(one.cib.options().get("maintenance-mode")) is True
    for setting in one.cib.settings():
        own = setting.name in {"meta maintenance", "meta is-managed"} and setting.section == "resources"
        value = truth(setting.value) if own else None
        if value is not None:
            yield "node.maintenance", setting.object, value is (setting.name == "meta maintenance")
