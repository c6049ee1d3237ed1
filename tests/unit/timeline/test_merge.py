"""Copies of one event."""

from __future__ import annotations

from tests.unit.timeline.builders import Log, timeline, utc

LOST = "Node b state is now lost"


def write(log: Log, *times: str, details: str = "", text: str = LOST) -> Log:
    """Write the same message at some times."""
    for at in times:
        log.add(at, "pcmk.node.state", text + details, node="b", state="lost", nodeid=2 if details else None)
    return log


def test_copies_in_three_logs_are_one_event() -> None:
    """The daemon's own log is canonical, then the journal, then syslog; all are named."""
    detail = write(Log("a", "a/pacemaker.log"), "10:00:00.900", details=" | nodeid=2 source=x")
    told = write(Log("a", "a/journal.log", "journal", style="journal"), "10:00:00.905")
    system = write(Log("a", "a/messages", "system", style="s"), "10:00:00.905")
    (event,) = timeline([system, told, detail]).events
    assert [ref.path for ref in event.refs] == ["a/pacemaker.log", "a/journal.log", "a/messages"]
    assert event.at
    assert event.at.ns == utc("10:00:00.900")
    assert event.fields["nodeid"] == 2


def test_fields_come_from_the_richest_copy() -> None:
    """A field that only a copy has is kept."""
    detail, told = Log("a", "a/pacemaker.log"), Log("a", "a/messages", "system", style="iso")
    detail.add("10:00:00", "pcmk.node.state", LOST, node="b", state=None)
    told.add("10:00:00", "pcmk.node.state", LOST, node="b", state="lost")
    assert timeline([detail, told]).events[0].fields["state"] == "lost"


def test_same_message_twice_in_one_file_is_two_events() -> None:
    """Three repetitions in both logs are three events with two places each, the k-th with the k-th."""
    times = ("10:00:00.1", "10:00:00.2", "10:00:00.3")
    detail = write(Log("a", "a/pacemaker.log"), *times)
    system = write(Log("a", "a/messages", "system", style="s"), *times)
    events = timeline([detail, system]).events
    assert [[ref.line for ref in event.refs] for event in events] == [[1, 1], [2, 2], [3, 3]]


def test_far_apart_is_no_copy() -> None:
    """The same text a minute later in another log is another event."""
    detail = write(Log("a", "a/pacemaker.log"), "10:00:00")
    system = write(Log("a", "a/messages", "system", style="iso"), "10:01:00")
    assert [len(event.refs) for event in timeline([detail, system]).events] == [1, 1]


def test_log_that_begins_later_pairs_by_time() -> None:
    """Syslog misses the first occurrence; its first is the second of the detail log."""
    detail = write(Log("a", "a/pacemaker.log"), "10:00:00.1", "10:05:00.1")
    system = write(Log("a", "a/messages", "system", style="s"), "10:05:00.1")
    assert [len(event.refs) for event in timeline([detail, system]).events] == [1, 2]


def test_duplicate_of_a_rotated_log_needs_equal_stamps() -> None:
    """Two logs of one kind are copies of a line only with its stamp unchanged."""
    first = write(Log("a", "a/pacemaker.log"), "10:00:00.100", "10:00:01.100")
    second = write(Log("a", "a/pacemaker.log.1"), "10:00:00.100", "10:00:00.600")
    refs = [[ref.path for ref in event.refs] for event in timeline([first, second]).events]
    assert refs == [["a/pacemaker.log", "a/pacemaker.log.1"], ["a/pacemaker.log.1"], ["a/pacemaker.log"]]


def test_other_node_or_other_daemon_is_no_copy() -> None:
    """Every node and every daemon says it for itself."""
    one, two = Log("a", "a/pacemaker.log"), Log("c", "c/messages", "system", style="iso")
    write(one, "10:00:00")
    write(two, "10:00:00")
    other = Log("a", "a/messages", "system", style="iso")
    other.add("10:00:00", "pcmk.node.state", LOST, "pacemaker-attrd", node="b", state="lost")
    assert [len(event.refs) for event in timeline([one, two, other]).events] == [1, 1, 1]


def test_clipped_program_name_is_the_same_daemon() -> None:
    """The journal knows a daemon by the first 15 characters of its name."""
    detail, told = Log("a", "a/pacemaker.log"), Log("a", "a/journal.log", "journal", style="journal")
    detail.add("10:00:00", "pcmk.node.state", LOST, "pacemaker-controld", node="b", state="lost")
    told.add("10:00:00", "pcmk.node.state", LOST, "pacemaker-contr", node="b", state="lost")
    assert [len(event.refs) for event in timeline([detail, told]).events] == [2]


def test_remote_syslog_goes_to_the_node_of_the_host_column() -> None:
    """A log server's file holds the lines of another node: they are that node's."""
    server = Log("srv", "srv/messages", "system", style="iso", hint="srv")
    for host in ("srv", "a"):
        server.node = host
        server.add("10:00:00", "pcmk.node.state", f"from {host}", node="b", state="lost")
    detail = Log("a", "a/pacemaker.log")
    detail.add("10:00:00.001", "pcmk.node.state", "from a", node="b", state="lost")
    events = {event.message: event for event in timeline([server, detail]).events}
    assert events["from a"].observer == "a"
    assert [ref.path for ref in events["from a"].refs] == ["a/pacemaker.log", "srv/messages"]
    assert events["from srv"].observer == "srv"
