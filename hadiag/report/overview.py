"""The picture of an incident in the page: lanes of all nodes and the numbered steps of the chain, as SVG inside the markup.

It needs neither script nor style sheet: colours stand in the markup, and the style sheet only replaces them where it is dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from unicodedata import east_asian_width

from markupsafe import Markup, escape

from hadiag.model.entity import Level
from hadiag.model.frozen import record
from hadiag.model.time import NS, from_iso
from hadiag.report.bands import CLUSTER, Band, row_name
from hadiag.report.lanes import EVENTS, Row, rows_of, window_of
from hadiag.report.scene import Moment, Scene
from hadiag.report.visible import visible
from hadiag.report.words import Words

WIDTH, LEFT, ROW, TITLE, TOP, BOTTOM = 1120, 132, 17, 21, 44, 24
"""Sizes in units of the picture: one is a pixel on a page of full width."""
_BESIDE: Final = 20
"""Distance of the marks of two steps."""
_MOST_STEPS: Final = (WIDTH - LEFT) // _BESIDE
"""As many steps of a chain as have room beside each other; the others are told below."""

TONES = {
    "ok": "#9fd8c6",
    "warn": "#f5c56b",
    "bad": "#e58a5c",
    "down": "#d63a52",
    "idle": "#d3d9df",
    "planned": "#9fcdf0",
    "silent": "none",
    "fence": "#b79bd0",
}
INK, FAINT, LINE, SOFT, PAPER = "#1b1f24", "#57606a", "#d5dbe1", "#f4f6f8", "#ffffff"
STEPS_S = (
    0.001,
    0.01,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    7200,
    21600,
    43200,
    86400,
    604800,
)
"""Distances between marks of the axis, in seconds."""

LETTER, BOLD = 5.8, 1.2
"""Usual width of a letter, and how much wider those of names are."""


@record
class Picture:
    """A picture and the tones that occur in it, for its legend."""

    svg: Markup
    tones: tuple[str, ...]


@dataclass(slots=True)
class _Sheet:
    """A picture under construction: its scale, and what was drawn so far."""

    key: str
    window: tuple[int, int]
    words: Words
    drawn: list[str] = field(default_factory=list)
    tones: set[str] = field(default_factory=set)

    def at(self, ns: int) -> float:
        """Place of a time, within the picture."""
        share = (ns - self.window[0]) / (self.window[1] - self.window[0])
        return round(LEFT + min(max(share, 0), 1) * (WIDTH - LEFT - 6), 1)

    def add(self, tag: str, text: str | None = None, **values: object) -> None:
        """Add an element; ``_`` in names stands for ``-``."""
        names = {"cls": "class"}
        said = "".join(f' {names.get(key, key.replace("_", "-"))}="{escape(value)}"' for key, value in values.items())
        self.drawn.append(f"<{tag}{said}/>" if text is None else f"<{tag}{said}>{escape(text)}</{tag}>")

    def text(self, text: str, x: float, y: float, cls: str = "o-text", **values: object) -> None:
        """Write a text."""
        fill = {"o-text": INK, "o-faint": FAINT, "o-on": PAPER, "o-name": INK}[cls]
        self.add("text", text, cls=cls, x=x, y=y, fill=fill, **values)


def picture_of(scene: Scene, incident: Mapping[str, Any], words: Words, key: str) -> Picture | None:
    """Draw the window of an incident; None where no time is known. ``key`` makes the ids of the picture its own."""
    window = window_of(incident, scene.span)
    if window is None:
        return None
    rows = rows_of(scene, window)
    sheet = _Sheet(key, window, words)
    places, height = _places(rows)
    _axis(sheet, height)
    for row, y in zip(rows, places, strict=True):
        _row(sheet, scene, row, y)
    _titles(sheet, rows, places)
    _fences(sheet, scene, rows, places)
    _chain(sheet, incident, height)
    return Picture(_whole(sheet, incident, height), tuple(tone for tone in TONES if tone in sheet.tones))


def _whole(sheet: _Sheet, incident: Mapping[str, Any], height: int) -> Markup:
    words, key = sheet.words, sheet.key
    title = words("picture.title", start=_stamp(sheet.window[0]), end=_stamp(sheet.window[1]))
    steps = [f"{n}. {_clock(step['time'])}{visible(step['text'])}" for n, step in enumerate(incident["chain"], 1)]
    head = (
        f'<svg class="overview" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-labelledby="{key}-title {key}-steps" font-family="sans-serif" font-size="11">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-steps">{escape(" ".join(steps))}</desc>'
        f'<defs><pattern id="{key}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path class="o-hatch" d="M0 0V6" stroke="{FAINT}" stroke-width="1.4"/></pattern>'
        f'<marker id="{key}-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="o-tip" d="M0 0.5L8 4L0 7.5z" fill="{FAINT}"/></marker></defs>'
    )
    return Markup(f"{head}{''.join(sheet.drawn)}</svg>")  # noqa: S704 - every text went through escape


def _clock(stamp: str | None) -> str:
    return f"{stamp[11:23]} " if stamp else ""


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NS, UTC):%Y-%m-%d %H:%M:%S}"


def _places(rows: Sequence[Row]) -> tuple[list[int], int]:
    """Top of each row, and the height of the picture; above the first row of a node stands its name."""
    y, last, places = TOP, CLUSTER, []
    for row in rows:
        y += TITLE if row.node != last else 0
        last = row.node
        places.append(y)
        y += ROW
    return places, y + BOTTOM


def _axis(sheet: _Sheet, height: int) -> None:
    span_s = (sheet.window[1] - sheet.window[0]) / NS
    step_s = next((s for s in STEPS_S if span_s / s <= 10), STEPS_S[-1])
    step, floor = int(step_s * NS), height - BOTTOM
    at = -(-sheet.window[0] // step) * step
    while at <= sheet.window[1]:
        x = sheet.at(at)
        sheet.add("path", cls="o-line", d=f"M{x} {TOP - 6}V{floor + 4}", stroke=LINE)
        if x < WIDTH - 24:
            sheet.text(_mark(at, step_s), x, floor + 17, "o-faint", text_anchor="middle")
        at += step
    sheet.text(f"{_stamp(sheet.window[0])[:10]} UTC", 2, floor + 17, "o-faint")


def _mark(ns: int, step_s: float) -> str:
    moment = datetime.fromtimestamp(ns // NS, UTC)
    if step_s >= 86400:
        return f"{moment:%m-%d}"
    if step_s >= 60:
        return f"{moment:%H:%M}"
    return f"{moment:%H:%M:%S}" + ("" if step_s >= 1 else f".{ns % NS // 10**6:03d}")


def _row(sheet: _Sheet, scene: Scene, row: Row, y: int) -> None:
    name = _fit(visible(sheet.words.label(row_name(row.name))), LEFT - 10)
    sheet.text(name, LEFT - 6, y + 12, "o-faint", text_anchor="end")
    for band in row.bands:
        _band(sheet, band, y)
    if row.name == EVENTS:
        _events(sheet, scene, row.node, y)


def _band(sheet: _Sheet, band: Band, y: int) -> None:
    x = sheet.at(band.start_ns if band.start_ns is not None else sheet.window[0])
    width = max(round(sheet.at(band.end_ns if band.end_ns is not None else sheet.window[1]) - x, 1), 2)
    fill = f"url(#{sheet.key}-hatch)" if band.tone == "silent" else TONES[band.tone]
    sheet.tones.add(band.tone)
    sheet.add("rect", cls=f"o-{band.tone}", x=x, y=y + 1, width=width, height=ROW - 3, fill=fill)
    sheet.add("path", cls="o-edge", d=f"M{x} {y + 1}v{ROW - 3}", stroke=PAPER)
    text = _fit(visible(sheet.words.label(band.label)), width - 6)
    if text and band.tone == "silent":
        sheet.add("rect", cls="o-paper", x=x + 2, y=y + 2, width=_breadth(text) + 3, height=ROW - 5, fill=PAPER)
    if text:
        sheet.text(text, x + 4, y + 12, "o-on" if band.tone == "down" else "o-text")


def _breadth(text: str) -> float:
    """Width of a text, roughly: no font is asked."""
    return sum(2 * LETTER if east_asian_width(c) in "WF" else LETTER for c in text)


def _fit(text: str, room: float) -> str:
    """As much of a text as fits; nothing where that would be no more than a letter or two."""
    if _breadth(text) <= room:
        return text
    while text and _breadth(text) > room - LETTER:
        text = text[:-1]
    return f"{text}…" if len(text) > 2 else ""


def _events(sheet: _Sheet, scene: Scene, node: str, y: int) -> None:
    """Events as ticks: tall and coloured from warning on, short and grey below; each place once."""
    mid = y + ROW / 2
    for blank in scene.blanks:
        if blank.node == node and blank.end_ns >= sheet.window[0] and blank.start_ns <= sheet.window[1]:
            x, end = sheet.at(blank.start_ns), sheet.at(blank.end_ns)
            fill = f"url(#{sheet.key}-hatch)"
            sheet.add("rect", cls="o-blank", x=x, y=y + 1, width=round(max(end - x, 1), 1), height=ROW - 3, fill=fill)
            sheet.tones.add("silent")
    here = [m for m in scene.moments if m.node == node and sheet.window[0] <= m.ns <= sheet.window[1]]
    for cls, colour, low, high, tall in (
        ("o-low", "#aab2ba", Level.TRACE, Level.NOTICE, 3),
        ("o-warning", "#8a5300", Level.WARNING, Level.WARNING, 5.5),
        ("o-error", "#b42318", Level.ERROR, Level.EMERG, 7),
    ):
        marks = "".join(f"M{x} {mid - tall}v{2 * tall}" for x in _spots(sheet, here, (low, high)))
        if marks:
            sheet.add("path", cls=cls, d=marks, stroke=colour, stroke_width=1.4, fill="none")


def _spots(sheet: _Sheet, moments: Iterable[Moment], levels: tuple[int, int]) -> list[int]:
    return sorted({round(sheet.at(m.ns)) for m in moments if levels[0] <= m.rank <= levels[1]})


def _titles(sheet: _Sheet, rows: Sequence[Row], places: Sequence[int]) -> None:
    last = CLUSTER
    for row, y in zip(rows, places, strict=True):
        if row.node != last:
            sheet.add("path", cls="o-line", d=f"M0 {y - TITLE + 4}H{WIDTH}", stroke=LINE)
            name = visible(row.node, 60)
            if row.alike:
                others = visible(", ".join(row.alike))
                name = sheet.words("picture.alike", name=name, n=len(row.alike), names=others)
            sheet.text(_fit(name, (WIDTH - 8) / BOLD), 2, y - 4, "o-name", font_weight=700, font_size=12)
        last = row.node


def _fences(sheet: _Sheet, scene: Scene, rows: Sequence[Row], places: Sequence[int]) -> None:
    """Arrows from the row of who had a node fenced to the lane of that node."""
    lanes: dict[str, float] = {}
    for row, y in zip(rows, places, strict=True):
        for node in (row.node, *row.alike):
            lanes.setdefault(node, y + ROW / 2)
            if row.name == "fencing":
                lanes[node] = y + ROW / 2
    for arrow in scene.arrows:
        if not sheet.window[0] <= arrow.end_ns <= sheet.window[1] or not {arrow.source, arrow.target} <= set(lanes):
            continue
        x = sheet.at(arrow.end_ns)
        dashes = {} if arrow.ok else {"stroke_dasharray": "4 3"}
        cls, colour = ("o-fenced", "#6b4493") if arrow.ok else ("o-error", "#b42318")
        line = f"M{x} {lanes[arrow.source]}V{lanes[arrow.target]}"
        sheet.add("path", cls=cls, d=line, stroke=colour, stroke_width=2, fill="none",
                  marker_end=f"url(#{sheet.key}-tip)", **dashes)  # fmt: skip


@record
class _Step:
    """A step of the chain on the picture: where its number stands, and where its time is."""

    number: int
    x: float
    at: float | None
    error: float
    because: tuple[int, ...]


def _chain(sheet: _Sheet, incident: Mapping[str, Any], height: int) -> None:
    """Numbered steps above the lanes, joined by what led to what; numbers that would overlap stand side by side."""
    y = 24
    steps = {step.number: step for step in _steps(sheet, incident)}
    for step in steps.values():
        if step.at is not None:
            line = f"M{step.at} {y + 9}V{height - BOTTOM}"
            sheet.add("path", cls="o-step", d=line, stroke=FAINT, stroke_width=0.7, stroke_dasharray="2 3")
            if step.error > 4:
                ends = f"M{max(step.at - step.error, LEFT)} {y + 14}H{min(step.at + step.error, WIDTH)}"
                sheet.add("path", cls="o-step", d=ends, stroke=FAINT)
        for number in step.because:
            before = steps.get(number)
            if before is not None and before is not step:
                bow = f"M{before.x} {y - 9}Q{(before.x + step.x) / 2:.1f} {y - 26} {step.x} {y - 10}"
                sheet.add("path", cls="o-step", d=bow, stroke=FAINT, fill="none", marker_end=f"url(#{sheet.key}-tip)")
    for step in steps.values():
        if step.at is None:
            sheet.add("rect", cls="o-cause", x=step.x - 9, y=y - 9, width=18, height=18, rx=4, fill="#a1062b")
        else:
            sheet.add("circle", cls="o-number", cx=step.x, cy=y, r=9.5, fill=INK)
        sheet.text(str(step.number), step.x, y + 4, "o-on", text_anchor="middle", font_weight=700)


def _steps(sheet: _Sheet, incident: Mapping[str, Any]) -> Iterator[_Step]:
    chain = incident["chain"][:_MOST_STEPS]
    numbers = {step["id"]: number for number, step in enumerate(chain, 1)}
    first = min((from_iso(step["time"]) for step in chain if step["time"]), default=None)
    scale = (WIDTH - LEFT) / (sheet.window[1] - sheet.window[0]) * NS
    taken: list[float] = []
    for number, step in enumerate(chain, 1):
        at = sheet.at(from_iso(step["time"])) if step["time"] else None
        x = at if at is not None else sheet.at(first) - 26 if first is not None else LEFT + 12.0
        while any(abs(x - other) < _BESIDE for other in taken):
            x += _BESIDE
        taken.append(x)
        because = tuple(numbers[key] for key in step["because_of"] if key in numbers)
        yield _Step(number, round(x, 1), at, round((step["error_s"] or 0) * scale, 1), because)
