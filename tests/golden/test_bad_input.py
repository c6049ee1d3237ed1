"""Input that is worse than any recording: the logs of a sample, rewritten."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hadiag.pipeline import Options, analyze
from hadiag.report.machine import as_data
from tests.golden.scoreboard import ROOT

LOGS = sorted((ROOT / "01-partition-fenced" / "raw").iterdir())
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHORT = re.compile(rf"\b({'|'.join(MONTHS)}) +(\d+) (\d\d):(\d\d):(\d\d)")
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)([T ])(\d\d):(\d\d):(\d\d)")
_EPOCH = re.compile(r"\b1795\d{6}\b")

Change = Callable[[str, str], str]
"""Takes the path of a file and its text, returns the new text."""


def rewritten(source: Path, target: Path, change: Change, later_s: int = 0) -> Path:
    """The text files of an archive, changed; its journals are left out."""
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            stream = old.extractfile(member) if member.isfile() and not member.name.endswith(".journal") else None
            if stream is None:
                continue
            data = change(member.name, stream.read().decode(errors="surrogateescape")).encode(errors="surrogateescape")
            member.size, member.mtime = len(data), member.mtime + later_s
            new.addfile(member, io.BytesIO(data))
    return target


def shifted(text: str, by_s: int) -> str:
    """All stamps and epochs of a text, later by some seconds."""
    by = timedelta(seconds=by_s)

    def short(found: re.Match[str]) -> str:
        day = datetime(2026, MONTHS.index(found[1]) + 1, int(found[2]), tzinfo=UTC)
        moment = day + timedelta(hours=int(found[3]), minutes=int(found[4]), seconds=int(found[5])) + by
        return f"{MONTHS[moment.month - 1]} {moment.day:>2} {moment:%H:%M:%S}"

    def iso(found: re.Match[str]) -> str:
        parts = (int(found[number]) for number in (1, 2, 3, 5, 6, 7))
        moment = datetime(*parts, tzinfo=UTC) + by  # type: ignore[arg-type,misc]
        return f"{moment:%Y-%m-%d}{found[4]}{moment:%H:%M:%S}"

    return _EPOCH.sub(lambda found: str(int(found[0]) + by_s), _ISO.sub(iso, _SHORT.sub(short, text)))


def between(text: str, low: str, high: str) -> str:
    """Lines of a log between two times of the day; a line without a stamp goes with the one before it."""
    kept, inside = [], True
    for line in text.splitlines(keepends=True):
        stamp = re.search(r"(?:^|\D)(\d\d:\d\d:\d\d)", line[:60])
        inside = low <= stamp[1] <= high if stamp else inside
        kept += [line] if inside else []
    return "".join(kept)


def result(*paths: Path) -> dict[str, Any]:
    """The analysis as data."""
    return dict(as_data(analyze([str(path) for path in paths], Options()).diagnosis))


def _skews(found: dict[str, Any]) -> dict[str, float | None]:
    return {node["name"]: node["clock"]["skew_s"] for node in found["nodes"]}


@pytest.mark.parametrize("years", [-7, 20])
def test_clocks_years_apart(years: int, tmp_path: Path) -> None:
    """What both nodes logged ties them together however far their clocks are apart, and the verdict is the same."""
    by_s = years * 31_536_000
    first = rewritten(LOGS[0], tmp_path / "one.tar.gz", lambda _, text: text)
    other = rewritten(LOGS[1], tmp_path / "two.tar.gz", lambda _, text: shifted(text, by_s), by_s)
    found, truth = result(first, other), result(*LOGS)

    assert _skews(found)["node2"] == pytest.approx(by_s, abs=1)
    assert found["verdict"]["status"] == truth["verdict"]["status"] == "explained"
    assert [incident["kinds"] for incident in found["incidents"]] == [i["kinds"] for i in truth["incidents"]]
    assert [one["what"] for one in found["contradictions"]] == [one["what"] for one in truth["contradictions"]]


def test_logs_that_do_not_overlap(tmp_path: Path) -> None:
    """Nothing ties two logs that have no time in common: their skew is not known, the report says so, and nothing is made up."""

    def cut(low: str, high: str) -> Change:
        return lambda path, text: between(text, low, high) if "/log/" in path else text

    first = rewritten(LOGS[0], tmp_path / "one.tar.gz", cut("00:00:00", "10:09:35"))
    other = rewritten(LOGS[1], tmp_path / "two.tar.gz", cut("10:10:40", "23:59:59"))
    found = result(first, other)

    assert _skews(found) == {"node1": None, "node2": None}
    assert "clock-unverified" in {warning["code"] for warning in found["warnings"]}
    assert found["contradictions"] == []
    assert {kind for incident in found["incidents"] for kind in incident["kinds"]} <= {"planned_change"}


def test_a_node_that_was_renamed_in_the_middle(tmp_path: Path) -> None:
    """Its number stayed, so both names are one node: the one that was cut off, was fenced and came back."""

    def renamed(path: str, text: str) -> str:
        if "/log/" not in path:
            return text.replace("node2", "phoenix")
        return between(text, "00:00:00", "10:10:24") + between(text, "10:10:25", "23:59:59").replace("node2", "phoenix")

    found = result(*(rewritten(log, tmp_path / log.name, renamed) for log in LOGS))

    nodes = {node["name"]: (node["nodeids"], node["aliases"]) for node in found["nodes"]}
    assert nodes == {"node1": ([1], []), "phoenix": ([2], ["node2"])}
    assert [operation["target"] for operation in found["fencing"] if operation["result"] == "ok"] == ["phoenix"]
    assert {"partition", "node_fenced"} <= {kind for incident in found["incidents"] for kind in incident["kinds"]}


def test_one_node_only(tmp_path: Path) -> None:
    """The survivor alone: the other is known from it, without logs, and no clock is called verified."""
    found = result(rewritten(LOGS[0], tmp_path / "one.tar.gz", lambda _, text: text))

    assert {node["name"]: node["provided"] for node in found["nodes"]} == {"node1": True, "node2": False}
    assert _skews(found)["node2"] is None
    # That the other node's probe found a resource is what the DC heard of it.
    assert {one["what"] for one in found["contradictions"]} <= {"found_active"}
    assert found["verdict"]["status"] == "undecided"
