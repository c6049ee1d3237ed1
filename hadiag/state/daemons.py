"""Lives of the cluster daemons, and the boots of the nodes they ran on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.boots import SHUTDOWN, boot_views, silence_views
from hadiag.state.intervals import Intervals, OpenView
from hadiag.state.membership import COROSYNC_END
from hadiag.state.reading import daemon, number, text
from hadiag.state.stream import Break, by_observer, placed, with_breaks
from hadiag.timeline.known import COROSYNC_START, PACEMAKER_START, STARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

CHILD_SIGNAL = "pacemakerd.child_signal"
CHILD_EXIT = "pacemakerd.child_exit"
RESPAWN = "pacemakerd.respawn"
CHILD_START = "pacemakerd.child_start"
PACEMAKER_STOP = "pacemakerd.stop"
PACEMAKER_DONE = "pacemakerd.stop_done"
FATAL = "pacemakerd.fatal"
MAIN_EXITED = "systemd.main_exited"
SIGNALLED = "corosync.main.shutdown_signal"
CLUSTER_LOST = "pcmk.cluster.lost"

SUBDAEMONS = (
    "pacemaker-attrd",
    "pacemaker-based",
    "pacemaker-controld",
    "pacemaker-execd",
    "pacemaker-fenced",
    "pacemaker-schedulerd",
)
_CRASHES = frozenset({3, 4, 6, 7, 8, 11, 31})
_SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "SEGV": 11, "TERM": 15}
_UNITS = {
    "corosync.service": "corosync",
    "pacemaker.service": "pacemakerd",
    "pacemaker_remote.service": "pacemaker-remoted",
    "sbd.service": "sbd",
}
_LIFE_EVENTS = (
    CHILD_SIGNAL,
    CHILD_EXIT,
    RESPAWN,
    CHILD_START,
    PACEMAKER_START,
    PACEMAKER_STOP,
    PACEMAKER_DONE,
    FATAL,
    MAIN_EXITED,
    SIGNALLED,
    *COROSYNC_START,
    *COROSYNC_END,
)
_DEATHS = frozenset({"killed", "crashed", "disconnected"})
_NOT_CONNECTED = frozenset({102, 107})
"""Exit status of a daemon that gave up because corosync had gone (``CRM_EX_DISCONNECT``; ``ENOTCONN`` before 2.0)."""
_RESPAWNED = 10 * NS


@dataclass(slots=True)
class _Lives:
    """Daemons of one observer while its lines are replayed."""

    timeline: Timeline
    observer: Node
    table: Intervals
    stopping: bool = False


class DaemonTracker:
    """Tables ``daemon.life``, ``daemon.end``, ``node.boot`` and ``observer.silent``."""

    consumes = frozenset({*_LIFE_EVENTS, SHUTDOWN, *STARTS})

    def views(self, given: Given) -> Iterator[View]:
        """Replay each observer's lines."""
        timeline = given.timeline
        table = Intervals("daemon.life")
        for observer, events in by_observer(placed(timeline, *_LIFE_EVENTS)).items():
            lives = _Lives(timeline, observer, table)
            for step in with_breaks(timeline, observer, events):
                _step(lives, step)
        found = tuple(table.views())
        yield from found
        yield from (_moment_of_end(view) for view in found if view.end is not None and view.value["how"] in _DEATHS)
        yield from boot_views(given)
        yield from silence_views(given)


def _moment_of_end(life: View) -> View:
    """The end of a life as a moment of its own: what led to it and what followed are counted from there."""
    return View("daemon.end", life.observer, life.end, life.end, life.value, life.closed_by, None, life.evidence)


def _step(lives: _Lives, step: Event | Break) -> None:
    if isinstance(step, Break):
        lives.stopping = False
        for key in lives.table.open_keys():
            if isinstance(key, tuple) and key[0] == lives.observer:
                _end(lives, str(key[1]), step, "unknown")
    elif step.type in COROSYNC_START:
        _begin(lives, "corosync", step)
    elif step.type == PACEMAKER_START:
        lives.stopping = False
        for name in ("pacemakerd", *SUBDAEMONS):
            _begin(lives, name, step)
    elif step.type in COROSYNC_END:
        orderly = step.type == COROSYNC_END[0]
        _end(lives, "corosync", step, "orderly" if orderly else "crashed")
    elif step.type == SIGNALLED:
        current = lives.table.current((lives.observer, "corosync")) or _assume(lives, "corosync")
        current.note(step.uid)
    else:
        _pacemaker(lives, step)


