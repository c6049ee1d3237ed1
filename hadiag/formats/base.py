"""What a log is written in, and how a line becomes a ``Record``.

Two layers: an *envelope* (time, host, ident, pid) and the *message part* behind it. The message part of a daemon is
the same in its own log, in a syslog file and in the journal, so it is cut by the family of the ident
(``hadiag.formats.message``), whatever envelope it came in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from hadiag.model.entity import Level
from hadiag.model.frozen import record
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
BSD: Final = MONTH + r" [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
ISO: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
LEVEL: Final = "(?:emerg|alert|crit|error|warning|notice|info|debug|trace)"

LEVELS: Final[dict[str, Level]] = {
    **{level.word: level for level in Level},
    **{level.name: level for level in Level},
    "err": Level.ERROR,
    "ERR": Level.ERROR,
    "warn": Level.WARNING,
    "WARN": Level.WARNING,
    "critical": Level.CRIT,
    "CRITICAL": Level.CRIT,
    "FATAL": Level.CRIT,
    "DEBUG2": Level.DEBUG,
}
"""Every word for a level that daemons, agents, pcsd and crmsh print."""

_PRIORITIES: Final = (
    Level.EMERG,
    Level.ALERT,
    Level.CRIT,
    Level.ERROR,
    Level.WARNING,
    Level.NOTICE,
    Level.INFO,
    Level.DEBUG,
)


def level_of_priority(priority: str | None) -> Level | None:
    """Level of a syslog ``<PRI>`` number or a journal ``PRIORITY`` (the facility does not matter)."""
    return _PRIORITIES[int(priority) & 7] if priority else None


class Decoder(StrEnum):
    """How the bytes of a log become lines."""

    PLAIN = "plain"
    JOURNAL_JSON = "journal_json"
    JOURNAL_EXPORT = "journal_export"
    JOURNAL_VERBOSE = "journal_verbose"
    RESPELLED = "respelled"


@record
class LogKind:
    """What a log file is written in.

    ``family`` is the word of ``LogSummary``; ``formats`` are the ids of the grammars seen in its head, most frequent
    first. ``default_program`` is the program of lines that name none.
    """

    family: str
    formats: tuple[str, ...]
    decoder: Decoder = Decoder.PLAIN
    default_program: str | None = None

    @property
    def from_journal(self) -> bool:
        """True for every output of journalctl."""
        return self.made_of_entries or any(name.startswith("journal.") for name in self.formats)

    @property
    def made_of_entries(self) -> bool:
        """True for exports of a journal, whose entries become lines."""
        return self.decoder.value.startswith("journal_")

    @property
    def decoded(self) -> bool:
        """True where the lines that are read stand nowhere in the file: a place is the number of the line or entry."""
        return self.decoder is not Decoder.PLAIN

    @property
    def undated(self) -> bool:
        """True where no line prints a calendar time: ``timestamp: off``, ``dmesg``, short-monotonic."""
        return bool(self.formats) and all(name in UNDATED for name in self.formats)

    @property
    def continues(self) -> bool:
        """True where any line without a head continues the record before it."""
        return bool(self.formats) and self.formats[0].split(".", 1)[0] in {"pcsd", "crmsh"}


UNDATED: Final = frozenset({"corosync.file.nots", "dmesg.raw", "journal.monotonic"})
"""Formats without a calendar time."""


class Body(NamedTuple):
    """The message part, cut."""

    message: str
    level: Level | None = None
    function: str | None = None
    subsystem: str | None = None
    format: str | None = None
    pid: int | None = None
    uptime_ns: int | None = None


@record
class Grammar:
    """One line format: a regex anchored at both ends, and what makes a record of its match."""

    id: str
    regex: re.Pattern[str]
    read: Callable[[re.Match[str], SourceRef], Record | None]


def grammar(name: str, regex: str, read: Callable[[re.Match[str], SourceRef], Record | None]) -> Grammar:
    """Build a grammar; ``.`` matches anything but a line end, digits and letters are ASCII."""
    return Grammar(name, re.compile(regex, re.ASCII), read)


def number(text: str | None) -> int | None:
    """A pid, or None where none is printed; absurdly long digits are no pid."""
    return int(text) if text and len(text) < 11 else None
