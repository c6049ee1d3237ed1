r"""Journal exports: entries of many fields, decoded to one canonical line each.

``journalctl -o json`` (also ``json-pretty``, ``json-sse``, ``json-seq``), ``-o export`` and ``-o verbose`` become ::

    <29>2024-05-07T11:33:20.123456+00:00 node1 pacemaker-controld[2165]:  notice: State transition S_IDLE -> S_ELECTION

so that the block scan and ``LineParser`` read them like a syslog file; line N is entry N.  The number in ``<>`` is the
PRIORITY.  A newline inside MESSAGE becomes the two characters ``\n``, as pacemaker itself writes it.  The time is
``_SOURCE_REALTIME_TIMESTAMP`` where the entry has it, as in journalctl's own text output.  An entry without a time or
a host keeps its number as an empty line.

``JournalMeta`` keeps what the text cannot show: first and last time of each boot, and the steps of the clock, told by
realtime minus monotonic time, which only a step changes at once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from hadiag.formats.base import Decoder, LogKind
from hadiag.formats.respelled import Respelled
from hadiag.model.frozen import record
from hadiag.model.record import BootSpan, WallStep

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STEP_US: Final = 500_000
"""A change of realtime minus monotonic time between two entries that counts as a step of the clock."""
MAX_MESSAGE: Final = 8000
"""Bytes of a message that are decoded."""
MAX_BOOTS: Final = 1000
MAX_STEPS: Final = 1000

Entry = Mapping[str, bytes]
"""Fields of an entry; only those that ``FIELDS`` names are kept."""

FIELDS: Final = frozenset(
    {
        *("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "_BOOT_ID", "_HOSTNAME"),
        *("SYSLOG_IDENTIFIER", "_COMM", "_PID", "SYSLOG_PID", "PRIORITY", "MESSAGE", "_TRANSPORT", "_MACHINE_ID"),
    }
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class BootClock:
    """What the entries of one boot say of time, in microseconds: first and last, and the entries' numbers."""

    boot_id: str
    machine_id: str
    first_line: int
    first_realtime_us: int
    first_monotonic_us: int
    last_line: int
    last_realtime_us: int
    last_monotonic_us: int


@record
class ClockStep:
    """A step of the clock: the entry after it, its machine and boot, its time and the one before, and by how much (positive: forward)."""

    line: int
    boot: str
    realtime_us: int
    step_us: int
    before_us: int
    monotonic_us: int


@dataclass(slots=True)
class JournalMeta:
    """What a decoded journal holds besides its text; complete when the stream is read to its end."""

    entries: int = 0
    unreadable: int = 0
    boots: dict[str, BootClock] = field(default_factory=dict)
    steps: list[ClockStep] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """Take in the next entry."""
        self.entries += 1
        realtime, monotonic = _micros(entry, "__REALTIME_TIMESTAMP"), _micros(entry, "__MONOTONIC_TIMESTAMP")
        if realtime is None or monotonic is None:
            return
        boot_id, machine = _word(entry, "_BOOT_ID"), _word(entry, "_MACHINE_ID")
        key = f"{machine}/{boot_id}"
        boot = self.boots.get(key)
        if boot is None:
            if len(self.boots) < MAX_BOOTS:
                line = self.entries
                self.boots[key] = BootClock(boot_id, machine, line, realtime, monotonic, line, realtime, monotonic)
            return
        step = (realtime - boot.last_realtime_us) - (monotonic - boot.last_monotonic_us)
        if abs(step) >= STEP_US and len(self.steps) < MAX_STEPS:
            self.steps.append(ClockStep(self.entries, key, realtime, step, boot.last_realtime_us, monotonic))
        boot.last_line, boot.last_realtime_us, boot.last_monotonic_us = self.entries, realtime, monotonic

    def wall_steps(self) -> tuple[WallStep, ...]:
        """Steps of the wall clock, in ns."""
        return tuple(
            WallStep(
                line=step.line,
                before_ns=step.before_us * 1000,
                after_ns=step.realtime_us * 1000,
                by_ns=step.step_us * 1000,
                boot=step.boot,
                uptime_ns=step.monotonic_us * 1000,
            )
            for step in self.steps
        )

    def boot_spans(self) -> tuple[BootSpan, ...]:
        """What was read of each boot, in ns."""
        return tuple(
            BootSpan(
                boot=key,
                first_line=boot.first_line,
                last_line=boot.last_line,
                first_ns=boot.first_realtime_us * 1000,
                last_ns=boot.last_realtime_us * 1000,
                first_uptime_ns=boot.first_monotonic_us * 1000,
                last_uptime_ns=boot.last_monotonic_us * 1000,
            )
            for key, boot in self.boots.items()
        )


