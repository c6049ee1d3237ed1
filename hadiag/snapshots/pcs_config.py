"""The configuration as pcs prints it: ``pcs config``, ``pcs stonith config``, ``pcs property``.

::

    Corosync Nodes:
     rh-a rh-b
    Resources:
      Group: g-billing
        Resource: vip (class=ocf provider=heartbeat type=IPaddr2)
          Attributes: vip-instance_attributes            (pcs 0.9 and 0.10: ``Attributes: ip=10.23.0.9`` on one line)
            ip=10.23.0.9
          Operations:
            monitor: vip-monitor-10s                     (0.10: ``Operations: monitor interval=10s timeout=20s (vip-monitor-10s)``)
              interval=10s
    Location Constraints:
      Resource: g-billing
        Enabled on:
          Node: rh-a (score:50) (id:loc-g-billing)
    Cluster Properties:
     stonith-enabled: false

A CIB of the same cluster says the same better, so these facts only count where there is none (``hadiag.snapshots.config``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lxml import etree

from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, decoded, head_lines
from hadiag.snapshots.config_tree import ConfigTree
from hadiag.snapshots.derived import from_configuration

_HEADINGS = {
    "Corosync Nodes": "corosync",
    "Pacemaker Nodes": "nodes",
    "Resources": "resources",
    "Stonith Devices": "resources",
    "Fencing Levels": "levels",
    "Stonith Levels": "levels",
    "Location Constraints": "location",
    "Ordering Constraints": "order",
    "Order Constraints": "order",
    "Colocation Constraints": "colocation",
    "Resources Defaults": "rsc_defaults",
    "Operations Defaults": "op_defaults",
    "Cluster Properties": "property",
}
_HEADING = re.compile(r"^(?P<title>[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,2}):(?: [\w.-]+)?$")
_COLLECTIVE = re.compile(r"^(?P<kind>Group|Clone|Master|Bundle): (?P<id>[\w.-]+)$")
_RESOURCE = re.compile(r"^Resource: (?P<id>[\w.-]+) \((?P<type>[^)]*)\)$")
_BLOCK = re.compile(r"^(?P<block>Attributes|Meta Attrs|Meta Attributes|Operations|Utilization):(?P<rest>.*)$")
_OP = re.compile(r"^(?P<name>[a-z_-]+): [\w.:-]+$")
_OP_LINE = re.compile(r"(?P<name>[a-z_-]+) (?P<pairs>(?:[\w-]+=\S+ ?)+)\((?P<id>[\w.:-]+)\)")
_PAIR = re.compile(r"([\w.$-]+)=(\"[^\"]*\"|\S+)")
_PROPERTY = re.compile(r"^\s+(?P<name>[a-z][\w.-]*)(?:: |=)(?P<value>.*)$")
_LOCATED = re.compile(r"^(?:Node: )?(?P<node>[\w.-]+) \(score:(?P<score>[^)]+)\)(?: \(id:(?P<id>[^)]+)\))?")
_SAID = re.compile(
    r"^resource '(?P<rsc>[^']+)' (?P<verb>prefers|avoids) node '(?P<node>[^']+)' with score (?P<score>\S+)(?: \(id: (?P<id>[^)]+)\))?"
)
_ORDER = re.compile(
    r"^(?P<fa>start|stop|promote|demote)(?: resource)? '?(?P<first>[\w.-]+)'? then (?P<ta>start|stop|promote|demote)(?: resource)? '?(?P<then>[\w.-]+)'?(?P<rest>.*)$"
)
_TOGETHER = re.compile(
    r"^(?:(?:Started|Promoted|Unpromoted) )?(?:resource )?'?(?P<a>[\w.-]+)'? with (?:(?:Started|Promoted|Unpromoted) )?(?:resource )?'?(?P<b>[\w.-]+)'?(?P<rest>.*)$"
)
_VALUE = re.compile(r"(?:\(|\b)(?P<key>score|kind|id)[:=] ?(?P<value>[^)\s]+)")
_LEVEL = re.compile(r"^Level (?P<index>\d+)(?: - |: )(?P<devices>.+)$")
_BLOCKS = {"Attributes": "instance_attributes", "Meta Attrs": "meta_attributes", "Meta Attributes": "meta_attributes"}


class PcsConfigParser:
    """Reads what pcs prints of the configuration."""

    name = "pcs.config"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """One of its headings at the start of a line together with an indented line, or a resource with its agent."""
        lines = head_lines(head, 80)
        if any(_RESOURCE.match(line.strip()) for line in lines):
            return True
        titles = {match["title"] for line in lines if (match := _HEADING.match(line))}
        properties = "Cluster Properties" in titles and any(_PROPERTY.match(line) for line in lines)
        return properties or len(titles & set(_HEADINGS)) >= 3

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield the tables of the CIB, ``configuration`` and, for a whole configuration, ``derived``.

        Raises:
            ValueError: the configuration is too large.
        """
        lines = decoded(data).split("\n")
        reader = _Reader(lines)
        for number, line in enumerate(lines, 1):
            reader.read(number, line[:4000].rstrip())
        complete = {"nodes", "resources"} <= reader.seen
        facts = list(reader.tree.facts(source, lines))
        head = source.fact("configuration", {"tool": "pcs", "complete": complete}, 1)
        return [head, *facts, *(from_configuration(source, facts) if complete else ())]


