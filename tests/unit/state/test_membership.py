"""Rings, partitions, absences, links and quorum of each observer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.state import build_views
from hadiag.state.build import built_in
from tests.unit.state.builders import START, fact, timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.view import View
    from hadiag.state.given import Given

IDS = {"1": "n1", "2": "n2", "3": "n3"}

SPLIT = """
+0s  n1 corosync.main.starting version=3.1.7
+1s  n1 corosync.totem.new_membership ring_id=1.5 joined=1
+1s  n1 corosync.quorum.members nodeids="1"
+3s  n1 corosync.totem.new_membership ring_id=1.9 joined="2 3"
+3s  n1 corosync.quorum.members nodeids="1 2 3"
+60s n1 corosync.totem.new_membership ring_id=1.d left="3"
+60s n1 corosync.totem.failed_to_receive_leave failed="3"
+60s n1 corosync.quorum.members nodeids="1 2"
+90s n1 corosync.totem.new_membership ring_id=1.11 joined="3"
+90s n1 corosync.quorum.members nodeids="1 2 3"
+95s n1 corosync.totem.new_membership ring_id=1.15 left="2"
+95s n1 corosync.quorum.members nodeids="1 3"
"""


def test_rings_have_members_and_a_sequence() -> None:
    """The member list that follows a ring belongs to it; its number is hexadecimal behind the node id."""
    rings = build_views(timeline(SPLIT, aliases=IDS)).of("membership.ring")
    assert [ring.value["members"] for ring in rings][1:3] == [("n1", "n2", "n3"), ("n1", "n2")]
    assert [ring.value["seq"] for ring in rings][:3] == [5, 9, 13]
    assert rings[2].value["unclean"] == ("n3",)


def test_members_without_a_list_follow_from_the_changes() -> None:
    """Joined and left nodes suffice once the members are known."""
    text = SPLIT.replace('+60s n1 corosync.quorum.members nodeids="1 2"\n', "")
    assert build_views(timeline(text, aliases=IDS)).of("membership.ring")[2].value["members"] == ("n1", "n2")


def test_absence_is_unclean_without_a_leave_message() -> None:
    """The line about the missing leave message tells a lost node from one that said good-bye."""
    absent = build_views(timeline(SPLIT, aliases=IDS)).of("node.absent")
    assert [(view.value["node"], view.value["how"], view.end is None) for view in absent] == [
        ("n3", "unclean", False),
        ("n2", "orderly", True),
    ]


def test_absence_knows_of_the_fencing_in_it() -> None:
    """A confirmed power-off during the absence marks it."""
    text = SPLIT + "+62s n1 fence.op_result target=n3 action=off result=ok op_id=aaaaaaaa"
    absent = build_views(timeline(text, aliases=IDS)).of("node.absent")
    assert [view.value["fenced"] for view in absent] == [True, False]


def test_lost_process_is_no_lost_node() -> None:
    """Only the controller's word counts for the node; another daemon speaks of its own peer process."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.node.state node=n2 state=lost @pacemaker-attrd
        +9s n1 pcmk.node.state node=n3 state=lost @crmd
        """)
    )
    assert [(v.value["node"], v.value["state"], v.value["witness"]) for v in views.of("node.state")] == [
        ("n2", "process_lost", "attrd"),
        ("n3", "lost", "controld"),
    ]
    assert [view.value["node"] for view in views.of("node.absent")] == ["n3"]


def test_beliefs_end_with_a_silence() -> None:
    """A node that went silent believes nothing any more, and its next life starts afresh."""
    views = build_views(timeline(SPLIT + "+96s n1 log.silent\n+200s n1 log.back", aliases=IDS))
    assert all(view.end is not None for view in views.of("membership.partition"))


def test_first_link_line_tells_the_state_before() -> None:
    """Links are logged when they change, so before the first line the other state held, until a restart."""
    views = build_views(timeline("+5s n1 knet.link.down host=2 link=1\n+9s n1 knet.link.up host=2 link=1", aliases=IDS))
    assert [(v.value["state"], v.start is None, v.end is None) for v in views.of("link.state")] == [
        ("up", True, False),
        ("down", False, False),
        ("up", False, True),
    ]


def test_quorum_before_the_first_quorum_is_startup() -> None:
    """A cluster that has never been quorate since its start has not lost anything."""
    views = build_views(
        timeline("""
        +0s  n1 corosync.main.starting version=3.1.7
        +0s  n1 corosync.quorum.provider provider=corosync_votequorum
        +1s  n1 pacemakerd.start version=2.1.5
        +2s  n1 pcmk.quorum.lost membership=5
        +9s  n1 corosync.quorum.primary
        +60s n1 corosync.quorum.nonprimary
        """)
    )
    assert [(v.value["quorate"], v.value["startup"]) for v in views.of("quorum.view")] == [
        (False, True),
        (True, True),
        (False, False),
    ]


def test_quorum_lost_in_the_middle_of_a_life_was_there_before() -> None:
    """Where the log begins later than the daemons, a loss implies the quorum before it."""
    quorum = build_views(timeline("+5s n1 pcmk.quorum.lost membership=9")).of("quorum.view")
    assert [(v.start is None, v.value["quorate"], v.value["startup"]) for v in quorum] == [
        (True, True, False),
        (False, False, False),
    ]


def test_pacemaker_does_not_overrule_what_corosync_just_said() -> None:
    """Corosync stamps whole seconds: a late repetition by pacemaker is no second change."""
    views = build_views(
        timeline("""
        +10s   n1 corosync.quorum.primary
        +10s   n1 corosync.quorum.nonprimary
        +10.5s n1 pcmk.quorum.acquired
        """)
    )
    assert [view.value["quorate"] for view in views.of("quorum.view")][-1] is False


def test_quorum_of_a_snapshot_fills_in() -> None:
    """A status snapshot says what no line tells."""
    views = build_views(timeline("+0s n1 x.y"), [fact("quorum.status", node="n1", at="+9s", quorate=True)])
    assert [view.value["quorate"] for view in views.of("quorum.view")] == [True]


def test_vote_of_the_quorum_device() -> None:
    """Failures of the device's connection are one stretch without its vote."""
    views = build_views(
        timeline("""
        +0s n1 qdevice.vote vote=ACK
        +9s n1 qdevice.echo_timeout reason=heartbeat
        +17s n1 qdevice.connect_timeout reason=timeout
        """)
    )
    assert [(v.value["connected"], v.value["reason"]) for v in views.of("qdevice.view")] == [
        (True, ""),
        (False, "heartbeat"),
    ]


