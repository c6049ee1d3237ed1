"""Who is who: one entity for each node, whatever a log calls it.

Cluster names come from the CIB and from corosync's node list, joined by node id, address and name. Hosts (directories of
bundles, host columns of lines) are mapped to them by name, short name, address, the host's own statements (its hostname,
its node id, its addresses) and, as a last resort, as the only host left for the only node left.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hadiag.model.entity import Node, NodeRole, Scalar
from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.record import LogSummary
from hadiag.timeline.clusters import Clusters, find_clusters
from hadiag.timeline.known import is_pacemaker
from hadiag.timeline.nodeids import infer_node_ids

_NO_HOST = frozenset({"", "localhost", "localhost.localdomain", "(none)", "unknown", "-"})
_NAME: Final = re.compile(r"[^\s(){}<>$%]+")
"""What may be the name of a node: not ``(null)``, not the variable of a template."""
_ADDRESS = re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]+)$", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CLUSTER_FAMILIES = frozenset({"corosync", "pacemaker"})
_PACKAGES = {"pacemaker", "corosync", "pcs", "crmsh", "sbd", "fence-agents", "fence-agents-common", "resource-agents"}
_UNKNOWN = Node("unknown")


@record
class NodeIdentity:
    """One node with all the names it goes by. ``provided``: logs of its own are in the input."""

    name: Node
    nodeids: tuple[int, ...]
    addresses: tuple[str, ...]
    aliases: tuple[str, ...]
    role: NodeRole
    provided: bool
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Entity:
    name: str
    role: NodeRole = NodeRole.OTHER
    nodeids: set[int] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    clusters: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    provided: bool = False
    configured: bool = False


def is_address(name: str) -> bool:
    """Tell an address from a name."""
    return _ADDRESS.match(name) is not None


def short(name: str) -> str:
    """First label of a host name; an address stays whole."""
    return name if is_address(name) else name.split(".", 1)[0]


def number(value: Scalar) -> int | None:
    """Read a node id; remote nodes have none, and are printed with 0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value > 0 else None
    return (int(value) or None) if isinstance(value, str) and value.isdigit() and len(value) < 12 else None


def is_uuid(value: Scalar) -> bool:
    """Tell the id that heartbeat gave a node, and Pacemaker wrote into the CIB in the place of a number."""
    return isinstance(value, str) and _UUID.fullmatch(value.strip()) is not None


