"""Syslog files and the short outputs of journalctl: ``time host ident[pid]: message``.

::

    Feb  7 14:57:43 node4 corosync[10737]:   [TOTEM ] A new membership (4.b1) was formed. Members left: 3
    2019-03-18T17:09:49.376212+08:00 node2 pacemaker-based[1863]:  notice: Disconnected from Corosync
    <29>1 2024-05-07T13:33:20.123456+02:00 node1 pacemaker-controld 2165 - -  notice: State transition S_IDLE -> S_…

A collector that receives lines from elsewhere may put its own time and host in front of the whole line: then the inner
line counts. A line with a stamp but without an ident (``-- MARK --``) is a record without a program.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from hadiag.formats import dates
from hadiag.formats.base import BSD, ISO, LEVELS, Grammar, grammar, level_of_priority, number
from hadiag.formats.dates import Read
from hadiag.formats.message import cut_message
from hadiag.model.entity import Level
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

_PRI: Final = r"(?:<(?P<pri>\d{1,3})>)?"
_NOT_HOST: Final = r"(?!(?:emerg|alert|crit|error|warning|notice|info|debug|trace) )"
# "[RPM][3339]", "su(to root)", "IPaddr2(vip:0)", "(systemd)"; last a tag that a relay cut inside its parentheses
_IDENT: Final = (
    r"(?!\d{4}-\d\d-\d\dT)(?P<ident>(?:\[[^\]\s]{0,128}\])?"
    r"(?:[^\s\[:(]{1,128}(?:\([^)]{0,128}\))?|\([^)]{1,128}\)|[^\s\[:(]{1,128}\([^\s\[:)]{0,128})|\[[^\]\s]{0,128}\])"
)
# templates of rsyslog and busybox that print "<daemon.warning>" or "daemon.info" behind the host
_SEVERITY: Final = (
    r"(?:(?:<[a-z]+\d?\.(?P<sev>[a-z]+)>|(?:kern|user|daemon|auth|authpriv|syslog|cron|local\d)\.(?P<sev2>[a-z]+)) )?"
)
_TAIL: Final = rf" {_NOT_HOST}(?P<host>[^\s\[]\S*)(?<!:) {_SEVERITY}{_IDENT}(?:\[(?P<pid>\d+)\])?: ?(?P<msg>.*)\Z"
# dmesg --time-format iso is told from syslog by its comma before six digits
_STAMP: Final = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:(?:\.\d{1,9}|,\d{1,5}|,\d{7,9})?(?:Z|[+-]\d\d:?\d\d)?|,\d{6}[+-]\d{4})"
)
# A relay cuts the tag at 32 characters: "SAPHanaTopology(rsc_SAPHanaTopol INFO: message"
_CUT_TAG: Final = (
    r" (?P<host>\S+) (?P<ident>[\w.-]{1,31}\([^\s()\[]{0,31})(?P<pid>)\s+"
    r"(?P<msg>(?:CRIT|ERROR|WARNING|WARN|INFO|DEBUG): .*)\Z"
)
_UNTAGGED: Final = rf" {_NOT_HOST}(?P<host>[A-Za-z0-9][^\s\[:=]*) (?P<msg>[^\s\[].*)\Z"
# the host was cut out: "May  7 13:33:20 corosync[2161]:   [TOTEM ] message"
_HOSTLESS: Final = (
    r" (?P<ident>[A-Za-z][\w.-]{0,127}(?:\([^)]{1,128}\))?)(?P<host>)(?:\[(?P<pid>\d+)\]|(?<= kernel)): ?(?P<msg>.*)\Z"
)
_FULL: Final = r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [A-Z0-9+-]+"
_RELAY = re.compile(rf"(?:<\d{{1,3}}>)?(?:{BSD}|{ISO}) [^\s\[]\S* (?=(?:<\d{{1,3}}>)?(?:{BSD}|{ISO}) )", re.ASCII)

_QUOTE = re.compile(
    rf"(?:(?:> ?){{1,8}}|\d{{1,9}}[ :\t-]\s?|[\w./@-]{{1,256}}:(?:\d{{1,9}}:)?\s?)(?=(?:<\d{{1,3}}>)?(?:{BSD}|{ISO}) )",
    re.ASCII,
)

_MAX_RELAYS: Final = 3

Reader = Callable[[re.Match[str], SourceRef], Record | None]


def _tagged(name: str, read: Read, *, journal: bool) -> Reader:
    def record(match: re.Match[str], ref: SourceRef) -> Record | None:
        time = read(match["ts"], journal)
        if time is None:
            return None
        ident, pid = match["ident"].removesuffix(".service"), match["pid"]  # -o with-unit names the unit
        body, repeated = cut_message(ident, match["msg"], has_pid=bool(pid))
        level = body.level if body.level is not None else _stated(match)
        return Record(
            ref,
            _named(name, ident, body.format),
            time,
            match["host"] or None,
            ident or None,
            number(pid) if pid else body.pid,
            level,
            body.function,
            body.message,
            None,
            body.subsystem,
            repeated,
            body.uptime_ns,
        )

    return record


def _stated(match: re.Match[str]) -> Level | None:
    """Level that the envelope states: in front of the stamp, or behind the host."""
    groups = match.groupdict()
    word = groups.get("sev") or groups.get("sev2")
    return LEVELS.get(word) if word else level_of_priority(match["pri"])


def _named(name: str, ident: str, inner: str | None) -> str:
    """Format id of the line: that of the envelope, but crmsh and heartbeat write the same layout on their own."""
    if inner == "heartbeat.syslog":
        return inner
    return "crmsh.log" if ident.startswith("crmsh.") else name


def _untagged(name: str, read: Read, *, journal: bool) -> Reader:
    def record(match: re.Match[str], ref: SourceRef) -> Record | None:
        time = read(match["ts"], journal)
        if time is None:
            return None
        level = level_of_priority(match["pri"])
        return Record(ref, name, time, match["host"], None, None, level, None, match["msg"].strip())

    return record


def _rfc5424(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = dates.iso(match["ts"])
    if time is None:
        return None
    ident = "" if match["ident"] == "-" else match["ident"]
    body, repeated = cut_message(ident, match["msg"] or "")
    level = body.level if body.level is not None else level_of_priority(match["pri"])
    pid = number(match["pid"]) if match["pid"].isdecimal() else body.pid
    record = Record(ref, "syslog.5424", time, match["host"], ident or None, pid, level, body.function, body.message)
    return replace(record, subsystem=body.subsystem, repeated=repeated, uptime_ns=body.uptime_ns)


_RFC5424: Final = grammar(
    "syslog.5424",
    r"<(?P<pri>\d{1,3})>1 (?P<ts>\S+) (?P<host>\S+) (?P<ident>\S+) (?P<pid>\S+) (?P<msgid>\S+) "
    r"(?P<sd>-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: \ufeff?(?P<msg>.*))?\Z",
    _rfc5424,
)


@cache
def envelopes(*, journal: bool) -> tuple[Grammar, ...]:
    """The grammars of syslog files, or those of journalctl's short outputs: same layout, other names and stamps."""
    short, iso = ("journal.short", "journal.iso") if journal else ("syslog.bsd", "syslog.iso")
    plain: tuple[tuple[str, str, Read], ...] = ((short, BSD, dates.bsd), (iso, _STAMP, dates.iso))
    own = (("journal.full", _FULL, dates.full), ("journal.unix", r"\d{9,10}\.\d{6}", dates.epoch))
    return (
        _RFC5424,
        *(
            grammar(name, rf"{_PRI}(?P<ts>{ts}){_TAIL}", _tagged(name, read, journal=journal))
            for name, ts, read in plain
        ),
        *(grammar(name, rf"(?P<pri>)(?P<ts>{ts}){_TAIL}", _tagged(name, read, journal=True)) for name, ts, read in own),
        *(
            grammar(name, rf"{_PRI}(?P<ts>{ts}){_CUT_TAG}", _tagged(name, read, journal=journal))
            for name, ts, read in plain
        ),
    )


