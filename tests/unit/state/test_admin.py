"""Deliberate acts, the DC, daemons and boots."""

from __future__ import annotations

import pytest

from hadiag.model.time import NS
from hadiag.state import build_views
from hadiag.state.commands import Command, parse_command
from tests.unit.state.builders import START, timeline


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pcs node standby n1", Command("standby", "pcs", "n1")),
        ("/usr/sbin/pcs property set maintenance-mode=true", Command("maintenance", "pcs", "")),
        ("pcs resource move web n2", Command("move", "pcs", "web")),
        ("pcs resource cleanup web", Command("cleanup", "pcs", "web")),
        ("pcs stonith confirm n2", Command("ack", "pcs", "n2")),
        ("pcs status", None),
        ("pcs resource config web", None),
        ("crm(live/n1)# node standby n2", Command("standby", "crm", "n2")),
        ("crm configure load update /root/x", Command("config", "crm", "")),
        ("crm configure show", None),
        ("crm_resource --ban -r web -N n1", Command("ban", "crm_resource", "web")),
        ("crm_attribute -N n1 -n standby -v on", Command("standby", "crm_attribute", "n1")),
        ("crm_standby -N n1 -D", Command("unstandby", "crm_standby", "n1")),
        ("stonith_admin --reboot n2", Command("fence", "stonith_admin", "n2")),
        ("sudo systemctl stop pacemaker.service", Command("stop", "systemctl", "")),
        ("systemctl restart nginx", None),
        ("shutdown -r now", Command("reboot", "shutdown", "")),
        ("cibadmin --query", None),
        ("vi 'unbalanced", None),
    ],
)
def test_commands(line: str, expected: Command | None) -> None:
    """Commands that change the cluster are told from those that only look."""
    assert parse_command(line) == expected


def test_one_act_in_several_logs() -> None:
    """The shell's line, the write to the configuration and what the nodes saw change are one act."""
    views = build_views(
        timeline("""
        +0s   n2 sudo.command user=kay cmd="/usr/sbin/pcs node standby n1"
        +0.2s n2 cib.request op=apply_diff section=all result=OK origin=n2 client=cibadmin
        +0.2s n1 cib.node_mode name=standby node=n1 value=on change=set
        +0.2s n2 cib.node_mode name=standby node=n1 value=on change=set
        +0.3s n2 sched.maintenance node=n1 mode=standby
        """)
    )
    (act,) = views.of("admin.action")
    assert (act.value["what"], act.value["tool"], act.value["user"], act.value["target"]) == (
        "standby",
        "pcs",
        "kay",
        "n1",
    )
    assert [(v.value["value"], v.start is None) for v in views.of("node.standby")] == [(False, True), (True, False)]


def test_configuration_change_named_by_the_dc() -> None:
    """Where only the DC's aborted transition tells, it tells enough."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.transition.aborted obj=web-meta_attributes-target-role op=modify name=target-role value=Stopped reason="Configuration change" path="/cib/configuration/resources/primitive[@id='web']"
        +9s n1 pcmk.transition.aborted obj=cli-ban-web-on-n1 op=create reason="Configuration change" path=/cib/configuration/constraints
        +19s n1 pcmk.transition.aborted obj=status-1-x op=create name=fail-count-web reason="Transient attribute change"
        """)
    )
    assert [(v.value["what"], v.value["target"]) for v in views.of("admin.action")] == [
        ("disable", "web"),
        ("ban", "web"),
    ]


def test_order_to_stop_the_node() -> None:
    """Stopping the unit is an order; a power key just pressed is a fence device's soft power-off."""
    stop = '+5s n1 systemd.job unit=pacemaker.service desc="Pacemaker" action=stopping'
    assert [v.value["what"] for v in build_views(timeline(stop)).of("admin.action")] == ["stop"]
    pressed = "+4s n1 systemd.power_key action=pressed\n" + stop
    assert build_views(timeline(pressed)).of("admin.action") == ()


