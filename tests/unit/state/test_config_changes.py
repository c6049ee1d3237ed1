"""What was changed in the configuration, when, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state import build_views
from tests.unit.state.builders import START, offset, timeline
from tests.unit.state.cibs import cib

if TYPE_CHECKING:
    from hadiag.model.fact import Fact

LOADED = """
+100s     n1 cib.diff version=0.7.4
+100.001s n1 cib.change change=added path="/cib/configuration/nodes/node[@id='2']" element='<instance_attributes id="nodes-2"/>'
+100.002s n1 cib.node_mode name=standby value=on change=set node=n2 message='++ <nvpair id="nodes-2-standby" name="standby"/>'
+100.010s n1 cib.request op=apply_diff section=all result=OK origin=n2 client=cibadmin version=0.8.0
+100.005s n2 cib.diff version=0.7.4
+100.006s n2 cib.node_mode name=standby value=on change=set node=n2 message='++ <nvpair id="nodes-2-standby" name="standby"/>'
+100.020s n2 cib.request op=apply_diff section=all result=OK origin=n2 client=cibadmin version=0.8.0
"""
WEB = ("resources", "web", "primitive", "ocf:heartbeat:nginx")


def changes(lines: str, *facts: Fact) -> list[dict[str, object]]:
    """Rows of the table, without what is empty."""
    views = build_views(timeline(lines, aliases={"n2": "n2", "2": "n2"}), list(facts))
    assert views.warnings == ()
    return [
        {"at": (v.start.ns - START) / 1e9 if v.start else None, "observer": v.observer}
        | {key: value for key, value in v.value.items() if value not in {None, ""}}
        for v in views.of("config.change")
    ]


def test_one_change_that_both_nodes_log_is_one_row_of_the_node_that_asked() -> None:
    """The holder of the value is no change of its own; the request names tool, node and version."""
    assert changes(LOADED) == [
        {
            "at": 100.006, "observer": "n2", "section": "nodes", "object": "n2", "name": "standby", "change": "added",
            "new": "on", "client": "cibadmin", "node": "n2", "version": "0.8.0", "source": "log",
        }
    ]  # fmt: skip


def test_a_request_tells_of_the_lines_right_before_it_only() -> None:
    """What the cluster itself wrote a second earlier was not written by the tool."""
    lines = """
    +10s    n1 cib.option_change name=dc-version value=2.1.5 change=set
    +10.9s  n1 cib.option_change name=stonith-enabled value=true change=set
    +11s    n1 cib.request op=modify section=crm_config result=OK origin=n1 client=crm_attribute version=0.6.0
    """
    assert [(row["name"], row.get("client")) for row in changes(lines)] == [
        ("dc-version", None),
        ("stonith-enabled", "crm_attribute"),
    ]


def test_values_elements_and_operations_are_named_by_their_object() -> None:
    """A path holds the object; a value is known by the name in its id where the line has no other."""
    path = "/cib/configuration/resources/group[@id='g']/primitive[@id='web']"
    lines = f"""
    +1s n1 cib.change change=changed path="{path}/instance_attributes[@id='w']/nvpair[@id='web-instance_attributes-port']" attributes=@value=81
    +1s n1 cib.change change=changed path="{path}/operations/op[@id='web-monitor-10s']" attributes=@timeout=60s
    +1s n1 cib.change change=removed path="/cib/configuration/constraints/rsc_order[@id='o1']"
    +1s n1 cib.rsc_mode change=removed name=target-role rsc=web
    +1s n1 cib.change change=changed path="{path}/instance_attributes[@id='w']/nvpair[@id='web-instance_attributes-password']" attributes=@value=geheim
    """
    rows = {(row["object"], row["name"]): (row["change"], row.get("new")) for row in changes(lines)}
    assert rows == {
        ("web", "port"): ("changed", "81"),
        ("web", "op web-monitor-10s"): ("changed", "@timeout=60s"),
        ("o1", "rsc_order"): ("removed", None),
        ("web", "meta target-role"): ("removed", None),
        ("web", "password"): ("changed", "(hidden)"),
    }


def test_a_line_that_does_not_name_its_resource_belongs_to_the_line_before() -> None:
    """The list that was made for the value names it."""
    lines = """
    +1s n1 cib.change change=added path="/cib/configuration/resources/primitive[@id='bell']" element='<meta_attributes id="b"/>'
    +1s n1 cib.rsc_mode change=set name=target-role value=Stopped message='++ <nvpair id="b-t" name="target-role"/>'
    """
    (row,) = changes(lines)
    assert (row["object"], row["name"], row["new"], row["change"]) == ("bell", "meta target-role", "Stopped", "added")


def test_what_no_log_tells_lies_between_two_cibs() -> None:
    """The newer one names who wrote last, if it is the next version; the time is that of its last write."""
    written = "Sun Nov 22 12:01:40 2026"  # 100 s after START, two hours east
    rows = changes(
        "+0s n1 pacemakerd.start @pacemakerd",
        cib("50s", epoch=7, settings=[("crm_config", "", "maintenance-mode", "false")]),
        cib(
            "101s", epoch=8, settings=[("crm_config", "", "maintenance-mode", "true")], last_written=written,
            update_client="crm_attribute", update_origin="n2", update_user="root",
        ),
        cib("300s", epoch=11, settings=[WEB], update_client="cibadmin", update_origin="n1", update_user="root"),
    )  # fmt: skip
    mode, gone, web = sorted(rows, key=lambda row: (str(row["section"]), float(str(row["at"]))))
    assert mode == {
        "at": 100.0, "observer": "n1", "section": "crm_config", "name": "maintenance-mode", "change": "changed",
        "old": "false", "new": "true", "client": "crm_attribute", "node": "n2", "user": "root", "version": "0.8.0",
        "source": "pe-input",
    }  # fmt: skip
    assert (gone["name"], gone["change"], gone["old"]) == ("maintenance-mode", "removed", "true")
    assert (web["object"], web["change"], web.get("client")) == ("web", "added", None)


def test_the_cibs_complete_what_the_log_tells() -> None:
    """Old value and user come from them, and the change stays one row."""
    (row,) = changes(
        LOADED,
        cib("50s", epoch=7, settings=[("nodes", "n2", "standby", "off")]),
        cib("150s", epoch=8, settings=[("nodes", "n2", "standby", "on")], update_client="cibadmin", update_user="root"),
    )
    assert (row["old"], row["new"], row["user"], row["source"]) == ("off", "on", "root", "log")


def test_a_configuration_loaded_anew_changed_only_what_differs() -> None:
    """A tool that replaces all of it is logged as if all of it changed."""
    path = "/cib/configuration/resources/primitive[@id='web']/instance_attributes[@id='w']"
    lines = f"""
    +100s n1 cib.change change=changed path="{path}" attributes=@id=w
    +100s n1 cib.change change=changed path="{path}/nvpair[@id='web-instance_attributes-port']" attributes=@value=80
    +100s n1 cib.change change=changed path="{path}/nvpair[@id='web-instance_attributes-config']" attributes=@value=/b
    +100s n1 cib.request op=replace section=configuration result=OK origin=n1 client=cibadmin version=0.8.0
    """
    (row,) = changes(
        lines,
        cib("50s", epoch=7, settings=[WEB, ("resources", "web", "port", "80"), ("resources", "web", "config", "/a")]),
        cib("101s", epoch=8, settings=[WEB, ("resources", "web", "port", "80"), ("resources", "web", "config", "/b")]),
    )
    assert (row["name"], row["old"], row["new"]) == ("config", "/a", "/b")


def test_a_mode_that_was_on_for_a_moment_between_two_cibs_is_two_changes() -> None:
    """The CIBs around are equal, and the log still counts."""
    lines = """
    +100s n1 cib.option_change name=maintenance-mode value=true change=set
    +120s n1 cib.option_change name=maintenance-mode value=false change=set
    """
    around = [("crm_config", "", "maintenance-mode", "false")]
    assert len(changes(lines, cib("50s", epoch=7, settings=around), cib("150s", epoch=9, settings=around))) == 2


def test_equal_versions_and_older_ones_are_not_compared() -> None:
    """Two partitions count on by themselves; what one does not have was not removed by the other."""
    assert changes("+0s n1 pacemakerd.start", cib("50s", epoch=7, settings=[WEB]), cib("60s", "n2", epoch=7)) == []


def test_an_act_is_known_by_the_line_before_its_own() -> None:
    """A disable whose line does not name the resource still has a target."""
    lines = """
    +1s n1 cib.change change=added path="/cib/configuration/resources/primitive[@id='bell']" element='<meta_attributes id="b"/>'
    +1s n1 cib.rsc_mode change=set name=target-role value=Stopped
    """
    (act,) = [v for v in build_views(timeline(lines)).of("admin.action") if v.value["what"] == "disable"]
    assert act.value["target"] == "bell"
    assert act.start is not None
    assert act.start.ns == START + offset("1s")
