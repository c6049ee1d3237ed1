"""What the benchmark compares: scripts and bundles in the form that the other tools read, and its figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.contests import Patterns, archive_contests, lnav_script
from tests.bench.generate import as_report, generate
from tests.bench.measure import Rounds, spread


def test_filters_of_lnav_hold_all_patterns(tmp_path: Path) -> None:
    """No filter is left out, none is much larger than the others, and they are no more than lnav takes."""
    rows = [f"pattern {number} of {'x' * (number % 97)}" for number in range(3_000)]
    patterns, script = tmp_path / "patterns.txt", tmp_path / "script.lnav"
    patterns.write_text("\n".join(rows) + "\n", encoding="utf-8")

    count = lnav_script(patterns, script)

    lines = script.read_text(encoding="utf-8").splitlines()
    assert count == len(lines) <= 32
    assert [row for line in lines for row in line.removeprefix(":filter-in (?-i)").split("|")] == rows
    assert max(map(len, lines)) < 2 * sum(map(len, lines)) / count


def test_a_report_has_what_crmsh_reads(tmp_path: Path) -> None:
    """A description, and for each node its log and a CIB with the nodes."""
    generate(tmp_path / "case", 100_000)

    report = as_report(tmp_path / "case")

    assert (report / "description.txt").exists()
    for node in ("b1", "b2"):
        log = (tmp_path / "case" / node / "pacemaker.log").read_bytes()
        assert (report / node / "ha-log.txt").read_bytes() == log
        assert f'uname="{node}"' in (report / node / "cib.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("size", "target"), [(100_000_000, 0.75), (1_000_000_000, 0.45)])
def test_targets_of_bz2_depend_on_the_size(size: int, target: float) -> None:
    """Large archives hide the start."""
    contest = archive_contests("bz2", Path("a b.tar.bz2"), Patterns("texts", Path("p")), size)[0]

    assert (contest.target, contest.what) == (target, "wall")
    assert contest.theirs == "bzip2 -dc 'a b.tar.bz2' | rg -a -c -f p"


def test_small_ratios_keep_their_digits() -> None:
    """A ratio of an eighth is no 0.13."""
    assert str(spread([0.1234, 0.0456, 123.4])) == "0.123 (0.0456-123)"


def test_a_command_that_fails_ends_the_benchmark() -> None:
    """Its time would be the time of a message of an error."""
    with pytest.raises(SystemExit, match="ended with 2"):
        Rounds().take({"broken": "false || exit 2"}, 1, {})
