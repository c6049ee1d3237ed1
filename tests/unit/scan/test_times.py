"""The stamps of all lines of a file: runs, gaps, hosts."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from hadiag.model.time import NS, PLACEHOLDER_YEAR
from hadiag.scan.blocks import read_blocks
from hadiag.scan.stamps import NO_STAMP
from hadiag.scan.times import MAX_GAPS, MAX_HOSTS, MAX_RUNS, BlockClock, ClockReading


def _read(*lines: str, size: int = 1 << 20, clock: BlockClock | None = None) -> ClockReading:
    clock = clock or BlockClock()
    for block in read_blocks(io.BytesIO("".join(line + "\n" for line in lines).encode()), size):
        clock.read(block)
    return clock.reading()


def _runs(reading: ClockReading) -> list[tuple[str, str, int, int]]:
    return [(run.first.text, run.last.text, run.first_line, run.last_line) for run in reading.runs]


def _ns(*parts: int) -> int:
    year, month, day, hour, minute, second = parts
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("line", "text", "wall_ns", "unit", "offset_and_host"),
    [
        ("May  7 13:33:20 n1 app: x", "May  7 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, "n1")),
        ("<30>May  7 13:33:20 n1 app: x", "May  7 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, "n1")),
        (
            "May 07 13:33:20.123 n1 crmd [1] (f) info: x",
            "May 07 13:33:20.123",
            _ns(2000, 5, 7, 13, 33, 20) + 123_000_000,
            10**6,
            (None, "n1"),
        ),
        (
            "Apr 08 10:54:49 [1] rh81 corosync notice  [T ] x",
            "Apr 08 10:54:49",
            _ns(2000, 4, 8, 10, 54, 49),
            NS,
            (None, "rh81"),
        ),
        ("May 07 13:33:20 corosync [TOTEM ] x", "May 07 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, None)),
        ("corosync May 07 13:33:20 notice  [T] x", "May 07 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, None)),
        ("notice  May 07 13:33:20 f(1):2: x", "May 07 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, None)),
        ("May 07 13:33:20  IPaddr2(v)[1]: INFO: x", "May 07 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, None)),
        ("Nov 11 20:39:45 debug   x", "Nov 11 20:39:45", _ns(2000, 11, 11, 20, 39, 45), NS, (None, None)),
        (
            "2024-05-07T13:33:20.123456+02:00 n1 app: x",
            "2024-05-07T13:33:20.123456+02:00",
            _ns(2024, 5, 7, 13, 33, 20) + 123_456_000,
            1000,
            (7200, "n1"),
        ),
        (
            "2024-05-07T13:33:20-0330 n1 app: x",
            "2024-05-07T13:33:20-0330",
            _ns(2024, 5, 7, 13, 33, 20),
            NS,
            (-12600, "n1"),
        ),
        (
            "<29>1 2024-05-07T13:33:20Z n1 app 1 - - x",
            "2024-05-07T13:33:20Z",
            _ns(2024, 5, 7, 13, 33, 20),
            NS,
            (0, "n1"),
        ),
        (
            "2024-05-07 13:33:20,123 ERROR: x",
            "2024-05-07 13:33:20,123",
            _ns(2024, 5, 7, 13, 33, 20) + 123_000_000,
            10**6,
            (None, None),
        ),
        (
            "I, [2024-05-07T13:33:20.123 #00002]     INFO -- : x",
            "2024-05-07T13:33:20.123",
            _ns(2024, 5, 7, 13, 33, 20) + 123_000_000,
            10**6,
            (None, None),
        ),
        (
            "Tue 2024-05-07 13:33:20 CST n1 a: x",
            "2024-05-07 13:33:20 CST",
            _ns(2024, 5, 7, 13, 33, 20),
            NS,
            (None, "n1"),
        ),
        ("Tue 2024-05-07 13:33:20 UTC n1 a: x", "2024-05-07 13:33:20 UTC", _ns(2024, 5, 7, 13, 33, 20), NS, (0, "n1")),
        ("1715081600.123456 n1 a: x", "1715081600.123456", 1715081600_123456000, 1000, (0, "n1")),
        ("[Tue May  7 13:33:20 2024] x", "May  7 13:33:20 2024", _ns(2024, 5, 7, 13, 33, 20), NS, (None, None)),
        (
            "IPaddr2(v)[1]:\t2014/05/07_13:33:20 INFO: x",
            "2014/05/07_13:33:20",
            _ns(2014, 5, 7, 13, 33, 20),
            NS,
            (None, None),
        ),
        ("pg(p)[1]:\tMay 07 13:33:20  INFO: x", "May 07 13:33:20", _ns(2000, 5, 7, 13, 33, 20), NS, (None, None)),
        (
            "heartbeat[36]: 2010/05/09_12:10:40 info: x",
            "2010/05/09_12:10:40",
            _ns(2010, 5, 9, 12, 10, 40),
            NS,
            (None, None),
        ),
        ("type=AVC msg=audit(1364481363.243:2): x", "1364481363.243", 1364481363_243000000, 10**6, (0, None)),
    ],
)
def test_layouts(line: str, text: str, wall_ns: int, unit: int, offset_and_host: tuple[int | None, str | None]) -> None:
    """Every place and shape of a stamp is read, and the host column behind it."""
    offset, host = offset_and_host
    reading = _read(line, "  continued", line)
    (run,) = reading.runs
    assert (run.first.text, run.first.wall_ns, run.first.utc_offset_s) == (text, wall_ns, offset)
    assert (run.first.resolution_ns, run.first.has_year) == (unit, wall_ns > _ns(PLACEHOLDER_YEAR + 1, 1, 1, 0, 0, 0))
    assert (run.first_line, run.last_line, reading.stamped, reading.lines, reading.unparsed) == (1, 3, 2, 3, 0)
    assert reading.hosts == (((host, 2),) if host else ())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "text",
        "Feb 30 10:00:00 n1 a: x",
        "May  7 24:00:00 n1 a: x",
        "Mai  7 10:00:00 n1 a: x",
        "2023-02-29T00:00:00Z a",
    ],
)
def test_no_stamp(line: str) -> None:
    """What names no moment is no stamp."""
    assert _read(line, "May  7 10:00:00 n1 a: x").stamped == 1


def test_access_lines_make_no_runs() -> None:
    """The access lines of pcsd are stamped, with their zone, but do not cut the run of the others."""
    pcsd, access = (
        "I, [2019-05-22T11:59:45.191718 #5]  INFO -- : x",
        '::1 - - [22/May/2019:09:59:45 +0000] "GET /" 200 1',
    )
    reading = _read(pcsd, access, pcsd)
    assert reading.stamped == 3
    assert len(reading.runs) == 1


def test_mixed_layouts_keep_one_run() -> None:
    """corosync.log of RHEL 7 holds corosync, pacemaker and agents."""
    reading = _read(
        "Apr 08 10:54:49 [1] n1 corosync notice  [T ] x",
        "Apr 08 10:54:50 [2] n1       crmd:   notice: f:  x",
        "Apr 08 10:54:51  IPaddr2(v)[1]: INFO: x",
        "pg(p)[1]:\tApr 08 10:54:52  INFO: x",
    )
    assert _runs(reading) == [("Apr 08 10:54:49", "Apr 08 10:54:52", 1, 4)]
    assert reading.hosts == (("n1", 2),)


def test_small_swap_stays_in_run() -> None:
    """Several writers may swap lines by up to two seconds."""
    assert len(_read("May  7 10:00:02 n1 a: x", "May  7 10:00:00 n1 a: x").runs) == 1


@pytest.mark.parametrize("size", [30, 1 << 20])
def test_step_back_starts_run(size: int) -> None:
    """A run ends where time runs back further, inside a block or between two."""
    reading = _read(
        "May  7 10:00:05 n1 a: x",
        "May  7 10:00:06 n1 a: x",
        "May  7 10:00:02 n1 a: x",
        "May  7 10:00:03 n1 a: x",
        size=size,
    )
    assert _runs(reading) == [
        ("May  7 10:00:05", "May  7 10:00:06", 1, 2),
        ("May  7 10:00:02", "May  7 10:00:03", 3, 4),
    ]


@pytest.mark.parametrize("size", [30, 1 << 20])
def test_year_rolls_over(size: int) -> None:
    """December to January is a new run; a late line of the old year does not end it."""
    reading = _read(
        "Dec 31 23:59:58 n1 a: x",
        "Jan  1 00:00:00 n1 a: x",
        "Dec 31 23:59:59 n1 a: x",
        "Jan  1 00:00:01 n1 a: x",
        size=size,
    )
    assert _runs(reading) == [
        ("Dec 31 23:59:58", "Dec 31 23:59:58", 1, 1),
        ("Jan  1 00:00:00", "Jan  1 00:00:01", 2, 4),
    ]


def test_older_stretch_behind_newer_one() -> None:
    """A file merged in the wrong order (January before December) is two runs."""
    assert len(_read("Jan  5 10:00:00 n1 a: x", "Dec 20 10:00:00 n1 a: x").runs) == 2


def test_offset_change_starts_run() -> None:
    """The end of daylight-saving time shows as a new run with its own offset and no gap."""
    reading = _read("2024-10-27T02:59:59+02:00 n1 a: x", "2024-10-27T02:00:00+01:00 n1 a: x")
    assert [run.first.utc_offset_s for run in reading.runs] == [7200, 3600]
    assert reading.gaps == ()


def test_change_of_format_starts_run() -> None:
    """A syslog file that turns from traditional to ISO stamps has a run for each."""
    reading = _read("May  7 10:00:00 n1 a: x", "2024-05-07T10:00:01+02:00 n1 a: x")
    assert [run.first.has_year for run in reading.runs] == [False, True]


@pytest.mark.parametrize("size", [30, 1 << 20])
def test_gap(size: int) -> None:
    """Neighbours more than a minute apart make a gap, named by the line behind it."""
    reading = _read("May  7 10:00:00 n1 a: x", "May  7 10:01:00 n1 a: x", "May  7 10:02:01 n1 a: x", size=size)
    (gap,) = reading.gaps
    assert (gap.start_wall_ns, gap.end_wall_ns, gap.line) == (_ns(2000, 5, 7, 10, 1, 0), _ns(2000, 5, 7, 10, 2, 1), 3)


def test_longest_gaps_are_kept() -> None:
    """The number of gaps is bounded; the longest stay, in the order of the file."""
    lines = [
        f"2024-05-{day:02}T{hour:02}:{minute:02}:00Z n1 a: x"
        for day in (7, 9)
        for hour in range(24)
        for minute in range(0, 60, 2)
    ]
    gaps = _read(*lines, size=1000).gaps
    assert len(gaps) == MAX_GAPS
    assert max(gaps, key=lambda gap: gap.end_wall_ns - gap.start_wall_ns).line == 721
    assert [gap.line for gap in gaps] == sorted(gap.line for gap in gaps)


def test_runs_are_bounded() -> None:
    """A hostile file of zigzag stamps gives a bounded number of runs that cover it whole."""
    lines = ["May  7 10:00:00 n1 a: x", "May  7 09:00:00 n1 a: x"] * 3000
    reading = _read(*lines, size=4096)
    assert len(reading.runs) == MAX_RUNS
    assert reading.runs_dropped
    assert (reading.runs[0].first_line, reading.runs[-1].last_line) == (1, 6000)


def test_hosts_are_counted_and_bounded() -> None:
    """Hosts come most frequent first, at most ``MAX_HOSTS`` of them."""
    reading = _read(*["May  7 10:00:00 n2 a: x"] * 2, "May  7 10:00:00 n1 a: x", "May  7 10:00:00 10.0.0.1 a: x")
    assert reading.hosts == (("n2", 2), ("10.0.0.1", 1), ("n1", 1))
    assert len(_read(*[f"May  7 10:00:00 h{number} a: x" for number in range(500)]).hosts) == MAX_HOSTS


def test_prefix_of_a_host_is_another_host() -> None:
    """node1 and node12 are counted apart."""
    reading = _read("May  7 10:00:00 node1 a: x", "May  7 10:00:00 node12 a: x", "May  7 10:00:00 node1 a: x")
    assert reading.hosts == (("node1", 2), ("node12", 1))


def test_unparsed_lines() -> None:
    """Only lines that neither carry a stamp nor continue one nor come from journalctl itself count as unparsed."""
    reading = _read("May  7 10:00:00 n1 a: x", "    more", "", "-- Boot 0123 --", "\u2591\u2591 Subject: x", "garbage")
    assert reading.unparsed == 1
    assert _read("garbage", clock=BlockClock(continues=True)).unparsed == 0
    assert _read("[1] n1 corosyncnotice  [M ] x", clock=BlockClock(undated=True)).unparsed == 0


def test_wall_time_of_each_line() -> None:
    """``read`` tells the printed time of every line of the block."""
    (block,) = read_blocks(io.BytesIO(b"May  7 10:00:00 n1 a: x\nmore\n"))
    assert BlockClock().read(block).tolist() == [_ns(2000, 5, 7, 10, 0, 0), NO_STAMP]


def test_damage_is_told() -> None:
    """NUL bytes and cut lines are counted, and the line behind a NUL run keeps its stamp."""
    reading = _read(
        "\0\0\0May  7 10:00:00 n1 a: x", "May  7 10:00:01 n1 a: " + "x" * 1000, "May  7 10:00:02 n1 a: x", size=200
    )
    assert (reading.nul_bytes, reading.cut_lines, reading.stamped) == (True, 1, 3)


def test_journal_stamps_are_marked() -> None:
    """Stamps of a journal say so."""
    (run,) = _read("May  7 10:00:00 n1 a: x", clock=BlockClock(from_journal=True)).runs
    assert run.first.from_journal


def test_empty_file() -> None:
    """Nothing is read from nothing."""
    assert _read() == ClockReading(0, 0, 0, (), (), (), nul_bytes=False, cut_lines=0)