class Identities:
    """Names of nodes and hosts, resolved. Built by ``resolve``."""

    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters
        self._entities: dict[str, _Entity] = {}
        self._names: dict[str, str] = {}
        self._ids: dict[tuple[str, int], str] = {}
        self._hosts: dict[tuple[str, str], str] = {}
        self._observers: dict[tuple[str, str | None, str | None], Node] = {}

    def entity(self, name: str) -> _Entity:
        """Get the entity of a canonical name, made where it is new."""
        if name not in self._entities:
            self._observers.clear()
            self._entities[name] = _Entity(name)
            self._names[name.lower()] = name
        return self._entities[name]

    def find(self, name: str, cluster: str | None = None) -> str | None:
        """Canonical name for any alias, address or node id; the short name counts where it is unambiguous."""
        key = name.strip().lower()
        if key in self._names:
            return self._names[key]
        if key.isdigit():
            return self._by_id(int(key), cluster) if len(key) < 12 else None
        label = short(key)
        if label != key and label in self._names:
            known = self._names[label]
            return known if "." not in known or known.lower() == key else None
        found = {owner for name, owner in self._names.items() if name.startswith(f"{key}.") and short(name) == key}
        return found.pop() if len(found) == 1 else None

    def _by_id(self, nodeid: int, cluster: str | None) -> str | None:
        found = {name for (where, known), name in self._ids.items() if known == nodeid and cluster in {None, where}}
        return found.pop() if len(found) == 1 else None

    def alias(self, alias: str, name: str) -> None:
        """Let another name stand for a node."""
        key = alias.strip()
        if key.lower() not in self._names:
            self._names[key.lower()] = name
        if key != name and key.lower() not in _NO_HOST:
            self._entities[name].aliases.add(key)

    def identify(self, name: str, nodeid: int | None, cluster: str) -> _Entity:
        """Entity of a cluster node from its name and its id; either may know it."""
        known = self._ids.get((cluster, nodeid)) if nodeid is not None else None
        named = self.find(name)
        if known is not None and named is not None and known != named and not self._entities[named].nodeids:
            self._merge(named, known)
        entity = self.entity(known or named or name)
        if name.lower() != entity.name.lower():
            self.alias(name, entity.name)
        if nodeid is not None:
            entity.nodeids.add(nodeid)
            self._ids.setdefault((cluster, nodeid), entity.name)
        entity.clusters.add(cluster)
        return entity

    def _merge(self, name: str, into: str) -> None:
        """Two names of one node: something without ids named it before anything told its id."""
        other, entity = self._entities.pop(name), self._entities[into]
        entity.aliases |= {name, *other.aliases}
        entity.addresses |= other.addresses
        entity.clusters |= other.clusters
        entity.configured |= other.configured
        if entity.role is NodeRole.OTHER:
            entity.role = other.role
        self._names = {alias: into if known == name else known for alias, known in self._names.items()}
        self._observers.clear()

    def address(self, address: str, entity: _Entity) -> None:
        """Note an address of a node."""
        entity.addresses.add(address)
        self._names.setdefault(address.lower(), entity.name)

    def set_host(self, bundle: str, host: str, name: str) -> None:
        """Note whose directory or host column this is, in one input."""
        self._hosts[bundle, host] = name
        self._observers.clear()
        if host != name:
            self.alias(host, name)

    def host(self, bundle: str, host: str | None) -> str | None:
        """Canonical node of a host column or a directory of an input."""
        return None if host is None or host.lower() in _NO_HOST else self._hosts.get((bundle, host)) or self.find(host)

    def observer(self, bundle: str, host: str | None, hint: str | None) -> Node:
        """Node whose log a line stands in: the host column, the place in the bundle, or the only node of the bundle."""
        key = (bundle, host, hint)
        if key not in self._observers:
            known = self.host(bundle, host) or self.host(bundle, hint) or hint or self._only(bundle)
            self._observers[key] = Node(known or _UNKNOWN)
        return self._observers[key]

    def _only(self, bundle: str) -> str | None:
        names = {name for (where, _), name in self._hosts.items() if where == bundle}
        if not names:
            names = set(self._hosts.values())
        return names.pop() if len(names) == 1 else None

    def hosted(self) -> set[str]:
        """Return the nodes that a host of the input was mapped to."""
        return set(self._hosts.values())

    def lookup(self, value: str, observer: str | None = None) -> str | None:
        """Canonical name of a node that a line speaks of; node ids count in the cluster of the observer."""
        entity = self._entities.get(observer) if observer else None
        cluster = next(iter(sorted(entity.clusters)), None) if entity else None
        return self.find(value, cluster) or self.find(value)

    def entities(self) -> list[_Entity]:
        """Return all entities, by name."""
        return [self._entities[name] for name in sorted(self._entities)]

    def nodes(self, cluster: str | None = None) -> tuple[NodeIdentity, ...]:
        """Identities of a cluster (of all of them without a choice), by name."""
        chosen = [entity for entity in self.entities() if self.belongs(entity.name, cluster)]
        return tuple(_frozen(entity) for entity in chosen)

    def belongs(self, name: str, cluster: str | None) -> bool:
        """Tell whether a node is of the chosen cluster; a host of no cluster goes with any."""
        entity = self._entities.get(name)
        return cluster is None or entity is None or not entity.clusters or cluster in entity.clusters


def _frozen(entity: _Entity) -> NodeIdentity:
    aliases = {alias for alias in entity.aliases if alias not in entity.addresses}
    return NodeIdentity(
        Node(entity.name),
        tuple(sorted(entity.nodeids)),
        tuple(sorted(entity.addresses)),
        tuple(sorted(aliases)),
        entity.role,
        entity.provided,
        tuple(sorted(entity.versions.items())),
    )


def resolve(
    raws: Sequence[RawEvent],
    summaries: Sequence[LogSummary],
    facts: Sequence[Fact],
    learn: Callable[[Identities, Sequence[Fact]], None] | None = None,
) -> Identities:
    """Find out who is who from everything that was read; ``learn`` adds what else the configuration tells."""
    found = Identities(find_clusters(facts))
    # The CIB first: it has the names that Pacemaker goes by, corosync.conf may have addresses in their place.
    for fact in sorted(facts, key=lambda fact: fact.table != "node"):
        _configured(found, fact)
    for fact in facts:
        _statused(found, fact)
    if learn is not None:
        learn(found, facts)
    _seen_by_peers(found, raws)
    _hosts(found, raws, summaries, facts)
    _roles(found, raws, summaries, facts)
    infer_node_ids(found, raws)
    _versions(found, raws, facts)
    return found


def _configured(found: Identities, fact: Fact) -> None:
    """Take a member from the configuration."""
    values, cluster = fact.values, found.clusters.of(fact)
    name = values.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return
    if fact.table == "node":
        ident = values.get("nodeid")
        entity = found.identify(name, number(ident), cluster)
        entity.configured = True
        if is_uuid(ident):
            found.alias(str(ident), entity.name)
        kind = values.get("type")
        entity.role = NodeRole(kind) if kind in {"remote", "guest"} else NodeRole.MEMBER
    elif fact.table == "corosync.node":
        entity = _ring_member(found, fact, name, cluster)
        entity.configured = True
        if entity.role is NodeRole.OTHER:
            entity.role = NodeRole.MEMBER


