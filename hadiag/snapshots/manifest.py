"""Manifest of ``hadiag collect``: the clocks it measured, and what it could not get.

::

    {"schema": "hadiag/collect/v1", "directories": {"db1": "db1"}, "window": {"since": 1795640000, "until": …},
     "missing": [{"node": "db2", "what": "everything", "why": "there is no route to it", "command": "…"}],
     "nodes": [{"name": "db1", "clock": {"offset_s": 0.0031, "error_s": 0.0009, "measured_at": 1795643600.1}, …

Tables: ``host.offset`` (node, offset_s, error_s, source: clock of the node minus that of the machine that collected;
two of them give the difference of two nodes), ``collect.window`` (since_ns, until_ns, result), ``collect.node`` (node,
status, why), ``collect.missing`` (node, what, why, command), ``collect.cut`` (node, path, why: a file that is not whole).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, name_of

_SCHEMA = re.compile(rb'"schema"\s*:\s*"hadiag/collect/')
_NS = 1_000_000_000
_FAR_S = 4e9
_ROWS = 10_000


class ManifestParser:
    """Reads the manifest of a collection."""

    name = "manifest of hadiag collect"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its name and its schema."""
        return name_of(path) == "manifest.json" and _SCHEMA.search(head[:4096]) is not None

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield the facts of a manifest; rows of another shape are left out.

        Raises:
            ValueError: the text is no JSON object.
        """
        try:
            document = json.loads(data)
        except RecursionError as error:
            raise ValueError("too deep") from error
        if not isinstance(document, dict):
            raise ValueError("no object")  # noqa: TRY004 - the file is wrong, not the call
        yield from _window(source, document)
        for row in _rows(document, "missing"):
            values: dict[str, Scalar] = {key: _text(row.get(key)) for key in ("node", "what", "why", "command")}
            yield _of(source, row.get("node")).fact(
                "collect.missing", values, text=f"{values['what']}: {values['why']}"
            )
        for row in _rows(document, "nodes"):
            yield from _node(_of(source, row.get("name")), row)


def _window(source: Source, document: Mapping[str, Any]) -> Iterator[Fact]:
    window = document.get("window")
    if isinstance(window, dict):
        since, until = _number(window.get("since")), _number(window.get("until"))
        if since is not None and until is not None:
            values: dict[str, Scalar] = {"since_ns": int(since) * _NS, "until_ns": int(until) * _NS}
            yield source.fact("collect.window", {**values, "result": _text(document.get("result"))})


def _node(source: Source, row: Mapping[str, Any]) -> Iterator[Fact]:
    name = _text(row.get("name"))
    values: dict[str, Scalar] = {"node": name, "status": _text(row.get("status")), "why": _text(row.get("why"))}
    yield source.fact("collect.node", values)
    clock = row.get("clock")
    if isinstance(clock, dict):
        yield from _offset(source, name, clock)
    for step in _rows(row, "steps"):
        for file in _rows(step, "files"):
            if file.get("truncated") is True:
                path = _text(file.get("path"))
                cut: dict[str, Scalar] = {"node": name, "path": path, "why": _text(file.get("why"))}
                yield source.fact("collect.cut", cut, text=f"{path}: {cut['why']}")


def _offset(source: Source, name: str, clock: Mapping[str, Any]) -> Iterator[Fact]:
    offset, error, at = (_number(clock.get(key)) for key in ("offset_s", "error_s", "measured_at"))
    if offset is None or error is None or at is None or error < 0:
        return
    values: dict[str, Scalar] = {"node": name, "offset_s": offset, "error_s": error, "source": "round trips"}
    text = f"clock of {name} {offset:+.3f} s ± {error:.3f} s"
    yield source.fact("host.offset", values, as_of_ns=int(at * 1000) * 1_000_000, text=text)


def _of(source: Source, node: object) -> Source:
    return replace(source, node_hint=node) if isinstance(node, str) and node else source


def _rows(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = document.get(key)
    return [row for row in rows[:_ROWS] if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(value: object) -> str:
    return value[:400] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_FAR_S < value < _FAR_S else None
