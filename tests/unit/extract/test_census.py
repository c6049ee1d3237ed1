"""Counting what is known of a log."""

from __future__ import annotations

from pathlib import Path

from hadiag.model.entity import Level
from hadiag.pipeline import Options, read_census

_LOG = """\
Nov 22 10:00:00.100 node1 pacemaker-controld  [93] (do_state_transition) 	notice: State transition S_IDLE -> S_POLICY_ENGINE
Nov 22 10:00:00.200 node1 pacemaker-controld  [93] (some_function) 	warning: No pattern knows these seven words
Nov 22 10:00:00.300 node1 pacemaker-controld  [93] (some_function) 	info: nor these
Nov 22 10:00:01.000 node1 pacemaker-fenced    [91] (some_function) 	notice: Added 'fence-a' to device list (1 active device)
Set r/w permissions for uid=189, gid=189 on /var/log/pacemaker/pacemaker.log
"""


def test_lines_at_notice_or_worse_are_counted_by_program(tmp_path: Path) -> None:
    """Lines below notice do not count; a message is known whatever is written behind its line."""
    log = tmp_path / "pacemaker.log"
    log.write_text(_LOG)

    census = read_census([str(log)], Options())

    found = {name: (tally.graded, tally.graded_known, tally.share) for name, tally in census.tallies.items()}
    assert found == {"pacemaker-controld": (2, 1, 0.5), "pacemaker-fenced": (1, 1, 1.0)}
    severe = {name: (tally.severe, tally.severe_known) for name, tally in census.tallies.items()}
    assert severe == {"pacemaker-controld": (1, 0), "pacemaker-fenced": (0, 0)}
    assert [(row.template, row.level) for row in census.unknowns] == [
        ("No pattern knows these seven words", Level.WARNING)
    ]


def test_lines_without_a_printed_level_are_told_apart(tmp_path: Path) -> None:
    """Syslog does not show the level of corosync's lines."""
    log = tmp_path / "messages"
    log.write_text(
        "Nov 22 10:00:00 node1 corosync[77]:   [TOTEM ] A processor failed, forming new configuration.\n"
        "Nov 22 10:00:00 node1 corosync[77]:   [TOTEM ] Something else altogether\n"
    )

    tally = read_census([str(log)], Options()).tallies["corosync"]

    assert (tally.graded, tally.share, tally.plain, tally.plain_known) == (0, None, 2, 1)
