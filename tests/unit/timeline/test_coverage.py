"""What the logs cover."""

from __future__ import annotations

import pytest

from hadiag.model.record import PrintedGap
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.timeline import Timeline
from tests.unit.timeline.builders import Log, bsd, fact, iso, members, timeline, utc


def ask(line: Timeline, kind: str, start: str, end: str, node: str = "a") -> Tri:
    """Whether the logs of a node cover a type in a window."""
    return line.covered(line.node(node) or line.nodes[0].name, kind, utc(start), utc(end))


def busy(path: str, family: str = "pacemaker", *, until: int = 30, **options: str) -> Log:
    """A log from 10:00 on, with a line each minute."""
    log = Log("a", path, family, **options)  # type: ignore[arg-type]
    if family == "pacemaker":
        log.graph("10:00:00")
    for minute in range(until + 1):
        log.add(f"10:{minute:02d}:00", "pcmk.node.state", f"line {minute}", node="b", state="lost")
    return log


def test_window_inside_across_and_outside() -> None:
    """Covered, partly covered, not covered."""
    line = timeline([busy("a/pacemaker.log")])
    assert ask(line, "pcmk.node.state", "10:05:00", "10:20:00") is Tri.TRUE
    assert ask(line, "pcmk.node.state", "10:25:00", "10:40:00") is Tri.UNKNOWN
    assert ask(line, "pcmk.node.state", "11:00:00", "11:10:00") is Tri.FALSE
    assert ask(line, "pcmk.node.state", "09:50:00", "10:10:00") is Tri.UNKNOWN


def test_each_log_shows_its_own() -> None:
    """Pacemaker's log shows Pacemaker; syslog shows all, but of Pacemaker notice and worse only."""
    detail = timeline([busy("a/pacemaker.log")])
    assert ask(detail, "corosync.totem.new_membership", "10:05:00", "10:06:00") is Tri.FALSE
    assert ask(detail, "kernel.oom", "10:05:00", "10:06:00") is Tri.FALSE
    assert ask(detail, "cib.diff", "10:05:00", "10:06:00") is Tri.TRUE
    system = timeline([busy("a/messages", "system", style="iso")])
    assert ask(system, "corosync.totem.new_membership", "10:05:00", "10:06:00") is Tri.TRUE
    assert ask(system, "kernel.oom", "10:05:00", "10:06:00") is Tri.TRUE
    assert ask(system, "pcmk.node.state", "10:05:00", "10:06:00") is Tri.TRUE
    assert ask(system, "cib.diff", "10:05:00", "10:06:00") is Tri.FALSE


def test_old_corosync_log_holds_pacemaker_too() -> None:
    """On RHEL 7 both write to one file."""
    log = busy("a/corosync.log", "corosync", style="iso")
    log.formats = ("corosync.file", "pcmk.file.11")
    assert ask(timeline([log]), "cib.diff", "10:05:00", "10:06:00") is Tri.TRUE


def test_journal_of_cluster_units_shows_no_kernel() -> None:
    """A journal cut to the cluster's units shows nothing of the rest."""
    units = busy("a/journal.log", "journal", style="journal")
    assert ask(timeline([units]), "kernel.oom", "10:05:00", "10:06:00") is Tri.FALSE
    units.add("10:31:00", "systemd.job", "Started cron")
    assert ask(timeline([units]), "kernel.oom", "10:05:00", "10:06:00") is Tri.TRUE


def test_corosync_that_does_not_write_to_syslog() -> None:
    """With ``to_syslog: no`` syslog shows nothing of corosync."""
    setting = fact("corosync.option", hint="a", key="logging.to_syslog", value="no")
    line = timeline([busy("a/messages", "system", style="iso")], [setting])
    assert ask(line, "corosync.totem.new_membership", "10:05:00", "10:06:00") is Tri.FALSE
    assert ask(line, "kernel.oom", "10:05:00", "10:06:00") is Tri.TRUE


