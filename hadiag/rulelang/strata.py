"""The order in which rules are evaluated: a rule comes after all rules whose findings it looks at."""

from __future__ import annotations

from collections.abc import Mapping

from hadiag.rulelang.entries import Rule
from hadiag.rulelang.ruleset import Located


def looks_at_findings(rule: Rule) -> tuple[str, ...]:
    """Ids of the findings that the steps of a rule look at, sorted."""
    return tuple(sorted({name for step in rule.match.values() if step.finding for name in step.finding}))


def order_rules(rules: Mapping[str, Rule], places: Mapping[str, Located]) -> tuple[str, ...]:
    """Sort rule ids into evaluation order; a cycle is a problem of the first rule on it."""
    waiting = {name: [needed for needed in looks_at_findings(rule) if needed in rules] for name, rule in rules.items()}
    order: list[str] = []
    placed: set[str] = set()
    while waiting:
        ready = sorted(name for name, needed in waiting.items() if placed.issuperset(needed))
        if not ready:
            cycle = _cycle(waiting)
            places[cycle[0]].problem(("match",), f"no cycle of findings ({' -> '.join([*cycle, cycle[0]])})")
            return tuple(order)
        order.extend(ready)
        placed.update(ready)
        for name in ready:
            del waiting[name]
    return tuple(order)


def _cycle(waiting: Mapping[str, list[str]]) -> list[str]:
    """Walk along unmet needs until a rule comes up again."""
    path = [min(waiting)]
    while True:
        following = next(needed for needed in sorted(waiting[path[-1]]) if needed in waiting)
        if following in path:
            return path[path.index(following) :]
        path.append(following)
