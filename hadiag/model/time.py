"""Time as printed, and time as it was: a stamp in a log line and an aligned instant with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from hadiag.model.tri import Tri

NS = 1_000_000_000
"""Nanoseconds in a second."""

PLACEHOLDER_YEAR = 2000
"""Year of a stamp that was printed without one; a leap year, so that 29 February exists."""


class TimeBasis(StrEnum):
    """How the UTC offset (and the year) of a stamp became known; the words of the result contract."""

    IN_LOG = "in_log"
    JOURNAL = "journal"
    EPOCH_ANCHOR = "epoch_anchor"
    SNAPSHOT = "snapshot"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
