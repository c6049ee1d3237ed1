"""The result of an analysis: incidents with their explanations, chain and impact."""

from __future__ import annotations

from enum import StrEnum

from hadiag.model.entity import Category, IncidentKind, Node, NodeRole, Severity
from hadiag.model.finding import AuditResult, Finding, Remediation
from hadiag.model.frozen import record
from hadiag.model.source import InputSummary, Warn
from hadiag.model.time import Instant, TimeBasis
from hadiag.model.view import Coverage


class VerdictStatus(StrEnum):
    """What could be said."""

    EXPLAINED = "explained"
    UNDECIDED = "undecided"
    NO_INCIDENT = "no_incident"
    INSUFFICIENT = "insufficient"


class CauseRole(StrEnum):
    """Part of a cause in an explanation."""

    TRIGGER = "trigger"
    PREVENTED_RECOVERY = "prevented_recovery"
    CONTRIBUTING = "contributing"


@record
class Evidence:
    """A quoted line. ``event`` is the uid of a timeline row, None for configuration and snapshots."""

    event: str | None
    node: str | None
    path: str
    line: int
    logged: str | None
    at: Instant | None
    text: str
    also: tuple[tuple[str, int], ...] = ()


@record
class CauseRef:
    """A cause inside an explanation."""

    cause: str
    category: Category
    role: CauseRole
    nodes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@record
class Argument:
    """One line of the arithmetic: a finding, how it speaks, and by how much (natural log)."""

    finding: str
    state: str
    probability: float
    weight: float


@record
class Explanation:
    """One ranked explanation; ``for_`` and ``against`` are evidence, ``uncheckable`` sentences."""

    rank: int
    cause: str
    category: Category
    causes: tuple[CauseRef, ...]
    statement: str
    confidence: float
    nodes: tuple[str, ...]
    resources: tuple[str, ...]
    for_: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    uncheckable: tuple[str, ...]
    remediation: Remediation
    references: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    log_prior: float = 0.0
    lead: str = ""
    """The statement of the trigger alone."""
    beside: str = ""
    """The statements of the other causes: what prevented recovery, what contributed."""


@record
class ChainStep:
    """One step from the cause to the impact. ``because_of`` names the ids of earlier steps."""

    id: str
    node_kind: str
    because_of: tuple[str, ...]
    lag_s: float | None
    at: Instant | None
    nodes: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    text: str


@record
class Outage:
    """Time during which a resource was not active anywhere (or not in its promoted role)."""

    resource: str
    role: str | None
    down_from: Instant | None
    down_to: Instant | None
    from_node: str | None
    to_node: str | None
    planned: bool

    @property
    def down_s(self) -> float | None:
        """Length in s, None while one end is not known."""
        if self.down_from is None or self.down_to is None:
            return None
        return (self.down_to.ns - self.down_from.ns) / 1e9


@record
class NodeOutage:
    """Time during which a node was no member, and how it went: ``orderly``, ``fenced``, ``crash``, ``unknown``."""

    node: str
    start: Instant | None
    end: Instant | None
    how: str


@record
class Phases:
    """Phases of a fail-over in s; None where not known."""

    detect_s: float | None = None
    decide_s: float | None = None
    fence_s: float | None = None
    recover_s: float | None = None


@record
class Impact:
    """What the incident cost."""

    resources: tuple[Outage, ...] = ()
    nodes: tuple[NodeOutage, ...] = ()
    data_at_risk: bool | None = None
    phases: Phases = Phases()


@record
class MissingEvidence:
    """Evidence that would settle what is open."""

    what: str
    why: str
    command: str


@record
class Incident:
    """One incident, from its first sign to recovery."""

    id: str
    start: Instant | None
    end: Instant | None
    title: str
    severity: Severity
    kinds: tuple[IncidentKind, ...]
    explanations: tuple[Explanation, ...]
    conditions: tuple[str, ...]
    chain: tuple[ChainStep, ...]
    impact: Impact
    worked: tuple[str, ...]
    missing: tuple[MissingEvidence, ...]
    findings: tuple[str, ...] = ()
    fragile: bool = False


@record
class Verdict:
    """The answer in one sentence."""

    status: VerdictStatus
    headline: str
    confidence: float
    calibrated: bool
    fragile: bool


