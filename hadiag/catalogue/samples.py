"""What a pattern must prove before it is loaded: its fields exist, and each sample matches with the expected fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hadiag.catalogue.fields import FieldReader, typed
from hadiag.catalogue.types import EventType, Pattern, Sample
from hadiag.model.entity import Scalar

Complaint = tuple[tuple[str | int, ...], str]
"""Key inside the pattern, and what was expected."""


def tidy(message: str) -> str:
    """A message as the confirming regex sees it: runs of white space collapsed, ends stripped."""
    return " ".join(message.split())


def check_pattern(event: EventType, pattern: Pattern, groups: Sequence[str]) -> Iterator[Complaint]:
    """Tell all that is wrong with a pattern whose regex compiles."""
    yield from _check_sources(event, pattern, groups)
    yield from _check_required(event, pattern, groups)
    regex = re.compile(pattern.regex)
    for index, sample in enumerate(pattern.samples):
        yield from ((("samples", index, *key), text) for key, text in _check_sample(event, pattern, regex, sample))


def _check_sources(event: EventType, pattern: Pattern, groups: Sequence[str]) -> Iterator[Complaint]:
    sources = {entry.source for entry in pattern.derive}
    for name in groups:
        if name not in event.fields and name not in sources:
            yield ("regex",), f"a declared field as name of the group {name!r}, or a derive entry that reads it"
    for name, constant in pattern.set.items():
        yield from _check_value(event, name, constant, ("set", name))
        if name in groups:
            yield ("set", name), "a field that the regex does not capture"
    for index, entry in enumerate(pattern.derive):
        if entry.source not in groups:
            yield ("derive", index, "from"), f"a named group of the regex, not {entry.source!r}"
        constants: tuple[Scalar, ...] = (*(entry.values or {}).values(), entry.default)
        for value in constants:
            yield from _check_value(event, entry.field, value, ("derive", index))


def _check_value(event: EventType, name: str, value: Scalar, key: tuple[str | int, ...]) -> Iterator[Complaint]:
    kind = event.fields.get(name)
    if kind is None:
        yield key, f"a declared field, not {name!r}"
    elif value is not None and not fits(kind, value):
        hint = f" (declare {name!r} as bool)" if isinstance(value, bool) else ""
        yield key, f"a value of type {kind}, not {value!r}{hint}"


def _check_required(event: EventType, pattern: Pattern, groups: Sequence[str]) -> Iterator[Complaint]:
    given = {*groups, *pattern.set, *(entry.field for entry in pattern.derive)}
    for name, kind in event.fields.items():
        if name not in given and not kind.endswith("?"):
            yield ("regex",), f"a group for the field {name!r}, or its type as {kind + '?'!r} (may be absent)"


def _check_sample(event: EventType, pattern: Pattern, regex: re.Pattern[str], sample: Sample) -> Iterator[Complaint]:
    line = tidy(sample.line)
    found = regex.search(line)
    if not _holds(pattern, line):
        yield ("line",), "the literal of the pattern, as it stands"
    if found is None:
        yield ("line",), "a line that the regex matches"
        return
    raw = line.encode("utf-8", "surrogateescape")
    if not any(re.search(copy, raw) for copy in pattern.block_regexes):
        yield ("line",), f"a line that a block copy hits ({b' or '.join(pattern.block_regexes).decode()})"
    values = FieldReader(event, pattern).read(found.groupdict())
    for name, kind in event.fields.items():
        if not kind.endswith("?") and name not in values:
            yield ("line",), f"a value for the field {name!r} of type {kind}"
    for name, wanted in sample.fields.items():
        if name not in event.fields:
            yield ("fields", name), "a declared field"
        elif not _equal(event.fields[name], wanted, values.get(name)):
            yield ("fields", name), f"{wanted!r} (as the sample says), but the regex yields {values.get(name)!r}"


def _holds(pattern: Pattern, line: str) -> bool:
    return pattern.literal in line or ("(?i" in pattern.regex and pattern.literal.lower() in line.lower())


def fits(kind: str, value: Scalar) -> bool:
    """Whether a constant is a value of a field type."""
    word = kind.removesuffix("?")
    if word == "bool":
        return isinstance(value, bool)
    if word == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if word == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, tuple if word == "list" else str)


def _equal(kind: str, wanted: Scalar, found: Scalar) -> bool:
    if wanted is None or found is None:
        return wanted is found
    if isinstance(wanted, (tuple, bool)):
        return wanted == found
    if isinstance(found, str):  # 12 in the YAML is the text "12" of a word field
        return found == str(wanted)
    return found == typed(kind, str(wanted))
