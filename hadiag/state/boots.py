"""Boots of the nodes with logs (table ``node.boot``), and their silent stretches (table ``observer.silent``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.intervals import Intervals
from hadiag.state.reading import at_of, moment_of
from hadiag.state.stream import Break, by_observer, placed, silence_breaks
from hadiag.state.windows import Window
from hadiag.timeline.known import PACEMAKER_START, STARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.state.fencing_results import Fenced
    from hadiag.state.given import Given
    from hadiag.state.intervals import OpenView
    from hadiag.timeline import Timeline

SHUTDOWN = "systemd.shutdown"
BOOT = "kernel.boot"
PACEMAKER_DONE = "pacemakerd.stop_done"

_CONFIRMED = 60 * NS
_SAME_START = 5 * NS
_SHUTTING_DOWN = 300 * NS
"""From the stop of the cluster software to the end of the log, or to the next boot, in an orderly shutdown."""


@dataclass(slots=True)
class _Boots:
    """Boots of one node while its lines are replayed; ``down`` is the last line of a shutdown that no start followed yet."""

    timeline: Timeline
    observer: Node
    fenced: Sequence[Fenced]
    table: Intervals
    down: Event | None = None
    by_daemon: bool = False
    """The line that began the current boot came from a daemon: the kernel's own may be logged a little later."""

    def open(self, at: Instant | None, uid: str | None) -> None:
        """Begin a boot; how it ends is not known yet."""
        self.table.open(self.observer, self.observer, at, uid, {"node": str(self.observer), "how": "unknown"})

    def close_shutdown(self) -> None:
        """End the boot with the last line of its shutdown."""
        if self.down is not None:
            self.table.close(self.observer, self.down.at, self.down.uid)
        self.down = None


def boot_views(given: Given) -> Iterator[View]:
    """Boots end with an orderly shutdown, with fencing, or for no reason known; the last one runs on.

    A log may break off before the shutdown is through; that the cluster software was stopped just before tells of one as well.
    """
    timeline = given.timeline
    stops = by_observer(placed(timeline, PACEMAKER_START, PACEMAKER_DONE))
    lines = by_observer(placed(timeline, SHUTDOWN, *STARTS))
    told = {event.observer for event in placed(timeline, SHUTDOWN, BOOT)}
    for observer in sorted({*told, *timeline.silences}):
        boots = _Boots(timeline, observer, given.fenced_by.get(str(observer), ()), Intervals("node.boot"))
        boots.open(None, None)
        steps = [*lines.get(observer, ()), *silence_breaks(timeline, observer)]
        before = Window(stops.get(observer, ()), key=moment_of)
        for step in sorted(steps, key=_at):
            current = boots.table.current(observer)
            _step(boots, current, step)
            stop = _stopped_before(before, step) if isinstance(step, Break) or step.type in (SHUTDOWN, BOOT) else None
            if stop is not None and current is not None and current.value["how"] in ("crash", "unknown"):
                current.value["how"] = "orderly"
                current.note(stop.uid)
        boots.close_shutdown()
        running = boots.table.current(observer)
        if running is not None:
            running.value["how"] = "running"
        yield from boots.table.views()


def _at(step: Event | Break) -> int:
    return step.at.ns if step.at is not None else 0


def _step(boots: _Boots, current: OpenView | None, step: Event | Break) -> None:
    if isinstance(step, Break):
        if current is not None:
            _fell_silent(boots, current, step)
    elif step.type == SHUTDOWN:
        if current is not None:
            current.value["how"] = "orderly"
            current.note(step.uid)
            boots.down = step
    elif boots.down is not None:
        boots.close_shutdown()
        boots.open(step.at, step.uid)
        boots.by_daemon = step.type != BOOT
    elif step.type == BOOT:
        _booted(boots, current, step)


def _fell_silent(boots: _Boots, current: OpenView, pause: Break) -> None:
    confirmed = _fencing_of(boots.timeline, pause, boots.fenced)
    back = _end_of_silence(boots.timeline, boots.observer, pause)
    shutting = boots.down is not None and pause.at.ns - at_of(boots.down).ns <= _SHUTTING_DOWN
    # A node that never came back may as well run on, cut off from whoever collected the logs.
    fallen = "orderly" if shutting else "crash" if back is not None else "unknown"
    current.value["how"] = "fenced" if confirmed is not None else fallen
    current.note(confirmed.uid if confirmed is not None else None)
    boots.down = None
    boots.table.close(boots.observer, pause.at, pause.uid)
    if back is not None:
        boots.open(back, None)


def _booted(boots: _Boots, current: OpenView | None, boot: Event) -> None:
    same = _CONFIRMED if boots.by_daemon else _SAME_START
    if current is not None and current.start is not None and boot.at is not None:
        if abs(boot.at.ns - current.start.ns) < same:
            current.note(boot.uid)
            return
    elif current is not None and _begins_with(boots.timeline, boots.observer, boot):
        current.start, current.opened_by = boot.at, boot.uid
        return
    boots.open(boot.at, boot.uid)
    boots.by_daemon = False


def _begins_with(timeline: Timeline, observer: Node, boot: Event) -> bool:
    """Whether nothing of a node was logged before a boot: then nothing tells of another one before it."""
    times, _ = timeline.logged_by(observer)
    return boot.at is not None and (not times or times[0] >= boot.at.ns - _CONFIRMED)


def _stopped_before(stops: Window[Event], step: Event | Break) -> Event | None:
    """The end of an orderly stop of the cluster software, where it came shortly before a step and no start followed."""
    last = stops.before(step.at.ns, 1) if step.at is not None else ()
    if not last or step.at is None or last[0].type != PACEMAKER_DONE:
        return None
    return last[0] if step.at.ns - at_of(last[0]).ns <= _SHUTTING_DOWN else None


def _end_of_silence(timeline: Timeline, observer: Node, pause: Break) -> Instant | None:
    for silence in timeline.silences.get(observer, ()):
        if silence.start_ns == pause.at.ns and silence.end_ns is not None:
            return replace(pause.at, ns=silence.end_ns, logged="")
    return None


def _fencing_of(timeline: Timeline, pause: Break, fenced: Sequence[Fenced]) -> Fenced | None:
    """Fencing that explains a silence: confirmed after the last line, and before the node was back."""
    back = _end_of_silence(timeline, pause.observer, pause)
    for done in fenced:
        late_enough = done.at.ns >= pause.at.ns - (pause.at.err_ns or NS)
        if done.target == pause.observer and late_enough and (back is None or done.at.ns <= back.ns + _CONFIRMED):
            return done
    return None


def silence_views(given: Given) -> Iterator[View]:
    """Silent stretches of each node, with the fencing that explains them."""
    timeline = given.timeline
    for observer in sorted(timeline.silences):
        for pause in silence_breaks(timeline, observer):
            done = _fencing_of(timeline, pause, given.fenced_by.get(str(observer), ()))
            value: dict[str, Scalar] = {"node": str(observer), "how": "fenced" if done is not None else "unknown"}
            end = _end_of_silence(timeline, observer, pause)
            evidence = (done.uid,) if done is not None else ()
            yield View("observer.silent", observer, pause.at, end, value, None, None, evidence)
