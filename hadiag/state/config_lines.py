"""What one line of a log says of a change of the configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hadiag.model.frozen import record
from hadiag.snapshots.cib_settings import HIDDEN, LISTS, is_secret
from hadiag.state.reading import text

if TYPE_CHECKING:
    from hadiag.model.event import Event
    from hadiag.timeline import Timeline

GENERIC = "cib.change"
OPTION = "cib.option_change"
NODE_MODE = "cib.node_mode"
RSC_MODE = "cib.rsc_mode"
CLI_CONSTRAINT = "cib.cli_constraint"
LINES = (GENERIC, OPTION, NODE_MODE, RSC_MODE, CLI_CONSTRAINT)

_STEP = re.compile(r"/(?P<tag>[\w-]+)(?:\[@id='(?P<id>[^']*)'\])?")
_ELEMENT = re.compile(r"^<(?P<tag>[\w-]+)(?P<attributes>[^>]*?)/?>")
_PAIR = re.compile(r'([\w:.-]+)="([^"]*)"')
_CLI = re.compile(r"id=[\"'](?P<id>cli-[^\"']+)[\"']")
_VALUE = re.compile(r"@value=(?P<value>.*?)(?:, @[\w-]+=.*)?$")
HOLDERS = frozenset({*LISTS, "operations", "cluster_property_set"})
"""Lists of values, which say nothing by themselves."""
_INNER = frozenset({*HOLDERS, "nvpair", "op", "rule"})
_SECTIONS = frozenset({"crm_config", "nodes", "resources", "constraints", "rsc_defaults", "op_defaults"})
_WORDS = {"set": "changed", "unset": "removed", "deleted": "removed", "delete": "removed"}
_KNOWN = frozenset({"added", "changed", "removed", "moved"})


@record
class Said:
    """A change: where it was made, what it was called, and the new value ("" where there is none any more)."""

    section: str
    object: str
    name: str
    change: str
    new: str
    container: bool = False
    """Only a holder of values was made; its values follow."""


def said(timeline: Timeline, event: Event, owner: tuple[str, str]) -> Said | None:
    """Read a line; ``owner`` is the section and the object of the line before, which a continuation does not repeat."""
    if event.type == GENERIC:
        return _generic(timeline, event)
    change = _word(event)
    value = "" if change == "removed" else text(event, "value") or ""
    if event.type == OPTION:
        return Said("crm_config", "", text(event, "name") or "", change, value)
    if event.type == CLI_CONSTRAINT:
        return _constraint(event, change)
    section = "nodes" if event.type == NODE_MODE else "resources"
    own = text(event, "node", "rsc")
    if section == "nodes" and own:
        own = str(timeline.node(own) or own)
    own = own or (owner[1] if owner[0] == section else "")
    prefix = "meta " if section == "resources" else ""
    return Said(section, own, prefix + (text(event, "name") or ""), change, value)


def _word(event: Event) -> str:
    word = text(event, "change") or "changed"
    if word == "set":
        return "added" if event.message.lstrip().startswith("++") else "changed"
    return word if word in _KNOWN else _WORDS.get(word, "changed")


def _constraint(event: Event, change: str) -> Said:
    found = _CLI.search(event.message)
    ident = found["id"] if found is not None else f"cli-{text(event, 'kind') or ''}-{text(event, 'cid') or ''}"
    parts = [f"{key}={text(event, key)}" for key in ("node", "role", "rsc", "score") if text(event, key)]
    return Said("constraints", ident, "rsc_location", change, "" if change == "removed" else " ".join(parts))


def _generic(timeline: Timeline, event: Event) -> Said | None:
    steps = [(step["tag"], step["id"] or "") for step in _STEP.finditer(text(event, "path") or "")][2:]
    element = _ELEMENT.match(text(event, "element") or "")
    if element is not None:
        pairs = dict(_PAIR.findall(element["attributes"]))
        steps.append((element["tag"], pairs.get("id", "")))
    else:
        pairs = {}
    if not steps:
        return None
    section, change = steps[0][0], _word(event)
    held = [ident for tag, ident in steps[1:] if tag not in _INNER and ident]
    owner = held[-1] if held else ""
    if section == "nodes" and owner:
        owner = pairs.get("uname") or str(timeline.node(owner) or owner)
    tag, ident = steps[-1]
    prefix = next((LISTS[each] for each, _ in steps if each in LISTS), "")
    if tag == "nvpair":
        return _pair(section, owner, prefix, (ident, change), pairs, event)
    if tag == "op":
        name = f"op {pairs.get('name', ident)} {pairs.get('interval', '')}".strip()
        return Said(section, owner, name, change, _rest(pairs) or text(event, "attributes") or "")
    if tag in _INNER or tag in _SECTIONS or len(steps) == 1:
        return Said(section, owner, tag, change, ident, container=change == "added")
    return Said(section, owner or ident, tag, change, _rest(pairs) or text(event, "attributes") or "")


def _pair(  # noqa: PLR0913, PLR0917 (the parts of one value)
    section: str, owner: str, prefix: str, told: tuple[str, str], pairs: dict[str, str], event: Event
) -> Said:
    ident, change = told
    name = pairs.get("name") or _name_in(ident, owner)
    found = _VALUE.search(text(event, "attributes") or "")
    value = pairs.get("value") or (found["value"] if found is not None else "")
    return Said(section, owner, prefix + name, change, HIDDEN if value and is_secret(name) else value)


def _name_in(ident: str, owner: str) -> str:
    """Tools make the id of a value from its owner, the kind of its list and its name."""
    for head in (f"{owner}-instance_attributes-", f"{owner}-meta_attributes-", "cib-bootstrap-options-", f"{owner}-"):
        if ident.startswith(head) and len(ident) > len(head):
            return ident.removeprefix(head)
    return re.sub(r"^(?:nodes|rsc_defaults|op_defaults)-(?:\d+-|meta_attributes-)?", "", ident) or ident


def _rest(pairs: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(pairs.items()) if key not in {"id", "name", "interval"})
