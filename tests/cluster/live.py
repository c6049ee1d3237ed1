"""A cluster of real nodes that run what is installed on this machine, broken in the ways that a collection has to bear."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.lab import base, cluster, faults, power
from tests.lab.network import Network
from tests.lab.places import MACHINE, Places
from tests.lab.plan import ClusterPlan, from_data

AHEAD_S = 127.4
HEALTHY, DEAD, HUNG, FULL = "alder", "birch", "cedar", "dogwood"
SECRET = "PLANTED-fence-password"
CONFIGURATION = """
primitive shop ocf:acme:app op monitor interval=10s timeout=20s
location loc-shop shop 50: birch
"""


def lacking() -> str:
    """Why there can be no such cluster on this machine; empty if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    if names := base.missing():
        return f"needs {', '.join(names)} (Debian packages)"
    if shutil.which("cc") is None:
        return "needs a C compiler for the node with a clock of its own (Debian: gcc, libc6-dev)"
    if not _python():
        return "needs Python 3.11 or newer as python3 of the system, for a collection that is started on a node"
    tried = subprocess.run(
        ["unshare", "-m", "-u", "-i", "-n", "-p", "-C", "-f", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        return f"needs the right to make namespaces and to mount: {tried.stderr.strip()}"
    return ""


def _python() -> bool:
    try:
        told = subprocess.run(["/usr/bin/python3", "-c", "import tomllib"], capture_output=True, check=False)
    except OSError:
        return False
    return told.returncode == 0


def plan() -> ClusterPlan:
    """Four nodes: one for each state, the last with a small disk and a clock of its own."""
    nodes = [HEALTHY, DEAD, HUNG]
    rows = [{"name": name, "syslog": "none"} for name in nodes]
    rows.append({"name": FULL, "syslog": "none", "clock": AHEAD_S, "disk": "96m"})  # type: ignore[dict-item]  # a row has values of all kinds
    return from_data({"name": "grove", "suite": MACHINE, "nodes": rows, "firmware_s": 900.0})


@dataclass(frozen=True, slots=True)
class Live:
    """The cluster that is up."""

    places: Places
    plan: ClusterPlan
    config: Path
    since: int

    @property
    def bench(self) -> faults.Bench:
        """What faults are done to."""
        return faults.Bench(self.plan, self.places)

    def run(self, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run hadiag on a workstation: a place that reaches the nodes over the management network."""
        return subprocess.run(
            ["ip", "netns", "exec", Network(self.places.scope).switch, sys.executable, "-m", "hadiag", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def on_node(self, node: str, command: str) -> str:
        """Run a shell command in a node."""
        return power.in_node(self.places, node, command, check=False)


@contextlib.contextmanager
def live(root: Path) -> Iterator[Live]:
    """Bring the cluster up; break it: one node dead, one hung, one with a full disk and a wrong clock."""
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(root)], check=True)
    places, shape = Places(root), plan()
    try:
        since = int(time.time())
        shutil.copytree(ROOT / "hadiag", base.ensure(places, MACHINE) / "opt/lib/hadiag")
        cluster.up(shape, places)
        faults.inject(faults.Bench(shape, places), f"switch-password {SECRET}")
        cluster.configure(shape, places, CONFIGURATION, password=SECRET)
        found = Live(places, shape, _config(places, shape), since)
        _plant(found)
        _break(found)
        yield found
    finally:
        if places.plan.exists():
            cluster.down(places)
        subprocess.run(["umount", "--lazy", str(root)], check=False)


def _config(places: Places, shape: ClusterPlan) -> Path:
    """The ssh configuration of the workstation."""
    config = places.root / "ssh-config"
    key = places.base(MACHINE) / "root/.ssh/id_ed25519"
    lines = [f"Host {node.name}\n  HostName {shape.mgmt(node)}\n" for node in shape.nodes]
    known = "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\n"
    config.write_text(f"{''.join(lines)}Host *\n  User root\n  IdentityFile {key}\n  IdentitiesOnly yes\n  {known}")
    config.chmod(0o600)
    return config


def _plant(found: Live) -> None:
    """Secrets beside that of the fence devices: in the journal, in logs, in files, on a command line."""
    mark = SECRET.partition("-")[0]
    found.on_node(
        HEALTHY,
        f"""logger -t app 'login with password={mark}-journal refused'
        crm_attribute --node {HEALTHY} --name db_password --update {mark}-attribute --lifetime reboot
        echo "$(date '+%b %d %T') alder app[7]: curl -u admin:{mark}-log https://192.0.2.1/" >>/var/log/pacemaker/pacemaker.log
        echo 'PCMK_remote_password={mark}-default' >>/etc/default/pacemaker
        mkdir -p /etc/booth; echo {mark}-booth >/etc/booth/authkey; echo 'password = "{mark}-ticket"' >/etc/booth/booth.conf
        printf '[client]\\npassword={mark}-client\\n' >/root/.my.cnf
        cp /etc/corosync/authkey /var/log/corosync/authkey.copy
        (exec -a 'fence_ipmilan -a 192.0.2.9 -l admin -p {mark}-arguments' sleep 900) >/dev/null 2>&1 &""",
    )


def _break(found: Live) -> None:
    faults.inject(found.bench, f"power-cut {DEAD}")
    deadline = time.monotonic() + 60
    while "OFFLINE" not in (said := found.on_node(HEALTHY, "crm_mon -1")) or "shop" not in said.partition("Active")[2]:
        assert time.monotonic() < deadline, said
        time.sleep(1)
    time.sleep(3)
    faults.inject(found.bench, f"stop {HUNG} sshd")
    faults.inject(found.bench, f"fill {FULL} /")
