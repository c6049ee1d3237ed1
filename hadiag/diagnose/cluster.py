"""The cluster, its nodes, fencing operations and contradictions, as the result lists them."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.diagnose.evidence import quotes
from hadiag.model.diagnosis import (
    Boot,
    ClusterReport,
    Contradiction,
    FencingAttempt,
    FencingOperation,
    NodeClock,
    NodeReport,
)
from hadiag.model.entity import Node, NodeRole, Scalar
from hadiag.model.fact import Fact
from hadiag.model.view import View
from hadiag.snapshots.config import ClusterConfig
from hadiag.state import Views
from hadiag.timeline import Timeline

_PACKAGES = ("pacemaker", "corosync", "pcs", "crmsh", "sbd", "resource-agents", "fence-agents", "corosync-qdevice")
_RESULTS = {"ok", "failed", "timeout", "no_device"}


def cluster_report(config: ClusterConfig, timeline: Timeline, facts: Sequence[Fact]) -> ClusterReport:
    """Describe the cluster from its configuration; what no file says is None."""
    versions: dict[str, str] = {}
    for fact in sorted((f for f in facts if f.table == "package"), key=lambda f: f.path):
        if fact.values.get("name") in _PACKAGES:
            versions.setdefault(str(fact.values["name"]), str(fact.values.get("version")))
    dc_version = config.options.get("dc-version")
    if dc_version:
        versions.setdefault("pacemaker", dc_version.split("-")[0])
    name = config.name or (timeline.cluster_names[0] if len(timeline.cluster_names) == 1 else None)
    return ClusterReport(
        name=name,
        uuid=config.corosync.get("totem.cluster_uuid"),
        versions=tuple(sorted(versions.items())),
        fencing_enabled=config.fencing_enabled,
        no_quorum_policy=config.no_quorum_policy,
        expected_votes=config.expected_votes,
        two_node=config.two_node,
        sources=config.sources,
    )


def node_reports(timeline: Timeline, views: Views, config: ClusterConfig) -> tuple[NodeReport, ...]:
    """Describe each node, members first."""
    reports = [_node(identity.name, timeline, views, config) for identity in timeline.nodes]
    roles = list(NodeRole)
    return tuple(sorted(reports, key=lambda r: (roles.index(r.role), r.name)))


def _node(name: Node, timeline: Timeline, views: Views, config: ClusterConfig) -> NodeReport:
    identity = next(one for one in timeline.nodes if one.name == name)
    role = NodeRole.REMOTE if name in config.remotes and identity.role is NodeRole.OTHER else identity.role
    return NodeReport(
        name=name,
        nodeids=tuple(sorted(identity.nodeids)),
        addresses=tuple(sorted(identity.addresses)),
        aliases=tuple(sorted(identity.aliases)),
        role=role,
        provided=identity.provided,
        versions=tuple(sorted(identity.versions)),
        clock=timeline.clocks.get(name, NodeClock(is_reference=False)),
        boots=tuple(
            Boot(v.start, v.end, _ended(v.value.get("how")))
            for v in views.of("node.boot")
            if v.value.get("node") == name
        ),
        silent=timeline.silences.get(name, ()),
        coverage=tuple(c for c in timeline.coverage if c.node == name),
    )


def _ended(how: Scalar) -> str:
    """How a boot ended, in the words of the result; one that still runs has not ended."""
    return str(how) if how in {"orderly", "fenced", "crash"} else "unknown"


def fencing_operations(views: Views, timeline: Timeline) -> tuple[FencingOperation, ...]:
    """List every fencing operation with its attempts, in the order of time."""
    attempts = views.of("fencing.attempt")
    found = [_operation(v, attempts, timeline) for v in views.of("fencing.operation")]
    return tuple(
        sorted(found, key=lambda op: (op.requested_at.ns if op.requested_at else 0, op.target, op.op_id or ""))
    )


def _operation(view: View, attempts: Sequence[View], timeline: Timeline) -> FencingOperation:
    v = view.value
    own = [a for a in attempts if _belongs(a, view)]
    result = str(v.get("result") or "unknown")
    return FencingOperation(
        op_id=_text(v.get("op_id")),
        action=str(v.get("action") or "unknown"),
        target=str(v.get("target")),
        reason=_text(v.get("reason")),
        requested_by=_text(v.get("requested_by")),
        requested_at=view.start,
        attempts=tuple(_attempt(a) for a in sorted(own, key=lambda a: a.start.ns if a.start else 0)),
        result=result if result in _RESULTS else "unknown",
        completed_at=view.end if result in _RESULTS else None,
        manual=v.get("manual") is True,
        evidence=quotes(timeline, [uid for uid in (view.opened_by, *view.evidence, view.closed_by) if uid], 12),
        delegate=_text(v.get("executed_by")),
    )


def _belongs(attempt: View, operation: View) -> bool:
    ident = operation.value.get("op_id")
    if ident and attempt.value.get("op_id"):
        return attempt.value["op_id"] == ident
    if attempt.value.get("target") != operation.value.get("target") or attempt.start is None or operation.start is None:
        return False
    end = operation.end.ns if operation.end else operation.start.ns + 600 * 10**9
    return operation.start.ns - 10**9 <= attempt.start.ns <= end + 10**9


def _attempt(view: View) -> FencingAttempt:
    v = view.value
    delay, level = v.get("delay_s"), v.get("level")
    return FencingAttempt(
        device=_text(v.get("device")),
        level=level if isinstance(level, int) else None,
        executed_by=_text(v.get("executed_by")),
        delay_s=float(delay) if isinstance(delay, int | float) else None,
        started=view.start,
        ended=view.end,
        result=str(v.get("result") or "unknown"),
        error=_text(v.get("error")) or _text(v.get("text")),
        late_result=_text(v.get("late_result")),
    )


def contradictions(views: Views, timeline: Timeline) -> tuple[Contradiction, ...]:
    """List the views that exclude each other."""
    found = []
    for view in views.of("contradiction"):
        overlap = view.value.get("overlap_s")
        nodes = view.value.get("nodes")
        found.append(
            Contradiction(
                what=str(view.value.get("what")),
                nodes=nodes if isinstance(nodes, tuple) else (),
                start=view.start,
                end=view.end,
                overlap_s=float(overlap) if isinstance(overlap, int | float) else None,
                evidence=quotes(timeline, [u for u in (view.opened_by, *view.evidence) if u]),
            )
        )
    return tuple(found)


def _text(value: Scalar) -> str | None:
    if isinstance(value, tuple):
        return ", ".join(value) or None
    return None if value in (None, "") else str(value)
