"""Cluster status as XML: ``crm_mon --as-xml`` of pacemaker 1.1 (``<crm_mon>``) and since 2.0.3 (``<pacemaker-result>``).

::

    <pacemaker-result api-version="2.25" request="crm_mon --output-as xml">
      <summary><current_dc present="true" version="2.1.5" name="node1" with_quorum="true"/></summary>
      <nodes><node name="node1" id="1" online="true" standby="false" unclean="false" is_dc="true" type="member"/></nodes>
      <resources><resource id="vip" resource_agent="ocf:heartbeat:IPaddr2" role="Started" active="true" blocked="false"
        managed="true" failed="false"><node name="node1" id="1" cached="true"/></resource></resources>
      <failures><failure op_key="vip_monitor_10000" node="node1" exitstatus="not running" exitreason="" exitcode="7" status="complete"/></failures>
      <fence_history><fence_event action="reboot" target="node2" client="crmd.1" origin="node1" delegate="node1" status="success" completed="…"/></fence_history>
    </pacemaker-result>
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, integer, truth
from hadiag.snapshots.cib import parse_xml
from hadiag.snapshots.stamps import Moment, clock_fact, read_moment, with_zone_of_file

_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<(?:crm_mon|pacemaker-result)\b")
_KEY = re.compile(r"^(.+?)_(migrate_to|migrate_from|[a-z]+(?:-[a-z]+)*)_(\d+)$")
_RESULTS = {"success": "ok", "failed": "failed"}


class CrmMonXmlParser:
    """Reads the status of the cluster as XML."""

    name = "crm_mon.xml"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Known by its root element and what is in it."""
        known = (b"<summary", b"<nodes", b"<resources", b"<fence_history")
        return _ROOT.match(head.removeprefix(b"\xef\xbb\xbf")) is not None and any(word in head for word in known)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``monitor.*``, ``fencing.history`` and the host's clock.

        Raises:
            ValueError: the text is no well-formed XML.
        """
        root = parse_xml(data)
        update = root.find("summary/last_update")
        moment = read_moment(update.get("time", "")) if update is not None else None
        moment = with_zone_of_file(source, moment) if moment else None
        yield from _summary(source, root, moment)
        as_of = moment.utc_ns if moment else None
        for element in root.iter("node", "resource", "failure", "fence_event"):
            yield from _element(source, element, as_of)


def _summary(source: Source, root: etree._Element, moment: Moment | None) -> Iterator[Fact]:
    dc, stack = root.find("summary/current_dc"), root.find("summary/stack")
    change = root.find("summary/last_change")
    if dc is not None:
        values: dict[str, Scalar] = {
            "dc": dc.get("name"),
            "quorate": truth(dc.get("with_quorum")),
            "version": dc.get("version"),
            "stack": stack.get("type") if stack is not None else None,
            "last_change": change.get("time") if change is not None else None,
        }
        yield source.fact("monitor.cluster", values, dc.sourceline or 0, moment.utc_ns if moment else None)
    if moment:
        yield clock_fact(source, moment, 1)


def _element(source: Source, element: etree._Element, as_of: int | None) -> Iterator[Fact]:
    line = element.sourceline or 0
    parent = element.getparent()
    if element.tag == "node" and parent is not None and parent.tag == "nodes":
        yield source.fact("monitor.node", _node(element), line, as_of)
    elif element.tag == "resource" and element.get("id"):
        for values in _resource(element):
            yield source.fact("monitor.resource", values, line, as_of)
    elif element.tag == "failure":
        yield source.fact("monitor.failure", _failure(element), line, as_of)
    elif element.tag == "fence_event":
        moment = read_moment(element.get("completed", ""))
        yield source.fact("fencing.history", _fenced(element, moment), line, moment.utc_ns if moment else None)


def _node(element: etree._Element) -> dict[str, Scalar]:
    order = ("unclean", "standby", "maintenance", "pending")
    state = next((name for name in order if truth(element.get(name))), None)
    online = truth(element.get("online"))
    if state in {None, "standby"} and online is False:
        state = "offline"
    return {"node": element.get("name"), "state": state or "online", "kind": element.get("type", "member")}


def _resource(element: etree._Element) -> Iterator[dict[str, Scalar]]:
    nodes: list[str | None] = [node.get("name") for node in element.iterfind("node")]
    roles = {"Master": "Promoted", "Slave": "Unpromoted"}
    role = element.get("role", "")
    parent = element.getparent()
    for node in nodes or [None]:
        yield {
            "resource": element.get("id"),
            "node": node,
            "role": roles.get(role, role),
            "managed": truth(element.get("managed")),
            "failed": truth(element.get("failed")),
            "blocked": truth(element.get("blocked")),
            "type": (element.get("resource_agent") or "").replace("::", ":"),
            "parent": parent.get("id") if parent is not None else None,
        }


def _failure(element: etree._Element) -> dict[str, Scalar]:
    key = _KEY.match(
        element.get("op_key") or f"{element.get('id', '')}_{element.get('task', '')}_{element.get('interval', '')}"
    )
    return {
        "resource": key[1] if key else element.get("id"),
        "op": key[2] if key else element.get("task"),
        "interval_ms": integer(key[3]) if key else None,
        "node": element.get("node"),
        "rc": integer(element.get("exitcode")),
        "reason": element.get("exitstatus"),
        "call": integer(element.get("call")),
        "status": element.get("status"),
        "exit_reason": element.get("exitreason") or None,
    }


def _fenced(element: etree._Element, moment: Moment | None) -> dict[str, Scalar]:
    return {
        "target": element.get("target"),
        "action": element.get("action"),
        "result": _RESULTS.get(element.get("status", ""), "pending"),
        "client": re.sub(r"\.\d+$", "", element.get("client", "")) or None,
        "origin": element.get("origin"),
        "delegate": element.get("delegate"),
        "exit_reason": element.get("exit-reason"),
        "completed_ns": moment.utc_ns if moment else None,
        "completed": element.get("completed"),
        "op_id": None,
    }
