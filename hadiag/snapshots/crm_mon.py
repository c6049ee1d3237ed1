"""Cluster status as text: ``crm_mon -1`` of pacemaker 1.1 to 3, ``crm status``, ``pcs status`` with and without ``--full``.

::

    Cluster name: web                                                       (pcs)
    Status of pacemakerd: 'Pacemaker is running' (last updated 2026-11-22 10:10:55Z)
    Cluster Summary:
      * Stack: corosync
      * Current DC: node1 (version 2.1.5-a3f44794f94) - partition with quorum
      * Last updated: Sun Nov 22 10:10:55 2026
    Node List:
      * Node node3: UNCLEAN (offline)
      * Online: [ node1 node2 ]
    Full List of Resources:
      * vip	(ocf:heartbeat:IPaddr2):	 Started node1
      * Clone Set: c-db [db] (promotable):
        * Promoted: [ node1 ]
    Failed Resource Actions:
      * db_stop_0 on node2 'error' (1): call=15, status='Timed Out', exitreason='no answer', last-rc-change='Sun Nov 22 10:40:55 2026', queued=0ms
      * db stop on node2 could not be executed (Timed Out: no answer) at Sun Nov 22 10:40:55 2026 after 20.001s

Pacemaker 1.1 prints the same without bullets, ``Masters``/``Slaves``, and long failures on two lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, integer, milliseconds, numbered
from hadiag.snapshots.fencing_history import history_line
from hadiag.snapshots.stamps import Moment, clock_fact, read_moment, with_zone_of_file

_MARK = re.compile(
    r"^\s*\*?\s*(?:Current DC: |Stack: corosync|Last updated: .*\d{4}|Online: \[|Node List:?$|\d+ nodes? (?:and \d+ resource|configured))"
)
_DC = re.compile(
    r"Current DC: (?P<dc>\S+)(?: \(\d+\))?(?: \(version (?P<version>[^\s)]+)\))?(?: -|\s)* ?(?P<quorum>partition (?:with(?:out)?|WITHOUT) quorum)?"
)
_NODE = re.compile(r"^(?P<kind>Remote|Guest)?Node (?P<node>\S+?)(?: \(\d+\))?: (?P<state>[A-Za-z].*?):?$")
_NODES = re.compile(
    r"^(?P<state>Online|OFFLINE|Offline|RemoteOnline|RemoteOFFLINE|GuestOnline|GuestOFFLINE): \[ ?(?P<nodes>.*?) ?\]$"
)
_RESOURCE = re.compile(
    r"^(?P<id>[\w.:@-]+)\s+\((?P<type>(?:ocf|lsb|service|systemd|stonith|upstart|nagios):[\w:.@+-]+)\):\s*(?P<rest>.*)$"
)
_SET = re.compile(
    r"^(?P<kind>Clone Set|Master/Slave Set|Resource Group|Container bundle(?: set)?): (?P<id>[\w.-]+)(?: \[(?P<child>[^\]\s]+).*?\])?(?P<rest>.*)$"
)
_INSTANCES = re.compile(
    r"^(?P<role>Started|Stopped|Promoted|Unpromoted|Masters|Slaves|Starting|Stopping|FAILED)(?P<flags>(?: \([^)]*\))*): \[ ?(?P<nodes>.*?) ?\]"
)
_FLAGS = re.compile(r"\(([^()]*)\)")
_FAILED_OLD = re.compile(
    r"^(?P<key>[\w.:-]+_[a-z_]+_\d+) on (?P<node>\S+) '(?P<reason>[^']*)' \((?P<rc>\d+)\): call=(?P<call>-?\d+)"
    r"(?:, status='?(?P<status>[^',]*)'?)?(?:, exit-?reason='(?P<exit>.*?)')?(?=, last-rc|, queued|,?$)"
)
_FAILED_NEW = re.compile(
    r"^(?P<resource>[\w.:-]+) (?:(?P<interval>\w+)-interval )?(?P<op>[a-z_]+) on (?P<node>\S+) "
    r"(?:returned '(?P<reason>[^']*)'(?: \((?P<exit>.*?)\))?|could not be executed \((?P<status>[^:)]*)(?:: (?P<why>.*?))?\))"
    r"(?= at |$| because )"
)
_KEY = re.compile(r"^(?P<resource>.+?)_(?P<op>migrate_to|migrate_from|[a-z]+(?:-[a-z]+)*)_(?P<interval>\d+)$")
_SERVICE = re.compile(
    r"^(?P<unit>corosync|pacemaker|pcsd|sbd|corosync-qdevice|booth): (?P<state>\w+)/(?P<enabled>\w+)$"
)
_ROLES = {"masters": "Promoted", "master": "Promoted", "slaves": "Unpromoted", "slave": "Unpromoted"}
_STATES = frozenset(
    (
        "started",
        "stopped",
        "master",
        "slave",
        "promoted",
        "unpromoted",
        "starting",
        "stopping",
        "promoting",
        "demoting",
        "migrating",
        "monitoring",
    )
)
_NO_ROLES = frozenset({"failed", "orphaned", "removed"})


class CrmMonParser:
    """Reads the status of the cluster as text."""

    name = "crm_mon"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """At least two lines of the summary or the list of nodes among the first ones."""
        return sum(1 for line in head_lines(head, 40) if _MARK.match(line)) >= 2

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``monitor.*``, ``fencing.history``, ``service`` and the host's clock."""
        status = _Status(source)
        lines = list(_joined(data))
        for number, line in lines:
            status.summary(number, line)
        yield from status.cluster()
        for number, line in lines:
            yield from status.read(number, line)


