"""Steps of a wall clock."""

from __future__ import annotations

import pytest

from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.timeline import Timeline
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


def journal_and_log(changes: dict[int, float], *, peer: bool = False) -> list[Log]:
    """A journal and a log of node a with a line every 10 s for ten minutes; its clock is changed before some of them.

    Its peer b, if there is one, shares the facts of the first and of the last minutes only.
    """
    logs = [Log("a", "a/system.journal", family="journal", style="journal"), Log("a", "a/pacemaker.log")]
    logs += [Log("b", "b/pacemaker.log")] if peer else []
    for log in logs[1:]:
        log.graph("10:00:00")
    logs[0].add("10:00:00", "kernel.oom", "first")
    for number in range(60):
        at = utc("10:00:05") + number * 10 * NS
        for log in logs[:2]:
            log.skew_s = changes.get(number, log.skew_s)
        logs[0].add(at, "kernel.oom", f"a {number}")
        logs[1].add(at + NS, "kernel.oom", f"log {number}")
        for log in logs[1:] if peer and not 12 < number < 48 else ():
            log.ring(at + 2 * NS, f"1.{number:x}", joined="1 2")
            log.diff(at + 3 * NS, f"0.{number}.1")
    return logs


def true_distance(line: Timeline, name: str, number: int) -> float:
    """Seconds that an event lies behind where it was written."""
    at = next(event.at for event in line.of("kernel.oom") if event.message == f"{name} {number}")
    assert at is not None
    lead = NS if name == "log" else 0
    return (at.ns - utc("10:00:05") - number * 10 * NS - lead) / NS


def test_a_journal_measures_a_small_step_exactly() -> None:
    """Seven seconds forward leave no trace in the order of lines; the time since boot tells the size and nearly the moment."""
    line = timeline(journal_and_log({40: 7.0}))
    (step,) = line.clocks[line.nodes[0].name].steps
    assert step.by_s == pytest.approx(7, abs=0.01)
    assert step.error_s is not None
    assert abs(step.at_ns - utc("10:06:41")) / NS <= step.error_s + 0.01 < 6
    assert [true_distance(line, name, 50) for name in ("a", "log")] == [pytest.approx(0, abs=0.01)] * 2


def test_two_steps_are_taken_out_in_the_order_in_which_they_happened() -> None:
    """90 s forward and back again: by its own clock the second one lies before the first."""
    line = timeline(journal_and_log({20: 90.0, 24: 0.0}))
    steps = line.clocks[line.nodes[0].name].steps
    assert [step.by_s for step in steps] == [pytest.approx(90, abs=0.01), pytest.approx(-90, abs=0.01)]
    for number in (10, 19, 20, 23, 24, 40):
        assert true_distance(line, "a", number) == pytest.approx(0, abs=0.01), number
        assert true_distance(line, "log", number) == pytest.approx(0, abs=0.01), number


def test_a_journal_that_runs_back_is_closed_and_the_next_one_measures_the_step() -> None:
    """The step lies between two files of one boot."""
    whole, log = journal_and_log({30: -900.0})
    later = Log("a", "a/system@2.journal", family="journal", style="journal")
    for raw, truth in list(zip(whole.raws, whole.truth, strict=True))[31:]:
        later.skew_s = -900.0
        later.add(truth, raw.type, raw.message)
    del whole.raws[31:], whole.truth[31:]
    line = timeline([whole, later, log])
    (step,) = line.clocks[line.nodes[0].name].steps
    assert step.by_s == pytest.approx(-900, abs=0.01)
    early, late = true_distance(line, "a", 5), true_distance(line, "a", 55)
    assert late - early == pytest.approx(0, abs=0.01)
    assert not line.silences


def test_a_machine_that_was_suspended_did_not_step() -> None:
    """Its time since boot stood still, its wall clock was right all the time: the peers show no step."""
    logs = journal_and_log({}, peer=True)
    logs[0].truth[31:] = [up - 200 * NS for up in logs[0].truth[31:]]
    assert timeline(logs[:2]).clocks[timeline(logs[:2]).nodes[0].name].steps
    line = timeline(logs, members("a", "b"))
    assert [clock.steps for clock in line.clocks.values()] == [(), ()]


@pytest.mark.parametrize("paused", [0, 1])
def test_a_paused_machine_is_the_one_whose_clock_fell_behind(paused: int) -> None:
    """Its peer lost it for just so long; the peer's clock did not go forward."""
    logs = [Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")]
    for log in logs:
        log.graph("10:00:00")
    for number in range(60):
        for index, log in enumerate(logs):
            at = utc("10:00:00") + number * 10 * NS
            if index == paused and 20 < number <= 26:
                continue
            log.skew_s = -60 if index == paused and number > 26 else 0
            other = logs[1 - index].node
            if number == 22:
                log.add(at, "pcmk.node.state", f"{other} lost", node=other, state="lost")
            elif number == 27 and index != paused:
                log.add(at, "pcmk.node.state", f"{other} back", node=other, state="member")
            elif not 20 < number < 27:
                log.ring(at + NS // 2, f"1.{number:x}", joined="1 2")
                log.diff(at + NS, f"0.{number}.1")
    line = timeline(logs, members("a", "b"))
    stepped = {str(node): clock.steps for node, clock in line.clocks.items()}
    (step,) = stepped[logs[paused].node]
    assert step.by_s == pytest.approx(-60, abs=0.1)
    assert step.or_of is None
    assert not stepped[logs[1 - paused].node]


@pytest.mark.parametrize(("by_s", "told"), [(60.0, True), (0.0, False)])
def test_a_log_that_is_longer_than_the_life_of_its_node(by_s: float, *, told: bool) -> None:
    """a's clock goes forward when nothing is shared any more; its last line seems later than its end."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")
    for log in (a, b):
        log.graph("10:00:00")
        for number in range(12):
            log.ring(f"10:00:{number * 2:02d}.5", f"1.{number:x}", joined="1 2")
            log.diff(f"10:00:{number * 2:02d}.7", f"0.{number}.1")
    a.skew_s = by_s
    for number in range(5):
        a.add(f"10:00:{32 + number * 2}.2", "kernel.oom", f"late {number}")
    b.add("10:00:41", "fence.op_result", "a is off", target="a", action="reboot", result="ok", op_id="77")
    line = timeline([a, b], members("a", "b"))
    steps = line.clocks[line.nodes[0].name].steps
    assert bool(steps) is told
    for event in line.of("kernel.oom"):
        assert event.at is not None
        truth = utc("10:00:32.2") + int(event.message.split()[1]) * 2 * NS
        assert abs(event.at.ns - truth) <= (event.at.err_ns or 0)


def test_a_node_that_goes_on_was_not_switched_off() -> None:
    """Somebody confirmed its end by hand; it logs now and then, and never starts anew."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log")
    for log in (a, b):
        log.graph("10:00:00")
        for number in range(12):
            log.ring(f"10:00:{number * 2:02d}.5", f"1.{number:x}", joined="1 2")
    b.add("10:00:41", "fence.op_result", "a is off", target="a", action="off", result="ok", op_id="77")
    for at in ("10:00:45.1", "10:00:46.1", "10:01:20.1", "10:01:40.1"):
        a.add(at, "kernel.oom", at)
    assert not any(clock.steps for clock in timeline([a, b], members("a", "b")).clocks.values())
