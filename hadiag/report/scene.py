"""What the timeline of a report draws: events as marks, beliefs as bands, and where there are no logs.

A scene is made from the timeline and the views of an analysis, or, where only the result is at hand, from the result: then it holds
the quoted lines, the outages and the fencing operations, and says that it is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from hadiag.model.entity import Level
from hadiag.model.event import Event, EventClass
from hadiag.model.frozen import record
from hadiag.model.time import NS, from_iso
from hadiag.report.bands import Arrow, Band, clash_bands, result_arrows, result_bands, view_arrows, view_bands

if TYPE_CHECKING:
    from hadiag.extract import Surroundings
    from hadiag.model.source import BundleId
    from hadiag.state import Views
    from hadiag.timeline import Timeline

Json = Mapping[str, Any]
Surrounded = Mapping[tuple["BundleId", str], "Surroundings"]
"""What was kept around core events, by input and path of the log."""

AROUND_LINES = 3
"""Recognised lines shown before and after a quoted one."""

AROUND_REACH = 40
"""How far away, in lines of the file, a neighbour may be."""

TEXT_LIMIT = 600
"""Characters of a message that the timeline carries."""


@record
class Moment:
    """One event as the timeline shows it. ``quoted`` is the key of its quotation, None where nothing rests on it."""

    ns: int
    err_ns: int | None
    node: str
    layer: str
    type: str
    level: str
    subject: str | None
    text: str
    path: str
    line: int
    logged: str | None
    quoted: str | None = None
    core: bool = True

    @property
    def rank(self) -> int:
        """0 for trace up to 8 for emerg."""
        return int(Level[self.level.upper()])


@record
class Blank:
    """A stretch that no log of a node covers, or in which its log is silent."""

    node: str
    family: str
    start_ns: int
    end_ns: int
    why: str


@record
class Scene:
    """Everything that the figures and the interactive timeline draw. ``around`` maps a quotation to lines near it."""

    nodes: tuple[str, ...]
    moments: tuple[Moment, ...]
    bands: tuple[Band, ...]
    arrows: tuple[Arrow, ...]
    blanks: tuple[Blank, ...]
    span: tuple[int, int] | None
    complete: bool
    around: Mapping[str, tuple[tuple[int, str, bool], ...]] = field(default_factory=dict, hash=False)


def quote_key(evidence: Json) -> str:
    """Key of a quotation: the uid of its event, or its place where it is no event."""
    return str(evidence["event"] or f"{evidence['path']}:{evidence['line']}")


def scene_of(data: Json, timeline: Timeline, views: Views, lines: Surrounded | None = None) -> Scene:
    """Scene of a whole analysis; ``lines`` are the lines around core events that were kept of each log."""
    quoted = {quote_key(e) for e in all_evidence(data)}
    moments = tuple(_moment(e, quoted) for e in timeline.events if e.at is not None)
    return Scene(
        nodes=_nodes(data, (m.node for m in moments)),
        moments=moments,
        bands=(
            *clash_bands(data),
            *view_bands(views, tuple(n["name"] for n in data["nodes"] if n["role"] == "member")),
        ),
        arrows=view_arrows(views),
        blanks=tuple(_blanks(data)),
        span=timeline.span,
        complete=True,
        around=_around(data, timeline) | _all_around(data, lines or {}),
    )


def scene_of_result(data: Json) -> Scene:
    """Scene of a result without its timeline: what the result itself quotes and states."""
    layers = _layers(data)
    rows: dict[str, Moment] = {}
    for evidence in all_evidence(data):
        key = quote_key(evidence)
        if evidence["time"] and key not in rows:
            rows[key] = _quoted(evidence, layers.get(key, ("pacemaker", "notice")))
    moments = tuple(sorted(rows.values(), key=lambda m: (m.ns, m.path, m.line)))
    return Scene(
        nodes=_nodes(data, (m.node for m in moments)),
        moments=moments,
        bands=result_bands(data),
        arrows=result_arrows(data),
        blanks=tuple(_blanks(data)),
        span=_result_span(data, moments),
        complete=False,
    )


def all_evidence(data: Json) -> Iterator[Json]:
    """All quotations of a result, in the order of the report; the same line may come several times."""
    for incident in data["incidents"]:
        for step in incident["chain"]:
            yield from step["evidence"]
        for one in incident["explanations"]:
            yield from one["for"]
            yield from one["against"]
    for part in ("findings", "fencing", "contradictions", "answers"):
        for row in data[part]:
            yield from row["evidence"]


def _nodes(data: Json, seen: Iterable[str]) -> tuple[str, ...]:
    known = [node["name"] for node in data["nodes"]]
    return (*known, *sorted(set(seen) - set(known)))


def _moment(event: Event, quoted: set[str]) -> Moment:
    assert event.at is not None  # noqa: S101 - the caller chose events with a time
    return Moment(
        ns=event.at.ns,
        err_ns=event.at.err_ns,
        node=event.observer,
        layer=event.layer.value,
        type=event.type,
        level=event.level.word,
        subject=event.subject,
        text=event.message[:TEXT_LIMIT],
        path=event.ref.path,
        line=event.ref.line,
        logged=event.at.logged,
        quoted=event.uid if event.uid in quoted else None,
        core=event.cls is EventClass.CORE,
    )


def _layers(data: Json) -> dict[str, tuple[str, str]]:
    """Layer and level of each quoted line, by the first finding that quotes it."""
    level = {"critical": "crit"}
    found: dict[str, tuple[str, str]] = {}
    for finding in data["findings"]:
        severity = level.get(finding["severity"], finding["severity"])
        for evidence in finding["evidence"]:
            found.setdefault(quote_key(evidence), (finding["layer"], severity))
    return found


def _quoted(evidence: Json, look: tuple[str, str]) -> Moment:
    error = evidence["error_s"]
    return Moment(
        ns=from_iso(evidence["time"]),
        err_ns=None if error is None else int(error * NS),
        node=evidence["node"] or "unknown",
        layer=look[0],
        type="quoted",
        level=look[1],
        subject=None,
        text=evidence["text"][:TEXT_LIMIT],
        path=evidence["path"],
        line=evidence["line"],
        logged=evidence["logged"],
        quoted=quote_key(evidence),
    )


def _blanks(data: Json) -> Iterator[Blank]:
    for node in data["nodes"]:
        for log in node["coverage"]:
            for gap in log["gaps"]:
                yield Blank(node["name"], log["family"], from_iso(gap["start"]), from_iso(gap["end"]), gap["why"])


def _result_span(data: Json, moments: tuple[Moment, ...]) -> tuple[int, int] | None:
    stamps = [log[end] for node in data["nodes"] for log in node["coverage"] for end in ("start", "end") if log[end]]
    known = [from_iso(stamp) for stamp in stamps] + [moment.ns for moment in moments]
    return (min(known), max(known)) if known else None


def _around(data: Json, timeline: Timeline) -> dict[str, tuple[tuple[int, str, bool], ...]]:
    """Recognised lines near each quoted line, in the same file."""
    wanted = {(e["path"], e["line"]): quote_key(e) for e in all_evidence(data)}
    paths = {path for path, _ in wanted}
    lines: dict[str, dict[int, Event]] = {path: {} for path in paths}
    for event in timeline.events:
        ref = event.ref
        if ref.path in paths:
            lines[ref.path][ref.line] = event
    ordered = {path: sorted(rows) for path, rows in lines.items()}
    return {key: _near(lines[path], ordered[path], line) for (path, line), key in wanted.items()}


def _all_around(data: Json, lines: Surrounded) -> dict[str, tuple[tuple[int, str, bool], ...]]:
    """All lines near each quoted line, as far as they were kept; an input that has another text there is another input."""
    found: dict[str, tuple[tuple[int, str, bool], ...]] = {}
    by_path: dict[str, list[Surroundings]] = {}
    for (_, path), kept in lines.items():
        by_path.setdefault(path, []).append(kept)
    for evidence in all_evidence(data):
        for kept in by_path.get(evidence["path"], ()):
            rows = kept.around(evidence["line"], AROUND_LINES) if evidence["line"] else ()
            if len(rows) > 1 and (evidence["line"], evidence["text"]) in rows:
                found[quote_key(evidence)] = tuple((n, text[:TEXT_LIMIT], n == evidence["line"]) for n, text in rows)
    return found


def _near(rows: Mapping[int, Event], ordered: list[int], line: int) -> tuple[tuple[int, str, bool], ...]:
    from bisect import bisect_left

    at = bisect_left(ordered, line)
    chosen = ordered[max(0, at - AROUND_LINES) : at + AROUND_LINES + 1]
    near = [n for n in chosen if abs(n - line) <= AROUND_REACH]
    return tuple((n, rows[n].text[:TEXT_LIMIT], n == line) for n in near) if len(near) > 1 else ()
