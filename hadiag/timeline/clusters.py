"""Which clusters an input holds: connected sets of members, named by their configuration."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hadiag.model.fact import Fact
from hadiag.snapshots.cib_facts import TABLE as CIB_STATE
from hadiag.snapshots.cib_facts import read_snapshot

_NAME_KEYS = frozenset({"totem.cluster_name", "cluster-name", "cluster_name"})


@dataclass(frozen=True, slots=True)
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
    """Places that share a member or a cluster name speak of one cluster."""
    groups: list[tuple[set[str], set[tuple[str, str]]]] = []
    for place in sorted(set(members) | set(names)):
        tokens = {f"member {name}" for name in members.get(place, ())} | {
            f"name {name}" for name in names.get(place, ())
        }
        places = {place}
        rest = []
        for known, where in groups:
            if known & tokens:
                tokens |= known
                places |= where
            else:
                rest.append((known, where))
        groups = [*rest, (tokens, places)]
    return [places for _, places in groups]


def _named(
    groups: list[set[tuple[str, str]]],
    members: Mapping[tuple[str, str], set[str]],
    names: Mapping[tuple[str, str], Counter[str]],
) -> Clusters:
    hosts: dict[tuple[str, str], str] = {}
    of_member: dict[str, str] = {}
    for places in groups:
        nodes = sorted(set[str]().union(*(members.get(place, set()) for place in places)))
        counted = sum((names.get(place, Counter()) for place in sorted(places)), Counter[str]())
        name = min(counted, key=lambda each: (-counted[each], each)) if counted else "+".join(nodes)
        if not nodes and len(groups) > 1:
            continue
        hosts.update(dict.fromkeys(places, name))
        of_member.update(dict.fromkeys(nodes, name))
    bundles: dict[str, set[str]] = defaultdict(set)
    for (bundle, _), name in hosts.items():
        bundles[bundle].add(name)
    single = {bundle: next(iter(found)) for bundle, found in bundles.items() if len(found) == 1}
    return Clusters(tuple(sorted(set(hosts.values()))), hosts, single, of_member)
