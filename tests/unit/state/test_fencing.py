"""Fencing operations from the lines of all observers."""

from __future__ import annotations

from hadiag.state import build_views
from tests.unit.state.builders import fact, timeline

FULL = """
+0s     n1 sched.will_fence target=n2 reason="peer is no longer part of the cluster"
+0.1s   n1 fence.request target=n2 action=reboot
+0.11s  n1 fence.client_wants client=pacemaker-controld.95 action=reboot target=n2
+0.12s  n1 fence.peer_request action=reboot target=n2 op_id=a62549ee
+0.13s  n1 fence.perform executioner=n1 action=reboot target=n2 client=pacemaker-controld.95
+4s     n1 fence.agent_stderr agent=fence_ipmilan text="Unable to obtain correct plug status"
+4.1s   n1 fence.device_result_new action=reboot target=n2 device=ipmi-n2 rc=0 result=ok
+4.2s   n1 fence.op_result action=reboot target=n2 executioner=n1 client=pacemaker-controld.95 origin=n1 result=ok op_id=a62549ee
+4.25s  n3 fence.op_result action=reboot target=n2 executioner=n1 client=pacemaker-controld.95 origin=n1 result=ok op_id=a62549ee
+4.3s   n3 fence.peer_terminated action=reboot target=n2 executioner=n1 client=pacemaker-controld.95 origin=n1 result=ok op_id=a62549ee-27c9
"""


def test_one_operation_for_all_observers() -> None:
    """The lines of two nodes and three daemons are one operation with its reason, try and result."""
    (operation,) = build_views(timeline(FULL)).of("fencing.operation")
    assert operation.observer == "n1"
    assert operation.value["reason"] == "peer is no longer part of the cluster"
    assert (operation.value["result"], operation.value["by"], operation.value["manual"]) == ("ok", "cluster", False)
    assert (operation.value["devices"], operation.value["attempts"]) == (("ipmi-n2",), 1)
    assert operation.value["client"] == "pacemaker-controld"
    assert operation.value["duration_s"] == 4.1


def test_result_without_id_answers_the_open_request() -> None:
    """Old and abridged lines carry no id: target and time join them."""
    views = build_views(
        timeline(
            "+0s n1 fence.request target=n2 action=reboot\n+20s n1 fence.op_result target=n2 result=failed reason=x"
        )
    )
    (operation,) = views.of("fencing.operation")
    assert (operation.value["result"], operation.value["error"]) == ("failed", "x")
    assert operation.value["duration_s"] == 20


def test_each_retry_of_the_cluster_is_an_operation() -> None:
    """A new request after a result is a new operation, even against the same node."""
    views = build_views(
        timeline("""
        +0s n1 fence.request target=n2 action=reboot
        +1s n1 fence.op_result action=reboot target=n2 result=failed op_id=aaaaaaaa
        +2s n1 fence.request target=n2 action=reboot
        +3s n1 fence.op_result action=reboot target=n2 result=ok op_id=bbbbbbbb
        """)
    )
    assert [view.value["result"] for view in views.of("fencing.operation")] == ["failed", "ok"]


def test_failed_try_keeps_the_words_of_the_agent() -> None:
    """What the agent wrote on the executing node tells why the try failed; noise does not."""
    views = build_views(
        timeline("""
        +0s n1 fence.peer_request action=off target=n2 op_id=cccccccc
        +0s n1 fence.perform executioner=n3 action=off target=n2
        +1s n3 fence.agent_stderr agent=fence_ipmilan text="DeprecationWarning: 'pipes' is deprecated"
        +1s n3 fence.agent_stderr agent=fence_ipmilan text="ERROR: Failed: Unable to connect"
        +2s n3 fence.device_result_new action=off target=n2 device=ipmi rc=1 result=failed
        +3s n1 fence.op_result action=off target=n2 executioner=n3 origin=n1 result=failed op_id=cccccccc
        """),
        [fact("fencing.device", id="ipmi", agent="fence_ipmilan")],
    )
    (attempt,) = views.of("fencing.attempt")
    assert attempt.observer == "n3"
    assert attempt.value["text"] == "Failed: Unable to connect"
    assert (attempt.value["agent"], attempt.value["result"]) == ("fence_ipmilan", "failed")
    assert views.of("fencing.operation")[0].value["error"] == "Failed: Unable to connect"


