"""Faults: what can be broken, each by the words that name it on the command line and in a scenario."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from tests.lab import clock, notes, power
from tests.lab.commands import LabError
from tests.lab.network import Network
from tests.lab.places import Places
from tests.lab.plan import RINGS, ClusterPlan


@dataclass(frozen=True, slots=True)
class Bench:
    """The cluster that faults are done to."""

    plan: ClusterPlan
    places: Places

    @property
    def network(self) -> Network:
        """The networks that it hangs on."""
        return Network(self.places.scope)

    def sh(self, node: str, command: str, *, check: bool = True) -> None:
        """Run a shell command in a node."""
        power.in_node(self.places, node, command, check=check)


def inject(bench: Bench, words: str) -> None:
    """Do what the words say, and note it.

    Raises:
        LabError: There is no such fault, or its words are wrong.
    """
    name, *arguments = shlex.split(words)
    fault = FAULTS.get(name)
    if fault is None:
        raise LabError(f"no fault {name}; there are {', '.join(FAULTS)}")
    notes.note(bench.places, "fault", words)
    try:
        fault(bench, *arguments)
    except TypeError as error:
        raise LabError(f"{words}: {error}; {fault.__doc__}") from error


def cut(bench: Bench, left: str, right: str) -> None:
    """`cut A,B C`: no traffic between the nodes of two groups, on all rings."""
    for one, other in product(left.split(","), right.split(",")):
        bench.network.drop(bench.plan.node(one), bench.plan.node(other))
        bench.network.drop(bench.plan.node(other), bench.plan.node(one))


def isolate(bench: Bench, node: str) -> None:
    """`isolate A`: no traffic between a node and all others."""
    others = ",".join(other.name for other in bench.plan.nodes if other.name != node)
    cut(bench, node, others)


def one_way(bench: Bench, source: str, target: str) -> None:
    """`one-way A B`: what A sends does not reach B."""
    bench.network.drop(bench.plan.node(source), bench.plan.node(target))


def loss(bench: Bench, node: str, percent: str, *rings: str) -> None:
    """`loss A 30 [eth1]`: a part of what a node sends is lost."""
    chance = f"numgen random mod 100 < {int(percent)}"
    for other in bench.plan.nodes:
        if other.name != node:
            bench.network.drop(bench.plan.node(node), other, chance, rings or RINGS)


def mtu(bench: Bench, node: str, size: str) -> None:
    """`mtu A 700`: larger packets of a node are lost."""
    for other in bench.plan.nodes:
        if other.name != node:
            bench.network.drop(bench.plan.node(node), other, f"meta length > {int(size)}")


def heal(bench: Bench) -> None:
    """`heal`: the switch works again."""
    bench.network.heal()


def cable(bench: Bench, node: str, state: str, interface: str = "eth0") -> None:
    """`cable A down [eth1]`: pull or plug a cable."""
    bench.network.carrier(bench.plan.node(node), interface, state)


def firewall(bench: Bench, node: str, ports: str = "5404-5412") -> None:
    """`firewall A [5404-5412]`: the node's own firewall drops what comes in for these UDP ports."""
    rules = (
        f"add chain inet site in {{ type filter hook input priority 0; }}; add rule inet site in udp dport {ports} drop"
    )
    bench.sh(node, f"nft 'add table inet site; {rules}'")


def power_order(what: str) -> Callable[[Bench, str], None]:
    """A fault that is an order to the power switch."""

    def fault(bench: Bench, node: str) -> None:
        power.order(bench.places, what, node=node)

    fault.__doc__ = f"`{what} A`"
    return fault


def signal_daemon(signal: str) -> Callable[[Bench, str, str], None]:
    """A fault that sends a signal to a daemon or service by the name of its program."""

    def fault(bench: Bench, node: str, program: str) -> None:
        bench.sh(node, f"kill -{signal} $(pidof {shlex.quote(program)})")

    fault.__doc__ = f"sends {signal}: `A PROGRAM`"
    return fault


def app(bench: Bench, node: str, resource: str, action: str, *outcome: str) -> None:
    """`app A RESOURCE start 1 the reason` or `app A RESOURCE stop hang`: the made-up application fails an action."""
    text = " ".join(outcome)
    state = f"/var/lib/acme/{resource}"
    command = f"mkdir -p {state}; echo {shlex.quote(text)} >{state}/fail-{action}"
    bench.sh(node, command if text != "works" else f"rm -f {state}/fail-{action}")


def app_signal(bench: Bench, node: str, resource: str, signal: str) -> None:
    """`app-signal A RESOURCE KILL`: a signal to the application's process."""
    bench.sh(node, f"kill -{signal} $(cat /run/acme-{resource}.pid)")


def small_disk(bench: Bench, node: str, directory: str, size: str = "1m") -> None:
    """`small-disk A DIR [1m]`: a small file system of its own below a directory."""
    bench.sh(node, f"mkdir -p {directory}; mount -t tmpfs -o size={size} tmpfs {directory}")


def fill(bench: Bench, node: str, directory: str) -> None:
    """`fill A DIR`: until nothing fits any more."""
    bench.sh(node, f"cat /dev/zero >{directory}/filler", check=False)


def read_only(bench: Bench, node: str, directory: str) -> None:
    """`read-only A DIR`: as a file system does after an error."""
    bench.sh(node, f"mount -o remount,ro {directory}")


def clock_step(bench: Bench, node: str, ahead: str) -> None:
    """`clock A 300`: the node's clock is so many seconds ahead from now on."""
    clock.step(bench.places, node, float(ahead))


def bmc(bench: Bench, node: str, state: str) -> None:
    """`bmc A down`: the node's management controller is off the network, or back."""
    bench.network.controller(bench.plan, bench.plan.node(node), state)


def switch_password(bench: Bench, value: str) -> None:
    """`switch-password new`: the rack switch wants another password than the cluster has."""
    power.order(bench.places, "password", value=value)


def switch_delay(bench: Bench, seconds: str) -> None:
    """`switch-delay 40`: the rack switch takes its time for each answer."""
    power.order(bench.places, "delay", value=seconds)


def corosync_conf(bench: Bench, node: str, key: str, value: str) -> None:
    """`corosync-conf A cluster_name other`: change an option in one node's file."""
    bench.sh(node, f"sed -i 's/^\\( *{key}:\\).*/\\1 {value}/' /etc/corosync/corosync.conf")


def corosync_key(bench: Bench, node: str) -> None:
    """`corosync-key A`: another authkey on one node."""
    bench.sh(node, "head -c 256 /dev/urandom >/etc/corosync/authkey")


FAULTS: Mapping[str, Callable[..., None]] = {
    "cut": cut,
    "isolate": isolate,
    "one-way": one_way,
    "loss": loss,
    "mtu": mtu,
    "heal": heal,
    "cable": cable,
    "firewall": firewall,
    "power-cut": power_order("off"),
    "power-on": power_order("on"),
    "freeze": power_order("freeze"),
    "thaw": power_order("thaw"),
    "stop": signal_daemon("STOP"),
    "continue": signal_daemon("CONT"),
    "kill": signal_daemon("KILL"),
    "segfault": signal_daemon("SEGV"),
    "app": app,
    "app-signal": app_signal,
    "small-disk": small_disk,
    "fill": fill,
    "read-only": read_only,
    "clock": clock_step,
    "bmc": bmc,
    "switch-password": switch_password,
    "switch-delay": switch_delay,
    "corosync-conf": corosync_conf,
    "corosync-key": corosync_key,
}
