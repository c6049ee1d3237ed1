"""Outages: a resource that was active and is wanted, and is not active anywhere (table ``rsc.outage``)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.clones import ACTION, Kind
from hadiag.state.intervals import end_ns, start_ns
from hadiag.state.reading import at_of, base_name, moment_of, text
from hadiag.state.signs import RUN_UP
from hadiag.state.windows import Window, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.state.admin_acts import Act
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

_NODE_STATE = "pcmk.node.state"
_LOSS_SIGNS = ("knet.link.down", "corosync.totem.failed_to_receive_leave", _NODE_STATE)
_CAUSED = {
    "standby": 600,
    "unstandby": 60,
    "stop": 600,
    "start": 60,
    "reboot": 600,
    "move": 120,
    "ban": 120,
    "clear": 120,
    "cleanup": 60,
    "refresh": 60,
    "disable": 120,
    "enable": 60,
    "fence": 120,
    "ack": 60,
    "config": 10,
    "unmaintenance": 60,
}
"""How long after an act of each kind its effect on a resource may begin, in s."""
_BY_RESOURCE = frozenset({"move", "ban", "clear", "cleanup", "refresh", "disable", "enable"})
_BY_NODE = frozenset({"standby", "stop", "reboot", "fence"})
_BY_CLUSTER = frozenset({"unstandby", "start", "unmaintenance", "config"})
_RETURN_S = 1800
"""How long after a node was taken down on purpose a resource may go back to it for that reason, in s."""
_MOVE = re.compile(r"(?P<source>[\w.-]+) -> (?:\w+ )?(?P<target>[\w.-]+)\s*$")
_ROLES = frozenset({"Stopped", "Started", "Promoted", "Unpromoted", "Master", "Slave"})
_PLAN_BEFORE = 600 * NS
_NEVER = 1 << 63


@record
class _Up:
    """A stretch in which a resource did its work on one node."""

    node: str
    start: Instant | None
    end: Instant | None
    opened_by: str | None
    closed_by: str | None
    live: bool = False
    failed: bool = False
    stopped: bool = False
    """It ended with a stop that the cluster ordered."""


class _Results:
    """Results of one resource on one node in their order; stamps alone may be equal."""

    def __init__(self) -> None:
        self._views: list[View] = []
        self._places: dict[str, int] = {}

    def add(self, view: View) -> None:
        """Take the next result."""
        if view.closed_by is not None:
            self._places.setdefault(view.closed_by, len(self._views))
        self._views.append(view)

    def during(self, active: View) -> Sequence[View]:
        """Results behind the one that opened an interval, up to the one that closed it."""
        first = self._places.get(active.opened_by or "", -1) + 1
        last = self._places.get(active.closed_by or "", len(self._views)) + 1
        low, high = start_ns(active), end_ns(active)
        return [view for view in self._views[first:last] if view.end is not None and low <= view.end.ns <= high]


@dataclass(frozen=True)
class Context:
    """What outages are judged by; the indexes are made once, when they are asked for."""

    given: Given
    operations: Sequence[View]
    kinds: Mapping[str, Kind]
    failed_starts: Sequence[View]

    @cached_property
    def acts(self) -> Window[Act]:
        """Deliberate acts by their time."""
        return Window(self.given.acts, key=_at)

    @cached_property
    def signs(self) -> Mapping[str, Window[Event]]:
        """Signs of the loss of each node, by their time."""
        told = self.given.placed(*_LOSS_SIGNS)
        return windows(((node, event) for event in told for node in _named(self.timeline, event)), key=moment_of)

    @cached_property
    def first_signs(self) -> Mapping[str, Window[Event]]:
        """The first sign of each loss of a node."""
        return {node: Window(_first_of_each(mine.all()), key=moment_of) for node, mine in self.signs.items()}

    @cached_property
    def moves(self) -> Mapping[str, Sequence[tuple[Event, str]]]:
        """Plans to move each resource, with the node that the scheduler believes to have it."""
        found: dict[str, list[tuple[Event, str]]] = {}
        for event in self.given.placed(ACTION):
            move = _MOVE.search(text(event, "detail") or "")
            if move is not None and move["source"] not in _ROLES:
                found.setdefault(base_name(text(event, "rsc") or ""), []).append((event, move["source"]))
        return found

    @cached_property
    def failures(self) -> Mapping[str, Window[View]]:
        """Starts of each resource that failed, by their end."""
        ended = (view for view in self.failed_starts if view.end is not None)
        return windows(((str(view.value["resource"]), view) for view in ended), key=end_ns)

    @property
    def timeline(self) -> Timeline:
        """Where all of it was read."""
        return self.given.timeline


def outage_views(context: Context, active: Sequence[View]) -> Iterator[View]:
    """Gaps between the stretches in which each resource worked."""
    by_name: dict[str, list[View]] = {}
    for view in active:
        by_name.setdefault(str(view.value["resource"]), []).append(view)
    names = {*by_name, *context.moves}
    operations: dict[str, list[View]] = {}
    for view in context.operations:
        operations.setdefault(str(view.value["resource"]), []).append(view)
    for name in sorted(names - context.given.devices):
        kind = context.kinds.get(name, Kind())
        if kind.clone is True and not kind.promotable:
            continue
        role = "Promoted" if kind.promotable else None
        mine = [view for view in by_name.get(name, ()) if role is None or view.value["role"] == role]
        results: dict[str, _Results] = {}
        for view in operations.get(name, ()):
            results.setdefault(str(view.value["node"]), _Results()).add(view)
        wanted = [view for view in mine if not _leftover(view, mine)]
        cut = (_stretches(context, view, results.get(str(view.value["node"]), _Results())) for view in wanted)
        ups = sorted((up for stretches in cut for up in stretches), key=_up_span)
        yield from _gaps(context, name, role, ups)


def _leftover(view: View, others: Sequence[View]) -> bool:
    """Found by a probe while another node ran it: that instance was never meant to serve."""
    if view.value.get("proof") != "probe":
        return False
    begin = start_ns(view)
    return any(
        other.value["node"] != view.value["node"] and start_ns(other) <= begin < end_ns(other) for other in others
    )


def _up_span(up: _Up) -> tuple[int, int]:
    return up.start.ns if up.start is not None else -(1 << 63), _up_end(up)


def _up_end(up: _Up) -> int:
    return up.end.ns if up.end is not None else 1 << 63


def _stretches(context: Context, active: View, operations: _Results) -> Iterator[_Up]:
    """Cut an active interval at failing monitors, and end it where the stop began, not where it was done."""
    node, start, opened = str(active.value["node"]), active.start, active.opened_by
    live = active.value.get("proof") == "migrate_from"
    up = True
    for view in operations.during(active):
        if view.end is None:
            continue
        op, begins = view.value["op"], view.start or view.end
        failed = op == "monitor" and view.value["expected"] is False and view.value["probe"] is not True
        if up and failed:
            yield _Up(node, start, view.end, opened, view.closed_by, live, failed=True)
            up = False
        elif up and op in ("stop", "demote") and begins.ns >= start_ns(active):
            failing = view.value["expected"] is False
            yield _Up(node, start, begins, opened, view.opened_by, live, failed=failing, stopped=True)
            up = False
        elif not up and op in ("monitor", "start", "promote") and view.value["status"] == "ok":
            start, opened, up, live = view.end, view.closed_by, True, False
    if up:
        yield _Up(node, start, _node_loss(context, active), opened, active.closed_by, live)


def _node_loss(context: Context, active: View) -> Instant | None:
    """A node that fell silent died between its last line and the first sign of it on its peers."""
    node, end = str(active.value["node"]), active.end
    if end is None:
        return end
    if active.closed_by is not None:
        reported = str(active.observer) != node and context.timeline.get(active.closed_by).type == _NODE_STATE
        return context.given.signs.missed_since(node, end) if reported else end
    silence = next((gap for gap in context.timeline.silences.get(Node(node), ()) if gap.start_ns == end.ns), None)
    signs = context.signs.get(node)
    if silence is None and active.told_by is not None and signs is not None:
        # A snapshot shows it gone because its node was lost just before.
        words = [event for event in signs.between(end.ns - RUN_UP, end.ns + 2 * NS) if event.type == _NODE_STATE]
        return context.given.signs.missed_since(node, at_of(words[0])) if words else end
    if silence is None:
        return end
    last = silence.end_ns - 1 if silence.end_ns is not None else _NEVER
    for event in signs.between(end.ns + 1, last) if signs is not None else ():
        if event.observer != node:
            return replace(end, ns=at_of(event).ns, err_ns=(end.err_ns or 0) + NS, logged="")
    return end


def _named(timeline: Timeline, event: Event) -> set[str]:
    """Nodes whose loss a line is a sign of."""
    if event.type == _NODE_STATE and text(event, "state") != "lost":
        return set()
    return {str(timeline.node(name) or name) for name in (text(event, "host", "node", "failed") or "").split()}


def _first_of_each(signs: Sequence[Event]) -> list[Event]:
    """The first of the signs that come within a minute."""
    found: list[Event] = []
    for event in signs:
        if not found or at_of(event).ns - at_of(found[-1]).ns > 60 * NS:
            found.append(event)
    return found


def _at(act: Act) -> int:
    return act.at.ns


def _gaps(context: Context, name: str, role: str | None, ups: Sequence[_Up]) -> Iterator[View]:
    before = _lost_before(context, name, ups[0] if ups else None)
    if before is not None:
        yield before
    if not ups:
        return
    last = ups[0]
    for up in ups[1:]:
        if last.end is not None and up.start is not None and _follows(last, up) and not up.live:
            view = _outage(context, name, role, last, up)
            if view is not None:
                yield view
        if _up_end(up) >= _up_end(last):
            last = up
    if last.end is not None:
        view = _outage(context, name, role, last, None)
        if view is not None:
            yield view


def _follows(last: _Up, up: _Up) -> bool:
    """Tell whether a stretch begins behind another; at the same printed second too, if the other ended and the node differs."""
    if last.end is None or up.start is None or up.start.ns != last.end.ns:
        return up.start is not None and last.end is not None and up.start.ns > last.end.ns
    return up.node != last.node and (last.failed or last.stopped)


def _outage(context: Context, name: str, role: str | None, last: _Up, back: _Up | None) -> View | None:
    start, end = last.end, back.start if back is not None else None
    if start is None or _unwanted(context, name, start, back) or (back is None and not _all_seen(context, last)):
        return None
    act = None if last.failed or _start_failed(context, name, start, end) else _planned_by(context, name, last, back)
    down = (end.ns - start.ns) / NS if end is not None else None
    return View(
        "rsc.outage",
        Node(last.node),
        start,
        end,
        {
            "resource": name,
            "role": role,
            "from_node": last.node,
            "to_node": back.node if back is not None else None,
            "moved": back is not None and back.node != last.node,
            "planned": act is not None,
            "down_s": down,
        },
        last.closed_by,
        back.opened_by if back is not None else None,
        (act.uid,) if act is not None else (),
    )


def _start_failed(context: Context, name: str, start: Instant, end: Instant | None) -> bool:
    """Whether a start failed meanwhile: then nobody planned how long it took."""
    failures = context.failures.get(name)
    return failures is not None and bool(failures.between(start.ns, end.ns if end is not None else _NEVER))


def _unwanted(context: Context, name: str, start: Instant, back: _Up | None) -> bool:
    """Stopped on purpose: by a disable just before, or by its target role if it never came back."""
    ids = context.given.configured.containers(name)
    for act in context.acts.between(start.ns - _CAUSED["disable"] * NS, start.ns + 5 * NS):
        if act.what == "disable" and act.target in ids:
            return True
    kind = context.kinds.get(name, Kind())
    return back is None and (kind.target_role or "").lower() == "stopped"


def _all_seen(context: Context, last: _Up) -> bool:
    """Whether a start elsewhere would have been seen: every other member has logs, or another one's controller tells."""
    members = [node for node in context.timeline.nodes if str(node.role) == "member" and node.nodeids]
    others = [node for node in members if node.name != last.node]
    silent = {str(node) for node in context.timeline.silences}
    if last.node not in silent and last.failed:
        return True
    return any(node.provided for node in others) or not others


