"""The machine-readable result, ``hadiag.analysis/v1``: a diagnosis as plain data, key for key as the contract names them.

Times become ISO 8601 in UTC with milliseconds, durations seconds, unknown None. Lists keep the order that the stages gave them, which is
sorted, so that equal input gives equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, cast, overload

from hadiag.model.diagnosis import (
    CauseRef,
    ChainStep,
    ClusterReport,
    Contradiction,
    Diagnosis,
    Evidence,
    Explanation,
    FencingOperation,
    Impact,
    Incident,
    NodeReport,
    UnknownMessage,
)
from hadiag.model.entity import confidence_word
from hadiag.model.finding import AuditResult, Finding, Remediation
from hadiag.model.source import InputSummary, Warn
from hadiag.model.time import NS, Instant, iso_utc
from hadiag.model.tri import Tri
from hadiag.model.view import Coverage
from hadiag.report.contract import (
    AnalysisDoc,
    AuditDoc,
    CauseDoc,
    ChainDoc,
    Cluster,
    ConfidenceWord,
    ContradictionDoc,
    EvidenceDoc,
    ExplanationDoc,
    FencingDoc,
    FencingWord,
    FindingDoc,
    ImpactDoc,
    IncidentDoc,
    Input,
    LogCoverage,
    NodeDoc,
    NodeKind,
    RemediationDoc,
    UnknownDoc,
    Warning_,
)

SCHEMA: Final = "hadiag.analysis/v1"


def to_json(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as one JSON document with a newline at its end."""
    return "".join(json_pieces(diagnosis))


def json_pieces(diagnosis: Diagnosis) -> Iterator[str]:
    """The document of ``to_json`` piece by piece: of thousands of incidents there is one at a time in memory."""
    for number, (name, value) in enumerate(_sections(diagnosis).items()):
        yield f"{',' if number else '{'}\n {json.dumps(name)}: "
        if isinstance(value, Iterator):
            yield from _listed(value)
        else:
            yield _indented(value, 1)
    yield "\n}\n"


def _listed(rows: Iterator[object]) -> Iterator[str]:
    first = next(rows, None)
    if first is None:
        yield "[]"
        return
    yield f"[\n  {_indented(first, 2)}"
    for row in rows:
        yield f",\n  {_indented(row, 2)}"
    yield "\n ]"


def _indented(value: object, depth: int) -> str:
    """A value as it stands at a depth of the document; texts hold no raw line ends."""
    return json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "\n" + " " * depth)


def as_data(d: Diagnosis) -> AnalysisDoc:
    """Turn a diagnosis into the plain data of the contract."""
    sections = {name: list(each) if isinstance(each, Iterator) else each for name, each in _sections(d).items()}
    return cast("AnalysisDoc", sections)


def _sections(d: Diagnosis) -> dict[str, object]:
    """The parts of the document in their order; of the long lists an iterator of their rows."""
    evidence = dict(d.finding_evidence)
    return {
        "schema": SCHEMA,
        "hadiag": {"version": d.version, "rules_digest": d.rules_digest},
        "inputs": [_input(number, one, d.input_warnings) for number, one in enumerate(d.inputs)],
        "cluster": _cluster(d.cluster),
        "nodes": [_node(node) for node in d.nodes],
        "verdict": {
            "status": d.verdict.status,
            "headline": d.verdict.headline,
            "confidence": _number(d.verdict.confidence),
            "confidence_word": _word(d.verdict.confidence),
            "calibrated": d.verdict.calibrated,
            "fragile": d.verdict.fragile,
        },
        "incidents": map(_incident, d.incidents),
        "findings": (_finding(one, evidence.get(one.id, ())) for one in d.findings),
        "fencing": map(_fencing, d.fencing),
        "contradictions": map(_contradiction, d.contradictions),
        "audit": map(_audit, d.audit),
        "answers": [
            {"question": a.question, "answer": a.answer, "evidence": [_evidence(e) for e in a.evidence]}
            for a in d.answers
        ],
        "unknown_messages": [_unknown(one) for one in d.unknown_messages],
        "warnings": [_warning(one) for one in d.warnings],
    }


def _word(confidence: float) -> ConfidenceWord:
    return cast("ConfidenceWord", confidence_word(confidence))