class _Broken:
    consumes: frozenset[str] = frozenset()

    def views(self, given: Given) -> Iterator[View]:
        raise KeyError(given)


def test_broken_tracker_becomes_a_warning() -> None:
    """The other tables stay, and the warning names the tracker."""
    views = build_views(timeline(SPLIT, aliases=IDS), (), (*built_in(), _Broken()))
    assert views.of("membership.ring")
    assert [(warning.code, warning.where) for warning in views.warnings] == [("tracker-failed", "_Broken")]


def test_a_node_is_unclean_until_it_is_fenced_or_no_run_calls_it_so() -> None:
    """The scheduler's word counts from the run that calls a node unclean; a fencing that never succeeds leaves it so."""
    run = "+{0}s n1 sched.will_fence target=n2 reason=lost\n+{0}.1s n1 pcmk.transition.calculated transition={0}\n"
    fenced = "+3s n1 fence.op_result target=n2 action=off result=ok op_id=aaaaaaaa\n"
    clean = "+9s n1 pcmk.transition.calculated transition=9\n"
    told = {}
    for name, lines in {"fenced": fenced + clean, "clean": clean, "still": run.format(5)}.items():
        views = build_views(timeline(run.format(1) + lines + "+20s n1 x.y")).of("node.state")
        (told[name],) = [view for view in views if view.value["witness"] == "schedulerd"]
    assert all(view.value["state"] == "unclean" and view.value["unclean"] is True for view in told.values())
    ends = {name: view.end and (view.end.ns - START) // NS for name, view in told.items()}
    assert ends == {"fenced": 3, "clean": 9, "still": None}


def test_a_node_that_is_to_stop_is_shutting_down_until_it_has_left() -> None:
    """From the request to the moment at which its peer counts it as gone."""
    views = build_views(
        timeline("""
        +0s n1 pcmk.shutdown.requested node=n2
        +1s n1 pcmk.sched.shutdown node=n2
        +4s n1 pcmk.shutdown.peer_done node=n2
        """)
    )
    (leaving,) = [view for view in views.of("node.state") if view.value["state"] == "shutting_down"]
    assert leaving.end is not None
    assert (leaving.end.ns - START) // NS == 4


def test_how_long_the_peers_had_missed_a_node() -> None:
    """From the moment at which all links to it went down; what its start, or another loss, printed earlier is no sign of it."""
    views = build_views(
        timeline(
            SPLIT + "+30s n1 knet.host.no_links host=n3\n+53s n1 knet.host.no_links host=n3\n"
            "+54s n1 knet.host.no_links host=n3\n+57s n1 corosync.totem.token_lost timeout_ms=3000",
            aliases=IDS,
        )
    )
    assert [view.value["missed_s"] for view in views.of("node.loss")] == [7.0, None]
