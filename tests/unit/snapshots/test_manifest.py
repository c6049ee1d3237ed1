from __future__ import annotations

import json
from typing import Any

import pytest

from hadiag.snapshots import Source, match, read
from hadiag.snapshots.manifest import ManifestParser

SOURCE = Source("b", "case/manifest.json", None, None)
DOCUMENT: dict[str, Any] = {
    "schema": "hadiag/collect/v1",
    "directories": {"db1": "db1"},
    "result": "partial",
    "window": {"since": 1000, "until": 2000},
    "missing": [{"node": "db2", "what": "everything", "why": "there is no route to it", "command": "x"}],
    "nodes": [
        {
            "name": "db1",
            "status": "complete",
            "why": "",
            "clock": {"offset_s": -3.25, "error_s": 0.001, "round_trips": 8, "measured_at": 2000.5},
            "steps": [
                {"step": "journal", "files": [{"path": "journal/journal.json", "truncated": True, "why": "cut"}]}
            ],
        }
    ],
}


def facts(document: object) -> dict[str, list[tuple[str | None, dict[str, Any]]]]:
    data = json.dumps(document).encode()
    parser = match(SOURCE.path, data)
    assert isinstance(parser, ManifestParser)
    found: dict[str, list[tuple[str | None, dict[str, Any]]]] = {}
    for fact in read(parser, SOURCE, data)[0]:
        found.setdefault(fact.table, []).append((fact.node_hint, dict(fact.values)))
    return found


def test_clocks_and_what_is_missing() -> None:
    """The facts belong to the nodes they are about."""
    found = facts(DOCUMENT)
    assert found["host.offset"] == [
        ("db1", {"node": "db1", "offset_s": -3.25, "error_s": 0.001, "source": "round trips"})
    ]
    assert found["collect.missing"][0][0] == "db2"
    assert found["collect.window"] == [(None, {"since_ns": 10**12, "until_ns": 2 * 10**12, "result": "partial"})]
    assert found["collect.cut"] == [("db1", {"node": "db1", "path": "journal/journal.json", "why": "cut"})]


@pytest.mark.parametrize(
    "damage",
    [
        {"nodes": 3},
        {"window": []},
        {"missing": ["x"]},
        {"nodes": [{"clock": {"offset_s": "x"}}]},
        {"nodes": [{"clock": {"offset_s": 1e300, "error_s": 1, "measured_at": 1}}]},
    ],
)
def test_rows_of_another_shape_are_left_out(damage: dict[str, Any]) -> None:
    """A bundle from somebody else may hold anything."""
    assert "host.offset" not in facts({**DOCUMENT, **damage}) or "nodes" not in damage
