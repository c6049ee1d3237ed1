"""Values of event fields: from the text of a named group to the declared type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
    return _READERS.get(kind.removesuffix("?"), _text)(text)


def _text(text: str) -> str | None:
    return text.strip() or None


def _list(text: str) -> tuple[str, ...] | None:
    return tuple(sorted(part for part in _SPLIT.split(text) if part)) or None


def _whole(text: str) -> int | None:
    try:
        return int(text) if len(text) < 20 else None
    except ValueError:
        return _INFINITE.get(text.strip().lower())


def _number(text: str) -> float | None:
    try:
        value = float(text) if len(text) < 40 else float("nan")
    except ValueError:
        return None
    return value if abs(value) < 1e18 else None  # neither infinite nor NaN


def _truth(text: str) -> bool | None:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


_Reader = Callable[[str], Scalar]
_READERS: Final[dict[str, _Reader]] = {"int": _whole, "float": _number, "bool": _truth, "list": _list}


class FieldReader:
    """Makes the fields of an event from the named groups of one pattern.

    Captured groups come first, then constants, then derived values; of several derive entries of a field the first
    that yields a value wins. A field without a value is left out.
    """

    __slots__ = ("_captured", "_constants", "_derive")

    def __init__(self, event: EventType, pattern: Pattern) -> None:
        self._captured: tuple[tuple[str, _Reader], ...] = tuple(
            (name, _READERS.get(kind.removesuffix("?"), _text))
            for name, kind in event.fields.items()
            if name not in pattern.set
        )
        self._constants = dict(pattern.set)
        self._derive = pattern.derive

    def read(self, groups: Mapping[str, str | None]) -> dict[str, Scalar]:
        """Fields of a match."""
        found: dict[str, Scalar] = dict(self._constants)
        for name, reader in self._captured:
            text = groups.get(name)
            if text:
                value = reader(text)
                if value is not None:
                    found[name] = value
        if self._derive:
            found.update(self._derived(groups))
        return found

    def _derived(self, groups: Mapping[str, str | None]) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {}
        for entry in self._derive:
            if entry.field not in found:
                value = _derived(entry.values, entry.default, groups.get(entry.source))
                if value is not None:
                    found[entry.field] = value
        return found


def _derived(values: Mapping[str, Scalar] | None, default: Scalar, text: str | None) -> Scalar:
    if text is None:
        return default
    if values is None:
        return text.strip() or default
    return values.get(text.strip().lower(), default)
