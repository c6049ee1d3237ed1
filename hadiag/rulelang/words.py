"""The words of the rule language that stand for numbers, and how durations and versions are written."""

from __future__ import annotations

import re

LANGUAGE_VERSION = 1
"""Version of the rule language; a pack names the version that it needs."""

STRENGTHS: dict[str, float] = {"certain": 0.97, "likely": 0.8, "even": 0.5, "some": 0.25, "rare": 0.03}
"""P(effect | cause) of an edge."""

PRIORS: dict[str, float] = {"frequent": 0.1, "common": 0.05, "uncommon": 0.02, "rare": 0.008, "very_rare": 0.002}
"""P(cause in an incident) before any evidence."""

UNKNOWN_FACTOR = 0.6
"""What remains of the confidence of a rule when its match could not be decided."""

DEFAULT_MERGE_NS = 600 * 10**9
"""Gap up to which matches of one identity are one finding; the gap that also joins incidents."""

_UNITS_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|min|m|h|d)")
_MAX_DURATION_NS = 366 * _UNITS_NS["d"]
DURATION_PATTERN = r"^\d{1,9}(\.\d{1,6})?(ms|s|min|m|h|d)$"


def parse_duration(value: object) -> int:
    """Read ``500ms``, ``10s``, ``2m``, ``2min``, ``1h`` or ``1d`` as nanoseconds.

    Raises:
        ValueError: the value is no duration of at most a year.
    """
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a duration such as 500ms, 10s, 2m, 1h or 1d")
    ns = round(float(found[1]) * _UNITS_NS[found[2]])
    if ns > _MAX_DURATION_NS:
        raise ValueError("expected a duration of at most a year")
    return ns


_BOUND = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+){0,3})")


def parse_bounds(text: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Read version bounds such as ``>=1.1.10`` or ``>=2.0, <3.0``.

    Raises:
        ValueError: a bound is not written as an operator and a version.
    """
    bounds = []
    for part in text.split(","):
        found = _BOUND.fullmatch(part.strip())
        if found is None:
            raise ValueError("expected version bounds such as '>=2.1' or '>=2.0, <3.0'")
        bounds.append((found[1], version_key(found[2])))
    return tuple(bounds)


def version_key(text: str) -> tuple[int, ...]:
    """Numbers of a version in front of any suffix: ``2.1.5-7.el9`` is (2, 1, 5)."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    if found is None:
        return ()
    return tuple(int(part) for part in found[0].split(".")[:4] if len(part) < 10)


def satisfies(version: str, bounds: str) -> bool:
    """Tell whether a version lies inside bounds; a version without numbers does."""
    key = version_key(version)
    return not key or all(_compare(key, operator, bound) for operator, bound in parse_bounds(bounds))


def _compare(key: tuple[int, ...], operator: str, bound: tuple[int, ...]) -> bool:
    width = max(len(key), len(bound))
    left = key + (0,) * (width - len(key))
    right = bound + (0,) * (width - len(bound))
    outcomes = {
        ">=": left >= right,
        "<=": left <= right,
        "==": left == right,
        "!=": left != right,
        ">": left > right,
        "<": left < right,
    }
    return outcomes[operator]
