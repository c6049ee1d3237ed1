"""Steps of a wall clock."""

from __future__ import annotations

import pytest

from hadiag.model.time import NS
from hadiag.model.tri import Tri
from tests.unit.timeline.builders import Log, members, timeline, utc


def stepped(by_s: float, *paths: str) -> list[Log]:
    """Logs of a node whose clock steps at 10:05."""
    logs = [Log("a", path, family=path.split("/")[1].split(".")[0]) for path in paths]
    for log in logs:
        log.graph("10:00:00")
        for number in range(10):
            log.skew_s = by_s if number >= 5 else 0
            log.add(f"10:0{number}:00.5", "pcmk.node.state", f"{log.path} {number}", node="b", state="lost")
        for number in range(20):
            log.add(f"10:{10 + number}:00.5", "pcmk.node.state", f"{log.path} late {number}", node="b", state="lost")
    return logs


def test_step_back_keeps_the_order_of_lines() -> None:
    """The log runs back by 90 s; aligned, the lines keep their order and one step is told."""
    line = timeline(stepped(-90, "a/pacemaker.log"))
    assert [event.seq for event in line.events] == list(range(1, 32))
    (step,) = line.clocks[line.nodes[0].name].steps
    assert step.by_s == pytest.approx(-30, abs=0.01)  # 90 s back in a pause of 60 s


def test_size_that_chrony_prints_counts() -> None:
    """chrony knows the size exactly; the aligned times of the longer stretch stay as printed."""
    (log,) = stepped(-90, "a/pacemaker.log")
    daemon = Log("a", "a/messages", family="system", style="iso", skew_s=-90)
    daemon.add("10:05:00.1", "chrony.step", "System clock was stepped by -90.0 seconds", offset_s=-90.0)
    line = timeline([log, daemon])
    (step,) = line.clocks[line.nodes[0].name].steps
    assert step.by_s == -90
    times = {event.message: event.at.ns for event in line.events if event.at}
    assert times["a/pacemaker.log 9"] - times["a/pacemaker.log 0"] == utc("10:09:00") - utc("10:00:00")


def test_lines_out_of_order_are_no_step() -> None:
    """Two daemons write one file; a second back and forth is no change of the clock."""
    log = Log("a", "a/pacemaker.log")
    log.graph("10:00:00")
    for at in ("10:00:05.0", "10:00:03.2", "10:00:06.0"):
        log.add(at, "pcmk.node.state", at, node="b", state="lost")
    assert timeline([log]).clocks[timeline([log]).nodes[0].name].steps == ()


def test_merged_file_is_no_stepping_clock() -> None:
    """A file that runs back again and again was put together from others."""
    log = Log("a", "a/pacemaker.log")
    log.graph("10:00:00")
    for number in range(20):
        log.add(f"10:{10 + number % 2 * 5}:{number:02d}.0", "pcmk.node.state", str(number), node="b", state="lost")
    line = timeline([log])
    assert line.clocks[line.nodes[0].name].steps == ()


def test_step_of_the_reference_clock_is_its_own() -> None:
    """Both other nodes jump alike against the reference: the reference stepped, and the others have one skew."""
    logs = [Log(name, f"{name}/pacemaker.log") for name in ("a", "b", "c")]
    for log in logs:
        log.graph("10:00:00")
    for number in range(12):
        logs[0].skew_s = 0 if number < 6 else 30
        for log in logs:
            log.ring(f"10:{number:02d}:00.5", f"1.{number:x}", joined="1 2 3")
            log.diff(f"10:{number:02d}:20.5", f"0.{number}.1")
    line = timeline(logs, members("a", "b", "c"))
    clocks = {node.name: line.clocks[node.name] for node in line.nodes}
    reference = next(name for name, clock in clocks.items() if clock.is_reference)
    assert reference == "a"
    assert [step.by_s for step in clocks["a"].steps] == [pytest.approx(30, abs=0.1)]  # type: ignore[index]
    assert [len(clocks[name].skews) for name in ("b", "c")] == [1, 1]  # type: ignore[index]


def partition(a_steps: tuple[str, float], b_steps: tuple[str, float] = ("11:00:00", 0.0)) -> list[Log]:
    """Two nodes that share facts at 10:00 and, after a time apart, at 10:10; each clock steps at a moment."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")
    for log, (moment, by_s) in ((a, a_steps), (b, b_steps)):
        for number in range(60):
            at = utc("10:00:00") + number * 10 * NS
            log.skew_s = by_s if at >= utc(moment) else 0.0
            if number == 0:
                log.graph("10:00:00")
            shared = number < 12 or number > 48
            if shared:
                log.ring(at + NS // 2, f"1.{number:x}", joined="1 2")
                log.diff(at + NS, f"0.{number}.1")
            log.add(at + 2 * NS + number * 1_000_000, "kernel.oom", f"{log.node} {number}")
    return [a, b]


@pytest.mark.parametrize("by_s", [-90.0, 300.0])
@pytest.mark.parametrize("node", ["a", "b"])
def test_step_while_nodes_are_apart_is_of_the_node_that_made_it(node: str, by_s: float) -> None:
    """No fact is shared around the step: the log that runs back, or the one with a gap, tells whose clock it was."""
    step, none = ("10:05:00", by_s), ("11:00:00", 0.0)
    line = timeline(partition(step, none) if node == "a" else partition(none, step), members("a", "b"))
    found = {str(name): clock.steps for name, clock in line.clocks.items() if clock.steps}
    assert {name: [one.by_s for one in steps] for name, steps in found.items()} == {
        node: [pytest.approx(by_s, abs=0.1)]
    }
    times = {event.message: event.at for event in line.of("kernel.oom")}
    for number in range(59):
        mine, other = times[f"a {number}"], times[f"b {number + 1}"]
        assert mine is not None
        assert other is not None
        assert mine.before(other) is Tri.TRUE


def test_size_that_only_the_order_of_a_log_tells_is_less_sure() -> None:
    """After a step back nothing is shared any more: the error covers the time that passed between the two lines."""
    logs = partition(("10:06:00", -90.0))
    for log in logs:
        log.raws[:] = [raw for raw in log.raws if raw.type == "kernel.oom" or raw.time is None or raw.ref.line < 40]
    line = timeline(logs, members("a", "b"))
    ends = {event.message: event.at for event in line.of("kernel.oom")}
    early, late = ends["a 5"], ends["a 59"]
    assert early is not None
    assert late is not None
    assert (early.err_ns or 0) < NS
    assert (late.err_ns or 0) > 5 * NS
