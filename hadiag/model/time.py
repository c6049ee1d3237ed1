"""Time as printed, and time as it was: a stamp in a log line and an aligned instant with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from hadiag.model.frozen import frozen
from hadiag.model.tri import Tri

NS = 1_000_000_000
"""Nanoseconds in a second."""

UNITS: Final[tuple[int, ...]] = tuple(int(10 ** (9 - digits)) for digits in range(10))
"""Unit in ns of the last digit of a stamp, by the number of digits of its fraction; kept once for all stamps."""

PLACEHOLDER_YEAR = 2000
"""Year of a stamp that was printed without one; a leap year, so that 29 February exists."""


ZONE_OFFSETS: Final[Mapping[str, int]] = {
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "WEST": 3600,
    "BST": 3600,
    "CET": 3600,
    "CEST": 7200,
    "MET": 3600,
    "MEST": 7200,
    "EET": 7200,
    "EEST": 10800,
    "WAT": 3600,
    "CAT": 7200,
    "SAST": 7200,
    "EAT": 10800,
    "IDT": 10800,
    "PKT": 18000,
    "WIB": 25200,
    "WITA": 28800,
    "WIT": 32400,
    "HKT": 28800,
    "AWST": 28800,
    "JST": 32400,
    "KST": 32400,
    "ACST": 34200,
    "ACDT": 37800,
    "AEST": 36000,
    "AEDT": 39600,
    "ChST": 36000,
    "NZST": 43200,
    "NZDT": 46800,
    "NST": -12600,
    "NDT": -9000,
    "AST": -14400,
    "ADT": -10800,
    "EST": -18000,
    "EDT": -14400,
    "CDT": -18000,
    "MST": -25200,
    "MDT": -21600,
    "PST": -28800,
    "PDT": -25200,
    "AKST": -32400,
    "AKDT": -28800,
    "HST": -36000,
    "HDT": -32400,
    "SST": -39600,
}
"""UTC offset in seconds of zone names that mean one offset. CST, IST and MSK mean several, so they tell nothing."""


class TimeBasis(StrEnum):
    """How the UTC offset (and the year) of a stamp became known; the words of the result contract."""

    IN_LOG = "in_log"
    JOURNAL = "journal"
    EPOCH_ANCHOR = "epoch_anchor"
    SNAPSHOT = "snapshot"
    ASSUMED = "assumed"


@frozen
class LoggedTime:
    """A stamp as a log line prints it, before zone, year and clock are resolved.

    ``wall_ns`` is the printed calendar time read as if it were UTC, in ns since the epoch, in
    ``PLACEHOLDER_YEAR`` where ``has_year`` is false. ``utc_offset_s`` is the offset that the line itself
    states (0 for epoch stamps), else None. ``resolution_ns`` is the unit of the last printed digit.
    """

    text: str
    wall_ns: int
    has_year: bool = False
    utc_offset_s: int | None = None
    resolution_ns: int = NS
    from_journal: bool = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle as the call that makes it: between processes there are many of them."""
        return LoggedTime, (
            self.text,
            self.wall_ns,
            self.has_year,
            self.utc_offset_s,
            self.resolution_ns,
            self.from_journal,
        )


@frozen
class Instant:
    """An aligned UTC time in ns and the half-width of its uncertainty.

    ``err_ns`` None means that the error is unknown (a clock without any anchor): the order of such an
    instant against one of another node is always UNKNOWN. ``logged`` is the stamp exactly as printed.
    """

    ns: int
    err_ns: int | None
    logged: str
    basis: TimeBasis

    def before(self, other: Instant) -> Tri:
        """Tell whether this instant is certainly earlier than ``other`` (clocks of different nodes)."""
        if self.err_ns is None or other.err_ns is None:
            return Tri.UNKNOWN
        slack = self.err_ns + other.err_ns
        if self.ns + slack < other.ns:
            return Tri.TRUE
        if self.ns > other.ns + slack:
            return Tri.FALSE
        return Tri.UNKNOWN


def iso_utc(ns: int) -> str:
    """Format ns since the epoch as ISO 8601 in UTC with milliseconds and ``Z``."""
    seconds, rest = divmod(ns, NS)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{rest // 1_000_000:03d}Z"


def from_iso(text: str) -> int:
    """Read an ISO 8601 time (``Z`` or an offset; UTC where there is none) as ns since the epoch."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
