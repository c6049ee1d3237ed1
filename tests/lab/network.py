"""Networks of the lab: a namespace for each node, one for the switch, a bridge in it for each network."""

from __future__ import annotations

from tests.lab.commands import run
from tests.lab.plan import MGMT, RINGS, ClusterPlan, NodePlan

SWITCH = "hadiag-switch"


def netns(node: str) -> str:
    """Name of a node's network namespace."""
    return f"hadiag-{node}"


def port(node: NodePlan, interface: str) -> str:
    """The switch's end of a node's cable."""
    return f"p{node.number}{interface}"


def create(plan: ClusterPlan) -> None:
    """Make the namespaces, bridges and cables; nothing of it appears in the machine's own namespace."""
    run(["ip", "netns", "add", SWITCH])
    for interface in (*plan.rings, MGMT):
        run(["ip", "-n", SWITCH, "link", "add", f"br-{interface}", "type", "bridge"])
        run(["ip", "-n", SWITCH, "link", "set", f"br-{interface}", "up"])
    run(["ip", "-n", SWITCH, "addr", "add", f"{plan.mgmt()}/24", "dev", f"br-{MGMT}"])
    run(["ip", "-n", SWITCH, "link", "set", "lo", "up"])
    run(["ip", "netns", "exec", SWITCH, "nft", "add table bridge lab"])
    chain = "add chain bridge lab fault { type filter hook forward priority 0; policy accept; }"
    run(["ip", "netns", "exec", SWITCH, "nft", chain])
    for node in plan.nodes:
        run(["ip", "netns", "add", netns(node.name)])
        for interface in (*plan.rings, MGMT):
            _cable(node, interface)
        connect(plan, node)


def _cable(node: NodePlan, interface: str) -> None:
    end = port(node, interface)
    peer = ["peer", "name", interface, "netns", netns(node.name)]
    run(["ip", "-n", SWITCH, "link", "add", end, "type", "veth", *peer])
    run(["ip", "-n", SWITCH, "link", "set", end, "master", f"br-{interface}", "up"])


def connect(plan: ClusterPlan, node: NodePlan) -> None:
    """Give a node that is switched on its addresses, and no others."""
    space = netns(node.name)
    run(["ip", "-n", space, "link", "set", "lo", "up"])
    addresses = {ring: plan.address(node, link) for link, ring in enumerate(plan.rings)} | {MGMT: plan.mgmt(node)}
    for interface, address in addresses.items():
        run(["ip", "-n", space, "addr", "flush", "dev", interface])
        run(["ip", "-n", space, "addr", "add", f"{address}/24", "dev", interface])
        run(["ip", "-n", space, "link", "set", interface, "up"])
    run(["ip", "netns", "exec", space, "nft", "flush ruleset"])


def disconnect(plan: ClusterPlan, node: NodePlan) -> None:
    """Take the addresses from a node that is switched off: its kernel is ours and goes on."""
    for interface in (*plan.rings, MGMT):
        run(["ip", "-n", netns(node.name), "addr", "flush", "dev", interface], check=False)


def delete(plan: ClusterPlan) -> None:
    """Remove all namespaces, and with them everything in them."""
    for name in (SWITCH, *(netns(node.name) for node in plan.nodes)):
        run(["ip", "netns", "del", name], check=False)


def rule(text: str) -> None:
    """Add a rule to the switch's chain of faults."""
    run(["ip", "netns", "exec", SWITCH, "nft", f"add rule bridge lab fault {text}"])


def drop(source: NodePlan, target: NodePlan, match: str = "") -> None:
    """Drop what goes from one node to another on all rings."""
    for ring in RINGS:
        rule(f'iifname "{port(source, ring)}" oifname "{port(target, ring)}" {match} drop')


def heal() -> None:
    """Remove all faults from the switch."""
    run(["ip", "netns", "exec", SWITCH, "nft", "flush chain bridge lab fault"])


def carrier(node: NodePlan, interface: str, state: str) -> None:
    """Plug or pull a node's cable: ``up`` or ``down``."""
    run(["ip", "-n", SWITCH, "link", "set", port(node, interface), state])
