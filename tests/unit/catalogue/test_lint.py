"""Remarks on packs that load."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadiag.catalogue.check import main
from hadiag.catalogue.lint import lint
from tests.unit.catalogue.packs import LOST, OPERATION, event, pack, write_pack


def remarks(directory: Path, *events: str) -> str:
    return "\n".join(lint(pack(directory, *events)))


def simple(text: str, name: str, *, origin: str = "recorded", regex: str = "", programs: str = "[]") -> str:
    body = f'- {{literal: "{text}", regex: "{regex or "^" + text + "$"}", samples: [{{line: "{text}", origin: {origin}}}]}}\n'
    return event(body, name=name, programs=programs)


def test_a_good_pack_has_no_remarks(tmp_path: Path) -> None:
    """Sound patterns pass."""
    assert remarks(tmp_path, LOST, OPERATION) == ""


def test_the_same_regex_twice(tmp_path: Path) -> None:
    """Two types cannot be told apart by the same regex, unless other programs print them."""
    one = simple("the same text", "a.one", programs="[crmd]")

    assert "the same regex as a.one" in remarks(tmp_path / "1", one, simple("the same text", "a.two", programs="[pacemaker-controld]"))  # fmt: skip
    assert "the same regex" not in remarks(tmp_path / "2", one, simple("the same text", "a.two", programs="[corosync]"))


def test_a_sample_that_another_type_takes(tmp_path: Path) -> None:
    """A type whose own sample is claimed by a heavier pattern will never be seen."""
    light = simple("text of both", "a.light", regex="^text of both.*$")
    heavy = simple("text of both", "a.heavy", regex="^text of both$")

    assert "its sample is taken by a.light" in remarks(tmp_path, light, heavy)


def test_a_pattern_that_needs_the_details(tmp_path: Path) -> None:
    """Text behind the bar is in pacemaker.log only."""
    body = '- {literal: "Lost it", regex: "^Lost it \\\\| id=\\\\d+$", samples: [{line: "Lost it | id=7", origin: recorded}]}\n'

    assert "does not match its sample without the text behind ' | '" in remarks(tmp_path, event(body))


def test_a_pattern_with_details_whose_message_another_one_knows(tmp_path: Path) -> None:
    """The same message without them is another type then, and no remark is due."""
    body = '- {literal: "Lost it", regex: "^Lost it \\\\| id=\\\\d+$", samples: [{line: "Lost it | id=7", origin: recorded}]}\n'

    assert "does not match" not in remarks(tmp_path, event(body), simple("Lost it", "a.bare"))


def test_a_general_pattern_of_the_same_daemon(tmp_path: Path) -> None:
    """It may match what its special neighbours match, as long as they win."""
    others = [simple(f"node {word} gone", f"a.{word}", programs="[corosync]") for word in ("one", "two", "three")]
    broad = simple("node x gone", "a.broad", regex="^node .*gone$", programs="[corosync]")

    assert "also matches" not in remarks(tmp_path, broad.replace('literal: "node x gone"', 'literal: "node "'), *others)


def test_a_stable_type_with_rendered_samples_only(tmp_path: Path) -> None:
    """What nobody has seen in a log is experimental."""
    assert "all samples are rendered" in remarks(tmp_path, simple("some text here", "a.one", origin="rendered"))


def test_a_text_that_says_little(tmp_path: Path) -> None:
    """A short text makes the scan report foreign lines."""
    weak = simple("node", "a.one", regex="^node\\\\S*$")

    assert "the scan looks for 'node' only" in remarks(tmp_path, weak)
    told = weak.replace('literal: "node"', 'short: "The message has no longer text.", literal: "node"')
    assert "the scan looks for" not in remarks(tmp_path, told)


def test_a_broad_pattern(tmp_path: Path) -> None:
    """A pattern that matches the samples of many types is told."""
    others = [simple(f"node {word} gone", f"a.{word}") for word in ("one", "two", "three")]

    assert "broad: also matches samples of a.one, a.three, a.two" in remarks(
        tmp_path, simple("node gone", "a.broad", regex="^node .*gone$").replace('literal: "node gone"', 'literal: "node"').replace('line: "node gone"', 'line: "node x gone"'), *others
    )  # fmt: skip


def test_the_checker_prints_problems_and_remarks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 for problems, 0 for remarks at most, 2 for wrong usage."""
    good = write_pack(tmp_path / "good", LOST)
    bad = write_pack(tmp_path / "bad", LOST.replace("class: core", "class: odd"))

    assert main([str(good)]) == 0
    assert capsys.readouterr().out == "1 event types, 1 patterns, 0 problems, 0 remarks\n"
    assert main([str(bad)]) == 1
    assert f"{bad}/pack.yaml:5: events[0].class: 'core', 'context', 'anchor' or 'noise'" in capsys.readouterr().out
    assert main([]) == 2
    assert main([str(tmp_path / "none")]) == 2
