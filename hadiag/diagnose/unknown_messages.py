"""Messages that no pattern knows, from all logs of all nodes: known gaps beat unknown gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from hadiag.extract import UnknownTemplate
from hadiag.model.diagnosis import Evidence, UnknownMessage
from hadiag.model.event import RawEvent
from hadiag.model.source import SourceRef
from hadiag.model.time import LoggedTime
from hadiag.timeline import Timeline

MAX_MESSAGES = 200

_Shifts = Mapping[tuple[str, str], Sequence[tuple[int, int]]]


def unknown_messages(
    templates: Iterable[UnknownTemplate], raw: Sequence[RawEvent], timeline: Timeline
) -> tuple[UnknownMessage, ...]:
    """Merge equal templates of all logs, the most frequent first.

    The time of an unknown line comes from the nearest event of the same file: what was added to the printed stamp there
    is added here.
    """
    shifts = _shifts(raw, timeline)
    groups: dict[tuple[str, str], list[UnknownTemplate]] = {}
    for template in templates:
        groups.setdefault((template.program, template.template), []).append(template)
    found = [_merged(group, shifts, timeline) for group in groups.values()]
    return tuple(sorted(found, key=lambda m: (-m.count, m.program, m.template))[:MAX_MESSAGES])


def _shifts(raw: Sequence[RawEvent], timeline: Timeline) -> _Shifts:
    placed = {ref.uid: event for event in timeline.events for ref in event.refs if event.at is not None}
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for one in raw:
        event = placed.get(one.ref.uid)
        if event is not None and event.at is not None and one.time is not None and event.refs[0].uid == one.ref.uid:
            found.setdefault((one.ref.bundle, one.ref.path), []).append((one.ref.line, event.at.ns - one.time.wall_ns))
    return {key: sorted(rows) for key, rows in found.items()}


def _time(ref: SourceRef, stamp: LoggedTime | None, shifts: _Shifts) -> int | None:
    rows = shifts.get((ref.bundle, ref.path))
    if stamp is None or not rows:
        return None
    index = max(0, bisect_right(rows, (ref.line, 1 << 62)) - 1)
    return stamp.wall_ns + rows[index][1]


def _merged(group: Sequence[UnknownTemplate], shifts: _Shifts, timeline: Timeline) -> UnknownMessage:
    leading = min(group, key=lambda t: (t.example.path, t.example.line))
    starts = [ns for t in group if (ns := _time(t.example, t.first, shifts)) is not None]
    ends = [ns for t in group if (ns := _time(t.last_ref, t.last, shifts)) is not None]
    node = timeline.node(leading.host or leading.node_hint or "")
    example = Evidence(
        event=None,
        node=node,
        path=leading.example.path,
        line=leading.example.line,
        logged=leading.first.text if leading.first else None,
        at=None,
        text=leading.text,
    )
    return UnknownMessage(
        template=leading.template,
        program=leading.program,
        level=max(t.level for t in group).word,
        count=sum(t.count for t in group),
        first_ns=min(starts, default=None),
        last_ns=max(ends, default=None),
        example=example,
    )
