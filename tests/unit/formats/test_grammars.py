"""Every line format is read with its fields."""

from __future__ import annotations

import pytest

from hadiag.formats import LineParser, LogKind
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef
from tests.unit.formats.lines import JOURNAL, MONOTONIC, PLAIN, Case

REF = SourceRef(BundleId("b"), "log", 1, 0, 0)
SYSLOG_KIND = LogKind("system", ("syslog.bsd",))
JOURNAL_KIND = LogKind("journal", ("journal.short",))


def _check(record: Record | None, case: Case) -> None:
    assert record is not None
    assert record.format == case.format
    assert {name: getattr(record, name) for name in case.fields} == case.fields


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: f"{case.format}: {case.line[:40]}")
def test_reads_line(case: Case) -> None:
    """A line of a known format gives its record."""
    _check(LineParser(SYSLOG_KIND).parse(case.line, REF), case)


@pytest.mark.parametrize("case", JOURNAL, ids=lambda case: case.line[:40])
def test_reads_journal_line(case: Case) -> None:
    """A line of journalctl gives its record under the journal's format id, its stamp marked as the journal's."""
    record = LineParser(JOURNAL_KIND).parse(case.line, REF)
    _check(record, case)
    assert record is not None
    assert record.time is not None
    assert record.time.from_journal


def test_reads_monotonic_journal() -> None:
    """short-monotonic is read as the journal's only where the kind says so: dmesg looks alike."""
    _check(LineParser(LogKind("journal", ("journal.monotonic",))).parse(MONOTONIC.line, REF), MONOTONIC)


def test_last_grammar_makes_no_difference() -> None:
    """Whatever grammar fitted the line before, a line is read the same."""
    for first in PLAIN:
        parser = LineParser(SYSLOG_KIND)
        for case in PLAIN:
            parser.parse(first.line, REF)
            _check(parser.parse(case.line, REF), case)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "    indented continuation of a message",
        "Set r/w permissions for uid=189, gid=189 on /var/log/pacemaker.log",
        "-- Logs begin at Thu 2019-03-21 14:02:46 CST, end at Thu 2019-03-21 16:01:01 CST. --",
        "-- Boot 0123456789abcdef0123456789abcdef --",
        "-- Reboot --",
        "-- Subject: A start job for unit pacemaker.service has begun execution",
        "Feb 31 10:00:00 node1 crmd[1]:  notice: no such day",
        "May  7 25:00:00 node1 crmd[1]:  notice: no such hour",
        "<cib crm_feature_set='3.0.14'>",
    ],
)
def test_no_head(line: str) -> None:
    """Continuations, notes of journalctl and impossible dates are no heads."""
    assert LineParser(SYSLOG_KIND).parse(line, REF) is None


def test_strips_damage() -> None:
    """Colours, the end of a DOS line, a byte order mark and NULs before a line disappear."""
    line = "\0\0\ufeffMay  7 13:33:20 node1 crmd[1]:  \x1b[0;1;31merror: It broke\x1b[0m\r\n"
    record = LineParser(SYSLOG_KIND).parse(line, REF)
    assert record is not None
    assert (record.message, record.level and record.level.word) == ("It broke", "error")


def test_long_line_is_cut() -> None:
    """Only the first 8192 characters of a line are read."""
    record = LineParser(SYSLOG_KIND).parse("May  7 13:33:20 node1 app[1]: " + "x" * 100_000, REF)
    assert record is not None
    assert len(record.message) < 8192


def test_default_program() -> None:
    """Lines that name no program get that of the kind."""
    kind = LogKind("qdevice", ("qdevice.fg",), default_program="corosync-qnetd")
    record = LineParser(kind).parse("Nov 11 20:39:45 debug   Initializing votequorum", REF)
    assert record is not None
    assert record.program == "corosync-qnetd"


def test_counts_formats() -> None:
    """The parser tells which formats it met."""
    parser = LineParser(SYSLOG_KIND)
    for case in PLAIN[:3]:
        parser.parse(case.line, REF)
    assert parser.seen == {"pcmk.file.2x": 3}
