"""Values of event fields: from the text of a named group to the declared type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hadiag.catalogue.types import EventType, Pattern
from hadiag.model.entity import Scalar

INFINITY: Final = 1_000_000
"""What Pacemaker means by INFINITY."""

_SPLIT: Final = re.compile(r"[\s,]+")
_INFINITE: Final = {"infinity": INFINITY, "+infinity": INFINITY, "-infinity": -INFINITY}
_TRUE: Final = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE: Final = frozenset({"false", "no", "off", "0", "n", "f"})


def typed(kind: str, text: str) -> Scalar:
    """Read text as a field type; None where it is empty or is no such value."""
    text = text.strip()
    if not text:
        return None
    word = kind.removesuffix("?")
    if word == "int":
        return _whole(text)
    if word == "float":
        return _number(text)
    if word == "bool":
        return _truth(text.lower())
    if word == "list":
        return tuple(sorted(part for part in _SPLIT.split(text) if part)) or None
    return text


def _whole(text: str) -> int | None:
    infinite = _INFINITE.get(text.lower())
    if infinite is not None:
        return infinite
    try:
        return int(text) if len(text) < 20 else None
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text) if len(text) < 40 else float("nan")
    except ValueError:
        return None
    return value if abs(value) < 1e18 else None  # neither infinite nor NaN


def _truth(text: str) -> bool | None:
    return True if text in _TRUE else False if text in _FALSE else None


def field_values(event: EventType, pattern: Pattern, groups: Mapping[str, str | None]) -> dict[str, Scalar]:
    """Fields of a confirmed match: captured groups, then constants, then derived values; absent ones are left out."""
    found: dict[str, Scalar] = {}
    for name, kind in event.fields.items():
        value = _captured(kind, groups.get(name))
        value = pattern.set.get(name, value)
        if value is not None:
            found[name] = value
    settled: set[str] = set()
    for entry in pattern.derive:
        if entry.field in settled:
            continue
        value = _derived(entry.values, entry.default, groups.get(entry.source))
        if value is not None:
            found[entry.field] = value
            settled.add(entry.field)
    return found


def _captured(kind: str, text: str | None) -> Scalar:
    return None if text is None else typed(kind, text)


def _derived(values: Mapping[str, Scalar] | None, default: Scalar, text: str | None) -> Scalar:
    if text is None:
        return default
    if values is None:
        return text.strip() or default
    return values.get(text.strip().lower(), default)