def test_silent_stretch_is_unknown() -> None:
    """What happens while the node is silent nobody can tell from its logs."""
    log = Log("a", "a/pacemaker.log")
    log.add("10:00:00", "pacemakerd.start", "Starting Pacemaker")
    log.graph("10:00:10")
    log.add("10:05:00", "pcmk.node.state", "last", node="b", state="lost")
    log.add("10:10:00", "pacemakerd.start", "Starting Pacemaker")
    log.graph("10:20:00", 2)
    line = timeline([log])
    assert ask(line, "pcmk.node.state", "10:06:00", "10:07:00") is Tri.UNKNOWN
    assert ask(line, "pcmk.node.state", "10:01:00", "10:07:00") is Tri.UNKNOWN
    assert ask(line, "pcmk.node.state", "10:11:00", "10:15:00") is Tri.TRUE
    assert [gap.why for row in line.coverage for gap in row.gaps] == ["silent"]


def test_log_in_use_goes_on_to_the_collection() -> None:
    """Nothing was logged after 10:30, and the log was collected at 11:00."""
    log = busy("a/pacemaker.log")
    line = timeline([log], collected_at={log.bundle: utc("11:00:00") // NS})
    assert ask(line, "pcmk.node.state", "10:40:00", "10:50:00") is Tri.TRUE
    assert line.coverage[0].to_collection
    assert line.span == (utc("10:00:00"), utc("10:30:00"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s/sos_commands/logs/journalctl_--no-pager_--boot", Tri.TRUE),
        ("s/sos_commands/logs/journalctl_--no-pager_--boot_-1", Tri.FALSE),
        ("scc_a/boot.txt#journalctl --boot=0 --no-pager --output=short-iso", Tri.TRUE),
        ("scc_a/boot.txt#journalctl --no-pager --boot=2 --output=short-iso", Tri.FALSE),
    ],
)
def test_excerpt_of_an_earlier_boot_ends_with_its_boot(path: str, expected: Tri) -> None:
    """What was asked of another boot than the present one does not go on to the time of collection."""
    log = busy(path, "journal", style="iso")
    log.add("10:31:00", "systemd.job", "Started cron")
    line = timeline([log], collected_at={log.bundle: utc("11:00:00") // NS})
    assert ask(line, "pcmk.node.state", "10:40:00", "10:50:00") is expected


def test_rotated_logs_of_supportconfig_end_where_the_next_begins() -> None:
    """The log in use is a section of a file; what lies between a rotated one and a later one that is missing is open."""
    old = busy("scc_a/messages-20261115.txt", "system")
    new = Log("a", "scc_a/messages.txt#/var/log/messages", "system")
    new.graph("12:00:00", 2)
    new.add("12:10:00", "pcmk.node.state", "new", node="b", state="lost")
    line = timeline([old, new], collected_at={old.bundle: utc("13:00:00") // NS})
    assert [(row.path, row.to_collection) for row in line.coverage] == [
        ("scc_a/messages-20261115.txt", False),
        ("scc_a/messages.txt#/var/log/messages", True),
    ]


def test_a_report_that_was_packed_again() -> None:
    """Files of next year in a report whose own commands say half past ten: the log went on to half past ten."""
    log = busy("a/pacemaker.log")
    printed = fact("host.time", hint="a", utc_ns=utc("10:31:00"), wall="x", text="x")
    later = {log.bundle: utc("2027-03-01T00:00:00Z") // NS}
    assert timeline([log], [printed], collected_at=later).coverage[0].end_ns == utc("10:31:00")
    assert timeline([log], [], collected_at=later).coverage[0].end_ns == later[log.bundle] * NS
    soon = {log.bundle: utc("11:00:00") // NS}
    assert timeline([log], [printed], collected_at=soon).coverage[0].end_ns == utc("11:00:00")


def test_log_in_use_is_newer_than_one_with_a_date() -> None:
    """Of messages, messages-20261115 and messages-20261108 only the first goes on to the collection."""
    logs = [Log("a", f"a/messages{mark}", "system") for mark in ("-20261108", "-20261115", "")]
    for hour, log in enumerate(logs, 8):
        log.graph(f"{hour:02}:00:00")
        log.add(f"{hour:02}:10:00", "pcmk.node.state", str(hour), node="b", state="lost")
    line = timeline(logs, collected_at={logs[0].bundle: utc("13:00:00") // NS})
    assert [row.path for row in line.coverage if row.to_collection] == ["a/messages"]


def test_report_of_a_window_ends_with_the_window() -> None:
    """crm_report cuts the logs of all nodes at one time; what it cut off is not covered."""
    one, two = busy("r/a/pacemaker.log.extract.txt", mtime="12:00:00"), Log("b", "r/b/pacemaker.log.extract.txt")
    two.mtime = "12:00:00"
    two.graph("10:00:00")
    two.add("10:40:00", "pcmk.node.state", "later on b", node="c", state="lost")
    line = timeline([one, two], members("a", "b"))
    assert ask(line, "pcmk.node.state", "10:31:00", "10:39:00") is Tri.TRUE
    assert ask(line, "pcmk.node.state", "10:50:00", "10:55:00") is Tri.FALSE


def test_rotated_log_goes_on_where_its_predecessor_ends() -> None:
    """Between the last line of the old file and the first of the new one there is no hole; a missing file is one."""
    old, new = Log("a", "a/pacemaker.log.1"), Log("a", "a/pacemaker.log")
    old.graph("10:00:00")
    old.add("10:10:00", "pcmk.node.state", "old", node="b", state="lost")
    new.graph("10:30:00", 2)
    new.add("10:40:00", "pcmk.node.state", "new", node="b", state="lost")
    assert ask(timeline([old, new]), "pcmk.node.state", "10:05:00", "10:35:00") is Tri.TRUE
    old.path = "a/pacemaker.log.3"
    older = Log("a", "a/pacemaker.log.3.gz", raws=[])
    older.graph("10:00:00")
    older.add("10:10:00", "pcmk.node.state", "old", node="b", state="lost")
    assert ask(timeline([older, new]), "pcmk.node.state", "10:05:00", "10:35:00") is Tri.UNKNOWN


@pytest.mark.parametrize(("family", "expected"), [("system", Tri.UNKNOWN), ("pacemaker", Tri.TRUE)])
def test_pause_counts_only_in_a_log_that_speaks_often(family: str, expected: Tri) -> None:
    """Three quiet hours are normal for Pacemaker and suspicious for syslog."""
    log = busy(f"a/{family}.log", family)
    log.add("13:30:00", "pcmk.node.state", "after the pause", node="b", state="lost")
    last, first = log.stamp(utc("10:30:00")), log.stamp(utc("13:30:00"))
    log.gaps = (PrintedGap(last.wall_ns, first.wall_ns, len(log.raws)),)
    log.mtime = "13:30:00"
    assert ask(timeline([log]), "pcmk.node.state", "10:20:00", "12:00:00") is expected


def test_dropped_messages_leave_a_hole() -> None:
    """journald says that it dropped messages: absence proves nothing in the half minute before."""
    log = busy("a/messages", "system", style="iso")
    log.add("10:30:10", "journald.suppressed", "Suppressed 400 messages from corosync.service", count=400)
    log.add("10:40:00", "systemd.job", "Started cron")
    line = timeline([log])
    assert ask(line, "corosync.totem.new_membership", "10:29:50", "10:30:05") is Tri.UNKNOWN
    assert [gap.why for gap in line.coverage[0].gaps] == ["dropped"]


def test_stamps_of_the_builders() -> None:
    """The builders print what the formats print."""
    assert bsd(utc("10:16:30.761"), 3600, 3).text == "Nov 22 11:16:30.761"
    assert iso(utc("10:16:30.5"), 3600).text == "2026-11-22T11:16:30.500000+01:00"
