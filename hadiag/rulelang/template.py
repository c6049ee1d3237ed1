"""Texts with places for values: ``"{op.target} could not be fenced within {op.duration}"``.

``{op.exit_reason?}`` writes nothing where the value is not known. A place is a step and a field, nothing else: no expressions, no format specifications, no attribute access.
``{{`` and ``}}`` print braces.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from hadiag.model.entity import Scalar
from hadiag.model.frozen import record

MAX_VALUE = 200
"""Longest value in a text; values come from logs and may be of any size."""

UNKNOWN = "unknown"

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)(\?)?\}|[{}]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@record
class Place:
    """A place in a text: field of a step. ``optional``: nothing is written where the value is not known."""

    step: str
    field: str
    optional: bool = False


@record
class Template:
    """A text cut into literal pieces and places."""

    source: str
    pieces: tuple[str | Place, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """All places in the text."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Place))

    def fill(self, value: Callable[[str, str], Scalar]) -> str:
        """Write the text with the values that ``value(step, field)`` gives."""

        def word(place: Place) -> str:
            scalar = value(place.step, place.field)
            if place.optional and scalar in {None, "", ()}:
                return ""
            return format_value(place.field, scalar)

        return _tidy(self._join(word)) if any(place.optional for place in self.places) else self._join(word)

    def fill_command(self, value: Callable[[str, str], Scalar]) -> str:
        """Write a shell command; a value is quoted, an unknown one is the name of its field in capitals."""

        def word(place: Place) -> str:
            scalar = value(place.step, place.field)
            if scalar is None or scalar == ():
                return place.field.upper()
            return " ".join(shlex.quote(_clean(str(part))) for part in _parts(scalar))

        return self._join(word)

    def _join(self, word: Callable[[Place], str]) -> str:
        return "".join(word(piece) if isinstance(piece, Place) else piece for piece in self.pieces)


def parse_template(value: object) -> Template:
    """Cut a text into pieces.

    Raises:
        ValueError: a brace is neither a place nor doubled.
    """
    if isinstance(value, Template):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    pieces: list[str | Place] = []
    position = 0
    for found in _PIECE.finditer(value):
        pieces.append(value[position : found.start()])
        pieces.append(_piece(found))
        position = found.end()
    pieces.append(value[position:])
    return Template(value, tuple(piece for piece in pieces if piece != ""))


def _piece(found: re.Match[str]) -> str | Place:
    if found[1]:
        return Place(found[1], found[2], optional=bool(found[3]))
    if found[0] in {"{{", "}}"}:
        return found[0][0]
    raise ValueError("expected {step.field} (lower case), or {{ and }} for plain braces")


def _tidy(text: str) -> str:
    """Take away the blanks that a value left open."""
    return re.sub(r"\s+([.,;:)])", r"\1", " ".join(text.split()))


def format_value(field: str, value: Scalar) -> str:
    """Write a value for people: durations with unit, lists as words, the unknown as ``unknown``."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return format_list(value)
    if isinstance(value, (int, float)):
        return _format_number(field, value)
    return _clean(value)


def format_list(values: tuple[str, ...]) -> str:
    """Write ``a``, ``a and b`` or ``a, b and c``; more than ten are counted."""
    words = [_clean(str(value)) for value in values]
    if not words:
        return "none"
    if len(words) > 10:
        return f"{', '.join(words[:9])} and {len(words) - 9} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def format_duration(seconds: float) -> str:
    """Write a duration with its unit: ``0.3 s``, ``20 s``, ``2 min``, ``1 h 5 min``, ``2 d 3 h``."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 10:
        return f"{seconds:.3g} s" if seconds >= 0.1 or seconds == 0 else f"{seconds * 1000:.3g} ms"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    for size, unit, small, small_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {small_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def _format_number(field: str, value: float) -> str:
    if field.endswith("_s"):
        return format_duration(value)
    if field.endswith("_ms"):
        return format_duration(value / 1000)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _parts(value: Scalar) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


def _clean(text: str) -> str:
    plain = _CONTROL.sub(" ", text).strip()
    return plain if len(plain) <= MAX_VALUE else plain[: MAX_VALUE - 1] + "…"
