"""Starts and monitors of fence devices; no operation against a node is needed for them to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.view import View
from hadiag.state.fencing_results import is_power, result_word
from hadiag.state.reading import number, scalar_text, text
from hadiag.state.stream import placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

DEVICE_RESULT = ("fence.device_result", "fence.device_result_new")
_CHECKS = ("monitor", "status", "list", "metadata", "validate-all")


def device_agents(facts: Sequence[Fact]) -> dict[str, str]:
    """Agent of each fence device, from the configuration."""
    agents: dict[str, str] = {}
    for fact in facts:
        if fact.table == "fencing.device":
            agents[str(fact.values.get("id"))] = scalar_text(fact.values, "agent", "type") or ""
        elif fact.table == "resource" and (fact.values.get("fencing") is True or fact.values.get("class") == "stonith"):
            agents.setdefault(str(fact.values.get("id")), scalar_text(fact.values, "agent", "type") or "")
    return agents


def device_views(timeline: Timeline, facts: Sequence[Fact], operations: Sequence[View]) -> Iterator[View]:
    """Results of the fencer's own checks, and of the start and monitor operations of the devices' resources."""
    agents = device_agents(facts)
    for event in placed(timeline, *DEVICE_RESULT):
        action, device = (text(event, "action") or "").lower(), text(event, "device")
        if device is not None and not is_power(action) and action in _CHECKS:
            yield _check(event, device, action, agents)
    for view in operations:
        if view.value["fencing_device"] is True and view.value["op"] in ("start", "monitor"):
            yield from _operation(view, agents)


def _check(event: Event, device: str, action: str, agents: dict[str, str]) -> View:
    rc, reason = number(event, "rc"), text(event, "reason", "result")
    word = result_word("ok" if rc == 0 else "failed" if rc is not None else text(event, "result"), reason)
    value: dict[str, Scalar] = {
        "device": device,
        "agent": agents.get(device) or None,
        "result": "ok" if word == "ok" else "failed",
        "op": action,
        "reason": None if word == "ok" else reason,
    }
    return View("fencing.device", event.observer, event.at, event.at, value, event.uid, event.uid)


def _operation(view: View, agents: dict[str, str]) -> Iterator[View]:
    status = view.value["status"]
    if view.value["probe"] is True or status in ("cancelled", "pending", "unknown"):
        return
    device = str(view.value["resource"])
    value: dict[str, Scalar] = {
        "device": device,
        "agent": agents.get(device) or None,
        "result": "ok" if status == "ok" else "failed",
        "op": view.value["op"],
        "reason": None if status == "ok" else view.value["exit_reason"] or view.value["reason"],
    }
    yield View(
        "fencing.device", view.observer, view.start, view.end, value, view.opened_by, view.closed_by, view.evidence
    )
