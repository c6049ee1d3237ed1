"""Findings: what a rule concluded from events, views and facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from hadiag.model.entity import Category, IncidentKind, Layer, Role, Scalar, Severity
from hadiag.model.frozen import record
from hadiag.model.time import Instant
from hadiag.model.tri import Tri


@record
class Unproven:
    """A step whose truth could not be decided, and the log that would decide it.

    ``family`` and ``nodes`` name the log; ``start_ns`` and ``end_ns`` the window in UTC; ``why`` one sentence.
    """

    step: str
    family: str | None
    nodes: tuple[str, ...]
    start_ns: int | None
    end_ns: int | None
    why: str


@record
class Remediation:
    """What to do: commands for pcs and for crm, the same length or not."""

    pcs: tuple[str, ...] = ()
    crm: tuple[str, ...] = ()


@record
class Finding:
    """One instance of a rule that held, or that matched in part and could not be decided.

    ``id`` is stable between runs (rule id and a digest of the identity key). ``evidence`` maps a step's name to the
    uids of its events; ``bindings`` keeps the fields of each step for titles and joins (``{"op": {"target": "n2"}}``).
    ``start`` and ``end`` span the evidence; None for findings from configuration alone.
    """

    id: str
    rule: str
    holds: Tri
    title: str
    says: str
    confidence: float
    layer: Layer
    role: Role
    severity: Severity
    incident_kind: IncidentKind | None
    category: Category | None
    nodes: tuple[str, ...]
    resources: tuple[str, ...]
    start: Instant | None
    end: Instant | None
    evidence: Mapping[str, tuple[str, ...]] = field(hash=False)
    bindings: Mapping[str, Mapping[str, Scalar]] = field(hash=False)
    unproven: tuple[Unproven, ...] = ()
    remediation: Remediation = Remediation()
    references: tuple[str, ...] = ()
    fact_evidence: tuple[FactEvidence, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """Uids of all evidence, in step order, each once."""
        return tuple(dict.fromkeys(uid for uids in self.evidence.values() for uid in uids))


@record
class FactEvidence:
    """A line of configuration or of a snapshot that a finding rests on."""

    node: str | None
    path: str
    line: int
    text: str


@record
class AuditResult:
    """A configuration check that failed, or that could not be decided (``holds`` UNKNOWN)."""

    id: str
    severity: Severity
    holds: Tri
    nodes: tuple[str, ...]
    found: str
    expected: str
    source: FactEvidence | None
    why: str
    fix: Remediation
