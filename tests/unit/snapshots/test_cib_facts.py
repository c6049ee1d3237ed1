"""One CIB as one dated statement, and back to rows."""

from __future__ import annotations

from hadiag.model.time import NS
from hadiag.snapshots.cib_facts import CibSnapshot, read_snapshot
from hadiag.snapshots.cib_settings import HIDDEN
from tests.unit.snapshots.reading import read

RAN, WRITTEN = 1_795_341_700, 1_795_341_900

CIB = """
<cib epoch="7" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="2" update-origin="n1" update-client="cibadmin"
     update-user="root"{more}><configuration>
<crm_config><cluster_property_set id="o"><nvpair id="o1" name="maintenance-mode" value="true"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><group id="g"><primitive id="web" class="ocf" provider="heartbeat" type="nginx">
<instance_attributes id="w"><nvpair id="w1" name="password" value="geheim"/></instance_attributes>
<operations><op id="m" name="monitor" interval="10s" timeout="20s"/></operations></primitive></group></resources>
<constraints><rsc_location id="loc" rsc="web" node="n1" score="50"/></constraints></configuration>
<status>{status}</status></cib>
"""
STATUS = """<node_state id="1" uname="n1" in_ccm="1795341600" crmd="1795341605" join="member" expected="member">
<transient_attributes id="1"><instance_attributes id="t"><nvpair id="f" name="fail-count-web#monitor_10000" value="INFINITY"/>
</instance_attributes></transient_attributes>
<lrm id="1"><lrm_resources><lrm_resource id="web">
<lrm_rsc_op id="a" operation="monitor" interval="0" call-id="1" rc-code="7" op-status="0" last-rc-change="1795341610"
 transition-key="1:1:7:u"/>
<lrm_rsc_op id="b" operation="start" interval="0" call-id="2" rc-code="{rc}" op-status="0" last-rc-change="1795341650"
 transition-key="1:1:0:u"/></lrm_resource></lrm_resources></lrm></node_state>
<node_state id="2" uname="n2" in_ccm="0" crmd="0" join="down" expected="down"/>"""


def snapshot(path: str = "n1/cib.xml.live", rc: int = 0, mtime: int | None = WRITTEN, more: str = "") -> CibSnapshot:
    """The statement of a CIB."""
    text = CIB.format(status=STATUS.format(rc=rc), more=more)
    _, facts = read(path, text, mtime)
    return read_snapshot(next(fact for fact in facts if fact.table == "cib.state"))


def test_a_cib_tells_nodes_and_resources_at_the_time_of_its_file() -> None:
    """What it does not date itself holds when it was written; what it dates holds since then."""
    one = snapshot()
    assert one.fact.as_of_ns == WRITTEN * NS
    assert [(node.name, node.nodeid, node.state, node.since_ns) for node in one.nodes] == [
        ("n1", "1", "online", 1_795_341_605 * NS),
        ("n2", "2", "offline", None),
    ]
    (row,) = one.resources
    assert (row.resource, row.node, row.role, row.since_ns) == ("web", "n1", "Started", 1_795_341_650 * NS)
    assert [(fail.resource, fail.node, fail.count) for fail in one.failures] == [("web", "n1", 1_000_000)]
    assert (one.fact.values["dc"], one.fact.values["quorate"], one.version) == ("n2", True, (0, 7, 3))


def test_a_scheduler_input_counts_at_its_execution_and_never_as_the_configuration_of_now() -> None:
    """Its rows have one time; none of the tables of the current configuration is filled."""
    text = CIB.format(status=STATUS.format(rc=0), more=f' execution-date="{RAN}"')
    _, facts = read("n1/pengine/pe-input-3.bz2", text, WRITTEN)
    assert {fact.table for fact in facts} == {"pe_input", "cib.state"}
    assert {fact.as_of_ns for fact in facts if fact.table == "cib.state"} == {RAN * NS}


