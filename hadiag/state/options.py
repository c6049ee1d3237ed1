"""Table ``cluster.option``: cluster options in force, under the names that all versions accept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.state.admin_acts import ABORTS
from hadiag.state.intervals import Intervals
from hadiag.state.reading import at_of, flag, text
from hadiag.state.snapshots import Snapshot
from hadiag.state.stream import instant, placed
from hadiag.state.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.state.given import Given
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

_SHOWN_BY = "cib.option_change"
_SETTLE = 5 * NS
_OPTION = ("cib-bootstrap-options-", "crm_config")


class OptionTracker:
    """Options from changes in the logs and from configuration snapshots."""

    consumes = frozenset({*CHANGES, QUORUM_POLICY})

    def views(self, given: Given) -> Iterator[View]:
        """Replay the changes, and what each CIB says at its time.

        Without any dated CIB, what a printed configuration says holds since before the logs, as far as anybody knows.
        """
        timeline, found = given.timeline, given.snapshots
        table = Intervals("cluster.option")
        logged: dict[str, Window[int]] = {}
        for name, times in _changes(timeline).items():
            logged[name] = Window(times, key=int)
        steps: list[tuple[int, int, Event | Snapshot]] = [(one.at.ns, 1, one) for one in found]
        steps += [(at_of(event).ns, 0, event) for event in placed(timeline, *CHANGES, QUORUM_POLICY)]
        for _, _, step in sorted(steps, key=lambda step: step[:2]):
            if isinstance(step, Snapshot):
                _shown(table, step, logged)
            elif step.type == QUORUM_POLICY:
                _policy(table, step)
            else:
                _change(table, step)
        if not found:
            _printed(timeline, given.facts, table)
        yield from (_since(timeline, view, logged) for view in table.views())


def _printed(timeline: Timeline, facts: Sequence[Fact], table: Intervals) -> None:
    """Options of a configuration without a date."""
    changed = {view.value["name"] for view in table.views()}
    for fact in facts:
        name, value = canonical(str(fact.values.get("name"))), fact.values.get("value")
        if fact.table != "cluster.option" or name in changed or value is None:
            continue
        observer = (timeline.node(fact.node_hint) if fact.node_hint else None) or Node(fact.node_hint or "")
        table.change(name, observer, None, None, {"name": name, "value": str(value), "source": "cib"}, told_by=fact)


def _changes(timeline: Timeline) -> dict[str, list[int]]:
    """When the logs tell of changes of each option."""
    times: dict[str, list[int]] = {}
    for event in placed(timeline, *CHANGES, QUORUM_POLICY):
        name = "no-quorum-policy" if event.type == QUORUM_POLICY else canonical(text(event, "name") or "")
        times.setdefault(name, []).append(at_of(event).ns)
    return times


def _shown(table: Intervals, one: Snapshot, logged: Mapping[str, Window[int]]) -> None:
    """What a CIB shows; right after a change that a line tells of, the line counts."""
    source = str(one.fact.values.get("origin"))
    shown = {canonical(name): value for name, value in one.cib.options().items()}
    for name in {str(key) for key in table.open_keys()} - set(shown):
        if not _near(logged.get(name), one.at.ns):
            table.close(name, one.at)
    for name, value in shown.items():
        current = table.current(name)
        if (current is not None and current.value["value"] == value) or _near(logged.get(name), one.at.ns):
            continue
        row: dict[str, Scalar] = {"name": name, "value": value, "source": source}
        table.open(name, one.observer, one.at, None, row, told_by=one.fact)


def _near(times: Window[int] | None, ns: int) -> bool:
    return times is not None and bool(times.between(ns - _SETTLE, ns + _SETTLE))


def _since(timeline: Timeline, view: View, logged: Mapping[str, Window[int]]) -> View:
    """A CIB shows a value; where the lines before it would have shown a change and show none, it held as long as they go back."""
    start = view.start
    if view.told_by is None or start is None:
        return view
    times = logged.get(str(view.value["name"]))
    before = times.before(start.ns, 1) if times is not None else ()
    begins = [log.start_ns for log in timeline.coverage if log.node == view.observer and log.start_ns is not None]
    reach = max(before[0] if before else 0, min(begins, default=start.ns))
    quiet = reach < start.ns and timeline.covered(view.observer, _SHOWN_BY, reach, start.ns) is Tri.TRUE
    return replace(view, start=instant(timeline, view.observer, reach)) if quiet and not before else view


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
