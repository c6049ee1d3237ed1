"""Every grammar, and lines as they are found: fields and UTC of each."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadiag.formats import parse_file
from hadiag.model.record import Record
from hadiag.model.time import NS, TimeBasis, from_iso
from hadiag.timeline.files import in_year
from hadiag.timeline.zones import from_zone

GROUPS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "lines.yaml").read_text("utf-8"))
LINES = [(group["grammar"], line) for group in GROUPS for line in group["lines"]]
FIELDS = ("format", "host", "program", "pid", "function", "subsystem", "message", "details")
ENVELOPES = (
    "May  7 13:33:20 node1 {ident}[12]: {line}",
    "May 07 13:33:20.123 node1 {ident}[12]: {line}",
    "2024-05-07T13:33:20.123456+02:00 node1 {ident}[12]: {line}",
    "2024-05-07T13:33:20+0200 node1 {ident}[12]: {line}",
    "Tue 2024-05-07 13:33:20 CEST node1 {ident}[12]: {line}",
    "1715081600.123456 node1 {ident}[12]: {line}",
    "<29>1 2024-05-07T13:33:20.123456+02:00 node1 {ident} 12 - - {line}",
    "[ 1415.227237] node1 {ident}[12]: {line}",
)


def _read(text: str) -> Record:
    record, *rest = parse_file(io.BytesIO(text.encode()), "some.log")
    assert rest == []
    return record


def _utc(record: Record, line: dict[str, Any]) -> int | None:
    """UTC of a record, with the year and the zone that the entry states where the line prints none."""
    time = record.time
    if time is None:
        return None
    wall = time.wall_ns if time.has_year else in_year(time.wall_ns, line["year"])
    if time.utc_offset_s is not None:
        return wall - time.utc_offset_s * NS
    plan = from_zone(line["zone"], wall, wall, TimeBasis.SNAPSHOT)
    assert plan is not None
    return plan.to_utc(wall)


def test_every_grammar_has_lines() -> None:
    """The data file names all 46 grammars of the reference, and each has at least one line."""
    named = [group["grammar"] for group in GROUPS if group["grammar"] != "as found"]
    assert len(set(named)) == len(named) == 46
    assert all(group["lines"] for group in GROUPS)


@pytest.mark.parametrize(("grammar", "line"), LINES, ids=[f"{g}: {e['line'][:50]!r}" for g, e in LINES])
def test_fields_and_utc(grammar: str, line: dict[str, Any]) -> None:
    """A line gives the fields that its writer put into it, and its moment."""
    record = _read(line["line"] + "\n")
    assert {name: getattr(record, name) for name in FIELDS} == {name: line.get(name) for name in FIELDS}, grammar
    assert (record.level.word if record.level is not None else None) == line.get("level")
    assert record.repeated == line.get("repeated", 1)
    if "logged" in line:
        assert record.time is not None
        assert record.time.text == line["logged"]
    utc = _utc(record, line)
    assert (utc // 1_000_000 if utc is not None else None) == (
        from_iso(line["utc"]) // 1_000_000 if "utc" in line else None
    )
    uptime = None if record.uptime_ns is None else record.uptime_ns / NS
    assert uptime == line.get("uptime_s")


PARTS = [(line["ident"], line) for _, line in LINES if "ident" in line]


@pytest.mark.parametrize(("ident", "line"), PARTS, ids=[f"{i}: {e['line'][:50]!r}" for i, e in PARTS])
def test_message_parts_read_the_same_behind_every_envelope(ident: str, line: dict[str, Any]) -> None:
    """What a daemon says is cut alike in its own log, in syslog and in every output of the journal."""
    for envelope in ENVELOPES:
        text = envelope.format(ident=ident, line=line["line"])
        records = list(parse_file(io.BytesIO((text + "\n").encode() * 3), "some.log"))
        assert len(records) == 3
        for record in records:
            got = {name: getattr(record, name) for name in ("function", "subsystem", "message")}
            assert got == {name: line.get(name) for name in got}, text
            level = record.level.word if record.level is not None else None
            assert level == line.get("level", "notice" if text.startswith("<") else None)
            assert (record.host, record.program, record.pid) == ("node1", ident, 12)


def test_the_command_prints_a_record_for_every_line(tmp_path: Path) -> None:
    """``hadiag parse`` of all lines in one file: each gives its fields, and UTC where it states its offset."""
    lines = [
        line for _, line in LINES if "logged" in line and "\n" not in line["line"] and line["line"][0] not in " \t"
    ]
    path = tmp_path / "mixed.log"
    path.write_text("\n".join(line["line"] for line in lines) + "\n", "utf-8")
    command = [sys.executable, "-m", "hadiag", "parse", str(path), "--jsonl"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, len(lines) + 1))
    for row, line in zip(rows, lines, strict=True):
        assert row["logged"] == line["logged"]
        assert row["host"] == line.get("host")
        if line["format"] not in {"qb.blackbox", "qdevice.fg"}:  # theirs is that of the file
            assert row["program"] == line.get("program")
        if "zone" not in line:
            assert row["time"] is not None
            assert datetime.fromisoformat(row["time"]).astimezone(UTC) == datetime.fromisoformat(line["utc"])
