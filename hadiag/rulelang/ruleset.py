"""A loaded rule set: rules, causes and audits of all packs, and the one table of causal edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal, Protocol

from hadiag.catalogue.document import MarkedDocument
from hadiag.model.entity import Layer, Level
from hadiag.model.frozen import record
from hadiag.rulelang.entries import Audit, Cause, Pack, Rule

EdgeKind = Literal["causes", "enables", "prevents"]


class EventTypeInfo(Protocol):
    """What the rule language asks of an event type of the catalogue."""

    @property
    def fields(self) -> Mapping[str, object]:
        """Names of the fields, with their types."""

    @property
    def subject(self) -> str | None:
        """Name of the field that is the subject."""

    @property
    def kept(self) -> bool:
        """Whether its lines become events at all; of noise they are counted only."""

    @property
    def after_resume(self) -> bool:
        """Whether it is printed only after the observer resumed."""

    @property
    def layer(self) -> Layer:
        """Layer of the stack."""

    @property
    def level(self) -> Level:
        """Usual level."""


class CatalogueInfo(Protocol):
    """What the rule language asks of the event catalogue."""

    @property
    def types(self) -> Mapping[str, EventTypeInfo]:
        """All event types by name."""


@record
class Located:
    """Where an entry of a pack stands: its document and the path inside it."""

    document: MarkedDocument
    path: tuple[str | int, ...]
    pack: str
    directory: Path

    @property
    def place(self) -> str:
        """``file:line`` of the entry."""
        return f"{self.document.file}:{self.document.line_of(self.path)}"

    def problem(self, path: tuple[str | int, ...], expected: str) -> None:
        """Note a problem with a value below the entry."""
        self.document.problem((*self.path, *path), expected)


@record
class Edge:
    """A causal edge: ``cause`` and ``effect`` are ids of findings or, for ``cause``, of a latent cause.

    ``join`` pairs a field of the cause with one of the effect: ``nodes``, ``resources``, an entity that the cause binds
    (``node``, ``resource``, ``device``, ``link``), or a name in ``per`` of a finding (``Finding.bindings["key"]``).
    None: no join was written. ``strength`` is the word of the pack, ``weight`` its number.
    """

    cause: str
    effect: str
    kind: EdgeKind
    strength: str
    weight: float
    within_ns: int | None
    join: tuple[tuple[str, str], ...] | None
    place: str


@record
class PackInfo:
    """A pack that was read."""

    pack: Pack
    directory: Path


@record
class RuleSet:
    """Everything that was loaded, in the order of ids; ``strata`` orders the rules so that findings come before use."""

    findings: Mapping[str, Rule]
    causes: Mapping[str, Cause]
    audits: Mapping[str, Audit]
    edges: tuple[Edge, ...]
    duplicate_edges: tuple[str, ...]
    digest: str
    packs: tuple[PackInfo, ...]
    strata: tuple[str, ...]
    places: Mapping[str, Located]
    event_types: Mapping[str, EventTypeInfo]
    _from: dict[str, tuple[Edge, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _to: dict[str, tuple[Edge, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the edges by their ends: they are asked for in each incident."""
        for edge in self.edges:
            self._from[edge.cause] = (*self._from.get(edge.cause, ()), edge)
            self._to[edge.effect] = (*self._to.get(edge.effect, ()), edge)

    def edges_from(self, cause: str) -> tuple[Edge, ...]:
        """Edges that leave a cause or finding."""
        return self._from.get(cause, ())

    def edges_to(self, effect: str) -> tuple[Edge, ...]:
        """Edges that end in a finding."""
        return self._to.get(effect, ())
