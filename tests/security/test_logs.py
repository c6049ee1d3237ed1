"""Hostile logs: lines without end, lines made to be slow, nothing at all."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from hadiag.errors import NoInputError
from hadiag.formats import LineParser, LogKind, parse_file
from hadiag.formats.bare import read_bare
from hadiag.model.source import BundleId, SourceRef
from hadiag.pipeline import Analysis, Options, analyze
from tests.unit.formats.lines import JOURNAL, PLAIN
from tests.unit.sources.building import LOG, PACK, tar, zipped

REF = SourceRef(BundleId(""), "log", 1, 0, 0)
GOOD = LOG * 20
TAIL = b"Nov 14 22:13:21 node1 pacemaker-controld[812] (do_state_transition) notice: State transition S_IDLE -> S_ELECTION\n"


def _analyzed(folder: Path, data: bytes, name: str = "pacemaker.log") -> Analysis:
    path = folder / name
    path.write_bytes(data)
    return analyze([str(path)], Options())


@pytest.mark.parametrize("fill", [b"x", b" ", b"\0", b"\xff", b"\x1b[31m"])
def test_a_line_of_ten_megabytes(fill: bytes, tmp_path: Path) -> None:
    """It is cut, the lines around it are read, and it takes no longer than a log of that size."""
    line = LOG.rstrip(b"\n") + fill * (10_000_000 // len(fill)) + b"\n"
    start = time.process_time()
    result = _analyzed(tmp_path, GOOD + line + TAIL)
    assert time.process_time() - start < 15
    messages = [event.message for event in result.timeline.events]
    assert any("S_IDLE -> S_ELECTION" in message for message in messages)
    assert all(len(message) < 10_000 for message in messages)


UNITS = ("a", " ", "[", "(", "a: ", "a[1]: ", "> ", "/a:")


@pytest.mark.parametrize("unit", UNITS)
def test_no_grammar_is_slow(unit: str) -> None:
    """A line of every format that goes on with thousands of the same characters is read or refused at once."""
    parser = LineParser(LogKind("other", ()))
    start = time.process_time()
    for case in (*PLAIN, *JOURNAL):
        for cut in (20, len(case.line)):
            line = case.line[:cut] + unit * 9000
            if parser.parse(line, REF) is None:
                read_bare(line[:8192], REF)
    assert time.process_time() - start < 15


BLANK = {
    "nothing": b"",
    "line ends": b"\n" * 5000,
    "zeros": b"\0" * 5000,
    "blanks": b" \t\r\n" * 2000,
    "ones": b"\xff" * 5000,
    "escapes": b"\x1b" * 3000,
}


@pytest.mark.parametrize("data", BLANK.values(), ids=BLANK.keys())
def test_nothing_is_told_in_a_sentence(data: bytes, tmp_path: Path) -> None:
    """A file without anything in it is no crash and no result."""
    with pytest.raises(NoInputError, match="Nothing usable was found"):
        _analyzed(tmp_path, data)
    assert list(parse_file(io.BytesIO(data), "x.log")) == [] or data.strip(b"\0 \t\r\n")


EMPTY = {
    "nothing": b"",
    "tar": tar({}),
    "zip": zipped({}),
    "gzip": PACK["gz"](b""),
    "folder": PACK["xz"](tar({"a/": b""})),
}


@pytest.mark.parametrize("data", EMPTY.values(), ids=EMPTY.keys())
def test_empty_archives_are_told_in_a_sentence(data: bytes, tmp_path: Path) -> None:
    """The same for archives without members."""
    with pytest.raises(NoInputError, match="Nothing usable was found"):
        _analyzed(tmp_path, data, "case.tar.gz")


def test_zero_bytes_between_lines(tmp_path: Path) -> None:
    """A power failure leaves zeros in a log; the lines around them are read."""
    result = _analyzed(tmp_path, GOOD + b"\0" * 100_000 + TAIL)
    assert any("S_IDLE -> S_ELECTION" in event.message for event in result.timeline.events)


def test_a_sea_of_tiny_members(tmp_path: Path) -> None:
    """Many thousands of files of a few bytes cost little each."""
    rows = {f"d{number % 100}/{number}.log": b"x" for number in range(5_000)}
    start = time.process_time()
    result = _analyzed(tmp_path, PACK["gz"](tar({"case/pacemaker.log": GOOD + TAIL, **rows})), "case.tgz")
    assert time.process_time() - start < 15
    assert any("S_IDLE -> S_ELECTION" in event.message for event in result.timeline.events)
