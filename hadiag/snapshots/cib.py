"""The CIB: ``cib.xml``, ``cib.xml.live`` and the scheduler's inputs (``pe-input-*.bz2``, already decompressed).

Knows the XML of pacemaker 1.0 to 4.0 schemas (xml/*.rng). Both spellings of renamed properties become the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.snapshots.base import Source, milliseconds, truth
from hadiag.snapshots.cib_facts import OLD_COPY, state_fact
from hadiag.snapshots.derived import from_configuration

RENAMED = {
    "fencing-enabled": "stonith-enabled",
    "fencing-action": "stonith-action",
    "fencing-timeout": "stonith-timeout",
    "fencing-max-attempts": "stonith-max-attempts",
    "fencing-watchdog-timeout": "stonith-watchdog-timeout",
    "fencing-reaction": "fence-reaction",
    "stop-removed-resources": "stop-orphan-resources",
    "cancel-removed-actions": "stop-orphan-actions",
}
"""Names of cluster options since Pacemaker 3.0.2 and the names that they replace (lib/common/options.c)."""

_PE_FILE = re.compile(r"pe-(input|warn|error)-\d+", re.ASCII)
_GROUPS = {"group", "clone", "master", "bundle"}
_INFINITY = 1_000_000


class CibParser:
    """Reads a CIB; of a scheduler input only what is dated counts, since its content is of an earlier time."""

    name = "cib"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """A CIB is known by its root element."""
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(b"<?xml"):
            start = start[start.find(b"?>") + 2 :].lstrip()
        return start.startswith((b"<cib ", b"<cib>"))

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield cluster options, nodes, resources, constraints, fencing and the status section.

        Raises:
            ValueError: the text is no well-formed XML.
        """
        root = parse_xml(data)
        if _PE_FILE.search(source.name):
            return [*_pe_input(source, root), state_fact(source, root, "pe-input")]
        if OLD_COPY.search(source.name):
            return [state_fact(source, root, "cib")]
        return [*_cib(source, root), state_fact(source, root, "cib")]


