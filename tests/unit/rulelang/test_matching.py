"""What matches: joins, windows, order, absence, optional steps; each rule with its situations in the compact notation."""

from pathlib import Path
from textwrap import indent

import pytest

from hadiag.model.finding import Finding
from hadiag.model.tri import Tri
from hadiag.rulelang import RuleSet, evaluate
from hadiag.rulelang.inline import build_timeline, read_situation, resolved_views
from hadiag.state import Views
from tests.unit.rulelang.packs import EVENTS, load, rule


def findings(rule_set: RuleSet, events: str, name: str = "test.rule") -> list[Finding]:
    """Findings of one rule in a situation, with views as declared."""
    situation = read_situation("2026-01-05T12:00:00Z", EVENTS.types, events=events)
    timeline = build_timeline(situation)
    views = Views(resolved_views(situation, timeline))
    evaluation = evaluate(rule_set, timeline, views, situation.facts, situation.findings)
    assert evaluation.warnings == ()
    return [finding for finding in evaluation.findings if finding.rule == name]


def truth(directory: Path, match: str, events: str, rest: str = "merge: 0s") -> list[str]:
    """Truth of each finding of a rule."""
    return [finding.holds.name for finding in findings(load(directory, rule(match, rest)), events)]


def test_steps_join_on_fields(tmp_path: Path) -> None:
    """Only rows with equal values belong together."""
    match = "p: {event: a}\nq: {event: b, where: {x: $p.x}, after: p, within: 10s}"
    assert truth(tmp_path, match, "+0s n1 a x=1\n+1s n1 b x=2\n+2s n1 b x=1") == ["TRUE"]
    assert truth(tmp_path, match, "+0s n1 a x=1\n+1s n1 b x=2") == []


def test_a_condition_may_look_at_a_later_step(tmp_path: Path) -> None:
    """The check waits until the later step is bound."""
    match = "p: {event: a, where: {x: $q.x, n: {lt: $q.n}}}\nq: {event: b, near: p, within: 10s}"
    assert truth(tmp_path, match, "+0s n1 a x=1 n=1\n+1s n1 b x=1 n=2") == ["TRUE"]
    assert truth(tmp_path, match, "+0s n1 a x=1 n=3\n+1s n1 b x=1 n=2") == []


@pytest.mark.parametrize(
    ("words", "events", "expected"),
    [
        ("after: p, within: 10s", "+0s n1 a\n+10s n1 b", ["TRUE"]),
        ("after: p, within: 10s", "+0s n1 a\n+11s n1 b", []),
        ("after: p, within: 10s", "+5s n1 a\n+1s n1 b", []),
        ("before: p, within: 10s", "+5s n1 a\n+1s n1 b", ["TRUE"]),
        ("before: p, within: 3s", "+5s n1 a\n+1s n1 b", []),
        ("near: p, within: 5s", "+5s n1 a\n+1s n1 b", ["TRUE"]),
        ("near: p, within: 5s", "+1s n1 a\n+5s n1 b", ["TRUE"]),
        ("near: p, within: 3s", "+1s n1 a\n+5s n1 b", []),
        ("after: p", "+1s n1 a\n+5000s n1 b", ["TRUE"]),
    ],
)
def test_windows(tmp_path: Path, words: str, events: str, expected: list[str]) -> None:
    """A window has two ends, and near has two sides."""
    assert truth(tmp_path, f"p: {{event: a}}\nq: {{event: b, {words}}}", events) == expected


def test_order_of_one_node_is_that_of_its_log(tmp_path: Path) -> None:
    """Equal stamps of one file are in the order of its lines."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 10s}"
    assert truth(tmp_path, match, "+1s n1 a\n+1s n1 b") == ["TRUE"]
    assert truth(tmp_path, match, "+1s n1 b\n+1s n1 a") == []


def test_order_between_nodes_is_unknown_within_clock_error(tmp_path: Path) -> None:
    """Where the intervals of uncertainty overlap the finding is unknown and says so; clear of them it is certain."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 60s}"
    clocks = "clock n1 err=2s\nclock n2 err=2s\n"
    assert truth(tmp_path, match, clocks + "+0s n1 a\n+5s n2 b") == ["TRUE"]
    assert truth(tmp_path, match, clocks + "+0s n1 a\n+3s n2 b") == ["UNKNOWN"]
    assert truth(tmp_path, match, clocks + "+3s n1 a\n+0s n2 b") == ["UNKNOWN"]
    assert truth(tmp_path, match, clocks + "+5s n1 a\n+0s n2 b") == []
    open_one = findings(load(tmp_path, rule(match)), clocks + "+0s n1 a\n+3s n2 b")[0]
    assert [(row.step, row.nodes) for row in open_one.unproven] == [("q", ("n1", "n2"))]
    assert open_one.confidence == pytest.approx(0.9 * 0.6)


