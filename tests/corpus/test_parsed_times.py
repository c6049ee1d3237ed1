"""``hadiag parse`` tells UTC where the log proves it, and nothing where it would be a guess."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.corpus.repack import COROSYNC, PACEMAKER, materials
from tests.golden.judge import samples
from tests.golden.scoreboard import ROOT

IN_BERLIN = next(sample for sample in samples(ROOT) if sample.name == "07-monitor-failure")


def _rows(path: Path) -> list[dict[str, str | None]]:
    command = [sys.executable, "-m", "hadiag", "parse", str(path), "--jsonl"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=300)
    return [json.loads(row) for row in done.stdout.splitlines()]


def test_epochs_in_a_log_tell_all_its_times(tmp_path: Path) -> None:
    """The log of a DC prints no year and no zone, but the scheduler's references are seconds since 1970."""
    path = tmp_path / "pacemaker.log"
    path.write_bytes(materials(IN_BERLIN)["node-b"][PACEMAKER])
    rows = [row for row in _rows(path) if row["logged"]]
    assert len(rows) > 500
    for row in rows:
        wall = datetime.strptime(f"2026 {str(row['logged'])[:15]}", "%Y %b %d %H:%M:%S")  # noqa: DTZ007 - zone below
        utc = wall.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
        assert str(row["time"])[:19] == f"{utc:%Y-%m-%dT%H:%M:%S}"


def test_what_nothing_proves_is_left_open(tmp_path: Path) -> None:
    """A log without any epoch has its stamps as printed, and no time."""
    path = tmp_path / "corosync.log"
    path.write_bytes(materials(IN_BERLIN)["node-a"][COROSYNC])
    rows = _rows(path)
    assert any(row["logged"] for row in rows)
    assert {row["time"] for row in rows} == {None}
