"""Put the facts of all files together: one configuration for each cluster, one clock for each host.

The same configuration stands in a bundle many times: on the disk of each node, live, and as crm and pcs print it. A node that
was away has an old one. The newest CIB counts; what tools printed counts only where there is no CIB. ``date`` and ``date --utc``
stand in two files and tell the offset only together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hadiag.model.fact import Fact
from hadiag.model.time import NS

CONFIGURATION = frozenset(
    (
        "cluster.option",
        "default",
        "fencing.device",
        "fencing.level",
        "resource",
        "resource.collective",
        "resource.meta",
        "resource.op",
        "resource.param",
        "constraint.colocation",
        "constraint.location",
        "constraint.order",
        "constraint.ticket",
        "derived",
    )
)
"""Tables that a configuration fills as a whole. Nodes are kept from all files: logs may speak of a former member."""

Place = tuple[str, str]
"""Bundle and path of a file."""


def version(fact: Fact) -> tuple[int, int, int, bool, int, str]:
    """Rank of a ``cib`` or ``configuration`` fact: a CIB by its version, then live before disk; then whole texts before parts."""
    if fact.table != "cib":
        return (0, 1 if fact.values.get("complete") else 0, 0, False, 0, fact.path)
    numbers = [fact.values.get(key) for key in ("admin_epoch", "epoch", "num_updates")]
    admin, epoch, updates = (number if isinstance(number, int) else -1 for number in numbers)
    return (1, admin, epoch, fact.values.get("live") is True, updates, fact.path)


def newest(facts: Iterable[Fact]) -> Fact | None:
    """The ``cib`` or ``configuration`` fact whose file counts."""
    return max((fact for fact in facts if fact.table in {"cib", "configuration"}), key=version, default=None)


def settle(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Leave out configurations that are older than another of the same cluster, and complete the clocks of hosts."""
    heads = [fact for fact in facts if fact.table in {"cib", "configuration"}]
    outdated = set[Place]()
    for group in _clusters(heads, facts):
        best = newest(group)
        if best is not None and (best.table == "cib" or best.values.get("complete")):
            outdated |= {(fact.bundle, fact.path) for fact in group} - {(best.bundle, best.path)}
    kept = [fact for fact in facts if fact.table not in CONFIGURATION or (fact.bundle, fact.path) not in outdated]
    return tuple(_with_clocks(kept))


def _clusters(heads: Sequence[Fact], facts: Iterable[Fact]) -> list[list[Fact]]:
    """Group configurations that share a member; those without members belong to the first group."""
    members: dict[Place, set[str]] = defaultdict(set)
    for fact in facts:
        if fact.table == "node" and fact.values.get("name"):
            members[fact.bundle, fact.path].add(str(fact.values["name"]).lower())
    groups: list[tuple[set[str], list[Fact]]] = []
    for head in sorted(heads, key=lambda fact: (not members[fact.bundle, fact.path], fact.bundle, fact.path)):
        names = set(members[head.bundle, head.path])
        joined = [head]
        rest: list[tuple[set[str], list[Fact]]] = []
        for known, group in groups:
            if known & names or (not names and joined == [head]):
                names |= known
                joined = [*group, *joined]
            else:
                rest.append((known, group))
        groups = [*rest, (names, joined)]
    return [group for _, group in groups]


def _with_clocks(facts: Sequence[Fact]) -> list[Fact]:
    """Give a host's wall time without zone the offset that its ``date --utc`` tells, if both were run at once."""
    utc: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for fact in facts:
        if fact.table == "host.utc" and isinstance(fact.values.get("utc_ns"), int):
            utc[fact.bundle, fact.node_hint].append(int(str(fact.values["utc_ns"])))
    if not utc:
        return list(facts)
    return [_completed(fact, utc.get((fact.bundle, fact.node_hint), [])) for fact in facts]


def _completed(fact: Fact, utc: Sequence[int]) -> Fact:
    wall = fact.values.get("wall_ns")
    if fact.table != "host.time" or fact.values.get("utc_ns") is not None or not isinstance(wall, int):
        return fact
    for moment in utc:
        apart = (wall - moment) / NS
        offset = round(apart / 900) * 900
        if abs(apart - offset) <= 60 and abs(offset) <= 14 * 3600:
            exact = wall - offset * NS
            return replace(fact, values={**fact.values, "utc_ns": exact}, as_of_ns=exact)
    return fact