class _Reader:
    """Follows headings and indentation."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.tree = ConfigTree()
        self.seen: set[str] = set()
        self.lines = lines
        self._section = "resources"
        self._open: list[tuple[int, etree._Element]] = []
        self._block = ""
        self._op: etree._Element | None = None
        self._named = ""
        self._banned = False

    def read(self, number: int, line: str) -> None:
        """Read one line."""
        text = line.strip()
        match = _HEADING.match(line)
        if match and not line.startswith("Resource: "):
            self._section = _HEADINGS.get(match["title"], "")
            self.seen.add(self._section)
            self._open, self._block, self._op, self._named = [], "", None, ""
        elif text:
            reader = getattr(self, f"_{self._section}", None)
            if reader is not None:
                reader(number, text, len(line) - len(text), line)

    def _nodes(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        for name in text.split()[:100]:
            self.tree.add(self.tree.section("nodes"), "node", number, {"uname": name, "id": None})

    def _resources(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        if match := _COLLECTIVE.match(text):
            self._add(number, indent, match["kind"].lower(), {"id": match["id"]})
        elif match := _RESOURCE.match(text):
            kind = dict(_PAIR.findall(match["type"]))
            attributes = {
                "id": match["id"],
                "class": kind.get("class"),
                "provider": kind.get("provider"),
                "type": kind.get("type"),
            }
            self._add(number, indent, "primitive", attributes)
        elif self._open:
            self._inside(number, text)

    def _add(self, number: int, indent: int, tag: str, attributes: dict[str, str | None]) -> None:
        self._open = [(depth, each) for depth, each in self._open if depth < indent and each.tag != "primitive"]
        parent = self._open[-1][1] if self._open else self.tree.section("resources")
        self._open.append((indent, self.tree.add(parent, tag, number, attributes)))
        self._block, self._op = "", None

    def _inside(self, number: int, text: str) -> None:
        element = self._open[-1][1]
        rest = text
        if match := _BLOCK.match(text):
            self._block, self._op, rest = match["block"], None, match["rest"]
        if self._block == "Operations":
            self._operation(number, rest.strip(), element)
        elif self._block in _BLOCKS:
            for name, value in _PAIR.findall(rest):
                self.tree.pair(element, _BLOCKS[self._block], name, value.strip('"'), number)

    def _operation(self, number: int, text: str, element: etree._Element) -> None:
        if match := _OP_LINE.match(text):
            op = self._new_op(number, match["name"], element)
            pairs = match["pairs"]
        elif match := _OP.match(text):
            self._op = self._new_op(number, match["name"], element)
            return
        elif self._op is not None:
            op, pairs = self._op, text
        else:
            return
        for name, value in _PAIR.findall(pairs):
            if re.fullmatch(r"[A-Za-z_][\w.-]*", name):
                op.set(name, value.strip('"'))

    def _new_op(self, number: int, name: str, element: etree._Element) -> etree._Element:
        operations = element.find("operations")
        above = operations if operations is not None else self.tree.add(element, "operations", number, {})
        return self.tree.add(above, "op", number, {"name": name, "interval": "0"})

    def _property(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        match = _PROPERTY.match(line)
        if match:
            value = match["value"].removesuffix(" (default)").strip().strip('"')
            pairs = self.tree.section("crm_config/cluster_property_set")
            self.tree.add(pairs, "nvpair", number, {"name": match["name"], "value": value})

    def _rsc_defaults(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        self._defaults("rsc_defaults", number, text)

    def _op_defaults(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        self._defaults("op_defaults", number, text)

    def _defaults(self, section: str, number: int, text: str) -> None:
        match = re.match(r"^([a-z][\w.-]*)(?:=|: )(\S+)$", text)
        if match:
            self.tree.add(
                self.tree.section(f"{section}/meta_attributes"), "nvpair", number, {"name": match[1], "value": match[2]}
            )

    def _location(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        if text.startswith("Resource: "):
            self._named = text.removeprefix("Resource: ")
        elif match := _SAID.match(text):
            score = match["score"] if match["verb"] == "prefers" else f"-{match['score'].lstrip('-')}"
            self._locate(number, match["rsc"], match["node"], score, match["id"])
        elif match := _LOCATED.match(re.sub(r"^(?:En|Dis)abled on: ", "", text)):
            self._locate(number, self._named, match["node"], match["score"], match["id"])
        elif "Rule:" in text and self._named:
            element = self.tree.add(self.tree.section("constraints"), "rsc_location", number, {"rsc": self._named})
            self.tree.add(element, "rule", number, {})

    def _locate(self, number: int, resource: str, node: str, score: str, ident: str | None) -> None:
        attributes = {"id": ident, "rsc": resource, "node": node, "score": score}
        self.tree.add(self.tree.section("constraints"), "rsc_location", number, attributes)

    def _order(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        if match := _ORDER.match(text):
            more = dict(_VALUE.findall(match["rest"]))
            attributes = {
                "id": more.get("id"),
                "first": match["first"],
                "first-action": match["fa"],
                "then": match["then"],
                "then-action": match["ta"],
                "kind": more.get("kind"),
            }
            self.tree.add(self.tree.section("constraints"), "rsc_order", number, attributes)

    def _colocation(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        if match := _TOGETHER.match(text):
            more = dict(_VALUE.findall(match["rest"]))
            attributes = {"id": more.get("id"), "rsc": match["a"], "with-rsc": match["b"], "score": more.get("score")}
            self.tree.add(self.tree.section("constraints"), "rsc_colocation", number, attributes)

    def _levels(self, number: int, text: str, indent: int, line: str) -> None:  # noqa: ARG002 - all readers are called alike
        if match := re.match(r"^Target(?: \(node\))?: (\S+)$|^(?:Node: )?Target: (\S+)$", text):
            self._named = match[1] or match[2]
        elif match := _LEVEL.match(text):
            devices = ",".join(re.split(r"[,\s]+", match["devices"].strip()))
            values = {"target": self._named, "index": match["index"], "devices": devices}
            self.tree.add(self.tree.section("fencing-topology"), "fencing-level", number, values)
