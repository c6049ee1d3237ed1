"""Block copies of patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadiag.catalogue.patterns import PatternError, block_copy


def test_the_text_around_the_literal_is_taken() -> None:
    """Blanks may be runs of blanks."""
    copy = block_copy(r"^The node (?P<node>\S+) was lost for good$", "was lost")

    assert copy.regexes == (rb"was[ \t]+lost[ \t]+for[ \t]+good",)
    assert copy.groups == ("node",)


def test_short_text_is_spelled_out_with_the_choices_beside_it() -> None:
    """Choices between texts make a short text selective without any gap."""
    copy = block_copy(r"^Quorum (?P<state>retained|still lost)(?: ?\| .*)?$", "Quorum ")

    assert copy.regexes == (rb"Quorum[ \t]+retained", rb"Quorum[ \t]+still[ \t]+lost")


def test_no_copy_has_an_unbounded_part_but_blanks() -> None:
    """Gaps between texts are what the scan engine gets wrong."""
    copy = block_copy(r"^(?P<a>.*?) operation (?P<b>\S+): (?P<c>.*) \(rc=\d+, origin=.*$", " operation ")

    assert not re.search(rb"[*.]|\\x5b|\[\^", copy.regexes[0].replace(rb"[ \t]+", b""))


def test_text_outside_ascii_and_special_characters_are_quoted() -> None:
    """The copy is ASCII and holds the bytes of UTF-8."""
    copy = block_copy(r"^größer als \[(?P<n>\d+)\]$", "größer als [")

    assert copy.regexes == (rb"gr\xc3\xb6\xc3\x9fer[ \t]+als[ \t]+\x5b",)


def test_case_is_ignored_where_the_regex_ignores_it() -> None:
    """The flag of the regex goes over to the copy."""
    copy = block_copy(r"(?i)^out of memory: killed$", "Out of Memory")

    assert re.search(copy.regexes[0], b"OUT OF MEMORY: Killed")


def test_continued_messages_are_scanned_for_the_literal_only() -> None:
    """What follows the literal may stand on another line."""
    copy = block_copy(
        r"^Block start and more text (?P<x>\d+) a much longer text behind it$", "Block start", head_only=True
    )

    assert copy.regexes == (rb"Block[ \t]+start",)


@pytest.mark.parametrize(
    ("regex", "literal", "expected"),
    [
        (r"(unclosed", "unclosed", "a regex that compiles"),
        (r"^text (?=ahead)ahead$", "text ", "no lookaround"),
        (r"^text (?<!x)behind$", "text ", "no lookaround"),
        (r"^(?P<a>\w+) text (?P=a)$", " text ", "no back-reference"),
        (r"^(?:some|other)$", "some", "stands unbroken"),
        (r"^(?:some text)?$", "some text", "stands unbroken"),
        (r"^some\s+text$", "some text", "stands unbroken"),
        (r"^some  text$", "some  text", "without runs of blanks"),
    ],
)
def test_what_the_scan_cannot_do_is_refused(regex: str, literal: str, expected: str) -> None:
    """A pattern that the scan would miss does not load."""
    with pytest.raises(PatternError, match=expected):
        block_copy(regex, literal)


@pytest.mark.parametrize(
    ("regex", "freedom"),
    [
        (r"^lost (?P<node>\S+) now$", 0),
        (r"^lost (?P<a>.*?) from (?P<b>.*?) by (?P<c>.*?) done$", 3),
        (r"^lost (?P<reason>.+?)(?: ?\| .*)?$", 0),
        (r"^lost (?P<a>.+?): (?P<reason>.+?)(?: ?\| .*)?$", 1),
        (r"^lost (?:a+)+$", 9),
        (r"^lost (?:|a)$", 0),
    ],
)
def test_freedom_counts_the_parts_that_may_end_anywhere(regex: str, freedom: int) -> None:
    """A tail that always reaches the end is free; a gap before more text is not; nesting is hopeless."""
    assert block_copy(regex, "lost ").freedom == freedom


_WORD = st.text("abcXYZ019:,.'", min_size=1, max_size=6)


@given(
    st.lists(_WORD, min_size=2, max_size=5), st.lists(st.text(" \t", min_size=1, max_size=20), min_size=4), st.data()
)
def test_a_copy_hits_every_line_that_the_regex_matches(
    words: list[str], blanks: list[str], data: st.DataObject
) -> None:
    """Runs of blanks in the line change nothing."""
    literal = "literal"
    place = data.draw(st.integers(0, len(words)))
    words = [*words[:place], literal, *words[place:]]
    regex = "^" + " ".join(map(re.escape, words)) + "$"
    line = words[0] + "".join(blanks[index % len(blanks)] + word for index, word in enumerate(words[1:]))

    copy = block_copy(regex, literal)

    assert re.search(regex, " ".join(line.split()))
    assert any(re.search(each, line.encode()) for each in copy.regexes)
