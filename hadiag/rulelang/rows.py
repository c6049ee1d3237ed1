"""What steps bind: events, intervals, findings and facts in one shape, alone or several together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hadiag.model.entity import Scalar
from hadiag.model.event import Event
from hadiag.model.fact import Fact
from hadiag.model.finding import Finding
from hadiag.model.time import Instant, iso_utc
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.rulelang.tables import STATE_TABLES
from hadiag.rulelang.template import format_duration

OPEN_START: Final = -(1 << 62)
"""Start in ns of what began before the first evidence."""

OPEN_END: Final = 1 << 62
"""End in ns of what has not ended."""

MAX_VALUES = 100
"""Values that a field of several rows is listed with at most."""

_NODE_FIELDS = ("node", "target", "peer")


@dataclass(slots=True, eq=False)
class Row:
    """A row that a step can bind.

    ``lo`` and ``hi`` are its ends in ns, open ends far outside. ``start_uid`` and ``end_uid`` name the events at its ends.
    ``operation`` tells that its point is its end. ``parts`` are the rows of a group, else empty.
    """

    fields: Mapping[str, Scalar]
    observer: str
    start: Instant | None
    end: Instant | None
    start_uid: str | None = None
    end_uid: str | None = None
    operation: bool = False
    weight: int = 1
    holds: Tri = Tri.TRUE
    origin: Event | View | Finding | Fact | None = None
    parts: tuple[Row, ...] = ()
    timeless: bool = False
    lo: int = field(init=False)
    hi: int = field(init=False)

    def __post_init__(self) -> None:
        self.lo = OPEN_START if self.start is None else self.start.ns
        self.hi = OPEN_END if self.end is None else self.end.ns

    def get(self, name: str) -> Scalar:
        """Value of a field, None where it is missing."""
        value = self.fields.get(name)
        if value is not None:
            return value
        if self.parts:
            return _joined(self, name)
        special = _SPECIAL.get(name)
        return None if special is None else special(self)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The single rows."""
        return self.parts or (self,)


def event_row(event: Event) -> Row:
    """Row of an event."""
    end = event.last if event.last is not None else event.at
    return Row(
        event.fields,
        event.observer,
        event.at,
        end,
        event.uid,
        event.uid,
        weight=event.repeated,
        origin=event,
        timeless=event.at is None,
    )


def view_row(view: View) -> Row:
    """Row of an interval."""
    table = STATE_TABLES.get(view.table)
    return Row(
        view.value,
        view.observer,
        view.start,
        view.end,
        view.opened_by,
        view.closed_by,
        operation=table is not None and table.operation,
        origin=view,
    )


def finding_row(finding: Finding) -> Row:
    """Row of a finding of another rule."""
    values: dict[str, Scalar] = {
        "rule": finding.rule,
        "title": finding.title,
        "severity": str(finding.severity),
        "role": str(finding.role),
        "kind": None if finding.incident_kind is None else str(finding.incident_kind),
        "layer": str(finding.layer),
        "category": None if finding.category is None else str(finding.category),
        "confidence": finding.confidence,
        "nodes": finding.nodes,
        "node": finding.nodes[0] if len(finding.nodes) == 1 else None,
        "resources": finding.resources,
        "resource": finding.resources[0] if len(finding.resources) == 1 else None,
        **finding.bindings.get("key", {}),
    }
    observer = finding.nodes[0] if len(finding.nodes) == 1 else ""
    timeless = finding.start is None and finding.end is None
    return Row(values, observer, finding.start, finding.end, holds=finding.holds, origin=finding, timeless=timeless)


def fact_row(fact: Fact, observer: str) -> Row:
    """Row of a fact."""
    return Row(fact.values, observer, None, None, origin=fact, timeless=True)


def group_row(parts: Iterable[Row], holds: Tri, fields: Mapping[str, Scalar] | None = None) -> Row:
    """Several rows as one: from the first start to the last end."""
    rows = tuple(parts)
    first = min(rows, key=lambda row: row.lo)
    last = max(rows, key=lambda row: row.hi)
    observers = {row.observer for row in rows}
    return Row(
        fields or {},
        rows[0].observer if len(observers) == 1 else "",
        first.start,
        last.end,
        first.start_uid,
        last.end_uid,
        operation=rows[0].operation,
        weight=sum(row.weight for row in rows),
        holds=holds,
        origin=first.origin,
        parts=rows,
        timeless=all(row.timeless for row in rows),
    )


