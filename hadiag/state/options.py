"""Table ``cluster.option``: cluster options in force, under the names that all versions accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.state.admin_acts import ABORTS
from hadiag.state.intervals import Intervals
from hadiag.state.reading import flag, text
from hadiag.state.stream import placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.timeline import Timeline

ALIASES = {
    "fencing-enabled": "stonith-enabled",
    "fencing-action": "stonith-action",
    "fencing-timeout": "stonith-timeout",
    "fencing-max-attempts": "stonith-max-attempts",
    "fencing-watchdog-timeout": "stonith-watchdog-timeout",
    "no_quorum_policy": "no-quorum-policy",
    "stonith_enabled": "stonith-enabled",
    "is_managed_default": "is-managed-default",
}
CHANGES = (*ABORTS, "cib.option_change")
QUORUM_POLICY = "sched.no_quorum_policy"

_OPTION = ("cib-bootstrap-options-", "crm_config")


class OptionTracker:
    """Options from changes in the logs and from configuration snapshots."""

    consumes = frozenset({*CHANGES, QUORUM_POLICY})

    def views(self, timeline: Timeline, facts: Sequence[Fact]) -> Iterator[View]:
        """Replay the changes; what only a snapshot knows holds since before the logs, as far as anybody knows."""
        table = Intervals("cluster.option")
        for event in placed(timeline, *CHANGES):
            _change(table, event)
        for event in placed(timeline, QUORUM_POLICY):
            _policy(table, event)
        changed = {view.value["name"] for view in table.views()}
        for fact in facts:
            name, value = canonical(str(fact.values.get("name"))), fact.values.get("value")
            if fact.table != "cluster.option" or name in changed or value is None:
                continue
            observer = (timeline.node(fact.node_hint) if fact.node_hint else None) or Node(fact.node_hint or "")
            source = "pe-input" if "pe-" in fact.path.rsplit("/", 1)[-1] else "cib"
            table.change(name, observer, None, None, {"name": name, "value": str(value), "source": source})
        yield from table.views()


def canonical(name: str) -> str:
    """Name of an option as all versions accept it."""
    return ALIASES.get(name, name)


def fencing_enabled(timeline: Timeline, facts: Sequence[Fact]) -> bool | None:
    """Whether fencing was switched on: from snapshots, else from changes in the logs; None where nothing says it."""
    for fact in facts:
        if fact.table == "cluster.option" and canonical(str(fact.values.get("name"))) == "stonith-enabled":
            return flag(fact.values.get("value"))
    found: bool | None = None
    for event in placed(timeline, *CHANGES):
        if canonical(text(event, "name") or "") == "stonith-enabled":
            said = flag(text(event, "value"))
            found = said if said is not None else found
    return found


def _change(table: Intervals, event: Event) -> None:
    name, value = text(event, "name"), text(event, "value")
    where = f"{text(event, 'obj', 'id') or ''} {text(event, 'path', 'xpath') or ''}"
    in_options = event.type == "cib.option_change" or any(mark in where for mark in _OPTION)
    if name is None or value is None or not in_options:
        return
    name = canonical(name)
    table.change(name, event.observer, event.at, event.uid, {"name": name, "value": value, "source": "event"})


def _policy(table: Intervals, event: Event) -> None:
    """The scheduler names the policies that do not stop resources on every run."""
    policy = (text(event, "policy") or "").lower()
    if not policy:
        return
    current = table.current("no-quorum-policy")
    if current is not None and current.value["value"] == policy:
        current.note(event.uid)
        return
    value = {"name": "no-quorum-policy", "value": policy, "source": "event"}
    table.open("no-quorum-policy", event.observer, event.at, event.uid, value)


TRACKER = OptionTracker()
