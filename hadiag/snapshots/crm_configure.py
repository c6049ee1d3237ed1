r"""The configuration as crmsh prints it: ``crm configure show`` (``cib.txt``, ``configure_show.txt``).

::

    node 1: node1 \\
        attributes standby=on
    primitive vip IPaddr2 \\
        params ip=192.0.2.80 cidr_netmask=24 \\
        op monitor interval=10s timeout=20s
    group g-web vip web
    clone c-dlm dlm \\
        meta interleave=true
    location l-fence fence1 -inf: node1
    order o-db Mandatory: c-dlm g-web
    fencing_topology node1: ipmi1 sbd
    property cib-bootstrap-options: \\
        stonith-enabled=true

A CIB of the same cluster says the same better, so these facts only count where there is none (``hadiag.snapshots.config``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lxml import etree

from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, decoded, head_lines
from hadiag.snapshots.config_tree import ConfigTree
from hadiag.snapshots.derived import from_configuration

_STATEMENT = re.compile(
    r"^(?:node|primitive|group|clone|ms|master|bundle|location|colocation|collocation|order|property|rsc_defaults|op_defaults"
    r"|fencing_topology|rsc_template|rsc_ticket|tag|role|user|acl_target|alert|xml)\s+\S"
)
_OWN = re.compile(r"^(?:node(?: \d+:)? [\w.-]+|primitive [\w.-]+ \S+|property [\w.-]+: ?\\?|property \$id=)")
_WORD = re.compile(r'(?:[^\s"]*"(?:[^"\\]|\\.)*")+[^\s"]*|\S+')
_BLOCKS = {"params": "instance_attributes", "meta": "meta_attributes", "attributes": "instance_attributes"}
_SCORE = re.compile(
    r"^(?:[+-]?(?:inf|INF|infinity|INFINITY|\d+)|Mandatory|Optional|Serialize|mandatory|advisory|serialize|optional):?$"
)
_INFINITE = re.compile(r"^([+-]?)inf(?:inity)?$", re.IGNORECASE)
MAX_STATEMENT = 200_000


class CrmConfigureParser:
    """Reads ``crm configure show``."""

    name = "crm.configure"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Begins with a statement of its own, and holds a node, a primitive or properties."""
        lines = [line for line in head_lines(head, 60) if not line.startswith(("#", "INFO:", "WARNING:", "\t", " "))]
        if not lines or not _STATEMENT.match(lines[0]):
            return False
        return any(_OWN.match(line) for line in lines) and sum(1 for line in lines if _STATEMENT.match(line)) * 2 > len(
            lines
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield the tables of the CIB, ``configuration`` and ``derived``.

        Raises:
            ValueError: the configuration is too large.
        """
        lines = decoded(data).split("\n")
        tree = ConfigTree()
        for number, text in _statements(lines):
            _read(tree, number, text)
        facts = list(tree.facts(source, lines))
        head = source.fact("configuration", {"tool": "crm", "complete": True}, 1)
        return [head, *facts, *from_configuration(source, facts)]


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Statements with the line that they begin on; a backslash at the end of a line goes on with the next."""
    text, start = "", 0
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not text:
            if not stripped or stripped.startswith("#"):
                continue
            start = number
        text = f"{text} {stripped.removesuffix(chr(92))}"
        if not stripped.endswith("\\") or len(text) > MAX_STATEMENT:
            yield start, text.strip()
            text = ""
    if text:
        yield start, text.strip()


def _unquote(word: str) -> str:
    return re.sub(r'"((?:[^"\\]|\\.)*)"', r"\1", word).replace('\\"', '"')


def _split(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        name, sign, value = word.partition("=")
        if sign and name and not name.startswith("$"):
            yield name, value


def _read(tree: ConfigTree, number: int, text: str) -> None:
    words = [_unquote(word) for word in _WORD.findall(text[:MAX_STATEMENT])]
    kind, rest = words[0], words[1:]
    if kind == "node":
        _node(tree, number, rest)
    elif kind in {"primitive", "rsc_template"} and len(rest) >= 2:
        parent = tree.section("resources")
        _primitive(tree, parent, number, rest, "template" if kind == "rsc_template" else "primitive")
    elif kind in {"group", "clone", "ms", "master"} and len(rest) >= 2:
        _collective(tree, number, kind, rest)
    elif kind in {"property", "rsc_defaults", "op_defaults"}:
        _pairs(tree, number, kind, rest)
    elif kind in {"location", "colocation", "collocation", "order"} and len(rest) >= 2:
        _constraint(tree, number, kind.replace("collocation", "colocation"), rest)
    elif kind == "fencing_topology":
        _topology(tree, number, rest)


def _node(tree: ConfigTree, number: int, words: list[str]) -> None:
    ident = None
    while words and (words[0].startswith("$id=") or re.fullmatch(r"\d+:", words[0])):
        ident = words.pop(0).removeprefix("$id=").rstrip(":")
    if not words:
        return
    name, _, kind = words[0].partition(":")
    attributes = {"uname": name, "id": ident or name, "type": kind if kind in {"remote", "guest"} else None}
    element = tree.add(tree.section("nodes"), "node", number, attributes)
    for key, value in _split(words[1:]):
        tree.pair(element, "instance_attributes", key, value, number)


def _primitive(tree: ConfigTree, parent: etree._Element, number: int, words: list[str], tag: str) -> None:
    agent = words[1]
    attributes: dict[str, str | None] = {"id": words[0]}
    if agent.startswith("@"):
        attributes["template"] = agent[1:]
    else:
        parts = agent.split(":")
        attributes["type"] = parts[-1]
        attributes["class"] = parts[0] if len(parts) > 1 else "ocf"
        attributes["provider"] = parts[1] if len(parts) > 2 else ("heartbeat" if attributes["class"] == "ocf" else None)
    element = tree.add(parent, tag, number, attributes)
    block, op = "", None
    for word in words[2:]:
        if word in {"params", "meta", "attributes", "utilization", "operations", "op", "op_params", "op_meta"}:
            block, op = word, None
        elif block == "op" and op is None:
            operations = element.find("operations")
            above = operations if operations is not None else tree.add(element, "operations", number, {})
            op = tree.add(above, "op", number, {"name": word, "interval": "0"})
        elif "=" in word and not word.startswith("$"):
            name, _, value = word.partition("=")
            if op is not None and block == "op":
                op.set(re.sub(r"[^\w.-]", "", name) or "x", value) if re.match(r"[A-Za-z_]", name) else None
            elif block in _BLOCKS:
                tree.pair(element, _BLOCKS[block], name, value, number)


def _collective(tree: ConfigTree, number: int, kind: str, words: list[str]) -> None:
    resources = tree.section("resources")
    element = tree.add(resources, {"ms": "master"}.get(kind, kind), number, {"id": words[0]})
    block = ""
    for word in words[1:]:
        if word in {"params", "meta"}:
            block = _BLOCKS[word]
        elif block and "=" in word:
            name, _, value = word.partition("=")
            tree.pair(element, block, name, value, number)
        elif not block:
            child = next((each for each in resources if each.get("id") == word and each is not element), None)
            if child is not None:
                element.append(child)


def _pairs(tree: ConfigTree, number: int, kind: str, words: list[str]) -> None:
    path = "crm_config/cluster_property_set" if kind == "property" else f"{kind}/meta_attributes"
    for name, value in _split(words):
        tree.add(tree.section(path), "nvpair", number, {"name": name, "value": value})


def _score(word: str) -> str:
    text = word.rstrip(":")
    match = _INFINITE.match(text)
    return f"{match[1].replace('+', '')}INFINITY" if match else text


def _constraint(tree: ConfigTree, number: int, kind: str, words: list[str]) -> None:
    ident, rest = words[0], words[1:]
    plain = [word for word in rest if "=" not in word]
    scores = [word for word in plain if _SCORE.match(word)]
    names = [word for word in plain if not _SCORE.match(word) and word not in {"rule", "(", ")", "{", "}"}]
    score = _score(scores[0]) if scores else None
    attributes: dict[str, str | None] = {"id": ident}
    if kind == "location" and "rule" not in plain and len(names) == 2:
        attributes |= {"rsc": names[0], "node": names[1], "score": score}
    elif kind == "location":
        attributes |= {"rsc": names[0] if names else None}
    elif len(names) == 2:
        first, second = (_role(name) for name in names)
        if kind == "order":
            attributes |= {"first": first[0], "first-action": first[1], "then": second[0], "then-action": second[1]}
            attributes["kind" if score and score[0].isupper() and score != "INFINITY" else "score"] = score
        else:
            attributes |= {
                "rsc": first[0],
                "rsc-role": first[1],
                "with-rsc": second[0],
                "with-rsc-role": second[1],
                "score": score,
            }
    element = tree.add(tree.section("constraints"), f"rsc_{kind}", number, attributes)
    if kind != "location" and len(names) != 2:
        for name in names:
            tree.add(element, "resource_ref", number, {"id": _role(name)[0]})
    if kind == "location" and "rule" in plain:
        tree.add(element, "rule", number, {"score": score})


def _role(word: str) -> tuple[str, str | None]:
    name, _, role = word.partition(":")
    return name, role or None


def _topology(tree: ConfigTree, number: int, words: list[str]) -> None:
    target, index = "", 0
    for word in words:
        if word.endswith(":"):
            target, index = word.rstrip(":"), 0
        else:
            index += 1
            values = {"target": target or "all nodes", "index": str(index), "devices": word}
            tree.add(tree.section("fencing-topology"), "fencing-level", number, values)
