"""What hadiag makes of a single line, for people who ask about it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from hadiag.catalogue import Catalogue, EventType, Match, Matcher, Pattern
from hadiag.formats import LineParser, LogKind, decode, detect
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """A line explained: how it was read, and which event it is.

    ``record`` is None where no line format fits; the line is then taken as a bare message. ``event`` (what it means, who
    prints it, what to look at next), ``pattern`` (versions) and ``match`` (fields) are None where no pattern knows it.
    """

    record: Record | None
    match: Match | None = None
    event: EventType | None = None
    pattern: Pattern | None = None


def explain_line(line: str, catalogue: Catalogue) -> LineExplanation:
    """Parse one line in whatever format it is, and tell its event type."""
    record = _record(line)
    program, message = (record.program, record.message) if record else (None, line.strip())
    details = record.details if record else None
    matcher = Matcher(catalogue)
    whole = f"{message} | {details}" if details else message
    match = matcher.match(program, message, details, matcher.candidates(whole))
    if match is None:
        return LineExplanation(record)
    return LineExplanation(record, match, catalogue.types[match.type], catalogue.patterns[match.pattern])


def _record(line: str) -> Record | None:
    raw = line.encode("utf-8", "surrogateescape") + b"\n"
    kind = detect("", raw) or LogKind("other", ())
    text = decode(kind, io.BytesIO(raw)).read().decode("utf-8", "replace").rstrip("\n")
    return LineParser(kind).parse(text, SourceRef(BundleId(""), "", 1, 0, len(raw) - 1))
