"""Which resources there are, where the input holds no configuration but that inside dated CIBs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hadiag.snapshots.base import truth
from hadiag.snapshots.cib_facts import TABLE, CibSnapshot, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.fact import Fact

_CLONES = frozenset({"clone", "master", "bundle"})
_KINDS = _CLONES | {"primitive", "group"}


def with_configuration(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Facts with rows of ``resource`` from the newest dated CIB, where no configuration was read."""
    if any(fact.table == "resource" for fact in facts):
        return facts
    dated = [fact for fact in facts if fact.table == TABLE]
    if not dated:
        return facts
    newest = max(dated, key=lambda fact: (fact.as_of_ns or 0, read_snapshot(fact).version, fact.path))
    return (*facts, *_resources(read_snapshot(newest)))


def _resources(cib: CibSnapshot) -> Iterator[Fact]:
    kinds: dict[str, tuple[str, str, str]] = {}
    meta: dict[tuple[str, str], str] = {}
    for one in cib.settings():
        if one.section == "resources" and one.name in _KINDS:
            agent, _, parent = one.value.partition(" in ")
            kinds[one.object] = (one.name, agent, parent)
        elif one.section == "resources" and one.name.startswith("meta "):
            meta[one.object, one.name.removeprefix("meta ")] = one.value
    for ident, (kind, agent, parent) in kinds.items():
        chain = [ident, *_above(ident, kinds)]
        promotable = any(kinds[each][0] == "master" or truth(meta.get((each, "promotable"))) for each in chain)
        values: dict[str, Scalar] = {
            "id": ident,
            "class": agent.split(":")[0] if kind == "primitive" else None,
            "type": agent if kind == "primitive" else None,
            "parent": parent or None,
            "clone": any(kinds[each][0] in _CLONES for each in chain),
            "promotable": promotable,
            "fencing": agent.startswith("stonith:"),
            "managed": truth(meta.get((ident, "is-managed"))),
            "maintenance": truth(meta.get((ident, "maintenance"))),
            "target_role": meta.get((ident, "target-role")),
        }
        yield replace(cib.fact, table="resource", values=values, text="")


def _above(ident: str, kinds: dict[str, tuple[str, str, str]]) -> list[str]:
    """What a resource is in, from the inside out."""
    found: list[str] = []
    parent = kinds[ident][2]
    while parent in kinds and parent not in found:
        found.append(parent)
        parent = kinds[parent][2]
    return found
