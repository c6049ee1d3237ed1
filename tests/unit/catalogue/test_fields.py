"""Values of event fields."""

from __future__ import annotations

import pytest

from hadiag.catalogue.fields import INFINITY, typed
from hadiag.catalogue.programs import agent_tag, canonical, printed_by
from hadiag.model.entity import Scalar


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("word", " lost ", "lost"),
        ("word?", "", None),
        ("int", "-5", -5),
        ("int", "INFINITY", INFINITY),
        ("int", "-INFINITY", -INFINITY),
        ("int", "12s", None),
        ("int", "9" * 400, None),
        ("float", "1.5", 1.5),
        ("float", "inf", None),
        ("float", "nan", None),
        ("bool", "Yes", True),
        ("bool", "off", False),
        ("bool", "maybe", None),
        ("list", "3 1,  2", ("1", "2", "3")),
        ("list?", " ", None),
        ("hex", "8f3a", "8f3a"),
    ],
)
def test_text_becomes_a_value_of_the_declared_type(kind: str, text: str, value: Scalar) -> None:
    """What is no such value is absent, never an error."""
    assert typed(kind, text) == value


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("crmd", "pacemaker-controld"),
        ("stonithd", "pacemaker-fenced"),
        ("pacemaker-contr", "pacemaker-controld"),
        ("Filesystem(fs1)", "Filesystem"),
        ("/usr/sbin/corosync", "corosync"),
        ("corosync", "corosync"),
    ],
)
def test_a_program_has_one_name(printed: str, name: str) -> None:
    """Old, cut and tagged names of a program are the same program."""
    assert canonical(printed) == name


def test_any_program_fits_where_none_is_known() -> None:
    """A type without programs fits any program, and a line without a program fits any type."""
    assert printed_by("sshd", ())
    assert printed_by(None, {"corosync"})
    assert not printed_by("sshd", {"corosync"})


def test_a_tag_names_agent_and_resource() -> None:
    """A tag that syslog cut short still names both."""
    assert agent_tag("IPaddr2(vip)") == ("IPaddr2", "vip")
    assert agent_tag("IPaddr2(a_very_long_na") == ("IPaddr2", "a_very_long_na")
    assert agent_tag("corosync") is None
