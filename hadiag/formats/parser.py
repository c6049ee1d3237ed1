"""The parser of lines: every grammar, the last successful one first.

Mixed files are normal (corosync.log of RHEL 7 holds corosync, pacemaker 1.1 and resource agents), so the grammar is
found for each line; lines come in stretches of one writer, so the last one mostly fits.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from hadiag.formats import agents, corosync, daemons, kernel, pacemaker, pcsd, syslog
from hadiag.formats.base import Grammar, LogKind
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef

MAX_CHARACTERS: Final = 8192
"""Characters of a line that are looked at."""

_NOWHERE: Final = SourceRef(BundleId(""), "", 0, 0, 0)
_ANSI = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")


def is_note(line: str) -> bool:
    """Tell a line that journalctl adds: ``-- Boot …``, ``-- Reboot --``, ``-- No entries --``, texts of the catalogue."""
    return line.startswith(("-- ", "\u2591")) or line == "--"


def clean(line: str) -> str:
    """The line without its end, colours, NUL bytes and byte order mark, cut to ``MAX_CHARACTERS``."""
    line = line[:MAX_CHARACTERS].rstrip("\r\n")
    if "\x1b" in line:
        line = _ANSI.sub("", line)
    if "\0" in line:
        parts = [part for part in line.split("\0") if part]
        line = parts[-1] if parts else ""
    return line.removeprefix("\ufeff")


class LineParser:
    """Parses the lines of one log.

    ``seen`` counts the records of each format, in the order of their first line.
    """

    def __init__(self, kind: LogKind) -> None:
        self.kind = kind
        self.seen: dict[str, int] = {}
        journal = kind.from_journal
        self._order = list(_grammars(kind, journal=journal))
        self._fallbacks = syslog.fallbacks(journal=journal)

    def parse(self, line: str, ref: SourceRef) -> Record | None:
        """Read one line; None where it is no head of a record: a continuation, a note, or unknown."""
        line = clean(line)
        record = self._head(line, ref) or self._unusual(line, ref)
        if record is None:
            return None
        if record.program is None and self.kind.default_program:
            record = replace(record, program=self.kind.default_program)
        self.seen[record.format] = self.seen.get(record.format, 0) + 1
        return record

    def is_head(self, line: str) -> bool:
        """Tell whether a line starts a record, without counting it."""
        return (self._head(clean(line), _NOWHERE) or self._unusual(clean(line), _NOWHERE)) is not None

    def _head(self, line: str, ref: SourceRef) -> Record | None:
        for index, candidate in enumerate(self._order):
            match = candidate.regex.match(line)
            if match and (record := candidate.read(match, ref)):
                if index:
                    self._order.insert(0, self._order.pop(index))
                return record
        return None

    def _unusual(self, line: str, ref: SourceRef) -> Record | None:
        """Lines that a collector forwarded, and lines without an ident."""
        if is_note(line):
            return None
        for inner in (syslog.without_relay(line), syslog.without_quote(line)):
            if len(inner) < len(line) and (record := self._head(inner, ref)):
                return record
        for candidate in self._fallbacks:
            match = candidate.regex.match(line)
            if match and (record := candidate.read(match, ref)):
                return record
        return None


@lru_cache(256)  # every file asks for them, and most are of a few kinds
def _grammars(kind: LogKind, *, journal: bool) -> tuple[Grammar, ...]:
    """All grammars, those of the kind first; the two readings of ``[ uptime]`` exclude each other."""
    if kind.made_of_entries:
        return (syslog.canonical(kind.formats[0]),)
    uptime = kernel.MONOTONIC if "journal.monotonic" in kind.formats else kernel.DMESG
    every = [
        *pacemaker.GRAMMARS,
        *corosync.GRAMMARS,
        *agents.GRAMMARS,
        *pcsd.GRAMMARS,
        *daemons.GRAMMARS,
        *kernel.GRAMMARS,
        *syslog.envelopes(journal=journal),
        uptime,
    ]
    rank = {name: index for index, name in enumerate(kind.formats)}
    return tuple(sorted(every, key=lambda each: rank.get(each.id, len(rank))))
