"""Networks of the lab: a namespace for each node, one for the switch, a bridge in it for each network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.lab.commands import run
from tests.lab.plan import MGMT, RINGS, ClusterPlan, NodePlan


def port(node: NodePlan, interface: str) -> str:
    """The switch's end of a node's cable."""
    return f"p{node.number}{interface}"


@dataclass(frozen=True, slots=True)
class Network:
    """The networks of one lab; ``scope`` keeps them apart from those of another one on the same machine."""

    scope: str

    @property
    def switch(self) -> str:
        """Name of the switch's namespace."""
        return f"{self.scope}-switch"

    def netns(self, node: str) -> str:
        """Name of a node's network namespace."""
        return f"{self.scope}-{node}"

    def create(self, plan: ClusterPlan) -> None:
        """Make the namespaces, bridges and cables; nothing of it appears in the machine's own namespace."""
        run(["ip", "netns", "add", self.switch])
        for interface in (*plan.rings, MGMT):
            self._switch("link", "add", f"br-{interface}", "type", "bridge")
            self._switch("link", "set", f"br-{interface}", "up")
        self._switch("addr", "add", f"{plan.mgmt()}/24", "dev", f"br-{MGMT}")
        for node in plan.members:
            self.controller(plan, node, "up")
        self._switch("link", "set", "lo", "up")
        self._nft("add table bridge lab")
        self._nft("add chain bridge lab fault { type filter hook forward priority 0; policy accept; }")
        for node in plan.nodes:
            run(["ip", "netns", "add", self.netns(node.name)])
            for interface in (*plan.rings, MGMT):
                self._cable(node, interface)
            self.connect(plan, node)

    def _switch(self, *words: str) -> None:
        run(["ip", "-n", self.switch, *words])

    def _nft(self, text: str) -> None:
        run(["ip", "netns", "exec", self.switch, "nft", text])

    def _cable(self, node: NodePlan, interface: str) -> None:
        end = port(node, interface)
        self._switch("link", "add", end, "type", "veth", "peer", "name", interface, "netns", self.netns(node.name))
        self._switch("link", "set", end, "master", f"br-{interface}", "up")

    def controller(self, plan: ClusterPlan, node: NodePlan, state: str) -> None:
        """Make a node's management controller answer on the network, or not: ``up`` or ``down``."""
        what = "add" if state == "up" else "del"
        self._switch("addr", what, f"{plan.bmc(node)}/24", "dev", f"br-{MGMT}")

    def connect(self, plan: ClusterPlan, node: NodePlan) -> None:
        """Give a node that is switched on its addresses, and no others."""
        space = self.netns(node.name)
        run(["ip", "-n", space, "link", "set", "lo", "up"])
        addresses = {ring: plan.address(node, link) for link, ring in enumerate(plan.rings)} | {MGMT: plan.mgmt(node)}
        for interface, address in addresses.items():
            run(["ip", "-n", space, "addr", "flush", "dev", interface])
            run(["ip", "-n", space, "addr", "add", f"{address}/24", "dev", interface])
            run(["ip", "-n", space, "link", "set", interface, "up"])
        run(["ip", "netns", "exec", space, "nft", "flush ruleset"])

    def disconnect(self, plan: ClusterPlan, node: NodePlan) -> None:
        """Take the addresses from a node that is switched off: its kernel is ours and goes on."""
        for interface in (*plan.rings, MGMT):
            run(["ip", "-n", self.netns(node.name), "addr", "flush", "dev", interface], check=False)

    def delete(self, plan: ClusterPlan) -> None:
        """Remove all namespaces, and with them everything in them."""
        for name in (self.switch, *(self.netns(node.name) for node in plan.nodes)):
            run(["ip", "netns", "del", name], check=False)

    def drop(self, source: NodePlan, target: NodePlan, match: str = "", rings: Sequence[str] = RINGS) -> None:
        """Drop what goes from one node to another on these rings."""
        for ring in rings:
            ends = f'iifname "{port(source, ring)}" oifname "{port(target, ring)}"'
            self._nft(f"add rule bridge lab fault {ends} {match} drop")

    def heal(self) -> None:
        """Remove all faults from the switch."""
        self._nft("flush chain bridge lab fault")

    def carrier(self, node: NodePlan, interface: str, state: str) -> None:
        """Plug or pull a node's cable: ``up`` or ``down``."""
        self._switch("link", "set", port(node, interface), state)
