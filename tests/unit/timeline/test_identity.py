"""Who is who."""

from __future__ import annotations

import pytest

from hadiag.errors import UsageError
from hadiag.model.entity import NodeRole
from hadiag.model.source import BundleId
from tests.unit.timeline.builders import Log, fact, members, timeline


def test_one_node_under_all_its_names() -> None:
    """Cluster name, host name, node id and ring address are the same node."""
    log = Log("node1.example.com", "node1/pacemaker.log", hint="node1.example.com")
    log.graph("10:00:00")
    line = timeline([log], members("node1", "node2"))
    assert {line.node(name) for name in ("node1", "NODE1", "node1.example.com", "1", "10.0.2.1")} == {"node1"}
    assert [node.name for node in line.nodes] == ["node1", "node2"]
    assert line.nodes[0].aliases == ("node1.example.com",)
    assert (line.nodes[0].provided, line.nodes[1].provided) == (True, False)
    assert line.events[0].observer == "node1"


def test_fields_that_name_nodes_are_canonical() -> None:
    """A node id or a full host name in a field becomes the cluster name; anything else stays."""
    log = Log("a", "a/pacemaker.log")
    log.add("10:00:00", "fence.op_result", "one", target="2")
    log.add("10:00:01", "fence.op_result", "two", target="b.example.com")
    log.add("10:00:02", "fence.op_result", "three", target="nobody")
    targets = [event.fields["target"] for event in timeline([log], members("a", "b")).events]
    assert targets == ["b", "b", "nobody"]


def test_peers_are_known_from_the_logs_alone() -> None:
    """Without any configuration the state lines of Pacemaker name the members and their ids."""
    log = Log("a", "a/pacemaker.log")
    log.add("10:00:00", "pcmk.node.state", node="b", nodeid=2, state="lost")
    line = timeline([log])
    assert [(node.name, node.nodeids, node.role, node.provided) for node in line.nodes] == [
        ("a", (), NodeRole.MEMBER, True),
        ("b", (2,), NodeRole.MEMBER, False),
    ]
    assert [warning.code for warning in line.warnings].count("node-missing") == 1


def test_pacemaker_s_names_go_before_the_addresses_of_corosync() -> None:
    """A node list without names does not name the nodes, whatever file was read first; what is no name makes no node."""
    log = Log("a", "a/pacemaker.log")
    log.add("10:00:00", "pcmk.node.state", node="(null)", nodeid=9, state="lost")
    facts = [
        *(fact("corosync.node", name=f"10.0.0.{i}", nodeid=i, address=f"10.0.0.{i}", link=0) for i in (1, 2)),
        fact("corosync.node", name="{{ ip }}", nodeid=3, address="{{ ip }}", link=0),
        *(fact("node", name=name, nodeid=i, type="member") for i, name in ((1, "a"), (2, "b"))),
    ]

    assert [(node.name, node.nodeids, node.addresses) for node in timeline([log], facts).nodes] == [
        ("a", (1,), ("10.0.0.1",)),
        ("b", (2,), ("10.0.0.2",)),
    ]


def test_roles_of_hosts_outside_the_cluster() -> None:
    """The host that the quorum device names, a remote node of the CIB, and a stranger."""
    cluster, arbiter = Log("a", "a/pacemaker.log"), Log("arb", "arb/messages", family="system", style="iso")
    cluster.graph("10:00:00")
    arbiter.add("10:00:00", "qnetd.dpd", "Client a doesn't sent any message during 9000ms")
    stranger = Log("desk", "desk/messages", family="system", style="iso")
    stranger.add("10:00:00", "systemd.job", "Started something")
    facts = [*members("a", "b"), fact("node", name="r1", nodeid="r1", type="remote")]
    roles = {node.name: node.role for node in timeline([cluster, arbiter, stranger], facts).nodes}
    assert roles == {
        "a": NodeRole.MEMBER,
        "b": NodeRole.MEMBER,
        "arb": NodeRole.QNETD,
        "desk": NodeRole.OTHER,
        "r1": NodeRole.REMOTE,
    }


def test_renamed_host_is_found_by_its_own_node_id() -> None:
    """A cleaned report calls the hosts otherwise; the quorum status of the host tells its node id."""
    log = Log("host0", "host0/pacemaker.log", hint="host0")
    log.graph("10:00:00")
    facts = [*members("a", "b"), fact("quorum.status", hint="host0", node_id="2")]
    line = timeline([log], facts)
    assert line.node("host0") == "b"
    assert line.events[0].observer == "b"


