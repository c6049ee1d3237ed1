"""Names of nodes that only the configuration holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import NodeRole
from tests.unit.state.cibs import cib
from tests.unit.timeline.builders import Log, fact, members, timeline

if TYPE_CHECKING:
    from hadiag.timeline import Timeline


def roles(line: Timeline) -> dict[str, NodeRole]:
    """Role of each node."""
    return {str(node.name): node.role for node in line.nodes}


def test_nodes_that_only_a_scheduler_input_knows() -> None:
    """Without logs and without a configuration of now, the members are known with their ids."""
    line = timeline([], [cib("10s", nodes="n1=online n2=offline")])
    assert roles(line) == {"n1": NodeRole.MEMBER, "n2": NodeRole.MEMBER}
    assert line.node("2") == "n2"


def test_a_renamed_node_is_one_node_under_its_newest_name() -> None:
    """The id stayed; logs and inputs of before the change have the old name."""
    old = Log("old2", "old2/pacemaker.log", hint="old2")
    old.graph("10:00:00")
    line = timeline([old], [cib("10s", nodes="n1=online old2=online"), cib("500s", nodes="n1=online n2=online")])
    assert line.node("old2") == "n2"
    assert line.events[0].observer == "n2"
    assert next(node for node in line.nodes if node.name == "n2").aliases == ("old2",)


def test_the_name_of_a_machine_in_a_fence_device_is_that_node() -> None:
    """Hypervisors call their guests otherwise; numbers of outlets and names of two nodes are no names."""
    devices = [
        fact("fencing.device", id="f1", host_map="a:vm-alpha;b:vm-beta"),
        fact("fencing.device", id="f2", host_map="a:1 b:2"),
        fact("fencing.device", id="f3", host_map="a:rack;b:rack"),
        fact("fencing.device", id="f4", host_map="b:a"),
    ]
    line = timeline([], [*members("a", "b"), *devices])
    assert [line.node(name) for name in ("vm-alpha", "vm-beta", "rack", "a", "2")] == ["a", "b", None, "a", "b"]


def test_remote_and_guest_nodes_are_known_by_their_addresses() -> None:
    """A connection resource names where the node is; its logs come from a host of that name."""
    facts = [
        *members("a", "b"),
        fact("node", name="far", nodeid="far", type="remote"),
        fact("resource", id="far", provider="pacemaker", agent="remote"),
        fact("resource.param", resource="far", name="server", value="far-host.example.com"),
        fact("node", name="inside", nodeid="inside", type="remote"),
        fact("resource", id="vm", provider="heartbeat", agent="VirtualDomain", remote_node="inside"),
        fact("resource.meta", resource="vm", name="remote-addr", value="192.0.2.7"),
        cib("10s", nodes="a=online b=online", guests="inside"),
    ]
    log = Log("far-host", "far-host/pacemaker.log", hint="far-host")
    log.add("10:00:00", "remote.started", "Pacemaker remote executor successfully started")
    line = timeline([log], facts)
    assert [line.node(name) for name in ("far-host.example.com", "192.0.2.7")] == ["far", "inside"]
    assert (roles(line)["far"], roles(line)["inside"]) == (NodeRole.REMOTE, NodeRole.GUEST)
    assert line.events[0].observer == "far"


def test_short_and_full_names_of_one_node() -> None:
    """The cluster has the full name, the host column the short one; two full names with one short name stay apart."""
    log = Log("web1", "web1/pacemaker.log", hint="web1")
    log.graph("10:00:00")
    assert timeline([log], members("web1.example.com", "web2.example.com")).events[0].observer == "web1.example.com"
    both = timeline([], members("db.east.example.com", "db.west.example.com"))
    assert both.node("db") is None


def test_replicas_of_a_bundle_are_guests_by_their_names() -> None:
    """Their hosts are containers that no log of the input comes from."""
    line = timeline([], [cib("10s", nodes="a=online", guests="web-bundle-0 web-bundle-1")])
    assert roles(line)["web-bundle-1"] is NodeRole.GUEST


def test_two_names_become_one_node_when_an_id_tells() -> None:
    """A cleaned report has the true name in places that the cleaner cannot read, such as compressed inputs."""
    facts = [
        *members("host1", "host0"),
        fact("node", name="birch", nodeid=None, type="member"),
        cib("10s", "host1", nodes="alder=online birch=online"),
    ]
    line = timeline([], facts)
    assert [node.name for node in line.nodes] == ["host0", "host1"]
    assert (line.node("birch"), line.node("alder")) == ("host0", "host1")
