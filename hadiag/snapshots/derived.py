"""What follows from one configuration: sums, defaults and sets that a rule could not say by comparing single facts.

Rows of the table ``derived`` have ``name`` and ``value``, and further keys by name. From a CIB, ``crm configure show`` or ``pcs config``:

| name | value | further keys |
|---|---|---|
| ``nodes``, ``resources``, ``fencing_devices``, ``fencing_delays``, ``priorities`` | a number | |
| ``fencing_enabled`` | in force, with the default | |
| ``fencing_timeout_s``, ``watchdog_timeout_s``, ``priority_delay_s``, ``fencing_delay_max_s`` | in force, with the default | |
| ``untargeted_node`` | a node that no device lists, where all devices list their targets | |
| ``unknown_target`` | a listed target that is no node | ``device`` |
| ``own_target_only`` | a device that may run on its own target only | ``node`` |
| ``shared_address`` | an address of several devices for different nodes without plugs | ``devices`` |
| ``shared_plug`` | a plug that stands for several nodes | ``device`` |
| ``equal_delay`` | a delay that all devices have | ``devices`` |
| ``unmonitored`` | a resource without recurring monitor | ``agent``, ``fencing`` |
| ``promoted_unmonitored`` | a promotable resource whose promoted role has no monitor of its own | ``agent`` |
| ``same_interval`` | a promotable resource whose monitors of both roles have one interval | ``interval_ms`` |
| ``no_expiry`` | a resource that one failure bans for good | |
| ``expiry_too_short`` | a resource whose failure-timeout is below an operation's timeout | ``failure_timeout_s``, ``timeout_s``, ``op`` |
| ``endless_start`` | a resource that is started again and again where it fails | |
| ``default_timeout`` | a slow resource that starts or stops with the default timeout | ``agent``, ``op`` |
| ``nowhere`` / ``unplaced`` | a resource that is banned from all nodes / that no rule allows anywhere | |
| ``order_alone`` / ``colocation_alone`` | a resource that has only one of the two to another | ``other`` |
| ``shared_ip`` | an address that several resources bring up | ``resources`` |
| ``same_node`` | a name or id that several nodes have | |

From corosync.conf: ``corosync_nodes``, ``links``, ``votes`` (numbers), ``token_ms``, ``consensus_ms``, ``consensus_needed_ms`` (in force), ``same_nodeid``, ``unnamed_node``,
``same_subnet`` (``links``), ``qdevice_sync_s``, ``name_address`` (a link address that is a host name). From the settings of sbd: ``sbd_devices``, ``sbd_device``, ``sbd_watchdog_timeout_s``.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Protocol

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, integer, milliseconds, truth

_SLOW = frozenset(
    [
        "Filesystem",
        "LVM",
        "LVM-activate",
        "VirtualDomain",
        "oracle",
        "db2",
        "pgsql",
        "mysql",
        "galera",
        "SAPHana",
        "SAPInstance",
        "SAPDatabase",
        "SAPHanaController",
        "nfsserver",
    ]
)
_DEFAULT_S = {"stonith-timeout": 60.0, "stonith-watchdog-timeout": 0.0, "priority-fencing-delay": 0.0}
_MOST = 300
"""Resources or nodes that are compared with each other at most."""


def from_configuration(source: Source, facts: Sequence[Fact]) -> Iterator[Fact]:
    """The rows that follow from the configuration in one file."""
    view = _Configuration(source, facts)
    yield from view.totals()
    yield from view.targets()
    yield from view.devices()
    yield from view.operations()
    yield from view.failures()
    yield from view.places()
    yield from view.duplicates()


def _seconds(text: Scalar) -> float | None:
    """A time with or without unit in seconds; ``30s;node1:5s`` and the like are read up to the semicolon."""
    if text is None:
        return None
    ms = milliseconds(str(text).split(";")[0])
    return None if ms is None else ms / 1000


class _Configuration:
    """The facts of one file, by table."""

    def __init__(self, source: Source, facts: Sequence[Fact]) -> None:
        self.source = source
        self.tables: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            self.tables[fact.table].append(fact)
        self.options = {str(f.values["name"]): f for f in self.tables["cluster.option"]}
        self.members = sorted(
            {str(f.values["name"]) for f in self.tables["node"] if f.values.get("type") in {"member", "normal", None}}
        )
        self.guests = {str(f.values["remote_node"]) for f in self.tables["resource"] if f.values.get("remote_node")}
        remotes = {str(f.values["name"]) for f in self.tables["node"] if f.values.get("type") in {"remote", "guest"}}
        self.known = {
            *self.members,
            *self.guests,
            *remotes,
            *(str(f.values["id"]) for f in self.tables["resource"] if f.values.get("agent") == "remote"),
        }
        self.resources = [f for f in self.tables["resource"] if f.values.get("fencing") is not True]
        self.fencing = self.tables["fencing.device"]
        self.defaults = {
            (str(f.values["section"]), str(f.values["name"])): f.values.get("value") for f in self.tables["default"]
        }
        self.operations_of: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.tables["resource.op"]:
            self.operations_of[str(fact.values["resource"])].append(fact)
        self.meta = {
            (str(f.values["resource"]), str(f.values["name"])): f.values.get("value")
            for f in self.tables["resource.meta"]
        }

    def row(self, name: str, value: Scalar, place: Fact | None = None, **more: Scalar) -> Fact:
        """A row, at the place of the fact that it follows from."""
        line = place.line - self.source.before if place and place.line else 0
        return self.source.fact(
            "derived", {"name": name, "value": value, **more}, line, text=place.text if place else ""
        )

    def option_s(self, name: str) -> tuple[float, Fact | None]:
        """An option that is a time, in s; its default where it is not set."""
        fact = self.options.get(name)
        value = _seconds(fact.values.get("value")) if fact else None
        if fact and value is None and str(fact.values.get("value")).startswith("-"):
            value = -1.0
        return (_DEFAULT_S[name] if value is None else value), fact

    def meta_of(self, resource: Fact, name: str) -> Scalar:
        """A meta attribute of a resource: its own, that of what it is in, or the default."""
        current: Scalar = resource.values["id"]
        parents = {
            str(f.values["id"]): f.values.get("parent")
            for f in (*self.tables["resource"], *self.tables["resource.collective"])
        }
        for _ in range(5):
            if (value := self.meta.get((str(current), name))) is not None:
                return value
            current = parents.get(str(current))
            if current is None:
                break
        return self.defaults.get(("rsc_defaults", name))

    def totals(self) -> Iterator[Fact]:
        """Numbers, and options in force."""
        if not self.members and not self.tables["resource"]:
            return
        yield self.row("nodes", len(self.members), next(iter(self.tables["node"]), None))
        yield self.row("resources", len(self.resources), next(iter(self.resources), None))
        yield self.row("fencing_devices", len(self.fencing), next(iter(self.fencing), None))
        enabled = self.options.get("stonith-enabled")
        said = truth(str(enabled.values.get("value"))) if enabled else None
        yield self.row("fencing_enabled", True if said is None else said, enabled)
        for name, option in (
            ("fencing_timeout_s", "stonith-timeout"),
            ("watchdog_timeout_s", "stonith-watchdog-timeout"),
            ("priority_delay_s", "priority-fencing-delay"),
        ):
            value, place = self.option_s(option)
            yield self.row(name, value, place)
        delays = [
            (max(_seconds(f.values.get("delay_base")) or 0, _seconds(f.values.get("delay_max")) or 0), f)
            for f in self.fencing
        ]
        most = max(delays, key=lambda pair: pair[0], default=(0.0, None))
        yield self.row("fencing_delays", sum(1 for delay, _ in delays if delay), most[1])
        yield self.row("fencing_delay_max_s", most[0], most[1])
        priorities = [
            f
            for f in self.tables["resource.meta"]
            if f.values.get("name") == "priority" and f.values.get("value") not in {"0", ""}
        ]
        yield self.row("priorities", len(priorities), next(iter(priorities), None))

    def _targets(self, device: Fact) -> tuple[str, ...] | None:
        """Nodes that a device lists; None where it finds them out itself."""
        hosts = device.values.get("hosts")
        if (
            device.values.get("host_check") in {"dynamic-list", "status", "none"}
            or not isinstance(hosts, tuple)
            or not hosts
        ):
            return None
        return hosts

    def targets(self) -> Iterator[Fact]:
        """Nodes and devices that do not fit each other."""
        listed = [(device, self._targets(device)) for device in self.fencing]
        hosts = {host for _, names in listed for host in names or ()}
        in_levels = {str(f.values.get("target")) for f in self.tables["fencing.level"]}
        if listed and all(names is not None for _, names in listed):
            for node in self.members[:_MOST]:
                if node not in hosts and node not in in_levels:
                    yield self.row("untargeted_node", node, listed[0][0], node=node)
        for device, names in listed:
            for host in (names or ())[:_MOST]:
                if self.members and host not in self.known:
                    yield self.row("unknown_target", host, device, device=device.values["id"])
            if names is not None and len(names) == 1 and self.members:
                allowed = self._allowed(str(device.values["id"]))
                if allowed and allowed <= set(names):
                    yield self.row("own_target_only", device.values["id"], device, node=names[0])

    def _allowed(self, resource: str) -> set[str]:
        """Members on which location constraints let a resource run."""
        symmetric = (
            truth(str(self.options["symmetric-cluster"].values.get("value")))
            if "symmetric-cluster" in self.options
            else True
        )
        allowed = set(self.members) if symmetric is not False else set()
        for fact in self.tables["constraint.location"]:
            if fact.values.get("rsc") != resource:
                continue
            node, score = str(fact.values.get("node")), str(fact.values.get("score"))
            if fact.values.get("rules"):
                return set(self.members)
            if score == "-INFINITY":
                allowed.discard(node)
            elif symmetric is False and not score.startswith("-"):
                allowed.add(node)
        return allowed

    def devices(self) -> Iterator[Fact]:
        """Devices that share what should differ."""
        by_address: dict[Scalar, list[Fact]] = defaultdict(list)
        for device in self.fencing:
            if device.values.get("address") and not device.values.get("plug") and self._targets(device):
                by_address[device.values["address"]].append(device)
            plugs = [
                part.partition(":") for part in str(device.values.get("host_map") or "").replace(",", ";").split(";")
            ]
            counted = Counter(plug.strip() for _, colon, plug in plugs if colon and plug.strip())
            for plug, times in counted.items():
                if times > 1:
                    yield self.row("shared_plug", plug, device, device=device.values["id"])
        for address, found in by_address.items():
            if len({self._targets(device) for device in found}) > 1:
                names = tuple(sorted(str(device.values["id"]) for device in found))
                yield self.row("shared_address", address, found[0], devices=names)
        targeted = [device for device in self.fencing if self._targets(device)]
        bases = {_seconds(device.values.get("delay_base")) for device in targeted}
        random = any(_seconds(device.values.get("delay_max")) for device in targeted)
        if len(targeted) >= 2 and len(bases) == 1 and not random and (base := next(iter(bases))):
            names = tuple(sorted(str(device.values["id"]) for device in targeted))
            yield self.row("equal_delay", base, targeted[0], devices=names)

    def _monitors(self, resource: Fact) -> list[Fact]:
        found = self.operations_of.get(str(resource.values["id"]), [])
        return [
            op
            for op in found
            if op.values.get("op") == "monitor"
            and op.values.get("interval_ms")
            and op.values.get("enabled") is not False
        ]

    def operations(self) -> Iterator[Fact]:
        """Monitors and timeouts."""
        for resource in self.tables["resource"]:
            if resource.values.get("template"):
                continue
            monitors = self._monitors(resource)
            ident, agent = resource.values["id"], resource.values.get("agent")
            if not monitors:
                yield self.row(
                    "unmonitored", ident, resource, agent=agent, fencing=resource.values.get("fencing") is True
                )
            elif resource.values.get("promotable") is True:
                yield from self._roles(resource, monitors)
            yield from self._timeouts(resource)

    def _roles(self, resource: Fact, monitors: Sequence[Fact]) -> Iterator[Fact]:
        ident, agent = resource.values["id"], resource.values.get("agent")
        promoted = [op for op in monitors if op.values.get("role") in {"Master", "Promoted"}]
        others = [op for op in monitors if op not in promoted]
        if not promoted:
            yield self.row("promoted_unmonitored", ident, monitors[0], agent=agent)
        for op in promoted:
            if op.values.get("interval_ms") in {each.values.get("interval_ms") for each in others}:
                yield self.row("same_interval", ident, op, interval_ms=op.values.get("interval_ms"))
                break

    def _timeouts(self, resource: Fact) -> Iterator[Fact]:
        agent = resource.values.get("agent")
        if agent not in _SLOW or ("op_defaults", "timeout") in self.defaults:
            return
        found = self.operations_of.get(str(resource.values["id"]), [])
        set_for = {op.values.get("op") for op in found if op.values.get("timeout_ms") is not None}
        missing = tuple(name for name in ("start", "stop") if name not in set_for)
        if missing:
            yield self.row("default_timeout", resource.values["id"], resource, agent=agent, ops=missing)

    def failures(self) -> Iterator[Fact]:
        """What happens after a failure."""
        fatal = self.options.get("start-failure-is-fatal")
        endless = fatal is not None and truth(str(fatal.values.get("value"))) is False
        for resource in self.resources[:_MOST]:
            ident = resource.values["id"]
            threshold = str(self.meta_of(resource, "migration-threshold") or "")
            expiry = _seconds(self.meta_of(resource, "failure-timeout"))
            if threshold == "1" and not expiry:
                yield self.row("no_expiry", ident, resource)
            if endless and threshold in {"", "0", "INFINITY"}:
                yield self.row("endless_start", ident, fatal)
            timeouts = [
                (op.values["timeout_ms"], op)
                for op in self.operations_of.get(str(ident), [])
                if isinstance(op.values.get("timeout_ms"), int)
            ]
            longest = max(timeouts, key=lambda pair: pair[0] if isinstance(pair[0], int) else 0, default=None)
            if expiry and longest and isinstance(longest[0], int) and expiry * 1000 < longest[0]:
                op = longest[1]
                yield self.row(
                    "expiry_too_short",
                    ident,
                    op,
                    failure_timeout_s=expiry,
                    timeout_s=longest[0] / 1000,
                    op=op.values.get("op"),
                )

    def places(self) -> Iterator[Fact]:
        """Resources that may run nowhere, and pairs with half a dependency."""
        symmetric = (
            truth(str(self.options["symmetric-cluster"].values.get("value")))
            if "symmetric-cluster" in self.options
            else True
        )
        rules = {str(f.values.get("rsc")) for f in self.tables["constraint.location"]}
        free = len(self.tables["constraint.location"]) == len(
            [f for f in self.tables["constraint.location"] if f.values.get("rsc")]
        )
        for resource in self.resources[:_MOST]:
            ident = str(resource.values["id"])
            names = {ident, str(resource.values.get("parent")), str(resource.values.get("group"))}
            if symmetric is False and not names & rules and free and not self._pulled(names):
                yield self.row("unplaced", ident, resource)
            if symmetric is not False and len(self.members) > 1 and ident in rules and not self._allowed(ident):
                yield self.row("nowhere", ident, resource)
        yield from self._halves()

    def _pulled(self, names: set[str]) -> bool:
        """Whether a colocation may bring a resource somewhere."""
        return any({str(f.values.get("rsc")), *_members(f)} & names for f in self.tables["constraint.colocation"])

    def _halves(self) -> Iterator[Fact]:
        plain = {str(f.values["id"]) for f in self.resources if not f.values.get("clone")} | {
            str(f.values["id"])
            for f in self.tables["resource.collective"]
            if f.values.get("kind") == "group" and not f.values.get("clone")
        }
        ordered = {
            (str(f.values.get("first")), str(f.values.get("then"))): f
            for f in self.tables["constraint.order"]
            if f.values.get("kind") in {None, "Mandatory"}
        }
        together = {
            (str(f.values.get("with_rsc")), str(f.values.get("rsc"))): f
            for f in self.tables["constraint.colocation"]
            if not str(f.values.get("score") or "").startswith("-")
        }
        sets = {
            name
            for table in ("constraint.order", "constraint.colocation")
            for f in self.tables[table]
            for name in _members(f)
        }
        for name, rows, others in (("order_alone", ordered, together), ("colocation_alone", together, ordered)):
            for (first, then), place in rows.items():
                known = {(first, then), (then, first)} & set(others)
                if not known and {first, then} <= plain and not {first, then} & sets:
                    yield self.row(name, then, place, other=first)

    def duplicates(self) -> Iterator[Fact]:
        """Names, ids and addresses that occur twice."""
        for key in ("name", "nodeid"):
            counted = Counter(str(f.values[key]) for f in self.tables["node"] if f.values.get(key))
            for value, times in counted.items():
                if times > 1:
                    yield self.row(
                        "same_node", value, next(f for f in self.tables["node"] if str(f.values.get(key)) == value)
                    )
        agents = {
            str(f.values["id"]): f
            for f in self.resources
            if f.values.get("agent") in {"IPaddr2", "IPaddr"} and not f.values.get("clone")
        }
        by_ip: dict[str, list[str]] = defaultdict(list)
        for fact in self.tables["resource.param"]:
            if fact.values.get("name") == "ip" and str(fact.values["resource"]) in agents and fact.values.get("value"):
                by_ip[str(fact.values["value"])].append(str(fact.values["resource"]))
        for address, names in by_ip.items():
            if len(names) > 1:
                yield self.row("shared_ip", address, agents[names[0]], resources=tuple(sorted(names)))


def _members(fact: Fact) -> tuple[str, ...]:
    members = fact.values.get("members")
    return members if isinstance(members, tuple) else ()


class _Row(Protocol):
    """Makes a row of ``derived`` at the place of a fact."""

    def __call__(self, name: str, value: Scalar, place: Fact | None = None, **more: Scalar) -> Fact: ...


def from_corosync(
    source: Source, options: Sequence[Fact], nodes: Sequence[Fact], extra: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    """The rows that follow from one corosync.conf. ``extra`` holds all keys of each node of the nodelist."""
    values = {str(f.values["key"]): f for f in options}

    def number(key: str) -> int | None:
        return integer(str(values[key].values.get("value"))) if key in values else None

    def row(name: str, value: Scalar, place: Fact | None = None, **more: Scalar) -> Fact:
        line = place.line - source.before if place and place.line else 0
        return source.fact("derived", {"name": name, "value": value, **more}, line, text=place.text if place else "")

    count = len(extra)
    first = next(iter(nodes), None)
    if count:
        yield row("corosync_nodes", count, first)
        yield row("links", len({f.values.get("link") for f in nodes}), first)
        yield row("votes", sum(max(0, integer(node.get("quorum_votes", "1")) or 0) for node in extra.values()), first)
    knet = (
        number("totem.version") == 2
        and str(values["totem.transport"].values.get("value") if "totem.transport" in values else "knet") == "knet"
    )
    base = number("totem.token")
    token = base if base is not None else 3000 if knet else 1000
    coefficient = number("totem.token_coefficient")
    if count > 2:
        token += (count - 2) * (650 if coefficient is None else coefficient)
    yield row("token_ms", token, values.get("totem.token"), configured=base)
    consensus = number("totem.consensus")
    yield row(
        "consensus_ms",
        consensus if consensus is not None else int(token * 1.2),
        values.get("totem.consensus"),
        configured=consensus,
    )
    yield row("consensus_needed_ms", int(token * 1.2), values.get("totem.consensus"))
    if "quorum.device.model" in values:
        sync = number("quorum.device.sync_timeout")
        yield row("qdevice_sync_s", (30_000 if sync is None else sync) / 1000, values.get("quorum.device.sync_timeout"))
    yield from _nodelist(row, nodes, extra)


def _nodelist(row: _Row, nodes: Sequence[Fact], extra: dict[str, dict[str, str]]) -> Iterator[Fact]:
    first = next(iter(nodes), None)
    for value, times in Counter(node["nodeid"] for node in extra.values() if node.get("nodeid")).items():
        if times > 1:
            yield row("same_nodeid", value, first)
    named = sum(1 for node in extra.values() if node.get("name"))
    if 0 < len(extra) != named:
        yield row("unnamed_node", len(extra) - named, first)
    nets: dict[Scalar, dict[Scalar, ipaddress.IPv4Network | ipaddress.IPv6Network]] = defaultdict(dict)
    for fact in nodes[:_MOST]:
        address = str(fact.values.get("address"))
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            yield row("name_address", address, fact, node=fact.values.get("name"))
            continue
        width = 24 if parsed.version == 4 else 64
        nets[fact.values.get("name")][fact.values.get("link")] = ipaddress.ip_network(f"{parsed}/{width}", strict=False)
    for name, links in sorted(nets.items(), key=str):
        for (one, net), (two, other) in combinations(sorted(links.items(), key=str), 2):
            if net == other:
                yield row("same_subnet", str(net), first, node=name, links=(str(one), str(two)))
                return
