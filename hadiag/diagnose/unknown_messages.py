"""Messages that no pattern knows, from all logs of all nodes: known gaps beat unknown gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hadiag.extract import UnknownTemplate
from hadiag.model.diagnosis import Evidence, UnknownMessage
from hadiag.timeline import Timeline

MAX_MESSAGES = 200


def unknown_messages(templates: Iterable[UnknownTemplate], timeline: Timeline) -> tuple[UnknownMessage, ...]:
    """Merge equal templates of all logs, the most frequent first.

    The time of an unknown line comes from the nearest event of the same file: what was added to the printed stamp there
    is added here.
    """
    groups: dict[tuple[str, str], list[UnknownTemplate]] = {}
    for template in templates:
        groups.setdefault((template.program, template.template), []).append(template)
    found = [_merged(group, timeline) for group in groups.values()]
    return tuple(sorted(found, key=lambda m: (-m.count, m.program, m.template))[:MAX_MESSAGES])


def _merged(group: Sequence[UnknownTemplate], timeline: Timeline) -> UnknownMessage:
    leading = min(group, key=lambda t: (t.example.path, t.example.line))
    starts = [ns for t in group if (ns := timeline.time_of(t.example, t.first)) is not None]
    ends = [ns for t in group if (ns := timeline.time_of(t.last_ref, t.last)) is not None]
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
