"""The types of the result ``hadiag.analysis/v1``: what ``machine`` builds and the JSON Schema is generated from.

Keys are only ever added. A new key is ``NotRequired``, so that results of an earlier version stay valid.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from hadiag.model.diagnosis import CauseRole, VerdictStatus
from hadiag.model.entity import Category, IncidentKind, Layer, NodeRole, Role, Severity
from hadiag.model.source import BundleKind
from hadiag.model.time import TimeBasis

ConfidenceWord = Literal["very likely", "likely", "possible", "weak"]
NodeKind = Literal["cause", "finding"]
HoldsWord = Literal["true", "unknown"]
FencingWord = Literal["ok", "failed", "timeout", "no_device", "unknown"]
Time = str | None
"""ISO 8601 in UTC with ``Z``; null where not known."""


class Warning_(TypedDict):  # noqa: N801 - Warning is a built-in
    """What could not be read, or was cut off."""

    code: str
    message: str
    where: str


class Program(TypedDict):
    """The program that made the result."""

    version: str
    rules_digest: str


class Input(TypedDict):
    """One input."""

    path: str
    kind: BundleKind
    bytes: int | None
    digest: str
    nodes: list[str]
    warnings: list[Warning_]


class Cluster(TypedDict):
    """The cluster as its configuration describes it."""

    name: str | None
    uuid: str | None
    versions: dict[str, str]
    fencing_enabled: bool | None
    no_quorum_policy: str | None
    expected_votes: int | None
    two_node: bool | None
    sources: list[str]


Offset = TypedDict(
    "Offset",
    {
        "from": Time,
        "to": Time,
        "utc_offset_s": int | None,
        "basis": TimeBasis,
    },
)
Skew = TypedDict(
    "Skew",
    {"from": Time, "to": Time, "skew_s": float | None, "error_s": float | None, "basis": str},
)
Silent = TypedDict("Silent", {"from": Time, "to": Time})
NodeImpact = TypedDict("NodeImpact", {"node": str, "from": Time, "to": Time, "how": str})
# Types with a key that is a keyword of Python have no body that could hold their sentence.
Offset.__doc__ = "What the wall clock of a node was ahead of UTC in a stretch of time, and where that is known from."
Skew.__doc__ = "What a clock differed from the reference in a stretch of time, with its error."
Silent.__doc__ = "A stretch in which a node that should have logged did not."
NodeImpact.__doc__ = "A node that was out of the membership: from when, until when, how."


class Step(TypedDict):
    """A jump of a wall clock, ``error_s`` before or behind ``at``; or one of the clock of ``or_of`` the other way, if it is not null."""

    at: Time
    by_s: float | None
    error_s: float | None
    or_of: str | None


class Clock(TypedDict):
    """What is known of one node's clock."""

    is_reference: bool
    offsets: list[Offset]
    skews: list[Skew]
    steps: list[Step]
    skew_s: float | None


class Boot(TypedDict):
    """One boot of a node."""

    start: Time
    end: Time
    how: str


class Gap(TypedDict):
    """A stretch that a log does not cover."""

    start: Time
    end: Time
    why: str


class LogCoverage(TypedDict):
    """What one log covers."""

    family: str
    path: str
    start: Time
    end: Time
    lines: int
    recognised: int
    gaps: list[Gap]


class NodeDoc(TypedDict):
    """One node."""

    name: str
    nodeids: list[int]
    addresses: list[str]
    aliases: list[str]
    role: NodeRole
    provided: bool
    versions: dict[str, str]
    clock: Clock
    boots: list[Boot]
    silent: list[Silent]
    coverage: list[LogCoverage]


class VerdictDoc(TypedDict):
    """The answer in one sentence."""

    status: VerdictStatus
    headline: str
    confidence: float
    confidence_word: ConfidenceWord
    calibrated: bool
    fragile: bool


class Copy(TypedDict):
    """A copy of a line in another file."""

    path: str
    line: int


class EvidenceDoc(TypedDict):
    """A quoted line; ``event`` is null for facts from configuration and snapshots."""

    event: str | None
    node: str | None
    path: str
    line: int
    logged: str | None
    time: Time
    error_s: float | None
    text: str
    also: list[Copy]


class RemediationDoc(TypedDict):
    """Commands for pcs and for crm."""

    pcs: list[str]
    crm: list[str]


class CauseDoc(TypedDict):
    """A cause inside an explanation."""

    cause: str
    category: Category
    role: CauseRole
    nodes: list[str]
    resources: list[str]


class ArgumentDoc(TypedDict):
    """One line of the arithmetic: a finding, how it speaks, and by how much (natural logarithm)."""

    finding: str
    state: str
    probability: float
    weight: float


