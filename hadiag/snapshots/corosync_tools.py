"""Output of corosync's tools besides cmap: ``corosync-cfgtool -s``, the member list of ``corosync-quorumtool``.

::

    Local node ID 2, transport knet                 corosync 3
    LINK ID 0 udp
        addr	= 10.23.0.13
        status:
                nodeid:          1:	connected
                nodeid:          2:	localhost

    Printing link status.                           corosync 3.0
    LINK ID 0
        addr	= 192.0.2.1
        status:
                node 0:	link enabled:1	link connected:1

    Printing ring status.                           corosync 1 and 2
    Local node ID 1
    RING ID 0
        id	= 192.0.2.1
        status	= ring 0 active with no faults

    Membership information
    ----------------------
        Nodeid      Votes    Qdevice Name
             1          1    A,V,NMW rh-a (local)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, numbered

_LOCAL = re.compile(r"^Local node ID (\d+)")
_LINK = re.compile(r"^(?:LINK|RING) ID (\d+)")
_ADDRESS = re.compile(r"^\s+(?:addr|id)\s*=\s*(\S+)")
_PEER = re.compile(r"^\s+nodeid:?\s+(\d+):\s*(\S+)")
_PEER_OLD = re.compile(r"^\s+node (\d+):\s*link enabled:(\d)\s+link connected:(\d)")
_RING = re.compile(r"^\s+status\s*=\s*(.+)$")
_MEMBER = re.compile(
    r"^\s*(?P<nodeid>\d+)\s+(?P<votes>\d+)\s+(?:(?P<qdevice>[A-Z]{1,3}(?:,[A-Z]{1,3})*)\s+)?(?P<name>[^\s(]+)(?P<local> \(local\))?$"
)
_MEMBERS = re.compile(r"^\s*Nodeid\s+Votes\b")
_ADDRESS_LIKE = re.compile(r"^[0-9a-f.:]*[.:][0-9a-f.:]*$", re.IGNORECASE)


class CfgToolParser:
    """Reads ``corosync-cfgtool -s`` (and ``-n``'s header is left alone)."""

    name = "cfgtool"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """A headline of a link or ring among the first lines."""
        lines = head_lines(head, 12)
        return any(_LINK.match(line) for line in lines) and any(
            line.startswith(("Local node ID", "Printing ")) for line in lines
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``link.status`` for each peer of each link."""
        local, link, address = None, 0, None
        for number, line in numbered(data):
            if match := _LOCAL.match(line):
                local = match[1]
            elif match := _LINK.match(line):
                link, address = int(match[1][:4]), None
            elif match := _ADDRESS.match(line):
                address = match[1]
            elif state := _link_state(line):
                peer, status = state
                values: dict[str, Scalar] = {
                    "node": local,
                    "link": link,
                    "address": address,
                    "peer": peer,
                    "status": status,
                }
                yield source.fact("link.status", values, number, text=line)


def _link_state(line: str) -> tuple[str | None, str] | None:
    """Peer and state of a line: connected, disconnected, localhost, faulty."""
    if match := _PEER.match(line):
        return match[1], match[2].lower()
    if match := _PEER_OLD.match(line):
        return match[1], "connected" if match[3] == "1" else "disconnected"
    if match := _RING.match(line):
        if "FAULTY" in match[1].upper().replace("NO FAULTS", ""):
            return None, "faulty"
        return None, "connected" if "no faults" in match[1] else match[1].lower()
    return None


class QuorumMembersParser:
    """Reads the member list alone: ``corosync-quorumtool -l``."""

    name = "quorumtool.members"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The headline of the list, without the status above it."""
        return any(_MEMBERS.match(line) for line in head_lines(head, 8))

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``quorum.member`` and, where the list holds names or addresses of the nodes, ``node.address``."""
        return list(quorum_members(source, data))


def quorum_members(source: Source, data: bytes) -> Iterator[Fact]:
    """Members with their votes, from any output of corosync-quorumtool."""
    listed = False
    for number, line in numbered(data):
        listed = listed or _MEMBERS.match(line) is not None
        match = _MEMBER.match(line) if listed else None
        if match:
            values: dict[str, Scalar] = {
                "nodeid": match["nodeid"],
                "votes": int(match["votes"][:6]),
                "qdevice": match["qdevice"],
                "local": match["local"] is not None,
                "name": None if _ADDRESS_LIKE.match(match["name"]) else match["name"],
                "address": match["name"] if _ADDRESS_LIKE.match(match["name"]) else None,
            }
            yield source.fact("quorum.member", values, number, text=line)
