"""Figures for slides (``--figures``), drawn with matplotlib ``Figure`` objects: no global state, no date, equal bytes for equal input.

The page itself has a picture of its own, which needs no matplotlib.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from hadiag.model.entity import Level
from hadiag.model.time import NS, from_iso
from hadiag.report.bands import operation, row_name
from hadiag.report.lanes import EVENTS, Row, rows_of, window_of
from hadiag.report.scene import Moment, Scene
from hadiag.report.visible import visible
from hadiag.report.words import Said, Words, read_words, said

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_P = ParamSpec("_P")

COLOURS = {
    "ok": "#009e73",
    "warn": "#e69f00",
    "bad": "#d55e00",
    "idle": "#b8c0c8",
    "planned": "#56b4e9",
    "silent": "#ffffff",
    "fence": "#7b4fa3",
    "down": "#c8102e",
}
"""Tones in the Okabe-Ito palette, which the colour-blind can tell apart."""

INK, FAINT, PAPER = "#1b1f24", "#8a929b", "#ffffff"
ROW_HEIGHT = 0.27
"""Height of a row in inches."""

SETTINGS: Any = {
    "svg.hashsalt": "hadiag",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "pdf.fonttype": 42,
}


def _saved(figure: Figure, form: str) -> bytes:
    import matplotlib as mpl

    nothing: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Software": None},
    }
    buffer = io.BytesIO()
    with mpl.rc_context(SETTINGS):
        figure.savefig(buffer, format=form, metadata=nothing[form], dpi=160, facecolor=PAPER)
    return buffer.getvalue()


def _canvas(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure as Drawing

    return Drawing(figsize=(width, height), layout="constrained")


def _styled(draw: Callable[_P, Figure | None]) -> Callable[_P, Figure | None]:
    """Draw with the settings of hadiag, whatever the user's own are."""

    @wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> Figure | None:
        import matplotlib as mpl

        with mpl.rc_context(dict(mpl.rcParamsDefault) | SETTINGS):
            return draw(*args, **kwargs)

    return drawn


@_styled
def overview(scene: Scene, incident: Mapping[str, Any], words: Words) -> Figure | None:
    """Lanes of all nodes in the window of an incident, with the numbered steps of its chain; None without any time."""
    window = window_of(incident, scene.span)
    if window is None:
        return None
    rows = rows_of(scene, window)
    figure = _canvas(10.5, 1.25 + ROW_HEIGHT * (len(rows) + 2))
    axes = figure.add_subplot()
    _frame(axes, window, len(rows))
    for place, row in enumerate(rows):
        _row(axes, place, row, window, words)
    _labels(axes, rows, words)
    _marks(axes, rows, scene, window)
    _fences(axes, rows, scene, window)
    _steps(axes, incident, window)
    return figure


def _frame(axes: Axes, window: tuple[int, int], rows: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    span = (window[1] - window[0]) / NS
    axes.set_xlim(0, span)
    axes.set_ylim(rows - 0.3, -1.9)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 3, 5, 6, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _clock(window[0] + int(x * NS), span)))
    axes.set_xlabel(f"UTC, {datetime.fromtimestamp(window[0] / NS, UTC):%Y-%m-%d}", color=INK)
    axes.tick_params(axis="x", colors=INK, length=3)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e3e7eb", linewidth=0.6)
    axes.set_axisbelow(True)  # the grid stays behind the bands
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def _clock(ns: int, span_s: float) -> str:
    moment = datetime.fromtimestamp(ns / NS, UTC)
    if span_s > 2 * 86400:
        return f"{moment:%d %b %H:%M}"
    return f"{moment:%H:%M:%S}" if span_s > 8 else f"{moment:%H:%M:%S.%f}"[:-5]


def _row(axes: Axes, place: int, row: Row, window: tuple[int, int], words: Words) -> None:
    for band in row.bands:
        start = max(band.start_ns if band.start_ns is not None else window[0], window[0])
        end = min(band.end_ns if band.end_ns is not None else window[1], window[1])
        left, width = (start - window[0]) / NS, max((end - start) / NS, (window[1] - window[0]) / NS / 400)
        hatched = band.tone == "silent"
        axes.broken_barh(
            [(left, width)],
            (place - 0.36, 0.72),
            facecolor=COLOURS[band.tone],
            edgecolor=FAINT if hatched else PAPER,
            hatch="/////" if hatched else None,
            linewidth=0.5,
            alpha=1.0 if band.tone in {"bad", "down", "fence", "silent"} else 0.6,
        )
        label = visible(words.label(band.label))
        _caption(axes, place, label, band.tone, (left, width, (window[1] - window[0]) / NS))


def _caption(axes: Axes, place: int, text: str, tone: str, box: tuple[float, float, float]) -> None:
    """Write a band's label inside it where it fits; ``box`` is its left end, its width, and the width of all."""
    left, width, span = box
    room = int(width / span * 150)
    if room < 4:
        return
    if len(text) > room:
        text = f"{text[: room - 1]}…"
    dark = tone in {"bad", "down", "fence"}
    axes.text(
        left + span * 0.004,
        place + 0.02,
        _plain(text),
        va="center",
        color=PAPER if dark else INK,
        fontsize=6.5,
        clip_on=True,
    )


