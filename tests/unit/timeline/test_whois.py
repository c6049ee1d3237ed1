"""Evidence of the names of a node."""

from __future__ import annotations

from hadiag.timeline.whois import evidence, span
from tests.unit.state.cibs import cib
from tests.unit.timeline.builders import Log, fact, members, timeline


def test_each_name_has_a_place_and_the_node_a_time() -> None:
    """The configuration, a fence device and an input of the scheduler tell what the node goes by."""
    log = Log("a.example.com", "a.example.com/pacemaker.log", hint="a.example.com")
    log.graph("10:00:00")
    log.graph("10:05:00")
    facts = [
        *members("a", "b"),
        fact("fencing.device", id="f1", host_map="a:vm-a;b:vm-b"),
        cib("10s", nodes="old-a=online b=online"),
    ]
    line = timeline([log], facts)
    identity = next(node for node in line.nodes if node.name == "a")
    told = {seen.name: seen.how for seen in evidence(line, facts, identity)}
    assert told["vm-a"] == "pcmk_host_map of f1"
    assert told["old-a"] == "cib.state"
    assert told["10.0.2.1"] in {"corosync.node", "node.address"}
    assert told["a.example.com"] == "place of its log"
    first, last, own = span(line, identity) or (0, 0, False)
    assert (last - first, own) == (300 * 10**9, True)


def test_a_node_without_logs_was_seen_when_others_named_it() -> None:
    """Its span is that of what is said of it; without any word there is none."""
    log = Log("a", "a/pacemaker.log")
    log.add("10:00:00", "pcmk.node.state", "Node b state is now member", node="b", nodeid=2, state="member")
    log.add("10:02:00", "pcmk.node.state", "Node b state is now lost", node="b", nodeid=2, state="lost")
    line = timeline([log], members("a", "b", "c"))
    peers = {str(node.name): span(line, node) for node in line.nodes}
    first, last, own = peers["b"] or (0, 0, True)
    assert (last - first, own) == (120 * 10**9, False)
    assert peers["c"] is None
