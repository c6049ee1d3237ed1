"""Confirming candidates."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hadiag.catalogue import Catalogue, Matcher
from tests.unit.catalogue.packs import LOST, OPERATION, event, pack

GENERAL = event(
    """\
    - literal: "is now "
      regex: ^Node (?P<node>\\S+) .*is now (?P<state>\\w+)
      samples:
      - {line: "Node n1 state is now member", origin: recorded, fields: {state: member}}
    """,
    name="node.state",
    programs="[crmd]",
    extra="fields: {node: node, state: word}\n",
)
AGENT = event(
    """\
    - literal: "is unavailable"
      regex: ^(?P<what>\\w+) is unavailable$
      samples:
      - {line: "eth0 is unavailable", origin: recorded}
    """,
    name="agent.unavailable",
    extra='fields: {what: word, agent: "word?", resource: "word?"}\n',
)
SLOW = event(
    """\
    - literal: "from"
      regex: ^(?P<a>.*)x(?P<b>.*)x(?P<c>.*)x(?P<d>.*)x from y$
      samples:
      - {line: "1x2x3x4x from y", origin: recorded, fields: {a: "1", b: "2", c: "3", d: "4"}}
    """,
    name="slow.one",
    extra="fields: {a: text, b: text, c: text, d: text}\n",
)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return pack(tmp_path_factory.mktemp("pack"), GENERAL, LOST, OPERATION, AGENT, SLOW)


def match(catalogue: Catalogue, program: str | None, message: str, details: str | None = None) -> tuple[str, dict[str, object]] | None:  # fmt: skip
    matcher = Matcher(catalogue)
    found = matcher.match(program, message, details, matcher.candidates(message))
    return (found.type, dict(found.fields)) if found else None


def test_the_pattern_with_most_text_wins(catalogue: Catalogue) -> None:
    """Both types confirm the line; the more specific one takes it."""
    assert match(catalogue, "crmd", "Node n1 state is now lost") == ("node.lost", {"node": "n1"})
    assert match(catalogue, "crmd", "Node n1 state is now member") == ("node.state", {"node": "n1", "state": "member"})


def test_a_program_that_does_not_print_it_is_left_out(catalogue: Catalogue) -> None:
    """Old and new names of a daemon are the same; another daemon's word is another event."""
    assert match(catalogue, "pacemaker-controld", "Node n1 state is now lost")
    assert match(catalogue, "pacemaker-attrd", "Node n1 state is now lost") is None
    assert match(catalogue, None, "Node n1 state is now lost")


def test_runs_of_blanks_are_collapsed(catalogue: Catalogue) -> None:
    """The regex sees one blank where the line has several."""
    assert match(catalogue, "crmd", "  Node   n1 \t state is now lost ") == ("node.lost", {"node": "n1"})


def test_details_are_tried_first_and_then_left_out(catalogue: Catalogue) -> None:
    """Text behind the bar never hides an event."""
    assert match(catalogue, "crmd", "Node n1 state is now lost", "nodeid=1")
    assert match(catalogue, None, "Operation 'off' by n1: OK (complete)", "id=7")


def test_the_first_derived_value_wins(catalogue: Catalogue) -> None:
    """Keys are compared without regard to case; a default takes the rest."""

    def result(text: str) -> object:
        found = match(catalogue, "stonith-ng", f"Operation 'off' by n1: {text}")
        return found[1]["result"] if found else None

    assert result("OK (COMPLETE)") == "ok"
    assert result("Error occurred (timed out)") == "timeout"
    assert result("OK (unheard of)") == "ok"
    assert result("Error occurred (unheard of)") == "failed"


def test_agent_and_resource_come_from_the_tag(catalogue: Catalogue) -> None:
    """A line of an agent names its resource in the tag only."""
    fields = {"what": "eth0", "agent": "IPaddr2", "resource": "vip"}

    assert match(catalogue, "IPaddr2(vip)", "eth0 is unavailable") == ("agent.unavailable", fields)


@pytest.mark.parametrize("length", [300, 3000, 9000])
def test_no_line_holds_up_the_run(catalogue: Catalogue, length: int) -> None:
    """A regex that backtracks for hours on a hostile line answers at once."""
    started = time.perf_counter()

    assert match(catalogue, None, "x" * length + " from z") is None
    assert time.perf_counter() - started < 2


def test_both_engines_capture_the_same(catalogue: Catalogue) -> None:
    """A long line is matched by the other engine, with the same fields."""
    message = "1x2x3x" + "4" * 1000 + "x from y"

    assert match(catalogue, None, message) == ("slow.one", {"a": "1", "b": "2", "c": "3", "d": "4" * 1000})


def test_no_candidate_is_no_event(catalogue: Catalogue) -> None:
    """Only what the scan reported is asked."""
    assert Matcher(catalogue).match("crmd", "Node n1 state is now lost", None, []) is None


def test_ties_go_to_the_first_in_the_catalogue(tmp_path: Path) -> None:
    """Equal patterns are told apart by their order."""
    one = event("- {literal: same, regex: ^same$, samples: [{line: same, origin: recorded}]}\n", name="a.one")
    two = event("- {literal: same, regex: ^same$, samples: [{line: same, origin: recorded}]}\n", name="a.two")

    found = match(pack(tmp_path, one, two), None, "same")

    assert found == ("a.one", {})
