"""Further names of nodes that the configuration holds: addresses of remote nodes, names of virtual machines in fence devices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from hadiag.model.entity import NodeRole
from hadiag.model.fact import Fact
from hadiag.snapshots.cib_facts import TABLE as CIB_STATE
from hadiag.snapshots.cib_facts import read_snapshot
from hadiag.timeline.identity import Identities, is_address, is_uuid, number

_PLUGS = re.compile(r"[;\s]+")
_NO_NAME = re.compile(r"^[\d,.:/-]*$")
"""A plug that is a number, an outlet or a path is no name."""
_ROLES = {"remote": NodeRole.REMOTE, "guest": NodeRole.GUEST}


def learn(found: Identities, facts: Sequence[Fact]) -> None:
    """Take the nodes of dated CIBs, then what else the configuration calls any node."""
    dated = (fact for fact in facts if fact.table == CIB_STATE)
    for fact in sorted(dated, key=lambda fact: -(fact.as_of_ns or 0)):
        _dated(found, fact)
    for name, address in dict.fromkeys(_connections(facts)):
        _address(found, name, address)
    for name, plug in dict.fromkeys(_plugs(facts)):
        known = found.find(name)
        if known is not None and found.find(plug) is None:
            found.alias(plug, known)


def _dated(found: Identities, fact: Fact) -> None:
    """Nodes that only a dated CIB knows, and what a node was called before it was renamed; the newest names it."""
    cluster = found.clusters.of(fact)
    for row in read_snapshot(fact).nodes:
        if not row.name:
            continue
        entity = found.identify(row.name, number(row.nodeid), cluster)
        if is_uuid(row.nodeid):
            found.alias(row.nodeid, entity.name)
        role = _ROLES.get(row.kind, NodeRole.MEMBER)
        if entity.role is NodeRole.OTHER or (entity.role is NodeRole.REMOTE and role is NodeRole.GUEST):
            entity.role = role


def _connections(facts: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """Remote and guest nodes with the addresses that the cluster connects to."""
    remotes = {
        fact.values.get("id")
        for fact in facts
        if fact.table == "resource"
        and fact.values.get("agent") == "remote"
        and fact.values.get("provider") == "pacemaker"
    }
    guests = {
        fact.values.get("id"): fact.values["remote_node"]
        for fact in facts
        if fact.table == "resource" and fact.values.get("remote_node")
    }
    for fact in facts:
        owner, name, value = (fact.values.get(key) for key in ("resource", "name", "value"))
        if not isinstance(value, str) or not value:
            continue
        if fact.table == "resource.param" and name in {"server", "addr"} and owner in remotes:
            yield str(owner), value
        elif fact.table == "resource.meta" and name == "remote-addr" and owner in guests:
            yield str(guests[owner]), value


def _address(found: Identities, name: str, address: str) -> None:
    known = found.find(name)
    if known is None:
        return
    if is_address(address):
        found.address(address, found.entity(known))
    elif found.find(address) is None:
        found.alias(address, known)


def _plugs(facts: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """Nodes with the names that a fence device calls them by, where such a name stands for one node only."""
    pairs: set[tuple[str, str]] = set()
    for fact in facts:
        if fact.table == "fencing.device":
            for part in _PLUGS.split(str(fact.values.get("host_map") or "")):
                node, _, plug = part.partition(":")
                if node and plug and not _NO_NAME.match(plug):
                    pairs.add((node, plug))
    owners = Counter(plug for _, plug in pairs)
    return ((node, plug) for node, plug in sorted(pairs) if owners[plug] == 1)
