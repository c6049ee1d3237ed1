"""Operations, activity, outages and failures of resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hadiag.model.fact import Fact
from hadiag.state import build_views
from tests.unit.state.builders import START, fact, timeline

if TYPE_CHECKING:
    from hadiag.state import Views

MOVE = """
+0s    n1 pcmk.op.local_request op=start rsc=web node=n1
+1s    n1 pcmk.op.result_new op=start rsc=web node=n1 result=ok rc=0 opkey=web_start_0 call=5
+60s   n1 pcmk.op.local_request op=stop rsc=web node=n1
+61s   n1 pcmk.op.result_new op=stop rsc=web node=n1 result=ok rc=0 opkey=web_stop_0 call=7
+63s   n2 pcmk.op.result_new op=start rsc=web node=n2 result=ok rc=0 opkey=web_start_0 call=5
"""


def _activity(views: Views) -> list[tuple[object, ...]]:
    return [(v.value["node"], v.value["role"], v.end is None) for v in views.of("rsc.active")]


def test_activity_follows_start_and_stop() -> None:
    """A resource is active from a good start to a good stop on the same node."""
    assert _activity(build_views(timeline(MOVE))) == [("n1", "Started", False), ("n2", "Started", True)]


def test_outage_begins_with_the_stop_and_ends_with_the_start() -> None:
    """The service is away as soon as its stop is asked for."""
    (outage,) = build_views(timeline(MOVE)).of("rsc.outage")
    assert (outage.value["from_node"], outage.value["to_node"], outage.value["down_s"]) == ("n1", "n2", 3.0)
    assert outage.value["planned"] is False


def test_a_move_within_the_printed_second_is_a_move() -> None:
    """Logs of older versions print whole seconds: the failure here and the start there may have the same stamp."""
    views = build_views(
        timeline("""
        +0s  n1 pcmk.op.result op=start rsc=web node=n1 rc=0 result=ok opkey=web_start_0
        +30s n1 pcmk.op.result op=monitor rsc=web node=n1 rc=7 result="not running" opkey=web_monitor_10000
        +30s n1 pcmk.op.result op=stop rsc=web node=n1 rc=0 result=ok opkey=web_stop_0
        +30s n2 pcmk.op.result op=start rsc=web node=n2 rc=0 result=ok opkey=web_start_0
        """)
    )
    (outage,) = views.of("rsc.outage")
    assert (outage.value["from_node"], outage.value["to_node"], outage.value["down_s"]) == ("n1", "n2", 0.0)


def test_a_confirmation_that_the_node_outlives_ends_nothing() -> None:
    """Somebody confirmed by hand that a node is off; its own log goes on, and so does what it runs."""
    text = """
        +0s  n1 pcmk.op.result op=start rsc=web node=n1 rc=0 result=ok opkey=web_start_0
        +60s n2 fence.op_result target=n1 action=off result=ok op_id=aaaaaaaa
        +61s n2 pcmk.op.result op=start rsc=web node=n2 rc=0 result=ok opkey=web_start_0
        +80s n1 x.y
        +95s n1 x.y
        """
    assert _activity(build_views(timeline(text))) == [("n1", "Started", True), ("n2", "Started", True)]
    started = text.replace("+80s n1 x.y", "+80s n1 corosync.main.starting version=3.1.7")
    assert _activity(build_views(timeline(started)))[0] == ("n1", "Started", False)


def test_outage_after_standby_is_planned() -> None:
    """What follows from an administrator's act on that node was planned."""
    views = build_views(timeline(MOVE + "+59s n2 cib.node_mode name=standby node=n1 value=on change=set"))
    assert [view.value["planned"] for view in views.of("rsc.outage")] == [True]


def test_going_back_to_a_node_that_was_taken_down_on_purpose_is_planned() -> None:
    """A resource that prefers a node returns to it after its reboot; nobody asked for that move alone."""
    views = build_views(timeline("-300s n2 cib.node_mode name=standby node=n2 value=on change=set" + MOVE))
    assert [view.value["planned"] for view in views.of("rsc.outage")] == [True]
    other = build_views(timeline("-300s n2 cib.node_mode name=standby node=n3 value=on change=set" + MOVE))
    assert [view.value["planned"] for view in other.of("rsc.outage")] == [False]


def test_disabled_resource_is_no_outage() -> None:
    """Nobody misses what was switched off."""
    stopped = "\n".join(MOVE.splitlines()[:-1])
    views = build_views(timeline(stopped + "\n+59s n1 cib.rsc_mode rsc=web name=target-role value=Stopped change=set"))
    assert views.of("rsc.outage") == ()