def parse_xml(data: bytes) -> etree._Element:
    """Parse hostile XML: no entities, no network, no huge trees.

    Raises:
        ValueError: the text is no well-formed XML.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error


def _pe_input(source: Source, root: etree._Element) -> Iterator[Fact]:
    kind = _PE_FILE.search(source.name)
    stamp = root.get("execution-date")
    yield source.fact(
        "pe_input",
        {
            "file": source.name,
            "kind": kind.group(1) if kind else "input",
            "execution_ns": int(stamp) * NS if stamp and stamp.isdigit() else None,
            "epoch": _int(root.get("epoch")),
            "dc_uuid": root.get("dc-uuid"),
        },
        _line(root),
    )


def _cib(source: Source, root: etree._Element) -> Iterator[Fact]:
    yield source.fact(
        "cib",
        {
            "admin_epoch": _int(root.get("admin_epoch")),
            "epoch": _int(root.get("epoch")),
            "num_updates": _int(root.get("num_updates")),
            "last_written": root.get("cib-last-written"),
            "dc_uuid": root.get("dc-uuid"),
            "have_quorum": truth(root.get("have-quorum")),
            "update_origin": root.get("update-origin"),
            "update_client": root.get("update-client"),
            "update_user": root.get("update-user"),
            "feature_set": root.get("crm_feature_set"),
            "execution_ns": _epoch(root.get("execution-date")),
            "live": root.find("status/node_state") is not None,
        },
        _line(root),
    )
    facts = list(configuration_facts(source, root))
    yield from facts
    yield from from_configuration(source, facts)
    yield from _status(source, root)


def configuration_facts(source: Source, root: etree._Element) -> Iterator[Fact]:
    """The facts of ``<configuration>``."""
    yield from _options(source, root)
    yield from _nodes(source, root)
    for resources in root.iterfind("configuration/resources"):
        yield from _resources(source, resources, None)
    yield from _defaults(source, root)
    yield from _constraints(source, root)
    yield from _topology(source, root)


def _int(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _epoch(text: str | None) -> int | None:
    value = _int(text)
    return value * NS if value is not None and value > 0 else None


def _line(element: etree._Element) -> int:
    return element.sourceline or 0


def _text(element: etree._Element) -> str:
    pairs = " ".join(f'{key}="{value}"' for key, value in element.attrib.items())
    return f"<{element.tag!s} {pairs}>"


def _options(source: Source, root: etree._Element) -> Iterator[Fact]:
    for pair in root.iterfind("configuration/crm_config/cluster_property_set/nvpair"):
        name = pair.get("name", "")
        values: dict[str, Scalar] = {"name": RENAMED.get(name, name), "value": pair.get("value")}
        yield source.fact("cluster.option", values, _line(pair), text=_text(pair))


def _nodes(source: Source, root: etree._Element) -> Iterator[Fact]:
    for node in root.iterfind("configuration/nodes/node"):
        attributes = {p.get("name"): p.get("value") for p in node.iterfind("instance_attributes/nvpair")}
        values: dict[str, Scalar] = {
            "name": node.get("uname"),
            "nodeid": node.get("id"),
            "type": node.get("type", "member"),
            "standby": truth(attributes.get("standby")),
            "maintenance": truth(attributes.get("maintenance")),
        }
        yield source.fact("node", values, _line(node), text=_text(node))
        for name, value in attributes.items():
            row: dict[str, Scalar] = {"node": node.get("uname"), "name": name, "value": value, "transient": False}
            yield source.fact("node.attribute", row, _line(node))


def _meta(element: etree._Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in element.iterfind("meta_attributes/nvpair")}


def _resources(source: Source, parent: etree._Element, above: _Above | None) -> Iterator[Fact]:
    for element in parent:
        if element.tag in _GROUPS:
            yield from _collective(source, element, above)
        elif element.tag == "primitive":
            yield from _primitive(source, element, above)


@record
class _Above:
    """What a primitive inherits from the collective resources around it."""

    id: str
    meta: dict[str, str]
    clone: bool
    promotable: bool
    unique: bool
    group: str | None


def _above(element: etree._Element, outer: _Above | None) -> _Above:
    meta = {**(outer.meta if outer else {}), **_meta(element)}
    ident = element.get("id", "")
    promotable = truth(meta.get("promotable")) is True or element.tag == "master"
    return _Above(
        id=ident,
        meta=meta,
        clone=element.tag in {"clone", "master", "bundle"} or bool(outer and outer.clone),
        promotable=promotable or bool(outer and outer.promotable),
        unique=truth(meta.get("globally-unique")) is True,
        group=ident if element.tag == "group" else (outer.group if outer else None),
    )


def _collective(source: Source, element: etree._Element, above: _Above | None) -> Iterator[Fact]:
    here = _above(element, above)
    values: dict[str, Scalar] = {
        "id": here.id,
        "kind": str(element.tag),
        "parent": above.id if above else None,
        "clone": here.clone,
        "promotable": here.promotable,
        "clone_max": _int(here.meta.get("clone-max")),
        "promoted_max": _int(here.meta.get("promoted-max") or here.meta.get("master-max")),
        "target_role": here.meta.get("target-role"),
        "managed": truth(here.meta.get("is-managed")),
    }
    yield source.fact("resource.collective", values, _line(element), text=_text(element))
    for name, value in _meta(element).items():
        yield source.fact("resource.meta", {"resource": here.id, "name": name, "value": value}, _line(element))
    yield from _resources(source, element, here)


def _primitive(source: Source, element: etree._Element, above: _Above | None) -> Iterator[Fact]:
    ident = element.get("id", "")
    meta = {**(above.meta if above else {}), **_meta(element)}
    fencing = element.get("class") == "stonith"
    params = {p.get("name", ""): p for p in element.iterfind("instance_attributes/nvpair")}
    values: dict[str, Scalar] = {
        "id": ident,
        "class": element.get("class"),
        "provider": element.get("provider"),
        "agent": element.get("type"),
        "type": ":".join(filter(None, (element.get("class"), element.get("provider"), element.get("type")))),
        "parent": above.id if above else None,
        "group": above.group if above else None,
        "clone": bool(above and above.clone),
        "promotable": bool(above and above.promotable),
        "unique": bool(above and above.unique),
        "clone_max": _int(meta.get("clone-max")),
        "promoted_max": _int(meta.get("promoted-max") or meta.get("master-max")),
        "fencing": fencing,
        "managed": truth(meta.get("is-managed")),
        "maintenance": truth(meta.get("maintenance")),
        "target_role": meta.get("target-role"),
        "interleave": truth(meta.get("interleave")),
        "remote_node": meta.get("remote-node"),
        "template": element.get("template"),
    }
    yield source.fact("resource", values, _line(element), text=_text(element))
    for name, pair in params.items():
        row: dict[str, Scalar] = {"resource": ident, "name": name, "value": pair.get("value")}
        yield source.fact("resource.param", row, _line(pair), text=_text(pair))
    for name, value in _meta(element).items():
        yield source.fact("resource.meta", {"resource": ident, "name": name, "value": value}, _line(element))
    yield from _operations(source, element, ident)
    if fencing:
        plain = {name: pair.get("value", "") for name, pair in params.items()}
        yield source.fact("fencing.device", _device(ident, element, plain), _line(element), text=_text(element))


def _operations(source: Source, element: etree._Element, ident: str) -> Iterator[Fact]:
    for op in element.iterfind("operations/op"):
        values: dict[str, Scalar] = {
            "resource": ident,
            "op": op.get("name"),
            "name": op.get("name"),
            "interval_ms": milliseconds(op.get("interval", "0")),
            "timeout_ms": milliseconds(op.get("timeout")),
            "on_fail": op.get("on-fail"),
            "role": op.get("role"),
            "enabled": truth(op.get("enabled")),
        }
        yield source.fact("resource.op", values, _line(op), text=_text(op))


def _device(ident: str, element: etree._Element, params: dict[str, str]) -> dict[str, Scalar]:
    hosts = (
        tuple(sorted(re.split(r"[,;\s]+", params.get("pcmk_host_list", "").strip())))
        if params.get("pcmk_host_list")
        else ()
    )
    mapped = tuple(
        sorted(part.split(":")[0] for part in re.split(r"[;\s]+", params.get("pcmk_host_map", "")) if ":" in part)
    )
    return {
        "id": ident,
        "agent": element.get("type"),
        "hosts": hosts or mapped,
        "host_map": params.get("pcmk_host_map"),
        "host_check": params.get("pcmk_host_check"),
        "delay_base": params.get("pcmk_delay_base"),
        "delay_max": params.get("pcmk_delay_max"),
        "reboot_timeout": params.get("pcmk_reboot_timeout"),
        "reboot_retries": params.get("pcmk_reboot_retries"),
        "power_timeout": params.get("power_timeout"),
        "power_wait": params.get("power_wait"),
        "address": params.get("ip") or params.get("ipaddr"),
        "plug": params.get("plug") or params.get("port"),
    }


def _defaults(source: Source, root: etree._Element) -> Iterator[Fact]:
    for section in ("rsc_defaults", "op_defaults"):
        for pair in root.iterfind(f"configuration/{section}/meta_attributes/nvpair"):
            values: dict[str, Scalar] = {"section": section, "name": pair.get("name"), "value": pair.get("value")}
            yield source.fact("default", values, _line(pair), text=_text(pair))


def _constraints(source: Source, root: etree._Element) -> Iterator[Fact]:
    for element in root.iterfind("configuration/constraints/*"):
        if not isinstance(element.tag, str):
            continue
        kind = element.tag.removeprefix("rsc_")
        values: dict[str, Scalar] = {key.replace("-", "_"): value for key, value in element.attrib.items()}
        members = tuple(sorted(ref.get("id", "") for ref in element.iter("resource_ref")))
        row: dict[str, Scalar] = {**values, "members": members, "rules": element.find("rule") is not None}
        yield source.fact(f"constraint.{kind}", row, _line(element), text=_text(element))


def _topology(source: Source, root: etree._Element) -> Iterator[Fact]:
    for level in root.iterfind("configuration/fencing-topology/fencing-level"):
        values: dict[str, Scalar] = {
            "target": level.get("target") or level.get("target-pattern") or level.get("target-attribute"),
            "level": _int(level.get("index")),
            "devices": tuple(part.strip() for part in level.get("devices", "").split(",") if part.strip()),
        }
        yield source.fact("fencing.level", values, _line(level), text=_text(level))


def _status(source: Source, root: etree._Element) -> Iterator[Fact]:
    for state in root.iterfind("status/node_state"):
        node = state.get("uname") or state.get("id")
        values: dict[str, Scalar] = {
            "node": node,
            "in_ccm": state.get("in_ccm"),
            "crmd": state.get("crmd"),
            "join": state.get("join"),
            "expected": state.get("expected"),
        }
        yield source.fact("node.status", values, _line(state), text=_text(state))
        yield from _attributes(source, state, node)
        for resource in state.iterfind("lrm/lrm_resources/lrm_resource"):
            for op in resource.iterfind("lrm_rsc_op"):
                yield _history(source, node, resource, op)


def _attributes(source: Source, state: etree._Element, node: str | None) -> Iterator[Fact]:
    for pair in state.iterfind("transient_attributes/instance_attributes/nvpair"):
        name, value = pair.get("name", ""), pair.get("value", "")
        row: dict[str, Scalar] = {"node": node, "name": name, "value": value, "transient": True}
        yield source.fact("node.attribute", row, _line(pair), text=_text(pair))
        if name.startswith("fail-count-"):
            resource = name.removeprefix("fail-count-").split("#")[0]
            count = _INFINITY if value.upper() == "INFINITY" else _int(value)
            failed: dict[str, Scalar] = {"node": node, "resource": resource, "count": count}
            yield source.fact("rsc.failcount", failed, _line(pair), text=_text(pair))


def _history(source: Source, node: str | None, resource: etree._Element, op: etree._Element) -> Fact:
    values: dict[str, Scalar] = {
        "resource": resource.get("id"),
        "node": node,
        "op": op.get("operation"),
        "interval_ms": _int(op.get("interval")),
        "rc": _int(op.get("rc-code")),
        "op_status": _int(op.get("op-status")),
        "call": _int(op.get("call-id")),
        "last_rc_change_ns": _epoch(op.get("last-rc-change")),
        "last_run_ns": _epoch(op.get("last-run")),
        "exit_reason": op.get("exit-reason") or None,
        "exec_ms": _int(op.get("exec-time")),
        "queue_ms": _int(op.get("queue-time")),
        "transition_key": op.get("transition-key"),
        "transition_magic": op.get("transition-magic"),
        "last_failure": (op.get("id") or "").endswith("_last_failure_0"),
    }
    return source.fact("rsc.history", values, _line(op), text=_text(op))
