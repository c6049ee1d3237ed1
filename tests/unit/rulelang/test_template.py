"""Texts with places for values."""

import pytest

from hadiag.model.entity import Scalar
from hadiag.rulelang.template import format_duration, format_value, parse_template


def values(step: str, field: str) -> Scalar:
    """Values of a made-up match."""
    known: dict[str, Scalar] = {
        "target": "node2",
        "devices": ("ipmi1", "ipmi2", "pdu"),
        "duration_s": 0.3,
        "timeout_ms": 90000,
        "evil": "$(reboot)\x1b[31m",
        "long": "x" * 5000,
    }
    return known.get(field)


def test_puts_values_in() -> None:
    """Lists read as words, durations carry a unit, what is missing is unknown."""
    text = parse_template("{op.target} by {op.devices} in {op.duration_s} of {op.timeout_ms}: {op.reason}")
    assert text.fill(values) == "node2 by ipmi1, ipmi2 and pdu in 0.3 s of 90 s: unknown"


def test_doubled_braces_are_braces() -> None:
    """Two braces print one."""
    assert parse_template("{{x}} {op.target}").fill(values) == "{x} node2"


@pytest.mark.parametrize(
    "text",
    ["{op}", "{op.target!r}", "{op.target:>1000000}", "{op.a.b}", "{0}", "{op.__class__}", "{", "a}", "{OP.X}", ""],
)
def test_refuses_everything_but_a_place(text: str) -> None:
    """No format specifications, no attributes, no indices."""
    with pytest.raises(ValueError, match="expected"):
        parse_template(text)


def test_values_from_logs_cannot_break_a_text() -> None:
    """Control characters are dropped and long values are cut."""
    assert "\x1b" not in parse_template("{op.evil}").fill(values)
    assert len(parse_template("{op.long}").fill(values)) == 200


def test_commands_quote_values() -> None:
    """A value in a command cannot run anything; an unknown one is a word to replace."""
    command = parse_template("pcs stonith fence {op.evil} {op.target} {op.node}").fill_command(values)
    assert command == "pcs stonith fence '$(reboot) [31m' node2 NODE"


def test_values_are_not_templates() -> None:
    """A value with braces is printed as it is."""
    assert parse_template("{a.x}").fill(lambda _step, _field: "{b.y}") == "{b.y}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.004, "4 ms"),
        (0.31, "0.31 s"),
        (20, "20 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3900, "1 h 5 min"),
        (97200, "1 d 3 h"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """A duration is as long as it is useful."""
    assert format_duration(seconds) == text


def test_long_lists_are_counted() -> None:
    """A list of more than ten is cut and counted."""
    assert format_value("nodes", tuple(f"n{i}" for i in range(12))).endswith("n8 and 3 more")
