"""The loaded catalogue: event types, their patterns, and what a match yields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from hadiag.model.entity import Layer, Level, Scalar
from hadiag.model.event import EventClass
from hadiag.model.frozen import frozen

Constant = str | int | float | bool
"""A value that a pattern sets."""


@frozen
class Problem:
    """Something wrong in a file of a rule pack."""

    file: str
    line: int
    key: str
    expected: str

    def __str__(self) -> str:
        """Format as ``file:line: key: what was expected``."""
        return f"{self.file}:{self.line}: {self.key}: {self.expected}"


@frozen
class Sample:
    """A line (message part) that a pattern matches, where it comes from, and fields that come out of it."""

    line: str
    origin: str
    fields: Mapping[str, Scalar] = dataclasses.field(hash=False)


@frozen
class Derive:
    """A field computed from a captured group; keys of ``values`` are in lower case, None passes the text through."""

    field: str
    source: str
    values: Mapping[str, Constant] | None = dataclasses.field(hash=False)
    default: Constant | None = None


@frozen
class Pattern:
    """One wording of an event type.

    ``regex`` is the source of the confirming expression (compiled when a line first asks for it), ``block_regexes``
    the copies for the scan of raw blocks; of each tuple of ``needs`` one text stands in every line that it confirms.
    ``weight`` is the number of literal characters that the regex needs: of several patterns that confirm a line, the
    heaviest wins. ``freedom`` n: backtracking may take time that grows with the n-th power of the length of a line.
    ``short`` says why there is no longer text to scan for. ``origin`` is ``file:line`` of the pattern.
    """

    id: int
    type: str
    literal: str
    regex: str
    block_regexes: tuple[bytes, ...]
    needs: tuple[tuple[str, ...], ...]
    weight: int
    freedom: int
    short: str | None
    versions: str | None
    set: Mapping[str, Constant] = dataclasses.field(hash=False)
    derive: tuple[Derive, ...]
    samples: tuple[Sample, ...]
    origin: str


@frozen
class EventType:
    """What a line of this type means, who prints it, and which fields it has.

    ``fields`` maps a field to its type word (``word``, ``node``, ``int`` …, with ``?`` if it may be absent).
    ``programs`` is empty where any program may print it. ``after_resume``: an observer prints it only after it
    resumed, so its absence proves nothing while the observer is silent.
    """

    name: str
    layer: Layer
    cls: EventClass
    level: Level
    about: str
    source: str
    programs: tuple[str, ...]
    subject: str | None
    fields: Mapping[str, str] = dataclasses.field(hash=False)
    after_resume: bool
    status: str
    continues: bool
    next: str | None

    @property
    def kept(self) -> bool:
        """Whether its lines become events; those of noise are known and counted, no more."""
        return self.cls is not EventClass.NOISE


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All event types of the loaded packs. ``patterns[i].id`` is ``i``; ``digest`` names the content of the packs."""

    types: Mapping[str, EventType] = dataclasses.field(hash=False)
    patterns: tuple[Pattern, ...]
    digest: str

    def node_fields(self, event_type: str) -> tuple[str, ...]:
        """Names of the fields of a type that hold a node."""
        return tuple(name for name, kind in self.types[event_type].fields.items() if kind.startswith("node"))


@frozen
class Match:
    """A line that is a known event: its type, its fields, and the pattern that confirmed it."""

    type: str
    fields: Mapping[str, Scalar] = dataclasses.field(hash=False)
    pattern: int
