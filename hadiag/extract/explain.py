"""What hadiag makes of a single line, for people who ask about it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Final

from hadiag.catalogue import Catalogue, EventType, Match, Matcher, Pattern
from hadiag.formats import LineParser, LogKind, decode, detect
from hadiag.model.frozen import record
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef


@record
class LineExplanation:
    """A line explained: how it was read, and which event it is.

    ``record`` is None where no line format fits; the line is then taken as a bare message. ``event`` (what it means, who
    prints it, what to look at next), ``pattern`` (versions) and ``match`` (fields) are None where no pattern knows it.
    """

    record: Record | None
    match: Match | None = None
    event: EventType | None = None
    pattern: Pattern | None = None


_ENVELOPES: Final = ("", "Jan  1 00:00:00 host ", "Jan  1 00:00:00 ", "Jan  1 00:00:00.000 host ")
"""What is put in front of a line to make it one that a log holds: people copy lines without stamp and host."""


def explain_line(line: str, catalogue: Catalogue, matcher: Matcher | None = None) -> LineExplanation:
    """Parse one line in whatever format it is, and tell its event type.

    Args:
        line: a line of a log; its stamp and host may be missing.
        catalogue: the event types.
        matcher: of the same catalogue, where several lines are explained.
    """
    matcher = matcher or Matcher(catalogue)
    whole = _record(line)
    for envelope in _ENVELOPES:
        record = _bare(_record(envelope + line)) if envelope else whole
        if record is None and envelope:
            continue
        match = _match(matcher, record, line)
        if match is not None:
            return LineExplanation(record, match, catalogue.types[match.type], catalogue.patterns[match.pattern])
    return LineExplanation(whole)


def _match(matcher: Matcher, record: Record | None, line: str) -> Match | None:
    program, message, details = (
        (record.program, record.message, record.details) if record else (None, line.strip(), None)
    )
    whole = f"{message} | {details}" if details else message
    return matcher.match(program, message, details, matcher.candidates(whole))


def _bare(record: Record | None) -> Record | None:
    """The record without what was put in front of it."""
    return None if record is None else replace(record, time=None, host=None, format="")


def _record(line: str) -> Record | None:
    raw = line.encode("utf-8", "surrogateescape") + b"\n"
    kind = detect("", raw) or LogKind("other", ())
    text = decode(kind, io.BytesIO(raw)).read().decode("utf-8", "replace").rstrip("\n")
    return LineParser(kind).parse(text, SourceRef(BundleId(""), "", 1, 0, len(raw) - 1))
