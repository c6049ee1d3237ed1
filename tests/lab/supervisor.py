"""The lab's power: keeps the nodes running, and is the rack switch that their fence agents talk to.

``python -m tests.lab.supervisor DIRECTORY`` runs in the switch's network namespace while a cluster is up.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.network import Network
from tests.lab.places import Places
from tests.lab.plan import ClusterPlan, NodePlan, load

FENCE_PORT = 5623
LOG = logging.getLogger("lab")
INIT = Path(__file__).parent / "files/node-init.sh"


@dataclass(slots=True)
class Machine:
    """One node as the power switch sees it; ``wanted`` is the state of its outlet."""

    plan: NodePlan
    wanted: bool = False
    process: subprocess.Popen[bytes] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def first(self) -> int | None:
        """The node's process 1, as this machine numbers it."""
        if self.process is None or self.process.poll() is not None:
            return None
        with suppress(OSError, IndexError, ValueError):
            pid = self.process.pid
            return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        return None


class Rack:
    """All machines, and the switch they hang on."""

    def __init__(self, plan: ClusterPlan, places: Places) -> None:
        self.plan = plan
        self.places = places
        self.network = Network(places.scope)
        self.machines = {node.name: Machine(node) for node in plan.nodes}
        self.password = "rack"  # the switch's, not anybody's
        self.delay_s = 0.0
        self.stop = threading.Event()

    def on(self, name: str) -> None:
        """Start a machine that is off."""
        machine = self.machines[name]
        with machine.lock:
            machine.wanted = True
            if machine.process is None or machine.process.poll() is not None:
                self.network.connect(self.plan, machine.plan)
                machine.process = self._start(machine.plan)
                threading.Thread(target=self._watch, args=(machine, machine.process), daemon=True).start()

    def off(self, name: str) -> None:
        """Take the power from a machine."""
        machine = self.machines[name]
        with machine.lock:
            machine.wanted = False
            pid = machine.first
            if pid is not None:
                os.kill(pid, signal.SIGKILL)  # before it is thawed, so that it does not wake up once more
                self.freeze(name, frozen=False)
            if machine.process is not None:
                machine.process.wait()
            self.network.disconnect(self.plan, machine.plan)

    def cycle(self, name: str) -> None:
        """Power off; on again when the firmware has done its checks."""
        self.off(name)
        self.later(name)

    def later(self, name: str) -> None:
        """Start a machine after its firmware's time."""
        timer = threading.Timer(self.plan.firmware_s, self.on, (name,))
        timer.daemon = True
        timer.start()

    def freeze(self, name: str, *, frozen: bool) -> None:
        """Stop all processes of a machine where they are, as a hypervisor does; or let them go on."""
        (self.places.cgroup(name) / "cgroup.freeze").write_text(str(int(frozen)))

    def _start(self, node: NodePlan) -> subprocess.Popen[bytes]:
        group = self.places.cgroup(node.name)
        group.mkdir(parents=True, exist_ok=True)
        layers = [str(self.places.node(node.name) / part) for part in ("upper", "work", "root")]
        spaces = ["unshare", "-m", "-u", "-i", "-p", "-C", "-f", "--kill-child", "--propagation", "private"]
        init = ["/bin/sh", str(INIT), node.name, self.places.lower(self.plan.suite_of(node)), *layers]
        enter = f'echo $$ >"{group}/cgroup.procs"; exec nsenter --net=/run/netns/{self.network.netns(node.name)} "$@"'
        log = (self.places.cluster / f"{node.name}.log").open("ab")
        return subprocess.Popen(
            ["/bin/sh", "-c", enter, "sh", *spaces, *init], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def _watch(self, machine: Machine, process: subprocess.Popen[bytes]) -> None:
        status = process.wait()
        LOG.info("%s ended with %s", machine.plan.name, status)
        with machine.lock:
            if process is not machine.process or not machine.wanted or self.stop.is_set():
                return
            self.network.disconnect(self.plan, machine.plan)
        if status == -signal.SIGHUP:
            self.later(machine.plan.name)

    def order(self, words: dict[str, str]) -> object:
        """Carry out one order of the lab's command line."""
        name = words.get("node", "")
        match words["do"]:
            case "on" | "off" | "cycle" as what:
                getattr(self, what)(name)
            case "freeze" | "thaw" as what:
                self.freeze(name, frozen=what == "freeze")
            case "pid":
                return self.machines[name].first
            case "password":
                self.password = words["value"]
            case "delay":
                self.delay_s = float(words["value"])
            case "stop":
                for other in self.machines:
                    self.off(other)
                self.stop.set()
        return "done"

    def fence(self, line: str, address: str) -> str:
        """Answer one line of a fence agent: user, password, action, outlet (or the node whose controller was asked)."""
        user, password, action, outlet = (*line.rstrip("\n").split(" "), "", "", "", "")[:4]
        controllers = {self.plan.bmc(node): node.name for node in self.plan.nodes}
        outlet = controllers.get(address, outlet)
        LOG.info("switch: %s %s by %s", action, outlet, user)
        time.sleep(self.delay_s)
        if password != self.password:
            return "denied"
        machine = self.machines.get(outlet)
        if machine is None:
            return "unknown"
        if action == "off":
            self.off(outlet)
        elif action == "on" and not machine.wanted:
            machine.wanted = True
            self.later(outlet)
        return "on" if machine.wanted else "off"


def _orders(rack: Rack) -> type[socketserver.StreamRequestHandler]:
    class Orders(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            words = json.loads(self.rfile.readline())
            self.wfile.write(json.dumps(rack.order(words)).encode() + b"\n")

    return Orders


def _outlets(rack: Rack) -> type[socketserver.StreamRequestHandler]:
    class Outlets(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline(1000).decode(errors="replace")
            answer = rack.fence(line, self.connection.getsockname()[0])
            with suppress(OSError):
                self.wfile.write(answer.encode() + b"\n")

    return Outlets


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main(directory: str) -> int:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    places = Places(Path(directory))
    plan = load(places.plan)
    rack = Rack(plan, places)
    with _Unix(str(places.socket), _orders(rack)) as orders, _Tcp(("", FENCE_PORT), _outlets(rack)) as outlets:
        for server in (orders, outlets):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        rack.stop.wait()
        time.sleep(0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