def test_a_clock_without_anchor_orders_nothing(tmp_path: Path) -> None:
    """Order against an unverified clock is unknown; far apart on the face of it is still no match."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 60s}"
    assert truth(tmp_path, match, "clock n2 unknown\n+0s n1 a\n+30s n2 b") == ["UNKNOWN"]
    assert truth(tmp_path, match, "clock n2 unknown\n+0s n1 a\n+30m n2 b") == []
    assert truth(tmp_path, match, "clock n2 unknown\n+0s n2 a\n+30s n2 b") == ["TRUE"]


def test_a_certain_row_beats_a_possible_one(tmp_path: Path) -> None:
    """One row in certain order is enough."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 60s}"
    assert truth(tmp_path, match, "clock n2 err=5s\n+0s n1 a\n+1s n2 b\n+2s n1 b", "per: [p.observer]") == ["TRUE"]


ABSENCE = "p: {event: a}\nq: {event: b, after: p, within: 60s, count: 0}"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("+0s n1 a\n+60s n1 log.end", ["TRUE"]),
        ("+0s n1 a\n+59s n1 log.end", ["UNKNOWN"]),
        ("+0s n1 a", ["UNKNOWN"]),
        ("+0s n1 a\n+30s n1 b\n+90s n1 log.end", []),
        ("+0s n1 a\n+61s n1 b\n+90s n1 log.end", ["TRUE"]),
        ("+0s n1 a\n+90s n1 log.end\nsilent n1 +30s..+40s", ["UNKNOWN"]),
        ("+0s n1 a\n+90s n1 log.end\nsilent n1 +70s..", ["TRUE"]),
        ("+0s n1 a\n+1s n1 log.end\n+0s n2 log.start\n+90s n2 log.end", ["TRUE"]),
        ("+0s n1 a\n+90s n1 log.end\n+50s n2 b", []),
        ("clock n2 err=9s\n+0s n1 a\n+90s n1 log.end\n+5s n2 b", ["UNKNOWN"]),
    ],
)
def test_absence_is_true_only_where_a_log_would_show_it(tmp_path: Path, events: str, expected: list[str]) -> None:
    """Covered and not silent: absent. Seen: the rule does not hold. Everything else is unknown."""
    assert truth(tmp_path, ABSENCE, events) == expected


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """An open absence names step, log family, nodes and window, and the reason that the rule gives."""
    needs = 'merge: 0s\nneeds: [{log: system, of: any member, step: q, why: "shows whether it came back"}]'
    found = findings(load(tmp_path, rule(ABSENCE, needs)), "members n1 n2\n+0s n1 a\n+10s n1 log.end")[0]
    row = found.unproven[0]
    assert (row.step, row.family, row.nodes, row.why) == ("q", "system", ("n1", "n2"), "shows whether it came back")
    assert row.start_ns is not None
    assert row.end_ns == row.start_ns + 60 * 10**9


def test_absence_of_one_observer_needs_the_log_of_that_observer(tmp_path: Path) -> None:
    """The log of another node proves nothing about what this one did not write."""
    match = "p: {event: a}\nq: {event: b, same: [observer], after: p, within: 60s, count: 0}"
    other = "\n+0s n2 log.start\n+90s n2 log.end"
    assert truth(tmp_path, match, "+0s n1 a" + other) == ["UNKNOWN"]
    assert truth(tmp_path, match, "+0s n1 a\n+60s n1 log.end" + other) == ["TRUE"]
    assert truth(tmp_path, match, "+0s n1 a\n+60s n1 log.end\n+5s n2 b") == ["TRUE"]