def test_dc_from_the_state_machine() -> None:
    """Without the info lines the states alone tell who took himself for the DC."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.fsa.transition from_state=S_NOT_DC to_state=S_ELECTION
        +1s n1 pcmk.fsa.transition from_state=S_ELECTION to_state=S_INTEGRATION
        +9s n1 pcmk.fsa.transition from_state=S_IDLE to_state=S_NOT_DC
        """)
    )
    assert [v.value["dc"] for v in views.of("dc.view")] == ["n1", ""]
    assert [v.value["state"] for v in views.of("controller.state")] == [
        "S_NOT_DC",
        "S_ELECTION",
        "S_INTEGRATION",
        "S_NOT_DC",
    ]


def test_two_dcs_contradict() -> None:
    """Two nodes that each lead exclude each other as long as both do."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.dc.take
        +1s n2 pcmk.dc.take
        +9s n2 pcmk.dc.set node=n1
        +9s n1 x.y
        """)
    )
    (found,) = views.of("contradiction")
    assert (found.value["what"], found.value["nodes"]) == ("two_dcs", ("n1", "n2"))
    assert found.value["overlap_s"] == pytest.approx(7.998)


def test_transition_from_plan_to_result() -> None:
    """Aborts are counted, the file names the kind."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.graph.start transition=4 pe_file=/var/lib/pacemaker/pengine/pe-warn-2.bz2
        +1s n1 pcmk.transition.aborted transition=4 reason=x
        +2s n1 pcmk.transition.result transition=4 result=Stopped pe_file=/var/lib/pacemaker/pengine/pe-warn-2.bz2
        """)
    )
    (transition,) = views.of("transition")
    assert [transition.value[key] for key in ("number", "kind", "file", "result", "aborts")] == [
        4,
        "warn",
        "pe-warn-2.bz2",
        "Stopped",
        1,
    ]


def test_killed_daemon_is_respawned() -> None:
    """A signal ends one life, the launcher begins the next; an ordered stop is orderly."""
    views = build_views(
        timeline("""
        +0s n1 pacemakerd.start version=2.1.5
        +9s n1 pacemakerd.child_signal daemon=pacemaker-attrd pid=89 signal=9
        +9s n1 pacemakerd.respawn daemon=pacemaker-attrd
        +50s n1 pacemakerd.stop
        +51s n1 pacemakerd.stop_done
        """)
    )
    lives = [v for v in views.of("daemon.life") if v.value["daemon"] == "pacemaker-attrd"]
    assert [(v.value["how"], v.value["signal"], v.value["respawned"]) for v in lives] == [
        ("killed", 9, False),
        ("orderly", None, True),
    ]


def test_core_dump_is_a_crash() -> None:
    """A signal of the daemon's own making is a crash, for old names as well."""
    views = build_views(timeline("+0s n1 pacemakerd.child_signal daemon=crmd pid=9 signal=11 core=1"))
    assert [(v.value["daemon"], v.value["how"]) for v in views.of("daemon.life")] == [("pacemaker-controld", "crashed")]


def test_boot_ends_in_order_where_the_cluster_was_stopped_just_before() -> None:
    """The log of a shutdown may break off before the machine is down; a cluster that was started anew meanwhile is none."""
    ended = (
        "+{}s n1 pacemakerd.stop_done\n+{}s n1 pacemakerd.start\n+200s n1 log.silent\n+260s n1 log.back\n+260s n1 x.y"
    )

    told = [
        build_views(timeline(f"+0s n1 x.y\n{ended.format(*at)}")).of("node.boot")[0].value["how"]
        for at in ((190, 100), (100, 190))
    ]

    assert told == ["orderly", "crash"]