def _ring_member(found: Identities, fact: Fact, name: str, cluster: str) -> _Entity:
    nodeid, address = number(fact.values.get("nodeid")), fact.values.get("address")
    entity = found.identify(name, nodeid, cluster)
    if isinstance(address, str) and address:
        if is_address(address):
            found.address(address, entity)
        elif address.lower() != entity.name.lower():
            found.alias(address, entity.name)
    return entity


def _statused(found: Identities, fact: Fact) -> None:
    """Take names and addresses that status output adds to known members."""
    if fact.table == "node.address":
        name, address = fact.values.get("name"), fact.values.get("address")
        known = found.find(name) if isinstance(name, str) else None
        if known and isinstance(address, str):
            found.address(address, found.entity(known))
    elif fact.table == "node.status" and fact.values.get("in_ccm"):
        name = fact.values.get("node")
        known = found.find(name) if isinstance(name, str) else None
        if known and found.entity(known).role is NodeRole.OTHER:
            found.entity(known).role = NodeRole.MEMBER


def _seen_by_peers(found: Identities, raws: Iterable[RawEvent]) -> None:
    """Take members that only the logs name: Pacemaker prints name and node id when a state changes."""
    pairs: dict[tuple[str, int | None, str], None] = {}
    for raw in raws:
        if raw.type in {"pcmk.node.state", "pcmk.cpg.event"}:
            name = raw.fields.get("node")
            if isinstance(name, str) and _NAME.fullmatch(name) and not name.isdigit() and name.lower() not in _NO_HOST:
                host = raw.node_hint or raw.host or ""
                pairs[name, number(raw.fields.get("nodeid")), found.clusters.of_host(raw.ref.bundle, host)] = None
    for name, nodeid, cluster in pairs:
        entity = found.identify(name, nodeid, cluster)
        if entity.role is NodeRole.OTHER:
            entity.role = NodeRole.MEMBER


def _hosts(found: Identities, raws: Sequence[RawEvent], summaries: Sequence[LogSummary], facts: Sequence[Fact]) -> None:
    """Map directories and host columns to nodes."""
    hints, columns = _host_names(raws, summaries, facts)
    own = _own_statements(facts)
    unmapped = []
    for bundle, host in sorted(hints | set(columns)):
        known = found.find(host) or _by_statement(found, own.get((bundle, host), ()), bundle, host)
        if known:
            found.set_host(bundle, host, known)
        else:
            unmapped.append((bundle, host))
    unmapped = [pair for pair in unmapped if not _by_neighbour(found, pair, columns, summaries)]
    _last_ones(found, unmapped, summaries)
    for bundle, host in unmapped:
        if found.host(bundle, host) is None:
            entity = found.entity(host)
            found.set_host(bundle, host, entity.name)
            cluster = found.clusters.of_host(bundle, host)
            if cluster and (bundle, host) in hints:
                entity.clusters.add(cluster)


def _host_names(
    raws: Iterable[RawEvent], summaries: Iterable[LogSummary], facts: Iterable[Fact]
) -> tuple[set[tuple[str, str]], Counter[tuple[str, str]]]:
    """Directories of nodes, and host columns with their number of lines."""
    hints: set[tuple[str, str]] = {(fact.bundle, fact.node_hint) for fact in facts if fact.node_hint}
    columns: Counter[tuple[str, str]] = Counter()
    for summary in summaries:
        if summary.node_hint:
            hints.add((summary.bundle, summary.node_hint))
        for host, lines in summary.hosts:
            columns[summary.bundle, host] += lines
    for raw in raws:
        if raw.node_hint:
            hints.add((raw.ref.bundle, raw.node_hint))
        if raw.host:
            columns[raw.ref.bundle, raw.host] += 1
    named = {pair: lines for pair, lines in columns.items() if pair[1].lower() not in _NO_HOST}
    return {pair for pair in hints if pair[1].lower() not in _NO_HOST}, Counter(named)


def _own_statements(facts: Iterable[Fact]) -> Mapping[tuple[str, str], list[Fact]]:
    """Statements of a host about itself."""
    own: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.node_hint and fact.table in {"host.name", "ip.address", "quorum.status", "cmap"}:
            own[fact.bundle, fact.node_hint].append(fact)
    return own


