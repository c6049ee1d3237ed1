"""What people write: rules (``hadiag/rule/v1``), causes (``hadiag/cause/v1``), audits (``hadiag/audit/v1``), packs.

The JSON Schemas in ``rules/schema`` are generated from these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from hadiag.model.diagnosis import CauseRole
from hadiag.model.entity import Category, IncidentKind, Layer, Role, Severity
from hadiag.rulelang import entries
from hadiag.rulelang.condition import Reference, parse_reference
from hadiag.rulelang.fields import Duration, TemplateField
from hadiag.rulelang.step import ID_PATTERN, Name, RuleId, Step, Strict
from hadiag.rulelang.words import DEFAULT_MERGE_NS, parse_bounds

RULE_SCHEMA = "hadiag/rule/v1"
CAUSE_SCHEMA = "hadiag/cause/v1"
AUDIT_SCHEMA = "hadiag/audit/v1"
PACK_SCHEMA = "hadiag/pack/v1"

REFERENCE_PATTERN = r"^\$?[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"


def _reference(value: object) -> Reference:
    if isinstance(value, Reference):
        return value
    if not isinstance(value, str):
        raise ValueError("expected step.field")  # noqa: TRY004 - pydantic turns ValueError into a problem with a place
    return parse_reference(value if value.startswith("$") else f"${value}")


def _references(value: object) -> object:
    return (value,) if isinstance(value, str) else value


FieldRef = Annotated[
    Reference, PlainValidator(_reference), WithJsonSchema({"type": "string", "pattern": REFERENCE_PATTERN})
]
FieldRefs = Annotated[
    tuple[FieldRef, ...],
    BeforeValidator(_references),
    WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": REFERENCE_PATTERN}}),
]

Sentence = Annotated[str, Field(min_length=3, max_length=4000), AfterValidator(lambda text: " ".join(text.split()))]
Confidence = Annotated[float, Field(gt=0, le=1)]
Strength = Literal["certain", "likely", "even", "some", "rare"]
Prior = Literal["frequent", "common", "uncommon", "rare", "very_rare"]


def _bounds(text: str) -> str:
    parse_bounds(text)
    return text


Bounds = Annotated[str, AfterValidator(_bounds)]
Url = Annotated[str, Field(pattern=r"^(https?://\S+|[\w.+-]+\(\d\w*\)|\S+/\S+)$", max_length=300)]
Join = dict[Name, Name]


def _join(value: object) -> object:
    """A list of names is the mapping of each name to itself."""
    if isinstance(value, str):
        return {value: value}
    return {name: name for name in value} if isinstance(value, list) else value


JoinField = Annotated[
    Join,
    BeforeValidator(_join),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]


class EffectEdge(Strict):
    """An edge to an effect: a finding. ``within`` bounds the lag; ``join`` maps a field of the cause to one of the effect."""

    made = entries.EffectEdge

    finding: RuleId
    within: Duration | None = None
    strength: Strength = "likely"
    join: JoinField | None = None


class CauseEdge(Strict):
    """An edge to a cause: another finding, or a latent cause."""

    made = entries.CauseEdge

    finding: RuleId | None = None
    cause: RuleId | None = None
    within: Duration | None = None
    strength: Strength = "likely"
    join: JoinField | None = None


class Subjects(Strict):
    """Whom a finding is about: references or plain names of steps' fields."""

    made = entries.Subjects

    nodes: FieldRefs = ()
    resources: FieldRefs = ()


class FindingText(Strict):
    """How a match becomes a finding. ``evidence`` names the steps that are quoted and that span its time."""

    made = entries.FindingText

    subjects: Subjects = Subjects()
    evidence: tuple[Name, ...] = ()
    says: TemplateField | None = None


class Need(Strict):
    """What would settle an open step: a log family, of whom, in which window, and why."""

    made = entries.Need

    log: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]*$", max_length=40)]
    of: Annotated[str, Field(min_length=1, max_length=80)]
    window: Annotated[str, Field(max_length=80)] | None = None
    why: Sentence
    step: Name | None = None


class Commands(Strict):
    """Commands for pcs and for crm; ``{step.field}`` puts in a quoted value."""

    made = entries.Commands

    pcs: tuple[TemplateField, ...] = ()
    crm: tuple[TemplateField, ...] = ()


class Expectation(Strict):
    """A finding that a test expects; keys that are not given are not compared."""

    made = entries.Expectation

    holds: Annotated[
        Literal["true", "unknown"],
        BeforeValidator(lambda value: "true" if value is True else value),
        WithJsonSchema({"enum": ["true", "unknown", True]}),
    ] = "true"
    subjects: dict[Literal["nodes", "resources"], tuple[str, ...]] = Field(default_factory=dict)
    nodes: tuple[str, ...] | None = None
    unproven: tuple[Name, ...] | None = None
    title: str | None = None
    says: str | None = None
    found: str | None = None
    expected: str | None = None
    count: int | None = None


