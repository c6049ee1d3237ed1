"""The message formats of the daemons, filled in, are recognised as what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

from hadiag.catalogue import Catalogue, Matcher, load
from hadiag.extract import explain_line
from hadiag.resources import rules_dir

_DATA = yaml.safe_load((Path(__file__).parent / "formats.yaml").read_text("utf-8"))
_LEAST = 840
"""Formats that the catalogue knew when the file was made; it shall not shrink."""


@dataclass(frozen=True, slots=True)
class _Format:
    type: str
    program: str | None
    text: str

    @property
    def message(self) -> str:
        """The text as syslog and journal show it."""
        return self.text.partition(" | ")[0]

    @property
    def details(self) -> str | None:
        """What Pacemaker's own log adds."""
        return self.text.partition(" | ")[2] or None


@cache
def _catalogue() -> tuple[Catalogue, Matcher]:
    catalogue = load([rules_dir() / "events"])
    return catalogue, Matcher(catalogue)


def _filled(row: str | Mapping[str, object]) -> str:
    text, own = (row, {}) if isinstance(row, str) else (str(row["format"]), row["with"])
    assert isinstance(own, Mapping)
    for name, value in {**_DATA["values"], **own}.items():
        text = text.replace("{" + name + "}", value)
    return text


@cache
def _formats() -> tuple[_Format, ...]:
    return tuple(_read())


def _read() -> Iterator[_Format]:
    for group in _DATA["formats"]:
        for row in group["messages"]:
            yield _Format(group["type"], group["program"], _filled(row))


@pytest.mark.parametrize("name", sorted({group["type"] for group in _DATA["formats"]}))
def test_each_format_is_its_event(name: str) -> None:
    """With the text behind ``|`` as in Pacemaker's own log; without it, as in syslog, it is still known."""
    matcher = _catalogue()[1]
    wrong = []
    for each in _formats():
        if each.type != name:
            continue
        for details in {each.details, None}:
            whole = f"{each.message} | {details}" if details else each.message
            match = matcher.match(each.program, each.message, details, matcher.candidates(whole))
            if match is None or (details == each.details and match.type != name):
                wrong.append(f"{match.type if match else 'nothing'}: {whole}")
    assert wrong == []


def test_no_format_got_lost() -> None:
    """The formats are many, and no name in braces is left unfilled."""
    texts = [each.text for each in _formats()]

    assert len(texts) >= _LEAST
    assert [text for text in texts if re.search(r"\{[a-z_]\w*\}", text)] == []


@pytest.mark.parametrize("row", _DATA["lines"], ids=lambda row: row["type"])
def test_each_copied_line_is_its_event(row: Mapping[str, str]) -> None:
    """Whole lines, and lines whose stamp or host was not copied."""
    event = explain_line(row["line"], *_catalogue()).event

    assert event is not None
    assert event.name == row["type"]
