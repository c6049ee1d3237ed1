"""The configuration of the cluster, put together from the facts of all nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.snapshots.base import truth
from hadiag.snapshots.settle import newest


@record
class ResourceConfig:
    """One primitive as the CIB configures it."""

    id: str
    type: str
    fencing: bool
    clone: bool
    promotable: bool
    promoted_max: int
    group: str | None
    parent: str | None
    target_role: str | None
    managed: bool | None


@record
class ClusterConfig:
    """The cluster as its configuration files describe it; None = no file says so.

    ``options`` holds the cluster options of the newest CIB, ``corosync`` the settings of corosync.conf or cmap, ``members`` the
    names of the member nodes, ``remotes`` those of remote and guest nodes. ``sources`` are the paths read. ``complete`` tells
    that a whole configuration was read, a CIB or one that crm or pcs printed: what it does not set has its default.
    """

    name: str | None = None
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    corosync: Mapping[str, str] = field(default_factory=dict, hash=False)
    resources: Mapping[str, ResourceConfig] = field(default_factory=dict, hash=False)
    members: tuple[str, ...] = ()
    remotes: tuple[str, ...] = ()
    expected_votes: int | None = None
    two_node: bool | None = None
    sources: tuple[str, ...] = ()
    cib: Fact | None = None
    complete: bool = False

    @property
    def fencing_enabled(self) -> bool | None:
        """``stonith-enabled``; true by default where a configuration was read (lib/common/options.c)."""
        value = truth(self.options.get("stonith-enabled"))
        return True if value is None and self.complete else value

    @property
    def no_quorum_policy(self) -> str | None:
        """``no-quorum-policy``; ``stop`` by default where a configuration was read."""
        return self.options.get("no-quorum-policy", "stop" if self.complete else None)


def newest_cib(facts: Iterable[Fact]) -> Fact | None:
    """The ``cib`` fact with the highest version; of equal versions the one with a status section, then by path."""
    return newest(fact for fact in facts if fact.table == "cib")


def cluster_config(facts: Sequence[Fact]) -> ClusterConfig:
    """Put the configuration together: the newest CIB, the first corosync.conf, cmap where that is missing."""
    head = newest(facts)
    cib = head if head is not None and head.table == "cib" else None
    own = [f for f in facts if head is not None and (f.bundle, f.path) == (head.bundle, head.path)]
    corosync = _corosync(facts)
    options = {str(f.values["name"]): str(f.values.get("value")) for f in own if f.table == "cluster.option"}
    nodes = [f for f in own if f.table == "node"]
    conf_nodes = {str(f.values["name"]) for f in facts if f.table == "corosync.node" and f.values.get("named")}
    members = {str(f.values["name"]) for f in nodes if f.values.get("type") in {"member", "normal", None}}
    guests = {str(f.values["remote_node"]) for f in own if f.table == "resource" and f.values.get("remote_node")}
    remotes = {str(f.values["name"]) for f in nodes if f.values.get("type") == "remote"} | guests
    paths = {f.path for f in facts if f.table in {"cib", "corosync.option", "cmap", "quorum.status", "configuration"}}
    return ClusterConfig(
        name=options.get("cluster-name") or corosync.get("totem.cluster_name"),
        options=options,
        corosync=corosync,
        resources={r.id: r for r in map(_resource, (f for f in own if f.table == "resource"))},
        members=tuple(sorted(members or conf_nodes)),
        remotes=tuple(sorted(remotes)),
        expected_votes=_expected_votes(facts, corosync, conf_nodes),
        two_node=_two_node(corosync),
        sources=tuple(sorted(paths)),
        cib=cib,
        complete=head is not None and (cib is not None or head.values.get("complete") is True),
    )


def _corosync(facts: Sequence[Fact]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for table in ("corosync.option", "cmap"):
        for fact in sorted((f for f in facts if f.table == table), key=lambda f: (f.path, f.line)):
            settings.setdefault(str(fact.values["key"]), str(fact.values.get("value")))
    return settings


def _expected_votes(facts: Sequence[Fact], corosync: Mapping[str, str], nodes: set[str]) -> int | None:
    if corosync.get("quorum.expected_votes", "").isdigit():
        return int(corosync["quorum.expected_votes"])
    for fact in facts:
        votes = fact.values.get("expected_votes") if fact.table == "quorum.status" else None
        if isinstance(votes, int):
            return votes
    return len(nodes) or None


def _two_node(corosync: Mapping[str, str]) -> bool | None:
    if not corosync:
        return None
    return truth(corosync.get("quorum.two_node") or corosync.get("runtime.votequorum.two_node")) is True


def _resource(fact: Fact) -> ResourceConfig:
    values = fact.values
    most = values.get("promoted_max")
    return ResourceConfig(
        id=str(values["id"]),
        type=str(values.get("type")),
        fencing=values.get("fencing") is True,
        clone=values.get("clone") is True,
        promotable=values.get("promotable") is True,
        promoted_max=most if isinstance(most, int) else 1,
        group=_str(values.get("group")),
        parent=_str(values.get("parent")),
        target_role=_str(values.get("target_role")),
        managed=values.get("managed") if isinstance(values.get("managed"), bool) else None,  # type: ignore[arg-type]
    )


def _str(value: object) -> str | None:
    return None if value is None else str(value)
