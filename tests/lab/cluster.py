"""Bringing a cluster up and taking it down."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from tests.lab import base, clock, layer, notes, power
from tests.lab.commands import LabError, run
from tests.lab.network import Network
from tests.lab.places import Places
from tests.lab.plan import ClusterPlan, NodePlan, load, save

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
ONLINE = 'crm_mon -1 2>/dev/null | grep -c "partition with quorum" '


def up(plan: ClusterPlan, places: Places) -> None:
    """Start all nodes, and wait until the members see each other."""
    if places.plan.exists():
        raise LabError("a cluster is up already; take it down first")
    if os.geteuid() != 0:
        raise LabError("the lab makes namespaces and mounts: it needs root")
    for suite in sorted({plan.suite_of(node) for node in plan.nodes}):
        base.ensure(places, suite)
    if int(INOTIFY.read_text()) < 1024:
        INOTIFY.write_text("1024")
    places.cluster.mkdir(parents=True, exist_ok=True)
    save(plan, places.plan)
    for node in plan.nodes:
        layer.write(plan, node, places.system(plan.suite_of(node)), layer.new(places.node(node.name), node.disk))
        if node.clock:
            clock.install(places, node.name, node.clock)
    Network(places.scope).create(plan)
    power.supervise(places)
    _until("the supervisor", places.socket.exists, 10)
    notes.note(places, "up", plan.name)
    # The server of a quorum device comes first: the members look for it once at their start.
    for node in sorted(plan.nodes, key=lambda node: node.role == "member"):
        power.order(places, "on", node=node.name)
    started = [node for node in plan.members if node.boot]
    if started:
        _until("the cluster", lambda: _together(places, started), 180)


def _together(places: Places, nodes: list[NodePlan]) -> bool:
    try:
        text = power.in_node(places, nodes[0].name, "crm_node -p; crm_mon -1", check=False, timeout=10)
    except LabError:
        return False
    ready = "with quorum" in text and f"{len(nodes)} nodes configured" in text
    return ready and set(text.splitlines()[0].split()) == {node.name for node in nodes}


def leader(plan: ClusterPlan, places: Places) -> str:
    """Name of the node that is the coordinator now.

    Raises:
        LabError: There is none.
    """
    running = next(node for node in plan.members if power.order(places, "pid", node=node.name) is not None)
    text = power.in_node(places, running.name, "crm_mon -1", timeout=20)
    found = re.search(r"Current DC: (\S+) ", text)
    if found is None or found[1] == "NONE":
        raise LabError("the cluster has no coordinator")
    return found[1]


def _until(what: str, ready: object, seconds: float) -> None:
    assert callable(ready)
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise LabError(f"{what} is not ready after {seconds:.0f} s")
        time.sleep(1)


def configure(plan: ClusterPlan, places: Places, configuration: str, password: str = "rack") -> None:
    """Load a configuration in the language of crmsh, with a fence device for each node, and wait until all is done."""
    first = plan.members[0].name
    fencing = fence_devices(plan, password) if plan.fencing else ""
    path = places.upper(first) / "root/cluster.crm"
    power.in_node(places, first, f"cat >/root/cluster.crm <<'END'\n{fencing}{configuration}\nEND")
    enabled = str(plan.fencing).lower()
    power.in_node(places, first, f"crm_attribute --name stonith-enabled --update {enabled}", timeout=60)
    power.in_node(places, first, "crm --force configure load update /root/cluster.crm", timeout=60)
    power.in_node(places, first, "crm_resource --wait --timeout=40", check=False, timeout=60)
    path.unlink(missing_ok=True)


def fence_devices(plan: ClusterPlan, password: str) -> str:
    """A fence device for each member and remote node, all on the rack's switch."""
    lines = []
    for node in (*plan.members, *plan.remotes):
        if plan.agent == "fence_ipmilan":
            device = f"stonith:fence_ipmilan params ip={plan.bmc(node)} lanplus=1"
        else:
            device = f"stonith:fence_rack params ip={plan.mgmt()} plug={node.name}"
        params = f"username=ops password={password} pcmk_host_list={node.name}"
        lines.append(f"primitive fence-{node.name} {device} {params} op monitor interval=60s timeout=30s")
        if node.role == "member":
            lines.append(f"location loc-fence-{node.name} fence-{node.name} -inf: {node.name}")
    return "\n".join(lines) + "\n"


def down(places: Places) -> None:
    """Stop everything and remove it."""
    plan = load(places.plan)
    with suppress(LabError):
        power.order(places, "stop")
        time.sleep(1)
    Network(places.scope).delete(plan)
    for name in (*(node.name for node in plan.nodes), None):
        for path in sorted(places.cgroup(name).rglob("*"), reverse=True):
            if path.is_dir():
                with suppress(OSError):
                    path.rmdir()
        with suppress(OSError):
            places.cgroup(name).rmdir()
    for node in plan.nodes:
        if node.disk:
            run(["umount", "--lazy", str(places.node(node.name))], check=False)
    run(["sync", "-f", str(places.root)], check=False)
    shutil.rmtree(places.cluster)
