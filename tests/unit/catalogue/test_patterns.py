"""Block copies of patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadiag.catalogue.patterns import PatternError, block_copy


def test_the_text_around_the_literal_is_taken() -> None:
    """From the literal to the next part that varies."""
    copy = block_copy(r"^The node (?P<node>\S+) was lost for good$", "was lost")

    assert copy.regexes == (b" was lost for good",)
    assert copy.groups == ("node",)


def test_short_text_is_spelled_out_with_the_choices_beside_it() -> None:
    """Choices between texts make a short text selective without any gap."""
    copy = block_copy(r"^Quorum (?P<state>retained|still lost)(?: ?\| .*)?$", "Quorum ")

    assert copy.regexes == (b"Quorum retained", b"Quorum still lost")


def test_a_copy_is_text_only() -> None:
    """Gaps between texts are what the scan engine gets wrong."""
    copy = block_copy(r"^(?P<a>.*?) operation (?P<b>\S+): (?P<c>.*) \(rc=\d+, origin=.*$", " operation ")

    assert copy.regexes == (b" operation ",)


def test_text_outside_ascii_and_special_characters_are_quoted() -> None:
    """The copy is ASCII and holds the bytes of UTF-8."""
    copy = block_copy(r"^größer als \[(?P<n>\d+)\]$", "größer als [")

    assert copy.regexes == (rb"gr\xc3\xb6\xc3\x9fer als \x5b",)


def test_case_is_ignored_where_the_regex_ignores_it() -> None:
    """The flag of the regex goes over to the copy."""
    copy = block_copy(r"(?i)^out of memory: killed$", "Out of Memory")

    assert re.search(copy.regexes[0], b"OUT OF MEMORY: Killed")


def test_continued_messages_are_scanned_for_the_literal_only() -> None:
    """What follows the literal may stand on another line."""
    copy = block_copy(
        r"^Block start and more text (?P<x>\d+) a much longer text behind it$", "Block start", head_only=True
    )

    assert copy.regexes == (b"Block start",)


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


@given(st.data())
def test_a_copy_hits_every_line_that_the_regex_matches(data: st.DataObject) -> None:
    """Whatever texts, alternatives, optional and variable parts stand around the literal."""
    regex: list[str] = []
    line: list[str] = []
    kinds = data.draw(st.lists(st.sampled_from(["text", "choice", "maybe", "any"]), max_size=5))
    for kind in data.draw(st.permutations([*kinds, "literal"])):
        words = ["lit"] if kind == "literal" else data.draw(st.lists(_WORD, min_size=1, max_size=3))
        quoted = "|".join(map(re.escape, words))
        regex.append(
            {"any": r"\S+", "maybe": f"(?:{quoted})?", "choice": f"(?P<c{len(regex)}>{quoted})"}.get(
                kind, re.escape(words[0])
            )
        )
        line.append(
            data.draw(st.sampled_from(["", *words])) if kind == "maybe" else words[-1 if kind == "choice" else 0]
        )
    whole, text = "^x" + " ".join(regex) + "$", "x" + " ".join(line)
    assert re.search(whole, text)

    copy = block_copy(whole, "lit")
    assert any(re.search(each, text.encode()) for each in copy.regexes)
    assert all(any(part in text for part in clause) for clause in copy.needs)


@pytest.mark.parametrize(
    ("regex", "needs"),
    [
        (r"^Result of (?P<op>\w+) for (?P<rsc>\S+): ok$", [("Result of",), ("for",), (": ok",)]),
        (r"^Link (?P<n>\d+) is (?:down|still up)$", [("Link",), ("is down", "is still up")]),
        (r"^(?P<who>\S+) by /(?P<tool>crm|python[^/]*)/$", [("by /",), ("python", "by /crm/")]),
        (r"^(?:a|\S+) Link$", [("Link",)]),
        (r"(?i)^out of memory$", []),
    ],
)
def test_what_a_line_needs_besides(regex: str, needs: list[tuple[str, ...]]) -> None:
    """Texts that every match holds; of a choice one of them, between what stands around it."""
    literal = "out of" if "(?i)" in regex else max(re.findall(r"[A-Z][a-z]+|by ", regex) or ["by "], key=len)

    found = [tuple(clause) for clause in block_copy(regex, literal).needs if len(min(clause, key=len)) > 1]

    assert found == needs


def test_ordinary_requests_are_not_scanned_for() -> None:
    """A text that each request to the CIB holds is not taken, however long it is."""
    copy = block_copy(r"^Result of (?P<op>[\w-]+) operation for (?P<rsc>\S+): ok$", "Result of ")

    assert copy.regexes == (b"Result of ",)
