"""Durations, versions and the words that stand for numbers."""

import pytest

from hadiag.rulelang.words import PRIORS, STRENGTHS, parse_bounds, parse_duration, satisfies


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("500ms", 5 * 10**8),
        ("10s", 10**10),
        ("1.5s", 15 * 10**8),
        ("2m", 12 * 10**10),
        ("2min", 12 * 10**10),
        ("1h", 36 * 10**11),
    ],
)
def test_reads_durations(text: str, ns: int) -> None:
    """A duration is a number with a unit."""
    assert parse_duration(text) == ns


@pytest.mark.parametrize("text", ["10", "s", "-1s", "1 s", "9999999d", "", 10, None, True])
def test_refuses_what_is_no_duration(text: object) -> None:
    """A bare number has no unit and is refused, as is more than a year."""
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


def test_words_fall_from_certain_to_rare() -> None:
    """The tables of strengths and priors fall in the order of their words."""
    assert list(STRENGTHS.values()) == sorted(STRENGTHS.values(), reverse=True)
    assert list(PRIORS.values()) == sorted(PRIORS.values(), reverse=True)


@pytest.mark.parametrize(
    ("version", "bounds", "inside"),
    [
        ("2.1.5-7.el9", ">=2.1", True),
        ("1.1.24", ">=2.0", False),
        ("2.1.10", ">=2.1.9, <3.0", True),
        ("3.0.1", ">=2.1.9, <3.0", False),
        ("2.1", "==2.1.0", True),
        ("built from source", ">=9", True),
    ],
)
def test_versions_compare_by_number(version: str, bounds: str, inside: bool) -> None:
    """Versions compare number by number; what has no number is taken to be inside."""
    assert satisfies(version, bounds) is inside


def test_refuses_bounds_without_operator() -> None:
    """A version alone is no bound."""
    with pytest.raises(ValueError, match="expected version bounds"):
        parse_bounds("2.1")