def _planned_by(context: Context, name: str, last: _Up, back: _Up | None) -> Act | None:
    """Act that an outage follows from; a node that was lost can only follow from an act against that node."""
    ids = context.given.configured.containers(name)
    end = last.end.ns if last.end is not None else 0
    for act in reversed(context.acts.between(end - _RETURN_S * NS, end + 5 * NS)):
        lead = (end - act.at.ns) / NS
        returns = back is not None and act.what in _BY_NODE and act.target == back.node
        if returns and last.stopped and 0 <= lead <= _RETURN_S:
            return act
        if not -5 <= lead <= _CAUSED.get(act.what, 0):
            continue
        by_node = act.what in _BY_NODE and act.target in (last.node, "")
        by_resource = act.what in _BY_RESOURCE and (act.target in ids or not act.target)
        if by_node or (last.stopped and (by_resource or act.what in _BY_CLUSTER)):
            return act
    return None


def _lost_before(context: Context, name: str, first: _Up | None) -> View | None:
    """The node that had the resource left no log: the DC's plan to move it, and the node's absence, tell of it."""
    if first is not None and first.start is None:
        return None
    for event, source in context.moves.get(name, ()):
        lead = first.start.ns - at_of(event).ns if first is not None and first.start is not None else 0
        if not 0 <= lead <= _PLAN_BEFORE or (first is not None and source == first.node):
            continue
        signs = context.first_signs.get(source)
        lost = signs.before(at_of(event).ns, 1) if signs is not None else ()
        if lost:
            return _outage(context, name, None, _Up(source, None, lost[0].at, None, lost[0].uid), first)
    return None
