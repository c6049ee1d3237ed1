"""Which clusters an input holds: connected sets of members, named by their configuration."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.snapshots.cib_facts import TABLE as CIB_STATE
from hadiag.snapshots.cib_facts import read_snapshot

_NO_NAME: Final = re.compile(r"\d+|\d{1,3}(?:\.\d{1,3}){3}|.*:.*|host\d+|obfuscated\d*")
"""What stands for a name: a number, an address, a mask."""
_NAME_KEYS = frozenset({"totem.cluster_name", "cluster-name", "cluster_name"})


@record
class Clusters:
    """Clusters by name; ``""`` stands for a cluster that no configuration names.

    ``hosts`` tells the cluster of a directory of an input, ``bundles`` of an input with one cluster only, ``members`` of a node name.
    """

    names: tuple[str, ...]
    hosts: Mapping[tuple[str, str], str]
    bundles: Mapping[str, str]
    members: Mapping[str, str]

    def of_host(self, bundle: str, host: str) -> str:
        """Cluster of a host of an input."""
        only = self.names[0] if len(self.names) == 1 else ""
        return self.hosts.get((bundle, host)) or self.members.get(host.lower()) or self.bundles.get(bundle) or only

    def of(self, fact: Fact) -> str:
        """Cluster that a fact speaks of."""
        return self.of_host(fact.bundle, fact.node_hint or "")


def find_clusters(facts: Iterable[Fact]) -> Clusters:
    """Group the places that hold configuration by shared members; each group is a cluster."""
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    names: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for fact in facts:
        place, values = (fact.bundle, fact.node_hint or ""), fact.values
        if fact.table in {"node", "corosync.node"} and isinstance(values.get("name"), str):
            members[place].add(str(values["name"]).lower())
        elif fact.table == CIB_STATE:
            cib = read_snapshot(fact)
            members[place] |= {row.name.lower() for row in cib.nodes if row.name and row.kind == "member"}
            if name := cib.options().get("cluster-name"):
                names[place][name] += 1
        elif fact.table in {"cluster.option", "corosync.option", "cmap"}:
            key, value = values.get("key") or values.get("name"), values.get("value")
            if key in _NAME_KEYS and isinstance(value, str) and value:
                names[place][value] += 1
    groups = _join(members, names)
    return _named(groups, members, names)


def _join(
    members: Mapping[tuple[str, str], set[str]], names: Mapping[tuple[str, str], Counter[str]]
) -> list[set[tuple[str, str]]]:
    """Places that share a member speak of one cluster, and so do those of one cluster name, unless they list other nodes.

    Many clusters are called ``hacluster``. A place that has the name only goes with the only cluster of that name.
    """
    groups: list[tuple[set[str], set[str], set[tuple[str, str]]]] = []
    for place in sorted({*members, *names}):
        nodes, called, places = set(members.get(place, ())), set(names.get(place, ())), {place}
        rest = []
        for group in groups:
            if group[0] & nodes:
                nodes, called, places = nodes | group[0], called | group[1], places | group[2]
            else:
                rest.append(group)
        groups = [*rest, (nodes, called, places)]
    found: list[tuple[set[str], set[str], set[tuple[str, str]]]] = []
    for nodes, called, places in sorted(groups, key=lambda group: (not group[0], min(group[2]))):
        same = [group for group in found if group[1] & called and not _others(group[0], nodes)]
        if same and (nodes or len(same) == 1):
            same[0][0].update(nodes)
            same[0][1].update(called)
            same[0][2].update(places)
        else:
            found.append((nodes, called, places))
    return [places for _, _, places in found]


def _others(some: Iterable[str], more: Iterable[str]) -> bool:
    """Tell whether two lists mean other nodes, not the addresses, numbers, masked or full names of the same ones.

    One node alone tells nothing: it may never have met its peers, and then knows itself only.
    """
    one, other = ({name.split(".", 1)[0] for name in names if not _NO_NAME.fullmatch(name)} for names in (some, more))
    return len(one) > 1 and len(other) > 1 and not one & other


def _named(
    groups: list[set[tuple[str, str]]],
    members: Mapping[tuple[str, str], set[str]],
    names: Mapping[tuple[str, str], Counter[str]],
) -> Clusters:
    hosts: dict[tuple[str, str], str] = {}
    of_member: dict[str, str] = {}
    rows = [(places, *_name(places, members, names)) for places in groups]
    taken = Counter(name for _, nodes, name in rows if nodes)
    for places, nodes, name in rows:
        if not nodes and len(groups) > 1:
            continue
        called = name if taken[name] < 2 else f"{name}:{'+'.join(nodes)}"
        hosts.update(dict.fromkeys(places, called))
        of_member.update(dict.fromkeys(nodes, called))
    bundles: dict[str, set[str]] = defaultdict(set)
    for (bundle, _), name in hosts.items():
        bundles[bundle].add(name)
    single = {bundle: next(iter(found)) for bundle, found in bundles.items() if len(found) == 1}
    return Clusters(tuple(sorted(set(hosts.values()))), hosts, single, of_member)


def _name(
    places: set[tuple[str, str]],
    members: Mapping[tuple[str, str], set[str]],
    names: Mapping[tuple[str, str], Counter[str]],
) -> tuple[list[str], str]:
    """Nodes of a cluster, and its name: the one most places know, else those of its nodes."""
    nodes = sorted(set[str]().union(*(members.get(place, set()) for place in places)))
    counted = sum((names.get(place, Counter()) for place in sorted(places)), Counter[str]())
    return nodes, min(counted, key=lambda each: (-counted[each], each)) if counted else "+".join(nodes)