def test_request_without_answer_is_pending() -> None:
    """Where the log ends before the result, the result is unknown, not failed."""
    (operation,) = build_views(timeline("+0s n1 fence.request target=n2 action=off")).of("fencing.operation")
    assert (operation.value["result"], operation.end, operation.value["origin_pending"]) == ("unknown", None, True)


def test_fencing_by_hand_is_manual() -> None:
    """A client that people use, or a confirmation, makes it an administrator's operation."""
    views = build_views(
        timeline("""
        +0s n1 fence.client_wants client=stonith_admin.77 action=reboot target=n2
        +0s n1 fence.peer_request action=reboot target=n2 op_id=dddddddd
        +5s n1 fence.op_result action=reboot target=n2 client=stonith_admin.77 origin=n1 result=ok op_id=dddddddd
        +90s n1 fence.manual_ack target=n3
        """)
    )
    assert [(v.value["target"], v.value["manual"], v.value["by"]) for v in views.of("fencing.operation")] == [
        ("n2", True, "admin"),
        ("n3", True, "admin"),
    ]


def test_a_termination_that_was_requested_is_an_administrator_s() -> None:
    """``crm node fence`` sets an attribute, and the cluster asks for the fencing; the scheduler says why."""
    text = """
        +0s n1 sched.will_fence node=n2 reason="{}"
        +1s n1 fence.request target=n2 action=reboot
        +9s n1 fence.op_result action=reboot target=n2 client=pacemaker-controld.9 origin=n1 result=ok op_id=eeeeeeee
    """

    asked, lost = (
        build_views(timeline(text.format(reason))).of("fencing.operation")[0].value
        for reason in ("termination was requested", "peer is no longer part of the cluster")
    )

    assert (asked["by"], asked["manual"], lost["by"]) == ("admin", False, "cluster")


def test_negated_broadcast_is_no_success() -> None:
    """A peer that was not terminated was not fenced, whatever words follow."""
    views = build_views(
        timeline('+0s n1 fence.peer_terminated target=n2 negated=" not" action=off result=failed op_id=eeeeeeee')
    )
    assert views.of("fencing.operation")[0].value["result"] == "failed"


def test_nobody_can_fence() -> None:
    """Without any try, the missing device is the result."""
    views = build_views(
        timeline("""
        +0s n1 fence.request target=n2 action=reboot
        +1s n1 fence.no_one target=n2 action=reboot result=no_device
        +1s n1 fence.op_result target=n2 action=reboot result=failed
        """)
    )
    assert views.of("fencing.operation")[0].value["result"] == "no_device"


def test_the_words_of_the_fencer_tell_a_device() -> None:
    """Where the configuration is missing, the reason of a failed monitor shows that the resource is a fence device."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.op.result op=monitor rsc=ipmi node=n1 rc=1 result=error opkey=ipmi_monitor_60000 exit_reason="Fence agent did not complete within 20s"
        +1s n1 pcmk.op.result op=monitor rsc=app node=n1 rc=1 result=error opkey=app_monitor_10000 exit_reason="Resource agent did not complete within 20s"
        """)
    )

    assert {v.value["resource"]: v.value["fencing_device"] for v in views.of("rsc.operation")} == {
        "ipmi": True,
        "app": False,
    }


def test_device_monitor_is_no_operation() -> None:
    """A failed monitor of a fence device is a row of its own and fences nobody."""
    views = build_views(
        timeline("""
        +0s n1 fence.device_result_new action=monitor device=ipmi-n2 rc=1 result=failed reason="no route"
        +1s n1 pcmk.op.result_new op=monitor rsc=ipmi-n2 node=n1 result=error rc=1 opkey=ipmi-n2_monitor_60000
        """)
    )
    assert views.of("fencing.operation") == ()
    assert [(v.value["device"], v.value["result"]) for v in views.of("fencing.device")] == [("ipmi-n2", "failed")] * 2
    assert views.of("rsc.operation")[0].value["fencing_device"] is True


GIVEN_UP = """
    +0s   n1 fence.peer_request action=reboot target=n2 op_id=aaaaaaaa
    +0s   n1 fence.perform executioner=n1 action=reboot target=n2 client=pacemaker-controld.95
    +24s  n1 fence.op_result action=reboot target=n2 executioner=n1 client=pacemaker-controld.95 origin=n1 result=timeout op_id=aaaaaaaa
    +24s  n1 fence.op_failed call=10 target=n2 reason="total timeout"
"""


