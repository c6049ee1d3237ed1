"""Logs in another language, and logs that lost the blank before the day, are read like any other."""

from __future__ import annotations

import io
from typing import cast

import pytest

from hadiag.formats import Decoder, clock_for, decode, detect, parse_file
from hadiag.formats.respelled import Respelled, respell
from hadiag.model.time import LoggedTime
from hadiag.scan.blocks import read_blocks

TAIL = "n1 corosync[12]:   [TOTEM ] Retransmit List: 1a"
WORDS = {
    "Jan": "janv. led tammi oca saus. 1月 gen",
    "Feb": "févr. FEV úno helmi şub лют 2月",
    "Mar": "Mär mars mrt bře 3월",
    "Apr": "abr avril апр kwi dub nis",
    "May": "Mai mei мая maj kvě mag touko",
    "Jun": "juin giu июн cze čen haz",
    "Jul": "juil. lug июл čec tem heinä",
    "Aug": "août ago авг sie srp elo",
    "Sep": "sept. set сен wrz zář eyl syys",
    "Oct": "Okt oct. ott out окт paź říj eki",
    "Nov": "nov. ноя нояб. lis marras kas 11月",
    "Dec": "Dez déc. dic дек gru pro joulu 12월",
}


@pytest.mark.parametrize(("month", "words"), WORDS.items())
def test_months_of_other_languages(month: str, words: str) -> None:
    """journalctl prints the month in the language of whoever exports; the line is that of the C locale."""
    for word in words.split():
        assert respell(f"{word} 05 10:09:24 {TAIL}\n".encode()) == f"{month}  5 10:09:24 {TAIL}\n".encode()


@pytest.mark.parametrize(
    "line",
    [
        f"Nov 22 10:09:24 {TAIL}",
        "Foo 22 10:09:24 n1 x: y",
        "On Nov 2 10:09:24 n1 x: y",  # prose
        "Nov 41 10:09:24 n1 x: y",
        "\tat 3 10:09:24 z",
        "[Do Feb 30 02:30:38 2026] x",
    ],
)
def test_other_lines_stay(line: str) -> None:
    """What is spelled right or is no head of a line is not touched."""
    assert respell(line.encode()) == line.encode()


def test_old_encodings_and_dmesg() -> None:
    """Latin-1 of old systems; dmesg -T, whose day of the week is translated too; Japanese with its blank in front."""
    assert respell(b"M\xe4r 05 09:52:05 n1 a: b") == b"Mar  5 09:52:05 n1 a: b"
    assert respell(b"[Do Nov 26 02:30:38 2026] drbd") == b"[Thu Nov 26 02:30:38 2026] drbd"
    assert respell("[чт ноя  5 02:30:38 2026] drbd".encode()) == b"[Thu Nov  5 02:30:38 2026] drbd"
    assert respell(" 4月  2 13:59:39 n1 kernel: x".encode()) == b"Apr  2 13:59:39 n1 kernel: x"


@pytest.mark.parametrize("spelled", ["ноя", "Nov", "11月"])
def test_a_log_is_read_at_its_time(spelled: str) -> None:
    """Kind, stamps of the clock, hosts and records are those of the same log in English."""
    rows = "".join(f"{spelled} {day} 10:09:24 {TAIL}\n" for day in (2, 3, 11))
    kind = detect("messages", rows.encode())
    assert kind is not None
    assert (kind.family, kind.formats, kind.decoder) == ("system", ("syslog.bsd",), Decoder.RESPELLED)
    assert not kind.from_journal
    clock = clock_for(kind)
    for block in read_blocks(decode(kind, io.BytesIO(rows.encode()))):
        clock.read(block)
    assert (clock.reading().unparsed, clock.reading().hosts) == (0, (("n1", 3),))
    found = list(parse_file(io.BytesIO(rows.encode()), "messages"))
    assert [cast(LoggedTime, each.time).text for each in found] == [
        "Nov  2 10:09:24",
        "Nov  3 10:09:24",
        "Nov 11 10:09:24",
    ]
    assert [(each.ref.line, each.host, each.program, each.subsystem) for each in found] == [
        (line, "n1", "corosync", "TOTEM") for line in (1, 2, 3)
    ]


def test_the_lost_blank_may_come_late() -> None:
    """A log that begins in the last days of a month loses blanks only in the next; its head tells."""
    rows = f"Nov 30 10:09:24 {TAIL}\n" * 300 + f"Dec 1 10:09:24 {TAIL}\n"
    kind = detect("messages", rows.encode())
    assert kind is not None
    assert kind.decoder is Decoder.RESPELLED


def test_chunks_and_endless_lines_change_nothing() -> None:
    """Heads are respelled wherever reads are cut; a line without an end passes as it is."""
    rows = f"ноя 2 10:09:24 {TAIL}\n".encode() * 3000
    assert io.BufferedReader(Respelled(io.BytesIO(rows))).read() == respell(rows)
    long = b"x" * (3 << 20) + "\n11月 2 10:09:24 n1 a: b".encode()
    assert io.BufferedReader(Respelled(io.BytesIO(long))).read() == long[: 3 << 20] + b"\nNov  2 10:09:24 n1 a: b"
