"""From a log to its events: the scan tells which lines matter, and only these are parsed.

For each block of the log: the stamps of all lines are read at once, the database reports hits, hits become lines. A
line that may be a core event or is at warning or worse is parsed and confirmed at once; a line that may be a context or
anchor event only is parsed when it turns out that it is kept (``hadiag.extract.keeping``).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import BinaryIO, Final, cast

import numpy as np

from hadiag.catalogue import Catalogue, Matcher
from hadiag.extract.keeping import Keeper, Waiting
from hadiag.extract.unknowns import UnknownMessages, UnknownTemplate
from hadiag.formats import LineParser, LogKind, clock_for, decode, read_entry
from hadiag.model.entity import Level
from hadiag.model.event import EventClass, RawEvent
from hadiag.model.record import LogSummary, Record
from hadiag.model.source import Artifact, SourceRef, Warn
from hadiag.scan.blocks import Block, read_blocks
from hadiag.scan.database import LEVELS, Database
from hadiag.scan.stamps import NO_STAMP
from hadiag.scan.stream import Rejoined
from hadiag.scan.times import ClockReading


@dataclass(frozen=True, slots=True)
class LogExtract:
    """What one log gives: events in the order of their lines, what it covers, and what hadiag does not know."""

    events: tuple[RawEvent, ...]
    summary: LogSummary
    unknowns: tuple[UnknownTemplate, ...] = ()
    warnings: tuple[Warn, ...] = ()


def extract_log(artifact: Artifact, head: bytes, kind: LogKind, database: Database, catalogue: Catalogue) -> LogExtract:
    """Read a log to its end.

    Args:
        artifact: the log; its stream stands behind ``head``.
        head: what was already read of it to tell its kind.
        kind: what the log is written in.
        database: the pattern database of ``catalogue``.
        catalogue: the event types.
    """
    reader = _LogReader(artifact, kind, database, catalogue)
    stream = cast(BinaryIO, io.BufferedReader(Rejoined(head, artifact.stream), 1 << 16))
    for block in read_blocks(decode(kind, stream)):
        reader.read(block)
    return reader.finish()


_CORE: Final = 2
_CONTEXT: Final = 1
_ANCHOR: Final = 0
_RANK: Final = {EventClass.CORE: _CORE, EventClass.CONTEXT: _CONTEXT, EventClass.ANCHOR: _ANCHOR}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the hits of a database mean: their patterns, how urgent they are, the type that names them."""

    matcher: Matcher
    ranks: tuple[int, ...]
    keys: tuple[str, ...]
    continues: frozenset[int]


@lru_cache(maxsize=4)
def _plan(catalogue: Catalogue, patterns: tuple[tuple[int, ...], ...]) -> _Plan:
    """The plan of a catalogue; shared by all logs, so that each regex is compiled once."""
    types = [[catalogue.types[catalogue.patterns[index].type] for index in members] for members in patterns]
    ranks = [max((_RANK[each.cls] for each in members), default=_CORE) for members in types]
    going_on = frozenset(number for number, members in enumerate(types) if any(each.continues for each in members))
    for number in going_on:
        ranks[number] = _CORE  # the lines that follow are at hand only now
    keys = [members[0].name if members else "" for members in types]
    return _Plan(Matcher(catalogue), tuple(ranks), tuple(keys), going_on)


