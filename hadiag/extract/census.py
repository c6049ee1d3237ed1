"""How much of a log hadiag knows: every line is parsed and asked, not only those that the scan reports."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from hadiag.catalogue import Catalogue, Matcher
from hadiag.catalogue.programs import canonical
from hadiag.extract.unknowns import UnknownMessages, UnknownTemplate
from hadiag.formats import LineParser, LogKind, decode, read_entry
from hadiag.model.entity import Level
from hadiag.model.record import Record
from hadiag.model.source import Artifact
from hadiag.scan.blocks import Block, read_blocks
from hadiag.scan.database import LEVELS, Database
from hadiag.scan.stream import Rejoined

LEAST: Final = Level.NOTICE
"""Lines of this level or worse are counted as those that should be known."""


@dataclass(slots=True)
class Tally:
    """Lines of one program: at notice or worse, at warning or worse, without a printed level, and how many of each are an event."""

    graded: int = 0
    graded_known: int = 0
    severe: int = 0
    severe_known: int = 0
    plain: int = 0
    plain_known: int = 0

    def add(self, other: Tally) -> None:
        """Add the lines of another log."""
        self.graded += other.graded
        self.graded_known += other.graded_known
        self.severe += other.severe
        self.severe_known += other.severe_known
        self.plain += other.plain
        self.plain_known += other.plain_known

    @property
    def share(self) -> float | None:
        """Part of the lines at notice or worse that is an event; None where there are none."""
        return self.graded_known / self.graded if self.graded else None


@dataclass(slots=True)
class Census:
    """The tallies of one or more logs by program, and the messages that are no event."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    unknowns: list[UnknownTemplate] = field(default_factory=list)

    def add(self, other: Census) -> None:
        """Add another log."""
        for program, tally in other.tallies.items():
            self.tallies.setdefault(program, Tally()).add(tally)
        self.unknowns.extend(other.unknowns)


def take_census(artifact: Artifact, head: bytes, kind: LogKind, database: Database, catalogue: Catalogue) -> Census:
    """Count what is known of a log.

    Args:
        artifact: the log; its stream stands behind ``head``.
        head: what was already read of it to tell its kind.
        kind: what the log is written in.
        database: the pattern database of ``catalogue``.
        catalogue: the event types.
    """
    stream = cast(BinaryIO, io.BufferedReader(Rejoined(head, artifact.stream), 1 << 16))
    parser, matcher, census = LineParser(kind), Matcher(catalogue), Census()
    unknown = UnknownMessages(artifact.node_hint, kind.family)
    for block in read_blocks(decode(kind, stream)):
        hits = _hits(block, database)
        for index in range(block.count):
            record = read_entry(parser, block, index, artifact.bundle, artifact.path)
            if record is None:
                continue
            known = _known(matcher, record, hits.get(index, ()))
            _count(census.tallies.setdefault(_name(record), Tally()), record, known=known)
            if not known and record.level is not None and record.level >= LEAST:
                unknown.add(record, record.level, record.message)
    census.unknowns.extend(unknown.templates())
    return census


def _name(record: Record) -> str:
    return canonical(record.program) if record.program else "(no program)"


def _count(tally: Tally, record: Record, *, known: bool) -> None:
    if record.level is None:
        tally.plain += 1
        tally.plain_known += known
    elif record.level >= LEAST:
        tally.graded += 1
        tally.graded_known += known
        if record.level >= Level.WARNING:
            tally.severe += 1
            tally.severe_known += known


def _hits(block: Block, database: Database) -> dict[int, list[int]]:
    """By the index of the line, the patterns that may match it."""
    found: dict[int, list[int]] = {}
    for number, index in database.scan(block.data):
        if number != LEVELS:
            found.setdefault(index, []).extend(database.patterns[number])
    return found


def _known(matcher: Matcher, record: Record, candidates: Iterable[int]) -> bool:
    """Whether the entry is an event: its first line alone as in an analysis, or with the lines that continue it."""
    messages = dict.fromkeys((record.message.partition("\n")[0], record.message))
    return any(matcher.match(record.program, message, record.details, candidates) for message in messages)
