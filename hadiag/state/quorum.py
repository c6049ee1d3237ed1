"""Quorum and the vote of the quorum device, as each observer saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.state.intervals import Intervals, end_ns, start_ns
from hadiag.state.membership import COROSYNC_END
from hadiag.state.reading import text
from hadiag.state.stream import Break, by_observer, placed, with_breaks
from hadiag.timeline.known import COROSYNC_START, PACEMAKER_START

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hadiag.model.entity import Node
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

PRIMARY = "corosync.quorum.primary"
NONPRIMARY = "corosync.quorum.nonprimary"
PROVIDER = "corosync.quorum.provider"
ACQUIRED = "pcmk.quorum.acquired"
LOST = "pcmk.quorum.lost"
OLD = "pcmk.quorum.old"
QDEVICE_LOST = (
    "corosync.votequorum.qdevice_lost",
    "qdevice.connect_timeout",
    "qdevice.connect_failed",
    "qdevice.echo_timeout",
    "qdevice.server_error",
    "qdevice.disconnected",
    "qdevice.algo_error",
    "qdevice.heuristics_worker",
)
QDEVICE_VOTE = "qdevice.vote"

_SETTLE = 2 * NS


@dataclass(slots=True)
class _Life:
    """What is known of the life of the observer's corosync."""

    started: bool = False
    was_quorate: bool = False
    corosync_said: Instant | None = None


class QuorumTracker:
    """Tables ``quorum.view`` and ``qdevice.view``."""

    consumes = frozenset(
        {PRIMARY, NONPRIMARY, PROVIDER, ACQUIRED, LOST, OLD, PACEMAKER_START, *COROSYNC_START, *COROSYNC_END}
        | {*QDEVICE_LOST, QDEVICE_VOTE}
    )

    def views(self, given: Given) -> Iterator[View]:
        """Replay each observer's lines, then add what snapshots state where no line does."""
        timeline = given.timeline
        table = Intervals("quorum.view")
        types = (PRIMARY, NONPRIMARY, PROVIDER, ACQUIRED, LOST, OLD, PACEMAKER_START, *COROSYNC_START, *COROSYNC_END)
        for observer, events in by_observer(placed(timeline, *types)).items():
            life = _Life()
            for step in with_breaks(timeline, observer, events):
                life = _step(table, observer, life, step)
        views = table.views()
        yield from views
        yield from _snapshots(timeline, given.facts, views)
        yield from _qdevice(timeline)


def _step(table: Intervals, observer: Node, life: _Life, step: Event | Break) -> _Life:
    if isinstance(step, Break) or step.type in COROSYNC_END:
        table.close(observer, step.at, step.uid)
        return _Life()
    if step.type in COROSYNC_START:
        if life.started and not life.was_quorate:
            return life
        table.close(observer, step.at, step.uid)
        return _Life(started=True)
    if step.type == PACEMAKER_START:
        # Without corosync's own log the start of pacemaker is the best sign that its first word is no change.
        life.started = life.started or table.current(observer) is None
    elif step.type == PROVIDER:
        table.change(observer, observer, step.at, step.uid, {"quorate": False, "startup": True})
        life.started = True
    else:
        _statement(table, observer, life, step)
    return life


def _statement(table: Intervals, observer: Node, life: _Life, event: Event) -> None:
    quorate = event.type in (PRIMARY, ACQUIRED) or (
        event.type == OLD and text(event, "state") in ("acquired", "retained")
    )
    current = table.current(observer)
    if event.type in (PRIMARY, NONPRIMARY):
        life.corosync_said = event.at
    elif current is not None and current.value["quorate"] != quorate and _just_said(life, event):
        current.note(event.uid)
        return
    if current is not None and current.value["quorate"] == quorate:
        current.note(event.uid)
    else:
        startup = life.started and not life.was_quorate
        if current is None and not life.started and not quorate:
            # A change is logged, so the state before it was the other one.
            table.open(observer, observer, None, None, {"quorate": True, "startup": False})
        table.open(observer, observer, event.at, event.uid, {"quorate": quorate, "startup": startup})
    life.was_quorate = life.was_quorate or quorate


def _just_said(life: _Life, event: Event) -> bool:
    """Corosync stamps whole seconds: what pacemaker repeats of it within two of them is no news."""
    if life.corosync_said is None or event.at is None:
        return False
    return 0 <= event.at.ns - life.corosync_said.ns < _SETTLE


def _snapshots(timeline: Timeline, facts: Sequence[Fact], views: Sequence[View]) -> Iterator[View]:
    table = Intervals("quorum.view")
    for fact in facts:
        quorate = fact.values.get("quorate")
        observer = timeline.node(fact.node_hint) if fact.node_hint else None
        if fact.table != "quorum.status" or observer is None or not isinstance(quorate, bool):
            continue
        if fact.as_of_ns is None or _known(views, observer, fact.as_of_ns):
            continue
        at = Instant(fact.as_of_ns, NS, "", TimeBasis.SNAPSHOT)
        table.change(observer, observer, at, None, {"quorate": quorate, "startup": False})
    yield from table.views()


def _known(views: Iterable[View], observer: Node, ns: int) -> bool:
    return any(view.observer == observer and start_ns(view) <= ns < end_ns(view) for view in views)


def _qdevice(timeline: Timeline) -> Iterator[View]:
    table = Intervals("qdevice.view")
    types = (*QDEVICE_LOST, QDEVICE_VOTE, *COROSYNC_START, *COROSYNC_END)
    for observer, events in by_observer(placed(timeline, *types)).items():
        for step in with_breaks(timeline, observer, events):
            if isinstance(step, Break) or step.type in (*COROSYNC_START, *COROSYNC_END):
                table.close(observer, step.at, step.uid)
            else:
                _qdevice_line(table, observer, step)
    yield from table.views()


def _qdevice_line(table: Intervals, observer: Node, event: Event) -> None:
    connected = event.type == QDEVICE_VOTE
    if connected and (text(event, "vote") or "").upper() != "ACK":
        return
    reason = "" if connected else text(event, "reason") or event.type.rsplit(".", 1)[-1]
    current = table.current(observer)
    if current is not None and current.value["connected"] == connected:
        current.note(event.uid)
        return
    table.open(observer, observer, event.at, event.uid, {"connected": connected, "reason": reason})


TRACKER = QuorumTracker()
