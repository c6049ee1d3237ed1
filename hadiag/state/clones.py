"""Which resources are clones, promotable or fence devices: from the configuration, else from what the logs prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hadiag.state.reading import base_name, is_instance, text
from hadiag.state.stream import placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.timeline import Timeline

ACTION = "pcmk.sched.action"
INSTANCE_LINES = (ACTION, "pcmk.op.initiate", "sched.failed_op", "pcmk.op.result", "pcmk.op.result_new")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a resource is; None where nothing says it."""

    clone: bool | None = None
    promotable: bool | None = None
    target_role: str | None = None
    unmanaged: bool = False


def kinds(timeline: Timeline, facts: Sequence[Fact], views: Iterable[View]) -> Mapping[str, Kind]:
    """Kinds of all resources that the configuration or the logs name."""
    configured = {str(fact.values.get("id")): fact.values for fact in facts if fact.table == "resource"}
    instances, whole = _named(timeline)
    promoted = {
        str(view.value["resource"])
        for view in views
        if view.value["op"] in ("promote", "demote") or view.value["rc"] == 8
    }
    names = {*configured, *instances, *whole, *promoted, *(str(view.value["resource"]) for view in views)}
    return {name: _kind(name, configured, instances, whole, promoted) for name in sorted(names)}


def _named(timeline: Timeline) -> tuple[set[str], set[str]]:
    """Resources that the logs name with the number of an instance, and those that the scheduler plans without one."""
    instances: set[str] = set()
    whole: set[str] = set()
    for event in placed(timeline, *INSTANCE_LINES):
        name = text(event, "rsc", "resource") or ""
        planned = text(event, "opkey") or name
        if is_instance(name) or (":" in planned and is_instance(planned.split("_")[0])):
            instances.add(base_name(name or planned.split("_")[0]))
        elif event.type == ACTION and name:
            whole.add(name)
    return instances, whole - instances


def _kind(
    name: str, configured: Mapping[str, Mapping[str, object]], instances: set[str], whole: set[str], promoted: set[str]
) -> Kind:
    chain = _chain(name, configured)
    if not chain:
        clone = True if name in instances or name in promoted else False if name in whole else None
        return Kind(clone, name in promoted or None)
    promotable = any(values.get("promotable") is True for values in chain)
    clone = promotable or any(values.get("clone") is True for values in chain)
    roles = [str(values["target_role"]) for values in chain if values.get("target_role")]
    unmanaged = any(values.get("managed") is False or values.get("maintenance") is True for values in chain)
    return Kind(clone, promotable, roles[0] if roles else None, unmanaged)


def _chain(name: str, configured: Mapping[str, Mapping[str, object]]) -> list[Mapping[str, object]]:
    """A resource and what it is in: group, clone, bundle."""
    chain: list[Mapping[str, object]] = []
    seen: set[str] = set()
    current: object = name
    while isinstance(current, str) and current in configured and current not in seen:
        seen.add(current)
        chain.append(configured[current])
        current = configured[current].get("parent")
    return chain


def containers(name: str, facts: Sequence[Fact]) -> frozenset[str]:
    """Ids of a resource and of everything that it is in."""
    configured = {str(fact.values.get("id")): fact.values for fact in facts if fact.table == "resource"}
    return frozenset({name, *(str(values.get("id")) for values in _chain(name, configured))})
