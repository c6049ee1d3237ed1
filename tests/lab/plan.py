"""The plan of a cluster: nodes, networks, fencing, how each node logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.lab.commands import LabError

Syslog = Literal["traditional", "iso", "none"]
RINGS = ("eth0", "eth1")
MGMT = "mgmt0"


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One machine.

    ``suite`` is its own Debian release, where the cluster is a mixed one; ``clock`` is how far its clock is ahead, in seconds; ``boot`` whether the cluster starts with it; ``disk`` the size of
    its root file system (``64m``), where it shall be small enough to be filled.
    """

    name: str
    number: int
    zone: str = "UTC"
    syslog: Syslog = "traditional"
    layout: Literal["debian", "redhat"] = "debian"
    clock: float = 0.0
    boot: bool = True
    role: Literal["member", "qnetd", "remote"] = "member"
    disk: str = ""
    suite: str = ""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """The whole cluster; ``totem`` and ``quorum`` are extra lines of these parts of corosync.conf."""

    name: str
    nodes: tuple[NodePlan, ...]
    suite: str = "bookworm"
    links: int = 1
    fencing: bool = True
    agent: Literal["fence_rack", "fence_ipmilan"] = "fence_rack"
    subnet: str = "10.20.0"
    corosync_log: Literal["file+syslog", "file", "syslog"] = "file+syslog"
    hires: bool = False
    two_node: bool = True
    wait_for_all: bool | None = None
    pacemaker_log: bool = True
    totem: Mapping[str, str | int] | None = None
    quorum: Mapping[str, str | int] | None = None
    firmware_s: float = 15.0

    @property
    def members(self) -> tuple[NodePlan, ...]:
        """The nodes that run corosync and pacemaker."""
        return tuple(node for node in self.nodes if node.role == "member")

    @property
    def qnetd(self) -> NodePlan | None:
        """The node that runs the quorum device's server."""
        return next((node for node in self.nodes if node.role == "qnetd"), None)

    @property
    def remotes(self) -> tuple[NodePlan, ...]:
        """The nodes that run pacemaker_remote only."""
        return tuple(node for node in self.nodes if node.role == "remote")

    def suite_of(self, node: NodePlan) -> str:
        """The Debian release that a node runs."""
        return node.suite or self.suite

    def node(self, name: str) -> NodePlan:
        """The node of a name.

        Raises:
            LabError: There is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"no node {name}; there are {', '.join(node.name for node in self.nodes)}")

    def address(self, node: NodePlan, link: int = 0) -> str:
        """Address of a node on a ring."""
        first, second, third = (int(part) for part in self.subnet.split("."))
        return f"{first}.{second}.{third + link}.{10 + node.number}"

    def mgmt(self, node: NodePlan | None = None) -> str:
        """Address of a node, or of the power switch, on the management network."""
        return f"192.168.99.{10 + node.number if node else 1}"

    def bmc(self, node: NodePlan) -> str:
        """Address of a node's own management controller, for agents that talk to one for each node."""
        return f"192.168.99.{110 + node.number}"

    @property
    def rings(self) -> tuple[str, ...]:
        """Interfaces of the rings."""
        return RINGS[: self.links]


def from_data(data: Mapping[str, Any]) -> ClusterPlan:
    """Make a plan of the ``cluster`` part of a scenario.

    Raises:
        LabError: A key or a value is wrong.
    """
    rest = dict(data)
    rows = rest.pop("nodes", None)
    if not rows:
        raise LabError("a cluster needs nodes")
    numbered = enumerate((row if isinstance(row, Mapping) else {"name": row} for row in rows), start=1)
    try:
        nodes = tuple(NodePlan(**{"number": number, **row}) for number, row in numbered)
        return ClusterPlan(**{"name": "lab", **rest, "nodes": nodes})
    except TypeError as error:
        raise LabError(f"the plan of the cluster: {error}") from error


def save(plan: ClusterPlan, path: Path) -> None:
    """Write a plan, so that the next command finds it."""
    path.write_text(yaml.safe_dump(asdict(plan) | {"nodes": [asdict(node) for node in plan.nodes]}))


def load(path: Path) -> ClusterPlan:
    """Read the plan of the cluster that is up.

    Raises:
        LabError: No cluster is up.
    """
    if not path.exists():
        raise LabError("no cluster is up")
    return from_data(yaml.safe_load(path.read_text()))
