"""Kernel lines that print the time since boot only."""

from __future__ import annotations

from dataclasses import replace

from hadiag.model.event import Event
from hadiag.model.time import NS
from tests.unit.timeline.builders import Log, members, timeline, utc

BOOT = "10:00:00"
LINES = (
    (12.5, "sda: attached"),
    (600.25, "eth0: link is down"),
    (601.75, "eth0: link is up"),
    (1800.5, "md0: disk failure"),
)


def _at(uptime: float) -> int:
    return utc(BOOT) + round(uptime * NS)


def _dmesg(*lines: tuple[float, str]) -> Log:
    log = Log("a", "a/sos_commands/kernel/dmesg", "kernel")
    log.host = None
    for uptime, text in lines or LINES:
        log.add(None, "kernel.any", text)
        log.raws[-1] = replace(log.raws[-1], quote=f"[{uptime:12.6f}] {text}")
    return log


def _syslog(*lines: tuple[float, str], style: str = "sec", printed: bool = False, path: str = "a/messages") -> Log:
    log = Log("a", path, "system", style)
    for uptime, text in lines or LINES:
        log.add(_at(uptime), "kernel.any", text)
        stamp = f"[{uptime:12.6f}] " if printed else ""
        log.raws[-1] = replace(log.raws[-1], quote=f"Nov 22 00:00:00 a kernel: {stamp}{text}")
    return log


def _events(*logs: Log) -> list[Event]:
    return [event for event in timeline(logs, members("a", "b")).events if event.type == "kernel.any"]


def _seconds(event: Event) -> float:
    assert event.at is not None
    return (event.at.ns - utc(BOOT)) / NS


def test_the_same_lines_of_syslog_are_copies() -> None:
    """One event each, with the stamp of syslog, which has a calendar."""
    events = _events(_dmesg(), _syslog())
    assert [(event.message, len(event.refs)) for event in events] == [(text, 2) for _, text in LINES]
    assert all(event.ref.path == "a/messages" for event in events)


def test_a_line_that_syslog_lost_is_dated_by_the_others() -> None:
    """By the nearest one; the printed time since boot stays beside it, and the error is that of the other and the drift."""
    events = _events(_dmesg(), _syslog(LINES[0], LINES[1], LINES[3], style="iso"))
    lost = next(event for event in events if event.message == LINES[2][1])
    assert lost.at is not None
    assert abs(_seconds(lost) - 601.75) < 0.001
    assert lost.at.logged == "[  601.750000]"
    assert lost.at.err_ns is not None
    assert lost.at.err_ns < NS // 10


def test_a_few_alike_lines_tell_no_boot() -> None:
    """``link is up`` is printed by every boot: two such lines may be those of another one."""
    events = _events(_dmesg(), _syslog(*LINES[:2]))
    assert [event.at for event in events if "dmesg" in event.ref.path] == [None] * 4


def test_one_line_is_enough_where_both_print_the_time_since_boot() -> None:
    """To the microsecond no two boots print the same."""
    events = _events(_dmesg(), _syslog(LINES[1], style="iso", printed=True))
    assert [(event.message, round(_seconds(event), 2)) for event in events] == [
        (text, uptime) for uptime, text in LINES
    ]


def test_the_boot_with_most_lines_in_common_counts() -> None:
    """A log over two boots: dmesg is of the one that said all of it, at these distances."""
    before = [(uptime - 86_400 + pause, text) for (uptime, text), pause in zip(LINES, (0, 0, 50, 90), strict=True)]
    events = _events(_dmesg(), _syslog(*before, *LINES))
    assert [int(_seconds(event)) for event in events if len(event.refs) == 2] == [12, 600, 601, 1800]


def test_what_was_said_before_a_logger_ran_has_a_larger_error() -> None:
    """A burst at boot is stamped with the time at which it was read; later lines tell the boot better."""
    late = [(6.0, "a"), (6.0, "b"), (6.0, "c")]
    log = _dmesg((0.5, "a"), (1.0, "b"), (2.0, "c"), (700.0, "lost"), (900.0, "d"))
    events = _events(log, _syslog(*late, (900.0, "d"), style="iso"))
    lost = next(event for event in events if event.message == "lost")
    assert abs(_seconds(lost) - 700) < 0.01
    assert lost.at is not None
    assert lost.at.err_ns is not None
    assert lost.at.err_ns > 3 * NS


def test_nothing_in_common_leaves_it_without_time() -> None:
    """No time is better than a guess."""
    assert [event.at for event in _events(_dmesg())] == [None] * 4
