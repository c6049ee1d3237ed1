"""Templates of unknown messages."""

from __future__ import annotations

import pytest

from hadiag.extract.unknowns import MAX_TEMPLATES, UnknownMessages, masked
from hadiag.model.entity import Level
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef


def record(message: str, number: int = 1, program: str = "crmd", repeated: int = 1) -> Record:
    ref = SourceRef(BundleId("b"), "x", number, number, 1)
    return Record(ref, "f", None, "n1", program, 1, Level.ERROR, None, message, repeated=repeated)


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("timed out after 3000ms", "timed out after <n>ms"),
        ("no route to 192.0.2.7:5403", "no route to <ip>:<n>"),
        ("cannot open /dev/sdb1: gone", "cannot open <path>: gone"),
        ("id 6ba7b810-9dad-11d1-80b4-00c04fd430c8", "id <uuid>"),
        ("at 0x7ffe12", "at <hex>"),
        ("digest 8f3a1c20ff", "digest <hex>"),
        ("resource 'db 1' is \"gone\"", "resource '<*>' is \"<*>\""),
        ("deadbeef is a word", "deadbeef is a word"),
        ("", "<*>"),
    ],
)
def test_what_varies_is_masked(message: str, template: str) -> None:
    """Numbers, addresses, ids, paths and quoted names are not part of a template."""
    assert masked(message) == template


def test_words_that_differ_become_a_gap() -> None:
    """Messages that are mostly equal are one template."""
    unknown = UnknownMessages("n1", "pacemaker")
    for number, name in enumerate(("alpha", "beta", "gamma"), start=1):
        unknown.add(record(f"Lost connection to {name} at last", number), Level.ERROR, "line")

    (row,) = unknown.templates()

    assert (row.template, row.count, row.example.line, row.last_ref.line) == ("Lost connection to <*> at last", 3, 1, 3)


def test_different_messages_are_different_templates() -> None:
    """Programs and texts are kept apart; old and new names of a daemon are one program; the worst level counts."""
    unknown = UnknownMessages(None, "system")
    unknown.add(record("It broke", 1), Level.WARNING, "a")
    unknown.add(record("It broke", 2, "pacemaker-controld", repeated=4), Level.CRIT, "b")
    unknown.add(record("It broke", 3, "sbd"), Level.ERROR, "c")
    unknown.add(record("They are late", 4), Level.ERROR, "d")

    rows = [(row.program, row.template, row.level, row.count, row.text) for row in unknown.templates()]

    assert rows == [
        ("pacemaker-controld", "It broke", Level.CRIT, 5, "a"),
        ("sbd", "It broke", Level.ERROR, 1, "c"),
        ("pacemaker-controld", "They are late", Level.ERROR, 1, "d"),
    ]


def test_their_number_is_bounded() -> None:
    """A log of nothing but different messages does not grow without bound, and no line goes uncounted."""
    unknown = UnknownMessages(None, "system")
    words = [f"{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}{chr(97 + number // 676)}" for number in range(2000)]
    for number, word in enumerate(words, start=1):
        unknown.add(record(f"{word} {word}", number), Level.ERROR, "line")

    rows = unknown.templates()

    assert len(rows) == MAX_TEMPLATES + 1
    assert sum(row.count for row in rows) == 2000
