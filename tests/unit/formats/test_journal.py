"""Journal exports become lines, and tell what their clocks did."""

from __future__ import annotations

import io
import json
from typing import BinaryIO, cast

import pytest

from hadiag.formats import DecodedJournal, Decoder, LineParser, LogKind, decode, detect, parse_file
from hadiag.model.entity import Level
from hadiag.model.source import BundleId, SourceRef

TIME = 1715081600123456
BOOT = "0123456789abcdef0123456789abcdef"
REF = SourceRef(BundleId(""), "j", 1, 0, 0)


def _kind(decoder: Decoder) -> LogKind:
    return LogKind("journal", (f"journal.{decoder.value.removeprefix('journal_')}",), decoder)


def _entry(**fields: object) -> dict[str, object]:
    return {
        "__REALTIME_TIMESTAMP": str(TIME),
        "__MONOTONIC_TIMESTAMP": "5000000",
        "_BOOT_ID": BOOT,
        "_HOSTNAME": "node1",
        "SYSLOG_IDENTIFIER": "corosync",
        "_PID": "2161",
        "PRIORITY": "5",
        "MESSAGE": "  [TOTEM ] Retransmit List: 1a 1b",
        **fields,
    }


def _json(*entries: dict[str, object]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def _lines(decoder: Decoder, data: bytes) -> list[str]:
    return decode(_kind(decoder), io.BytesIO(data)).read().decode("utf-8", "replace").splitlines()


LINE = "<5>2024-05-07T11:33:20.123456+00:00 node1 corosync[2161]:   [TOTEM ] Retransmit List: 1a 1b"


def test_json_entry() -> None:
    """An entry becomes one line in UTC with its priority, and the line a record."""
    assert _lines(Decoder.JOURNAL_JSON, _json(_entry())) == [LINE]
    record = LineParser(_kind(Decoder.JOURNAL_JSON)).parse(LINE, REF)
    assert record is not None
    assert (record.format, record.host, record.program, record.pid) == ("journal.json", "node1", "corosync", 2161)
    assert (record.level, record.subsystem, record.message) == (Level.NOTICE, "TOTEM", "Retransmit List: 1a 1b")
    assert record.time is not None
    assert (record.time.wall_ns, record.time.utc_offset_s, record.time.from_journal) == (TIME * 1000, 0, True)


@pytest.mark.parametrize(
    ("wrap", "between"),
    [("{}", "\n"), ("\x1e{}", "\n"), ("data: {}", "\n\n")],
)
def test_json_dresses(wrap: str, between: str) -> None:
    """json-seq and json-sse hold the same entries."""
    data = "".join(wrap.format(json.dumps(_entry())) + between for _ in range(2)).encode()
    assert _lines(Decoder.JOURNAL_JSON, data) == [LINE, LINE]


def test_json_pretty() -> None:
    """Objects over several lines are put together."""
    data = (json.dumps(_entry(), indent="\t") + "\n").encode() * 2
    assert _lines(Decoder.JOURNAL_JSON, data) == [LINE, LINE]


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"MESSAGE": [72, 105, 10, 255]}, "corosync[2161]: Hi\\n\ufffd"),
        ({"MESSAGE": None}, "corosync[2161]: "),
        ({"MESSAGE": ["first", "last"]}, "corosync[2161]: last"),
        ({"MESSAGE": "two\nlines\r\n"}, "corosync[2161]: two\\nlines"),
        ({"_PID": None, "SYSLOG_PID": "7"}, "corosync[7]:   [TOTEM ] Retransmit List: 1a 1b"),
        ({"SYSLOG_IDENTIFIER": None, "_COMM": "my app", "MESSAGE": "x"}, "my_app[2161]: x"),
        ({"SYSLOG_IDENTIFIER": None, "_PID": None, "_TRANSPORT": "kernel", "MESSAGE": "x"}, " kernel: x"),
        ({"SYSLOG_IDENTIFIER": None, "_PID": None, "MESSAGE": "x"}, " unknown: x"),
        ({"SYSLOG_IDENTIFIER": "IPaddr2(vip:0)", "MESSAGE": "INFO: x"}, "IPaddr2(vip:0)[2161]: INFO: x"),
    ],
)
def test_json_values(fields: dict[str, object], end: str) -> None:
    """Null, bytes as numbers, repeated fields, newlines and missing idents are dealt with."""
    (line,) = _lines(Decoder.JOURNAL_JSON, _json(_entry(**fields)))
    assert line.endswith(end)


def test_source_time_wins() -> None:
    """The time of the sender is shown where the entry has it, as journalctl does."""
    (line,) = _lines(Decoder.JOURNAL_JSON, _json(_entry(_SOURCE_REALTIME_TIMESTAMP=str(TIME - 1_000_000))))
    assert line.startswith("<5>2024-05-07T11:33:19.123456+00:00 ")