def _pacemaker(lives: _Lives, event: Event) -> None:
    name = daemon(text(event, "daemon", "process"))
    if event.type in (PACEMAKER_STOP, FATAL):
        lives.stopping = lives.stopping or event.type == PACEMAKER_STOP
    elif event.type == PACEMAKER_DONE:
        for ended in ("pacemakerd", *SUBDAEMONS):
            if lives.table.current((lives.observer, ended)) is not None or ended == "pacemakerd":
                _end(lives, ended, event, "orderly")
        lives.stopping = False
    elif event.type == CHILD_SIGNAL:
        signal = _signal(event)
        how = "orderly" if lives.stopping and signal == _SIGNALS["TERM"] else _how(signal, text(event, "core"))
        _end(lives, name, event, how, signal)
    elif event.type == CHILD_EXIT:
        _end(lives, name, event, _how_exited(lives, number(event, "status", "rc")))
    elif event.type == RESPAWN:
        _respawn(lives, name, event)
    elif event.type == CHILD_START:
        _forked(lives, event)
    elif event.type == MAIN_EXITED:
        _unit_exited(lives, event)


def _assume(lives: _Lives, name: str) -> OpenView:
    """A life whose beginning the log does not show."""
    return lives.table.open((lives.observer, name), lives.observer, None, None, _life(lives, name))


def _life(lives: _Lives, name: str) -> dict[str, Scalar]:
    return {
        "daemon": name,
        "node": str(lives.observer),
        "pid": None,
        "how": "running",
        "signal": None,
        "respawned": False,
    }


def _begin(lives: _Lives, name: str, event: Event) -> None:
    key = (lives.observer, name)
    current = lives.table.current(key)
    if current is not None and _same_start(current.start, event.at):
        current.note(event.uid)
        return
    if current is not None:
        _end(lives, name, event, "unknown")
    value = _life(lives, name)
    if daemon(event.program) == name:
        value["pid"] = event.pid
    lives.table.open(key, lives.observer, event.at, event.uid, value)


def _same_start(start: Instant | None, at: Instant | None) -> bool:
    return start is not None and at is not None and abs(at.ns - start.ns) < 5 * NS


def _end(lives: _Lives, name: str, step: Event | Break, how: str, signal: int | None = None) -> None:
    if not name:
        return
    key = (lives.observer, name)
    current = lives.table.current(key) or _assume(lives, name)
    current.value["how"], current.value["signal"] = how, signal
    if not isinstance(step, Break) and current.value["pid"] is None:
        current.value["pid"] = number(step, "pid")
    lives.table.close(key, step.at, step.uid)


def _respawn(lives: _Lives, name: str, event: Event) -> None:
    if not name or "exceeded" in event.message:
        return
    key = (lives.observer, name)
    if lives.table.current(key) is not None:
        _end(lives, name, event, "unknown")
    opened = lives.table.open(key, lives.observer, event.at, event.uid, _life(lives, name))
    opened.value["respawned"] = True


def _forked(lives: _Lives, event: Event) -> None:
    """The launcher names the process id of the daemon that it has just begun."""
    name, pid = daemon(text(event, "daemon", "daemon_old")), number(event, "pid", "pid_old")
    current = lives.table.current((lives.observer, name))
    if current is not None:
        current.value["pid"] = pid
        current.note(event.uid)


def _unit_exited(lives: _Lives, event: Event) -> None:
    name = _UNITS.get(text(event, "unit") or "")
    code = text(event, "code") or ""
    if name is None or (lives.table.current((lives.observer, name)) is None and code == "exited"):
        return
    if code in ("killed", "dumped"):
        signal = _signal(event)
        how = "crashed" if code == "dumped" else _how(signal, None)
        _end(lives, name, event, "orderly" if signal == _SIGNALS["TERM"] else how, signal)
    elif number(event, "status") not in (None, 0):
        _end(lives, name, event, "crashed")


def _signal(event: Event) -> int | None:
    found = number(event, "signal", "status")
    if found is not None:
        return found
    name = (text(event, "signame", "text", "signal") or "").upper().removeprefix("SIG")
    return _SIGNALS.get(name)


def _how_exited(lives: _Lives, status: float | None) -> str:
    if lives.stopping or status == 0:
        return "orderly"
    return "disconnected" if status in _NOT_CONNECTED else "crashed"


def _how(signal: int | None, core: str | None) -> str:
    dumped = core is not None and core.strip().lower() not in ("", "0", "false", "none")
    return "crashed" if dumped or signal in _CRASHES else "killed"


TRACKER = DaemonTracker()
