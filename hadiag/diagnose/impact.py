"""What an incident cost: outages, lost nodes, and the phases of the fail-over."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.model.diagnosis import Impact, NodeOutage, Outage, Phases
from hadiag.model.entity import IncidentKind, Scalar, Severity
from hadiag.model.finding import Finding
from hadiag.model.frozen import record
from hadiag.model.time import NS, Instant
from hadiag.model.view import View
from hadiag.state import Views

MARGIN_NS = 120 * NS


def span(findings: Sequence[Finding]) -> tuple[Instant | None, Instant | None]:
    """First and last instant of the findings of an incident; remarks beside graver findings do not stretch it."""
    timed = [f for f in findings if f.start is not None]
    told = [f for f in timed if f.severity.rank >= Severity.WARNING.rank] or timed
    starts = [f.start for f in told if f.start is not None]
    ends = [f.end or f.start for f in told]
    if not starts:
        return None, None
    return min(starts, key=lambda i: i.ns), max((e for e in ends if e is not None), key=lambda i: i.ns)


@record
class _Reach:
    """The span of an incident, and those of the others: what happened near it belongs to the incident it is nearest to."""

    start: Instant
    end: Instant
    others: Sequence[tuple[int, int]]

    def of(self, views: Views, table: str) -> list[View]:
        """The views of a table that belong to the incident."""
        near = views.begun(table, self.start.ns - MARGIN_NS, self.end.ns + MARGIN_NS)
        return [view for view in near if self.touches(view)]

    def touches(self, view: View) -> bool:
        """Tell whether a view began in the incident or near it, and nearer than to any other."""
        at = view.start.ns if view.start else self.start.ns
        away = _away(at, self.start.ns, self.end.ns)
        return away == 0 or (away <= MARGIN_NS and all(away <= _away(at, *other) for other in self.others))


def _away(at: int, low: int, high: int) -> int:
    return max(low - at, at - high, 0)


def impact(
    findings: Sequence[Finding],
    kinds: Sequence[IncidentKind],
    views: Views,
    others: Sequence[tuple[int, int]] = (),
) -> Impact:
    """Measure the impact within the span of an incident; ``others`` are the spans of the other incidents, UTC ns."""
    start, end = span(findings)
    if start is None or end is None:
        return Impact()
    low, high = start.ns - 2 * MARGIN_NS, end.ns + 2 * MARGIN_NS  # what is further away is nearer to nothing
    reach = _Reach(start, end, [other for other in others if other[1] >= low and other[0] <= high])
    outages = tuple(_outage(v) for v in reach.of(views, "rsc.outage"))
    losses = _real_losses(reach.of(views, "node.loss"), views, reach)
    nodes = tuple(NodeOutage(str(v.value["node"]), v.start, v.end, _how(v)) for v in losses)
    return Impact(outages, nodes, data_at_risk(kinds, losses, views, reach), _phases(losses, outages, views, reach))


def _real_losses(losses: Sequence[View], views: Views, reach: _Reach) -> list[View]:
    """Leave out what nodes that were fenced themselves said of the others while they were cut off."""
    fenced = {str(v.value.get("target")) for v in _fencing(views, reach) if v.value.get("result") == "ok"}
    return [v for v in losses if str(v.value["node"]) in fenced or not set(_names(v, "witnesses")) <= fenced]


def _names(view: View, key: str) -> tuple[str, ...]:
    value = view.value.get(key)
    return value if isinstance(value, tuple) else ()


def _text(value: Scalar) -> str | None:
    return None if value in (None, "") else str(value)


def _outage(view: View) -> Outage:
    v = view.value
    return Outage(
        resource=str(v.get("resource")),
        role=_text(v.get("role")),
        down_from=view.start,
        down_to=view.end,
        from_node=_text(v.get("from_node")),
        to_node=_text(v.get("to_node")),
        planned=v.get("planned") is True,
    )


def _how(loss: View) -> str:
    if loss.value.get("fenced"):
        return "fenced"
    if loss.value.get("how") == "orderly":
        return "orderly"
    return "crash" if loss.value.get("silent") else "unknown"


def data_at_risk(kinds: Sequence[IncidentKind], losses: Sequence[View], views: Views, reach: _Reach) -> bool | None:
    """True where a resource ran twice, None where a lost node was never confirmed off, else False."""
    if IncidentKind.SPLIT_BRAIN in kinds:
        return True
    open_losses = [v for v in losses if v.value.get("how") != "orderly" and not v.value.get("fenced")]
    confirmed = {str(v.value.get("target")) for v in _fencing(views, reach) if v.value.get("result") == "ok"}
    if any(str(v.value["node"]) not in confirmed for v in open_losses):
        return None
    return False


def _fencing(views: Views, reach: _Reach) -> list[View]:
    return reach.of(views, "fencing.operation")


def _phases(losses: Sequence[View], outages: Sequence[Outage], views: Views, reach: _Reach) -> Phases:
    """Phases of the fail-over: until the membership changed, until fencing was asked for, until it was done, until service was back."""
    tried = [v for v in _fencing(views, reach) if v.value.get("action") != "on" and v.start]
    fencing = [v for v in tried if v.value.get("result") == "ok" and v.end]
    loss = min((v for v in losses if v.start), key=lambda v: v.start.ns if v.start else 0, default=None)
    first = fencing[0] if fencing else None
    # A node that was fenced for another reason was no member any more because of that: its fencing was not decided by its loss.
    lost = loss.start if loss is not None and not (first is not None and loss.value.get("fenced_before")) else None
    done = first.end if first else lost
    target = first.value.get("target") if first is not None else None
    asked = min(
        (v.start for v in tried if v.start is not None and target in {None, v.value.get("target")}),
        key=lambda i: i.ns,
        default=None,
    )
    back = [o.down_to for o in outages if o.down_to is not None and not o.planned and _began_by(o, done)]
    return Phases(
        detect_s=_seconds(loss.value.get("missed_s")) if loss is not None and lost is not None else None,
        decide_s=_between(lost or reach.start, asked),
        fence_s=_between(asked, first.end) if first else None,
        recover_s=_between(done, max(back, key=lambda i: i.ns)) if back and done else None,
    )


def _seconds(value: Scalar) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _began_by(outage: Outage, moment: Instant | None) -> bool:
    """An outage that began only after the node was made harmless is no part of its fail-over."""
    return moment is None or outage.down_from is None or outage.down_from.ns <= moment.ns


def _between(one: Instant | None, other: Instant | None) -> float | None:
    if one is None or other is None or other.ns < one.ns:
        return None
    return round((other.ns - one.ns) / NS, 3)
