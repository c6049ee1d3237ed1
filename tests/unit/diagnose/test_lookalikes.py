"""Look-alikes in the compact notation of the rule tests, through rules, graph and verdict, with the shipped packs."""

from __future__ import annotations

from functools import cache

import pytest

from hadiag.diagnose import Material, diagnose
from hadiag.model.diagnosis import Diagnosis
from hadiag.pipeline import Options, load_catalogue, rule_dirs
from hadiag.rulelang import RuleSet, load_rules
from hadiag.rulelang.evaluate import evaluate
from hadiag.rulelang.inline import build_timeline, read_situation, resolved_views
from hadiag.snapshots.config import cluster_config
from hadiag.state import Views

START = "2026-01-05T12:00:00Z"
ALIVE = "\n".join(f"+{s}s {node} corosync.main.ready" for s in range(0, 20, 2) for node in ("n1", "n2"))


@cache
def _rules() -> RuleSet:
    options = Options()
    return load_rules(rule_dirs(), load_catalogue(options))


def verdict(text: str) -> Diagnosis:
    """Diagnose a situation that is written in the notation of the rule tests."""
    rules = _rules()
    situation = read_situation(START, rules.event_types, events=f"{ALIVE}\n{text}")
    timeline = build_timeline(situation)
    views = Views(resolved_views(situation, timeline))
    found = evaluate(rules, timeline, views, situation.facts)
    material = Material(
        timeline=timeline,
        views=views,
        facts=situation.facts,
        config=cluster_config(situation.facts),
        ruleset=rules,
        findings=found.findings,
        audits=found.audits,
        inputs=(),
        input_warnings=(),
        warnings=(),
        unknown_messages=(),
        version="test",
    )
    return diagnose(material)


def _top(diagnosis: Diagnosis) -> tuple[str, str]:
    return diagnosis.verdict.status.value, diagnosis.incidents[0].explanations[0].category.value


LOST = "state node.loss n1 +100s..+160s node=n2 how=unclean witnesses=n1 fenced_before=false"
FENCED = "state fencing.operation n1 +101s..+105s action=reboot target=n2 result=ok by=cluster requested_by=n1 executed_by=n1"
LOGS = "+900s n1 log.end\n+900s n2 log.end"


def test_partition_seen_by_both() -> None:
    """Both sides were alive and excluded each other: the network."""
    found = verdict(
        f"{LOST} alive=true provided=true links_down_here=true\n"
        f"state membership.split n1 +100s..+160s nodes=n1,n2 sides=n1,n2 isolated=n1,n2\n{FENCED}\n{LOGS}"
    )
    assert _top(found) == ("explained", "network")


def test_survivor_alone_does_not_decide() -> None:
    """Without the logs of the lost node the network, a crash and a hang stay open."""
    found = verdict(f"{LOST} provided=false\n{FENCED}\n+900s n1 log.end")
    causes = {e.category.value for e in found.incidents[0].explanations}
    assert found.verdict.status.value == "undecided"
    assert {"network", "host_crash", "host_stall"} <= causes


def test_silence_is_a_crash_or_a_hang_and_not_the_network() -> None:
    """A node that fell silent before it was fenced was dead or hung."""
    found = verdict(f"{LOST} provided=true silent=true silent_from_s=4\nsilent n2 +96s..+160s\n{FENCED}\n{LOGS}")
    status, category = _top(found)
    assert status == "undecided"
    assert category in {"host_crash", "host_stall"}
    shown = {e.category.value for e in found.incidents[0].explanations if e.confidence >= 0.3}
    assert "network" not in shown


def test_a_pause_that_is_reported_is_a_stall() -> None:
    """Corosync says that it was not scheduled: the node hung."""
    found = verdict(
        f"{LOST} provided=true paused=true\n+112s n2 corosync.main.not_scheduled ms=9000 threshold_ms=2400\n{LOGS}"
    )
    assert _top(found)[1] == "host_stall"


def test_stop_timeout_that_leads_to_fencing_is_not_the_network() -> None:
    """The dead links after a fencing are its consequence, whatever layer they are on."""
    found = verdict(
        "state rsc.operation n2 +60s..+80s resource=app node=n2 op=stop status=timeout probe=false expected=false "
        "fencing_device=false\n"
        "state fencing.operation n1 +81s..+86s action=reboot target=n2 result=ok by=cluster requested_by=n1 "
        'executed_by=n1 reason="app failed there"\n'
        f"state node.loss n1 +84s..+160s node=n2 how=unclean witnesses=n1 fenced_before=true silent=false\n{LOGS}"
    )
    assert _top(found) == ("explained", "resource")


def test_a_partition_that_had_healed_does_not_explain_a_later_fencing() -> None:
    """What was over before the stop failed is not what had the node fenced for it."""
    found = verdict(
        f"state node.loss n1 +100s..+115s node=n2 how=unclean witnesses=n1 fenced_before=false alive=true provided=true\n"
        "state membership.split n1 +100s..+115s nodes=n1,n2 sides=n1,n2 isolated=n1,n2\n"
        "state rsc.operation n2 +140s..+150s resource=app node=n2 op=stop status=failed rc=1 probe=false expected=false "
        "fencing_device=false\n"
        "state fencing.operation n1 +151s..+156s action=reboot target=n2 result=failed by=cluster requested_by=n1 "
        f'executed_by=n1 reason="app failed there" error="Unable to connect"\n{LOGS}'
    )
    assert _top(found)[1] == "resource"
    assert found.verdict.headline.startswith("n2 could not be fenced")


def test_trigger_and_what_prevented_recovery_are_two_causes() -> None:
    """A lost node whose fencing was refused has both in the top explanation."""
    found = verdict(
        f"{LOST} provided=false\n"
        "state fencing.operation n1 +101s..+103s action=reboot target=n2 result=failed by=cluster requested_by=n1 "
        'error="Unable to connect"\n'
        "state fencing.attempt n1 +101s..+103s action=reboot target=n2 device=f2 result=failed\n+900s n1 log.end"
    )
    roles = {(c.category.value, c.role.value) for c in found.incidents[0].explanations[0].causes}
    assert ("fence_device", "prevented_recovery") in roles
    assert found.verdict.status.value == "undecided"


def test_a_planned_standby_is_no_incident() -> None:
    """What somebody did on purpose is told at info."""
    found = verdict(
        "state admin.action n1 +100s..+100s what=standby target=n2 tool=crm\n"
        "state rsc.outage n2 +101s..+103s resource=app from_node=n2 to_node=n1 moved=true planned=true down_s=2\n"
        + LOGS
    )
    assert found.verdict.status.value == "no_incident"


def test_too_little_is_insufficient() -> None:
    """A handful of lines does not support the statement that nothing happened."""
    rules = _rules()
    situation = read_situation(START, rules.event_types, events="+0s n1 corosync.main.ready")
    timeline = build_timeline(situation)
    material = Material(timeline, Views(()), (), cluster_config(()), rules, (), (), (), (), (), (), "test")
    assert diagnose(material).verdict.status.value == "insufficient"


@pytest.mark.parametrize("extra", ["", "silent n2 +96s..+160s\n"])
def test_removing_evidence_never_makes_the_network_likely(extra: str) -> None:
    """With the words of the lost node taken away, a crash is never called a cut."""
    silent = " provided=true silent=true silent_from_s=4" if extra else " provided=false"
    found = verdict(f"{LOST}{silent}\n{extra}{FENCED}\n+900s n1 log.end")
    network = [e for e in found.incidents[0].explanations if e.category.value == "network"]
    assert all(e.confidence < 0.6 for e in network)