class DecodedJournal(io.RawIOBase):
    """A journal export as a stream of canonical lines; ``meta`` fills while it is read."""

    def __init__(self, entries: Iterable[Entry | None]) -> None:
        super().__init__()
        self.meta = JournalMeta()
        self._lines = self._render(entries)
        self._rest = b""

    def readable(self) -> bool:
        """Always: it is a stream to read from."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` with the next bytes of text."""
        view = memoryview(buffer).cast("B")
        pieces, size = [self._rest], len(self._rest)
        while size < len(view):
            line = next(self._lines, None)
            if line is None:
                break
            pieces.append(line)
            size += len(line)
        data = b"".join(pieces)
        count = min(len(view), len(data))
        view[:count] = data[:count]
        self._rest = data[count:]
        return count

    def _render(self, entries: Iterable[Entry | None]) -> Iterator[bytes]:
        for entry in entries:
            self.meta.note(entry or {})
            line = canonical(entry) if entry else b""
            self.meta.unreadable += not line
            yield line + b"\n"


def decode(kind: LogKind, stream: BinaryIO) -> BinaryIO:
    """The lines of a log: the stream itself, respelled, or the canonical lines of a journal (a ``DecodedJournal``)."""
    from hadiag.formats import journal_entries

    if kind.decoder is Decoder.RESPELLED:
        return cast(BinaryIO, io.BufferedReader(Respelled(stream)))
    readers: dict[Decoder, Callable[[BinaryIO], Iterator[Entry | None]]] = {
        Decoder.JOURNAL_JSON: journal_entries.from_json,
        Decoder.JOURNAL_EXPORT: journal_entries.from_export,
        Decoder.JOURNAL_VERBOSE: journal_entries.from_verbose,
    }
    reader = readers.get(kind.decoder)
    if reader is None:
        return stream
    return cast(BinaryIO, DecodedJournal(reader(stream)))


def canonical(entry: Entry) -> bytes:
    """The line of an entry, without its end; empty where it has no time or no host."""
    micros = _micros(entry, "_SOURCE_REALTIME_TIMESTAMP")
    if micros is None:
        micros = _micros(entry, "__REALTIME_TIMESTAMP")
    host = entry.get("_HOSTNAME", b"").strip().replace(b" ", b"_")
    if micros is None or not host:
        return b""
    pid = entry.get("_PID") or entry.get("SYSLOG_PID") or b""
    tag = b"[" + pid + b"]" if pid.isdigit() else b""
    priority = entry.get("PRIORITY", b"")
    head = b"<" + priority + b">" if priority.isdigit() and len(priority) == 1 else b""
    text = entry.get("MESSAGE", b"")[:MAX_MESSAGE].rstrip()
    text = text.replace(b"\r", b"").replace(b"\n", b"\\n").replace(b"\0", b"")
    return b"%s%s %s %s%s: %s" % (head, _stamp(micros), host, _ident(entry), tag, text)


def _ident(entry: Entry) -> bytes:
    """As journalctl names the writer; a blank or a colon in it would end the tag too early."""
    name = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or b"unknown"
    if name == b"unknown" and entry.get("_TRANSPORT") == b"kernel":
        name = b"kernel"
    name = b"_".join(name.replace(b"[", b"(").replace(b"]", b")").split()) or b"unknown"
    return name if b"(" in name else name.replace(b":", b"_")  # IPaddr2(vip:0) is fine, org:x would end the tag


def _stamp(micros: int) -> bytes:
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00").encode("ascii")


def _micros(entry: Entry, name: str) -> int | None:
    """A time field; more than 16 digits lie beyond the year 2286."""
    value = entry.get(name, b"")
    return int(value) if value.isdigit() and len(value) <= 16 else None


def _word(entry: Entry, name: str) -> str:
    return entry.get(name, b"")[:64].decode("ascii", "replace")