def _joined(data: bytes) -> Iterator[tuple[int, str]]:
    """Lines without bullets; the second line of a long failure of pacemaker 1.1 is appended to the first."""
    held: tuple[int, str] | None = None
    for number, line in numbered(data):
        text = re.sub(r"^[\s*]+", "", line)
        if held and text.startswith("last-rc-change="):
            held = (held[0], f"{held[1]} {text}")
            continue
        if held:
            yield held
        held = (number, text)
    if held:
        yield held


@dataclass(slots=True)
class _Status:
    """What the lines so far said."""

    source: Source
    node: str | None = None
    collective: str | None = None
    child: str | None = None
    moment: Moment | None = None
    clock_line: int = 0
    values: dict[str, Scalar] = field(default_factory=dict)
    line: int = 0

    def summary(self, number: int, line: str) -> None:
        """Read the lines that describe the cluster as a whole."""
        updated = read_moment(line.split("Last change:", maxsplit=1)[0]) if "ast updated" in line else None
        if updated and (self.moment is None or (self.moment.offset_s is None and updated.offset_s is not None)):
            self.moment, self.clock_line = updated, number
        if (at := line.find("Last change:")) >= 0 and (changed := read_moment(line[at:])):
            self.values.setdefault("last_change", changed.text)
        if match := _DC.match(line):
            self.line = self.line or number
            quorum = match["quorum"]
            self.values.setdefault("dc", None if match["dc"] == "NONE" else match["dc"])
            self.values.setdefault("version", match["version"])
            self.values.setdefault("quorate", None if quorum is None else " with " in quorum)
        for key, name in (("Stack: ", "stack"), ("Cluster name: ", "cluster_name")):
            if line.startswith(key):
                self.values.setdefault(name, line.removeprefix(key).split(" (")[0].strip() or None)

    @property
    def as_of(self) -> int | None:
        """UTC of the status, where it is known."""
        return with_zone_of_file(self.source, self.moment).utc_ns if self.moment else None

    def cluster(self) -> Iterator[Fact]:
        """The facts of the summary."""
        if self.values:
            yield self._fact("monitor.cluster", self.values, self.line or 1, "")
        if self.moment:
            yield clock_fact(self.source, with_zone_of_file(self.source, self.moment), self.clock_line)

    def read(self, number: int, line: str) -> Iterator[Fact]:
        """The facts of one line."""
        if not line:
            self.collective = self.child = None
            return
        yield from self._nodes(number, line)
        yield from self._resources(number, line)
        history = history_line(self.source, number, line)
        if history:
            yield history
        elif match := _FAILED_OLD.match(line):
            yield self._fact("monitor.failure", _old_failure(match), number, line)
        elif match := _FAILED_NEW.match(line):
            yield self._fact("monitor.failure", _new_failure(match), number, line)
        elif match := _SERVICE.match(line):
            values: dict[str, Scalar] = {"unit": match["unit"], "state": match["state"], "enabled": match["enabled"]}
            yield self._fact("service", values, number, line)

    def _nodes(self, number: int, line: str) -> Iterator[Fact]:
        if match := _NODE.match(line):
            self.node = match["node"]
            values: dict[str, Scalar] = {
                "node": match["node"],
                "state": _state(match["state"]),
                "detail": match["state"],
            }
            yield self._fact("monitor.node", {**values, "kind": (match["kind"] or "member").lower()}, number, line)
        elif match := _NODES.match(line):
            kind = next((k for k in ("Remote", "Guest") if match["state"].startswith(k)), "member").lower()
            for name in match["nodes"].split():
                row: dict[str, Scalar] = {"node": name, "state": _state(match["state"]), "detail": match["state"]}
                yield self._fact("monitor.node", {**row, "kind": kind}, number, line)

    def _resources(self, number: int, line: str) -> Iterator[Fact]:
        if match := _SET.match(line):
            self.collective, self.child = match["id"], match["child"]
        elif (match := _INSTANCES.match(line)) and self.child:
            role = match["role"]
            for name in match["nodes"].split() if role != "Stopped" else ():
                values = self._row(self.child, name, _ROLES.get(role.lower(), role), match["flags"], role == "FAILED")
                yield self._fact("monitor.resource", values, number, line)
        elif match := _RESOURCE.match(line):
            yield from self._resource(match, number, line)

    def _resource(self, match: re.Match[str], number: int, line: str) -> Iterator[Fact]:
        rest = match["rest"]
        plain = _FLAGS.sub(" ", rest)
        listed = re.search(r"\[ ?(.*?) ?\]", plain)
        words = (plain[: listed.start()] if listed else plain).split()
        roles = [word for word in words if word.lower() in _STATES]
        others = [word for word in words if word.lower() not in _STATES | _NO_ROLES]
        nodes: list[str | None] = [*(listed[1].split() if listed else others[:1])]
        if not nodes:
            nodes = [self.node if "Stopped" not in roles else None]
        role = _ROLES.get(roles[0].lower(), roles[0]) if roles else None
        for node in nodes:
            values = self._row(match["id"], node, role, rest, "FAILED" in words)
            yield self._fact("monitor.resource", {**values, "type": match["type"].replace("::", ":")}, number, line)

    def _row(self, resource: str, node: str | None, role: str | None, flags: str, failed: bool) -> dict[str, Scalar]:
        said = [word.strip() for part in _FLAGS.findall(flags) for word in part.split(",")]
        return {
            "resource": resource,
            "node": node,
            "role": role,
            "managed": "unmanaged" not in said,
            "failed": failed,
            "blocked": "blocked" in said,
            "disabled": any(
                word.startswith(("disabled", "target-role:Stopped", "target-role:stopped")) for word in said
            ),
            "maintenance": "maintenance" in said,
            "parent": self.collective,
        }

    def _fact(self, table: str, values: dict[str, Scalar], number: int, line: str) -> Fact:
        return self.source.fact(table, values, number, self.as_of, line)


def _state(text: str) -> str:
    word = text.lower()
    for name in ("unclean", "offline", "standby", "maintenance", "pending"):
        if name in word:
            return name
    return "online"


def _old_failure(match: re.Match[str]) -> dict[str, Scalar]:
    key = _KEY.match(match["key"])
    return {
        "resource": key["resource"] if key else match["key"],
        "op": key["op"] if key else None,
        "interval_ms": integer(key["interval"]) if key else None,
        "node": match["node"],
        "rc": integer(match["rc"]),
        "reason": match["reason"],
        "call": integer(match["call"]),
        "status": match["status"],
        "exit_reason": match["exit"] or None,
    }


def _new_failure(match: re.Match[str]) -> dict[str, Scalar]:
    return {
        "resource": match["resource"],
        "op": match["op"],
        "interval_ms": milliseconds(match["interval"]) if match["interval"] else 0,
        "node": match["node"],
        "rc": None,
        "reason": match["reason"],
        "call": None,
        "status": match["status"] or "complete",
        "exit_reason": match["exit"] or match["why"] or None,
    }
