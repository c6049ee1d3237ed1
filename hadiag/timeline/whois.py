"""What a node goes by, with the evidence of each name and the time in which it was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hadiag.model.entity import Scalar
from hadiag.model.event import Event
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.snapshots.cib_facts import TABLE as CIB_STATE
from hadiag.snapshots.cib_facts import read_snapshot
from hadiag.timeline.identity import NodeIdentity
from hadiag.timeline.timeline import Timeline

_KEYS = frozenset({"name", "node", "nodeid", "address", "hostname", "value", "dc", "remote_node", "node_id"})
_TABLES = frozenset(
    {
        "node", "corosync.node", "node.address", "host.name", "quorum.member", "quorum.status", "link.status", "ip.address",
        "resource.param", "resource.meta", "cmap", "monitor.node", "node.status", "resource",
    }
)  # fmt: skip
_LINES, _HEAD = 200, 8
"""Lines of a node, and words at their beginning, that are looked at for the host."""
_NAMING = ("pcmk.node.state", "pcmk.cpg.event")


@record
class Seen:
    """Where a name stands first: the path, the line (0 where there is none) and the kind of statement."""

    name: str
    path: str
    line: int
    how: str


def evidence(timeline: Timeline, facts: Sequence[Fact], identity: NodeIdentity) -> tuple[Seen, ...]:
    """One place for each name, id and address of a node, in their order."""
    names = [identity.name, *map(str, identity.nodeids), *identity.addresses, *identity.aliases]
    wanted = {str(name).lower(): str(name) for name in names}
    found: dict[str, Seen] = {}
    for name, seen in (*_in_facts(facts, wanted), *_in_logs(timeline, identity, wanted)):
        found.setdefault(name, seen)
    return tuple(found[name] for name in wanted if name in found)


def _in_facts(facts: Sequence[Fact], wanted: Mapping[str, str]) -> Iterator[tuple[str, Seen]]:
    for fact in facts:
        for said in _stated(fact) if fact.table in _TABLES else ():
            if said in wanted:
                yield said, Seen(wanted[said], fact.path, fact.line, fact.table)
    for fact in (fact for fact in facts if fact.table == "fencing.device"):
        for plug in _plugs(fact):
            if plug in wanted:
                yield plug, Seen(wanted[plug], fact.path, fact.line, f"pcmk_host_map of {fact.values.get('id')}")
    for fact in (fact for fact in facts if fact.table == CIB_STATE):
        names = (said for row in read_snapshot(fact).nodes for said in (row.name.lower(), row.nodeid))
        yield from ((said, Seen(wanted[said], fact.path, fact.line, CIB_STATE)) for said in names if said in wanted)


def _stated(fact: Fact) -> Iterator[str]:
    """Names, ids and addresses that a statement holds."""
    for key in sorted(_KEYS & set(fact.values)):
        yield from (said for said in _words(fact.values[key]) if _fits(key, fact, said))


def _plugs(fact: Fact) -> list[str]:
    pairs = str(fact.values.get("host_map") or "").lower().replace(";", " ").split()
    return [pair.partition(":")[2] for pair in pairs]


def _words(value: Scalar) -> tuple[str, ...]:
    whole = value if isinstance(value, tuple) else (value,)
    return tuple(str(each).split("/", 1)[0].lower() for each in whole if isinstance(each, str | int))


def _fits(key: str, fact: Fact, said: str) -> bool:
    """A number is a node id only where ids stand; a value counts only where it is a place."""
    if said.isdigit():
        return key in {"nodeid", "node_id"}
    return key != "value" or fact.table == "cmap" or str(fact.values.get("name")) in {"server", "addr", "remote-addr"}


def _in_logs(timeline: Timeline, identity: NodeIdentity, wanted: Mapping[str, str]) -> Iterator[tuple[str, Seen]]:
    for event in timeline.of(*_NAMING):
        if _speaks_of(event, identity.name):
            ref = event.ref
            yield from (
                (name, Seen(told, ref.path, ref.line, event.type))
                for name, told in wanted.items()
                if _is_in(event, name)
            )
    for one in (one for one in timeline.coverage if one.node == identity.name):
        parts = one.path.lower().replace("!", "/").split("/")
        yield from ((part, Seen(wanted[part], one.path, 0, "place of its log")) for part in parts if part in wanted)
    for event in timeline.logged_by(identity.name)[1][:_LINES]:
        ref = event.ref
        head = event.text.lower().split()[:_HEAD]
        yield from (
            (word, Seen(wanted[word], ref.path, ref.line, "host of its lines")) for word in head if word in wanted
        )


def _is_in(event: Event, name: str) -> bool:
    text = f" {event.text.lower()} "
    return any(form in text for form in (f" {name} ", f"[{name}]", f"={name} ", f" {name}:"))


def span(timeline: Timeline, identity: NodeIdentity) -> tuple[int, int, bool] | None:
    """First and last moment of its own logs; where it has none, of the events that speak of it (last value False)."""
    own = [one for one in timeline.coverage if one.node == identity.name and one.start_ns is not None]
    if own:
        ends = [one.end_ns if one.end_ns is not None else one.start_ns or 0 for one in own]
        return min(one.start_ns or 0 for one in own), max(ends), True
    named = [event for event in timeline.events if event.at is not None and _speaks_of(event, identity.name)]
    moments = [event.at.ns for event in named if event.at is not None]
    return (min(moments), max(moments), False) if moments else None


def _speaks_of(event: Event, name: str) -> bool:
    return event.subject == name or event.fields.get("node") == name or event.fields.get("target") == name
