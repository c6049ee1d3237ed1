"""Silent stretches of nodes."""

from __future__ import annotations

from hadiag.model.diagnosis import Silence
from hadiag.timeline import Timeline
from tests.unit.timeline.builders import Log, members, timeline, utc


def started(log: Log, at: str) -> None:
    """Write the start of the daemon that the log belongs to."""
    if log.family == "corosync":
        log.add(at, "corosync.main.starting", "Corosync Cluster Engine 3.1.7 starting up", version="3.1.7")
    else:
        log.add(at, "pacemakerd.start", "Starting Pacemaker 2.1.5", version="2.1.5")
    log.add(at[:-1] + "9", f"{'corosync.main.ready' if log.family == 'corosync' else 'pcmk.dc.take'}", f"up {at}")


def lives() -> tuple[Log, Log]:
    """Logs of a node whose daemons start at 10:00."""
    corosync, pacemaker = Log("a", "a/corosync.log", "corosync", style="s"), Log("a", "a/pacemaker.log")
    started(corosync, "10:00:00.0")
    started(pacemaker, "10:00:01.0")
    pacemaker.graph("10:00:10")
    return corosync, pacemaker


def silences(line: Timeline, node: str = "a") -> tuple[Silence, ...]:
    """Silences of a node."""
    return line.silences.get(line.node(node) or line.nodes[0].name, ())


def test_restart_without_shutdown_is_a_silence() -> None:
    """From the last line of any log to the first start; the first start of all is none."""
    corosync, pacemaker = lives()
    pacemaker.add("10:05:00.500", "pcmk.node.state", "last words", node="b", state="lost")
    started(corosync, "10:06:00.0")
    started(pacemaker, "10:06:02.0")
    assert silences(timeline([corosync, pacemaker])) == (Silence(utc("10:05:00.500"), utc("10:06:00")),)


def test_orderly_restart_is_none() -> None:
    """Both daemons were shut down before they started again."""
    corosync, pacemaker = lives()
    pacemaker.add("10:05:00", "pacemakerd.stop", "Shutting down Pacemaker")
    pacemaker.add("10:05:02", "pacemakerd.stop_done", "Shutdown complete")
    corosync.add("10:05:03", "corosync.main.shutdown_signal", "Node was shut down by a signal")
    started(corosync, "10:06:00.0")
    started(pacemaker, "10:06:02.0")
    assert silences(timeline([corosync, pacemaker])) == ()


def test_daemon_that_died_alone_is_no_silence_of_the_node() -> None:
    """The node lived on and said so."""
    corosync, pacemaker = lives()
    pacemaker.add("10:05:00", "pcmk.cluster.lost", "Lost connection to cluster layer")
    started(corosync, "10:05:01.0")
    started(pacemaker, "10:05:03.0")
    assert silences(timeline([corosync, pacemaker])) == ()


def test_boot_line_begins_the_new_life() -> None:
    """The kernel speaks before corosync does: the silence ends there."""
    corosync, pacemaker = lives()
    system = Log("a", "a/messages", "system", style="iso")
    system.add("10:05:30.0", "kernel.boot", "Linux version 6.1")
    pacemaker.add("10:05:00.500", "pcmk.node.state", "last words", node="b", state="lost")
    started(corosync, "10:06:00.0")
    started(pacemaker, "10:06:02.0")
    assert silences(timeline([corosync, pacemaker, system])) == (Silence(utc("10:05:00.500"), utc("10:05:30")),)


def test_restart_within_one_printed_second() -> None:
    """Whole seconds hide the order; the file tells it."""
    corosync, pacemaker = lives()
    corosync.ring("10:05:00.1", "1.8", left="2")
    pacemaker.add("10:05:00.480", "pcmk.node.state", "last words", node="b", state="lost")
    started(corosync, "10:05:00.7")
    started(pacemaker, "10:05:01.5")
    (silence,) = silences(timeline([corosync, pacemaker]))
    assert silence.start_ns == utc("10:05:00.480")


def test_node_that_its_peer_lost_and_that_never_came_back() -> None:
    """Silent to the end; seen again as member it is not."""
    corosync, pacemaker = lives()
    peer = Log("b", "b/pacemaker.log")
    peer.graph("10:00:00")
    peer.ring("10:00:05", "1.4", joined="1")
    corosync.ring("10:00:05", "1.4", joined="2")
    peer.add("10:05:05", "pcmk.node.state", "Node a state is now lost", node="a", state="lost")
    pacemaker.add("10:05:00", "pcmk.node.state", "last words", node="c", state="lost")
    line = timeline([corosync, pacemaker, peer], members("a", "b"))
    assert [(s.end_ns is None) for s in silences(line)] == [True]
    assert silences(line, "b") == ()
    peer.add("10:07:00", "pcmk.node.state", "Node a state is now member", node="a", state="member")
    assert silences(timeline([corosync, pacemaker, peer], members("a", "b"))) == ()


def test_one_daemon_alone_does_not_lose_a_node() -> None:
    """attrd's view of a peer is attrd's."""
    corosync, pacemaker = lives()
    peer = Log("b", "b/pacemaker.log")
    peer.graph("10:00:00")
    peer.add("10:05:05", "pcmk.node.state", "Node a state is now lost", "pacemaker-attrd", node="a", state="lost")
    assert silences(timeline([corosync, pacemaker, peer], members("a", "b"))) == ()


def test_a_daemon_quiet_since_its_start_hides_no_silence() -> None:
    """A node that is fenced over and over is silent each time, even if corosync said nothing between two of its starts."""
    corosync, pacemaker = lives()
    pacemaker.add("10:00:40", "pcmk.dc.take", "last words")
    started(corosync, "10:01:00.0")
    started(pacemaker, "10:01:01.0")
    pacemaker.add("10:01:40", "pcmk.dc.take", "last words again")
    started(corosync, "10:02:00.0")
    started(pacemaker, "10:02:01.0")
    assert silences(timeline([corosync, pacemaker])) == (
        Silence(utc("10:00:40"), utc("10:01:00")),
        Silence(utc("10:01:40"), utc("10:02:00")),
    )
