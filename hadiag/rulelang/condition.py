"""Conditions on one field: what stands right of a field name under ``where``.

::

    where:
      result: failed                       # equal
      action: [off, reboot]                # any of
      target: $op.target                   # join with another step
      node: {ne: $a.node}                  # operators, all of which have to hold
      rc: {gte: 1, not_in: [5, 7]}
      unclean: [true, null]                # null: the field is missing or not known
      members: {has: $lost.node}           # lists: has, lacks, disjoint
      msgwait_s: {lt: {ref: $dev.watchdog_s, times: 2}}

A comparison with a missing value never holds; ``null`` and ``exists`` speak of missing values.
"""

from __future__ import annotations

import re
from typing import Any

from hadiag.model.frozen import record

MAX_OPERANDS = 200

_REFERENCE = re.compile(r"\$([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")

SCALAR_OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "has", "lacks")
LIST_OPERATORS = ("in", "not_in", "disjoint")
TEXT_OPERATORS = ("matches", "startswith", "endswith")
OPERATORS = (*SCALAR_OPERATORS, *LIST_OPERATORS, *TEXT_OPERATORS, "exists")


@record
class Reference:
    """A field of another step; numbers are taken ``times`` and ``plus``."""

    step: str
    field: str
    times: float = 1.0
    plus: float = 0.0


Literal = str | int | float | bool
Operand = Literal | Reference | tuple["Literal | Reference", ...]


@record
class Test:
    """One operator with its operand."""

    operator: str
    operand: Operand


@record
class Condition:
    """Alternatives of which one has to hold; each is a row of tests that all have to hold."""

    any_of: tuple[tuple[Test, ...], ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """All fields of other steps that the condition looks at."""
        found: list[Reference] = []
        for tests in self.any_of:
            for test in tests:
                operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
                found.extend(operand for operand in operands if isinstance(operand, Reference))
        return tuple(found)

    @property
    def join(self) -> Reference | None:
        """The field that this one simply has to equal, if the condition is nothing else."""
        if len(self.any_of) == 1 and len(self.any_of[0]) == 1:
            test = self.any_of[0][0]
            plain = isinstance(test.operand, Reference) and (test.operand.times, test.operand.plus) == (1.0, 0.0)
            if test.operator == "eq" and plain and isinstance(test.operand, Reference):
                return test.operand
        return None


def parse_reference(text: str) -> Reference:
    """Read ``$step.field``.

    Raises:
        ValueError: the text is no reference.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError("expected a reference such as $step.field")
    return Reference(found[1], found[2])


def parse_condition(value: object) -> Condition:
    """Turn what stands in the file into a condition.

    Raises:
        ValueError: the value is no condition; the message says what was expected.
    """
    if isinstance(value, Condition):
        return value
    if not isinstance(value, list):
        return Condition((_alternative(value),))
    if not value or len(value) > MAX_OPERANDS:
        raise ValueError(f"expected between 1 and {MAX_OPERANDS} alternatives")
    return Condition(tuple(_alternative(item) for item in value))


def _alternative(value: object) -> tuple[Test, ...]:
    if value is None:
        return (Test("exists", operand=False),)
    if not isinstance(value, dict):
        return (Test("eq", _single(value)),)
    if not value:
        raise ValueError("expected at least one operator of " + ", ".join(OPERATORS))
    return tuple(_test(str(operator), operand) for operator, operand in value.items())


def _test(operator: str, operand: object) -> Test:
    if operator == "exists":
        if not isinstance(operand, bool):
            raise ValueError("expected 'exists: true' or 'exists: false'")
        return Test(operator, operand)
    if operator in TEXT_OPERATORS:
        return Test(operator, _text(operator, operand))
    if operator in LIST_OPERATORS:
        return Test(operator, _several(operator, operand))
    if operator in SCALAR_OPERATORS:
        return Test(operator, _single(operand))
    raise ValueError(f"unknown operator {operator!r}; expected one of " + ", ".join(OPERATORS))


def _text(operator: str, operand: object) -> str:
    if not isinstance(operand, str) or not 0 < len(operand) <= 500:
        raise ValueError(f"expected a text of at most 500 characters for {operator!r}")
    if operator == "matches":
        _check_regex(operand)
    return operand


def _check_regex(pattern: str) -> None:
    import re2

    try:
        re2.compile(pattern)
    except re2.error as error:
        raise ValueError(f"expected a regular expression in RE2 syntax: {error}") from None


def _several(operator: str, operand: object) -> Operand:
    if isinstance(operand, list) and 0 < len(operand) <= MAX_OPERANDS:
        return tuple(_single(item) for item in operand)
    if isinstance(operand, str) and operand.startswith("$"):
        return parse_reference(operand)
    raise ValueError(f"expected a list or a reference such as $step.field for {operator!r}")


def _single(value: object) -> Literal | Reference:
    if isinstance(value, str) and value.startswith("$"):
        return parse_reference(value)
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return _scaled(value)
    raise ValueError("expected a text, a number, true, false or a reference such as $step.field")


def _scaled(value: dict[Any, Any]) -> Reference:
    unknown = set(value) - {"ref", "times", "plus"}
    if unknown or not isinstance(value.get("ref"), str):
        raise ValueError("expected {ref: $step.field, times: number, plus: number}")
    numbers = [value.get("times", 1.0), value.get("plus", 0.0)]
    if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number in numbers):
        raise ValueError("expected numbers for 'times' and 'plus'")
    base = parse_reference(value["ref"])
    return Reference(base.step, base.field, float(numbers[0]), float(numbers[1]))
