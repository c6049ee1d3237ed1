"""Confirming what the scan found: which event type a message is, and with which fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hadiag.catalogue.fields import FieldReader
from hadiag.catalogue.programs import agent_tag, canonical, printed_by
from hadiag.catalogue.samples import tidy
from hadiag.catalogue.types import Catalogue, EventType, Match, Pattern
from hadiag.model.entity import Scalar

LINE_LIMIT: Final = 8192
"""Characters of a line that a regex may see."""

_SHORTEST: Final = 200  # characters for an expression that RE2 does not know
_BACKTRACK: Final = {0: 600, 1: 600, 2: 600, 3: 130}
"""Longest message that ``re`` may try, by the freedom of the pattern: some 400,000 steps at worst. Longer ones are searched
in linear time by RE2, so that no hostile line holds up the run."""


class Matcher:
    """Tells the event type of a message from the patterns that may match it.

    Every candidate whose program fits is asked; of those that confirm the message, the one with the most literal text
    wins, then the one that stands first in the catalogue. Expressions are compiled when they are first asked.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._compiled: dict[int, re.Pattern[str]] = {}
        self._linear: dict[int, Any] = {}
        self._readers: dict[int, FieldReader] = {}
        self._programs = {name: frozenset(map(canonical, event.programs)) for name, event in catalogue.types.items()}
        order = sorted(range(len(catalogue.patterns)), key=lambda index: (-catalogue.patterns[index].weight, index))
        self._rank = {index: rank for rank, index in enumerate(order)}

    def match(self, program: str | None, message: str, details: str | None, candidates: Iterable[int]) -> Match | None:
        """Match one message.

        Args:
            program: the program as printed, None where it is not known (any type fits then).
            message: the message without envelope.
            details: text behind ``|`` that only Pacemaker's own log has; tried with it first, then without.
            candidates: ids of patterns that the scan reported for the line.
        """
        ids = list(dict.fromkeys(candidates))
        if not ids:
            return None
        if len(ids) > 1:
            ids.sort(key=self._rank.__getitem__)
        bare = tidy(message[:LINE_LIMIT])
        texts = (f"{bare} | {tidy(details[:LINE_LIMIT])}"[:LINE_LIMIT], bare) if details else (bare,)
        for pattern_id in ids:
            pattern = self._catalogue.patterns[pattern_id]
            if not printed_by(program, self._programs[pattern.type]):
                continue
            for text in texts:
                groups = self._groups(pattern, text)
                if groups is not None:
                    return Match(pattern.type, self._fields(pattern, groups, program), pattern_id)
        return None

    def candidates(self, text: str) -> list[int]:
        """Ids of the patterns whose literal stands in a text: the slow way, for a single line."""
        text = tidy(text[:LINE_LIMIT])
        lower = text.lower()
        return [
            pattern.id
            for pattern in self._catalogue.patterns
            if pattern.literal in text or ("(?i" in pattern.regex and pattern.literal.lower() in lower)
        ]

    def _fields(self, pattern: Pattern, groups: Mapping[str, str | None], program: str | None) -> dict[str, Scalar]:
        event = self._catalogue.types[pattern.type]
        reader = self._readers.get(pattern.id)
        if reader is None:
            reader = self._readers[pattern.id] = FieldReader(event, pattern)
        fields = reader.read(groups)
        return _with_tag(event, fields, program) if program and "(" in program else fields

    def _groups(self, pattern: Pattern, text: str) -> Mapping[str, str | None] | None:
        limit = _BACKTRACK.get(pattern.freedom, 0)
        if len(text) > limit:
            expression = self._linear_expression(pattern)
            if expression is not None:
                found = expression.search(text)
                return None if found is None else found.groupdict()
            text = text[: limit or _SHORTEST]
        compiled = self._compiled.get(pattern.id)
        if compiled is None:
            compiled = self._compiled[pattern.id] = re.compile(pattern.regex)
        match = compiled.search(text)
        return None if match is None else match.groupdict()

    def _linear_expression(self, pattern: Pattern) -> Any:  # noqa: ANN401 - google-re2 has no types
        if pattern.id not in self._linear:
            import re2

            options = re2.Options()
            options.log_errors = False
            try:
                self._linear[pattern.id] = re2.compile(pattern.regex, options)
            except re2.error:
                self._linear[pattern.id] = None
        return self._linear[pattern.id]


def _with_tag(event: EventType, fields: dict[str, Scalar], program: str | None) -> dict[str, Scalar]:
    """Fill the fields ``agent`` and ``resource`` from a tag such as ``Filesystem(fs1)`` where the text has none."""
    tag = agent_tag(program)
    if tag is not None:
        for name, value in zip(("agent", "resource"), tag, strict=True):
            if name in event.fields and name not in fields:
                fields[name] = value
    return fields
