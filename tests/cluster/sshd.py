"""Real sshd on 127.0.0.1, one for each node, on ports and with keys of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass(slots=True)
class Host:
    """A node: its sshd, and a directory with tools that come first in its PATH."""

    name: str
    root: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def tool(self, name: str, body: str) -> None:
        """Give the node a tool of its own."""
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def start(self) -> None:
        """Start its sshd and wait until it listens."""
        assert SSHD
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(self.root / "sshd_config")], stderr=(self.root / "log").open("ab")
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError((self.root / "log").read_text())

    def sessions(self) -> list[int]:
        """Processes below its sshd: one for each connection."""
        assert self.process
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()]

    def freeze(self) -> None:
        """Stop its sshd without ending it: the kernel still takes connections, and nobody answers."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def cut(self) -> None:
        """End all connections to it."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End its sshd and its connections."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.cut()
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass(slots=True)
class Hosts:
    """All nodes, and the ssh configuration that leads to them."""

    root: Path
    config: Path
    by_name: dict[str, Host] = field(default_factory=dict)

    def add(self, name: str, *, running: bool = True) -> Host:
        """Make a node."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        host = Host(name, self.root / name, port)
        host.root.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host.root / "key")], check=True)
        lines = (
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {host.root}/key",
            f"AuthorizedKeysFile {self.root}/id.pub",
            f"PidFile {host.root}/pid",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            f"SetEnv PATH={host.root}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        )
        (host.root / "sshd_config").write_text("\n".join(lines) + "\n")
        with self.config.open("a") as file:
            file.write(f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n")
        self.by_name[name] = host
        if running:
            host.start()
        return host


@contextlib.contextmanager
def hosts(root: Path) -> Iterator[Hosts]:
    """Nodes for a test; all are ended afterwards."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # the empty directory that sshd shuts itself in
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "id")], check=True)
    config = root / "config"
    config.write_text(
        f"IdentityFile {root}/id\nIdentitiesOnly yes\nStrictHostKeyChecking no\nUserKnownHostsFile {root}/known\nGlobalKnownHostsFile /dev/null\n"
    )
    found = Hosts(root, config)
    try:
        yield found
    finally:
        for host in found.by_name.values():
            host.stop()
