"""The table of checks in ``docs/audits.md`` names what is shipped, all of it, and nothing else."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.conftest import ROOT

_ROW = re.compile(r"^\| (?P<check>A\d\d) \| (?P<what>[^|]+) \| (?P<audits>[^|]*) \| (?P<status>[^|]+) \|$")
_CHECKS = 85

TABLE = (ROOT / "docs" / "audits.md").read_text()
ROWS = [match for line in TABLE.splitlines() if (match := _ROW.match(line))]


@pytest.fixture(scope="module")
def shipped() -> set[str]:
    """Ids of all audits in ``rules/audits``."""
    files = sorted((ROOT / "rules" / "audits").glob("*.yaml"))
    return {audit["id"] for path in files for audit in yaml.load(path.read_text(), yaml.CSafeLoader)["audits"]}


def test_every_check_has_a_row() -> None:
    """Each check once, in order."""
    assert [row["check"] for row in ROWS] == [f"A{number:02d}" for number in range(1, _CHECKS + 1)]
    assert sum(1 for line in TABLE.splitlines() if line.startswith("| A")) == _CHECKS


def test_named_audits_are_shipped(shipped: set[str]) -> None:
    """No row names what is not there."""
    named = {name for row in ROWS for name in re.findall(r"`(config\.[a-z-]+)`", row["audits"])}
    assert named - shipped == set()


def test_shipped_audits_are_named(shipped: set[str]) -> None:
    """What is shipped belongs to a check."""
    named = set(re.findall(r"`(config\.[a-z-]+)`", TABLE))
    assert shipped - named == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["check"])
def test_status(row: re.Match[str]) -> None:
    """A check is complete, in part with what is missing, or missing; one without audits is missing."""
    status = row["status"]
    assert status == "complete" or re.match(r"(?:partly|missing): \S.{9,}", status)
    assert bool(re.search(r"`config\.", row["audits"])) != status.startswith("missing")