def test_a_copied_file_is_not_older_than_what_it_tells() -> None:
    """A time of change before the newest operation is wrong; without any, the newest operation is the best there is."""
    assert snapshot(mtime=5).fact.as_of_ns == 1_795_341_650 * NS
    loose = snapshot(mtime=None)
    assert loose.fact.as_of_ns == 1_795_341_650 * NS
    assert loose.fact.values["exact"] is False


def test_a_failed_start_proves_nothing() -> None:
    """The scheduler takes it for active; whether it is nobody knows."""
    (row,) = snapshot(rc=1).resources
    assert row.doubtful


def _doubtful(*operations: str) -> bool:
    """Whether a history of ``operation:interval:rc`` leaves open what is there."""
    rows = "".join(
        f'<lrm_rsc_op operation="{name}" interval="{interval}" rc-code="{rc}" op-status="0" call-id="{number}" '
        f'last-rc-change="17953416{number:02}" transition-key="1:1:{7 if name == "monitor" and interval == "0" else 0}:u"/>'
        for number, (name, interval, rc) in enumerate((row.split(":") for row in operations), start=10)
    )
    status = (
        '<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><lrm><lrm_resources>'
        f'<lrm_resource id="web">{rows}</lrm_resource></lrm_resources></lrm></node_state>'
    )
    managed = CIB.format(status=status, more="").replace('value="true"', 'value="false"')
    _, facts = read("n1/cib.xml.live", managed, WRITTEN)
    one = read_snapshot(next(fact for fact in facts if fact.table == "cib.state"))
    return [row.doubtful for row in one.resources if row.role != "Stopped"] == [True]


def test_where_the_scheduler_assumes_the_worst_nothing_is_proven() -> None:
    """A probe that failed, a promotion that failed, a monitor that found nothing; but a stop that failed leaves it running."""
    assert _doubtful("monitor:0:1")
    assert _doubtful("start:0:0", "promote:0:1")
    assert _doubtful("start:0:0", "monitor:10000:7")
    assert not _doubtful("start:0:0", "stop:0:1")
    assert not _doubtful("start:0:0", "monitor:10000:1")
    assert not _doubtful("monitor:0:0")


def test_settings_are_flat_and_hide_secrets() -> None:
    """Each value of the configuration is a row; that of a password is not kept."""
    rows = {one.key: one.value for one in snapshot().settings()}
    assert rows["crm_config", "", "maintenance-mode"] == "true"
    assert rows["resources", "web", "primitive"] == "ocf:heartbeat:nginx in g"
    assert rows["resources", "web", "password"] == HIDDEN
    assert rows["resources", "web", "op monitor 10s"] == "timeout=20s"
    assert rows["constraints", "loc", "rsc_location"] == "node=n1 rsc=web score=50"


def test_hostile_rows_do_no_harm() -> None:
    """Odd names, numbers that are none and missing parts give rows or nothing, never an error."""
    text = """<cib epoch="x" execution-date="99999999999999999999"><configuration><nodes><node/></nodes>
    <resources><primitive/><group id="g"><primitive id="p"/></group></resources></configuration>
    <status><node_state><lrm><lrm_resources><lrm_resource><lrm_rsc_op operation="start" call-id="-"/>
    </lrm_resource></lrm_resources></lrm></node_state></status></cib>"""
    _, facts = read("pe-input-1.bz2", text)
    (state,) = [fact for fact in facts if fact.table == "cib.state"]
    assert state.as_of_ns is None
    assert read_snapshot(state).version == (-1, -1, -1)


def test_an_archived_version_is_no_configuration_of_now() -> None:
    """What Pacemaker kept under a number gives its dated statement only."""
    _, facts = read("ha.txt#/var/lib/pacemaker/cib/cib-12.raw", CIB.format(status="", more=""))
    assert [fact.table for fact in facts] == ["cib.state"]


def test_an_input_of_the_scheduler_is_known_by_its_date_under_any_name() -> None:
    """Only the scheduler writes the date of its run."""
    one = snapshot("transition.xml", more=f' execution-date="{RAN}"')
    assert (one.fact.values["origin"], one.fact.as_of_ns) == ("pe-input", RAN * NS)