class InlineTest(Strict):
    """A test of a rule: a situation in the compact notation, or raw logs, and the findings that must come out."""

    made = entries.InlineTest

    name: Sentence
    start: str = "2026-01-05T12:00:00Z"
    events: str | None = None
    views: str | None = None
    facts: str | None = None
    findings: str | None = None
    logs: dict[str, str] | None = None
    expect: tuple[Expectation, ...]


class Rule(Strict):
    """A finding rule: one file of ``rules/findings``."""

    made = entries.Rule

    schema_: Literal["hadiag/rule/v1"] = Field(alias="schema")
    id: RuleId
    title: TemplateField
    status: Literal["experimental", "stable", "deprecated"] = "stable"
    layer: Layer
    role: Role
    incident_kind: IncidentKind | None = None
    category: Category | None = None
    severity: Severity
    confidence: Confidence
    applies_to: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], Bounds] = Field(default_factory=dict)
    tags: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")], ...] = ()
    description: Sentence
    per: FieldRefs = ()
    unordered: bool = False
    """The values of ``per`` are a set: (n1, n2) and (n2, n1) are one finding."""
    merge: Duration = DEFAULT_MERGE_NS
    match: Annotated[dict[Name, Step], Field(min_length=1, max_length=20)]
    one_of: tuple[tuple[Name, ...], ...] = ()
    finding: FindingText = FindingText()
    explained_by: tuple[CauseEdge, ...] = ()
    leads_to: tuple[EffectEdge, ...] = ()
    enables: tuple[EffectEdge, ...] = ()
    prevents: tuple[EffectEdge, ...] = ()
    needs: tuple[Need, ...] = ()
    false_positives: tuple[Sentence, ...] = ()
    remediation: Commands = Commands()
    references: tuple[Url, ...] = ()
    tests: tuple[InlineTest, ...] = ()


class Ask(Strict):
    """What to fetch to confirm or exclude a cause."""

    made = entries.Ask

    what: TemplateField
    why: TemplateField
    command: TemplateField


class Cause(Strict):
    """A latent root cause. It is instantiated for each entity of the kind ``binds`` that an incident involves.

    In ``statement``, ``ask`` and ``remediation`` the place ``{cause.node}`` (``nodes``, ``resource``, ``device``, ``link``)
    stands for the bound entity.
    """

    made = entries.Cause

    id: RuleId
    title: Sentence
    category: Category
    layer: Layer
    prior: Prior
    statement: TemplateField
    binds: Literal["nodes", "node", "resource", "device", "link", "cluster"]
    role: CauseRole = CauseRole.TRIGGER
    description: Sentence | None = None
    leads_to: tuple[EffectEdge, ...] = ()
    prevents: tuple[EffectEdge, ...] = ()
    enables: tuple[EffectEdge, ...] = ()
    ask: tuple[Ask, ...] = ()
    remediation: Commands = Commands()
    references: tuple[Url, ...] = ()


class CauseFile(Strict):
    """A file of ``rules/causes``."""

    schema_: Literal["hadiag/cause/v1"] = Field(alias="schema")
    causes: Annotated[tuple[Cause, ...], Field(min_length=1)]


class Audit(Strict):
    """A configuration check: it fails where its match over facts holds.

    ``condition: true`` also makes it a finding of role *condition*, which edges may name.
    """

    made = entries.Audit

    id: RuleId
    title: TemplateField
    status: Literal["experimental", "stable", "deprecated"] = "stable"
    severity: Severity
    layer: Layer = Layer.CONFIG
    applies_to: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], Bounds] = Field(default_factory=dict)
    per: FieldRefs = ()
    unordered: bool = False
    match: Annotated[dict[Name, Step], Field(min_length=1, max_length=12)]
    one_of: tuple[tuple[Name, ...], ...] = ()
    requires: tuple[str, ...] = ()
    nodes: FieldRefs = ()
    resources: FieldRefs = ()
    source: Name | None = None
    found: TemplateField
    expected: TemplateField
    why: Sentence
    fix: Commands = Commands()
    condition: bool = False
    enables: tuple[EffectEdge, ...] = ()
    leads_to: tuple[EffectEdge, ...] = ()
    prevents: tuple[EffectEdge, ...] = ()
    references: tuple[Url, ...] = ()
    tests: tuple[InlineTest, ...] = ()


class AuditFile(Strict):
    """A file of ``rules/audits``."""

    schema_: Literal["hadiag/audit/v1"] = Field(alias="schema")
    audits: Annotated[tuple[Audit, ...], Field(min_length=1)]


class Pack(Strict):
    """``pack.yaml``: name and version of a rule pack, and the version of the language that it is written in."""

    made = entries.Pack

    schema_: Literal["hadiag/pack/v1"] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
    engine: Bounds
    about: Sentence


def json_schema(model: type[Strict]) -> dict[str, Any]:
    """JSON Schema of a file, for editors."""
    schema = model.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


__all__ = ["ID_PATTERN", "Audit", "AuditFile", "Cause", "CauseFile", "Pack", "Rule", "Step", "json_schema"]