def _plain(text: str) -> str:
    """Keep matplotlib from reading a text as mathematics; what its font lacks becomes a box, without a warning."""
    return "".join(r"\$" if c == "$" else c if _drawn(ord(c)) else "\u25a1" for c in text)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib import font_manager

    path = font_manager.findfont(font_manager.FontProperties(family=SETTINGS["font.sans-serif"]))
    return frozenset(font_manager.get_font(path).get_charmap())


def _drawn(code: int) -> bool:
    return code < 0x7F or code in _glyphs()


def _labels(axes: Axes, rows: Sequence[Row], words: Words) -> None:
    names = [words.label(row_name(row.name)) for row in rows]
    axes.set_yticks(range(len(rows)), [_plain(visible(name, 40)) for name in names], color=INK)
    last = None
    for place, row in enumerate(rows):
        if row.node != last:
            axes.axhline(place - 0.5, color=FAINT, linewidth=0.7)
            more = f" +{len(row.alike)}" if row.alike else ""
            text = _plain(visible(row.node or words("cluster"), 40) + more)
            axes.annotate(
                text,
                (1.0, place),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontweight="bold",
                color=INK,
                annotation_clip=False,
            )
        last = row.node


def _marks(axes: Axes, rows: Sequence[Row], scene: Scene, window: tuple[int, int]) -> None:
    """Events as ticks: tall and coloured from warning on, short and grey below."""
    for place, row in enumerate(rows):
        if row.name != EVENTS:
            continue
        here = [m for m in scene.moments if m.node == row.node and window[0] <= m.ns <= window[1]]
        for floor, ceiling, colour, height in (
            (Level.TRACE, Level.NOTICE, "#aab2ba", 0.16),
            (Level.WARNING, Level.WARNING, COLOURS["warn"], 0.3),
            (Level.ERROR, Level.EMERG, COLOURS["down"], 0.38),
        ):
            at = _spots([m for m in here if floor <= m.rank <= ceiling], window)
            axes.vlines(at, place - height, place + height, colors=colour, linewidth=0.9)


