"""The compact form of a scene for the interactive timeline: columns of numbers, gzip, base64.

Times are microseconds since the first event, written as differences; words stand once in a list. Above a budget the events that
nothing rests on are thinned by rule, and the payload says how many were left out.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hadiag.model.entity import Layer, Level
from hadiag.model.time import NS, from_iso
from hadiag.report.bands import CLUSTER, Band
from hadiag.report.scene import Moment, Scene, quote_key
from hadiag.report.visible import visible

BUDGET = 3_600_000
"""Characters that the packed timeline may take, so that a whole report stays below 5 MB."""

MARGIN_NS = 120 * NS
"""Events this near an incident are kept longest."""

CERTAIN_NS = 1000
"""Error that is written for an instant without any: the unit of the payload."""


class _Words:
    """A list in which each word stands once."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.list: list[str] = list(words)
        self._places = {word: place for place, word in enumerate(self.list)}

    def place(self, word: str) -> int:
        """Position of a word, added at the end where it is new."""
        if word not in self._places:
            self._places[word] = len(self.list)
            self.list.append(word)
        return self._places[word]


def pack(scene: Scene, data: Mapping[str, Any], budget: int = BUDGET) -> tuple[str, int]:
    """Pack a scene; also tell how many events were left out to stay within the budget."""
    moments: Sequence[Moment] = scene.moments
    for keep in _thinnings(data, len(moments)):
        chosen = [moment for place, moment in enumerate(moments) if keep(place, moment)]
        packed = _packed(scene, data, chosen)
        if len(packed) <= budget:
            return packed, len(moments) - len(chosen)
    return packed, len(moments) - len(chosen)


def _thinnings(data: Mapping[str, Any], count: int) -> Iterable[Any]:
    """Rules of what is kept, from everything to only what is quoted."""
    windows = [_window(incident) for incident in data["incidents"] if incident["start"] and incident["end"]]

    def near(moment: Moment) -> bool:
        return any(start <= moment.ns <= end for start, end in windows)

    def weighty(moment: Moment) -> bool:
        return moment.quoted is not None or (moment.core and moment.rank >= Level.WARNING)

    yield lambda _place, _moment: True
    yield lambda _place, moment: moment.core or weighty(moment) or near(moment)
    step = 2
    while step < count:
        yield lambda place, moment, step=step: weighty(moment) or place % step == 0
        step *= 2
    yield lambda _place, moment: moment.quoted is not None


def _window(incident: Mapping[str, Any]) -> tuple[int, int]:
    return from_iso(incident["start"]) - MARGIN_NS, from_iso(incident["end"]) + MARGIN_NS


def _packed(scene: Scene, data: Mapping[str, Any], moments: Sequence[Moment]) -> str:
    text = json.dumps(_document(scene, data, moments), ensure_ascii=False, separators=(",", ":"))
    raw = text.encode("utf-8", "replace")
    return base64.b64encode(gzip.compress(raw, compresslevel=9, mtime=0)).decode("ascii")


def _document(scene: Scene, data: Mapping[str, Any], moments: Sequence[Moment]) -> dict[str, Any]:
    zero = min([*(m.ns for m in moments), *(scene.span or ())], default=0)
    nodes = _Words(scene.nodes)
    document: dict[str, Any] = {
        "zero": zero // 1000,
        "span": [_us(ns, zero) for ns in scene.span] if scene.span else None,
        "layers": [layer.value for layer in Layer],
        "levels": [level.word for level in Level],
        "events": _events(moments, nodes, zero),
        "bands": [_band(band, nodes, zero) for band in scene.bands],
        "arrows": [
            [_us(a.start_ns, zero), _us(a.end_ns, zero), nodes.place(a.source), nodes.place(a.target), a.ok, a.label]
            for a in scene.arrows
        ],
        "blanks": [
            [nodes.place(b.node), _us(b.start_ns, zero), _us(b.end_ns, zero), f"{b.family}: {b.why}"]
            for b in scene.blanks
        ],
        "chain": _chain(data, nodes, zero),
        "incidents": [
            [i["id"], _stamp(i["start"], zero), _stamp(i["end"], zero), visible(i["title"]), i["severity"]]
            for i in data["incidents"]
        ],
    }
    document["nodes"] = [visible(name) for name in nodes.list]
    return document


def _us(ns: int, zero: int) -> int:
    return (ns - zero) // 1000


def _stamp(stamp: str | None, zero: int) -> int | None:
    return _us(from_iso(stamp), zero) if stamp else None


def _events(moments: Sequence[Moment], nodes: _Words, zero: int) -> dict[str, Any]:
    types, subjects, paths, texts = _Words(), _Words([""]), _Words(), _Words()
    layers: dict[str, str] = {}
    columns: dict[str, list[Any]] = {key: [] for key in "tenylsxpk"}
    last = 0
    for moment in moments:
        now = _us(moment.ns, zero)
        layers.setdefault(f"{moment.layer}/{moment.type}", moment.layer)
        columns["t"].append(now - last)
        columns["e"].append(-1 if moment.err_ns is None else max(moment.err_ns, CERTAIN_NS) // 1000)
        columns["n"].append(nodes.place(moment.node))
        columns["y"].append(types.place(f"{moment.layer}/{moment.type}"))
        columns["l"].append(moment.rank)
        columns["s"].append(subjects.place(visible(moment.subject or "")))
        columns["x"].append(texts.place(visible(moment.text)))
        columns["p"].append(paths.place(visible(moment.path)))
        columns["k"].append(moment.line)
        last = now
    quoted = [[place, moment.quoted] for place, moment in enumerate(moments) if moment.quoted]
    words = {"types": types.list, "subjects": subjects.list, "paths": paths.list, "texts": texts.list}
    return {**columns, **words, "quoted": quoted}


def _band(band: Band, nodes: _Words, zero: int) -> list[Any]:
    start = None if band.start_ns is None else _us(band.start_ns, zero)
    end = None if band.end_ns is None else _us(band.end_ns, zero)
    node = -1 if band.node == CLUSTER else nodes.place(band.node)
    members = [nodes.place(name) for name in band.members]
    return [node, visible(band.row), start, end, band.tone, visible(band.label), members]


def _chain(data: Mapping[str, Any], nodes: _Words, zero: int) -> list[Any]:
    """Steps of all chains: incident, number, time, error, nodes, text, numbers of its causes, first quotation."""
    rows = []
    for incident in data["incidents"]:
        numbers = {step["id"]: number for number, step in enumerate(incident["chain"], 1)}
        for step in incident["chain"]:
            error = step["error_s"]
            rows.append(
                [
                    incident["id"],
                    numbers[step["id"]],
                    _stamp(step["time"], zero),
                    -1 if error is None else int(error * 1e6),
                    [nodes.place(name) for name in step["nodes"]],
                    visible(step["text"]),
                    [numbers[key] for key in step["because_of"] if key in numbers],
                    quote_key(step["evidence"][0]) if step["evidence"] else None,
                ]
            )
    return rows
