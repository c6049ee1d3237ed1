"""Corosync's configuration and status: ``corosync.conf``, ``corosync-cmapctl``, ``corosync-quorumtool``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, numbered
from hadiag.snapshots.corosync_tools import quorum_members
from hadiag.snapshots.derived import from_corosync
from hadiag.snapshots.stamps import clock_fact, read_moment, with_zone_of_file

_SECTION = re.compile(r"^\s*([a-z_]+)\s*\{\s*$")
_SETTING = re.compile(r"^\s*([A-Za-z0-9_.]+)\s*:\s*(.*?)\s*$")
_CMAP = re.compile(r"^([\w.\-/]+) \((\w+)\) = (.*?)\s*$")
_PREFIX = re.compile(r"(?<=[\da-f:])/\d{1,3}$", re.IGNORECASE)
"""``sos clean`` puts the length of the network behind an address."""
_NODE_KEY = re.compile(r"^nodelist\.node\.(\d+)\.(\w+)$")
_RING = re.compile(r"^(?:ring|link)(\d+)_(?:addr|ipaddr)$")
_KEPT = ("totem.", "quorum.", "nodelist.", "logging.", "runtime.config.", "runtime.votequorum.", "qb.", "system.")
_FIELD = re.compile(r"^([A-Z][A-Za-z ]+):\s+(.*?)\s*$")


class CorosyncConfParser:
    """Reads ``corosync.conf`` (man corosync.conf(5))."""

    name = "corosync.conf"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its ``totem {`` section, or by its name."""
        if re.search(rb"(?m)^\s*totem\s*\{", head):
            return True
        return path.endswith("corosync.conf") and re.search(rb"(?m)^\s*\w+\s*\{", head) is not None

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``corosync.option`` for each setting and ``corosync.node`` for each node and link."""
        settings = list(_settings(data.decode("utf-8", "replace")))
        options = [
            source.fact("corosync.option", {"key": key, "value": value}, line, text=text)
            for key, value, line, text in settings
            if not key.startswith("nodelist.node")
        ]
        rows = _node_rows(settings)
        nodes = list(_node_facts(source, rows))
        yield from options
        yield from nodes
        keys = {number: {key: value for key, (value, _, _) in row.items()} for number, row in rows.items()}
        yield from from_corosync(source, options, nodes, keys)


def _settings(text: str) -> Iterator[tuple[str, str, int, str]]:
    """Yield (dotted key, value, line, text); each ``node`` of the nodelist gets its number."""
    path: list[str] = []
    nodes = -1
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0] if raw.lstrip().startswith("#") else raw
        if opened := _SECTION.match(line):
            name = opened.group(1)
            if path == ["nodelist"] and name == "node":
                nodes += 1
                name = f"node.{nodes}"
            path.append(name)
        elif line.strip() == "}":
            path = path[:-1]
        elif setting := _SETTING.match(line):
            yield ".".join([*path, setting.group(1)]), setting.group(2), number, raw.strip()


def _node_rows(settings: Iterable[tuple[str, str, int, str]]) -> dict[str, dict[str, tuple[str, int, str]]]:
    rows: dict[str, dict[str, tuple[str, int, str]]] = {}
    for key, value, line, text in settings:
        if match := _NODE_KEY.match(key):
            rows.setdefault(match.group(1), {})[match.group(2)] = (value, line, text)
    return rows


def _node_facts(source: Source, rows: dict[str, dict[str, tuple[str, int, str]]]) -> Iterator[Fact]:
    for row in rows.values():
        name = row.get("name", (None, 0, ""))[0]
        nodeid = row.get("nodeid", (None, 0, ""))[0]
        for key, (value, line, text) in row.items():
            if link := _RING.match(key):
                values: dict[str, Scalar] = {
                    "name": name or value,
                    "named": name is not None,
                    "nodeid": nodeid,
                    "link": int(link.group(1)),
                    "address": _PREFIX.sub("", value),
                }
                yield source.fact("corosync.node", values, line, text=text)


class CmapParser:
    """Reads ``corosync-cmapctl`` output (``corosync.dump`` of a crm_report)."""

    name = "cmap"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Several lines ``key (type) = value``."""
        lines = head.decode("utf-8", "replace").splitlines()[:20]
        return sum(1 for line in lines if _CMAP.match(line)) >= 3

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``cmap`` for the keys that describe configuration and votes, and ``corosync.node``."""
        rows: list[tuple[str, str, int, str]] = []
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            match = _CMAP.match(line)
            if match and match.group(1).startswith(_KEPT):
                rows.append((match.group(1), match.group(3), number, line))
        for key, value, number, line in rows:
            yield source.fact("cmap", {"key": key, "value": value}, number, text=line)
        yield from _node_facts(source, _node_rows(rows))


class QuorumToolParser:
    """Reads ``corosync-quorumtool -s`` (``corosync.quorum`` of a crm_report, ``pcs quorum status``)."""

    name = "quorumtool"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Known by its first headline."""
        return b"Quorum information" in head[:1200] and b"Quorate:" in head

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield one ``quorum.status``, the members with their votes, and the host's clock."""
        rows: dict[str, str] = {}
        date_line = 1
        for number, line in numbered(data):
            if line.startswith("Date:"):
                date_line = number
            if match := _FIELD.match(line):
                rows.setdefault(match.group(1), match.group(2))
        values: dict[str, Scalar] = {
            "date": rows.get("Date"),
            "quorate": {"Yes": True, "No": False}.get(rows.get("Quorate", "")),
            "ring_id": rows.get("Ring ID"),
            "node_id": rows.get("Node ID"),
            "expected_votes": _number(rows.get("Expected votes")),
            "total_votes": _number(rows.get("Total votes")),
            "quorum": _number(rows.get("Quorum")),
            "flags": tuple(sorted(rows.get("Flags", "").split())),
        }
        moment = read_moment(rows.get("Date", ""))
        moment = with_zone_of_file(source, moment) if moment else None
        yield source.fact("quorum.status", values, 1, moment.utc_ns if moment else None)
        yield from quorum_members(source, data)
        if moment:
            yield clock_fact(source, moment, date_line)


def _number(text: str | None) -> int | None:
    match = re.match(r"\d+", text or "")
    return int(match.group()) if match else None
