"""``hadiag grep`` and ``hadiag rules export`` as a user meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import re2

from hadiag.catalogue import load
from hadiag.resources import rules_dir
from hadiag.scan.database import build_database
from tests.unit.catalogue.packs import event, write_pack
from tests.unit.cli.test_commands import FENCED, hadiag

LEAKS = r"""
- literal: "bucket"
  regex: |-
    ^bucket \d+ leaks$
  samples: [{line: "bucket 7 leaks", origin: rendered}]
- literal: "barrel"
  regex: |-
    ^barrel (?>\d+) leaks$
  samples: [{line: "barrel 7 leaks", origin: rendered}]
"""


def test_every_line_of_all_nodes_is_found_in_the_order_of_time() -> None:
    """Events or not, from every log of every node, on one clock."""
    done = hadiag("grep", r"node2.*(lost|fenc)", FENCED, "--jsonl")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {row["node"] for row in rows} == {"node1", "node2"}
    assert {row["path"].rsplit("/", 1)[-1] for row in rows} >= {"pacemaker.log.extract.txt", "journal.log"}
    assert all(re.search(r"node2.*(lost|fenc)", row["text"]) for row in rows)
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def test_node_and_window() -> None:
    """Only what a node logged in a stretch of time."""
    everything = [json.loads(row) for row in hadiag("grep", ".", FENCED, "--jsonl").stdout.splitlines()]
    since, until = "2026-11-22T10:10:09Z", "2026-11-22T10:10:12Z"

    done = hadiag("grep", ".", FENCED, "--jsonl", "--node", "node1", "--since", since, "--until", until)

    rows = [json.loads(row) for row in done.stdout.splitlines()]
    wanted = [
        r
        for r in everything
        if r["node"] == "node1" and r["time"] and "10:10:09.000Z" <= r["time"][11:] <= "10:10:12.000Z"
    ]
    assert rows == wanted != []


def test_nothing_found_and_a_bad_pattern() -> None:
    """Status 1 where nothing was found, one sentence and 2 where the pattern is none."""
    assert hadiag("grep", "never printed by anything", FENCED).returncode == 1
    done = hadiag("grep", "(", FENCED)
    assert done.returncode == 2
    assert b"no regular expression" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_limit_is_told() -> None:
    """A cut list says that it is cut."""
    done = hadiag("grep", "node", FENCED, "--max", "5")

    assert len(done.stdout.splitlines()) == 5
    assert b"--max" in done.stderr


def test_exported_texts_find_the_lines_of_the_scan() -> None:
    """One text a line; together they match what the scan of blocks reports."""
    rows = hadiag("rules", "export", "--texts").stdout.decode().splitlines()
    text = b"Nov 22 10:00:00 n1 pacemaker-controld[7]:  notice: Node n2 state is now lost\nnothing at all\n"
    database = build_database(load([rules_dir() / "events"]))

    assert len(rows) == len(set(rows)) > 1000
    hits = {index for index, line in enumerate(text.decode().splitlines()) if any(re.search(row, line) for row in rows)}
    assert hits == {line for _, line in database.scan(text)} == {0}
    assert len(hadiag("rules", "export").stdout.splitlines()) > 500


def test_exported_expressions_find_the_lines_of_events() -> None:
    """One expression a line, all in words of RE2; a line that only holds the text of a pattern is not found."""
    done = hadiag("rules", "export", "--regex")
    rows = [re2.compile(row) for row in done.stdout.decode().splitlines()]

    def is_found(line: str) -> bool:
        return any(row.search(line) for row in rows)

    assert len(rows) > 1000
    assert done.stderr == b""
    assert is_found("Nov 22 10:00:00 n1 pacemaker-controld[7]:  notice: Node n2 state is now lost | nodeid=2")
    assert not is_found("Nov 22 10:00:00 n1 pacemaker-controld[7]:  notice: Node n2 went away")


def test_what_only_python_can_express_is_counted(tmp_path: Path) -> None:
    """A pack with an atomic group: the others are written, and a sentence says that one is left out."""
    write_pack(tmp_path / "events", event(LEAKS, name="own.leak"))

    done = hadiag("rules", "export", "--regex", "--rules", str(tmp_path))

    assert b"1 of " in done.stderr
    assert b"only Python" in done.stderr
    assert rb"bucket +\d+ +leaks" in done.stdout
    assert hadiag("rules", "export", "--regex", "--texts").returncode == 2