@cache
def canonical(name: str) -> Grammar:
    """The grammar of the lines that a decoded journal becomes, under the format id of the journal."""
    return grammar(name, rf"{_PRI}(?P<ts>{ISO}){_TAIL}", _tagged(name, dates.iso, journal=True))


@cache
def fallbacks(*, journal: bool) -> tuple[Grammar, ...]:
    """Lines with a time but no host, or a host but no ident; tried only when nothing else fits."""
    names = ("journal.short", "journal.iso") if journal else ("syslog.bsd", "syslog.iso")
    stamps: tuple[tuple[str, Read], ...] = ((BSD, dates.bsd), (_STAMP, dates.iso))
    kinds = tuple((name, stamp, read) for name, (stamp, read) in zip(names, stamps, strict=True))
    return (
        *(grammar(n, rf"{_PRI}(?P<ts>{ts}){_HOSTLESS}", _tagged(n, read, journal=journal)) for n, ts, read in kinds),
        *(grammar(n, rf"{_PRI}(?P<ts>{ts}){_UNTAGGED}", _untagged(n, read, journal=journal)) for n, ts, read in kinds),
    )


def without_quote(line: str) -> str:
    """The line without what mail, editors and grep put in front: ``> ``, a line number, the name of a file or node."""
    match = _QUOTE.match(line)
    return line[match.end() :] if match else line


def without_relay(line: str) -> str:
    """The line without the times and hosts that collectors put before its own time and host."""
    for _ in range(_MAX_RELAYS):
        match = _RELAY.match(line)
        if not match:
            break
        line = line[match.end() :]
    return line
