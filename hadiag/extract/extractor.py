"""From a log to its events: the scan tells which lines matter, and only these are parsed.

For each block of the log: the stamps of all lines are read at once, the database reports hits, hits become lines. A
line that may be a core event or is at warning or worse is parsed and confirmed at once; a line that may be a context or
anchor event only is parsed when it turns out that it is kept (``hadiag.extract.keeping``).
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import BinaryIO, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hadiag.catalogue import Catalogue, Matcher
from hadiag.extract.keeping import NEAR_NS, Batch, Keeper, Run
from hadiag.extract.needs import Needs
from hadiag.extract.search import FOUND, LineSearch
from hadiag.extract.surroundings import Surroundings
from hadiag.extract.unknowns import UnknownMessages, UnknownTemplate
from hadiag.formats import DecodedJournal, JournalMeta, LineParser, LogKind, clock_for, decode, read_entry
from hadiag.model.entity import Level, Scalar
from hadiag.model.event import EventClass, RawEvent
from hadiag.model.frozen import record
from hadiag.model.quotes import Quotes
from hadiag.model.record import LogSummary, Record
from hadiag.model.source import Artifact, BundleId, SourceRef, Warn
from hadiag.model.time import LoggedTime
from hadiag.scan.blocks import Block, read_blocks
from hadiag.scan.database import LEVELS, Database, Hits
from hadiag.scan.stamps import NO_STAMP, Ints
from hadiag.scan.stream import Rejoined
from hadiag.scan.times import ClockReading, StampedBlock


@record
class LogExtract:
    """What one log gives: events in the order of their lines, what it covers, and what hadiag does not know.

    ``surroundings`` holds the lines around core events, ``found`` the lines that a search found, as events.
    """

    events: tuple[RawEvent, ...]
    summary: LogSummary
    unknowns: tuple[UnknownTemplate, ...] = ()
    warnings: tuple[Warn, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings, compare=False)
    found: tuple[RawEvent, ...] = ()


def extract_log(  # noqa: PLR0913 - a log, how it is read, and what is looked for
    artifact: Artifact,
    head: bytes,
    kind: LogKind,
    database: Database,
    catalogue: Catalogue,
    *,
    search: LineSearch | None = None,
) -> LogExtract:
    """Read a log to its end.

    Args:
        artifact: the log; its stream stands behind ``head``.
        head: what was already read of it to tell its kind.
        kind: what the log is written in.
        database: the pattern database of ``catalogue``.
        catalogue: the event types.
        search: what else to look for, in every line.
    """
    reader = _LogReader(artifact, kind, database, catalogue)
    reader.search = search
    stream = cast(BinaryIO, io.BufferedReader(Rejoined(head, artifact.stream), 1 << 16))
    lines = decode(kind, stream)
    for block in read_blocks(lines):
        reader.read(block)
    return reader.finish(lines.meta if isinstance(lines, DecodedJournal) else None)


_T = TypeVar("_T")
_V = TypeVar("_V", bound=Scalar)
_CORE: Final = 2
_CONTEXT: Final = 1
_ANCHOR: Final = 0
_NOISE: Final = -1
_NONE: Final = -2
_RANK: Final = {
    EventClass.CORE: _CORE,
    EventClass.CONTEXT: _CONTEXT,
    EventClass.ANCHOR: _ANCHOR,
    EventClass.NOISE: _NOISE,
}
_NOWHERE: Final = SourceRef(BundleId(""), "", 0, 0, 0)
_VARYING: Final = b"0123456789abcdef "
"""What varies between the lines of a flood: numbers, ids, the length of lists of them."""
_PID: Final = re.compile(rb"\[ *([0-9]{1,9})\]")
_NO_PID: Final = b"[]"
_MAX_KNOWN: Final = 10_000
"""Lines that are known by their text behind the stamp; when there are more, all are forgotten."""


@record
class _Plan:
    """What the hits of a database mean.

    Of each number: how urgent its patterns are, the type that names them, and what else a line must hold for any of them to
    match.
    """

    matcher: Matcher
    ranks: NDArray[np.int64]
    keys: tuple[str, ...]
    continues: frozenset[int]
    needs: Needs


@lru_cache(maxsize=4)
def _plan(catalogue: Catalogue, patterns: tuple[tuple[int, ...], ...]) -> _Plan:
    """The plan of a catalogue; shared by all logs, so that each regex is compiled once."""
    types = [[catalogue.types[catalogue.patterns[index].type] for index in members] for members in patterns]
    ranks = [max((_RANK[each.cls] for each in members), default=_CORE) for members in types]
    going_on = frozenset(number for number, members in enumerate(types) if any(each.continues for each in members))
    for number in going_on:
        ranks[number] = _CORE  # the lines that follow are at hand only now
    keys = [members[0].name if members else "" for members in types]
    return _Plan(Matcher(catalogue), np.array(ranks), tuple(keys), going_on, Needs(catalogue, patterns))


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """The hits of a block by line: of each line that hits its index, its rank, and where its hits begin and end."""

    hits: Hits
    numbers: list[int]
    lines: Ints
    ranks: Ints
    first: list[int]
    last: list[int]

    def numbers_of(self, group: int) -> list[int]:
        """Numbers that hit a line, each once."""
        start, end = self.first[group], self.last[group]
        return self.numbers[start:end] if end - start == 1 else list(dict.fromkeys(self.numbers[start:end]))

    def text_of(self, group: int) -> bytes:
        """The line of a group as it was scanned, runs of blanks collapsed."""
        return self.hits.line(int(self.lines[group]))


@record
class _Storm:
    """A line that is folded: into which run, how many lines it stands for, and the subject that must stand in it."""

    run: Run
    repeated: int
    subject: re.Pattern[bytes] | None


def _mark_of(subject: object) -> re.Pattern[bytes] | None:
    """An expression for a subject as a word of its own."""
    if not isinstance(subject, str) or not subject:
        return None
    return re.compile(rb"(?<![\w.-])" + re.escape(subject.encode()) + rb"(?![\w.-])")


@record
class _Body:
    """A line behind its stamp: its text without the pid, the pid, the event of a line with the same text, and its wall time."""

    key: bytes
    pid: int | None
    model: RawEvent | None
    wall: int


def _pid_of(body: bytes) -> int | None:
    """The first ``[number]`` of a line: a daemon that was started anew says the same under another number."""
    found = _PID.search(body)
    return None if found is None else _number(found[1])


@lru_cache(maxsize=1 << 12)
def _number(digits: bytes) -> int:
    """A process id: the lines of a process share one."""
    return int(digits)


def _shared(value: _V) -> _V:
    """The same text, kept once: names of nodes, resources and programs come up in each line."""
    return cast("_V", sys.intern(value)) if isinstance(value, str) else value


def _bounded(known: dict[bytes, _T]) -> dict[bytes, _T]:
    if len(known) >= _MAX_KNOWN:
        known.clear()
    return known


class _LogReader:
    """Reads one log block by block."""

    def __init__(self, artifact: Artifact, kind: LogKind, database: Database, catalogue: Catalogue) -> None:
        self._artifact = artifact
        self._kind = kind
        self._database = database
        self._types = catalogue.types
        self._plan = _plan(catalogue, database.patterns)
        self._parser = LineParser(kind)
        self._ranks: list[int] = self._plan.ranks.tolist()
        self._clock = clock_for(kind)
        self._keeper = Keeper()
        self._unknowns = UnknownMessages(artifact.node_hint, kind.family)
        self._recognised = 0
        self._folding: dict[bytes, _Storm] = {}
        self._models: dict[bytes, RawEvent] = {}
        self._nothing: set[bytes] = set()
        self._surroundings = Surroundings()
        self._quotes = Quotes()
        self.search: LineSearch | None = None
        self._found: list[RawEvent] = []

    def read(self, block: Block) -> None:
        """Take in the next block."""
        wall = self._clock.read(block)
        groups = self._groups(block)
        if groups is not None:
            self._take(self._clock.stamped(block), groups, wall)
        if self.search is not None:
            self._found.extend(self._line_found(block, index, wall) for index in self.search.lines(block))
        self._surroundings.add(block, wall)
        stamped = np.flatnonzero(wall != NO_STAMP)
        if len(stamped):
            self._settle(int(wall[stamped[-1]]))

    def _settle(self, newest: int | None) -> None:
        self._surroundings.settle(self._keeper.near, newest, NEAR_NS)
        self._keeper.settle(newest)

    def finish(self, journal: JournalMeta | None) -> LogExtract:
        """All that the log gave; ``journal`` is what the entries of a journal told besides their text."""
        reading = self._clock.reading()
        self._settle(None)
        return LogExtract(
            events=self._keeper.finish(),
            summary=self._summary(reading, journal),
            unknowns=self._unknowns.templates(),
            warnings=tuple(self._warnings(reading)),
            surroundings=self._surroundings,
            found=tuple(self._found),
        )

    def _groups(self, block: Block) -> _Groups | None:
        """Scan a block, and put its hits together by line."""
        hits = self._database.hits(block.data)
        numbers, lines = hits.numbers, hits.lines
        if not len(numbers):
            return None
        order = np.argsort(lines, kind="stable")
        numbers, lines = numbers[order], lines[order]
        first = np.concatenate(([0], np.flatnonzero(np.diff(lines)) + 1))
        ranks = np.maximum.reduceat(self._plan.ranks[numbers], first)
        places = [*first.tolist(), len(numbers)]
        return _Groups(hits, numbers.tolist(), lines[first], ranks, places[:-1], places[1:])

    def _take(self, here: StampedBlock, groups: _Groups, wall: Ints) -> None:
        """Read the lines that may be core events, and leave the others to the keeper."""
        later: dict[int, RawEvent] = {}
        urgent = np.flatnonzero(groups.ranks == _CORE)
        lines = groups.lines[urgent]
        walls, bodies, ranks = wall[lines].tolist(), here.bodies(lines), []
        for group, at, body in zip(urgent.tolist(), walls, bodies, strict=True):
            rank, event = self._look(here, groups, group, body, at)
            ranks.append(rank)
            if event is not None:
                later[group] = event
        groups.ranks[urgent] = ranks
        self._recognised += int(np.count_nonzero(groups.ranks >= _NOISE))  # unread: the hit counts
        self._leave(here, groups, wall, later)

    def _leave(self, here: StampedBlock, groups: _Groups, wall: Ints, later: Mapping[int, RawEvent]) -> None:
        """Hand context and anchors over, unread where they are not in ``later``."""

        def read(group: int) -> RawEvent | None:
            event = later.get(group) or self._read_later(here, int(groups.lines[group]), groups.numbers_of(group))
            return None if event is None or event.cls is EventClass.NOISE else event

        unread = groups.ranks == _CONTEXT
        unread[[group for group, event in later.items() if event.cls is EventClass.CONTEXT]] = True
        rows = np.flatnonzero(unread)
        if len(rows):
            self._keeper.wait(Batch(wall[groups.lines[rows]], rows, read))
        anchors: dict[str, list[int]] = {}
        for group in np.flatnonzero(groups.ranks == _ANCHOR).tolist():
            anchors.setdefault(self._plan.keys[groups.numbers[groups.first[group]]], []).append(group)
        for group, event in later.items():
            if event.cls is EventClass.ANCHOR:
                anchors.setdefault(event.type, []).append(group)
        for key, members in anchors.items():
            places = np.array(sorted(members))
            self._keeper.sample(key, wall[groups.lines[places]], places, read)

    def _look(
        self, here: StampedBlock, groups: _Groups, group: int, body: bytes, wall: int
    ) -> tuple[int, RawEvent | None]:
        """Read a line unless its text is known or shows that it is no core event.

        Args:
            here: the block of the line.
            groups: what hit in it.
            group: which of them the line is.
            body: the line behind its stamp.
            wall: its printed time in ns.

        Returns:
            The rank of a line that was left unread, and the event of one that was read where the keeper takes it later: those of
            context and anchors (noise, that no one takes, is among them).
        """
        key = _PID.sub(_NO_PID, body, 1)
        if key in self._nothing:
            return _NONE, None
        model = self._models.get(key)
        if model is None:
            numbers = self._plan.needs.possible(groups.numbers_of(group), groups.text_of(group))
            rank = max((self._ranks[number] for number in numbers), default=_NONE)
            if rank < _CORE:
                return rank, None
        elif model.cls is EventClass.CONTEXT or model.cls is EventClass.NOISE:
            return _RANK[model.cls], None
        else:
            numbers = []
        index = int(groups.lines[group])
        return _NONE, self._read_now(here, index, _Body(key, _pid_of(body), model, wall), numbers)

    def _read_now(self, here: StampedBlock, index: int, body: _Body, numbers: list[int]) -> RawEvent | None:
        """Read a line; its event, if it is no core event."""
        if self._folding and self._folded(here, index, body):
            return None
        if self._unknowns.storming and self._unknowns.repeats(body.key, lambda: self._record_of(here.block, index)):
            return None
        event = self._known(here, index, body) or self._read_line(here, index, numbers, body)
        if event is None:
            return None
        self._recognised += 1
        if event.cls is not EventClass.CORE:
            return event
        subject = self._types[event.type].subject
        run = self._keeper.take(event, body.wall, subject)
        if run is not None and body.key in self._models:
            key = body.key.translate(None, _VARYING) if run.flood else body.key
            _bounded(self._folding)[key] = _Storm(run, event.repeated, _mark_of(event.fields.get(subject or "")))
        return None

    def _folded(self, here: StampedBlock, index: int, body: _Body) -> bool:
        """Count a line of a storm unread: one like it was read and folded, and the storm goes on."""
        storm = self._folding.get(body.key) or self._folding.get(body.key.translate(None, _VARYING))
        if (
            storm is None
            or not storm.run.folds(body.wall)
            or not (storm.subject is None or storm.subject.search(body.key))
        ):
            return False
        storm.run.fold(body.wall, storm.repeated, partial(self._time_of, here.block.line(index)))
        self._keeper.mark(body.wall)
        self._recognised += 1
        return True

    def _read_line(self, here: StampedBlock, index: int, numbers: list[int], body: _Body) -> RawEvent | None:
        """Parse and confirm a line; what it is, is known from then on of lines with the same text behind the stamp."""
        text = here.block.line(index).decode("utf-8", "replace")
        record = self._parser.parse(text, self._ref(here.block, index))
        if record is None:
            return None
        goes_on = self._goes_on(record, numbers)
        if goes_on:
            record = read_entry(self._parser, here.block, index, self._artifact.bundle, self._artifact.path) or record
        event = self._event(record, text, numbers)
        if event is not None:
            if not goes_on:
                self._note(here, index, body, event)
        elif record.level is not None and record.level >= Level.WARNING:
            self._unknowns.add(record, record.level, text, body.key)
        elif not goes_on:
            if len(self._nothing) >= _MAX_KNOWN:
                self._nothing.clear()
            self._nothing.add(body.key)
        return event

    def _note(self, here: StampedBlock, index: int, body: _Body, event: RawEvent) -> None:
        """Remember an event by its text, where the columns of the block say the same time as the parser, and the text the same pid."""
        if event.time is not None and event.pid == body.pid and here.logged(index) == event.time:
            _bounded(self._models)[body.key] = event

    def _known(self, here: StampedBlock, index: int, body: _Body) -> RawEvent | None:
        """The event of a line whose text was read before, with its own place, process and time."""
        model, time = body.model, here.logged(index)
        if model is None or time is None:
            return None
        return RawEvent(
            self._ref(here.block, index),
            model.type,
            model.cls,
            time,
            model.host,
            model.node_hint,
            model.family,
            model.program,
            body.pid,
            model.level,
            model.message,
            model.fields,
            self._quoted(here.block.first_line + index, here.block.line(index).decode("utf-8", "replace")),
            model.repeated,
        )

    def _read_later(self, here: StampedBlock, index: int, numbers: list[int]) -> RawEvent | None:
        body = here.body(index)
        key, pid = _PID.sub(_NO_PID, body, 1), _pid_of(body)
        model = self._models.get(key)
        if model is not None:
            return self._known(here, index, _Body(key, pid, model, 0))
        line = here.block.line(index)
        possible = self._plan.needs.possible(numbers, b" ".join(line.split()))
        if not possible:
            return None
        text = line.decode("utf-8", "replace")
        record = self._parser.parse(text, self._ref(here.block, index))
        event = None if record is None else self._event(record, text, possible)
        if event is not None:
            self._note(here, index, _Body(key, pid, None, 0), event)
        return event

    def _record_of(self, block: Block, index: int) -> Record | None:
        return self._parser.parse(block.line(index).decode("utf-8", "replace"), self._ref(block, index))

    def _time_of(self, line: bytes) -> LoggedTime | None:
        record = self._parser.parse(line.decode("utf-8", "replace"), _NOWHERE)
        return record.time if record is not None else None

    def _line_found(self, block: Block, index: int, wall: Ints) -> RawEvent:
        """A line that the search found, with the time of the last stamp up to it."""
        text = block.line(index).decode("utf-8", "replace")
        ref = self._ref(block, index)
        record = self._parser.parse(text, ref)
        stamped = np.flatnonzero(wall[: index + 1] != NO_STAMP)
        time = record.time if record is not None else None
        if time is None and len(stamped):
            time = self._clock.stamped(block).logged(int(stamped[-1]))
        return RawEvent(
            ref=ref,
            type=FOUND,
            cls=EventClass.CONTEXT,
            time=time,
            host=record.host if record is not None else None,
            node_hint=self._artifact.node_hint,
            family=self._kind.family,
            program=record.program if record is not None else None,
            pid=record.pid if record is not None else None,
            level=record.level if record is not None and record.level is not None else Level.INFO,
            message=f"{ref.path}:{ref.line}",  # unlike any other, so that copies stay lines of their own
            fields={},
            quote=text,
        )

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
            host=_shared(record.host),
            node_hint=self._artifact.node_hint,
            family=self._kind.family,
            program=_shared(record.program),
            pid=record.pid,
            level=event_type.level if record.level is None else record.level,
            message=f"{record.message} | {record.details}" if record.details else record.message,
            fields={name: _shared(value) for name, value in match.fields.items()},
            quote=self._quoted(record.ref.line, text),
            repeated=record.repeated,
        )

    def _quoted(self, line: int, text: str) -> Quotes:
        """Where the line of an event is kept."""
        if not self._quotes.add(line, text):
            self._quotes = Quotes()
            self._quotes.add(line, text)
        return self._quotes

    def _ref(self, block: Block, index: int) -> SourceRef:
        line = block.first_line + index
        if self._kind.decoded:  # entry N of a journal export stands nowhere in the file as a line
            return SourceRef(self._artifact.bundle, self._artifact.path, line, line, 0)
        offset = block.offset + int(block.starts[index])
        return SourceRef(self._artifact.bundle, self._artifact.path, line, offset, block.length(index))

    def _summary(self, reading: ClockReading, journal: JournalMeta | None) -> LogSummary:
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
            steps=journal.wall_steps() if journal else (),
            boots=journal.boot_spans() if journal else (),
        )

    def _warnings(self, reading: ClockReading) -> Iterator[Warn]:
        path = self._artifact.path
        if reading.cut_lines:
            yield Warn("log-truncated-line", f"{reading.cut_lines} lines of {path} were too long and were cut.", path)
        if reading.lines and not reading.runs:
            yield Warn("log-undated", f"{path} carries no time; its lines cannot be placed on the timeline.", path)
