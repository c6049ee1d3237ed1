"""Log entries: what a line format reads from a line, and what one log file covers."""

from __future__ import annotations

from hadiag.model.entity import Level
from hadiag.model.frozen import frozen, record
from hadiag.model.source import BundleId, SourceRef
from hadiag.model.time import LoggedTime


@frozen
class Record:
    """One log entry with its envelope taken off; continuation lines are joined by newlines.

    ``message`` is the text without envelope, level, function and ``[SUBSYS]``; ``details`` the text behind the
    last `` | `` that pacemaker writes to its own log only. ``program`` is the daemon as printed. ``level`` is None
    where none is printed. ``subsystem`` is corosync's. ``repeated`` is the number of times that a ``message repeated
    N times`` line stands for. ``uptime_ns`` is the time since boot that kernel and dlm_controld lines print.
    """

    ref: SourceRef
    format: str
    time: LoggedTime | None
    host: str | None
    program: str | None
    pid: int | None
    level: Level | None
    function: str | None
    message: str
    details: str | None = None
    subsystem: str | None = None
    repeated: int = 1
    uptime_ns: int | None = None


@record
class StampRun:
    """A stretch of a log file whose printed stamps never run back by more than the tolerance.

    ``first`` and ``last`` are the stamps of its first and last line, ``first_line`` and ``last_line`` their lines.
    A new run begins where time runs back (roll-over of the year, end of DST, clock step, merged file).
    """

    first: LoggedTime
    last: LoggedTime
    first_line: int
    last_line: int


@record
class PrintedGap:
    """Two neighbouring lines whose stamps are far apart; wall times in ns as in ``LoggedTime.wall_ns``."""

    start_wall_ns: int
    end_wall_ns: int
    line: int


@record
class WallStep:
    """A jump of the wall clock that a journal itself measures, against the time since boot, which nobody sets.

    ``before_ns`` and ``after_ns`` are the wall clock's times (UTC) in the last entry before it and in the first behind it, which
    is ``line``; ``by_ns`` is its size, positive forward; ``boot`` and ``uptime_ns`` are those of the entry behind it.
    """

    line: int
    before_ns: int
    after_ns: int
    by_ns: int
    boot: str
    uptime_ns: int


@record
class BootSpan:
    """What a journal holds of one boot: lines, wall times (UTC) and times since boot of its first and its last entry."""

    boot: str
    first_line: int
    last_line: int
    first_ns: int
    last_ns: int
    first_uptime_ns: int
    last_uptime_ns: int


@record
class LogSummary:
    """What one log file holds, from the stamps of all its lines.

    ``family`` is ``corosync``, ``pacemaker``, ``pcsd``, ``system`` (syslog), ``journal``, ``kernel``, ``sbd``,
    ``qdevice`` …; ``hosts`` are the host columns seen with their number of lines; ``recognised`` counts the lines
    that are a known event.
    """

    bundle: BundleId
    path: str
    family: str
    node_hint: str | None
    hosts: tuple[tuple[str, int], ...]
    formats: tuple[str, ...]
    lines: int
    unparsed: int
    recognised: int
    runs: tuple[StampRun, ...]
    gaps: tuple[PrintedGap, ...] = ()
    truncated: bool = False
    mtime: int | None = None
    nul_bytes: bool = False
    aliases: tuple[str, ...] = ()
    """Further paths of the same content in the input (hard links, links inside an archive)."""
    steps: tuple[WallStep, ...] = ()
    boots: tuple[BootSpan, ...] = ()
    """Of a journal whose entries tell the time since boot; so are ``steps``."""
