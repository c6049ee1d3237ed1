"""A small share of the fuzzing in every run; ``python -m tests.security.fuzz`` does the long ones."""

from __future__ import annotations

from tests.security.fuzz import Fuzzer, case


def test_mutated_archives_and_logs_give_only_clean_warnings() -> None:
    """Whatever is damaged: no exception, no unknown warning, no case that takes long."""
    fuzzer = Fuzzer()
    assert list(fuzzer.run(7, range(100))) == []
    assert fuzzer.figure.cases == 100
    assert fuzzer.figure.events > 50
    assert fuzzer.figure.warnings["archive-damaged"] > 5


def test_cases_are_the_same_in_every_run() -> None:
    """A failure can be run again by its number alone."""
    assert case(7, 3) == case(7, 3)
    assert case(7, 3) != case(8, 3)