def test_a_result_that_came_too_late() -> None:
    """A device that answers when nobody waits any more ends its own try, and the operation stays as it ended."""
    views = build_views(
        timeline(
            GIVEN_UP
            + """
    +40s   n1 fence.device_result_new action=reboot target=n2 device=ipmi-n2 rc=0 result=ok call=10
    +40.1s n1 fence.late_result action=reboot target=n2 executioner=n1 op_id=aaaaaaaa result=timeout
    """
        )
    )

    (operation,), (attempt,) = views.of("fencing.operation"), views.of("fencing.attempt")
    assert (operation.value["result"], operation.value["duration_s"]) == ("timeout", 24.0)
    assert operation.value["devices"] == ("ipmi-n2",)
    assert (attempt.value["result"], attempt.value["late_result"], attempt.value["duration_s"]) == (
        "timeout",
        "ok",
        40.0,
    )


def test_a_late_result_beside_the_next_operation() -> None:
    """The call of the daemon that asked tells the late answer of one operation from that of the operation that runs by then."""
    views = build_views(
        timeline(
            GIVEN_UP
            + """
    +25s  n1 fence.peer_request action=reboot target=n2 op_id=bbbbbbbb
    +25s  n1 fence.perform executioner=n1 action=reboot target=n2 client=pacemaker-controld.95
    +40s  n1 fence.device_result_new action=reboot target=n2 device=ipmi-n2 rc=1 result=failed call=10
    +44s  n1 fence.device_result_new action=reboot target=n2 device=ipmi-n2 rc=0 result=ok call=11
    +44s  n1 fence.op_result action=reboot target=n2 executioner=n1 client=pacemaker-controld.95 origin=n1 result=ok op_id=bbbbbbbb
    """
        )
    )

    tries = {view.value["op_id"]: view for view in views.of("fencing.attempt")}
    assert (tries["aaaaaaaa"].value["late_result"], tries["aaaaaaaa"].value["duration_s"]) == ("failed", 40.0)
    assert (tries["bbbbbbbb"].value["late_result"], tries["bbbbbbbb"].value["result"]) == (None, "ok")


def test_the_level_of_a_try() -> None:
    """The configuration knows in which level of the topology each device of a node stands."""
    levels = (
        fact("fencing.level", target="n2", level=1, devices=("ipmi-n2",)),
        fact("fencing.level", target="n2", level=2, devices=("pdu-a", "pdu-b")),
        fact("fencing.level", target="n1", level=1, devices=("pdu-a",)),
    )
    views = build_views(
        timeline("""
        +0s   n1 fence.peer_request action=reboot target=n2 op_id=aaaaaaaa
        +0s   n1 fence.perform executioner=n1 action=reboot target=n2 device=ipmi-n2
        +9s   n1 fence.device_result_new action=reboot target=n2 device=ipmi-n2 rc=1 result=failed
        +9s   n1 fence.perform executioner=n1 action=reboot target=n2 device=pdu-a
        +10s  n1 fence.device_result_new action=reboot target=n2 device=pdu-a rc=0 result=ok
        """),
        levels,
    )

    assert [(v.value["device"], v.value["level"]) for v in views.of("fencing.attempt")] == [
        ("ipmi-n2", 1),
        ("pdu-a", 2),
    ]


def test_the_delay_of_a_try() -> None:
    """A device that was told to wait has its delay, and its name, even where the node was fenced meanwhile."""
    views = build_views(
        timeline("""
        +0s   n1 fence.peer_request action=reboot target=n2 op_id=aaaaaaaa
        +0s   n1 fence.perform executioner=n1 action=reboot target=n2
        +0s   n1 fence.delay action=reboot target=n2 device=ipmi-n2 delay=10s
        +0s   n2 fence.delay action=reboot target=n1 device=ipmi-n1 delay=4321ms
        """)
    )

    (attempt,) = views.of("fencing.attempt")
    assert (attempt.value["device"], attempt.value["delay_s"], attempt.value["result"]) == ("ipmi-n2", 10.0, "unknown")
