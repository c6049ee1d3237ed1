"""What is loaded from rule packs: rules, causes, audits and packs as plain records, the way they are evaluated.

The models of ``hadiag.rulelang.language`` say what people may write, and validate it; each of them becomes the record of the same
name here. A run that finds its packs in the cache needs only the records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal

from hadiag.model.diagnosis import CauseRole
from hadiag.model.entity import Category, IncidentKind, Layer, Role, Severity
from hadiag.model.frozen import frozen
from hadiag.rulelang.condition import Condition, Reference
from hadiag.rulelang.template import Template
from hadiag.rulelang.words import DEFAULT_MERGE_NS

Source = Literal["event", "state", "finding", "fact"]
SOURCES: Final[tuple[Source, ...]] = ("event", "state", "finding", "fact")
TIME_WORDS: Final = ("after", "before", "near", "during", "overlaps", "holds_at")
AT_LEAST: Final = re.compile(r">=\s*([1-9]\d{0,5})")
"""A bound such as ``>=3``."""


def bound_of(text: str) -> int:
    """Number of a bound such as ``>=3``."""
    found = AT_LEAST.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no bound")
    return int(found[1])


@frozen
class Concurrent:
    """Intervals that hold at the same time beyond clock error."""

    distinct: str
    at_least: int = 2
    same: tuple[str, ...] = ()
    for_: int = 0
    excludes: str | None = None
    disjoint: str | None = None


@frozen
class Step:
    """A named step; exactly one of ``event``, ``state``, ``finding`` and ``fact`` says what it looks at."""

    event: tuple[str, ...] | None = None
    state: tuple[str, ...] | None = None
    finding: tuple[str, ...] | None = None
    fact: tuple[str, ...] | None = None
    where: Mapping[str, Condition] = field(default_factory=dict, hash=False)
    after: str | None = None
    before: str | None = None
    near: str | None = None
    during: str | None = None
    overlaps: str | None = None
    holds_at: str | None = None
    closes: str | None = None
    opens: str | None = None
    within: int | None = None
    same: tuple[str, ...] = ()
    count: int | str = 1
    distinct: Mapping[str, str] = field(default_factory=dict, hash=False)
    nodes: str | None = None
    concurrent: Concurrent | None = None
    requires: tuple[str, ...] = ()

    @property
    def kind(self) -> Source:
        """Which of the four sources the step has."""
        return next(source for source in SOURCES if getattr(self, source) is not None)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """Event types, tables or rule ids."""
        value: tuple[str, ...] = getattr(self, self.kind)
        return value

    @property
    def absent(self) -> bool:
        """Whether the step asks that nothing is found."""
        return self.count == 0

    @property
    def optional(self) -> bool:
        """Whether the step only adds evidence."""
        return self.count == "any"

    @property
    def minimum(self) -> int:
        """Least number of rows of a positive step."""
        return bound_of(self.count) if isinstance(self.count, str) and self.count != "any" else 1

    @property
    def collective(self) -> bool:
        """Whether the step binds several rows together."""
        positive = not self.absent
        return positive and bool(self.minimum > 1 or self.distinct or self.nodes or self.concurrent)

    @property
    def anchors(self) -> tuple[tuple[str, str], ...]:
        """Time words with the point that each names."""
        return tuple((word, getattr(self, word)) for word in TIME_WORDS if getattr(self, word) is not None)

    @property
    def refers_to(self) -> tuple[str, ...]:
        """Steps that are named by time words, ``closes`` and ``opens``."""
        named = [point.split(".", 1)[0] for _, point in self.anchors]
        return tuple(dict.fromkeys([*named, *(name for name in (self.closes, self.opens) if name)]))


@frozen
class EffectEdge:
    """An edge to an effect: a finding. ``within`` bounds the lag; ``join`` maps a field of the cause to one of the effect."""

    finding: str
    within: int | None = None
    strength: str = "likely"
    join: Mapping[str, str] | None = field(default=None, hash=False)


@frozen
class CauseEdge:
    """An edge to a cause: another finding, or a latent cause."""

    finding: str | None = None
    cause: str | None = None
    within: int | None = None
    strength: str = "likely"
    join: Mapping[str, str] | None = field(default=None, hash=False)

    @property
    def source(self) -> str:
        """Id of the cause."""
        return self.finding or self.cause or ""


@frozen
class Subjects:
    """Whom a finding is about."""

    nodes: tuple[Reference, ...] = ()
    resources: tuple[Reference, ...] = ()


@frozen
class FindingText:
    """How a match becomes a finding. ``evidence`` names the steps that are quoted and that span its time."""

    subjects: Subjects = Subjects()
    evidence: tuple[str, ...] = ()
    says: Template | None = None


@frozen
class Need:
    """What would settle an open step: a log family, of whom, in which window, and why."""

    log: str
    of: str
    why: str
    window: str | None = None
    step: str | None = None


@frozen
class Commands:
    """Commands for pcs and for crm; ``{step.field}`` puts in a quoted value."""

    pcs: tuple[Template, ...] = ()
    crm: tuple[Template, ...] = ()


@frozen
class Expectation:
    """A finding that a test expects; keys that are not given are not compared."""

    holds: str = "true"
    subjects: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    nodes: tuple[str, ...] | None = None
    unproven: tuple[str, ...] | None = None
    title: str | None = None
    says: str | None = None
    found: str | None = None
    expected: str | None = None
    count: int | None = None


@frozen
class InlineTest:
    """A test of a rule: a situation in the compact notation, or raw logs, and the findings that must come out."""

    name: str
    expect: tuple[Expectation, ...]
    start: str = "2026-01-05T12:00:00Z"
    events: str | None = None
    views: str | None = None
    facts: str | None = None
    findings: str | None = None
    logs: Mapping[str, str] | None = field(default=None, hash=False)


@frozen
class Rule:
    """A finding rule: one file of ``rules/findings``. The values of ``per`` are a set where it is ``unordered``."""

    id: str
    title: Template
    layer: Layer
    role: Role
    severity: Severity
    confidence: float
    description: str
    match: Mapping[str, Step] = field(hash=False)
    status: str = "stable"
    incident_kind: IncidentKind | None = None
    category: Category | None = None
    applies_to: Mapping[str, str] = field(default_factory=dict, hash=False)
    tags: tuple[str, ...] = ()
    per: tuple[Reference, ...] = ()
    unordered: bool = False
    merge: int = DEFAULT_MERGE_NS
    one_of: tuple[tuple[str, ...], ...] = ()
    finding: FindingText = FindingText()
    explained_by: tuple[CauseEdge, ...] = ()
    leads_to: tuple[EffectEdge, ...] = ()
    enables: tuple[EffectEdge, ...] = ()
    prevents: tuple[EffectEdge, ...] = ()
    needs: tuple[Need, ...] = ()
    false_positives: tuple[str, ...] = ()
    remediation: Commands = Commands()
    references: tuple[str, ...] = ()
    tests: tuple[InlineTest, ...] = ()


@frozen
class Ask:
    """What to fetch to confirm or exclude a cause."""

    what: Template
    why: Template
    command: Template


@frozen
class Cause:
    """A latent root cause. It is instantiated for each entity of the kind ``binds`` that an incident involves."""

    id: str
    title: str
    category: Category
    layer: Layer
    prior: str
    statement: Template
    binds: str
    role: CauseRole = CauseRole.TRIGGER
    description: str | None = None
    leads_to: tuple[EffectEdge, ...] = ()
    prevents: tuple[EffectEdge, ...] = ()
    enables: tuple[EffectEdge, ...] = ()
    ask: tuple[Ask, ...] = ()
    remediation: Commands = Commands()
    references: tuple[str, ...] = ()


@frozen
class Audit:
    """A configuration check: it fails where its match over facts holds.

    ``condition`` also makes it a finding of role *condition*, which edges may name.
    """

    id: str
    title: Template
    severity: Severity
    match: Mapping[str, Step] = field(hash=False)
    found: Template
    expected: Template
    why: str
    status: str = "stable"
    layer: Layer = Layer.CONFIG
    applies_to: Mapping[str, str] = field(default_factory=dict, hash=False)
    per: tuple[Reference, ...] = ()
    unordered: bool = False
    one_of: tuple[tuple[str, ...], ...] = ()
    requires: tuple[str, ...] = ()
    nodes: tuple[Reference, ...] = ()
    resources: tuple[Reference, ...] = ()
    source: str | None = None
    fix: Commands = Commands()
    condition: bool = False
    enables: tuple[EffectEdge, ...] = ()
    leads_to: tuple[EffectEdge, ...] = ()
    prevents: tuple[EffectEdge, ...] = ()
    references: tuple[str, ...] = ()
    tests: tuple[InlineTest, ...] = ()


@frozen
class Pack:
    """``pack.yaml``: name and version of a rule pack, and the version of the language that it is written in."""

    name: str
    version: str
    engine: str
    about: str
