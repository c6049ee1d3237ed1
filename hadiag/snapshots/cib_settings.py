"""The configuration section of a CIB as flat rows, so that two of them can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hadiag.model.frozen import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

HIDDEN = "(hidden)"
"""Stands for the value of a secret; that it changed is then not seen."""

_SECRET = re.compile(r"passw|passphrase|secret|token$|api_?key|private_key|(?<![a-z])pin(?![a-z])", re.IGNORECASE)
LISTS = {"instance_attributes": "", "meta_attributes": "meta ", "utilization": "utilization "}
"""Lists of values of an object, and what stands before the names of their values."""
_COLLECTIVE = frozenset({"group", "clone", "master", "bundle"})


@record
class Setting:
    """One value of the configuration: its section, the object that it belongs to, its name."""

    section: str
    object: str
    name: str
    value: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What the value belongs to."""
        return self.section, self.object, self.name


def is_secret(name: str) -> bool:
    """Whether a value is shown to nobody."""
    return _SECRET.search(name) is not None


def settings_of(root: etree._Element) -> Iterator[Setting]:
    """All values of the configuration in their order."""
    for section in root.iterfind("configuration/*"):
        if not isinstance(section.tag, str):
            continue
        tag = section.tag
        if tag in {"crm_config", "rsc_defaults", "op_defaults"}:
            yield from (_value(tag, "", pair) for pair in section.iter("nvpair"))
        elif tag == "nodes":
            yield from _nodes(section)
        elif tag == "resources":
            for element in section:
                yield from _resource(element, "")
        else:
            yield from _plain(tag, section)


def _value(section: str, owner: str, pair: etree._Element, prefix: str = "") -> Setting:
    name = pair.get("name", "")
    value = HIDDEN if is_secret(name) else pair.get("value", "")
    return Setting(section, owner, prefix + name, value)


def _nodes(section: etree._Element) -> Iterator[Setting]:
    for node in section.iterfind("node"):
        name = str(node.get("uname") or node.get("id", ""))
        yield Setting("nodes", name, "node", f"id={node.get('id', '')}")
        for pair in node.iter("nvpair"):
            yield _value("nodes", name, pair)


def _resource(element: etree._Element, parent: str) -> Iterator[Setting]:
    if not isinstance(element.tag, str) or not element.get("id"):
        return
    ident = element.get("id", "")
    kind = ":".join(filter(None, (element.get("class"), element.get("provider"), element.get("type"))))
    inside = f" in {parent}" if parent else ""
    yield Setting("resources", ident, str(element.tag), f"{kind or element.get('template') or 'defined'}{inside}")
    for child in element:
        if child.tag in LISTS:
            yield from (_value("resources", ident, pair, LISTS[child.tag]) for pair in child.iter("nvpair"))
        elif child.tag == "operations":
            yield from (_operation(ident, op) for op in child.iterfind("op"))
        elif child.tag in _COLLECTIVE or child.tag == "primitive":
            yield from _resource(child, ident)
        elif isinstance(child.tag, str):
            yield Setting("resources", ident, child.tag, _attributes(child))


def _operation(ident: str, op: etree._Element) -> Setting:
    role = f" {op.get('role')}" if op.get("role") else ""
    name = f"op {op.get('name', '')} {op.get('interval', '0')}{role}"
    rest = " ".join(
        f"{key}={value}" for key, value in sorted(op.attrib.items()) if key not in {"id", "name", "interval", "role"}
    )
    return Setting("resources", ident, name, rest)


def _attributes(element: etree._Element) -> str:
    own = [
        f"{key}={HIDDEN if is_secret(str(key)) else value}"
        for key, value in sorted(element.attrib.items())
        if key != "id"
    ]
    return " ".join(map(str, own))


def _plain(section: str, parent: etree._Element) -> Iterator[Setting]:
    """Constraints, fencing levels, alerts, tags and permissions: each element with its attributes and what is in it."""
    for element in parent:
        if not isinstance(element.tag, str):
            continue
        inner = [f"({each.tag} {_attributes(each)})" for each in element.iterdescendants() if isinstance(each.tag, str)]
        yield Setting(section, element.get("id", ""), element.tag, " ".join([_attributes(element), *inner])[:2000])
