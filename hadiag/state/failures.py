"""Fail counts, bans and blocked resources (tables ``rsc.failcount``, ``rsc.ban``, ``rsc.blocked``)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.view import View
from hadiag.state.clones import ACTION
from hadiag.state.intervals import Intervals
from hadiag.state.options import fencing_enabled
from hadiag.state.reading import base_name, moment_of, text
from hadiag.state.stream import placed
from hadiag.state.windows import Window

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.state.admin_acts import Act
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

ATTRIBUTES = ("attrd.failure", "attrd.setting")
FAILCOUNT = "pcmk.op.failcount"
BANS = {
    "sched.threshold": "migration_threshold",
    "sched.hard_failure": "hard_failure",
    "sched.fatal_failure": "fatal_failure",
}
BLOCKED = "sched.blocked"
UNMANAGED = "sched.unmanaged"
CLEARED = ("sched.failure_cleared", "pcmk.rsc.cleanup")
WILL_FENCE = ("sched.will_fence", "pcmk.sched.fence_action", "sched.scheduling_fence", "fence.request")
CONSUMES = frozenset({*ATTRIBUTES, FAILCOUNT, *BANS, BLOCKED, UNMANAGED, *CLEARED, *WILL_FENCE, ACTION})
INFINITY = 1_000_000
_NEEDS_STOP = re.compile(r"unrunnable \S+ (?:stop|demote)|failed|unmanaged")
_NOT_ACTIVE = frozenset({"start", "promote", "leave", "monitor"})

_NAME = re.compile(r"^fail-count-(?P<rsc>.+?)(?:#(?P<op>[a-z_]+?)_(?P<ms>\d+))?$")
_DETAIL = re.compile(r"(?P<node>[\w.-]+)\s*(?:\)|$)")
_DECISION = 90 * NS


def failcount_views(timeline: Timeline) -> Iterator[View]:
    """Fail counts as the attribute manager sets them; one observer for each, the node itself where it has logs."""
    changes: dict[tuple[str, str, str], dict[Node, list[tuple[Event, int]]]] = {}
    for event in placed(timeline, *ATTRIBUTES):
        name = _NAME.match(text(event, "name") or "")
        node = text(event, "node")
        if name is None or node is None:
            continue
        key = (base_name(name["rsc"]), node, name["op"] or "")
        changes.setdefault(key, {}).setdefault(event.observer, []).append((event, count(text(event, "new", "value"))))
    rcs = _return_codes(timeline)
    table = Intervals("rsc.failcount")
    for (resource, node, op), observers in sorted(changes.items()):
        observer = (
            Node(node) if Node(node) in observers else max(observers, key=lambda name: (len(observers[name]), name))
        )
        for event, value in observers[observer]:
            row: dict[str, Scalar] = {
                "resource": resource,
                "node": node,
                "count": value,
                "op": op or None,
                "rc": rcs.get((resource, node, op)),
            }
            if value:
                table.change((resource, node, op), observer, event.at, event.uid, row)
            else:
                table.close((resource, node, op), event.at, event.uid)
    yield from table.views()


def count(value: str | None) -> int:
    """Number of failures that an attribute's value stands for."""
    said = (value or "").strip()
    if said.upper().lstrip("+") == "INFINITY":
        return INFINITY
    return int(said) if said.isdigit() else 0


