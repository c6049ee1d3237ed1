"""The pattern database of a catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadiag.catalogue import Catalogue, load
from hadiag.resources import rules_dir
from hadiag.scan.database import LEVELS, Database, build_database, collapsed, expressions
from hadiag.scan.engine import Expression, Scanner
from hadiag.scan.hyperscan import HyperscanEngine
from tests.unit.catalogue.packs import LOST, OPERATION, event, pack

SAME = event(
    """\
    - literal: "is now lost"
      regex: ^Peer (?P<node>\\S+) state is now lost$
      samples:
      - {line: "Peer n1 state is now lost", origin: recorded}
    """,
    name="peer.lost",
    extra="fields: {node: node}\n",
)


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return pack(tmp_path / "pack", LOST, OPERATION, SAME)


@pytest.fixture(params=["hyperscan", "re2"])
def database(catalogue: Catalogue, request: pytest.FixtureRequest) -> Database:
    return build_database(catalogue, request.param, cache=False)


def patterns(database: Database, text: bytes) -> set[int]:
    return {pattern for number, _ in database.scan(text) for pattern in database.patterns[number]}


def test_a_hit_stands_for_all_patterns_with_the_same_text(database: Database) -> None:
    """Patterns that share their block copy cost one report."""
    hits = database.scan(b"Node n1 state  is now lost\n")

    assert len(hits) == 1
    assert database.patterns[hits[0][0]] == (0, 2)


def test_each_pattern_is_found_in_its_samples(database: Database, catalogue: Catalogue) -> None:
    """No sample is missed by the scan."""
    for pattern in catalogue.patterns:
        for sample in pattern.samples:
            assert pattern.id in patterns(database, sample.line.encode())


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 22 10:00:01.123 n1 pacemaker-controld  [93] (handle) \terror: it went wrong",
        b"Nov 22 10:00:01 n1 pacemaker-controld[93]:  warning: it went wrong",
        b"Nov 22 10:00:01 [93] n1       crmd:     crit: handle:\tit went wrong",
        b"Nov 22 10:00:01 [12] n1 corosync error   [MAIN  ] it went wrong",
        b"[12] n1 corosyncwarning [MAIN  ] it went wrong",
        b"Nov 22 10:00:01  Filesystem(fs1)[93]:    ERROR: it went wrong",
        b"E, [2026-11-22T10:00:00.000 #00012]    ERROR -- : it went wrong",
        b"<3>2026-11-22T10:00:00.000000+00:00 n1 corosync[12]: it went wrong",
        b"Nov 22 10:00:01 n1 sbd[93]:   error: watchdog: it went wrong",
    ],
)
def test_every_dialect_shows_its_warnings(database: Database, line: bytes) -> None:
    """A line at warning or worse is reported even if no pattern knows it."""
    assert {number for number, _ in database.scan(line + b"\n")} == {LEVELS}


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 22 10:00:01 n1 pacemaker-controld[93]:  notice: all is well",
        b"Nov 22 10:00:01 [12] n1 corosync notice  [MAIN  ] all is well",
        b"I, [2026-11-22T10:00:00.000 #00012]     INFO -- : all is well",
        b"<6>2026-11-22T10:00:00.000000+00:00 n1 corosync[12]: all is well",
    ],
)
def test_other_lines_are_not_reported(database: Database, line: bytes) -> None:
    """Notices and less cost nothing."""
    assert database.scan(line + b"\n") == []


def test_the_cache_is_used_and_survives_damage(catalogue: Catalogue, tmp_path: Path) -> None:
    """A cached database reports the same; a damaged one is compiled again."""
    text = b"Node n1 state is now lost\n"
    first = build_database(catalogue, "hyperscan").scan(text)
    (entry,) = (tmp_path / "cache" / "hadiag").glob("database-*.bin")

    assert build_database(catalogue, "hyperscan").scan(text) == first

    entry.write_bytes(entry.read_bytes()[:-8])
    assert build_database(catalogue, "hyperscan").scan(text) == first


def test_a_cached_database_is_restored_not_compiled(catalogue: Catalogue) -> None:
    """The second start compiles nothing."""
    build_database(catalogue, "hyperscan")

    assert build_database(catalogue, _NeverCompiles()).scan(b"the state is now lost")


class _NeverCompiles(HyperscanEngine):
    """The real engine without its compiler."""

    def compile(self, expressions: Sequence[Expression]) -> Scanner:
        raise AssertionError("compiled again")


def test_without_cache_nothing_is_written(catalogue: Catalogue, tmp_path: Path) -> None:
    """``--no-cache`` leaves no trace."""
    build_database(catalogue, cache=False)

    assert not (tmp_path / "cache" / "hadiag").exists()


@given(st.text("a \t\n", max_size=40))
def test_runs_of_blanks_are_collapsed_and_lines_stay(text: str) -> None:
    """The scan sees what the confirming regex sees, line by line."""
    raw = text.encode()

    assert collapsed(raw) == re.sub(rb"[ \t]+", b" ", raw)


def test_a_hit_tells_its_line(database: Database) -> None:
    """Lines count from 0, blanks before and in the line change nothing, and the last line needs no end."""
    text = b"\n  \t \nNode n1 state\t is  now lost\nx\n\nNode n1 state is now lost"

    assert [line for _, line in database.scan(text)] == [2, 5]


def test_the_shipped_catalogue_is_scanned_for_text_only() -> None:
    """No expression of the database has a gap or a class, which Vectorscan may get wrong."""
    wanted, _ = expressions(load([rules_dir() / "events"]))

    assert len(wanted) > 500
    for expression in wanted:
        assert not set(expression.regex.removeprefix(b"(?i)")) & set(b"[]()*+?.|^$"), expression
