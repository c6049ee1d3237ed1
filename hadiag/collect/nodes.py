"""Which nodes: as given, from a file, from the local cluster, or from one node that can be reached."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable
from pathlib import Path

from hadiag.collect.ssh import Link, Unreachable, ask
from hadiag.errors import UsageError
from hadiag.model.frozen import record

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})")

# Only names and addresses are printed: corosync.conf may hold a key, the CIB passwords.
DISCOVER = r"""
PATH=$PATH:/usr/sbin:/sbin
awk '{ sub(/#.*/, "") } /^[ \t]*node[ \t]*\{/ { inside = 1; name = ""; ip = "" }
inside && $1 == "name:" { name = $2 } inside && $1 == "ring0_addr:" { ip = $2 }
inside && /\}/ { print "node", (name == "" ? ip : name), ip; inside = 0 }' /etc/corosync/corosync.conf 2>/dev/null
sed -n 's/.*<node .*uname="\([^"]*\)".*/node \1 -/p' /var/lib/pacemaker/cib/cib.xml 2>/dev/null
if command -v timeout >/dev/null; then timeout 10 crm_node -l 2>/dev/null; fi | awk '{ print "node", $2, "-" }'
"""


@record
class NodeSpec:
    """A node: its name, where ssh finds it, and an address to try where the name is not known."""

    name: str
    destination: str
    fallback: str = ""
    local: bool = False


def parse(words: Iterable[str]) -> tuple[NodeSpec, ...]:
    """Read nodes as ``NAME`` or ``NAME=DESTINATION``, separated by commas or blanks.

    Raises:
        UsageError: a name is none, or is there twice.
    """
    found: dict[str, NodeSpec] = {}
    for word in (part for text in words for part in re.split(r"[,\s]+", text) if part):
        name, given, destination = word.partition("=")
        if not given:
            destination, name = word, word.rpartition("@")[2]
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a node; give NAME or NAME=USER@ADDRESS.")
        if name in found:
            raise UsageError(f"The node {name} is given twice.")
        found[name] = NodeSpec(name, destination, local=not given and "@" not in word and is_here(name))
    return tuple(found.values())


def from_file(path: str) -> tuple[NodeSpec, ...]:
    """Read nodes from a file, one or more on a line; what follows a ``#`` is a remark.

    Raises:
        UsageError: the file cannot be read or names none.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    nodes = parse(line.partition("#")[0] for line in lines)
    if not nodes:
        raise UsageError(f"{path} names no node.")
    return nodes


def is_here(name: str) -> bool:
    """Tell whether a node is this machine."""
    here = socket.gethostname()
    return name in {here, here.split(".")[0]}


def discover(link: Link, what: str, stop: threading.Event) -> tuple[NodeSpec, ...]:
    """Ask a node for the nodes of its cluster.

    Raises:
        UsageError: it cannot be reached, or knows of no cluster.
    """
    try:
        link.open(stop)
        output = ask(link, ["sh", "-c", DISCOVER], 30, stop).output
    except Unreachable as error:
        raise UsageError(f"{what} cannot be asked for the nodes of its cluster: {error}.") from error
    finally:
        link.close()
    found: dict[str, NodeSpec] = {}
    for line in output.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "node" and _NAME.fullmatch(words[1]):
            fallback = words[2] if _NAME.fullmatch(words[2]) else ""
            found.setdefault(words[1], NodeSpec(words[1], words[1], fallback, is_here(words[1])))
    if not found:
        raise UsageError(
            f"{what} is no node of a cluster: no nodes in corosync.conf or the CIB. Name them with --nodes."
        )
    return tuple(found.values())