def test_failed_start_makes_a_planned_move_an_outage() -> None:
    """A standby was planned, a start that fails was not."""
    text = MOVE.replace("result=ok rc=0 opkey=web_start_0 call=5\n", "result=ok rc=0 opkey=web_start_0 call=5\n", 1)
    text = text.replace(
        "n2 pcmk.op.result_new op=start rsc=web node=n2 result=ok rc=0",
        "n2 pcmk.op.result_new op=start rsc=web node=n2 result=error rc=5",
    )
    views = build_views(timeline(text + "+59s n2 cib.node_mode name=standby node=n1 value=on change=set"))
    (outage,) = views.of("rsc.outage")
    assert (outage.end, outage.value["planned"]) == (None, False)


def test_failing_monitor_begins_the_outage() -> None:
    """The service is down from the failed monitor on, and up again with the restart."""
    views = build_views(
        timeline("""
        +0s  n1 pcmk.op.result op=start rsc=web node=n1 rc=0 result=ok opkey=web_start_0
        +30s n1 pcmk.op.result op=monitor rsc=web node=n1 rc=7 result="not running" opkey=web_monitor_10000
        +31s n1 pcmk.op.result op=stop rsc=web node=n1 rc=0 result=ok opkey=web_stop_0
        +33s n1 pcmk.op.result op=start rsc=web node=n1 rc=0 result=ok opkey=web_start_0
        """)
    )
    (outage,) = views.of("rsc.outage")
    assert outage.value["down_s"] == 3.0


def test_fenced_node_ends_its_resources_where_it_went_silent() -> None:
    """The last line of the node bounds what it could run, not the confirmation some seconds later."""
    views = build_views(
        timeline("""
        +0s  n1 pcmk.op.result op=start rsc=web node=n1 rc=0 result=ok opkey=web_start_0
        +20s n1 pcmk.node.state node=n2 state=lost @pacemaker-controld
        +20s n1 log.silent
        +25s n2 fence.op_result target=n1 action=reboot result=ok op_id=aaaaaaaa
        +27s n2 pcmk.op.result op=start rsc=web node=n2 rc=0 result=ok opkey=web_start_0
        """)
    )
    first = views.of("rsc.active")[0]
    assert first.end is not None
    assert first.start is not None
    assert first.end.ns - first.start.ns == 20_000_000_000
    assert views.of("contradiction") == ()


def test_probe_results_do_no_harm() -> None:
    """A probe asks; not running and not installed are answers, an error is not."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.op.result op=monitor rsc=a node=n1 rc=7 result="not running" opkey=a_monitor_0
        +1s n1 pcmk.op.result op=probe rsc=b node=n1 rc=5 result="not installed" opkey=b_monitor_0
        +2s n1 pcmk.op.result op=monitor rsc=c node=n1 rc=1 result=error opkey=c_monitor_0
        """)
    )
    found = [(v.value["resource"], v.value["probe"], v.value["expected"]) for v in views.of("rsc.operation")]
    assert found == [("a", True, True), ("b", True, True), ("c", True, False)]
    assert views.of("rsc.active") == ()


def test_agent_words_count_for_a_failed_result_only() -> None:
    """The same error text beside a good start is no reason of anything."""
    lines = """
        +0s   n1 pcmk.op.local_request op=start rsc={rsc} node=n1
        +0.5s n1 ra.ocf.exit_reason rsc={rsc} reason="no such file"
        +1s   n1 pcmk.op.result op=start rsc={rsc} node=n1 rc={rc} result={result} opkey={rsc}_start_0
        """
    good = build_views(timeline(lines.format(rsc="a", rc=0, result="ok"))).of("rsc.operation")[0]
    bad = build_views(timeline(lines.format(rsc="a", rc=1, result="error"))).of("rsc.operation")[0]
    assert (good.value["exit_reason"], good.value["expected"]) == (None, True)
    assert (bad.value["exit_reason"], bad.value["expected"]) == ("no such file", False)


def test_timeout_and_cancel() -> None:
    """A timeout is a failure without a code, a cancelled monitor is none at all."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.op.result_new op=monitor rsc=a node=n1 result="Timed Out" status=timeout opkey=a_monitor_10000
        +1s n1 pcmk.op.result_new op=monitor rsc=a node=n1 result=Cancelled opkey=a_monitor_10000
        """)
    )
    assert [(v.value["status"], v.value["expected"], v.value["rc"]) for v in views.of("rsc.operation")] == [
        ("timeout", False, None),
        ("cancelled", True, None),
    ]