def test_absence_can_ask_for_the_logs_of_all(tmp_path: Path) -> None:
    """What only one node prints is absent only if every member's log is there."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 60s, count: 0, nodes: all}"
    assert truth(tmp_path, match, "members n1 n2\n+0s n1 a\n+60s n1 log.end") == ["UNKNOWN"]
    assert truth(tmp_path, match, "+0s n1 a\n+60s n1 log.end\n+0s n2 log.start\n+60s n2 log.end") == ["TRUE"]


def test_a_pause_is_told_only_by_who_woke_up(tmp_path: Path) -> None:
    """A daemon that is paused and then killed never prints that it was: its absence proves nothing."""
    match = "p: {event: a}\nq: {event: paused, where: {observer: n2}, near: p, within: 5s, count: 0}"
    events = "+0s n1 a\n+60s n1 log.end\n+60s n2 log.end\n"
    assert truth(tmp_path, match, events) == ["TRUE"]
    assert truth(tmp_path, match, events + "silent n2 +10s..") == ["UNKNOWN"]


def test_all_logs_means_those_of_the_members_then(tmp_path: Path) -> None:
    """A node that had left long before needs no log."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 60s, count: 0, nodes: all}"
    events = "members n1 n2\n+0s n1 a\n+60s n1 log.end\n"
    assert truth(tmp_path, match, events) == ["UNKNOWN"]
    assert truth(tmp_path, match, events + "state node.absent n1 -1h.. node=n2 how=orderly") == ["TRUE"]


def test_true_and_one_are_different_conditions(tmp_path: Path) -> None:
    """Rules share indices, but not with conditions that Python takes for equal."""
    yes = rule("p: {event: a, where: {x: true}}", name="test.yes")
    one = rule("p: {event: a, where: {x: 1}}", name="test.one")
    rules = load(tmp_path, yes, one)
    assert len(findings(rules, "+0s n1 a x=yes", "test.yes")) == 1
    assert findings(rules, "+0s n1 a x=yes", "test.one") == []


def test_absence_among_others(tmp_path: Path) -> None:
    """A condition on the observer says whose logs count."""
    match = "p: {event: a}\nq: {event: b, where: {observer: {ne: $p.observer}}, near: p, within: 9s, count: 0}"
    assert truth(tmp_path, match, "-9s n1 log.start\n+0s n1 a\n+60s n1 log.end\nmembers n1 n2") == ["UNKNOWN"]
    assert truth(tmp_path, match, "+0s n1 a\n-9s n2 log.start\n+60s n2 log.end") == ["TRUE"]


def test_absence_alone_needs_ground(tmp_path: Path) -> None:
    """Without the step that has to be found there is no finding, not even an unknown one."""
    assert truth(tmp_path, ABSENCE, "+0s n1 c\n+500s n1 log.end") == []


def test_optional_steps_add_evidence_and_never_decide(tmp_path: Path) -> None:
    """A step with count any is bound if it is certain, else left out."""
    match = "p: {event: a}\nq: {event: b, after: p, within: 60s, count: any}"
    rules = load(tmp_path, rule(match, title="a, then {q.x}"))
    with_it = findings(rules, "+0s n1 a\n+5s n1 b x=late")[0]
    without = findings(rules, "+0s n1 a\n+90s n1 b x=late")[0]
    assert (with_it.title, len(with_it.events)) == ("a, then late", 2)
    assert (without.title, len(without.events)) == ("a, then unknown", 1)


def test_one_of_several_optional_steps(tmp_path: Path) -> None:
    """``one_of`` asks for at least one of them."""
    match = (
        "p: {event: a}\nq: {event: b, near: p, within: 9s, count: any}\nr: {event: c, near: p, within: 9s, count: any}"
    )
    assert truth(tmp_path, match, "+0s n1 a", "one_of: [[q, r]]") == []
    assert truth(tmp_path, match, "+0s n1 a\n+1s n1 c", "one_of: [[q, r]]") == ["TRUE"]


def test_events_close_and_open_states(tmp_path: Path) -> None:
    """Only the line at the end of a state closes it."""
    match = "had: {state: quorum.view, where: {quorate: true}}\nlost: {event: quorum.changed, closes: had}"
    events = "+0s n1 quorum.changed quorate=true\n+9s n1 quorum.changed quorate=false\n"
    assert truth(tmp_path, match, events + "state quorum.view n1 +0s..+9s quorate=true") == ["TRUE"]
    assert truth(tmp_path, match, events + "state quorum.view n1 +0s.. quorate=true") == []
    match = "now: {state: quorum.view}\nev: {event: quorum.changed, opens: now}"
    assert truth(tmp_path, match, events + "state quorum.view n1 +9s.. quorate=false") == ["TRUE"]


