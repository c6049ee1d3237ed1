"""Which resources are clones, promotable or fence devices: from the configuration, else from what the logs prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.frozen import record
from hadiag.state.reading import base_name, is_instance, text
from hadiag.state.stream import placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.timeline import Timeline

ACTION = "pcmk.sched.action"
INSTANCE_LINES = (ACTION, "pcmk.op.initiate", "sched.failed_op", "pcmk.op.result", "pcmk.op.result_new")


@record
class Kind:
    """What a resource is; None where nothing says it."""

    clone: bool | None = None
    promotable: bool | None = None
    target_role: str | None = None
    unmanaged: bool = False


class Configured:
    """Resources as the configuration nests them: primitives in groups, clones and bundles."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._rows = {str(fact.values.get("id")): fact.values for fact in facts if fact.table == "resource"}

    @property
    def names(self) -> Iterable[str]:
        """Ids of all resources."""
        return self._rows.keys()

    def chain(self, name: str) -> list[Mapping[str, Scalar]]:
        """A resource and what it is in: group, clone, bundle."""
        chain: list[Mapping[str, Scalar]] = []
        seen: set[str] = set()
        current: Scalar = name
        while isinstance(current, str) and current in self._rows and current not in seen:
            seen.add(current)
            chain.append(self._rows[current])
            current = self._rows[current].get("parent")
        return chain

    def containers(self, name: str) -> frozenset[str]:
        """Ids of a resource and of everything that it is in."""
        return frozenset({name, *(str(values.get("id")) for values in self.chain(name))})


def kinds(configured: Configured, timeline: Timeline, views: Sequence[View]) -> Mapping[str, Kind]:
    """Kinds of all resources that the configuration or the logs name."""
    instances, whole = _named(timeline)
    promoted = {
        str(view.value["resource"])
        for view in views
        if view.value["op"] in ("promote", "demote") or view.value["rc"] == 8
    }
    names = {*configured.names, *instances, *whole, *promoted, *(str(view.value["resource"]) for view in views)}
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


def _kind(name: str, configured: Configured, instances: set[str], whole: set[str], promoted: set[str]) -> Kind:
    chain = configured.chain(name)
    if not chain:
        clone = True if name in instances or name in promoted else False if name in whole else None
        return Kind(clone, name in promoted or None)
    promotable = any(values.get("promotable") is True for values in chain)
    clone = promotable or any(values.get("clone") is True for values in chain)
    roles = [str(values["target_role"]) for values in chain if values.get("target_role")]
    unmanaged = any(values.get("managed") is False or values.get("maintenance") is True for values in chain)
    return Kind(clone, promotable, roles[0] if roles else None, unmanaged)