def _return_codes(timeline: Timeline) -> Mapping[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for event in placed(timeline, FAILCOUNT):
        rc = event.fields.get("rc")
        if isinstance(rc, int):
            key = (
                base_name(text(event, "rsc") or ""),
                text(event, "node") or "",
                (text(event, "op") or "").split("_")[0],
            )
            found[key] = rc
    return found


def ban_views(timeline: Timeline) -> Iterator[View]:
    """Nodes on which the scheduler does not run a resource any more because of its failures."""
    table = Intervals("rsc.ban")
    for event in placed(timeline, *BANS, *CLEARED):
        resource, node = base_name(text(event, "rsc") or ""), text(event, "node") or ""
        if event.type in CLEARED:
            for why in BANS.values():
                for where in (node, ""):
                    table.close((resource, where, why), event.at, event.uid)
            continue
        why = BANS[event.type]
        failures = count(text(event, "failures")) or None
        current = table.current((resource, node, why))
        if current is None:
            row = {"resource": resource, "node": node, "why": why, "failures": failures}
            table.open((resource, node, why), event.observer, event.at, event.uid, row)
        else:
            current.value["failures"] = failures or current.value["failures"]
            current.note(event.uid)
    yield from table.views()


def blocked_views(given: Given, operations: Sequence[View]) -> Iterator[View]:
    """Resources that the cluster gave up managing."""
    table = Intervals("rsc.blocked")
    timeline, facts, acts = given.timeline, given.facts, given.acts
    _failed_stops(given, operations, table)
    devices = frozenset(str(view.value["resource"]) for view in operations if view.value["fencing_device"] is True)
    for event in placed(timeline, BLOCKED, ACTION):
        _planned(table, event, devices)
    _left_alone(timeline, facts, acts, table, devices)
    told = {(view.value["resource"], view.value["node"]) for view in table.views()}
    good: dict[object, list[View]] = {}
    for done in operations:
        if done.value["status"] == "ok" and done.value["op"] in {"stop", "start", "promote"}:
            good.setdefault(done.value["resource"], []).append(done)
    yield from (_released(view, good.get(view.value["resource"], ()), acts) for view in table.views())
    yield from _snapshots(timeline, facts, told)


def _failed_stops(given: Given, operations: Sequence[View], table: Intervals) -> None:
    """A stop that failed blocks the resource, unless the node is fenced for it."""
    timeline = given.timeline
    enabled = fencing_enabled(timeline, given.facts)
    plans = Window(placed(timeline, *WILL_FENCE), key=moment_of)
    decisions = Window(placed(timeline, "pcmk.transition.calculated"), key=moment_of)
    for view in operations:
        failed = view.value["op"] == "stop" and view.value["expected"] is False and view.end is not None
        if not failed or view.end is None or view.value["fencing_device"] is True:
            continue
        node, moment = str(view.value["node"]), view.end.ns
        planned = [e for e in plans.between(moment - NS, moment + _DECISION) if text(e, "target", "node") == node]
        done = [fence for fence in given.fenced_by.get(node, ()) if fence.at.ns >= moment - NS]
        if (
            done
            or (enabled is not False and planned)
            or (enabled is None and not decisions.between(moment, moment + _DECISION))
        ):
            continue
        resource = str(view.value["resource"])
        row = {"resource": resource, "node": node, "why": "stop failed"}
        opened = table.change((resource, node), view.observer, view.end, view.closed_by, row)
        opened.note(view.opened_by)


def _planned(table: Intervals, event: Event, devices: frozenset[str]) -> None:
    reason, detail = text(event, "reason") or "", text(event, "detail") or ""
    resource = base_name(text(event, "rsc") or "")
    if event.type == BLOCKED:
        why = f"{text(event, 'dependency') or ''} {text(event, 'why', 'detail') or ''}".strip()
        node = text(event, "node") or ""
    elif _gives_up(text(event, "change") or "", f"{reason} {detail}".lower()):
        why = reason.replace("(blocked)", "").strip().removeprefix("due to ") or "blocked"
        found = _DETAIL.search(detail.replace("blocked", "").strip())
        node = found["node"] if found is not None else ""
    else:
        return
    if table.current((resource, node)) is None and resource not in devices:
        table.open(
            (resource, node), event.observer, event.at, event.uid, {"resource": resource, "node": node, "why": why}
        )


def _left_alone(
    timeline: Timeline, facts: Sequence[Fact], acts: Sequence[Act], table: Intervals, devices: frozenset[str]
) -> None:
    """A failed resource that the scheduler calls unmanaged although nobody took it out of the cluster's care."""
    if any(act.what == "maintenance" for act in acts) or any(_takes_out_of_care(fact) for fact in facts):
        return
    for event in placed(timeline, UNMANAGED):
        resource, node = base_name(text(event, "rsc") or ""), text(event, "node") or ""
        if text(event, "why") != "failed" or resource in devices or table.current((resource, node)) is not None:
            continue
        row: dict[str, Scalar] = {"resource": resource, "node": node, "why": "failed"}
        table.open((resource, node), event.observer, event.at, event.uid, row)


def _takes_out_of_care(fact: Fact) -> bool:
    values = fact.values
    match fact.table:
        case "resource":
            return values.get("managed") is False or values.get("maintenance") is True
        case "node":
            return values.get("maintenance") is True
        case "cluster.option":
            off = values.get("name") == "is-managed-default" and values.get("value") == "false"
            return off or (values.get("name") == "maintenance-mode" and values.get("value") == "true")
    return False


def _gives_up(change: str, said: str) -> bool:
    """An active resource whose stop needs another stop that failed; what waits for quorum or for fencing is none."""
    return "blocked" in said and _NEEDS_STOP.search(said) is not None and change.lower() not in _NOT_ACTIVE


def _released(view: View, good: Sequence[View], acts: Sequence[Act]) -> View:
    """End a block at the next good stop or start, or when somebody cleans up."""
    if view.start is None:
        return view
    begun = view.start.ns
    ends = [(done.end, done.closed_by) for done in good if done.end is not None and done.end.ns > begun]
    for act in acts:
        meant = act.what in ("cleanup", "refresh", "fence") and act.target in (
            view.value["resource"],
            view.value["node"],
            "",
        )
        if meant and act.at.ns > view.start.ns:
            ends.append((act.at, act.uid))
    if not ends:
        return view
    end, uid = min(ends, key=lambda item: item[0].ns)
    return replace(view, end=end, closed_by=uid)


def _snapshots(timeline: Timeline, facts: Sequence[Fact], told: Collection[tuple[Scalar, Scalar]]) -> Iterator[View]:
    seen = set(told)
    for fact in facts:
        if fact.table != "monitor.resource" or fact.values.get("blocked") is not True or fact.as_of_ns is None:
            continue
        resource, name = str(fact.values.get("resource")).split(":")[0], str(fact.values.get("node") or "")
        node = str(timeline.node(name) or name)
        if (resource, node) in seen:
            continue
        seen.add((resource, node))
        observer = (timeline.node(fact.node_hint) if fact.node_hint else None) or Node(node)
        at = Instant(fact.as_of_ns, NS, "", TimeBasis.SNAPSHOT)
        value: dict[str, Scalar] = {"resource": resource, "node": node, "why": None}
        yield View("rsc.blocked", observer, at, None, value, None, told_by=fact)
