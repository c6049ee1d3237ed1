"""From matches to findings: identity, folding, subjects, evidence, confidence, audits, failures."""

from dataclasses import replace
from pathlib import Path

import pytest

from hadiag.model.entity import Role
from hadiag.model.tri import Tri
from hadiag.rulelang import Evaluation, RuleSet, evaluate
from hadiag.rulelang.inline import build_timeline, read_situation, resolved_views
from hadiag.state import Views
from tests.unit.rulelang.packs import EVENTS, load, rule
from tests.unit.rulelang.test_matching import findings


def everything(rule_set: RuleSet, events: str) -> Evaluation:
    """The whole evaluation of a situation."""
    situation = read_situation("2026-01-05T12:00:00Z", EVENTS.types, events=events)
    timeline = build_timeline(situation)
    views = Views(resolved_views(situation, timeline))
    return evaluate(rule_set, timeline, views, situation.facts, situation.findings)


def test_one_finding_for_each_identity(tmp_path: Path) -> None:
    """``per`` tells findings apart, nearness folds them."""
    rules = load(tmp_path, rule("p: {event: fence.request}", "per: [p.target]", title="{p.target}"))
    events = "+0s n1 fence.request target=n2\n+1s n3 fence.request target=n2\n+2s n1 fence.request target=n4\n"
    found = findings(rules, events + "+30m n1 fence.request target=n2")
    assert [(finding.title, len(finding.events)) for finding in found] == [("n2", 2), ("n4", 1), ("n2", 1)]
    assert len({finding.id for finding in found}) == 3


def test_merge_sets_the_gap(tmp_path: Path) -> None:
    """Findings of other observers within the gap are the same finding; with no gap each stands alone."""
    for merge, number in (("30s", 1), ("5s", 2), ("0s", 2)):
        rules = load(tmp_path / merge, rule("p: {event: a}", f"merge: {merge}"))
        assert len(findings(rules, "+0s n1 a\n+20s n2 a")) == number


def test_certain_matches_displace_open_ones(tmp_path: Path) -> None:
    """A finding that holds once holds; what is open elsewhere is no matter."""
    match = "p: {event: a}\nq: {event: b, same: [observer], after: p, within: 5s, count: 0}"
    found = findings(load(tmp_path, rule(match)), "+0s n1 a\n+1s n2 a\n+9s n2 log.end")
    assert [(finding.holds, finding.unproven, finding.confidence) for finding in found] == [(Tri.TRUE, (), 0.9)]


def test_ids_are_stable_and_texts_are_not_part_of_them(tmp_path: Path) -> None:
    """The same situation gives the same id, whatever the wording."""
    one = findings(load(tmp_path / "1", rule("p: {event: a}")), "+0s n1 a")[0]
    two = findings(load(tmp_path / "2", rule("p: {event: a}", title="reworded")), "+0s n1 a")[0]
    assert one.id == two.id
    assert one.id.startswith("test.rule-")


def test_evidence_is_what_the_rule_names(tmp_path: Path) -> None:
    """Named steps are quoted and span the time; without names all but the background."""
    match = "had: {state: quorum.view}\np: {event: quorum.changed, closes: had}\nq: {event: b, after: p, within: 60s}"
    events = "-9m n1 quorum.changed quorate=true\n+0s n1 quorum.changed quorate=false\n+9s n1 b\n"
    events += "state quorum.view n1 -9m..+0s quorate=true"
    default = findings(load(tmp_path / "1", rule(match)), events)[0]
    assert sorted(default.evidence) == ["p", "q"]
    assert default.start is not None
    assert default.end is not None
    assert default.end.ns - default.start.ns == 9 * 10**9
    named = findings(load(tmp_path / "2", rule(match, "finding: {evidence: [p]}")), events)[0]
    assert (list(named.evidence), named.start, named.end) == (["p"], default.start, default.start)


def test_evidence_of_a_state_is_its_lines(tmp_path: Path) -> None:
    """A state is quoted by the lines that opened and closed it."""
    rules = load(tmp_path, rule("op: {state: fencing.operation}"))
    events = "+0s n1 fence.request target=n2\n+9s n1 fence.op_result target=n2 result=ok\n"
    found = findings(rules, events + "state fencing.operation n1 +0s..+9s target=n2 result=ok")[0]
    assert len(found.evidence["op"]) == 2