def test_promotable_roles() -> None:
    """Promotion and demotion change the role, and only the promoted role can be missed."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.op.result op=start rsc=db node=n1 rc=0 result=ok opkey=db_start_0
        +1s n1 pcmk.op.result op=promote rsc=db node=n1 rc=0 result=ok opkey=db_promote_0
        +9s n1 pcmk.op.result op=demote rsc=db node=n1 rc=0 result=ok opkey=db_demote_0
        +9s n2 pcmk.op.result op=start rsc=db node=n2 rc=0 result=ok opkey=db_start_0
        """),
        [fact("resource", id="db", promotable=True, clone=True)],
    )
    assert [role for _, role, _ in _activity(views)] == ["Unpromoted", "Promoted", "Unpromoted", "Unpromoted"]
    assert [(v.value["role"], v.end) for v in views.of("rsc.outage")] == [("Promoted", None)]
    assert views.of("contradiction") == ()


def test_kind_without_configuration() -> None:
    """The scheduler's own lists tell primitives from clones; where they are missing nothing is claimed."""
    start = "+0s n1 pcmk.op.result op=start rsc=a node=n1 rc=0 result=ok opkey=a_start_0\n"
    said = {
        "+1s n1 pcmk.sched.action change=Start rsc=a detail=n1": False,
        "+1s n1 pcmk.sched.action change=Start rsc=a:0 detail=n1": True,
        "+1s n1 x.y": None,
    }
    for line, expected in said.items():
        assert build_views(timeline(start + line)).of("rsc.active")[0].value["clone"] is expected


def test_active_twice_beyond_clock_error() -> None:
    """One primitive started on two nodes at the same time excludes itself; what a probe found does not."""
    text = """
        +0s n1 pcmk.op.result op=start rsc=a node=n1 rc=0 result=ok opkey=a_start_0
        +1s n2 pcmk.op.result op=start rsc=a node=n2 rc=0 result=ok opkey=a_start_0
        +9s n1 pcmk.sched.action change=Stop rsc=a detail=n1
        +9s n2 x.y
        """
    assert [v.value["what"] for v in build_views(timeline(text)).of("contradiction")] == ["active_twice"]
    assert build_views(timeline(text, err_ms=20_000)).of("contradiction") == ()
    probed = text.replace("op=start rsc=a node=n2", "op=monitor rsc=a node=n2").replace(
        "+1s n2 pcmk.op.result op=monitor rsc=a node=n2 rc=0 result=ok opkey=a_start_0",
        "+1s n2 pcmk.op.result op=monitor rsc=a node=n2 rc=0 result=ok opkey=a_monitor_0",
    )
    assert [v.value["what"] for v in build_views(timeline(probed)).of("contradiction")] == ["found_active"]


def test_clone_on_two_nodes_is_no_contradiction() -> None:
    """Clones run everywhere."""
    text = """
        +0s n1 pcmk.op.result op=start rsc=a node=n1 rc=0 result=ok opkey=a_start_0
        +1s n2 pcmk.op.result op=start rsc=a node=n2 rc=0 result=ok opkey=a_start_0
        +9s n1 x.y
        +9s n2 x.y
        """
    facts = [
        fact("resource", id="grp", clone=False, parent="cl"),
        fact("resource", id="cl", clone=True),
        fact("resource", id="a", parent="grp"),
    ]
    assert build_views(timeline(text), facts).of("contradiction") == ()


def test_live_migration_is_no_outage() -> None:
    """The guest runs on while it moves."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.op.result op=start rsc=vm node=n1 rc=0 result=ok opkey=vm_start_0
        +9s n1 pcmk.op.result op=migrate_to rsc=vm node=n1 rc=0 result=ok opkey=vm_migrate_to_0
        +10s n2 pcmk.op.result op=migrate_from rsc=vm node=n2 rc=0 result=ok opkey=vm_migrate_from_0
        +11s n1 pcmk.op.result op=stop rsc=vm node=n1 rc=0 result=ok opkey=vm_stop_0
        """)
    )
    assert views.of("rsc.outage") == ()
    assert views.of("contradiction") == ()