def test_operations_count_from_their_result(tmp_path: Path) -> None:
    """``after`` an operation means after its end; ``.start`` says otherwise. A state counts from its start."""
    operation = "state fencing.operation n1 +0s..+20s target=n2 action=off result=ok\n"
    late, early = "+30s n1 b", "+10s n1 b"
    for step, events, expected in (
        ("after: p", late, ["TRUE"]),
        ("after: p", early, []),
        ("after: p.start", early, ["TRUE"]),
        ("during: p", early, ["TRUE"]),
        ("during: p", late, []),
    ):
        assert (
            truth(tmp_path, f"p: {{state: fencing.operation}}\nq: {{event: b, {step}}}", operation + events) == expected
        )
    state = "state node.state n1 +0s..+20s node=n2 state=lost\n"
    assert truth(tmp_path, "p: {state: node.state}\nq: {event: b, after: p}", state + early) == ["TRUE"]
    assert truth(tmp_path, "p: {state: node.state}\nq: {event: b, after: p.end}", state + early) == []


def test_states_overlap_and_hold_at_a_moment(tmp_path: Path) -> None:
    """``overlaps`` asks for common time; ``holds_at`` for the state in force when something happens, not the one it begins."""
    views = "state node.state n1 +0s..+10s node=n2 state=lost\nstate quorum.view n1 +5s..+20s quorate=false\n"
    match = "p: {state: node.state}\nq: {state: quorum.view, overlaps: p}"
    assert truth(tmp_path, match, views) == ["TRUE"]
    assert truth(tmp_path, match, views.replace("+5s..", "+15s..")) == []
    match = "p: {event: a}\nq: {state: quorum.view, holds_at: p}"
    assert truth(tmp_path, match, views + "+8s n1 a") == ["TRUE"]
    assert truth(tmp_path, match, views + "+3s n1 a") == []
    assert truth(tmp_path, match, views + "+5s n1 a") == []


def test_open_states_reach_to_the_end(tmp_path: Path) -> None:
    """What has not ended still holds; what began before the first evidence held from the start."""
    match = "p: {event: a}\nq: {state: quorum.view, holds_at: p}"
    assert truth(tmp_path, match, "state quorum.view n1 .. quorate=true\n+8s n1 a") == ["TRUE"]
    match = "p: {state: quorum.view}\nq: {event: a, after: p.end}"
    assert truth(tmp_path, match, "state quorum.view n1 .. quorate=true\n+8s n1 a") == []


def test_absence_of_a_state(tmp_path: Path) -> None:
    """A log that would show the state has to cover the window."""
    match = "p: {event: fence.request}\nok: {state: fencing.operation, where: {target: $p.target, result: ok}, after: p, within: 60s, count: 0}"
    request = "+0s n1 fence.request target=n2 action=off\n"
    assert truth(tmp_path, match, request + "+60s n1 log.end") == ["TRUE"]
    assert truth(tmp_path, match, request) == ["UNKNOWN"]
    view = "state fencing.operation n1 +1s..+5s target=n2 result=ok action=off"
    assert truth(tmp_path, match, request + "+60s n1 log.end\n" + view) == []


def test_findings_are_seen_by_higher_rules(tmp_path: Path) -> None:
    """A rule over a finding sees its identity, its subjects and its doubt."""
    low = rule(ABSENCE, "per: [p.x]", name="test.low")
    high = rule("f: {finding: test.low, where: {x: bad}}\ng: {event: c, after: f, within: 9m}")
    rules = load(tmp_path, low, high)
    events = "+0s n1 a x=bad\n+60s n1 log.end\n+61s n2 c\n+61s n2 log.start\n"
    assert [each.holds for each in findings(rules, events)] == [Tri.TRUE]
    assert [each.holds for each in findings(rules, events.replace("+60s n1 log.end\n", ""))] == [Tri.UNKNOWN]
    assert findings(rules, events.replace("x=bad", "x=good")) == []


