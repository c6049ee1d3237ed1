"""The HTML report: one file, readable without script and style, from an analysis or from its result alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from markupsafe import escape

from hadiag.model.diagnosis import Diagnosis
from hadiag.model.entity import Layer, Level, Severity
from hadiag.report import page
from hadiag.report.machine import as_data
from hadiag.report.markdown import markdown_of
from hadiag.report.overview import Picture, picture_of
from hadiag.report.payload import pack
from hadiag.report.scene import Moment, Scene, Surrounded, all_evidence, quote_key, scene_of, scene_of_result
from hadiag.report.words import Words

if TYPE_CHECKING:
    from hadiag.state import Views
    from hadiag.timeline import Timeline

Json = Mapping[str, Any]

TABLE_ROWS = 300
"""Rows of the static table of important events."""

PRINTED_ROWS = 25
"""Rows of it that are printed: those of the chain first."""

PRINTED_UNKNOWN = 8
"""Unknown messages, and warnings of the input, that are printed."""

SHOWN_TONES = ("ok", "bad", "down", "fence", "planned", "idle", "silent")
"""Tones in the legend of the interactive timeline."""

PICTURES = 5
"""Incidents, from the worst on, that get a picture of their own."""

LISTED = 3
"""Quoted lines that stand open below a claim; the rest is folded."""


def render_html(  # noqa: PLR0913 (what a report is made of)
    diagnosis: Diagnosis,
    timeline: Timeline,
    views: Views,
    templates: Path | None = None,
    lines: Surrounded | None = None,
    *,
    cache: bool = True,
) -> str:
    """Render the report of an analysis.

    Args:
        diagnosis: the result.
        timeline: all events, for the interactive timeline.
        views: what each node believed, for its bands.
        templates: directory whose templates, assets and ``brand.yaml`` come before the shipped ones.
        lines: the lines around core events, which quotations are shown with.
        cache: keep the compiled templates in the cache directory.

    Raises:
        UsageError: a template has an error.
    """
    data = as_data(diagnosis)
    return render_page(data, scene_of(data, timeline, views, lines), templates, cache=cache)


def render_result(data: Json, templates: Path | None = None) -> str:
    """Render the report of a stored result; its timeline holds only what the result quotes, and says so.

    Raises:
        UsageError: a template has an error.
    """
    return render_page(data, scene_of_result(data), templates)


def render_page(data: Json, scene: Scene, templates: Path | None = None, *, cache: bool = True) -> str:
    """Render the page of a result and a scene; with ``cache`` the compiled templates are kept in the cache directory.

    Raises:
        UsageError: a template has an error.
    """
    env = page.environment(templates, data, markup=True, cache=cache)
    words = cast("Words", env.globals["_"])
    style, script = page.asset(env, "report.css"), page.script(env)
    packed = pack(scene, data, words)
    context = {
        "data": data,
        "style": style,
        "script": script,
        "policy": _policy(style, script),
        "packed": packed,
        "complete": scene.complete,
        "count": len(scene.moments),
        "listed": LISTED,
        "rows": important(scene, data),
        "printed_unknown": PRINTED_UNKNOWN,
        "rows_left": len(list(_folded(filter(_matters, scene.moments)))) - TABLE_ROWS,
        "tones": {tone: words(f"tone.{tone}") for tone in SHOWN_TONES},
        "layer_words": {layer.value: words(layer.value) for layer in Layer},
        "level_words": {level.word: words(level.word) for level in Level},
        "pictures": _pictures(data, scene, words),
        "quotes": _quotes(data, scene),
        "findings": {finding["id"]: finding for finding in data["findings"]},
        "layers": _by_layer(data),
        "review": escape(markdown_of(data, templates, cache=cache)),
    }
    return page.render_template(env, "report.html.j2", context) + "\n"


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{page.fingerprint(script)}'; style-src '{page.fingerprint(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def important(scene: Scene, data: Json) -> tuple[tuple[Moment, int, bool], ...]:
    """Rows of the static table: what is quoted, and core events from warning on; the quoted ones first where too many.

    A message that a node repeats is one row with its number of times. The last value says whether the row is printed.
    """
    chosen = list(_folded(moment for moment in scene.moments if _matters(moment)))
    if len(chosen) > TABLE_ROWS:
        ranked = sorted(range(len(chosen)), key=lambda place: (*_weight(chosen[place][0]), place))
        chosen = [chosen[place] for place in sorted(ranked[:TABLE_ROWS])]
    told = {
        quote_key(line) for incident in data["incidents"] for step in incident["chain"] for line in step["evidence"]
    }
    ranked = sorted(range(len(chosen)), key=lambda n: (chosen[n][0].quoted not in told, *_weight(chosen[n][0]), n))
    printed = set(ranked[:PRINTED_ROWS])
    return tuple((moment, times, place in printed) for place, (moment, times) in enumerate(chosen))


def _weight(moment: Moment) -> tuple[bool, int]:
    return moment.quoted is None, -moment.rank


def _folded(moments: Iterable[Moment]) -> Iterable[tuple[Moment, int]]:
    """Join repetitions of what nothing rests on, at the place of the first."""
    rows: dict[tuple[str, ...], list[Moment]] = {}
    for moment in moments:
        key = (moment.quoted,) if moment.quoted else (moment.node, moment.type, moment.text)
        rows.setdefault(key, []).append(moment)
    return ((same[0], len(same)) for same in rows.values())


def _matters(moment: Moment) -> bool:
    return moment.quoted is not None or (moment.core and moment.rank >= Level.WARNING)


def _pictures(data: Json, scene: Scene, words: Words) -> dict[str, Picture]:
    """Pictures of the worst incidents; without any incident none."""
    worst = [i for i in data["incidents"] if Severity(i["severity"]).rank >= Severity.WARNING.rank]
    chosen = (worst or data["incidents"])[:PICTURES]
    made = {i["id"]: picture_of(scene, i, words, f"picture-{page.anchor(i['id'])}") for i in chosen}
    return {name: picture for name, picture in made.items() if picture is not None}


def _quotes(data: Json, scene: Scene) -> dict[str, Json]:
    """Each quoted line once, with the lines around it."""
    found: dict[str, Json] = {}
    for evidence in all_evidence(data):
        key = quote_key(evidence)
        if key not in found:
            found[key] = {**evidence, "around": scene.around.get(key, ())}
    return dict(sorted(found.items(), key=lambda item: (item[1]["time"] or "~", item[1]["path"], item[1]["line"])))


def _by_layer(data: Json) -> list[tuple[str, list[Json]]]:
    rows = [(layer.value, [f for f in data["findings"] if f["layer"] == layer.value]) for layer in Layer]
    return [(layer, _sorted(found)) for layer, found in rows if found]


def _sorted(findings: Iterable[Json]) -> list[Json]:
    return sorted(findings, key=lambda f: (-Severity(f["severity"]).rank, f["start"] or "", f["id"]))
