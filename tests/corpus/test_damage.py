"""Logs as they arrive: from other systems, terminals, mails, editors; and logs that do not say whose they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from hadiag.catalogue import Catalogue
from hadiag.pipeline import Options, load_catalogue, read_inputs, read_timeline
from tests.corpus.repack import COROSYNC, PACEMAKER, materials
from tests.golden.judge import samples
from tests.golden.scoreboard import ROOT

RECORDED = next(sample for sample in samples(ROOT) if sample.name == "02-split-brain")


@cache
def catalogue() -> Catalogue:
    """Event types, loaded once."""
    return load_catalogue(Options())


def _events(path: Path) -> list[tuple[str, str, str | None, str]]:
    reading = read_inputs([str(path)], catalogue(), Options())
    return [(e.type, e.time.text if e.time else "", e.host, e.message) for e in reading.events]


def _each(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda data: b"\n".join(change(line) for line in data.splitlines()) + b"\n"


_SAMPLED = frozenset({"cib.diff", "cib.diff_base"})
"""Anchors: which of them are kept is a matter of the blocks in which a log is read."""

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "line ends of DOS": lambda data: data.replace(b"\n", b"\r\n"),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "colours of a terminal": _each(lambda line: b"\x1b[0;1;31m" + line + b"\x1b[0m"),
    "bytes that are no UTF-8": _each(lambda line: line if line.startswith(b" ") else line + b" \xff\xfe"),
    "empty lines between": lambda data: data.replace(b"\n", b"\n\n"),
    "quoted in a mail": _each(lambda line: b"> " + line),
    "found by grep": _each(lambda line: b"var/log/pacemaker.log:" + line),
    "numbered by an editor": lambda data: b"".join(
        b"%d %s\n" % (number, line) for number, line in enumerate(data.splitlines(), 2565)
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_the_same_events(name: str, tmp_path: Path) -> None:
    """What was done to the lines on their way changes no event, its stamp or its host."""
    data = materials(RECORDED)["alpha"][PACEMAKER]
    (tmp_path / "clean.log").write_bytes(data)
    (tmp_path / "damaged.log").write_bytes(DAMAGE[name](data))
    clean, damaged = _events(tmp_path / "clean.log"), _events(tmp_path / "damaged.log")
    if name == "bytes that are no UTF-8":  # they stand behind every message, and patterns that end with it need not fit
        assert {stamp for _, stamp, _, _ in damaged} <= {stamp for _, stamp, _, _ in clean}
        assert len(damaged) > 0.3 * len(clean)
        return
    core = [event for event in clean if event[0] not in _SAMPLED]
    assert [event for event in damaged if event[0] not in _SAMPLED] == core


def _without_host(data: bytes) -> bytes:
    """As corosync 1.4 printed: no pid, no host, no level."""
    return b"".join(
        line[:15] + b" corosync [" + line.split(b"[", 2)[2]
        for line in data.splitlines(keepends=True)
        if line.count(b"[") >= 2
    )


def test_a_log_without_hosts_beside_others(tmp_path: Path) -> None:
    """A log that names no host belongs to the node of the logs beside it."""
    for node, files in materials(RECORDED).items():
        folder = tmp_path / "case" / f"from-{node[:2]}"
        folder.mkdir(parents=True)
        (folder / "pacemaker.log").write_bytes(files[PACEMAKER])
        (folder / "corosync.log").write_bytes(_without_host(files[COROSYNC]))
    timeline, _, _ = read_timeline([str(tmp_path / "case")], Options())
    assert {event.observer for event in timeline.of("corosync.*")} == {"alpha", "beta"}


def test_the_user_says_whose_a_log_is(tmp_path: Path) -> None:
    """``--node NODE=PATH`` for logs that nothing else tells apart."""
    names = {}
    for node, files in materials(RECORDED).items():
        path = tmp_path / f"corosync-{node[:1]}.log"
        path.write_bytes(_without_host(files[COROSYNC]))
        names[node] = path.name
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    timeline, _, _ = read_timeline(paths, Options(names=names))
    assert {event.observer for event in timeline.of("corosync.*")} == {"alpha", "beta"}
