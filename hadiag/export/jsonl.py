"""The timeline as JSON Lines, one event a line, keys as the result contract names them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hadiag.model.event import Event
from hadiag.model.record import Record
from hadiag.model.time import NS, iso_utc


def when(event: Event) -> dict[str, Any]:
    """The time of an event, as every row of JSON Lines tells it."""
    at = event.at
    return {
        "time": iso_utc(at.ns) if at else None,
        "error_s": None if at is None or at.err_ns is None else round(at.err_ns / NS, 6),
        "logged": at.logged if at else None,
    }


def event_row(event: Event, incident: str | None = None) -> dict[str, Any]:
    """Turn an event into a row of ``hadiag timeline --jsonl``."""
    return {
        "uid": event.uid,
        **when(event),
        "seq": event.seq,
        "observer": event.observer,
        "subject": event.subject,
        "layer": event.layer.value,
        "type": event.type,
        "level": event.level.word,
        "program": event.program,
        "pid": event.pid,
        "message": event.message,
        "fields": {name: _plain(value) for name, value in sorted(event.fields.items())},
        "path": event.ref.path,
        "line": event.ref.line,
        "also": [{"path": ref.path, "line": ref.line} for ref in event.copies],
        "repeated": event.repeated,
        "last": iso_utc(event.last.ns) if event.last else None,
        "incident": incident,
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def timeline_lines(events: Iterable[Event], incidents: Mapping[str, str]) -> Iterator[str]:
    """Write events as JSON Lines; ``incidents`` maps an event's uid to the incident that quotes it."""
    for event in events:
        yield json.dumps(event_row(event, incidents.get(event.uid)), ensure_ascii=False) + "\n"


def record_row(
    record: Record, event: str | None, fields: Mapping[str, Any], utc_ns: int | None = None
) -> dict[str, Any]:
    """Turn a record into a row of ``hadiag parse --jsonl``.

    ``time`` is UTC where the line itself states its offset, else ``utc_ns``: what other lines of the log prove.
    """
    logged = record.time
    if logged is not None and logged.has_year and logged.utc_offset_s is not None:
        utc_ns = logged.wall_ns - logged.utc_offset_s * NS
    return {
        "line": record.ref.line,
        "format": record.format or None,
        "time": iso_utc(utc_ns) if utc_ns is not None else None,
        "logged": logged.text if logged else None,
        "host": record.host,
        "program": record.program,
        "pid": record.pid,
        "function": record.function,
        "level": record.level.word if record.level is not None else None,
        "message": f"{record.message} | {record.details}" if record.details else record.message,
        "event": event,
        "fields": {name: _plain(value) for name, value in sorted(fields.items())},
    }