class _Explanation(TypedDict):
    rank: int
    cause: str
    category: Category
    causes: list[CauseDoc]
    statement: str
    confidence: float
    confidence_word: ConfidenceWord
    nodes: list[str]
    resources: list[str]
    against: list[EvidenceDoc]
    uncheckable: list[str]
    remediation: RemediationDoc
    references: list[str]
    log_prior: NotRequired[float]
    arguments: NotRequired[list[ArgumentDoc]]


_For = TypedDict("_For", {"for": list[EvidenceDoc]})


class ExplanationDoc(_Explanation, _For):
    """One ranked explanation."""


class ChainDoc(TypedDict):
    """One step from the cause to the impact."""

    id: str
    node_kind: NodeKind
    because_of: list[str]
    lag_s: float | None
    time: Time
    error_s: float | None
    nodes: list[str]
    evidence: list[EvidenceDoc]
    text: str


class ResourceImpact(TypedDict):
    """An outage of a resource."""

    resource: str
    role: str | None
    down_from: Time
    down_to: Time
    down_s: float | None
    from_node: str | None
    to_node: str | None
    planned: bool


class PhasesDoc(TypedDict):
    """Phases of a fail-over in s."""

    detect_s: float | None
    decide_s: float | None
    fence_s: float | None
    recover_s: float | None


class ImpactDoc(TypedDict):
    """What the incident cost."""

    resources: list[ResourceImpact]
    nodes: list[NodeImpact]
    data_at_risk: bool | None
    phases: PhasesDoc


class MissingDoc(TypedDict):
    """Evidence that would settle what is open."""

    what: str
    why: str
    command: str


class IncidentDoc(TypedDict):
    """One incident."""

    id: str
    start: Time
    end: Time
    title: str
    severity: Severity
    kinds: list[IncidentKind]
    explanations: list[ExplanationDoc]
    conditions: list[str]
    chain: list[ChainDoc]
    impact: ImpactDoc
    worked: list[str]
    missing: list[MissingDoc]
    findings: NotRequired[list[str]]
    fragile: NotRequired[bool]


class UnprovenDoc(TypedDict):
    """A step that could not be decided, and the log that would decide it."""

    step: str
    family: str | None
    nodes: list[str]
    start: Time
    end: Time
    why: str


class FindingDoc(TypedDict):
    """A rule that held, or that matched in part and could not be decided."""

    id: str
    rule: str
    holds: HoldsWord
    incident_kind: IncidentKind | None
    category: Category | None
    layer: Layer
    role: Role
    severity: Severity
    confidence: float
    title: str
    says: NotRequired[str]
    nodes: list[str]
    resources: list[str]
    start: Time
    end: Time
    evidence: list[EvidenceDoc]
    unproven: list[UnprovenDoc]
    remediation: RemediationDoc
    references: list[str]


class AttemptDoc(TypedDict):
    """One try of one fence device."""

    device: str | None
    level: int | None
    executed_by: str | None
    delay_s: float | None
    started: Time
    ended: Time
    result: str
    error: str | None
    late_result: str | None


class FencingDoc(TypedDict):
    """One fencing operation from request to result."""

    op_id: str | None
    action: str
    target: str
    reason: str | None
    requested_by: str | None
    requested_at: Time
    attempts: list[AttemptDoc]
    result: FencingWord
    completed_at: Time
    manual: bool
    delegate: NotRequired[str | None]
    evidence: list[EvidenceDoc]


class ContradictionDoc(TypedDict):
    """Views that exclude each other."""

    what: str
    nodes: list[str]
    start: Time
    end: Time
    overlap_s: float | None
    evidence: list[EvidenceDoc]


class AuditSource(TypedDict):
    """Place of a configuration line."""

    node: str | None
    path: str
    line: int


class AuditDoc(TypedDict):
    """A configuration check that failed."""

    id: str
    severity: Severity
    holds: HoldsWord
    nodes: list[str]
    found: str
    expected: str
    source: AuditSource | None
    why: str
    fix: RemediationDoc


class AnswerDoc(TypedDict):
    """Answer to a question of the Pacemaker manual; null = not in these logs."""

    question: str
    answer: str | None
    evidence: list[EvidenceDoc]


class UnknownDoc(TypedDict):
    """A template of warning-or-worse lines that no pattern knows."""

    template: str
    program: str
    level: str
    count: int
    first: Time
    last: Time
    example: EvidenceDoc


class AnalysisDoc(TypedDict):
    """The machine-readable result of an analysis."""

    schema: Literal["hadiag.analysis/v1"]
    hadiag: Program
    inputs: list[Input]
    cluster: Cluster
    nodes: list[NodeDoc]
    verdict: VerdictDoc
    incidents: list[IncidentDoc]
    findings: list[FindingDoc]
    fencing: list[FencingDoc]
    contradictions: list[ContradictionDoc]
    audit: list[AuditDoc]
    answers: list[AnswerDoc]
    unknown_messages: list[UnknownDoc]
    warnings: list[Warning_]
