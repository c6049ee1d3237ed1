"""The whole diagnosis: incidents, each explained, and one verdict over all of them."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.diagnose.answers import answers
from hadiag.diagnose.chain import build_chain
from hadiag.diagnose.cluster import cluster_report, contradictions, fencing_operations, node_reports
from hadiag.diagnose.collection import collection_warnings
from hadiag.diagnose.evidence import of_finding
from hadiag.diagnose.explain import Ranking, explain
from hadiag.diagnose.gaps import missing_evidence
from hadiag.diagnose.graph import CausalGraph, build_graph
from hadiag.diagnose.impact import impact, span
from hadiag.diagnose.incidents import counts, group, kinds, place, severity
from hadiag.diagnose.worked import what_worked
from hadiag.model.diagnosis import Diagnosis, Incident, MissingEvidence, UnknownMessage, Verdict, VerdictStatus
from hadiag.model.entity import Role, Severity, confidence_word
from hadiag.model.fact import Fact
from hadiag.model.finding import AuditResult, Finding
from hadiag.model.frozen import record
from hadiag.model.source import InputSummary, Warn
from hadiag.rulelang.ruleset import RuleSet
from hadiag.snapshots.config import ClusterConfig
from hadiag.state import Views
from hadiag.timeline import Timeline

LIKELY = 0.6
MIN_EVENTS = 20
"""Fewer recognised events than this do not support the statement that nothing happened."""


@record
class Material:
    """What the earlier stages found."""

    timeline: Timeline
    views: Views
    facts: Sequence[Fact]
    config: ClusterConfig
    ruleset: RuleSet
    findings: Sequence[Finding]
    audits: Sequence[AuditResult]
    inputs: tuple[InputSummary, ...]
    input_warnings: tuple[tuple[int, Warn], ...]
    warnings: tuple[Warn, ...]
    unknown_messages: tuple[UnknownMessage, ...]
    version: str


def diagnose(material: Material) -> Diagnosis:
    """Reach a verdict from the findings, and put everything together that the result lists."""
    timeline, views = material.timeline, material.views
    incidents = _incidents(material)
    findings = tuple(sorted(material.findings, key=_order))
    return Diagnosis(
        version=material.version,
        rules_digest=material.ruleset.digest,
        inputs=material.inputs,
        input_warnings=material.input_warnings,
        cluster=cluster_report(material.config, timeline, material.facts),
        nodes=node_reports(timeline, views, material.config),
        verdict=_verdict(incidents, timeline),
        incidents=incidents,
        findings=findings,
        finding_evidence=tuple((f.id, of_finding(timeline, f)) for f in findings),
        fencing=fencing_operations(views, timeline),
        contradictions=contradictions(views, timeline),
        audit=tuple(sorted(material.audits, key=lambda a: (-a.severity.rank, a.id, a.nodes))),
        answers=answers(timeline, views),
        unknown_messages=material.unknown_messages,
        warnings=(*material.warnings, *collection_warnings(material.facts)),
    )


def _order(finding: Finding) -> tuple[int, int, str]:
    return (-finding.severity.rank, finding.start.ns if finding.start else 0, finding.id)


def _incidents(material: Material) -> tuple[Incident, ...]:
    whole = build_graph(material.findings, material.ruleset, material.timeline)
    groups = group(material.findings, whole, material.timeline)
    spans = [_span(members) for members in groups]
    conditions = [f for f in material.findings if f.role is Role.CONDITION]
    found = []
    for number, members in enumerate(groups):
        others = [each for place, each in enumerate(spans) if each is not None and place != number]
        found.append(_incident(number + 1, members, _Beside(others, conditions), material))
    return tuple(found)


@record
class _Beside:
    """What an incident is seen against: the spans of the others (UTC ns), and the conditions of the whole cluster."""

    others: Sequence[tuple[int, int]]
    conditions: Sequence[Finding]


def _span(members: Sequence[Finding]) -> tuple[int, int] | None:
    """Begin and end of what may draw outages to itself, UTC ns; None where nothing that counts is dated."""
    start, end = span(members)
    return (start.ns, end.ns) if start and end and any(counts(f) for f in members) else None


def _incident(number: int, members: Sequence[Finding], beside: _Beside, material: Material) -> Incident:
    graph = build_graph(members, material.ruleset, material.timeline)
    ranking = explain(graph, material.ruleset, material.timeline)
    found = kinds(members)
    start, end = span(members)
    return Incident(
        id=f"I-{number}",
        start=start,
        end=end,
        title=_title(members),
        severity=severity(members),
        kinds=found,
        explanations=ranking.explanations,
        conditions=_conditions(members, beside.conditions, material.ruleset),
        chain=build_chain(
            graph,
            ranking.best,
            material.ruleset,
            material.timeline,
            known=ranking.explanations[0].cause != "unknown",
        ),
        impact=impact(members, found, material.views, beside.others),
        worked=what_worked(members, material.views, start, end),
        missing=_missing(graph, ranking, material),
        findings=tuple(f.id for f in members),
        fragile=ranking.fragile,
    )


def _missing(graph: CausalGraph, ranking: Ranking, material: Material) -> tuple[MissingEvidence, ...]:
    return missing_evidence(graph, ranking.explanations, material.ruleset, material.timeline, material.facts)


def _title(members: Sequence[Finding]) -> str:
    best = min(
        (f for f in members if counts(f)), key=lambda f: (-f.severity.rank, place((f.incident_kind,)), _order(f))
    )
    return best.title


def _conditions(members: Sequence[Finding], known: Sequence[Finding], ruleset: RuleSet) -> tuple[str, ...]:
    """Ids of the known conditions that enable a finding of the incident."""
    rules = {f.rule for f in members}
    enabling = {e.cause for rule in rules for e in ruleset.edges_to(rule) if e.kind == "enables"}
    return tuple(sorted(f.id for f in known if f.rule in enabling))


def _verdict(incidents: Sequence[Incident], timeline: Timeline) -> Verdict:
    if not incidents or incidents[0].severity.rank < Severity.WARNING.rank:
        return _calm(incidents, timeline)
    top = incidents[0]
    first = top.explanations[0]
    explained = first.confidence >= LIKELY and not top.fragile and first.cause != "unknown"
    status = VerdictStatus.EXPLAINED if explained else VerdictStatus.UNDECIDED
    confidence = first.confidence if first.cause != "unknown" else 0.0
    return Verdict(status, _headline(top, explained), confidence, calibrated=False, fragile=top.fragile)


def _calm(incidents: Sequence[Incident], timeline: Timeline) -> Verdict:
    if len(timeline.events) < MIN_EVENTS:
        text = "Too little was read to say whether anything happened."
        return Verdict(VerdictStatus.INSUFFICIENT, text, 0.0, calibrated=False, fragile=False)
    planned = f" {len(incidents)} planned or minor change(s) were found: {incidents[0].title}." if incidents else ""
    text = f"No incident: nothing at warning or above was found.{planned}"
    return Verdict(VerdictStatus.NO_INCIDENT, text, 0.9, calibrated=False, fragile=False)


def _headline(incident: Incident, explained: bool) -> str:
    first = incident.explanations[0]
    if explained:
        return f"{incident.title}. Cause ({confidence_word(first.confidence)}): {first.statement}"
    known = [e for e in incident.explanations if e.cause != "unknown"][:3]
    if not known:
        return f"{incident.title}. The cause left no trace that hadiag knows."
    options = "; or: ".join(e.lead.rstrip(".") for e in known)
    beside = f" {known[0].beside}" if known[0].beside else ""
    return f"{incident.title}. The logs do not decide the cause; it could be: {options}.{beside}"
