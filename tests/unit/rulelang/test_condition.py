"""Conditions on fields: parsing and truth."""

from collections.abc import Mapping
from typing import Any

import pytest

from hadiag.model.entity import Scalar
from hadiag.rulelang.condition import parse_condition
from hadiag.rulelang.rows import Row
from hadiag.rulelang.where import compile_bound, compile_static


def row(fields: Mapping[str, Scalar], observer: str = "n1") -> Row:
    """A row with these fields."""
    return Row(fields, observer, None, None)


def holds(condition: Any, value: Scalar, **others: Row) -> bool:
    """Truth of a condition on one value; both ways of compiling have to agree."""
    parsed = parse_condition(condition)
    own = row({} if value is None else {"f": value})
    bound = compile_bound("f", parsed)(own, others)
    if not parsed.references:
        assert compile_static("f", parsed)(own) is bound
    return bound


@pytest.mark.parametrize(
    ("condition", "value", "truth"),
    [
        ("failed", "failed", True),
        ("failed", "ok", False),
        (7, "7", True),
        ("7", 7, True),
        (7, 7.0, True),
        (True, True, True),
        (True, "yes", True),
        (False, "off", True),
        (True, "maybe", False),
        (["off", "reboot"], "reboot", True),
        (["off", "reboot"], "on", False),
        ([5, "x"], 5, True),
        (None, None, True),
        (None, "x", False),
        ([None, "x"], None, True),
        ([None, {"lt": 3}], 2, True),
        ([None, {"lt": 3}], 4, False),
        ({"ne": "x"}, "y", True),
        ({"ne": "x"}, None, False),
        ({"in": ["a", "b"]}, "b", True),
        ({"not_in": ["a", "b"]}, "b", False),
        ({"not_in": ["a", "b"]}, "c", True),
        ({"not_in": ["a", "b"]}, None, False),
        ({"gt": 3}, 4, True),
        ({"gte": 3, "lt": 5}, 5, False),
        ({"gte": 3, "lt": 5}, 4, True),
        ({"lt": "2min"}, "60s", True),
        ({"gt": "60"}, "90s", True),
        ({"gt": 3}, "many", False),
        ({"gt": 0}, True, False),
        ({"has": "n2"}, ("n1", "n2"), True),
        ({"lacks": "n2"}, ("n1", "n2"), False),
        ({"lacks": "n3"}, ("n1", "n2"), True),
        ({"lacks": "n3"}, None, False),
        ({"disjoint": ["n1"]}, ("n2", "n3"), True),
        ({"startswith": "vip"}, "vip-1", True),
        ({"endswith": "-1"}, "vip-1", True),
        ({"matches": "^vip-[0-9]+$"}, "vip-1", True),
        ({"matches": "vip"}, "my vip", True),
        ({"exists": True}, "x", True),
        ({"exists": True}, (), False),
        ({"exists": False}, None, True),
    ],
)
def test_truth_of_conditions(condition: Any, value: Scalar, truth: bool) -> None:
    """Each operator says what the documentation says; a missing value fulfils nothing but null and exists."""
    assert holds(condition, value) is truth


def test_joins_compare_with_other_steps() -> None:
    """References compare with fields of other rows, in all operators."""
    other = row({"node": "n2", "members": ("n1", "n2"), "watchdog": "5s", "none": None})
    assert holds("$o.node", "n2", o=other)
    assert holds({"ne": "$o.node"}, "n1", o=other)
    assert holds({"in": "$o.members"}, "n1", o=other)
    assert holds({"not_in": "$o.members"}, "n3", o=other)
    assert holds({"disjoint": "$o.members"}, ("n3",), o=other)
    assert holds({"lt": {"ref": "$o.watchdog", "times": 2}}, "9s", o=other)
    assert not holds({"lt": {"ref": "$o.watchdog", "times": 2}}, "10s", o=other)
    assert holds({"gte": {"ref": "$o.watchdog", "plus": 5}}, 10, o=other)


def test_a_join_with_a_missing_value_does_not_hold() -> None:
    """Two missing values are not equal."""
    assert not holds("$o.none", None, o=row({}))
    assert not holds({"ne": "$o.none"}, "x", o=row({}))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"like": "x"}, "unknown operator 'like'"),
        ({}, "at least one operator"),
        ([], "between 1 and"),
        ({"in": "x"}, "expected a list or a reference"),
        ({"exists": "yes"}, "exists: true"),
        ({"matches": "("}, "RE2 syntax"),
        ({"matches": "(?=x)"}, "RE2 syntax"),
        ({"matches": "x" * 501}, "at most 500"),
        ("$op", "expected a reference"),
        ("$op.a.b", "expected a reference"),
        ({"lt": {"ref": "$a.b", "factor": 2}}, "expected {ref"),
        ({"lt": {"ref": "$a.b", "times": True}}, "expected numbers"),
        ([["x"]], "expected a text"),
    ],
)
def test_says_what_was_expected(condition: Any, message: str) -> None:
    """What is no condition is refused with the reason."""
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        parse_condition(condition)


def test_patterns_run_in_linear_time() -> None:
    """A pattern that would make a backtracking engine run for ever does not."""
    assert not holds({"matches": "^(a+)+$"}, "a" * 1500 + "b")