def test_result_that_only_the_dc_reports() -> None:
    """Where a node has no logs, the DC's word about its results is all there is; it ends when the DC loses the node."""
    views = build_views(
        timeline("""
        +0s  n1 pcmk.op.initiate op=start opkey=a_start_0 node=n2
        +1s  n1 pcmk.op.confirmed op=start opkey=a_start_0 rsc=a node=n2 rc=0 actual=ok call=4
        +30s n1 pcmk.node.state node=n2 state=lost @pacemaker-controld
        +50s n1 pcmk.op.result op=start rsc=a node=n1 rc=0 result=ok opkey=a_start_0
        """)
    )
    assert _activity(views) == [("n2", "Started", False), ("n1", "Started", True)]
    assert [view.value["down_s"] for view in views.of("rsc.outage")] == [20.0]


def test_plan_to_move_from_a_lost_node_without_logs() -> None:
    """The scheduler's plan shows what the lost node ran; without a start elsewhere the service is still away."""
    views = build_views(
        timeline("""
        +0s  n1 pcmk.node.state node=n2 state=lost @pacemaker-controld
        +1s  n1 pcmk.sched.action change=Move rsc=a detail="n2 -> n1"
        """)
    )
    (outage,) = views.of("rsc.outage")
    assert (outage.value["resource"], outage.value["from_node"], outage.end) == ("a", "n2", None)


def test_unexpected_result_is_joined_by_call() -> None:
    """The DC's complaint and the node's own result are one operation."""
    views = build_views(
        timeline("""
        +0s n2 pcmk.op.result op=monitor rsc=a node=n2 rc=7 result="not running" opkey=a_monitor_10000 call=9
        +0.1s n1 pcmk.op.unexpected rsc=a op=monitor opkey=a_monitor_10000 node=n2 rc=7 target_rc=0 call=9 actual="not running"
        """)
    )
    (operation,) = views.of("rsc.operation")
    assert (operation.observer, operation.value["expected"], len(operation.evidence)) == ("n2", False, 1)


def test_failcounts_and_bans() -> None:
    """Fail counts are the node's own where it has logs; INFINITY is a number; a cleanup ends them."""
    views = build_views(
        timeline("""
        +0s n1 attrd.failure name=fail-count-a#start_0 node=n2 old=(unset) new=INFINITY
        +0s n2 attrd.failure name=fail-count-a#start_0 node=n2 old=(unset) new=INFINITY
        +1s n1 sched.threshold rsc=a node=n2 failures=1000000
        +9s n2 attrd.failure name=fail-count-a#start_0 node=n2 old=INFINITY new=(unset)
        +9s n1 pcmk.rsc.cleanup rsc=a node=n2
        """)
    )
    (failcount,) = views.of("rsc.failcount")
    assert (failcount.observer, failcount.value["count"], failcount.end is None) == ("n2", 1_000_000, False)
    (ban,) = views.of("rsc.ban")
    assert (ban.value["why"], ban.end is None) == ("migration_threshold", False)


def test_failed_stop_without_fencing_blocks() -> None:
    """Without fencing nothing can make the failed stop good; with it the node is fenced."""
    stop = '+0s n1 pcmk.op.result_new op=stop rsc=a node=n1 result="Timed Out" status=timeout opkey=a_stop_0\n'
    without = build_views(timeline(stop), [fact("cluster.option", name="stonith-enabled", value="false")])
    assert [view.value["why"] for view in without.of("rsc.blocked")] == ["stop failed"]
    fenced = build_views(
        timeline(
            stop + "+1s n2 sched.will_fence target=n1 reason=x\n+5s n2 fence.op_result target=n1 action=off result=ok"
        )
    )
    assert fenced.of("rsc.blocked") == ()


def test_a_time_out_that_only_the_scheduler_names() -> None:
    """The DC prints an error where the node's own log is missing; the scheduler has the executor's words."""
    lines = (
        "+0s n1 pcmk.op.unexpected op=stop rsc=a node=n2 opkey=a_stop_0 rc=1 result_rc=1 actual=error interval_ms=0\n"
        '+1s n1 sched.failed_op op=stop rsc=a node=n2 rc=1 result=error exit_reason="Resource agent did not complete within 15s"\n'
    )
    (view,) = build_views(timeline(lines)).of("rsc.operation")
    assert (view.value["status"], view.value["exit_reason"]) == (
        "timeout",
        "Resource agent did not complete within 15s",
    )


def test_a_later_result_of_a_recurring_monitor_is_one_of_its_own() -> None:
    """Without the node's log the DC's two lines, with one call number, are the good and the bad result."""
    lines = (
        "+0s n1 pcmk.op.confirmed op=monitor rsc=a node=n2 opkey=a_monitor_10000 rc=0 actual=ok interval_ms=10000 call=15\n"
        "+20s n1 pcmk.op.unexpected op=monitor rsc=a node=n2 opkey=a_monitor_10000 rc=1 actual=error interval_ms=10000 call=15\n"
    )
    found = build_views(timeline(lines)).of("rsc.operation")
    assert [(view.value["rc"], view.value["expected"]) for view in found] == [(0, True), (1, False)]