def test_last_unknown_host_is_the_last_node_without_logs() -> None:
    """Of two members one has logs; the only other host with cluster logs is the other member."""
    known, renamed = Log("a", "a/pacemaker.log"), Log("obfuscated1", "x/pacemaker.log", hint="obfuscated1")
    known.graph("10:00:00")
    renamed.graph("10:00:00")
    assert timeline([known, renamed], members("a", "b")).node("obfuscated1") == "b"


def test_log_without_host_belongs_to_the_only_host_of_its_input() -> None:
    """A corosync log prints no host; the other log of the same input does."""
    named, bare = Log("a", "var/log/syslog", "system", hint=""), Log("", "var/log/corosync.log", "corosync", hint="")
    bare.host = None
    named.add("10:00:00", "pcmk.node.state", node="a", state="member")
    bare.ring("10:00:00", "1.4", joined="1")
    assert {event.observer for event in timeline([named, bare]).events} == {"a"}


def test_two_clusters_are_told_apart() -> None:
    """Disjoint members with different cluster names are two clusters; a choice leaves out the other."""
    other = BundleId("b2")
    one, two = Log("a", "a/pacemaker.log"), Log("x", "x/pacemaker.log", bundle=other)
    one.graph("10:00:00")
    two.graph("10:00:00")
    facts = [*members("a", "b"), *members("x", "y", bundle=other, cluster="second")]
    both = timeline([one, two], facts)
    assert both.cluster_names == ("c1", "second")
    assert "several-clusters" in {warning.code for warning in both.warnings}
    chosen = timeline([one, two], facts, cluster="second")
    assert [node.name for node in chosen.nodes] == ["x", "y"]
    assert {event.observer for event in chosen.events} == {"x"}
    with pytest.raises(UsageError, match="no cluster named third"):
        timeline([one, two], facts, cluster="third")


def test_node_ids_count_in_the_cluster_of_the_observer() -> None:
    """Node 2 of one cluster is not node 2 of the other."""
    other = BundleId("b2")
    one, two = Log("a", "a/pacemaker.log"), Log("x", "x/pacemaker.log", bundle=other)
    one.add("10:00:00", "fence.op_result", target="2")
    two.add("10:00:00", "fence.op_result", target="2")
    facts = [*members("a", "b"), *members("x", "y", bundle=other, cluster="second")]
    assert {event.observer: event.fields["target"] for event in timeline([one, two], facts).events} == {
        "a": "b",
        "x": "y",
    }


def test_versions_as_printed_at_the_start_or_as_packaged() -> None:
    """The daemon's own word, and the package for what no daemon prints."""
    log = Log("a", "a/pacemaker.log")
    log.add("10:00:00", "pacemakerd.start", "Starting Pacemaker 2.1.5", version="2.1.5")
    line = timeline([log], [*members("a"), fact("package", hint="a", name="pcs", version="0.11")])
    assert line.nodes[0].versions == (("pacemaker", "2.1.5"), ("pcs", "0.11"))


def test_remote_nodes_have_no_number() -> None:
    """Pacemaker prints 0 for all of them, and they are different nodes."""
    log = Log("a", "a/pacemaker.log")
    for second, name in enumerate(("r1", "r2")):
        log.add(f"10:00:0{second}", "pcmk.node.state", f"{name} is lost", node=name, nodeid=0, state="lost")
    facts = [*members("a"), *(fact("node", name=name, nodeid=name, type="remote") for name in ("r1", "r2"))]

    assert [(node.name, node.nodeids, node.role) for node in timeline([log], facts).nodes] == [
        ("a", (1,), NodeRole.MEMBER),
        ("r1", (), NodeRole.REMOTE),
        ("r2", (), NodeRole.REMOTE),
    ]


def test_the_uuid_that_heartbeat_gave_a_node() -> None:
    """The CIB of a cluster with heartbeat has it in the place of the number, and so have the lines about the CIB."""
    uuid = "663bae4d-44a0-407f-ac14-389150407159"
    log = Log("a", "a/ha-log")
    log.add("10:00:00", "fence.op_result", "one", target=uuid)
    line = timeline([log], [fact("node", name="a", nodeid="f11899c3-ed6e-4e63-abae-b9af90c62283", type="member"),
                            fact("node", name="b", nodeid=uuid, type="member")])  # fmt: skip

    assert line.node(uuid.upper()) == "b"
    assert line.events[0].fields["target"] == "b"
    assert [(node.name, node.aliases) for node in line.nodes] == [
        ("a", ("f11899c3-ed6e-4e63-abae-b9af90c62283",)),
        ("b", (uuid,)),
    ]
