"""Old system logs fold equal lines and say so in a line of its own."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.timeline.builders import Log, timeline


def test_the_line_before_counts_for_the_folded_ones() -> None:
    """One line and three repetitions are four, up to the time of the note."""
    log = Log("a", "a/messages", family="system", style="s")
    log.add("10:00:00", "fence.op_result", "one", target="b")
    log.add("10:00:09", "syslog.last_repeated", "last message repeated 3 times", count=3)
    event = timeline([log]).of("fence.op_result")[0]
    assert event.repeated == 4
    assert event.at is not None
    assert event.last is not None
    assert event.last.ns - event.at.ns == 9 * 10**9


def test_it_speaks_of_the_line_of_the_same_host() -> None:
    """A log host writes the lines of all; what is not known in between could have been the repeated line."""
    log = Log("a", "loghost/messages", family="system", style="s")
    log.add("10:00:00", "fence.op_result", "one", target="b")
    log.node = "b"
    log.add("10:00:01", "corosync.totem.token_lost", "two")
    log.node = "a"
    log.add("10:00:02", "syslog.last_repeated", "last message repeated 5 times", count=5)
    line = timeline([log])
    assert [line.of(kind)[0].repeated for kind in ("fence.op_result", "corosync.totem.token_lost")] == [6, 1]


def test_an_unknown_line_before_it_is_what_was_repeated() -> None:
    """The event further up was not."""
    log = Log("a", "a/messages", family="system", style="s")
    log.add("10:00:00", "fence.op_result", "one", target="b")
    note = log.add("10:00:02", "syslog.last_repeated", "last message repeated 5 times", count=5)
    log.raws[-1] = replace(note, ref=replace(note.ref, line=3))
    assert timeline([log]).of("fence.op_result")[0].repeated == 1


def test_a_second_note_counts_on_and_nonsense_does_not() -> None:
    """A long storm is noted again and again; a count of ten billions is none."""
    log = Log("a", "a/messages", family="system", style="s")
    log.add("10:00:00", "fence.op_result", "one", target="b")
    log.add("10:00:02", "syslog.last_repeated", "last message repeated 2 times", count=2)
    log.add("10:00:04", "syslog.last_repeated", "last message repeated 2 times", count=2)
    log.add("10:00:05", "fence.op_result", "two", target="b")
    log.add("10:00:06", "syslog.last_repeated", "last message repeated 9999999999 times", count=9_999_999_999)
    assert [event.repeated for event in timeline([log]).of("fence.op_result")] == [5, 1]
