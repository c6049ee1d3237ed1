"""The year of logs that print none, where the time of the file does not tell it."""

from __future__ import annotations

import pytest

from tests.unit.timeline.builders import Log, members, timeline

PROVEN_AT = "2021-11-22T10:00:00Z"


def _proven() -> Log:
    log = Log("a", "a/pacemaker.log")
    log.graph(PROVEN_AT)
    return log


@pytest.mark.parametrize("mtime", [None, "2019-03-01T00:00:00Z", "2021-11-22T11:00:00Z", "2026-05-01T00:00:00Z"])
def test_a_log_beside_one_with_a_proven_year(mtime: str | None) -> None:
    """Whatever time the file has (packed again, unpacked years later), logs of one incident are of one year."""
    bare = Log("a", "a/corosync.log", "corosync", style="s", mtime=mtime)
    bare.ring("2021-11-22T10:00:05Z", "1.8", joined="1 2")
    times = [event.at.ns for event in timeline([_proven(), bare], members("a", "b")).events if event.at]
    assert max(times) - min(times) == 5_000_000_000


def test_an_older_part_unpacked_years_later() -> None:
    """A log that lies beside no other is not of a later year than the logs whose year is proven."""
    bare = Log("a", "a/messages.3", "system", style="s", mtime="2026-05-01T00:00:00Z")
    bare.add("2021-03-05T10:00:00Z", "pcmk.node.state", "x", node="b", state="lost")
    (event,) = timeline([_proven(), bare], members("a", "b")).of("pcmk.node.state")
    assert event.at
    assert event.at.ns // 10**9 == 1614938400


def test_a_log_that_was_written_at_the_time_of_its_file() -> None:
    """A log that goes on after the proven ones, up to the time of its file, is of that year."""
    bare = Log("a", "a/messages", "system", style="s", mtime="2022-03-05T10:00:00Z")
    bare.add("2022-03-05T10:00:00Z", "pcmk.node.state", "x", node="b", state="lost")
    (event,) = timeline([_proven(), bare], members("a", "b")).of("pcmk.node.state")
    assert event.at
    assert event.at.ns // 10**9 == 1646474400


@pytest.mark.parametrize("name", ["messages-20200308.xz", "pacemaker.log-20200308.gz", "messages-2020-03-08"])
def test_the_day_in_the_name_of_a_rotated_log(name: str) -> None:
    """logrotate writes the day into the name: no line is later."""
    bare = Log("a", f"a/{name}", "system", style="s", mtime="2026-05-01T00:00:00Z")
    bare.add("2020-03-05T10:00:00Z", "pcmk.node.state", "x", node="b", state="lost")
    (event,) = timeline([_proven(), bare], members("a", "b")).of("pcmk.node.state")
    assert event.at
    assert event.at.ns // 10**9 == 1583402400


def test_rotated_logs_of_several_years() -> None:
    """Every part gets its own year, also where New Year lies inside it."""
    parts = []
    for name, days in {
        "messages-20191231": ("2019-11-03T10:00:00Z", "2019-12-30T10:00:00Z"),
        "messages-20210110": ("2020-12-20T10:00:00Z", "2021-01-09T10:00:00Z"),
        "messages": ("2021-11-20T10:00:00Z", "2021-11-22T10:00:05Z"),
    }.items():
        log = Log("a", f"a/{name}", "system", style="s", mtime="2026-05-01T00:00:00Z")
        for day in days:
            log.add(day, "pcmk.node.state", day, node="b", state="lost")
        parts.append(log)
    for event in timeline([_proven(), *parts], members("a", "b")).of("pcmk.node.state"):
        assert event.at
        assert event.message.startswith(str(1970 + event.at.ns // 10**9 // 31_556_952))
