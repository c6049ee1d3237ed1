"""Free search: every line that matches, and only those, whatever the bytes around it are."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadiag.catalogue import Catalogue
from hadiag.errors import UsageError
from hadiag.extract import LineSearch
from hadiag.scan.blocks import read_blocks
from tests.unit.extract.logs import catalogue_of, line, read

PATTERNS = ("b", "^a", "c$", r"a\sb", "[^x]b", r"\bc\b", "a.*c", "(?i)B", r"\Aab", r"c\z", "é")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of(tmp_path_factory.mktemp("pack"))


def found(pattern: str, text: bytes) -> list[int]:
    """Lines (from 0) that a search finds."""
    search = LineSearch(pattern)
    return [
        block.first_line - 1 + index for block in read_blocks(io.BytesIO(text), 64) for index in search.lines(block)
    ]


@given(
    pattern=st.sampled_from(PATTERNS),
    rows=st.lists(st.text(alphabet="abcxé \t\r", max_size=12).map(str.encode), min_size=1, max_size=20),
)
def test_a_search_finds_what_a_look_at_each_line_finds(pattern: str, rows: list[bytes]) -> None:
    """Blocks, odd line ends and matches that would run over a line end make no difference."""
    shown = [row.rstrip(b"\r").decode() for row in rows]
    text = b"\n".join(rows) + b"\n"

    expected = [index for index, row in enumerate(shown) if re.search(pattern.replace(r"\z", r"\Z"), row, re.ASCII)]

    assert found(pattern, text) == expected


def test_text_that_is_no_utf8_is_searched_as_it_is_shown() -> None:
    """An invalid byte in a line does not hide the others."""
    assert found("lost", b"a\xff lost\nb lost\n\xfe\n") == [0, 1]


def test_a_search_ends_at_its_limit() -> None:
    """No more lines than asked for."""
    search = LineSearch("a", most=3)
    (block,) = read_blocks(io.BytesIO(b"a\n" * 10))

    assert list(search.lines(block)) == [0, 1, 2]
    assert search.left == 0


def test_ignore_case() -> None:
    """Upper and lower case alike where that is asked for."""
    (block,) = read_blocks(io.BytesIO(b"Lost\nlost\n"))

    assert list(LineSearch("LOST", ignore_case=True).lines(block)) == [0, 1]
    assert list(LineSearch("LOST").lines(block)) == []


def test_a_bad_pattern_is_a_usage_error() -> None:
    """One sentence that names the pattern."""
    with pytest.raises(UsageError, match="no regular expression"):
        LineSearch("(")


def test_extraction_finds_lines_beside_the_events(catalogue: Catalogue) -> None:
    """The line found has the node, the time and the text of its place; a continuation has the time of its head."""
    text = line(1, "needle here") + "  a needle more\n" + line(2, "nothing")

    extract = read(text, catalogue, search=LineSearch("needle"))

    assert [event.ref.line for event in extract.found] == [1, 2]
    assert [event.time and event.time.text for event in extract.found] == ["Nov 22 10:00:01.000"] * 2
    assert [event.text for event in extract.found] == text.splitlines()[:2]
    assert extract.events == ()
