"""Orders to the supervisor, and commands in the nodes that it keeps running."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence

from tests.lab.commands import LabError, run
from tests.lab.network import Network
from tests.lab.places import Places

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def order(places: Places, what: str, **words: str) -> object:
    """Send an order and return the answer.

    Raises:
        LabError: No supervisor listens.
    """
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(places.socket))
            client.sendall(json.dumps({"do": what, **words}).encode() + b"\n")
            answer: object = json.loads(client.makefile().readline())
            return answer
    except OSError as error:
        raise LabError(f"the lab's supervisor does not answer: {error}") from error


def supervise(places: Places) -> None:
    """Start the supervisor in the switch's namespace."""
    with (places.cluster / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [
                "nsenter",
                f"--net=/run/netns/{Network(places.scope).switch}",
                sys.executable,
                "-m",
                "tests.lab.supervisor",
                places.root,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def inside(places: Places, node: str, command: str) -> list[str]:
    """The command line that runs a shell command in a node.

    Raises:
        LabError: The node is off.
    """
    pid = order(places, "pid", node=node)
    if pid is None:
        raise LabError(f"{node} is off")
    enter = ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
    return [*enter, "env", "-i", PATH, "HOME=/root", "LANG=C.UTF-8", "bash", "-c", command]


def in_node(places: Places, node: str, command: str, *, check: bool = True, timeout: float = 300) -> str:
    """Run a shell command in a node and return what it printed."""
    return run(inside(places, node, command), check=check, timeout=timeout)


def interactive(arguments: Sequence[str]) -> int:
    """Run a command on this terminal."""
    return os.spawnvp(os.P_WAIT, arguments[0], list(arguments))
