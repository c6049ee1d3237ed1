"""One cluster of an input that holds several."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.model.fact import Fact
from hadiag.model.source import BundleId
from hadiag.timeline.choice import of_cluster
from hadiag.timeline.clusters import find_clusters
from tests.unit.timeline.builders import Log, fact, members

OTHER = BundleId("b2")
FACTS = [*members("ash", "elm"), *members("oak", "fir", bundle=OTHER, cluster="second")]


def _chosen(logs: Sequence[Log], facts: Sequence[Fact], cluster: str | None) -> tuple[set[str], set[str], list[Fact]]:
    raws = [raw for log in logs for raw in log.raws]
    kept, summaries, told = of_cluster(raws, [log.summary() for log in logs], facts, cluster)
    return {str(raw.host) for raw in kept}, {log.path for log in summaries}, list(told)


def _logs() -> list[Log]:
    one, two = Log("ash", "ash/pacemaker.log"), Log("oak", "oak/pacemaker.log", bundle=OTHER)
    one.graph("10:00:00")
    two.graph("10:00:00")
    return [one, two]


def test_nothing_of_the_other_cluster_stays() -> None:
    """Lines, logs and facts: node 1 of the other cluster must not be found under the number 1."""
    hosts, paths, facts = _chosen(_logs(), FACTS, "second")
    assert (hosts, paths) == ({"oak"}, {"oak/pacemaker.log"})
    assert {each.bundle for each in facts} == {OTHER}
    hosts, paths, facts = _chosen(_logs(), FACTS, "c1")
    assert (hosts, paths) == ({"ash"}, {"ash/pacemaker.log"})
    assert {each.bundle for each in facts} == {"b1"}


def test_everything_stays_without_a_choice_and_where_one_cluster_is_all() -> None:
    """A name that the input does not hold is told by the timeline, not here."""
    for facts, name in ((FACTS, None), (FACTS, "third"), (members("ash", "elm", "oak"), "c1")):
        assert _chosen(_logs(), facts, name) == ({"ash", "oak"}, {"ash/pacemaker.log", "oak/pacemaker.log"}, facts)


def test_a_host_of_no_cluster_goes_with_any() -> None:
    """The log of a quorum device host or of a switch."""
    switch = Log("core-switch", "switch.log", bundle=BundleId("b3"), hint="")
    switch.graph("10:00:01")
    assert _chosen([*_logs(), switch], FACTS, "second")[0] == {"oak", "core-switch"}


def test_the_log_of_a_collector_is_cut() -> None:
    """One file with the lines of the nodes of both clusters."""
    central = Log("ash", "all.log", bundle=BundleId("b3"), hint="")
    central.graph("10:00:00")
    central.node = "oak"
    central.graph("10:00:01")
    hosts, paths, _ = _chosen([central], FACTS, "second")
    assert (hosts, paths) == ({"oak"}, {"all.log"})


def test_clusters_of_one_name_are_two_where_they_list_other_nodes() -> None:
    """``hacluster`` is what many clusters are called; each is then named with its nodes."""
    found = find_clusters([*members("ash", "elm"), *members("oak", "fir", bundle=OTHER)])
    assert found.names == ("c1:ash+elm", "c1:fir+oak")
    assert found.of_host(OTHER, "x") == "c1:fir+oak"


def test_other_spellings_of_the_same_nodes_are_no_other_cluster() -> None:
    """Addresses, full names, masked names, and a node that never met its peers."""
    for names in (("10.0.0.1", "10.0.0.2"), ("ash.example.com", "elm.example.com"), ("host0", "host1"), ("oak",)):
        assert find_clusters([*members("ash", "elm"), *members(*names, bundle=OTHER)]).names == ("c1",)


def test_a_place_with_the_name_alone_goes_with_the_only_cluster_of_that_name() -> None:
    """Where two clusters have the name, nothing tells which one it is."""
    third = BundleId("b3")
    bare = fact("corosync.option", bundle=third, key="totem.cluster_name", value="c1")
    assert find_clusters([*members("ash", "elm"), bare]).of_host(third, "x") == "c1"
    both = find_clusters([bare, *members("ash", "elm"), *members("oak", "fir", bundle=OTHER)])
    assert both.of_host(third, "x") == ""
