"""What snapshots say of the state: CIBs, scheduler inputs and status output, each at its own time and never before it.

A scheduler input shows the whole cluster as the DC saw it when it planned. The views take such a statement where no line of a
log tells the state, as what opens (or ends) an interval; where a log tells it, the log counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.snapshots.cib_facts import OLD_COPY, TABLE, CibSnapshot, read_snapshot
from hadiag.snapshots.stamps import Moment, read_moment
from hadiag.state.reading import base_name
from hadiag.state.stream import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

UP = frozenset({"online", "standby", "maintenance"})
"""States of a node on which what runs is believed to run."""
_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}
_ACTIVE = frozenset({"Started", "Promoted", "Unpromoted"})
_NOBODY = Node("unknown")


@record
class Snapshot:
    """A CIB at its time, told by the files of ``observer``."""

    at: Instant
    observer: Node
    cib: CibSnapshot

    @property
    def fact(self) -> Fact:
        """The statement itself."""
        return self.cib.fact

    @property
    def is_live(self) -> bool:
        """Whether it has a status section."""
        return self.fact.values.get("live") is True


@record
class Claim:
    """A snapshot's word on one resource on one node; role "" where it is not active there, None where nobody can tell."""

    at: Instant
    observer: Node
    node: Node
    instance: str
    role: str | None
    since: Instant | None
    fencing: bool
    fact: Fact

    @property
    def resource(self) -> str:
        """Name without the number of a clone instance."""
        return base_name(self.instance)


def snapshots(timeline: Timeline, facts: Sequence[Fact]) -> tuple[Snapshot, ...]:
    """All dated CIBs in order of time; the same one kept by several nodes counts once."""
    found: dict[tuple[object, ...], Snapshot] = {}
    for fact in facts:
        at = _moment(timeline, fact) if fact.table == TABLE else None
        if at is not None:
            cib, observer = read_snapshot(fact), _observer(timeline, fact)
            one = Snapshot(_instant(timeline, fact, observer, at), observer, cib)
            key = (at, cib.version, *(fact.values.get(each) for each in ("origin", "live", "dc")))
            if key not in found or fact.path < found[key].fact.path:
                found[key] = one
    ordered = sorted(found.values(), key=lambda one: (one.at.ns, one.cib.version, one.fact.path))
    newest = (-1, -1)
    kept = []
    for one in ordered:
        # A copy of the file of a node that is long down is older than its time of change says.
        if one.is_live or one.cib.version[:2] >= newest:
            kept.append(one)
        newest = max(newest, one.cib.version[:2])
    return tuple(kept)


def _moment(timeline: Timeline, fact: Fact) -> int | None:
    """When a CIB was as it is: a file without status has been so since its last write, which it tells in local time."""
    if fact.values.get("live") is True or fact.values.get("origin") != "cib":
        return fact.as_of_ns
    written = read_moment(str(fact.values.get("last_written") or ""))
    writer = _observer(timeline, fact, "dc")
    offset = None if written is None else _offset(timeline, writer, written)
    if written is not None and offset is not None:
        at = timeline.aligned(writer, written.wall_ns - offset * NS)
        if fact.as_of_ns is None or at <= fact.as_of_ns + NS:
            return at
    return None if OLD_COPY.match(str(fact.values.get("file"))) else fact.as_of_ns


def _offset(timeline: Timeline, node: Node, moment: Moment) -> int | None:
    """Distance from UTC of a printed time, by the zone of the logs of the node."""
    clock = timeline.clocks.get(node)
    if moment.offset_s is not None or clock is None:
        return moment.offset_s
    found = None
    for span in clock.offsets:
        offset = span.utc_offset_s
        begun = offset is not None and (span.start_ns is None or span.start_ns <= moment.wall_ns - offset * NS)
        found = offset if begun or found is None else found
    return found


def _observer(timeline: Timeline, fact: Fact, first: str = "files") -> Node:
    """The node whose files say it, else the DC that they name; or the DC first."""
    names = (fact.node_hint, fact.values.get("dc"))
    for name in names if first == "files" else names[::-1]:
        if isinstance(name, str) and name:
            return timeline.node(name) or Node(name)
    return _NOBODY


def _instant(timeline: Timeline, fact: Fact, observer: Node, moment: int) -> Instant:
    near = instant(timeline, observer, moment)
    if fact.values.get("exact") is False:
        return Instant(moment, None, "", TimeBasis.SNAPSHOT)
    return Instant(moment, (near.err_ns or 0) + NS, "", TimeBasis.SNAPSHOT)


def told_at(timeline: Timeline, node: Node, ns: int) -> Instant:
    """A moment that a node's own clock showed."""
    at = timeline.aligned(node, ns)
    return Instant(at, (instant(timeline, node, at).err_ns or 0) + NS, "", TimeBasis.SNAPSHOT)


def claims(timeline: Timeline, facts: Sequence[Fact], found: Sequence[Snapshot]) -> Iterator[Claim]:
    """What each snapshot says of each resource, in order of time."""
    rows = [claim for one in found if one.is_live for claim in _of_cib(timeline, one)]
    rows += _of_status(timeline, facts)
    return iter(sorted(rows, key=lambda claim: claim.at.ns))


def _of_cib(timeline: Timeline, one: Snapshot) -> Iterator[Claim]:
    states = {node.name: node.state for node in one.cib.nodes}
    devices = {row.object for row in one.cib.settings() if row.name == "primitive" and row.value.startswith("stonith:")}
    for row in one.cib.resources:
        node = timeline.node(row.node) or Node(row.node)
        state = states.get(row.node, "")
        role: str | None = "" if row.role == "Stopped" or state == "offline" else row.role
        role = role if (state in UP and not row.doubtful) or not role else None
        since = told_at(timeline, node, row.since_ns) if row.since_ns is not None else None
        fencing = row.resource in devices
        yield Claim(one.at, one.observer, node, row.instance, role, since, fencing, one.fact)


def _of_status(timeline: Timeline, facts: Sequence[Fact]) -> Iterator[Claim]:
    """Status output names what is active; what it shows on a node that is unclean nobody knows."""
    away = {
        (fact.bundle, fact.path, fact.values.get("node"))
        for fact in facts
        if fact.table == "monitor.node" and fact.values.get("state") not in UP
    }
    for fact in facts:
        resource, name = fact.values.get("resource"), fact.values.get("node")
        if fact.table != "monitor.resource" or not isinstance(resource, str) or not isinstance(name, str):
            continue
        said = str(fact.values.get("role") or "")
        role = _ROLES.get(said, said)
        if fact.as_of_ns is None or role not in _ACTIVE or (fact.bundle, fact.path, name) in away:
            continue
        node = timeline.node(name) or Node(name)
        observer = (timeline.node(fact.node_hint) if fact.node_hint else None) or node
        fencing = str(fact.values.get("agent") or "").startswith("stonith:")
        at = _instant(timeline, fact, observer, fact.as_of_ns)
        yield Claim(at, observer, node, resource, role, None, fencing, fact)
