"""What a line must hold before it is parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadiag.extract.needs import Needs
from hadiag.scan.database import Database, build_database
from tests.unit.catalogue.packs import event, pack

ENDED = event(
    """\
    - literal: " was reported as final"
      regex: '^Code 7 of (?P<op>\\S+) was reported as final$'
      samples:
      - {line: "Code 7 of stop was reported as final", origin: recorded}
    """,
    name="op.ended",
    extra="fields: {op: text}\n",
)
STARTED = event(
    """\
    - literal: "Operation "
      regex: '^Operation (?P<op>\\S+) started as (?P<pid>\\d+)$'
      samples:
      - {line: "Operation stop started as 12", origin: recorded}
    """,
    name="op.started",
    extra="fields: {op: text, pid: int}\n",
)


def needs_of(tmp_path: Path, *events: str) -> tuple[Needs, Database]:
    catalogue = pack(tmp_path / "pack", *events)
    database = build_database(catalogue, cache=False)
    return Needs(catalogue, database.patterns), database


@pytest.mark.parametrize(
    ("line", "possible"),
    [
        (b"Code 7 of stop was reported as final", True),
        (b"Code 8 of stop was reported as final", False),
        (b"Code 17 of stop was reported as final", False),
        (b"Code of stop was reported as final", False),
        (b"The code was reported as final, going on \\", True),
    ],
)
def test_texts_with_digits_are_asked_for_in_each_line(tmp_path: Path, line: bytes, possible: bool) -> None:
    """Lines that differ in numbers only are not alike where a pattern needs a number."""
    needs, database = needs_of(tmp_path, ENDED)
    for asked in (b"Code 7 of a was reported as final", b"Code 8 of a was reported as final", line):
        numbers = [number for number, _ in database.scan(asked + b"\n")]
        found = needs.possible(numbers, asked)
    assert bool(found) is possible


def test_lines_that_differ_in_numbers_get_one_answer(tmp_path: Path) -> None:
    """Where no pattern needs a number the texts are looked for once."""
    needs, database = needs_of(tmp_path, STARTED)
    lines = [b"Operation stop started as %d" % number for number in (1, 22, 333)]
    numbers = [number for number, _ in database.scan(lines[0] + b"\n")]
    answers = [needs.possible(numbers, line) for line in lines]
    assert answers[0] == numbers
    assert all(answer is answers[0] for answer in answers)
    assert needs.possible(numbers, b"Another one started as 4") == []