class _LogReader:
    """Reads one log block by block."""

    def __init__(self, artifact: Artifact, kind: LogKind, database: Database, catalogue: Catalogue) -> None:
        self._artifact = artifact
        self._kind = kind
        self._database = database
        self._types = catalogue.types
        self._plan = _plan(catalogue, database.patterns)
        self._parser = LineParser(kind)
        self._clock = clock_for(kind)
        self._keeper = Keeper()
        self._unknowns = UnknownMessages(artifact.node_hint, kind.family)
        self._recognised = 0

    def read(self, block: Block) -> None:
        """Take in the next block."""
        wall = self._clock.read(block)
        for index, numbers in _hit_lines(block, self._database):
            self._line(block, index, numbers, int(wall[index]))
        stamped = np.flatnonzero(wall != NO_STAMP)
        if len(stamped):
            self._keeper.settle(int(wall[stamped[-1]]))

    def finish(self) -> LogExtract:
        """All that the log gave."""
        reading = self._clock.reading()
        events = self._keeper.finish()
        return LogExtract(events, self._summary(reading), self._unknowns.templates(), tuple(self._warnings(reading)))

    def _line(self, block: Block, index: int, numbers: list[int], wall: int) -> None:
        ranks, key = self._plan.ranks, self._plan.keys
        rank = max(ranks[number] for number in numbers)
        if rank == _CORE:
            self._read_now(block, index, numbers, wall)
            return
        self._recognised += 1  # unread: the hit counts
        place = (block.line(index), self._ref(block, index), tuple(numbers))
        name = next(key[number] for number in numbers if ranks[number] == rank)
        line = Waiting(wall, name, partial(self._read_later, *place))
        (self._keeper.wait if rank == _CONTEXT else self._keeper.sample)(line)

    def _read_now(self, block: Block, index: int, numbers: list[int], wall: int) -> None:
        text = block.line(index).decode("utf-8", "replace")
        record = self._parser.parse(text, self._ref(block, index))
        if record is None:
            return
        if self._goes_on(record, numbers):
            record = read_entry(self._parser, block, index, self._artifact.bundle, self._artifact.path) or record
        event = self._event(record, text, numbers)
        if event is not None:
            self._recognised += 1
            self._keeper.take(event, wall)
        elif record.level is not None and record.level >= Level.WARNING:
            self._unknowns.add(record, record.level, text)

    def _read_later(self, line: bytes, ref: SourceRef, numbers: tuple[int, ...]) -> RawEvent | None:
        text = line.decode("utf-8", "replace")
        record = self._parser.parse(text, ref)
        return None if record is None else self._event(record, text, numbers)

    def _goes_on(self, record: Record, numbers: list[int]) -> bool:
        """Whether the message needs the lines that follow: cut lists of corosync, types that say so."""
        cut = record.subsystem is not None and record.message.endswith("\\")
        return cut or not self._plan.continues.isdisjoint(numbers)

    def _event(self, record: Record, text: str, numbers: list[int] | tuple[int, ...]) -> RawEvent | None:
        patterns = self._database.patterns
        candidates = [pattern for number in numbers if number != LEVELS for pattern in patterns[number]]
        match = self._plan.matcher.match(record.program, record.message, record.details, candidates)
        if match is None:
            return None
        event_type = self._types[match.type]
        return RawEvent(
            ref=record.ref,
            type=match.type,
            cls=event_type.cls,
            time=record.time,
            host=record.host,
            node_hint=self._artifact.node_hint,
            family=self._kind.family,
            program=record.program,
            pid=record.pid,
            level=event_type.level if record.level is None else record.level,
            message=f"{record.message} | {record.details}" if record.details else record.message,
            fields=match.fields,
            text=text,
            repeated=record.repeated,
        )

    def _ref(self, block: Block, index: int) -> SourceRef:
        line = block.first_line + index
        if self._kind.decoded:  # entry N of a journal export stands nowhere in the file as a line
            return SourceRef(self._artifact.bundle, self._artifact.path, line, line, 0)
        offset = block.offset + int(block.starts[index])
        return SourceRef(self._artifact.bundle, self._artifact.path, line, offset, block.length(index))

    def _summary(self, reading: ClockReading) -> LogSummary:
        return LogSummary(
            bundle=self._artifact.bundle,
            path=self._artifact.path,
            family=self._kind.family,
            node_hint=self._artifact.node_hint,
            hosts=reading.hosts,
            formats=tuple(dict.fromkeys((*self._kind.formats, *sorted(self._parser.seen)))),
            lines=reading.lines,
            unparsed=reading.unparsed,
            recognised=self._recognised,
            runs=reading.runs,
            gaps=reading.gaps,
            mtime=self._artifact.mtime,
            nul_bytes=reading.nul_bytes,
            aliases=self._artifact.aliases,
        )

    def _warnings(self, reading: ClockReading) -> Iterator[Warn]:
        path = self._artifact.path
        if reading.cut_lines:
            yield Warn("log-truncated-line", f"{reading.cut_lines} lines of {path} were too long and were cut.", path)
        if reading.lines and not reading.runs:
            yield Warn("log-undated", f"{path} carries no time; its lines cannot be placed on the timeline.", path)


def _hit_lines(block: Block, database: Database) -> Iterator[tuple[int, list[int]]]:
    """Lines of a block that hit, in order, each with the numbers of its hits."""
    found: dict[int, list[int]] = {}
    for number, line in database.scan(block.data):
        numbers = found.setdefault(line, [])
        if number not in numbers:
            numbers.append(number)
    for line in sorted(found):
        yield line, found[line]
