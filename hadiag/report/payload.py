"""The compact form of a scene for the interactive timeline: typed columns, gzip, base64, in two parts.

The first part is all that the lanes are drawn from; the second holds messages and places, which the script reads when the lanes
are drawn. Each part is a head of JSON, and after it the columns that the head names, as little-endian numbers of a fixed size.
Times are microseconds, written as differences. Above a budget the events that nothing rests on are thinned by rule, and the
payload says how many were left out.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from hadiag.model.entity import Layer, Level
from hadiag.model.frozen import record
from hadiag.model.time import NS, from_iso
from hadiag.report.bands import CLUSTER, Band, row_name
from hadiag.report.scene import Moment, Scene, quote_key
from hadiag.report.visible import visible
from hadiag.report.words import Words

BUDGET = 3_600_000
"""Characters that the packed timeline may take, so that a whole report stays below 5 MB."""

MARGIN_NS = 120 * NS
"""Events this near an incident are kept longest."""

CERTAIN_NS = 1000
"""Error that is written for an instant without any: the unit of the payload."""


FAR = 1 << 32
"""Differences of time that do not fit their column stand in the head."""

EFFORT = 6
"""Of gzip: more takes thrice the time and saves two per cent."""

_SIZES = {"I": 4, "f": 4, "B": 1}


@record
class Packed:
    """Both parts of a payload as base64, and how many events were left out."""

    lanes: Markup
    texts: Markup
    left_out: int = 0

    def __len__(self) -> int:
        """Characters of both parts."""
        return len(self.lanes) + len(self.texts)


class _Names:
    """A list in which each name stands once."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.list: list[str] = list(words)
        self._places = {word: place for place, word in enumerate(self.list)}

    def place(self, word: str) -> int:
        """Position of a word, added at the end where it is new."""
        if word not in self._places:
            self._places[word] = len(self.list)
            self.list.append(word)
        return self._places[word]


def pack(scene: Scene, data: Mapping[str, Any], words: Words, budget: int = BUDGET) -> Packed:
    """Pack a scene; events are left out where it would not stay within the budget."""
    moments: Sequence[Moment] = scene.moments
    for keep in _thinnings(data, len(moments)):
        chosen = [moment for place, moment in enumerate(moments) if keep(place, moment)]
        packed = _packed(scene, data, chosen, words)
        if len(packed) <= budget:
            break
    return packed


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


def _packed(scene: Scene, data: Mapping[str, Any], moments: Sequence[Moment], words: Words) -> Packed:
    zero = min([*(m.ns for m in moments), *(scene.span or ())], default=0)
    nodes = _Names(scene.nodes)
    columns = _columns(moments, nodes, zero)
    lanes = _part(
        _head(scene, data, nodes, zero, words)
        | {"types": columns.types.list, "far": columns.far}
        | {"quoted": [[place, moment.quoted] for place, moment in enumerate(moments) if moment.quoted]},
        {
            "t": ("I", columns.t),
            "e": ("f", columns.e),
            "n": ("I", columns.n),
            "y": ("I", columns.y),
            "l": ("B", columns.l),
        },
    )
    subjects, paths, texts = _Names([""]), _Names(), _Names()
    numbers = {
        "s": ("I", [subjects.place(visible(moment.subject or "")) for moment in moments]),
        "x": ("I", [texts.place(visible(moment.text)) for moment in moments]),
        "p": ("I", [paths.place(visible(moment.path)) for moment in moments]),
        "k": ("I", [moment.line % FAR for moment in moments]),
    }
    tail = "\0".join(texts.list).encode("utf-8", "replace")
    rest = _part({"subjects": subjects.list, "paths": paths.list}, numbers, tail)
    return Packed(lanes, rest, len(scene.moments) - len(moments))


def _part(head: dict[str, Any], columns: Mapping[str, tuple[str, Sequence[float]]], tail: bytes = b"") -> Markup:
    """Length of the head, the head, the columns from the widest on (so that each starts at a multiple of its size), the tail."""
    order = sorted(columns, key=lambda name: -_SIZES[columns[name][0]])
    head |= {"columns": [[name, columns[name][0], len(columns[name][1])] for name in order]}
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    text += b" " * (-(len(text) + 4) % 8)
    raw = [len(text).to_bytes(4, "little"), text, *(_bytes(*columns[name]) for name in order), tail]
    packed = base64.b64encode(gzip.compress(b"".join(raw), compresslevel=EFFORT, mtime=0))
    return Markup(packed.decode("ascii"))  # noqa: S704 - base64


def _bytes(kind: str, values: Sequence[float]) -> bytes:
    found = array(kind, values)
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def _head(scene: Scene, data: Mapping[str, Any], nodes: _Names, zero: int, words: Words) -> dict[str, Any]:
    head: dict[str, Any] = {
        "zero": zero // 1000,
        "span": [_us(ns, zero) for ns in scene.span] if scene.span else None,
        "layers": [layer.value for layer in Layer],
        "levels": [level.word for level in Level],
        "bands": [_band(band, nodes, zero, words) for band in scene.bands],
        "rows": {row: visible(words.label(row_name(row))) for row in sorted({band.row for band in scene.bands})},
        "arrows": [
            [_us(a.start_ns, zero), _us(a.end_ns, zero), nodes.place(a.source), nodes.place(a.target), a.ok]
            for a in scene.arrows
        ],
        "blanks": [
            [nodes.place(b.node), _us(b.start_ns, zero), _us(b.end_ns, zero), f"{b.family}: {words(b.why)}"]
            for b in scene.blanks
        ],
        "chain": _chain(data, nodes, zero),
        "incidents": [
            [i["id"], _stamp(i["start"], zero), _stamp(i["end"], zero), visible(i["title"]), i["severity"]]
            for i in data["incidents"]
        ],
    }
    return head | {"nodes": [visible(name) for name in nodes.list]}


def _us(ns: int, zero: int) -> int:
    return (ns - zero) // 1000


def _stamp(stamp: str | None, zero: int) -> int | None:
    return _us(from_iso(stamp), zero) if stamp else None


@record
class _Columns:
    """What the lanes draw of each event: time (as difference), error, node, type and level; ``far`` are the longest differences."""

    t: list[int]
    e: list[float]
    n: list[int]
    y: list[int]
    l: list[int]  # noqa: E741 - the name of the column
    types: _Names
    far: list[tuple[int, int]]


def _columns(moments: Sequence[Moment], nodes: _Names, zero: int) -> _Columns:
    found = _Columns([], [], [], [], [], _Names(), [])
    last = 0
    for place, moment in enumerate(moments):
        now = _us(moment.ns, zero)
        if now - last >= FAR:
            found.far.append((place, (now - last) // FAR * FAR))
        found.t.append((now - last) % FAR)
        found.e.append(-1 if moment.err_ns is None else max(moment.err_ns, CERTAIN_NS) // 1000)
        found.n.append(nodes.place(moment.node))
        found.y.append(found.types.place(f"{moment.layer}/{moment.type}"))
        found.l.append(moment.rank)
        last = now
    return found


def _band(band: Band, nodes: _Names, zero: int, words: Words) -> list[Any]:
    start = None if band.start_ns is None else _us(band.start_ns, zero)
    end = None if band.end_ns is None else _us(band.end_ns, zero)
    node = -1 if band.node == CLUSTER else nodes.place(band.node)
    members = [nodes.place(name) for name in band.members]
    return [node, visible(band.row), start, end, band.tone, visible(words.label(band.label)), members]


def _chain(data: Mapping[str, Any], nodes: _Names, zero: int) -> list[Any]:
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
