"""Transitions from their calculation to their result, with their inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state import build_views
from tests.unit.state.builders import START, timeline
from tests.unit.state.cibs import cib

if TYPE_CHECKING:
    from hadiag.model.fact import Fact

RUN = """
+100.1s n1 pcmk.transition.calculated transition=4 pe_file=/var/lib/pacemaker/pengine/pe-input-9.bz2
+100.2s n1 pcmk.graph.start transition=4 pe_file=/var/lib/pacemaker/pengine/pe-input-9.bz2
+105s   n1 pcmk.transition.result transition=4 result=Complete pe_file=/var/lib/pacemaker/pengine/pe-input-9.bz2
"""


def transitions(lines: str, *facts: Fact) -> list[tuple[object, ...]]:
    """Number, start, end, result and input of each."""
    found = build_views(timeline(lines), list(facts)).of("transition")
    return [
        (
            v.value["number"],
            (v.start.ns - START) / 1e9 if v.start else None,
            (v.end.ns - START) / 1e9 if v.end else None,
            v.value["result"],
            v.value["input"],
        )
        for v in found
    ]


def test_a_transition_runs_from_its_calculation_to_its_result() -> None:
    """Its input is the file of that name that was made at that time."""
    old = cib("10s", file="pe-input-9.bz2")
    mine = cib("100s", file="pe-input-9.bz2")
    rows = transitions(RUN, old, mine)
    assert (4, 100.1, 105.0, "Complete", mine.path) in rows
    assert (None, 10.0, 10.0, "", old.path) in rows


def test_an_input_that_did_not_change_is_not_saved_again() -> None:
    """The next runs use the file of the first."""
    again = RUN.replace("+100", "+200").replace("+105", "+205").replace("transition=4", "transition=5")
    mine = cib("100s", file="pe-input-9.bz2")
    assert [row[4] for row in transitions(RUN + again, mine)] == [mine.path, mine.path]


def test_a_plan_that_another_replaced_is_a_transition_without_result() -> None:
    """Nothing of it was run."""
    lines = "+100s n1 pcmk.transition.calculated transition=3 pe_file=/p/pe-input-8.bz2\n" + RUN.replace("+100", "+104")
    assert transitions(lines) == [(3, 100.0, 100.0, "", None), (4, 104.1, 105.0, "Complete", None)]


def test_a_log_of_whole_seconds_tells_the_same_plan() -> None:
    """A copy of the plan from another log is no second transition."""
    copy = "+100s n1 pcmk.transition.calculated transition=4 pe_file=/var/lib/pacemaker/pengine/pe-input-9.bz2\n"
    assert [row[0] for row in transitions(copy + RUN)] == [4]


def test_without_any_log_each_input_is_a_transition() -> None:
    """The result is not known."""
    one = cib("100s", file="pe-warn-2.bz2")
    assert transitions("+0s n2 pacemakerd.start", one) == [(None, 100.0, 100.0, "", one.path)]
