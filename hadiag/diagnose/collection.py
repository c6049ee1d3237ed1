"""What the manifest of a collection says is not there, and why: it explains gaps better than the logs that are there."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.model.entity import Node
from hadiag.model.fact import Fact
from hadiag.model.source import Warn
from hadiag.timeline import Timeline

_ALL = "everything"


def collection_warnings(facts: Sequence[Fact]) -> tuple[Warn, ...]:
    """A warning for each thing that could not be collected."""
    found = {}
    for fact in facts:
        if fact.table == "collect.missing":
            node, what, why = (str(fact.values.get(key, "")) for key in ("node", "what", "why"))
            found[node, what] = Warn("collect-missing", f"{what} of {node} could not be collected: {why}.", node)
    return tuple(found[key] for key in sorted(found))


def why_absent(facts: Sequence[Fact], timeline: Timeline) -> dict[Node, str]:
    """Why nothing of a node was collected, by node."""
    found: dict[Node, str] = {}
    for fact in facts:
        if fact.table == "collect.missing" and fact.values.get("what") == _ALL:
            node = timeline.node(str(fact.values.get("node", "")))
            if node is not None:
                found[node] = str(fact.values.get("why", ""))
    return found