def test_subjects_come_from_the_rule_or_from_the_first_step(tmp_path: Path) -> None:
    """Named subjects are taken; else node and resource fields of the first step; else who said it."""
    events = "+0s n1 pcmk.op.result resource=db node=n2 op=monitor status=failed\n+0s n2 log.start"
    match = "p: {event: pcmk.op.result}"
    default = findings(load(tmp_path / "1", rule(match)), events)[0]
    assert (default.nodes, default.resources) == (("n2",), ("db",))
    named = findings(load(tmp_path / "2", rule(match, "finding: {subjects: {nodes: [p.observer]}}")), events)[0]
    assert (named.nodes, named.resources) == (("n1",), ("db",))
    assert findings(load(tmp_path / "3", rule("p: {event: a}")), "+0s n1 a")[0].nodes == ("n1",)


def test_bindings_carry_the_key(tmp_path: Path) -> None:
    """Joins of edges read the identity of a finding from its bindings."""
    found = findings(
        load(tmp_path, rule("p: {event: fence.request}", "per: [p.target]")), "+0s n1 fence.request target=n2"
    )
    assert found[0].bindings["key"] == {"target": "n2"}
    assert found[0].bindings["p"]["observer"] == "n1"


def test_commands_are_filled_and_quoted(tmp_path: Path) -> None:
    """Remediation names the subject, quoted."""
    rest = 'remediation: {pcs: ["pcs stonith fence {p.target}"], crm: ["crm node fence {p.target}"]}'
    rules = load(tmp_path, rule("p: {event: fence.request}", rest))
    found = findings(rules, '+0s n1 fence.request target="n2;reboot"')[0]
    assert found.remediation.pcs == ("pcs stonith fence 'n2;reboot'",)


def test_versions_outside_the_bounds_leave_a_rule_out(tmp_path: Path) -> None:
    """Only where every known version is outside; unknown versions do not."""
    rules = load(tmp_path, rule("p: {event: a}", 'applies_to: {pacemaker: ">=2.1"}'))
    assert len(findings(rules, "+0s n1 a")) == 1
    assert len(findings(rules, "+0s n1 a\nversion n1 pacemaker=2.1.7-1.el9")) == 1
    assert findings(rules, "+0s n1 a\nversion n1 pacemaker=1.1.24") == []


def test_deprecated_rules_rest(tmp_path: Path) -> None:
    """A deprecated rule keeps its id and finds nothing."""
    assert findings(load(tmp_path, rule("p: {event: a}", "status: deprecated")), "+0s n1 a") == []


def test_a_rule_that_fails_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in one rule is a warning with its place; the others are evaluated."""
    rules = load(tmp_path, rule("p: {event: a}", name="test.bad"), rule("p: {event: a}", name="test.good"))
    broken = replace(rules.findings["test.bad"], match={"p": None})  # type: ignore[dict-item]
    monkeypatch.setitem(rules.findings, "test.bad", broken)
    result = everything(rules, "+0s n1 a")
    assert [finding.rule for finding in result.findings] == ["test.good"]
    assert [(warning.code, warning.where) for warning in result.warnings] == [
        ("rule-failed", "pack/findings/r0.yaml:2")
    ]


def test_a_rule_that_ties_nothing_together_is_cut_off(tmp_path: Path) -> None:
    """A product of everything with everything ends at a bound, with a warning."""
    events = "\n".join(f"+{index}s n1 a n={index}\n+{index}s n1 b n={index}" for index in range(300))
    match = "p: {event: a}\nq: {event: b}\nr: {event: c, count: any, after: q}"
    result = everything(load(tmp_path, rule(match)), events)
    assert [warning.code for warning in result.warnings] == ["rule-failed"]
    assert "more than 50000 combinations" in result.warnings[0].message
    assert len(result.findings) == 1


def test_equal_input_gives_equal_findings(tmp_path: Path) -> None:
    """Two evaluations are the same, in the same order."""
    rules = load(tmp_path, rule("p: {event: a}", "per: [p.x]"), rule("p: {event: a}", name="test.other"))
    events = "\n".join(f"+{index}s n{index % 3} a x={index % 7}" for index in range(50))
    assert everything(rules, events) == everything(rules, events)


AUDITS = """
schema: hadiag/audit/v1
audits:
  - id: fencing.disabled
    title: Fencing is disabled
    severity: critical
    condition: true
    match: {off: {fact: cluster.option, where: {name: stonith-enabled, value: false}}}
    found: "{off.name} is {off.value}"
    expected: fencing is enabled
    why: A lost node cannot be made harmless.
    fix: {pcs: ["pcs property set stonith-enabled=true"]}
    enables: [{finding: test.rule, strength: certain}]
  - id: fencing.no-device
    title: No fence device
    severity: critical
    match: {device: {fact: fencing.device, count: 0}}
    found: no fence device
    expected: a device for each node
    why: Nothing can be fenced.
  - id: corosync.token-differs
    title: "{a.key} differs"
    severity: error
    per: [a.key]
    match:
      a: {fact: corosync.option, where: {key: totem.token}}
      b: {fact: corosync.option, where: {key: $a.key, value: {ne: $a.value}, observer: {ne: $a.observer}}}
    nodes: [$a.observer, $b.observer]
    source: a
    found: "{a.value} on {a.observer}, {b.value} on {b.observer}"
    expected: the same on all nodes
    why: Nodes would declare each other lost at different times.
  - id: fencing.delay-small
    title: Delay too small
    severity: warning
    match:
      p: {fact: cluster.option, where: {name: priority-fencing-delay}}
      d: {fact: fencing.device, where: {delay_max: {exists: true}}}
      small: {fact: cluster.option, where: {name: priority-fencing-delay, value: {lte: {ref: $d.delay_max, times: 2}}}}
    found: "{p.value} with {d.delay_max}"
    expected: more than twice the largest delay
    why: Delays may cancel each other.
  - id: sbd.needed
    title: Needs two snapshots
    severity: warning
    requires: [cib, sbd]
    match: {o: {fact: cluster.option, where: {name: stonith-watchdog-timeout}}}
    found: "{o.value}"
    expected: sbd
    why: There has to be a watchdog.