@record
class FencingAttempt:
    """One try of one device."""

    device: str | None
    level: int | None
    executed_by: str | None
    delay_s: float | None
    started: Instant | None
    ended: Instant | None
    result: str
    error: str | None
    late_result: str | None = None


@record
class FencingOperation:
    """One fencing operation from request to result; ``result``: ok, failed, timeout, no_device, unknown."""

    op_id: str | None
    action: str
    target: str
    reason: str | None
    requested_by: str | None
    requested_at: Instant | None
    attempts: tuple[FencingAttempt, ...]
    result: str
    completed_at: Instant | None
    manual: bool
    evidence: tuple[Evidence, ...]
    delegate: str | None = None


@record
class Contradiction:
    """Views that exclude each other, with the overlap in s beyond clock error."""

    what: str
    nodes: tuple[str, ...]
    start: Instant | None
    end: Instant | None
    overlap_s: float | None
    evidence: tuple[Evidence, ...]


@record
class OffsetSpan:
    """UTC offset of a node's wall clock in a stretch of time (UTC ns; None = open)."""

    start_ns: int | None
    end_ns: int | None
    utc_offset_s: int | None
    basis: TimeBasis


@record
class SkewSpan:
    """A node's clock minus the reference node's, in s, with its error."""

    start_ns: int | None
    end_ns: int | None
    skew_s: float | None
    error_s: float | None
    basis: str


@record
class ClockStep:
    """A jump of a node's wall clock: when (with the half-width of what is left open), and by how many seconds (positive: forward).

    ``or_of`` is a node whose clock may have jumped instead, the other way, where nothing tells the two apart.
    """

    at_ns: int
    by_s: float
    error_s: float | None = None
    or_of: Node | None = None


@record
class NodeClock:
    """What is known of one node's clock."""

    is_reference: bool
    offsets: tuple[OffsetSpan, ...] = ()
    skews: tuple[SkewSpan, ...] = ()
    steps: tuple[ClockStep, ...] = ()
    skew_s: float | None = None


@record
class Boot:
    """One boot of a node; ``how`` it ended: ``orderly``, ``fenced``, ``crash``, ``unknown``."""

    start: Instant | None
    end: Instant | None
    how: str


@record
class Silence:
    """From the last line before an unclean end to the next start, in UTC ns (None: until the logs end)."""

    start_ns: int
    end_ns: int | None


@record
class NodeReport:
    """One node of the cluster."""

    name: str
    nodeids: tuple[int, ...]
    addresses: tuple[str, ...]
    aliases: tuple[str, ...]
    role: NodeRole
    provided: bool
    versions: tuple[tuple[str, str], ...]
    clock: NodeClock
    boots: tuple[Boot, ...] = ()
    silent: tuple[Silence, ...] = ()
    coverage: tuple[Coverage, ...] = ()


@record
class ClusterReport:
    """The cluster as its configuration describes it."""

    name: str | None
    uuid: str | None
    versions: tuple[tuple[str, str], ...]
    fencing_enabled: bool | None
    no_quorum_policy: str | None
    expected_votes: int | None
    two_node: bool | None
    sources: tuple[str, ...]


@record
class Answer:
    """Answer to a question of the Pacemaker manual; ``answer`` None = not in these logs."""

    question: str
    answer: str | None
    evidence: tuple[Evidence, ...]


@record
class UnknownMessage:
    """A template of warning-or-worse lines that no pattern knows."""

    template: str
    program: str
    level: str
    count: int
    first_ns: int | None
    last_ns: int | None
    example: Evidence


@record
class Diagnosis:
    """The whole result, the source of every form of the report."""

    version: str
    rules_digest: str
    inputs: tuple[InputSummary, ...]
    input_warnings: tuple[tuple[int, Warn], ...]
    cluster: ClusterReport
    nodes: tuple[NodeReport, ...]
    verdict: Verdict
    incidents: tuple[Incident, ...]
    findings: tuple[Finding, ...]
    finding_evidence: tuple[tuple[str, tuple[Evidence, ...]], ...]
    fencing: tuple[FencingOperation, ...]
    contradictions: tuple[Contradiction, ...]
    audit: tuple[AuditResult, ...]
    answers: tuple[Answer, ...]
    unknown_messages: tuple[UnknownMessage, ...]
    warnings: tuple[Warn, ...]
