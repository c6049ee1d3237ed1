"""Read a snapshot as the pipeline does."""

from __future__ import annotations

from textwrap import dedent
from typing import Any, NamedTuple

from hadiag import snapshots
from hadiag.model.fact import Fact


class Case(NamedTuple):
    """A file: the parser that must take it, its place, its text, and facts (table, some of the values) that it gives."""

    parser: str
    path: str
    text: str
    facts: tuple[tuple[str, dict[str, Any]], ...]


def read(path: str, text: str | bytes, mtime: int | None = None) -> tuple[str | None, list[Fact]]:
    """Name of the parser that takes a file, and its facts."""
    data = dedent(text).lstrip("\n").encode() if isinstance(text, str) else text
    parser = snapshots.match(path, data[: 64 << 10])
    if parser is None:
        return None, []
    facts, warnings = snapshots.read(parser, snapshots.Source("b", path, "node1", mtime), data)
    assert warnings == ()
    return parser.name, list(facts)


def check(case: Case) -> None:
    """A case gives its facts, each with the line it stands on."""
    parser, facts = read(case.path, case.text)
    assert parser == case.parser
    for table, values in case.facts:
        rows = [fact.values for fact in facts if fact.table == table]
        assert any(values.items() <= dict(row).items() for row in rows), (table, values, rows)
    assert all(fact.path == case.path and fact.node_hint == "node1" for fact in facts)


def read_quietly(path: str, text: str) -> tuple[str | None, list[Fact]]:
    """As ``read``, for files that may be refused."""
    data = text.encode()
    parser = snapshots.match(path, data[: 64 << 10])
    if parser is None:
        return None, []
    facts, _ = snapshots.read(parser, snapshots.Source("b", path, "node1", None), data)
    return parser.name, list(facts)
