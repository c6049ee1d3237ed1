"""Quotes: the line that proves a statement, with its place, its time and its copies."""

from __future__ import annotations

from collections.abc import Iterable

from hadiag.model.diagnosis import Evidence
from hadiag.model.event import Event
from hadiag.model.finding import FactEvidence, Finding
from hadiag.timeline import Timeline

LINES_PER_STEP = 7
"""Lines quoted for one step at most; the rest is in the timeline."""


def quote(event: Event) -> Evidence:
    """Quote the canonical line of an event."""
    return Evidence(
        event=event.uid,
        node=event.observer,
        path=event.ref.path,
        line=event.ref.line,
        logged=event.at.logged if event.at else None,
        at=event.at,
        text=event.text,
        also=tuple((ref.path, ref.line) for ref in event.copies),
    )


def quote_fact(fact: FactEvidence) -> Evidence:
    """Quote a line of configuration or of a snapshot."""
    return Evidence(None, fact.node, fact.path, fact.line, None, None, fact.text)


def quotes(timeline: Timeline, uids: Iterable[str], limit: int = LINES_PER_STEP) -> tuple[Evidence, ...]:
    """Quote events in the order of their time, each once, ``limit`` at most."""
    events = [timeline.get(uid) for uid in dict.fromkeys(uids) if uid]
    events.sort(key=lambda e: (e.at is None, e.at.ns if e.at else 0, e.ref.path, e.seq))
    return tuple(quote(event) for event in events[:limit])


def of_finding(timeline: Timeline, finding: Finding, limit: int = LINES_PER_STEP) -> tuple[Evidence, ...]:
    """Quote what a finding rests on: the first line of each step, then the others, then configuration."""
    leading = [uids[0] for uids in finding.evidence.values() if uids]
    chosen = list(dict.fromkeys([*leading, *finding.events]))[:limit]
    return (*quotes(timeline, chosen, limit), *(quote_fact(fact) for fact in finding.fact_evidence))[:limit]
