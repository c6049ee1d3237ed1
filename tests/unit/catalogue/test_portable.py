"""Confirming regexes in the dialect of RE2 and Rust."""

from __future__ import annotations

import re

import pytest
import re2

from hadiag.catalogue.portable import NotPortableError, line_regex
from hadiag.pipeline import Options, load_catalogue


@pytest.mark.parametrize(
    ("regex", "line"),
    [
        (r"^(?:\[\d+\] )?node (?P<node>\S+?) is lost.*$", r"node +\S+? +is +lost"),
        (r"^Quorum (?P<state>retained|lost)$", r"Quorum +(?:retained|lost)\s*$"),
        (r"^Couldn\'t \\import\.$", r"Couldn't +\\import\.\s*$"),
        (r"^rc (?P<rc>-?\d{1,3}) of [^/\]-]+ \| .+$", r"rc +-?\d{1,3} +of +[^/\]\-]+ +\| +."),
        (r"^state: ?(?P<x>up|down) *(?: at .*)?$", r"state: *(?:up|down) *(?: +at +.*)?\s*$"),
        (r"(?i)^bad (?P<what>[a-f\d]+?)(?: .*)?", r"(?i:bad +[a-f\d]+?)"),
    ],
)
def test_what_is_written(regex: str, line: str) -> None:
    """No names, no escapes that mean nothing, nothing that the ends could do without."""
    assert line_regex(regex, tabs=False) == line


def test_runs_of_blanks() -> None:
    """A blank of the tidy message may be several in the raw line, and tabs where that is asked for."""
    regex = r"^Stop (?P<rsc>\S+?) \(now\)$"

    assert re.search(line_regex(regex, tabs=False), "x: Stop    db  (now) ")
    assert re.search(line_regex(regex, tabs=True), "x: Stop    db \t(now) ")
    assert not re.search(line_regex(regex, tabs=False), "x: Stop    db \t(now) ")


@pytest.mark.parametrize(
    "regex", [r"^a(?>b+)c$", r"^ab++c$", r"^a(?=b)", r"^(a)\1$", r"^a.{2,1001}b$", r"^(?: \| .*)?"]
)
def test_what_cannot_be_expressed_is_refused(regex: str) -> None:
    """Atomic groups, look-around, back-references, counts that RE2 does not know, and what finds every line."""
    with pytest.raises(NotPortableError):
        line_regex(regex, tabs=False)


def test_all_shipped_patterns_find_their_samples() -> None:
    """In both engines: a raw line that ends with the sample is found."""
    for pattern in load_catalogue(Options()).patterns:
        text = line_regex(pattern.regex, tabs=True)
        for sample in pattern.samples:
            line = f"Nov 22 10:00:00 node1 program[7]: {sample.line}"
            assert re.search(text, line), pattern.origin
            assert re2.compile(text).search(line), pattern.origin
