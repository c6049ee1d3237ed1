"""DRBD: status of version 8 and 9, and its configuration.

::

     0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----          /proc/drbd (8.4)
    r0 role:Primary                                                              drbdadm status, drbdsetup status (9)
      disk:UpToDate
      node2 connection:StandAlone role:Secondary
        peer-disk:Outdated
    resource "r0" { net { protocol C; after-sb-0pri discard-zero-changes; } }    drbd.conf, drbdadm dump
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, numbered

_PROC = re.compile(
    r"^\s*(?P<minor>\d{1,5}): cs:(?P<cs>\w+)(?: (?:ro|st):(?P<role>\w+)/(?P<peer_role>\w+) ds:(?P<disk>\w+)/(?P<peer_disk>\w+))?"
)
_LOCAL = re.compile(r"^(?P<resource>[\w.-]+) (?:node-id:\d+ )?role:(?P<role>\w+)")
_DISK = re.compile(r"^\s+(?:volume:\d+ )?(?:minor:\d+ )?disk:(?P<disk>\w+)")
_PEER = re.compile(r"^\s+(?P<peer>[\w.-]+) (?:node-id:\d+ )?(?:connection:(?P<cs>\w+)|role:(?P<role>\w+))")
_PEER_DISK = re.compile(r"^\s+(?:volume:\d+ )?(?:replication:(?P<replication>\w+) )?peer-disk:(?P<disk>\w+)")
_QUORUM = re.compile(r"\bquorum:(\w+)")
_OPEN = re.compile(
    r"^\s*(?P<section>resource|common|global|net|disk|handlers|startup|options|volume|on|connection|floating)\b\s*\"?(?P<name>[^\s\"{]*)\"?[^{]*\{"
)
_SETTING = re.compile(r"([a-z][a-z0-9-]+)\s+\"?([^;{}\"]+?)\"?\s*;")
_KEPT = re.compile(
    r"fencing|fence-peer|unfence-peer|after-resync-target|after-sb-[012]pri|allow-two-primaries|quorum|on-no-quorum|on-io-error|protocol|rr-conflict|split-brain"
)


class DrbdStatusParser:
    """Reads ``/proc/drbd``, ``drbdadm status`` and ``drbdsetup status``."""

    name = "drbd.status"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """A resource with its role and disk, or the kernel's own list."""
        lines = head_lines(head, 20)
        if any(_PROC.match(line) for line in lines) or (
            lines and re.match(r"^version: \d+\.\d+\.\d+ \(api:", lines[0])
        ):
            return True
        return any(_LOCAL.match(line) for line in lines[:2]) and any(_DISK.match(line) for line in lines)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``drbd.status`` for each resource and peer."""
        resource: dict[str, Scalar] = {}
        peer: dict[str, Scalar] = {}
        place = (0, "")
        for number, line in numbered(data):
            if match := _PROC.match(line):
                values: dict[str, Scalar] = {
                    "resource": f"minor {match['minor']}",
                    "peer": None,
                    "connection": match["cs"],
                }
                more: dict[str, Scalar] = {key: match[key] for key in ("role", "disk", "peer_role", "peer_disk")}
                yield source.fact("drbd.status", {**values, **more}, number, text=line)
            elif match := _LOCAL.match(line):
                yield from _row(source, resource, peer, place)
                resource, peer, place = {"resource": match["resource"], "role": match["role"]}, {}, (number, line)
            elif (match := _DISK.match(line)) and resource and not peer:
                resource.setdefault("disk", match["disk"])
                resource["quorum"] = quorum[1] if (quorum := _QUORUM.search(line)) else None
            elif (match := _PEER_DISK.match(line)) and peer:
                peer.setdefault("peer_disk", match["disk"])
            elif (match := _PEER.match(line)) and resource:
                if peer:
                    yield from _row(source, resource, peer, place)
                peer, place = (
                    {"peer": match["peer"], "peer_role": match["role"], "connection": match["cs"] or "Connected"},
                    (number, line),
                )
        yield from _row(source, resource, peer, place)


def _row(
    source: Source, resource: dict[str, Scalar], peer: dict[str, Scalar], place: tuple[int, str]
) -> Iterator[Fact]:
    if resource:
        empty: dict[str, Scalar] = dict.fromkeys(("disk", "peer", "connection", "peer_role", "peer_disk", "quorum"))
        yield source.fact("drbd.status", {**empty, **resource, **peer}, place[0], text=place[1])


class DrbdConfParser:
    """Reads ``drbd.conf``, ``drbd.d/*.res`` and ``drbdadm dump``."""

    name = "drbd.conf"

    def matches(self, path: str, head: bytes) -> bool:
        """A resource with its settings; the common part by its place."""
        text = head[:16384]
        if re.search(rb"(?m)^\s*resource\s+\"?[\w.-]+\"?\s*\{", text):
            return True
        return "drbd" in path and re.search(rb"(?m)^\s*(?:common|global)\s*\{", text) is not None

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``drbd.resource`` for each resource, and ``drbd.option`` for each setting that decides about split brain; hosts are counted."""
        stack: list[tuple[str, str]] = []
        hosts: dict[str, tuple[set[str], int]] = {}
        for number, raw in numbered(data):
            line = raw.split("#", 1)[0]
            if match := _OPEN.match(line):
                stack.append((match["section"], match["name"]))
                if match["section"] == "resource" and match["name"]:
                    hosts[match["name"]] = (set(), number)
                    yield source.fact("drbd.resource", {"resource": match["name"]}, number, text=line)
                elif match["section"] == "on" and stack[0][0] == "resource" and stack[0][1] in hosts:
                    hosts[stack[0][1]][0].add(match["name"])
            for name, value in _SETTING.findall(line):
                if _KEPT.fullmatch(name):
                    owner = next((title for kind, title in stack if kind == "resource"), "common")
                    section = stack[-1][0] if stack else ""
                    row: dict[str, Scalar] = {
                        "resource": owner,
                        "section": section,
                        "name": name,
                        "value": value.strip(),
                    }
                    yield source.fact("drbd.option", row, number, text=line)
            closing = line.count("}") - max(0, line.count("{") - (1 if _OPEN.match(line) else 0))
            stack = stack[: max(0, len(stack) - max(0, closing))]
        for resource, (names, number) in hosts.items():
            values: dict[str, Scalar] = {"name": "drbd_hosts", "value": len(names), "resource": resource}
            yield source.fact("derived", values, number)
