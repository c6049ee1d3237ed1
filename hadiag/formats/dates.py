"""Stamps of single lines, as printed.

Hand-sliced and memoised on the text: lines come in bursts, so most stamps were just read.  Month names are English
everywhere, as daemons format in the C locale.  A stamp that names no real moment (31 February, 25:00) is None.
``hadiag.scan.stamps`` reads the same shapes for whole blocks at once; both must agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from hadiag.model.time import NS, PLACEHOLDER_YEAR, UNITS, ZONE_OFFSETS, LoggedTime

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_EPOCH: Final = date(1970, 1, 1).toordinal()
_ZONE = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?\Z", re.ASCII)
_MEMO: Final = 4096

Read = Callable[[str, bool], LoggedTime | None]
"""Reads the stamp of a line; the flag says that a journal printed it."""


@lru_cache(_MEMO)
def _seconds(year: int, month: int, day: str, clock: str) -> int | None:
    """Seconds since 1970 of a day and ``HH:MM:SS``."""
    try:
        days = date(year, month, int(day)).toordinal() - _EPOCH
        hour, minute, second = int(clock[:2]), int(clock[3:5]), int(clock[6:8])
    except ValueError:
        return None
    if not (clock[2] == clock[5] == ":" and hour < 24 and minute < 60 and second <= 60):
        return None
    return days * 86400 + hour * 3600 + minute * 60 + second


def _fraction(text: str) -> tuple[int, int]:
    """Nanoseconds and unit of the last digit of what stands behind the point."""
    digits = text[:9]
    if not digits:
        return 0, NS
    unit = UNITS[len(digits)]
    return int(digits) * unit, unit


def zone_offset(text: str) -> int | None:
    """UTC offset in seconds of ``Z``, ``+0200``, ``+02:00``, ``+02`` or a zone name; None for names of several zones."""
    if text == "Z":
        return 0
    if text in ZONE_OFFSETS:
        return ZONE_OFFSETS[text]
    match = _ZONE.match(text)
    if not match or int(match["hours"]) > 15 or int(match["minutes"] or 0) > 59:
        return None
    seconds = int(match["hours"]) * 3600 + int(match["minutes"] or 0) * 60
    return -seconds if match["sign"] == "-" else seconds


@lru_cache(_MEMO)
def bsd(text: str, journal: bool = False) -> LoggedTime | None:
    """``Nov  2 10:09:24`` or ``Nov 02 10:09:24.085``: without a year."""
    seconds = _seconds(PLACEHOLDER_YEAR, _MONTHS.get(text[:3], 0), text[4:6].lstrip(), text[7:15])
    if seconds is None:
        return None
    nanos, unit = _fraction(text[16:])
    return LoggedTime(text, seconds * NS + nanos, resolution_ns=unit, from_journal=journal)


def _dated(
    text: str, head: str, fraction: str, *, offset: int | None = None, journal: bool = False
) -> LoggedTime | None:
    """A stamp whose first 19 characters are ``YYYY?MM?DD?HH:MM:SS``."""
    year, month = int(head[:4]), int(head[5:7])
    seconds = _seconds(year, month, head[8:10], head[11:19]) if 1970 <= year < 2200 else None
    if seconds is None:
        return None
    nanos, unit = _fraction(fraction)
    return LoggedTime(text, seconds * NS + nanos, True, offset, unit, journal)


_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,](?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:?\d\d)?\Z", re.ASCII
)
_FULL = re.compile(
    r"[A-Z][a-z]{2} (?P<head>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))? (?P<zone>\S+)\Z", re.ASCII
)
_SLASH = re.compile(r"\d{4}/\d\d/\d\d_\d\d:\d\d:\d\d\Z", re.ASCII)
_DMESG = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d) (?P<year>\d{4})\Z", re.ASCII
)
_ACCESS = re.compile(
    r"(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):(?P<clock>\d\d:\d\d:\d\d) (?P<zone>\S+)\Z", re.ASCII
)
_COUNTED = re.compile(r"(?P<seconds>\d{1,10})\.(?P<fraction>\d{1,9})\Z", re.ASCII)


@lru_cache(_MEMO)
def iso(text: str, journal: bool = False) -> LoggedTime | None:
    """ISO 8601 with or without fraction and offset, ``T`` or a blank between date and time."""
    match = _ISO.match(text)
    if not match:
        return None
    offset = zone_offset(match["zone"]) if match["zone"] else None
    return _dated(text, text, match["fraction"] or "", offset=offset, journal=journal)


@lru_cache(_MEMO)
def full(text: str, journal: bool = False) -> LoggedTime | None:
    """``Sun 2026-11-22 10:09:24.085123 CET`` of journalctl; a name of several zones (CST) gives no offset."""
    match = _FULL.match(text)
    if not match:
        return None
    return _dated(text, match["head"], match["fraction"] or "", offset=zone_offset(match["zone"]), journal=journal)


@lru_cache(_MEMO)
def slash(text: str, journal: bool = False) -> LoggedTime | None:
    """``2010/05/09_12:10:40`` of heartbeat and old resource agents."""
    return _dated(text, text, "", journal=journal) if _SLASH.match(text) else None


def _named(text: str, match: re.Match[str] | None, offset: int | None) -> LoggedTime | None:
    if not match or not 1970 <= int(match["year"]) < 2200:
        return None
    month, day = _MONTHS.get(match["month"], 0), match["day"].lstrip()
    seconds = _seconds(int(match["year"]), month, day, match["clock"])
    return None if seconds is None else LoggedTime(text, seconds * NS, has_year=True, utc_offset_s=offset)


@lru_cache(_MEMO)
def ctime(text: str, journal: bool = False) -> LoggedTime | None:  # noqa: ARG001 - the signature of Read
    """``Tue May  7 13:33:20 2024`` of ``dmesg -T`` and ``cib-last-written``."""
    return _named(text, _DMESG.match(text), None)


@lru_cache(_MEMO)
def access(text: str, journal: bool = False) -> LoggedTime | None:  # noqa: ARG001 - the signature of Read
    """``22/May/2019:11:59:45 +0000`` of WEBrick."""
    match = _ACCESS.match(text)
    return _named(text, match, zone_offset(match["zone"]) if match else None)


@lru_cache(_MEMO)
def epoch(text: str, journal: bool = False) -> LoggedTime | None:
    """``1715081600.123456``: seconds since 1970, in UTC."""
    match = _COUNTED.match(text)
    if not match:
        return None
    nanos, unit = _fraction(match["fraction"])
    return LoggedTime(text, int(match["seconds"]) * NS + nanos, True, 0, unit, journal)


def uptime_ns(text: str) -> int | None:
    """Nanoseconds since boot of ``1415.227237`` or ``1415``."""
    whole, _, fraction = text.strip().partition(".")
    if not whole.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    return int(whole[:12]) * NS + _fraction(fraction)[0]
