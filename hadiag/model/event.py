"""Typed events: a claim that one observer's log makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from hadiag.model.entity import Layer, Level, Node, Scalar
from hadiag.model.frozen import frozen
from hadiag.model.quotes import Quotes, text_of
from hadiag.model.source import SourceRef
from hadiag.model.time import Instant, LoggedTime


class EventClass(StrEnum):
    """How an event type is kept: always, only near a core event, as a clock anchor (sampled), or never (known and counted)."""

    CORE = "core"
    CONTEXT = "context"
    ANCHOR = "anchor"
    NOISE = "noise"


@frozen
class RawEvent:
    """An event before names, zones and clocks are resolved.

    ``host`` is the host column of the line (None where there is none), ``node_hint`` the node that the place in
    the bundle names. ``level`` is the printed level, else the usual level of the type.
    """

    ref: SourceRef
    type: str
    cls: EventClass
    time: LoggedTime | None
    host: str | None
    node_hint: str | None
    family: str
    program: str | None
    pid: int | None
    level: Level
    message: str
    fields: Mapping[str, Scalar] = field(hash=False)
    quote: str | Quotes = field(default="", repr=False, compare=False)
    """The line, or where it is kept."""
    repeated: int = 1
    """How many lines this row stands for: folded repetitions, or what ``message repeated N times`` says."""
    last_time: LoggedTime | None = None
    """Stamp of the last of the folded lines."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle as the call that makes it: between processes there are many of them."""
        return RawEvent, (
            self.ref,
            self.type,
            self.cls,
            self.time,
            self.host,
            self.node_hint,
            self.family,
            self.program,
            self.pid,
            self.level,
            self.message,
            self.fields,
            self.quote,
            self.repeated,
            self.last_time,
        )

    @property
    def text(self) -> str:
        """The line as it stands in the file (replacement characters for invalid bytes), at most 8 KiB."""
        return text_of(self.quote, self.ref.line)


@frozen
class Folded:
    """Equal lines in one row: how many, and the instant of the last of them, where it is known."""

    count: int
    last: Instant | None = None


@frozen
class Event:
    """An event on the aligned timeline.

    ``uid`` is the uid of its canonical line ``ref``; ``copies`` are those of the same event in other files. ``at`` is None
    where no time could be had. ``observer`` is the node whose log says it; ``subject`` the node, resource or link it is
    about. ``folded`` tells of the repetitions that the row stands for.
    """

    uid: str
    type: str
    cls: EventClass
    layer: Layer
    at: Instant | None
    observer: Node
    subject: str | None
    level: Level
    program: str | None
    pid: int | None
    message: str
    fields: Mapping[str, Scalar] = field(hash=False)
    ref: SourceRef
    quote: str | Quotes = field(repr=False, compare=False)
    copies: tuple[SourceRef, ...] = ()
    folded: Folded | None = None

    @property
    def text(self) -> str:
        """The canonical line as it stands in the file."""
        return text_of(self.quote, self.ref.line)

    @property
    def refs(self) -> tuple[SourceRef, ...]:
        """The canonical line and its copies."""
        return (self.ref, *self.copies)

    @property
    def seq(self) -> int:
        """Line number in the canonical file: a total order inside it."""
        return self.ref.line

    @property
    def repeated(self) -> int:
        """How many lines it stands for."""
        return 1 if self.folded is None else self.folded.count

    @property
    def last(self) -> Instant | None:
        """Instant of the last line that it stands for, None where it is a single one or that is not known."""
        return None if self.folded is None else self.folded.last
