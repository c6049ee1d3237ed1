"""Continuation lines are joined to the record before them."""

from __future__ import annotations

import io

from hadiag.formats import LineParser, LogKind, clock_for, parse_file, read_entry
from hadiag.formats.multiline import join_members
from hadiag.model.record import Record
from hadiag.model.source import BundleId
from hadiag.scan.blocks import read_blocks

BUNDLE = BundleId("b")
HEAD = "Nov 22 10:10:02 node1 app[1]: first"
PCMK = "Nov 22 10:10:02.113 node1 pacemaker-execd     [88] (log_op_output) \tnotice: x_stop_0[4] error output [ a"
PCSD = "I, [2022-11-04T09:08:18.829 #00002]     INFO -- : Running: /usr/sbin/pcs"


def _parse(*lines: str, path: str = "journal.log") -> list[tuple[str, str]]:
    data = "".join(line + "\n" for line in lines).encode()
    return [(record.format, record.message) for record in parse_file(io.BytesIO(data), path)]


def _read(kind: LogKind, lines: list[str], index: int) -> Record | None:
    (block,) = read_blocks(io.BytesIO("".join(line + "\n" for line in lines).encode()))
    return read_entry(LineParser(kind), block, index, BUNDLE, "x/log")


def test_indented_lines_join() -> None:
    """The further lines of a journal message are indented."""
    assert _parse(HEAD, " " * 20 + "second", HEAD) == [("journal.short", "first\nsecond"), ("journal.short", "first")]


def test_pcsd_dump_joins() -> None:
    """pcsd prints what commands read and write without any head."""
    assert _parse(PCSD, "{", '  "a": 1', "", "}", PCSD, path="pcsd.log") == [
        ("pcsd.010", 'Running: /usr/sbin/pcs\n{\n"a": 1\n\n}'),
        ("pcsd.010", "Running: /usr/sbin/pcs"),
    ]


def test_pacemaker_output_joins() -> None:
    """Exit reasons with a newline go on at the start of the next line."""
    assert _parse(PCMK, "b ]", path="pacemaker.log")[0][1] == "x_stop_0[4] error output [ a\nb ]"


def test_notes_and_strange_lines_stand_alone() -> None:
    """Notes of journalctl and lines that nothing explains are records of their own."""
    assert _parse("garbage", HEAD, "-- Subject: x", "more garbage", HEAD) == [
        ("", "garbage"),
        ("journal.short", "first"),
        ("journal.header", "-- Subject: x"),
        ("", "more garbage"),
        ("journal.short", "first"),
    ]


def test_read_entry_joins_forward() -> None:
    """A hit on a head takes its continuation along; a hit on a continuation gives nothing."""
    lines = [HEAD, "    second", HEAD]
    kind = LogKind("journal", ("journal.short",))
    record = _read(kind, lines, 0)
    assert record is not None
    assert record.message == "first\nsecond"
    assert (record.ref.path, record.ref.line, record.ref.offset, record.ref.length) == ("x/log", 1, 0, len(HEAD))
    assert _read(kind, lines, 1) is None
    last = _read(kind, lines, 2)
    assert last is not None
    assert last.ref.offset == len(HEAD) + 1 + len("    second") + 1


def test_read_entry_takes_few_lines() -> None:
    """A hostile file cannot make one record of everything."""
    record = _read(LogKind("pcsd", ("pcsd.010",)), [PCSD, *["x" * 1000] * 500], 0)
    assert record is not None
    assert len(record.message) <= 8192


def _members(text: str, pid: int = 7) -> str:
    return f"Nov 22 10:10:02 n1 corosync[{pid}]:   [QUORUM] {text}"


def test_member_list_joins() -> None:
    r"""A list cut by ``\`` is put together again, past lines of others."""
    lines = [_members("Members[4]: 1 2\\"), HEAD, _members("Members[4]: 3 4"), _members("Members[2]: 1 2")]
    record = _read(LogKind("system", ("syslog.bsd",)), lines, 0)
    assert record is not None
    assert record.message == "Members[4]: 1 2 3 4"


def test_torn_number_is_dropped() -> None:
    """The buffer may end inside a number, which the next part prints again."""
    assert join_members(["Members[4]: 101 102 10\\", "Members[4]: 103 104"]) == "Members[4]: 101 102 103 104"
    assert join_members(["Members[4]: 1 10\\", "Members[4]: 101 102"]) == "Members[4]: 1 10 101 102"


def test_foreign_part_is_left_alone() -> None:
    """Parts of another list do not mix in."""
    assert join_members(["Members[4]: 1 2\\", "Joined[1]: 3"]) == "Members[4]: 1 2\\"


def test_clock_knows_the_kind() -> None:
    """Headless lines of pcsd are no unparsed lines; a black box of syslog would count them."""
    data = f"{PCSD}\n{{\n}}\n".encode()
    for kind, unparsed in ((LogKind("pcsd", ("pcsd.010",)), 0), (LogKind("system", ("syslog.bsd",)), 2)):
        clock = clock_for(kind)
        for block in read_blocks(io.BytesIO(data)):
            clock.read(block)
        assert clock.reading().unparsed == unparsed