def test_absence_of_a_finding(tmp_path: Path) -> None:
    """No finding means something only where the logs would have given it ground."""
    low = rule("p: {event: b}", name="test.low")
    high = rule("a: {event: a}\nno: {finding: test.low, near: a, within: 10s, count: 0}")
    rules = load(tmp_path, low, high)
    covered = "-10s n1 log.start\n+10s n1 log.end\n+0s n1 a\n"
    assert [each.holds for each in findings(rules, covered)] == [Tri.TRUE]
    assert [each.holds for each in findings(rules, "+0s n1 a")] == [Tri.UNKNOWN]
    assert findings(rules, covered + "+5s n1 b") == []


def test_facts_join_with_events(tmp_path: Path) -> None:
    """Configuration stands beside events, and its place is evidence."""
    match = "off: {fact: cluster.option, where: {name: stonith-enabled, value: false}}\np: {event: a}"
    rules = load(tmp_path, rule(match))
    found = findings(rules, "+0s n1 a\nfact cluster.option name=stonith-enabled value=no on=n1")[0]
    assert [(row.node, row.path) for row in found.fact_evidence] == [("n1", "n1/cluster.option")]
    assert findings(rules, "+0s n1 a\nfact cluster.option name=stonith-enabled value=yes") == []


def test_absence_of_a_fact_needs_its_snapshot(tmp_path: Path) -> None:
    """Nothing follows from a configuration that was not read."""
    match = "p: {event: a}\nno: {fact: fencing.device, count: 0}"
    assert truth(tmp_path, match, "+0s n1 a") == ["UNKNOWN"]
    assert truth(tmp_path, match, "+0s n1 a\nfact cluster.option name=x value=y") == ["TRUE"]
    assert truth(tmp_path, match, "+0s n1 a\nfact fencing.device id=f agent=fence_sbd") == []


def test_events_without_time_take_no_part_in_windows(tmp_path: Path) -> None:
    """An undated row can be found, but not be before or after anything."""
    match = "f: {finding: test.low}\np: {event: a, near: f, within: 9s}"
    rules = load(tmp_path, rule("x: {event: b}", name="test.low"), rule(match))
    assert findings(rules, "finding test.low ..\n+0s n1 a") == []
    assert len(findings(rules, "finding test.low +0s..+1s\n+0s n1 a")) == 1


def test_notation_shows_the_line_that_is_wrong() -> None:
    """A test with a slip of the pen says which line."""
    for text, message in (
        ("+0s n1 nothing.known", "line 1: '\\+0s n1 nothing.known': there is no event type"),
        ("\n+0s n1 a y=1", "line 2: .*a has no field y"),
        ("0s n1 a", "expected an offset"),
        ("+0s n1 a x", "expected key=value"),
        ('+0s n1 a x="1', "No closing quotation"),
        ("state quorum.view n1 +0s quorate=true", "expected a span"),
        ("+0s n1", "line 1"),
    ):
        with pytest.raises(ValueError, match=message):
            read_situation("2026-01-05T12:00:00Z", EVENTS.types, events=text)


def test_inline_tests_run(tmp_path: Path) -> None:
    """The runner reports what differs, and passes what agrees."""
    from tests.unit.rulelang.packs import run

    tests = """
    tests:
      - name: agrees
        events: |
          +0s n1 a x=1
        expect: [{holds: true, title: "it happened"}]
      - name: nothing expected
        events: |
          +0s n1 a x=1
        expect: []
      - name: more expected
        events: |
          +0s n1 b x=1
        expect: [{}]
      - name: other truth
        events: |
          +0s n1 a x=1
        expect: [{holds: unknown, subjects: {nodes: [n9]}}]
      - name: cannot be read
        events: |
          soon n1 a
        expect: []
    """
    results = run(load(tmp_path, rule("p: {event: a}", tests)))
    assert [result.passed for result in results] == [True, False, False, False, False]
    assert "unexpected: it happened" in results[1].problems[0]
    assert "nothing (more) came out" in results[2].problems[0]
    assert results[3].problems == (
        "it happened: expected holds 'unknown', found 'true'",
        "it happened: expected nodes ('n9',), found ('n1',)",
    )
    assert "expected an offset" in results[4].problems[0]


def test_indentation_of_blocks_does_not_matter() -> None:
    """Lines of a block may be indented."""
    text = indent("+0s n1 a x=1\n# a comment\n+1s n1 b", "      ")
    assert len(read_situation("2026-01-05T12:00:00Z", EVENTS.types, events=text).drafts) == 2