"""


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            "fact cluster.option name=stonith-enabled value=no",
            {"fencing.disabled": "TRUE", "fencing.no-device": "TRUE"},
        ),
        ("+0s n1 a", {}),
        ("fact fencing.device id=f", {}),
        (
            "fact corosync.option key=totem.token value=1000 on=n1\nfact corosync.option key=totem.token value=3000 on=n2",
            {"corosync.token-differs": "TRUE"},
        ),
        (
            "fact corosync.option key=totem.token value=1000 on=n1\nfact corosync.option key=totem.token value=1000 on=n2",
            {},
        ),
        (
            "fact cluster.option name=priority-fencing-delay value=10s\nfact fencing.device id=f delay_max=5s",
            {"fencing.delay-small": "TRUE"},
        ),
        ("fact cluster.option name=priority-fencing-delay value=11s\nfact fencing.device id=f delay_max=5s", {}),
        (
            "fact cluster.option name=stonith-watchdog-timeout value=10s\nfact fencing.device id=f",
            {"sbd.needed": "UNKNOWN"},
        ),
        (
            "fact cluster.option name=stonith-watchdog-timeout value=10s\nfact fencing.device id=f\nfact sbd.option name=X value=1",
            {"sbd.needed": "TRUE"},
        ),
    ],
)
def test_audits(tmp_path: Path, facts: str, expected: dict[str, str]) -> None:
    """An audit fails where its match holds, is unknown where a snapshot was not read, and silent without ground."""
    rules = load(tmp_path, rule("p: {event: a}"), audits=AUDITS)
    assert {result.id: result.holds.name for result in everything(rules, facts).audits} == expected


def test_audits_say_what_was_found_and_where(tmp_path: Path) -> None:
    """Found, expected, nodes and the line that it stands in."""
    facts = (
        "fact corosync.option key=totem.token value=1000 on=n1\nfact corosync.option key=totem.token value=3000 on=n2"
    )
    result = everything(load(tmp_path, rule("p: {event: a}"), audits=AUDITS), facts).audits[0]
    assert (result.found, result.nodes) == ("1000 on n1, 3000 on n2", ("n1", "n2"))
    assert result.source is not None
    assert (result.source.node, result.source.path, result.source.line) == ("n1", "n1/corosync.option", 1)


def test_an_audit_may_be_a_condition(tmp_path: Path) -> None:
    """Then it is a finding too, which edges name and rules see."""
    high = rule("c: {finding: fencing.disabled}\np: {event: a}")
    rules = load(tmp_path, high, audits=AUDITS)
    result = everything(rules, "+0s n1 a\nfact cluster.option name=stonith-enabled value=no")
    conditions = [finding for finding in result.findings if finding.role is Role.CONDITION]
    assert [(finding.rule, finding.title) for finding in conditions] == [("fencing.disabled", "Fencing is disabled")]
    assert [finding.rule for finding in result.findings if finding.role is Role.FAILURE] == ["test.rule"]
    assert [(edge.cause, edge.kind) for edge in rules.edges] == [("fencing.disabled", "enables")]
