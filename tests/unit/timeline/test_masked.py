"""Masked names of several reports."""

from __future__ import annotations

from hadiag.model.event import RawEvent
from hadiag.model.source import BundleId
from hadiag.timeline.masked import with_own_names
from tests.unit.timeline.builders import Log, fact


def _report(bundle: str, nodeid: int, host: str = "host0") -> RawEvent:
    log = Log(host, "var/log/pacemaker.log", bundle=BundleId(bundle))
    return log.add("10:00:00", "pcmk.node.state", "x", node=host, nodeid=nodeid, state="member")


def test_two_hosts_of_one_name() -> None:
    """Where the ids differ, every mention in the second input gets a name of its own."""
    told = fact("node", "host0", BundleId("two"), name="host0", nodeid="2")
    raws, _, facts = with_own_names([_report("one", 1), _report("two", 2)], [], [told])
    assert [(raw.host, raw.node_hint, raw.fields["node"]) for raw in raws] == [
        ("host0", "host0", "host0"),
        ("host0.2", "host0.2", "host0.2"),
    ]
    assert (facts[0].node_hint, facts[0].values["name"]) == ("host0.2", "host0.2")


def test_one_map_for_all_reports() -> None:
    """The same host in two reports, and hosts under a shared map, keep their names."""
    same = [_report("one", 1), _report("two", 1)]
    shared = [_report("one", 1, "host0"), _report("two", 2, "host1")]
    plain = [_report("one", 1, "db1"), _report("two", 2, "db1")]
    for raws in (same, shared, plain):
        assert with_own_names(raws, [], [])[0] is raws