def canonical(value: Scalar) -> str | tuple[str, ...] | None:
    """Form in which values of different types compare: ``7`` equals ``"7"``, ``True`` equals ``"true"``."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return tuple(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_tuple(value: Scalar) -> tuple[str, ...]:
    """A value as list; nothing is the empty list."""
    if value is None:
        return ()
    if isinstance(value, tuple):
        return tuple(str(part) for part in value)
    plain = canonical(value)
    return (plain,) if isinstance(plain, str) else ()


def _joined(group: Row, name: str) -> Scalar:
    if name in _OF_GROUP:
        return _OF_GROUP[name](group)
    values = {canonical(value): value for part in group.parts if (value := part.get(name)) is not None}
    if len(values) <= 1:
        return next(iter(values.values()), None)
    names = {each for value in values.values() for each in as_tuple(value)}
    return tuple(sorted(names)[:MAX_VALUES])


def _nodes(row: Row) -> Scalar:
    named = {str(value) for key in _NODE_FIELDS if isinstance(value := row.fields.get(key), str) and value}
    return tuple(sorted(named or ({row.observer} if row.observer else set())))


def _group_nodes(row: Row) -> Scalar:
    return tuple(sorted({name for part in row.parts for name in as_tuple(part.get("nodes"))})[:MAX_VALUES])


def _observers(row: Row) -> Scalar:
    return tuple(sorted({part.observer for part in row.rows if part.observer})[:MAX_VALUES])


def _duration_s(row: Row) -> Scalar:
    known = row.fields.get("duration_s")
    if isinstance(known, (int, float)):
        return known
    if row.start is None or row.end is None:
        return None
    return (row.end.ns - row.start.ns) / 1e9


def _duration(row: Row) -> Scalar:
    seconds = _duration_s(row)
    return format_duration(seconds) if isinstance(seconds, (int, float)) else None


def _overlap(row: Row) -> Scalar:
    seconds = row.fields.get("overlap_s")
    return format_duration(seconds) if isinstance(seconds, (int, float)) else None


def _type(row: Row) -> Scalar:
    return row.origin.type if isinstance(row.origin, Event) else None


_Getter = Callable[[Row], Scalar]

_COMMON: dict[str, _Getter] = {
    "start": lambda row: None if row.start is None else iso_utc(row.start.ns),
    "end": lambda row: None if row.end is None else iso_utc(row.end.ns),
    "duration_s": _duration_s,
    "duration": _duration,
    "overlap": _overlap,
    "count": lambda row: row.weight,
    "observers": _observers,
}

_OF_GROUP: dict[str, _Getter] = {**_COMMON, "nodes": _group_nodes}

_SPECIAL: dict[str, _Getter] = {
    **_COMMON,
    "observer": lambda row: row.observer or None,
    "nodes": _nodes,
    "type": _type,
    "subject": lambda row: row.origin.subject if isinstance(row.origin, Event) else None,
    "level": lambda row: row.origin.level.word if isinstance(row.origin, Event) else None,
    "program": lambda row: row.origin.program if isinstance(row.origin, Event) else None,
    "pid": lambda row: row.origin.pid if isinstance(row.origin, Event) else None,
    "layer": lambda row: str(row.origin.layer) if isinstance(row.origin, Event) else None,
    "message": lambda row: row.origin.message if isinstance(row.origin, Event) else None,
    "repeated": lambda row: row.origin.repeated if isinstance(row.origin, Event) else None,
    "path": lambda row: row.origin.path if isinstance(row.origin, Fact) else None,
    "text": lambda row: row.origin.text if isinstance(row.origin, Fact) else None,
    "as_of": lambda row: _as_of(row.origin) if isinstance(row.origin, Fact) else None,
}


def _as_of(fact: Fact) -> Scalar:
    return None if fact.as_of_ns is None else iso_utc(fact.as_of_ns)
