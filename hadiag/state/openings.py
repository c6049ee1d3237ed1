"""States that no log tells, from snapshots: each holds from its snapshot (or from the moment that it names) on.

A statement is taken only where the table has nothing of the same key at that time; it ends where the logs begin to tell the
state, where a later snapshot says something else, and where its observer falls silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.state.intervals import Intervals, end_ns, start_ns
from hadiag.state.snapshots import UP, Snapshot, told_at
from hadiag.state.stream import Break, silence_breaks

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.state.given import Given
    from hadiag.state.tracker import Views
    from hadiag.timeline import Timeline

_SLACK = 2 * NS
_WITNESS = "cib"


@record
class _Said:
    """One statement; ``value`` None says that the state does not hold. ``since``: where the snapshot knows when it began."""

    at: Instant
    observer: Node
    key: Hashable
    value: dict[str, Scalar] | None
    fact: Fact
    since: Instant | None = None


def openings(given: Given, views: Views) -> Iterator[View]:
    """Views of the tables ``node.state``, ``dc.view``, ``quorum.view``, ``membership.partition`` and ``rsc.failcount``."""
    timeline, facts = given.timeline, given.facts
    live = [one for one in given.snapshots if one.is_live]
    yield from _fill(timeline, "node.state", _node_states(timeline, _pictures(timeline, facts, live)), views, _of_state)
    yield from _fill(timeline, "dc.view", _leaders(timeline, facts, live), views, _of_observer)
    yield from _fill(timeline, "quorum.view", _quorum(timeline, facts, live), views, _of_observer)
    yield from _fill(timeline, "membership.partition", _members(timeline, facts), views, _of_observer)
    yield from _fill(timeline, "rsc.failcount", _failures(timeline, live), views, _of_failcount)


def _of_observer(view: View) -> Hashable:
    return view.observer


def _of_state(view: View) -> Hashable:
    return view.observer, view.value["node"], view.value["witness"]


def _of_failcount(view: View) -> Hashable:
    return view.value["resource"], view.value["node"]


def _fill(
    timeline: Timeline, name: str, said: Iterable[_Said], views: Views, key_of: Callable[[View], Hashable]
) -> tuple[View, ...]:
    """Intervals of what was said where the table tells nothing."""
    told: dict[Hashable, list[View]] = {}
    for view in views.of(name):
        told.setdefault(key_of(view), []).append(view)
    steps: list[tuple[int, int, _Said | Break | tuple[Hashable, View]]] = [(one.at.ns, 2, one) for one in said]
    observers = {one.observer for _, _, one in steps if isinstance(one, _Said)}
    for observer in sorted(observers):
        steps += [(pause.at.ns, 1, pause) for pause in silence_breaks(timeline, observer)]
    steps += [(start_ns(view), 0, (key, view)) for key, rows in told.items() for view in rows]
    table = Intervals(name)
    for _, _, step in sorted(steps, key=lambda step: step[:2]):
        if isinstance(step, Break):
            table.close_observer(step.observer, step.at, step.uid)
        elif isinstance(step, _Said):
            _say(table, step, told.get(step.key, ()))
        else:
            table.close(step[0], step[1].start, step[1].opened_by)
    return table.views()


def _say(table: Intervals, said: _Said, told: Sequence[View]) -> None:
    at = said.at.ns
    if any(start_ns(view) <= at + _SLACK and end_ns(view) >= at - _SLACK for view in told):
        return
    current = table.current(said.key)
    if said.value is None:
        table.close(said.key, said.at)
    elif current is None or any(current.value.get(name) != value for name, value in said.value.items()):
        ended = max((end_ns(view) for view in told if end_ns(view) <= at), default=0)
        start = said.since if said.since is not None and ended < said.since.ns <= at else said.at
        if current is not None and current.start is not None and start.ns <= current.start.ns:
            start = said.at
        table.open(said.key, said.observer, start, None, said.value, told_by=said.fact)


@record
class _Picture:
    """All nodes in one snapshot: name, state, and since when if it tells."""

    at: Instant
    observer: Node
    states: tuple[tuple[str, str, int | None], ...]
    fact: Fact


def _pictures(timeline: Timeline, facts: Sequence[Fact], live: Sequence[Snapshot]) -> list[_Picture]:
    """Nodes as CIBs and status output show them, in order of time."""
    found = [
        _Picture(
            one.at,
            one.observer,
            tuple((row.name, row.state, row.since_ns) for row in one.cib.nodes if row.state),
            one.fact,
        )
        for one in live
    ]
    printed: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if fact.table == "monitor.node" and fact.as_of_ns is not None and fact.node_hint:
            printed.setdefault((fact.bundle, fact.path), []).append(fact)
    for rows in printed.values():
        observer = timeline.node(rows[0].node_hint or "")
        if observer is not None:
            states = tuple((str(row.values.get("node")), str(row.values.get("state")), None) for row in rows)
            found.append(_Picture(_printed_at(rows[0]), observer, states, rows[0]))
    return sorted(found, key=lambda each: (each.at.ns, each.fact.path))


def _printed_at(fact: Fact) -> Instant:
    return Instant(fact.as_of_ns or 0, NS, "", TimeBasis.SNAPSHOT)


def _node_states(timeline: Timeline, pictures: Sequence[_Picture]) -> Iterator[_Said]:
    """What each keeper of a CIB believed of the nodes; the word of an earlier DC ends with that of its successor."""
    keepers: dict[Node, set[str]] = {}
    for one in pictures:
        up = {str(timeline.node(name) or name) for name, state, _ in one.states if state in UP}
        for keeper in [keeper for keeper in keepers if keeper != one.observer and str(keeper) in up]:
            for name in keepers.pop(keeper):
                yield _Said(one.at, keeper, (keeper, name, _WITNESS), None, one.fact)
        for said, state, since_ns in one.states:
            name = str(timeline.node(said) or said)
            keepers.setdefault(one.observer, set()).add(name)
            unclean = True if state == "unclean" else None
            value: dict[str, Scalar] = {"node": name, "state": state, "witness": _WITNESS, "unclean": unclean}
            since = told_at(timeline, one.observer, since_ns) if since_ns is not None else None
            yield _Said(one.at, one.observer, (one.observer, name, _WITNESS), value, one.fact, since)


def _status(timeline: Timeline, facts: Sequence[Fact], key: str) -> Iterator[tuple[Instant, Node, Fact, Scalar]]:
    """What status output says of the cluster: its DC, or whether it has quorum."""
    for fact in facts:
        observer = timeline.node(fact.node_hint or "")
        value = fact.values.get(key)
        if fact.table == "monitor.cluster" and fact.as_of_ns is not None and observer is not None and value is not None:
            yield _printed_at(fact), observer, fact, value


def _leaders(timeline: Timeline, facts: Sequence[Fact], live: Sequence[Snapshot]) -> Iterator[_Said]:
    told = [(one.at, one.observer, one.fact, one.fact.values.get("dc")) for one in live]
    for at, observer, fact, name in (*told, *_status(timeline, facts, "dc")):
        if isinstance(name, str) and name:
            yield _Said(at, observer, observer, {"dc": str(timeline.node(name) or name)}, fact)


def _quorum(timeline: Timeline, facts: Sequence[Fact], live: Sequence[Snapshot]) -> Iterator[_Said]:
    told = [(one.at, one.observer, one.fact, one.fact.values.get("quorate")) for one in live]
    for at, observer, fact, quorate in (*told, *_status(timeline, facts, "quorate")):
        if isinstance(quorate, bool):
            yield _Said(at, observer, observer, {"quorate": quorate, "startup": False}, fact)


def _members(timeline: Timeline, facts: Sequence[Fact]) -> Iterator[_Said]:
    """Members as ``corosync-quorumtool`` lists them."""
    listed: dict[tuple[str, str], set[str]] = {}
    for fact in facts:
        if fact.table == "quorum.member":
            name = next((str(fact.values[key]) for key in ("nodeid", "name") if fact.values.get(key)), "")
            listed.setdefault((fact.bundle, fact.path), set()).add(str(timeline.node(name) or name))
    rows = [fact for fact in facts if fact.table == "quorum.status" and fact.as_of_ns is not None and fact.node_hint]
    for fact in sorted(rows, key=lambda fact: (fact.as_of_ns or 0, fact.path)):
        members = listed.get((fact.bundle, fact.path))
        observer = timeline.node(fact.node_hint or "")
        if members and observer is not None:
            at = Instant(fact.as_of_ns or 0, NS, "", TimeBasis.SNAPSHOT)
            yield _Said(at, observer, observer, {"members": tuple(sorted(members))}, fact)


def _failures(timeline: Timeline, live: Sequence[Snapshot]) -> Iterator[_Said]:
    known: dict[tuple[str, str], Node] = {}
    for one in live:
        rows = {(row.resource, str(timeline.node(row.node) or row.node)): row.count for row in one.cib.failures}
        for key in [key for key in known if key not in rows]:
            yield _Said(one.at, known.pop(key), key, None, one.fact)
        for (resource, node), count in rows.items():
            known[resource, node] = one.observer
            value: dict[str, Scalar] = {"resource": resource, "node": node, "count": count, "op": None, "rc": None}
            yield _Said(one.at, one.observer, (resource, node), value, one.fact)