def _spots(moments: Iterable[Moment], window: tuple[int, int]) -> list[float]:
    """Places of marks, each pixel once."""
    step = max((window[1] - window[0]) // 1400, 1)
    return sorted({(m.ns - window[0]) // step * step / NS for m in moments})


def _fences(axes: Axes, rows: Sequence[Row], scene: Scene, window: tuple[int, int]) -> None:
    places: dict[str, int] = {}
    for place, row in enumerate(rows):
        for node in (row.node, *row.alike):
            places.setdefault(node, place)
            if row.name == "fencing":
                places[node] = place
    for arrow in scene.arrows:
        if not window[0] <= arrow.end_ns <= window[1] or not {arrow.source, arrow.target} <= set(places):
            continue
        at = (arrow.end_ns - window[0]) / NS
        colour = COLOURS["fence" if arrow.ok else "down"]
        axes.annotate(
            "",
            (at, places[arrow.target]),
            (at, places[arrow.source]),
            arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.4, "ls": "-" if arrow.ok else "--"},
        )


def _steps(axes: Axes, incident: Mapping[str, Any], window: tuple[int, int]) -> None:
    """Numbered markers of the chain above the lanes, joined in their order; markers that would overlap are stacked."""
    span = (window[1] - window[0]) / NS
    previous: tuple[float, float] | None = None
    for number, step in enumerate(incident["chain"], 1):
        if not step["time"]:
            continue
        at = min(max((from_iso(step["time"]) - window[0]) / NS, 0), span)
        spot = (max(at, previous[0] + span * 0.02) if previous else at, -1.2)
        axes.axvline(at, color=FAINT, linewidth=0.5, linestyle=":", zorder=0.5)
        if previous is not None and spot[0] - previous[0] > span * 0.03:
            axes.annotate("", spot, previous, arrowprops={"arrowstyle": "->", "color": FAINT, "lw": 0.8})
        axes.text(
            *spot,
            str(number),
            ha="center",
            va="center",
            fontsize=7,
            fontweight="bold",
            color=PAPER,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": INK, "edgecolor": "none"},
        )
        _whisker(axes, step, at, span)
        previous = spot


def _whisker(axes: Axes, step: Mapping[str, Any], at: float, span: float) -> None:
    error = step["error_s"]
    if error and error / span > 0.004:
        axes.hlines(-0.62, at - error, at + error, colors=FAINT, linewidth=0.8)


@_styled
def density(scene: Scene, words: Words) -> Figure | None:
    """Events over the whole logs, stacked by severity."""
    if scene.span is None or not scene.moments:
        return None
    figure = _canvas(10.5, 3)
    axes = figure.add_subplot()
    window = scene.span
    _frame(axes, window, 0)
    groups = [[(m.ns - window[0]) / NS for m in scene.moments if low <= m.rank <= high] for low, high in _GROUPS]
    edges = [(window[1] - window[0]) / NS * place / 120 for place in range(121)]
    colours = ["#aab2ba", COLOURS["warn"], COLOURS["down"]]
    labels = [words(f"figure.{name}") for name in ("low", "warning", "error")]
    axes.hist(groups, bins=edges, stacked=True, color=colours, label=labels)
    axes.set_ylim(auto=True)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(words("row.events"))
    axes.legend(frameon=False, loc="upper right")
    return figure


_GROUPS = ((Level.TRACE, Level.NOTICE), (Level.WARNING, Level.WARNING), (Level.ERROR, Level.EMERG))


@_styled
def state_bands(scene: Scene, words: Words) -> Figure | None:
    """All beliefs of all nodes over the whole logs."""
    if scene.span is None:
        return None
    rows = rows_of(scene, scene.span)
    figure = _canvas(10.5, 1 + ROW_HEIGHT * len(rows))
    axes = figure.add_subplot()
    _frame(axes, scene.span, len(rows))
    axes.set_ylim(len(rows) - 0.3, -0.8)
    for place, row in enumerate(rows):
        _row(axes, place, row, scene.span, words)
    _labels(axes, rows, words)
    _marks(axes, rows, scene, scene.span)
    return figure


@_styled
def fencing(data: Mapping[str, Any], words: Words) -> Figure | None:
    """Gantt chart of the fencing operations and of the attempts in them."""
    bars = [bar for row in data["fencing"] for bar in _fencing_bars(row)]
    if not bars:
        return None
    zero = min(start for _, start, _, _ in bars)
    figure = _canvas(10.5, 1 + 0.34 * len(bars))
    axes = figure.add_subplot()
    for place, (_, start, end, tone) in enumerate(bars):
        width = max((end - start) / NS, 0.02)
        axes.broken_barh([((start - zero) / NS, width)], (place - 0.35, 0.7), facecolor=COLOURS[tone])
        axes.text((start - zero) / NS + width, place, f"  {(end - start) / NS:.3g} s", va="center", color=INK)
    names = [_plain(visible(words.label(label), 60)) for label, *_ in bars]
    axes.set_yticks(range(len(bars)), names, color=INK)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    since = f"{datetime.fromtimestamp(zero / NS, UTC):%Y-%m-%d %H:%M:%S} UTC"
    axes.set_xlabel(words("figure.seconds_since", time=since), color=INK)
    return figure


def _fencing_bars(row: Mapping[str, Any]) -> Iterable[tuple[Said, int, int, str]]:
    if row["requested_at"] and row["completed_at"]:
        tone = "fence" if row["result"] == "ok" else "down"
        yield operation(row), from_iso(row["requested_at"]), from_iso(row["completed_at"]), tone
    for attempt in row["attempts"]:
        if attempt["started"] and attempt["ended"]:
            tone = "ok" if attempt["result"] == "ok" else "warn"
            label = said("figure.attempt", device=attempt["device"])
            yield label, from_iso(attempt["started"]), from_iso(attempt["ended"]), tone


@_styled
def clocks(data: Mapping[str, Any], words: Words) -> Figure | None:
    """Each node's clock against the reference node's, with its error."""
    known = [n for n in data["nodes"] if n["clock"]["skew_s"] is not None]
    if not known:
        return None
    figure = _canvas(7, 1 + 0.4 * len(known))
    axes = figure.add_subplot()
    for place, node in enumerate(known):
        errors = [span["error_s"] for span in node["clock"]["skews"] if span["error_s"] is not None]
        axes.errorbar(node["clock"]["skew_s"], place, xerr=max(errors, default=0), fmt="o", color="#0072b2", capsize=4)
    axes.set_yticks(range(len(known)), [_plain(visible(n["name"], 40)) for n in known], color=INK)
    axes.invert_yaxis()
    axes.margins(0.2)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_xlabel(words("figure.clocks"), color=INK)
    return figure


def write_figures(data: Mapping[str, Any], scene: Scene, directory: Path, words: Words | None = None) -> list[Path]:
    """Write all figures as SVG, PNG and PDF into a directory; those without anything to show are left out.

    ``words`` are the texts of the reader's language, by default English.

    Raises:
        OSError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    words = words or read_words()
    makers: dict[str, Callable[[], Figure | None]] = {
        f"overview-{incident['id']}": partial(overview, scene, incident, words) for incident in data["incidents"]
    }
    makers |= {
        "states": lambda: state_bands(scene, words),
        "density": lambda: density(scene, words),
        "fencing": lambda: fencing(data, words),
        "clocks": lambda: clocks(data, words),
    }
    written = []
    for name, make in makers.items():
        figure = make()
        for form in ("svg", "png", "pdf") if figure else ():
            path = directory / f"{name}.{form}"
            path.write_bytes(_saved(figure, form))  # type: ignore[arg-type]  # no form without a figure
            written.append(path)
    return written
