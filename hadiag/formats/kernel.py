"""The kernel's ring buffer, as ``dmesg`` and ``journalctl -o short-monotonic`` print it.

::

    <6>[    0.000000] Linux version 5.14.0
    [57154.616958] drbd nfs node2: helper command: /sbin/drbdadm disconnected
    [Tue May  7 13:33:20 2024] drbd r0: PingAck did not arrive in time.
    2024-05-07T13:33:20,123456+02:00 drbd r0: PingAck did not arrive in time.

Time since boot is no calendar time: ``uptime_ns`` is set and ``time`` is not.  The dates of ``dmesg -T`` are computed
from the boot time and may be off by hours after a suspend or a step of the clock.
"""

from __future__ import annotations

import re
from typing import Final

from hadiag.formats.base import LEVELS, Grammar, grammar, level_of_priority, number
from hadiag.formats.dates import ctime, iso, uptime_ns
from hadiag.formats.message import cut_message
from hadiag.model.record import Record
from hadiag.model.source import SourceRef
from hadiag.model.time import LoggedTime

_PRI: Final = r"(?:<(?P<pri>\d{1,3})>)?(?:[a-z]+\d? *:(?P<word>[a-z]+) *: )?"
_CALLER: Final = r"(?:\[ *[TC]\d+\])?"


def _record(match: re.Match[str], ref: SourceRef, name: str, time: LoggedTime | None, uptime: int | None) -> Record:
    level = LEVELS.get(match["word"]) if match["word"] else level_of_priority(match["pri"])
    text = match["msg"].strip()
    return Record(ref, name, time, None, "kernel", None, level, None, text, uptime_ns=uptime)


def _raw(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "dmesg.raw", None, uptime_ns(match["mono"]))


def _ctime(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = ctime(match["ts"])
    return _record(match, ref, "dmesg.T", time, None) if time else None


def _iso(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = iso(match["ts"])
    return _record(match, ref, "dmesg.iso", time, None) if time else None


def _monotonic(match: re.Match[str], ref: SourceRef) -> Record | None:
    ident = match["ident"]
    body, repeated = cut_message(ident, match["msg"])
    return Record(
        ref,
        "journal.monotonic",
        None,
        match["host"],
        ident,
        number(match["pid"]),
        body.level,
        body.function,
        body.message,
        subsystem=body.subsystem,
        repeated=repeated,
        uptime_ns=uptime_ns(match["mono"]),
    )


DMESG: Final = grammar("dmesg.raw", rf"{_PRI}\[ *(?P<mono>\d+\.\d{{6}})\]{_CALLER} ?(?P<msg>.*)\Z", _raw)
MONOTONIC: Final = grammar(
    "journal.monotonic",
    r"\[ *(?P<mono>\d+\.\d{6})\] (?P<host>\S+) (?P<ident>[^\s\[:]{1,128}(?:\([^)]{0,128}\))?)(?:\[(?P<pid>\d+)\])?: "
    r"?(?P<msg>.*)\Z",
    _monotonic,
)
GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar(
        "dmesg.T",
        rf"{_PRI}\[(?P<ts>[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d \d{{4}})\]{_CALLER} ?(?P<msg>.*)\Z",
        _ctime,
    ),
    grammar(
        "dmesg.iso",
        rf"{_PRI}(?P<ts>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{{6}}[+-]\d\d:\d\d){_CALLER} ?(?P<msg>.*)\Z",
        _iso,
    ),
)