def test_an_action_for_a_remote_node_is_not_that_of_the_member_that_holds_its_connection() -> None:
    """The DC confirms it in the name of the member; the order with the same number says where it went."""
    lines = (
        "+0s n1 pcmk.op.initiate op=start opkey=a_start_0 rsc=a interval_ms=0 node=r1 action_id=16\n"
        "+1s n2 pcmk.op.result op=start rsc=a node=r1 rc=0 result=ok opkey=a_start_0 call=7\n"
        "+1s n1 pcmk.op.confirmed action_id=16 actual=ok call=7 interval_ms=0 node=n2 op=start opkey=a_start_0 rc=0 rsc=a\n"
    )
    assert [view.value["node"] for view in build_views(timeline(lines)).of("rsc.active")] == ["r1"]


def test_a_failure_that_leaves_a_resource_to_the_administrator_blocks() -> None:
    """The scheduler calls a failed resource unmanaged although nobody took it out of the cluster's care; else it is none."""
    line = "+0s n1 sched.unmanaged rsc=a node=n2 why=failed"
    assert [view.value["why"] for view in build_views(timeline(line)).of("rsc.blocked")] == ["failed"]
    assert build_views(timeline("+0s n1 sched.unmanaged rsc=a node=n2 why=active")).of("rsc.blocked") == ()
    on_purpose = build_views(timeline(line), [fact("cluster.option", name="maintenance-mode", value="true")])
    assert on_purpose.of("rsc.blocked") == ()


def test_waiting_for_quorum_is_not_blocked() -> None:
    """A start that waits for quorum needs nobody's hand."""
    views = build_views(
        timeline('+0s n1 pcmk.sched.action change=Start rsc=a detail=n1 reason="due to no quorum (blocked)"')
    )
    assert views.of("rsc.blocked") == ()


def test_snapshot_shows_what_no_line_tells() -> None:
    """A status snapshot fills in resources that the logs do not mention, and only those."""
    views = build_views(
        timeline("+0s n1 pcmk.op.result op=stop rsc=a node=n1 rc=0 result=ok opkey=a_stop_0"),
        [
            Fact(
                "monitor.resource",
                {"resource": "a", "node": "n1", "role": "Started"},
                "b",
                "crm_mon.xml",
                1,
                "n1",
                START,
            ),
        ],
    )
    assert views.of("rsc.active") == ()


def test_snapshot_places_a_resource() -> None:
    """The values name resource and node; old role names become the new ones."""
    shown = Fact(
        "monitor.resource", {"resource": "b", "node": "n1", "role": "Master"}, "b", "crm_mon.xml", 1, "n1", START
    )
    (active,) = build_views(timeline("+0s n1 x.y"), [shown]).of("rsc.active")
    assert [active.value[key] for key in ("resource", "node", "role", "proof")] == ["b", "n1", "Promoted", "snapshot"]


DIED = """
    +0s     n1 corosync.main.starting version=3
    +5s     n1 pcmk.op.confirmed op=start rsc=a node=n2 rc=0 opkey=a_start_0
    +20s    n1 knet.host.no_links host=n2
    +25s    n1 knet.link.up host=n2 link=0
    {}
    +68s    n1 pcmk.node.state node=n2 state=lost @pacemaker-controld
    +70s    n1 pcmk.op.result op=start rsc=a node=n1 rc=0 result=ok opkey=a_start_0
"""


@pytest.mark.parametrize(
    ("signs", "down_s"),
    [
        ("+61s n1 knet.host.no_links host=n2\n+64s n1 corosync.totem.token_lost timeout_ms=3000", 9.0),
        ("+64s n1 corosync.totem.token_lost timeout_ms=3000", 9.0),
        ("+62s n1 corosync.totem.token_lost", 8.0),
        ("+61s n1 x.y", 2.0),
        ("+61s n1 knet.host.no_links host=n3", 2.0),
    ],
)
def test_a_node_without_logs_died_when_its_peers_first_missed_it(signs: str, down_s: float) -> None:
    """Its links or the token tell of its end seconds before the controller counts it as lost; a link that came back does not."""
    (outage,) = build_views(timeline(DIED.format(signs))).of("rsc.outage")
    assert (outage.value["from_node"], outage.value["to_node"]) == ("n2", "n1")
    assert outage.value["down_s"] == pytest.approx(down_s)