def _by_statement(found: Identities, facts: Iterable[Fact], bundle: str, host: str) -> str | None:
    """Node that a host says it is: by hostname, node id or address."""
    cluster = found.clusters.of_host(bundle, host)
    for fact in facts:
        values = fact.values
        if fact.table == "host.name":
            said = values.get("hostname") or values.get("name")
        elif fact.table == "quorum.status":
            said = values.get("node_id")
        elif fact.table == "cmap":
            said = values.get("value") if str(values.get("key")).endswith("this_node_id") else None
        else:
            said = str(values.get("address") or "").split("/", 1)[0]
        known = found.find(str(said), cluster) if said else None
        if known:
            return known
    return None


def _by_neighbour(
    found: Identities,
    pair: tuple[str, str],
    columns: Mapping[tuple[str, str], int],
    summaries: Iterable[LogSummary],
) -> bool:
    """Map a directory by the only host column of its files, or a host column by the directory that it fills."""
    bundle, host = pair
    votes: Counter[str] = Counter()
    for summary in summaries:
        hosts = [name for name, _ in summary.hosts if name.lower() not in _NO_HOST]
        if summary.bundle != bundle or summary.node_hint is None or len(hosts) != 1:
            continue
        if summary.node_hint == host:
            votes[hosts[0]] += summary.lines
        elif hosts[0] == host and pair in columns:
            votes[summary.node_hint] += summary.lines
    for other, _ in votes.most_common(1):
        known = found.host(bundle, other)
        if known:
            found.set_host(bundle, host, known)
            return True
    return False


def _last_ones(found: Identities, unmapped: list[tuple[str, str]], summaries: Iterable[LogSummary]) -> None:
    """Map the only unknown host with cluster logs to the only member without logs (renamed or obfuscated hosts)."""
    speaking = {(s.bundle, s.node_hint) for s in summaries if s.family in _CLUSTER_FAMILIES and s.node_hint}
    hosts = [pair for pair in unmapped if pair in speaking]
    free = [each.name for each in found.entities() if each.configured and each.name not in found.hosted()]
    if len(free) == 1 and len({host for _, host in hosts}) == 1:
        for bundle, host in hosts:
            found.set_host(bundle, host, free[0])


def _roles(found: Identities, raws: Sequence[RawEvent], summaries: Sequence[LogSummary], facts: Sequence[Fact]) -> None:
    """Say which nodes have logs of their own, and what the hosts without a role are."""
    qnetd = {fact.values.get("value") for fact in facts if str(fact.values.get("key")) == "quorum.device.net.host"}
    for name in {found.find(host) for host in qnetd if isinstance(host, str)} - {None}:
        entity = found.entity(str(name))
        if entity.role is NodeRole.OTHER:
            entity.role = NodeRole.QNETD
    for summary in summaries:
        _role_of_log(found, summary)
    spoken: dict[tuple[str, str], None] = {}
    for raw in raws:
        name = found.observer(raw.ref.bundle, raw.host, raw.node_hint)
        spoken[name, _speaker(raw)] = None
    for name, speaker in spoken:
        entity = found.entity(name)
        entity.provided = True
        if entity.role is NodeRole.OTHER:
            entity.role = _ROLES.get(speaker, NodeRole.OTHER)


_ROLES = {"cluster": NodeRole.MEMBER, "qnetd": NodeRole.QNETD, "booth": NodeRole.ARBITRATOR}


def _speaker(raw: RawEvent) -> str:
    if raw.program == "corosync" or is_pacemaker(raw.program) or raw.family in _CLUSTER_FAMILIES:
        return "cluster"
    if raw.program == "corosync-qnetd" or raw.type.startswith("qnetd."):
        return "qnetd"
    return "booth" if raw.type.startswith("booth.") else ""


def _role_of_log(found: Identities, summary: LogSummary) -> None:
    hosts: list[str | None] = [host for host, _ in summary.hosts]
    for host in hosts or [None]:
        entity = found.entity(found.observer(summary.bundle, host, summary.node_hint))
        entity.provided = entity.provided or summary.lines > 0
        if entity.role is NodeRole.OTHER and summary.family in _CLUSTER_FAMILIES and summary.lines:
            entity.role = NodeRole.MEMBER


def _versions(found: Identities, raws: Iterable[RawEvent], facts: Iterable[Fact]) -> None:
    """Versions as the daemons print them at their start, else those of the packages."""
    printed = {
        "pacemakerd.start": "pacemaker",
        "corosync.main.starting": "corosync",
        "corosync.main.started_2x": "corosync",
    }
    for fact in facts:
        name = fact.values.get("name")
        if fact.table == "package" and name in _PACKAGES and fact.node_hint:
            owner = found.host(fact.bundle, fact.node_hint)
            if owner:
                found.entity(owner).versions.setdefault(str(name), str(fact.values.get("version")))
    for raw in raws:
        version = raw.fields.get("version") if raw.type in printed else None
        if version:
            owner = found.observer(raw.ref.bundle, raw.host, raw.node_hint)
            found.entity(owner).versions.setdefault(printed[raw.type], str(version))