def test_a_log_that_begins_with_a_boot_tells_of_no_other_before() -> None:
    """The first boot in a log ends nothing, unless something was logged before it."""
    boot = "+100s n1 kernel.boot version=6.1\n+101s n1 x.y"

    told = [len(build_views(timeline(f"{before}{boot}")).of("node.boot")) for before in ("", "+0s n1 x.y\n")]

    assert told == [1, 2]


def test_boot_ends_by_fencing_or_for_no_known_reason() -> None:
    """A silence with a confirmed power-off was fencing; a return without one was a crash."""
    lines = "+0s n1 x.y\n+1s n1 log.silent\n+60s n1 log.back\n+60s n1 corosync.main.starting version=3"
    assert build_views(timeline(lines)).of("node.boot")[0].value["how"] == "crash"
    fenced = lines + "\n+5s n2 fence.op_result target=n1 action=off result=ok op_id=aaaaaaaa"
    assert build_views(timeline(fenced)).of("node.boot")[0].value["how"] == "fenced"
    assert build_views(timeline(fenced)).of("observer.silent")[0].value["how"] == "fenced"


def test_fenced_but_logging() -> None:
    """A node that logs on after it was reported off was not off, unless its log begins only then."""
    text = """
        +100s n2 fence.op_result target=n1 action=off result=ok op_id=aaaaaaaa
        +130s n1 pcmk.op.result op=monitor rsc=a node=n1 rc=0 result=ok opkey=a_monitor_10000
    """
    before = "+{}s n1 pcmk.op.result op=monitor rsc=a node=n1 rc=0 result=ok opkey=a_monitor_10000"

    told = [
        [v.value["what"] for v in build_views(timeline(lines)).of("contradiction")]
        for lines in (before.format(0) + text, before.format(99) + text, text)
    ]

    assert told == [["fenced_but_logging"], [], []]


def test_options_keep_the_old_names() -> None:
    """Options of pacemaker 3 and changes in the logs stand under one name."""
    views = build_views(timeline("+0s n1 cib.option_change name=fencing-enabled value=false change=set"))
    assert [(v.value["name"], v.value["value"], v.value["source"]) for v in views.of("cluster.option")] == [
        ("stonith-enabled", "false", "event")
    ]


def test_an_orderly_reboot_is_two_boots() -> None:
    """The first ends with the last line of the shutdown, the second begins with what starts first, kernel or daemon."""
    lines = """
        +0s   n1 corosync.main.starting version=3
        +60s  n1 systemd.shutdown action=reboot
        +62s  n1 pacemakerd.stop_done
        +63s  n1 systemd.shutdown action=Reboot
        +90s  n1 {}
        +91s  n1 corosync.main.starting version=3
        +92s  n1 kernel.boot version=6.1
    """
    for first in ("kernel.boot version=6.1", "x.y", "systemd.boot version=252"):
        one, two = build_views(timeline(lines.format(first))).of("node.boot")
        assert (one.value["how"], two.value["how"]) == ("orderly", "running")
        assert one.end is not None
        assert two.start is not None
        assert (one.end.ns - START) // NS == 63
        assert (two.start.ns - START) // NS == (91 if first == "x.y" else 90)


def test_a_node_that_was_shut_down_does_not_run_on() -> None:
    """Where the log ends with the shutdown, so does the boot; a shutdown that somebody cut short by fencing was fencing."""
    down = "+0s n1 corosync.main.starting version=3\n+60s n1 systemd.shutdown action=poweroff\n"
    (boot,) = build_views(timeline(down)).of("node.boot")
    assert (boot.value["how"], boot.end is not None) == ("orderly", True)
    cut = down + "+61s n1 log.silent\n+65s n2 fence.op_result target=n1 action=off result=ok op_id=aaaaaaaa"
    assert build_views(timeline(cut)).of("node.boot")[0].value["how"] == "fenced"
    off = down + "+61s n1 log.silent\n+90s n1 log.back\n+90s n1 kernel.boot version=6.1"
    assert [view.value["how"] for view in build_views(timeline(off)).of("node.boot")] == ["orderly", "running"]
