"""Failures that only the history in the CIB tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.fact import Fact
from hadiag.state import build_views
from tests.unit.state.builders import START, timeline

if TYPE_CHECKING:
    from hadiag.model.entity import Scalar

CHANGED = START + 5_000_000_000


def _history(**more: Scalar) -> Fact:
    values: dict[str, Scalar] = {
        "resource": "app",
        "node": "n1",
        "op": "stop",
        "interval_ms": 0,
        "rc": 1,
        "op_status": 2,
        "last_rc_change_ns": CHANGED,
        "transition_key": "2:5:0:0b6f",
        "exit_reason": "too slow",
    }
    return Fact("rsc.history", values | more, "b", "n1/cib.xml", 9, "n1")


def test_a_failed_stop_without_any_log() -> None:
    """The time, the outcome and the statement itself are kept."""
    history = _history()
    found = build_views(timeline("+0s n1 x.y"), [history]).of("rsc.operation")
    assert [(v.value["op"], v.value["status"], v.value["expected"]) for v in found] == [("stop", "timeout", False)]
    assert found[0].start is not None
    assert found[0].start.ns == CHANGED
    assert found[0].told_by is history


def test_what_a_line_tells_is_not_told_twice() -> None:
    """The log knows more; the history adds nothing to it."""
    line = "+5s n1 pcmk.op.result_new rsc=app op=stop node=n1 rc=1 result=error interval_ms=0 call=9"
    found = build_views(timeline(line), [_history()]).of("rsc.operation")
    assert [v.told_by for v in found] == [None]


def test_what_was_wanted_is_no_failure() -> None:
    """A result that the scheduler asked for, a probe, or an operation that is not finished, is none."""
    wanted = _history(rc=0, op_status=0)
    probe = _history(op="monitor", rc=7, op_status=0, transition_key="3:5:7:0b6f")
    pending = _history(op="start", rc=193, op_status=-1)
    found = build_views(timeline("+0s n1 x.y"), [wanted, probe, pending])
    assert found.of("rsc.operation") == ()
