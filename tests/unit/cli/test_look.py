"""Commands that look at one stage: parse from standard input, the state of snapshots alone, who is who."""

from __future__ import annotations

import bz2
import json
from typing import TYPE_CHECKING

from tests.unit.cli.test_commands import hadiag
from tests.unit.snapshots.test_cib_facts import CIB, RAN, STATUS

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = (
    "Nov 22 11:16:00.000 n1 pacemaker-controld  [88] (do_te_invoke) \tinfo: Processing graph 1 "
    "(ref=pe_calc-dc-1795342560-4) derived from /var/lib/pacemaker/pengine/pe-input-1.bz2\n"
    "Nov 22 11:16:05.250 n1 pacemaker-controld  [88] (do_state_transition) \tnotice: State transition S_IDLE -> S_POLICY_ENGINE\n"
)


def test_standard_input_has_utc_where_its_lines_prove_it() -> None:
    """A reference with an epoch proves year and zone of the whole text, on a pipe as in a file."""
    done = hadiag("parse", "-", "--jsonl", stdin=GRAPH.encode() * 3)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[1]["time"] == "2026-11-22T10:16:05.250Z"
    assert len(rows) == 6
    assert b"Nothing proves" not in done.stderr


def test_what_nothing_proves_is_named() -> None:
    """Times without year and zone have no UTC, and a sentence says what an analysis would assume."""
    lines = "Nov 22 10:00:01 n1 crmd[7]:   notice: State transition S_IDLE -> S_POLICY_ENGINE\n" * 2
    done = hadiag("parse", "-", "--jsonl", stdin=lines.encode())
    assert {json.loads(line)["time"] for line in done.stdout.splitlines()} == {None}
    assert b"Nothing proves year and zone of 2 of the times" in done.stderr
    assert b"An analysis would assume UTC" in done.stderr


def test_state_of_nothing_but_a_scheduler_input(tmp_path: Path) -> None:
    """Nodes, options, modes and resources at its time, with the file that says so; nothing before it."""
    inputs = tmp_path / "pengine"
    inputs.mkdir()
    text = CIB.format(status=STATUS.format(rc=0), more=f' execution-date="{RAN}"')
    (inputs / "pe-input-7.bz2").write_bytes(bz2.compress(text.encode()))
    said = hadiag("state", tmp_path, "--at", "2026-11-22T10:01:41", "-q").stdout.decode()
    assert "resource=web node=n1 role=Started" in said
    assert "node=n2 state=offline witness=cib" in said
    assert "name=maintenance-mode value=true source=pe-input" in said
    assert said.count("(pengine/pe-input-7.bz2)") == len(said.splitlines())
    early = hadiag("state", tmp_path, "--at", "2026-11-22T10:00:00", "-q").stdout.decode()
    assert "cluster.option" not in early
    assert "rsc.active" not in early
    spans = hadiag("state", tmp_path, "--table", "transition", "-q").stdout.decode()
    assert "file=pe-input-7.bz2" in spans


def test_whois_tells_where_a_name_stands(tmp_path: Path) -> None:
    """A node that only a scheduler input knows is known by its name and its id."""
    (tmp_path / "pe-input-7.xml").write_text(CIB.format(status=STATUS.format(rc=0), more=f' execution-date="{RAN}"'))
    said = hadiag("whois", "2", tmp_path, "-q").stdout.decode()
    assert said.startswith("n2 (member, no logs of its own in the input)")
    assert "pe-input-7.xml:3 (cib.state)" in said
