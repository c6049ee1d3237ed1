"""Explaining one line."""

from __future__ import annotations

import json

import pytest

from hadiag.catalogue import Catalogue
from hadiag.extract import explain_line
from tests.unit.extract.logs import catalogue_of, line


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of(tmp_path_factory.mktemp("pack"))


JOURNAL = {
    "__REALTIME_TIMESTAMP": "1700000000000000",
    "_HOSTNAME": "n1",
    "SYSLOG_IDENTIFIER": "pacemaker-controld",
    "MESSAGE": " notice: Node n2 state is now lost",
}


@pytest.mark.parametrize(
    "text",
    [
        line(1, "Node n2 state is now lost | nodeid=2"),
        "Nov 22 10:00:00 n1 crmd[93]:  notice: Node n2 state is now lost",
        json.dumps(JOURNAL),
        "Node n2 state is now lost",
        "n1 crmd[93]:  notice: Node n2 state is now lost",
        "crmd[93]:  notice: Node n2 state is now lost",
        "n1 pacemaker-controld  [93] (peer_update_callback) \tnotice: Node n2 state is now lost | nodeid=2",
    ],
)
def test_a_line_is_explained_whatever_its_envelope(catalogue: Catalogue, text: str) -> None:
    """Own log, syslog, a row of a journal export, or the bare message."""
    explained = explain_line(text, catalogue)

    assert explained.match is not None
    assert explained.event is not None
    assert explained.pattern is not None
    assert (explained.event.name, explained.match.fields) == ("node.lost", {"node": "n2"})
    assert explained.pattern.literal == "is now lost"


def test_an_unknown_line_still_shows_how_it_was_read(catalogue: Catalogue) -> None:
    """The record is there, the event is not."""
    explained = explain_line(line(1, "nothing of interest"), catalogue)

    assert explained.record is not None
    assert explained.record.message == "nothing of interest"
    assert explained.event is None


def test_what_is_no_log_line_is_no_error(catalogue: Catalogue) -> None:
    """Any text may be asked about."""
    for text in ("", "hello", "\0\udcff", "{", "<xml/>"):
        assert explain_line(text, catalogue).event is None
