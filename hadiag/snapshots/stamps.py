"""Times that snapshots print, and what they tell of the clock of their host.

::

    Sun Nov 22 10:10:55 2026              ctime(3): corosync-quorumtool, crm_mon
    Sun Nov 22 10:10:55 AM CET 2026       date(1)
    2026-11-22 10:10:55 +01:00            pacemaker since 2.0
    Sun 2026-11-22 10:39:57 UTC           systemd
    Sun, 22 Nov 2026 10:10:55 +0100       date -R
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.time import NS, iso_utc
from hadiag.snapshots.base import Source

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,?"
_CLOCK = r"(?P<clock>\d{1,2}:\d\d:\d\d)(?:[.,]\d+)?(?: (?P<half>[AP]M))?"
_ZONE = r"(?: ?(?P<zone>Z|[+-]\d\d(?::?\d\d)?|[A-Z][A-Za-z]{1,4}))?"
_SHAPES = (
    re.compile(rf"{_DAY} (?P<month>[A-Z][a-z]{{2}}) +(?P<day>\d{{1,2}}) {_CLOCK}{_ZONE} (?P<year>\d{{4}})"),
    re.compile(rf"(?:{_DAY} )?(?P<day>\d{{1,2}}) (?P<month>[A-Z][a-z]{{2}})\w* (?P<year>\d{{4}}),? {_CLOCK}{_ZONE}"),
    re.compile(rf"(?:{_DAY} )?(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[ T]{_CLOCK}{_ZONE}"),
)
_OFFSETS = {
    **dict.fromkeys(("Z", "UTC", "GMT", "WET"), 0.0),
    **dict.fromkeys(("CET", "WEST", "MEZ"), 1.0),
    **dict.fromkeys(("CEST", "EET", "SAST", "MESZ"), 2.0),
    **dict.fromkeys(("EEST", "MSK"), 3.0),
    "HKT": 8.0,
    "AWST": 8.0,
    "JST": 9.0,
    "KST": 9.0,
    "ACST": 9.5,
    "AEST": 10.0,
    "AEDT": 11.0,
    "NZST": 12.0,
    "NZDT": 13.0,
    "EDT": -4.0,
    "EST": -5.0,
    "CDT": -5.0,
    "MDT": -6.0,
    "MST": -7.0,
    "PDT": -7.0,
    "PST": -8.0,
    "AKST": -9.0,
    "HST": -10.0,
}
"""UTC offsets in hours of abbreviations that tzdata uses for one offset only (CST, IST and BST are left out)."""

_QUARTER_S = 900
_FAR_S = 14 * 3600
_WRITTEN_WITHIN_S = 20
"""A command's output is written so soon after it read the clock."""


@record
class Moment:
    """A printed time: wall time in ns as if it were UTC, the UTC offset in s where the text states one, and the text."""

    wall_ns: int
    offset_s: int | None
    text: str

    @property
    def utc_ns(self) -> int | None:
        """UTC, None where no offset is known."""
        return None if self.offset_s is None else self.wall_ns - self.offset_s * NS


def read_moment(text: str) -> Moment | None:
    """Find the first time in a text; None where there is none or where it names no real moment."""
    found = sorted(
        (m for m in (shape.search(text[:400]) for shape in _SHAPES) if m), key=lambda m: (m.start(), -m.end())
    )
    return _moment(found[0]) if found else None


def _moment(match: re.Match[str]) -> Moment | None:
    month = match["month"]
    number = int(month) if month.isdigit() else _MONTHS.get(month[:3].lower(), 0)
    hour, minute, second = (int(part) for part in match["clock"].split(":"))
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] == "PM" else 0)
    try:
        wall = datetime(int(match["year"]), number, int(match["day"]), hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return Moment(int(wall.timestamp()) * NS, _offset(match["zone"]), match[0])


def _offset(zone: str | None) -> int | None:
    if not zone:
        return None
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        size = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        return None if size > _FAR_S else (-size if zone[0] == "-" else size)
    hours = _OFFSETS.get(zone)
    return None if hours is None else int(hours * 3600)


def with_zone_of_file(source: Source, moment: Moment) -> Moment:
    """Give a time without zone the offset that the file's own time of change implies.

    A command's output is written at once, and archives keep the time of change in UTC: the difference is the offset if it
    is a whole number of quarters of an hour. A copy that lost its time of change nearly never fits.
    """
    if moment.offset_s is not None or source.mtime is None:
        return moment
    apart = moment.wall_ns // NS - source.mtime
    offset = round(apart / _QUARTER_S) * _QUARTER_S
    if abs(offset) > _FAR_S or abs(apart - offset) > _WRITTEN_WITHIN_S:
        return moment
    return Moment(moment.wall_ns, offset, moment.text)


def clock_fact(source: Source, moment: Moment, line: int) -> Fact:
    """The ``host.time`` fact of a host's own clock; ``utc_ns`` is None where its zone is not known."""
    values = {
        "utc_ns": moment.utc_ns,
        "wall": iso_utc(moment.wall_ns)[:19],
        "wall_ns": moment.wall_ns,
        "text": moment.text,
    }
    return source.fact("host.time", values, line, moment.utc_ns, moment.text)
