"""YAML with line numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadiag.catalogue.marked import MarkedDocument, key_text, parse_marked, read_marked


def read(text: str) -> MarkedDocument:
    return parse_marked(text.encode(), "pack.yaml")


def test_a_plain_scalar_is_what_it_looks_like() -> None:
    """Words, times and hexadecimal ring ids stay text; only plain numbers and true/false are typed."""
    document = read("a: no\nb: 1:30\nc: 1.4e2\nd: 2026-01-01\ne: 12\nf: true\ng: 1.5\nh: 1.40\ni: 010\nj: ~\nk: '7'")

    assert document.data == {
        "a": "no",
        "b": "1:30",
        "c": "1.4e2",
        "d": "2026-01-01",
        "e": 12,
        "f": True,
        "g": 1.5,
        "h": "1.40",
        "i": "010",
        "j": None,
        "k": "7",
    }
    assert document.problems == []


def test_keys_are_text() -> None:
    """A key that YAML 1.1 takes for a boolean stays the word."""
    assert read("values: {off: down, 1: one}").data == {"values": {"off": "down", "1": "one"}}


def test_every_value_has_its_line() -> None:
    """A path, or the nearest place around it, tells the line in the file."""
    document = read("events:\n- type: a\n  patterns:\n  - literal: x\n")

    assert document.line_of(("events", 0, "patterns", 0, "literal")) == 4
    assert document.line_of(("events", 0, "patterns", 0, "samples")) == 4
    assert document.line_of(("nothing",)) == 1


def test_a_duplicate_key_is_a_problem() -> None:
    """The second of two equal keys is reported with its own line."""
    assert [str(each) for each in read("a: 1\nb: 2\na: 3").problems] == ["pack.yaml:3: a: each key once in a mapping"]


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x", "a: &x [1, 2]"])
def test_anchors_and_aliases_are_refused(text: str) -> None:
    """References inside a document would let a small file become a huge one."""
    document = read(text)

    assert "no anchors and aliases" in str(document.problems[0])
    assert document.data is None


def test_tags_are_refused() -> None:
    """A tag cannot make an object."""
    document = read("a: !!python/object:os.system {}")

    assert document.problems[0].line == 1
    assert document.data == {"a": None}


def test_deep_nesting_is_refused() -> None:
    """Nesting beyond any honest file ends before the parser does."""
    assert "less nesting" in str(read("[" * 100 + "]" * 100).problems[0])


@pytest.mark.parametrize("raw", [b"a: [1", b"a: \xff\xfe", b"\x00", b"a: b: c"])
def test_a_broken_file_is_one_problem(raw: bytes) -> None:
    """What is no YAML is reported, not raised."""
    document = parse_marked(raw, "pack.yaml")

    assert len(document.problems) == 1
    assert "valid YAML" in document.problems[0].expected


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    """A file that cannot be read is reported like any other problem."""
    assert "a readable file" in str(read_marked(tmp_path / "none.yaml", "none.yaml").problems[0])


def test_a_path_is_written_as_people_write_it() -> None:
    """Positions stand in brackets, keys behind dots."""
    assert key_text(("events", 2, "literal")) == "events[2].literal"
    assert key_text(()) == "document"
