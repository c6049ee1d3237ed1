"""Formats and block stamps hold for any bytes."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hadiag.formats import Decoder, LineParser, LogKind, clock_for, dates, decode, detect, parse_file
from hadiag.formats.base import LEVELS
from hadiag.model.source import BundleId, SourceRef
from hadiag.model.time import PLACEHOLDER_YEAR
from hadiag.scan.blocks import read_blocks
from hadiag.scan.stamps import NO_STAMP
from hadiag.scan.times import BlockClock
from tests.unit.formats.lines import JOURNAL, PLAIN

REF = SourceRef(BundleId(""), "log", 1, 0, 0)
KIND = LogKind("system", ("syslog.bsd",))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

known = st.sampled_from([case.line for case in (*PLAIN, *JOURNAL)])
damaged = st.builds(lambda line, at, junk: line[:at] + junk + line[at:], known, st.integers(0, 60), st.text(max_size=4))
anything = st.one_of(st.text(max_size=200), known, damaged)
files = st.lists(anything, max_size=20).map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))
raw_files = st.one_of(files, st.binary(max_size=2000))
moments = st.datetimes(datetime(1971, 1, 1), datetime(2150, 1, 1))  # noqa: DTZ001 - printed wall time has no zone
words = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
messages = st.from_regex(r"[A-Za-z][A-Za-z0-9 =:,.()'_-]{0,60}[a-z]", fullmatch=True)


@settings(deadline=None)
@given(st.text(max_size=20), raw_files)
def test_detect_never_raises(path: str, head: bytes) -> None:
    """No bytes make the detection of logs fail, and it tells the same twice."""
    assert detect(path, head) == detect(path, head)


@settings(deadline=None)
@given(anything)
def test_parse_never_raises(line: str) -> None:
    """No line makes the parser fail; a record never holds more than the line."""
    record = LineParser(KIND).parse(line, REF)
    assert record is None or (record.format != "" and len(record.message) <= len(line))


@settings(deadline=None)
@given(raw_files, st.integers(1, 64))
def test_parse_file_keeps_order(data: bytes, size: int) -> None:
    """Records come in the order of their lines, with offsets that rise."""
    places = [(record.ref.line, record.ref.offset) for record in parse_file(io.BytesIO(data), "x")]
    assert places == sorted(set(places))
    assert sum(block.count for block in read_blocks(io.BytesIO(data), size)) <= data.count(b"\n") + 1


@settings(deadline=None)
@given(st.sampled_from([d for d in Decoder if d is not Decoder.PLAIN]), st.one_of(raw_files, st.text().map(str.encode)))
def test_decoders_never_raise(decoder: Decoder, data: bytes) -> None:
    """No bytes make a decoder fail; a respelled text keeps its lines."""
    kind = LogKind("journal", (f"journal.{decoder.value}",), decoder)
    text = decode(kind, io.BytesIO(data)).read()
    if decoder is Decoder.RESPELLED:
        assert text.count(b"\n") == data.count(b"\n")
    else:
        assert text == b"" or text.endswith(b"\n")


@settings(deadline=None)
@given(raw_files, st.integers(1, 4096))
def test_block_size_changes_nothing(data: bytes, size: int) -> None:
    """Stamps, runs, gaps and hosts do not depend on where blocks are cut, as long as no line is."""
    longest = max(map(len, data.split(b"\n")), default=0) + 1
    readings = []
    for each in (max(size, longest), 1 << 20):
        clock = BlockClock()
        for block in read_blocks(io.BytesIO(data), each):
            clock.read(block)
        readings.append(clock.reading())
    assert readings[0] == readings[1]


@settings(deadline=None)
@given(st.lists(known, min_size=1, max_size=30))
def test_block_clock_agrees_with_parser(rows: list[str]) -> None:
    """The vectorised reading of stamps and the parser of single lines see the same times."""
    (block,) = read_blocks(io.BytesIO("".join(row + "\n" for row in rows).encode()))
    parser = LineParser(KIND)
    for index, wall in enumerate(clock_for(KIND).read(block).tolist()):
        record = parser.parse(rows[index], REF)
        time = record.time if record else None
        if rows[index].startswith("May  7 13:33:21 collector"):
            continue  # a relayed line: the block keeps the collector's order, the record the node's time
        if rows[index].startswith("2024-05-07T13:33:21+02:00 relay"):
            continue
        assert wall == (time.wall_ns if time else NO_STAMP), rows[index]


@settings(deadline=None)
@given(
    moments, st.integers(0, 999), words, words, st.integers(1, 99999), st.sampled_from(["notice", "error"]), messages
)
def test_pacemaker_round_trip(  # noqa: PLR0917 - one argument for each part of the line
    moment: datetime, millis: int, host: str, daemon: str, pid: int, level: str, message: str
) -> None:
    """What pacemaker 2.x would print is read back."""
    stamp = f"{MONTHS[moment.month - 1]} {moment.day:02} {moment:%H:%M:%S}.{millis:03}"
    line = f"{stamp} {host} {daemon:<20}[{pid}] (some_function) \t{level}: {message}"
    record = LineParser(KIND).parse(line, REF)
    assert record is not None
    assert record.time is not None
    wall = moment.replace(year=PLACEHOLDER_YEAR, microsecond=millis * 1000, tzinfo=UTC)
    assert record.time.wall_ns == (wall - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert (record.format, record.host, record.program, record.pid) == ("pcmk.file.2x", host, daemon, pid)
    assert (record.level, record.function, record.message) == (LEVELS[level], "some_function", message)


@settings(deadline=None)
@given(moments, st.integers(-14 * 4, 14 * 4), words, words, st.integers(1, 99999), messages)
def test_syslog_round_trip(  # noqa: PLR0917 - one argument for each part of the line
    moment: datetime, quarters: int, host: str, ident: str, pid: int, message: str
) -> None:
    """What rsyslog would write with ISO stamps is read back."""
    sign, minutes = "-" if quarters < 0 else "+", abs(quarters) * 15
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S.%f}{sign}{minutes // 60:02}:{minutes % 60:02}"
    record = LineParser(KIND).parse(f"{stamp} {host} x-{ident}[{pid}]: {message}", REF)
    assert record is not None
    assert record.time == dates.iso(stamp)
    assert record.time is not None
    assert record.time.utc_offset_s == quarters * 900
    assert (record.host, record.program, record.pid, record.message) == (host, f"x-{ident}", pid, message)


@settings(deadline=None)
@given(moments, words, st.integers(1, 99999), st.sampled_from(["TOTEM", "QUORUM", "KNET"]), messages)
def test_corosync_round_trip(moment: datetime, host: str, pid: int, subsystem: str, message: str) -> None:
    """What corosync would write to its log is read back."""
    stamp = f"{MONTHS[moment.month - 1]} {moment.day:02} {moment:%H:%M:%S}"
    line = f"{stamp} [{pid}] {host} corosync {'notice':<7} [{subsystem:<6}] {message}"
    record = LineParser(KIND).parse(line, REF)
    assert record is not None
    assert (record.format, record.host, record.pid) == ("corosync.file", host, pid)
    assert (record.subsystem, record.message) == (subsystem, message)
