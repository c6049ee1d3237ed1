"""Lines without a host find their node."""

from __future__ import annotations

from dataclasses import replace

from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import LogSummary
from hadiag.timeline.owners import with_fact_owners, with_owners
from tests.unit.timeline.builders import Log, utc


def _log(path: str, *hosts: tuple[str, int]) -> LogSummary:
    summary = Log("n", path).summary()
    return replace(summary, node_hint=None, hosts=hosts)


def _raw(path: str) -> RawEvent:
    return replace(Log("n", path).add(utc("10:00:00"), "x.y", "text"), host=None, node_hint=None)


def test_an_agent_in_a_log_of_one_host() -> None:
    """The host of nearly all lines is that of the others; a relayed line does not matter."""
    (raw,), _ = with_owners([_raw("a/pacemaker.log")], [_log("a/pacemaker.log", ("db1", 95), ("db2", 5))])
    assert raw.node_hint == "db1"


def test_a_log_of_several_hosts_tells_nothing() -> None:
    """In a log that a collector wrote for all hosts, a line without a host stays without."""
    (raw,), _ = with_owners([_raw("messages")], [_log("messages", ("db1", 50), ("db2", 50))])
    assert raw.node_hint is None


def test_files_beside_it() -> None:
    """A log without any host belongs to the host of the logs in the nearest directory."""
    logs = [
        _log("case/one/var/log/messages", ("db1", 9)),
        _log("case/two/var/log/messages", ("db2", 9)),
        _log("case/one/var/log/pcsd/pcsd.log"),
        _log("case/pcsd.log"),
    ]
    raws, told = with_owners([_raw("case/one/var/log/pcsd/pcsd.log"), _raw("case/pcsd.log")], logs)
    assert [raw.node_hint for raw in raws] == ["db1", None]
    assert [log.node_hint for log in told[2:]] == ["db1", None]


def test_a_file_in_the_archive_of_one_host() -> None:
    """A configuration without a place of its own is that of the only host of the archive's logs; of two hosts it is nobody's."""
    log = _log("var/log/syslog", ("db1", 9))
    fact = Fact("corosync.node", {"nodeid": "1"}, log.bundle, "etc/corosync/corosync.conf", 1, None, None)
    assert [told.node_hint for told in with_fact_owners([fact], [log])] == ["db1"]
    other = _log("var/log/messages", ("db2", 9))
    assert [told.node_hint for told in with_fact_owners([fact], [log, other])] == [None]