@overload
def _number(value: float) -> float: ...
@overload
def _number(value: float | None) -> float | None: ...
def _number(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _time(at: Instant | None) -> str | None:
    return None if at is None else iso_utc(at.ns)


def _ns(ns: int | None) -> str | None:
    return None if ns is None else iso_utc(ns)


def _error(at: Instant | None) -> float | None:
    return None if at is None or at.err_ns is None else _number(at.err_ns / NS)


def _warning(warn: Warn) -> Warning_:
    return {"code": warn.code, "message": warn.message, "where": warn.where}


def _input(number: int, one: InputSummary, warnings: tuple[tuple[int, Warn], ...]) -> Input:
    own = [_warning(warn) for index, warn in warnings if index == number]
    return {
        "path": one.path,
        "kind": one.kind,
        "bytes": one.bytes,
        "digest": one.digest,
        "nodes": list(one.nodes),
        "warnings": own,
    }


def _cluster(cluster: ClusterReport) -> Cluster:
    return {
        "name": cluster.name,
        "uuid": cluster.uuid,
        "versions": dict(cluster.versions),
        "fencing_enabled": cluster.fencing_enabled,
        "no_quorum_policy": cluster.no_quorum_policy,
        "expected_votes": cluster.expected_votes,
        "two_node": cluster.two_node,
        "sources": list(cluster.sources),
    }


def _node(node: NodeReport) -> NodeDoc:
    clock = node.clock
    return {
        "name": node.name,
        "nodeids": list(node.nodeids),
        "addresses": list(node.addresses),
        "aliases": list(node.aliases),
        "role": node.role,
        "provided": node.provided,
        "versions": dict(node.versions),
        "clock": {
            "is_reference": clock.is_reference,
            "offsets": [
                {
                    "from": _ns(span.start_ns),
                    "to": _ns(span.end_ns),
                    "utc_offset_s": span.utc_offset_s,
                    "basis": span.basis,
                }
                for span in clock.offsets
            ],
            "skews": [
                {
                    "from": _ns(span.start_ns),
                    "to": _ns(span.end_ns),
                    "skew_s": _number(span.skew_s),
                    "error_s": _number(span.error_s),
                    "basis": span.basis,
                }
                for span in clock.skews
            ],
            "steps": [
                {
                    "at": _ns(step.at_ns),
                    "by_s": _number(step.by_s),
                    "error_s": _number(step.error_s),
                    "or_of": step.or_of,
                }
                for step in clock.steps
            ],
            "skew_s": _number(clock.skew_s),
        },
        "boots": [{"start": _time(b.start), "end": _time(b.end), "how": b.how} for b in node.boots],
        "silent": [{"from": _ns(s.start_ns), "to": _ns(s.end_ns)} for s in node.silent],
        "coverage": [_coverage(one) for one in node.coverage],
    }


def _coverage(one: Coverage) -> LogCoverage:
    return {
        "family": one.family,
        "path": one.path,
        "start": _ns(one.start_ns),
        "end": _ns(one.end_ns),
        "lines": one.lines,
        "recognised": one.recognised,
        "gaps": [{"start": _ns(g.start_ns), "end": _ns(g.end_ns), "why": g.why} for g in one.gaps],
    }


def _evidence(e: Evidence) -> EvidenceDoc:
    return {
        "event": e.event,
        "node": e.node,
        "path": e.path,
        "line": e.line,
        "logged": e.logged,
        "time": _time(e.at),
        "error_s": _error(e.at),
        "text": e.text,
        "also": [{"path": path, "line": line} for path, line in e.also],
    }


def _remediation(fix: Remediation) -> RemediationDoc:
    return {"pcs": list(fix.pcs), "crm": list(fix.crm)}


def _incident(one: Incident) -> IncidentDoc:
    return {
        "id": one.id,
        "start": _time(one.start),
        "end": _time(one.end),
        "title": one.title,
        "severity": one.severity,
        "kinds": list(one.kinds),
        "explanations": [_explanation(e) for e in one.explanations],
        "conditions": list(one.conditions),
        "chain": [_step(step) for step in one.chain],
        "impact": _impact(one.impact),
        "worked": list(one.worked),
        "missing": [{"what": m.what, "why": m.why, "command": m.command} for m in one.missing],
        "findings": list(one.findings),
        "fragile": one.fragile,
    }


def _cause(ref: CauseRef) -> CauseDoc:
    return {
        "cause": ref.cause,
        "category": ref.category,
        "role": ref.role,
        "nodes": list(ref.nodes),
        "resources": list(ref.resources),
    }


def _explanation(e: Explanation) -> ExplanationDoc:
    return {
        "rank": e.rank,
        "cause": e.cause,
        "category": e.category,
        "causes": [_cause(ref) for ref in e.causes],
        "statement": e.statement,
        "confidence": _number(e.confidence),
        "confidence_word": _word(e.confidence),
        "nodes": list(e.nodes),
        "resources": list(e.resources),
        "for": [_evidence(one) for one in e.for_],
        "against": [_evidence(one) for one in e.against],
        "uncheckable": list(e.uncheckable),
        "remediation": _remediation(e.remediation),
        "references": list(e.references),
        "log_prior": _number(e.log_prior),
        "arguments": [
            {
                "finding": a.finding,
                "state": a.state,
                "probability": _number(a.probability),
                "weight": _number(a.weight),
            }
            for a in e.arguments
        ],
    }


def _step(step: ChainStep) -> ChainDoc:
    return {
        "id": step.id,
        "node_kind": cast("NodeKind", step.node_kind),
        "because_of": list(step.because_of),
        "lag_s": _number(step.lag_s),
        "time": _time(step.at),
        "error_s": _error(step.at),
        "nodes": list(step.nodes),
        "evidence": [_evidence(e) for e in step.evidence],
        "text": step.text,
    }


def _impact(impact: Impact) -> ImpactDoc:
    return {
        "resources": [
            {
                "resource": o.resource,
                "role": o.role,
                "down_from": _time(o.down_from),
                "down_to": _time(o.down_to),
                "down_s": _number(o.down_s),
                "from_node": o.from_node,
                "to_node": o.to_node,
                "planned": o.planned,
            }
            for o in impact.resources
        ],
        "nodes": [{"node": n.node, "from": _time(n.start), "to": _time(n.end), "how": n.how} for n in impact.nodes],
        "data_at_risk": impact.data_at_risk,
        "phases": {
            "detect_s": _number(impact.phases.detect_s),
            "decide_s": _number(impact.phases.decide_s),
            "fence_s": _number(impact.phases.fence_s),
            "recover_s": _number(impact.phases.recover_s),
        },
    }


def _finding(f: Finding, evidence: tuple[Evidence, ...]) -> FindingDoc:
    return {
        "id": f.id,
        "rule": f.rule,
        "holds": "true" if f.holds is Tri.TRUE else "unknown",
        "incident_kind": f.incident_kind or None,
        "category": f.category,
        "layer": f.layer,
        "role": f.role,
        "severity": f.severity,
        "confidence": _number(f.confidence),
        "title": f.title,
        "says": f.says,
        "nodes": list(f.nodes),
        "resources": list(f.resources),
        "start": _time(f.start),
        "end": _time(f.end),
        "evidence": [_evidence(e) for e in evidence],
        "unproven": [
            {
                "step": u.step,
                "family": u.family,
                "nodes": list(u.nodes),
                "start": _ns(u.start_ns),
                "end": _ns(u.end_ns),
                "why": u.why,
            }
            for u in f.unproven
        ],
        "remediation": _remediation(f.remediation),
        "references": list(f.references),
    }


def _fencing(op: FencingOperation) -> FencingDoc:
    return {
        "op_id": op.op_id,
        "action": op.action,
        "target": op.target,
        "reason": op.reason,
        "requested_by": op.requested_by,
        "requested_at": _time(op.requested_at),
        "attempts": [
            {
                "device": a.device,
                "level": a.level,
                "executed_by": a.executed_by,
                "delay_s": _number(a.delay_s),
                "started": _time(a.started),
                "ended": _time(a.ended),
                "result": a.result,
                "error": a.error,
                "late_result": a.late_result,
            }
            for a in op.attempts
        ],
        "result": cast("FencingWord", op.result),
        "completed_at": _time(op.completed_at),
        "manual": op.manual,
        "delegate": op.delegate,
        "evidence": [_evidence(e) for e in op.evidence],
    }


def _contradiction(c: Contradiction) -> ContradictionDoc:
    return {
        "what": c.what,
        "nodes": list(c.nodes),
        "start": _time(c.start),
        "end": _time(c.end),
        "overlap_s": _number(c.overlap_s),
        "evidence": [_evidence(e) for e in c.evidence],
    }


def _audit(a: AuditResult) -> AuditDoc:
    source = a.source
    return {
        "id": a.id,
        "severity": a.severity,
        "holds": "true" if a.holds is Tri.TRUE else "unknown",
        "nodes": list(a.nodes),
        "found": a.found,
        "expected": a.expected,
        "source": None if source is None else {"node": source.node, "path": source.path, "line": source.line},
        "why": a.why,
        "fix": _remediation(a.fix),
    }


def _unknown(u: UnknownMessage) -> UnknownDoc:
    return {
        "template": u.template,
        "program": u.program,
        "level": u.level,
        "count": u.count,
        "first": _ns(u.first_ns),
        "last": _ns(u.last_ns),
        "example": _evidence(u.example),
    }