def test_unreadable_entries_keep_their_number() -> None:
    """Line N is entry N also behind an entry that says nothing."""
    data = _json(_entry()) + b'{"broken\n{}\n' + _json({"MESSAGE": "no time"}, _entry())
    assert _lines(Decoder.JOURNAL_JSON, data) == [LINE, "", "", "", LINE]


def test_deep_nesting_is_harmless() -> None:
    """A hostile object does not exhaust the stack."""
    assert _lines(Decoder.JOURNAL_JSON, b'{"MESSAGE":' + b"[" * 100_000 + b"}\n") == [""]


def _export(entry: dict[str, object], *, binary: str | None = None) -> bytes:
    out = b""
    for name, value in entry.items():
        text = str(value).encode()
        if name == binary:
            out += name.encode() + b"\n" + len(text).to_bytes(8, "little") + text + b"\n"
        else:
            out += name.encode() + b"=" + text + b"\n"
    return out + b"\n"


def test_export() -> None:
    """Entries end at an empty line, the last one at the end of the file."""
    data = _export(_entry()) + _export(_entry()).rstrip(b"\n")
    assert _lines(Decoder.JOURNAL_EXPORT, data) == [LINE, LINE]


def test_export_binary_field() -> None:
    """A binary-safe field may hold empty lines and what looks like fields."""
    data = _export(_entry(MESSAGE="a\n\nMESSAGE=b"), binary="MESSAGE") + _export(_entry())
    assert _lines(Decoder.JOURNAL_EXPORT, data) == [LINE.partition("  ")[0] + " a\\n\\nMESSAGE=b", LINE]


def test_export_cut_inside_binary_field() -> None:
    """A length beyond the end of the file takes no memory and gives no entry."""
    data = _export(_entry()) + b"MESSAGE\n" + (1 << 62).to_bytes(8, "little") + b"short"
    assert _lines(Decoder.JOURNAL_EXPORT, data)[0] == LINE


VERBOSE = f"""-- Logs begin at Tue 2024-05-07 10:00:00 CEST, end at Tue 2024-05-07 14:00:00 CEST. --
Tue 2024-05-07 13:33:20.123456 CEST [s=6f7a2b;i=1a2;b={BOOT};m=4c4b40;t={TIME:x};x=9a]
    PRIORITY=5
    _HOSTNAME=node1
    SYSLOG_IDENTIFIER=corosync
    _PID=2161
    MESSAGE=  [TOTEM ] Retransmit List: 1a 1b
Tue 2024-05-07 13:33:21.123456 UTC [s=6f7a2b;i=1a3;b={BOOT};m=5b8d80;t=0;x=9b]
    _HOSTNAME=node1
    SYSLOG_IDENTIFIER=app
    MESSAGE=first
            second
"""


def test_verbose() -> None:
    """The cursor gives the time, the printed time where the cursor does not; values may span lines."""
    assert _lines(Decoder.JOURNAL_VERBOSE, VERBOSE.encode()) == [
        LINE,
        "2024-05-07T13:33:21.123456+00:00 node1 app: first\\nsecond",
    ]


def test_plain_passes() -> None:
    """Other logs are not touched."""
    stream = io.BytesIO(b"x")
    assert decode(LogKind("system", ("syslog.bsd",)), stream) is stream


def test_clock_steps() -> None:
    """Realtime minus monotonic time tells a step of the clock from a pause, for each boot apart."""
    second = 1_000_000
    entries = [
        _entry(),
        _entry(__REALTIME_TIMESTAMP=str(TIME + 60 * second), __MONOTONIC_TIMESTAMP=str(65 * second)),
        _entry(__REALTIME_TIMESTAMP=str(TIME + 31 * second), __MONOTONIC_TIMESTAMP=str(66 * second)),
        _entry(_BOOT_ID="f" * 32, __REALTIME_TIMESTAMP=str(TIME), __MONOTONIC_TIMESTAMP="1"),
    ]
    stream = cast(DecodedJournal, decode(_kind(Decoder.JOURNAL_JSON), io.BytesIO(_json(*entries))))
    cast(BinaryIO, stream).read()
    meta = stream.meta
    (step,) = meta.steps
    assert (step.line, step.boot.endswith(BOOT), step.step_us) == (3, True, -30 * second)
    assert (step.before_us - TIME, step.realtime_us - TIME) == (60 * second, 31 * second)
    assert [(boot.first_line, boot.last_line) for boot in meta.boots.values()] == [(1, 3), (4, 4)]
    assert (meta.entries, meta.unreadable) == (4, 0)


@pytest.mark.parametrize("data", [_json(_entry(), _entry()), _export(_entry()) * 2, VERBOSE.encode()])
def test_parse_file_numbers_entries(data: bytes) -> None:
    """For ``hadiag parse`` the line of a record is the number of its entry."""
    records = list(parse_file(io.BytesIO(data), "journal"))
    assert [(record.ref.line, record.ref.offset, record.host) for record in records] == [
        (1, 1, "node1"),
        (2, 2, "node1"),
    ]
    assert detect("journal", data) is not None
