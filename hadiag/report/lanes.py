"""What a picture of an incident shows: its window of time, and the rows of each node in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hadiag.model.frozen import record
from hadiag.model.time import NS, from_iso
from hadiag.report.bands import CLUSTER, IDLE, OK, Band
from hadiag.report.scene import Scene

PADDING = 0.12
"""Share of the window that is drawn before and after an incident."""

SHOWN_ROWS = ("node", "membership", "quorum", "DC", "links", "fencing", "planned")
EVENTS = "events"
"""Name of the row that holds the events of a node."""

MAX_ROWS = 70
MANY_NODES = 4
"""Above this number of nodes only what changed is drawn, and nodes that saw the same are drawn once."""


@record
class Row:
    """One row of a picture: a node, what is drawn in it, and its bands; ``alike`` are further nodes with equal rows."""

    node: str
    name: str
    bands: tuple[Band, ...]
    alike: tuple[str, ...] = ()


def window_of(incident: Mapping[str, Any], span: tuple[int, int] | None) -> tuple[int, int] | None:
    """Stretch of time that the picture of an incident shows: all its dated steps, and a margin."""
    ends = [incident["start"], incident["end"], *(step["time"] for step in incident["chain"])]
    ends += [row[end] for row in incident["impact"]["resources"] for end in ("down_from", "down_to")]
    ends += [line["time"] for step in incident["chain"] for line in step["evidence"]]
    known = [from_iso(stamp) for stamp in ends if stamp]
    if not known:
        return span
    first, last = min(known), max(known)
    margin = max(int((last - first) * PADDING), 2 * NS)
    return first - margin, last + margin


def rows_of(scene: Scene, window: tuple[int, int]) -> list[Row]:
    """Rows of a picture: those that hold anything in the window, the cluster first, then node by node."""
    rows = _group(scene, CLUSTER, window, sorted({band.row for band in scene.bands if band.node == CLUSTER}))
    seen = {moment.node for moment in scene.moments}
    many = len(scene.nodes) > MANY_NODES
    lanes: dict[object, list[Row]] = {}
    for node in scene.nodes:
        names = [*SHOWN_ROWS, *sorted({b.row for b in scene.bands if b.node == node and b.row.startswith("resource ")})]
        found = _group(scene, node, window, names)
        if many:
            found = [row for row in found if _tells(row)]
        if found or (node in seen and not many):
            lane = [*found, Row(node, EVENTS, ())]
            key = _view(found) if many else node
            lanes[key] = [_joined(row, node) for row in lanes[key]] if key in lanes else lane
    return [*rows, *(row for lane in lanes.values() for row in lane)][:MAX_ROWS]


def _tells(row: Row) -> bool:
    """Whether a row shows more than that all went on as it was."""
    return len(row.bands) > 1 or any(band.tone not in {OK, IDLE} for band in row.bands)


def _view(rows: Iterable[Row]) -> object:
    """What a node saw, without the exact times: equal for nodes that saw the same."""
    return tuple((row.name, tuple((band.tone, band.label) for band in row.bands)) for row in rows)


def _joined(row: Row, node: str) -> Row:
    return Row(row.node, row.name, row.bands, (*row.alike, node))


def _group(scene: Scene, node: str, window: tuple[int, int], names: Iterable[str]) -> list[Row]:
    rows = []
    for name in names:
        bands = tuple(b for b in scene.bands if b.node == node and b.row == name and _inside(b, window))
        if bands:
            rows.append(Row(node, name, bands))
    return rows


def _inside(band: Band, window: tuple[int, int]) -> bool:
    after = band.end_ns is None or band.end_ns >= window[0]
    return after and (band.start_ns is None or band.start_ns <= window[1])
