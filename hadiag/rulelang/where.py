"""Compile conditions into closures; nothing is interpreted per row, and nothing is evaluated as code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import re2

from hadiag.model.entity import Scalar
from hadiag.rulelang.condition import Condition, Reference, Test
from hadiag.rulelang.rows import Row, as_tuple, canonical

Binding = Mapping[str, Row]
"""Rows that the steps of a match have bound so far."""

RowTest = Callable[[Row], bool]
BoundTest = Callable[[Row, Binding], bool]
_Compare = Callable[[Scalar, Scalar], bool]

MAX_TEXT: Final = 2000
"""Texts are cut to this length before a pattern sees them."""

_NUMBER = re.compile(r"\s*([-+]?\d{1,18}(?:\.\d{1,9})?)\s*(ms|us|s|sec|min|m|h|hr)?\s*")
_UNIT_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "0"})


def number(value: Scalar) -> float | None:
    """Read a number, or a time such as ``60s`` in seconds; None for anything else."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    return float(found[1]) * _UNIT_S[found[2]] if found[2] else float(found[1])


def equal(value: Scalar, operand: Scalar) -> bool:
    """Compare values of different types; a boolean also equals the words that Pacemaker takes for one."""
    if isinstance(operand, bool) and isinstance(value, str):
        return value.strip().lower() in (_TRUE if operand else _FALSE)
    if isinstance(value, bool) and isinstance(operand, str):
        return operand.strip().lower() in (_TRUE if value else _FALSE)
    return canonical(value) == canonical(operand)


def _sized(compare: Callable[[float, float], bool]) -> _Compare:
    def test(value: Scalar, operand: Scalar) -> bool:
        left, right = number(value), number(operand)
        return left is not None and right is not None and compare(left, right)

    return test


def _is_in(value: Scalar, operand: Scalar) -> bool:
    allowed = as_tuple(operand)
    values = as_tuple(value)
    return bool(values) and all(part in allowed for part in values)


def _has(value: Scalar, operand: Scalar) -> bool:
    wanted, present = as_tuple(operand), as_tuple(value)
    return bool(wanted) and all(part in present for part in wanted)


def _disjoint(value: Scalar, operand: Scalar) -> bool:
    return not set(as_tuple(value)) & set(as_tuple(operand))


_COMPARE: dict[str, _Compare] = {
    "eq": equal,
    "ne": lambda value, operand: not equal(value, operand),
    "gt": _sized(lambda left, right: left > right),
    "gte": _sized(lambda left, right: left >= right),
    "lt": _sized(lambda left, right: left < right),
    "lte": _sized(lambda left, right: left <= right),
    "in": _is_in,
    "not_in": _disjoint,
    "has": _has,
    "lacks": _disjoint,
    "disjoint": _disjoint,
}


@lru_cache(maxsize=512)
def _searcher(pattern: str) -> Callable[[str], object]:
    compiled: Callable[[str], object] = re2.compile(pattern).search
    return compiled


def _text_test(field: str, test: Test) -> RowTest:
    wanted = str(test.operand)
    search = _searcher(wanted) if test.operator == "matches" else None

    def holds(row: Row) -> bool:
        value = row.get(field)
        if value is None or isinstance(value, tuple):
            return False
        text = str(value)[:MAX_TEXT]
        if search is not None:
            return search(text) is not None
        return text.startswith(wanted) if test.operator == "startswith" else text.endswith(wanted)

    return holds


def _static_test(field: str, test: Test) -> RowTest:
    if test.operator == "exists":
        wanted = bool(test.operand)
        return lambda row: (row.get(field) not in (None, "", ())) is wanted
    if test.operator in {"matches", "startswith", "endswith"}:
        return _text_test(field, test)
    operand = _constant(test)
    compare = _COMPARE[test.operator]
    if test.operator == "eq" and isinstance(operand, str):
        return lambda row: _same_text(row.get(field), operand)

    def holds(row: Row) -> bool:
        value = row.get(field)
        return value is not None and compare(value, operand)

    return holds


def _same_text(value: Scalar, operand: str) -> bool:
    if isinstance(value, str):
        return value == operand
    return value is not None and equal(value, operand)


def _constant(test: Test) -> Scalar:
    if isinstance(test.operand, tuple):
        return tuple(str(canonical(part)) for part in test.operand if not isinstance(part, Reference))
    if isinstance(test.operand, Reference):
        raise TypeError("a reference is no constant")
    return test.operand


def value_of(reference: Reference, binding: Binding) -> Scalar:
    """Value of a field of another step, scaled if the reference says so; None while the step is not bound."""
    row = binding.get(reference.step)
    value = None if row is None else row.get(reference.field)
    if (reference.times, reference.plus) == (1.0, 0.0):
        return value
    size = number(value)
    return None if size is None else size * reference.times + reference.plus


def _bound_test(field: str, test: Test) -> BoundTest:
    compare = _COMPARE[test.operator]
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    listed = isinstance(test.operand, tuple)

    def holds(row: Row, binding: Binding) -> bool:
        value = row.get(field)
        if value is None:
            return False
        given = [value_of(each, binding) if isinstance(each, Reference) else each for each in operands]
        if any(each is None for each in given):
            return False
        operand: Scalar = tuple(str(canonical(each)) for each in given) if listed else given[0]
        return compare(value, operand)

    return holds


def _has_reference(test: Test) -> bool:
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    return any(isinstance(operand, Reference) for operand in operands)


def compile_static(field: str, condition: Condition) -> RowTest:
    """Closure of a condition without references."""
    rows = [[_static_test(field, test) for test in tests] for tests in condition.any_of]
    if len(rows) == 1:
        tests = rows[0]
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)
    words = _plain_words(condition)
    if words is not None:
        return lambda row: row.get(field) is not None and canonical(row.get(field)) in words
    return lambda row: any(all(test(row) for test in tests) for tests in rows)


def plain_words(condition: Condition) -> frozenset[str] | None:
    """Values of a condition that is nothing but a list of words, for an index; None for any other."""
    words = _plain_words(condition)
    if words is None or any(word.lower() in _TRUE | _FALSE for word in words):
        return None
    return words


def _plain_words(condition: Condition) -> frozenset[str] | None:
    """Alternatives that are nothing but texts and numbers compare in one look-up."""
    words = set()
    for tests in condition.any_of:
        operand = tests[0].operand
        if len(tests) != 1 or tests[0].operator != "eq" or isinstance(operand, (bool, tuple, Reference)):
            return None
        words.add(str(canonical(operand)))
    return frozenset(words)


def compile_bound(field: str, condition: Condition) -> BoundTest:
    """Closure of a condition that looks at other steps."""
    rows = [[_either_test(field, test) for test in tests] for tests in condition.any_of]
    return lambda row, binding: any(all(test(row, binding) for test in tests) for tests in rows)


def _either_test(field: str, test: Test) -> BoundTest:
    if _has_reference(test):
        return _bound_test(field, test)
    plain = _static_test(field, test)
    return lambda row, _binding: plain(row)
