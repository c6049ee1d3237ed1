"""Trees of cluster reports: nodes, roles and the tool that made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadiag.model.source import ArtifactRole, BundleKind
from tests.unit.sources.building import LOG, PACK, Row, hard_link, read_bytes, symlink, tar

CANDIDATE, DERIVED, OPAQUE = ArtifactRole.CANDIDATE, ArtifactRole.DERIVED, ArtifactRole.OPAQUE

PACEMAKER = {
    "report.summary": b"node1: Collecting\n",
    "events.txt": LOG,
    "analysis.txt": b"Diff members.txt... OK\n",
    "members.txt": b"alpha beta\n",
    "alpha/corosync.conf": b"totem {\n}\n",
    "alpha/RUNNING": b"alpha\n",
    "alpha/pacemaker.log.extract.txt": LOG,
    "alpha/events.txt": LOG,
    "alpha/report.out": b"alpha: done\n",
    "alpha/pengine/pe-input-3.bz2": PACK["bz2"](b"<cib/>"),
    "alpha/pengine/pe-input.last": b"4",
    "beta/journal.log": LOG,
    "beta/STOPPED": b"beta\n",
    "collector": b"#!/bin/sh\n",
    ".env": b"a=b\n",
}
CRMSH_NEW = {
    "description.txt": b"Date: today\n",
    "analysis.txt": b"",
    "left/RUNNING": b"",
    "left/configure_show.txt": b"node 1: left\n",
    "left/journal.log": LOG,
    "left/pengine/pe-warn-0.dot": b"digraph g {}\n",
    "right/journal_pacemaker.log": LOG,
}
CRMSH_OLD = {
    "description.txt": b"Date: today\n",
    "analysis.txt": b"",
    "ha-log.txt": LOG,
    "journal.log": LOG,
    "ha-log.txt.info": b"/var/log/messages 0",
    "left/ha-log.txt": LOG,
    "left/ha-log.txt.info": b"/var/log/messages 0",
    "left/sysstats.txt": b"#####Run\n",
    "right/ha-log.txt": LOG,
    "right/time.txt": b"Time: now\n",
}


def below(top: str, rows: dict[str, bytes]) -> dict[str, bytes]:
    """Put members below a directory."""
    return {f"{top}/{name}" if top else name: content for name, content in rows.items()}


@pytest.mark.parametrize("top", ["pcmk-Sun-22-Nov-2026", "", "tmp/case/renamed", "./x"])
def test_nodes_come_from_their_directories(tmp_path: Path, top: str) -> None:
    """However deep the tree stands, a member belongs to the node of its directory."""
    got = read_bytes(tmp_path, tar(below(top, PACEMAKER)))
    assert got.summary.kind is BundleKind.CRM_REPORT
    assert got.summary.nodes == ("alpha", "beta")
    for path, node in got.nodes.items():
        assert node == next((name for name in ("alpha", "beta") if f"/{name}/" in f"/{path}"), None)


def test_the_order_of_members_does_not_matter(tmp_path: Path) -> None:
    """A log in front of all markers still belongs to its node."""
    rows = sorted(PACEMAKER.items(), key=lambda row: ("log" not in row[0], row[0]))
    got = read_bytes(tmp_path, tar([("x/" + name, content) for name, content in rows]))
    assert next(iter(got.nodes.items())) == ("x/alpha/pacemaker.log.extract.txt", "alpha")
    assert [artifact.path for artifact in got.artifacts] == ["x/" + name for name, _ in rows]


def test_what_the_tool_made_is_no_log(tmp_path: Path) -> None:
    """Lists of events, summaries and scripts are derived; logs and snapshots are candidates."""
    roles = read_bytes(tmp_path, tar(PACEMAKER)).roles
    derived = {
        "report.summary",
        "events.txt",
        "analysis.txt",
        "alpha/events.txt",
        "alpha/report.out",
        "collector",
        ".env",
    }
    assert {path for path, role in roles.items() if role is DERIVED} == derived
    assert roles["alpha/pengine/pe-input.last"] is OPAQUE
    assert roles["alpha/pacemaker.log.extract.txt"] is CANDIDATE


def test_scheduler_inputs_are_unpacked(tmp_path: Path) -> None:
    """A pe file is a candidate under its own name, with the XML as content."""
    got = read_bytes(tmp_path, tar(PACEMAKER))
    assert got.data["alpha/pengine/pe-input-3.bz2"] == b"<cib/>"
    assert got.roles["alpha/pengine/pe-input-3.bz2"] is CANDIDATE


@pytest.mark.parametrize(("rows", "kind"), [(CRMSH_NEW, BundleKind.CRMSH_REPORT), (CRMSH_OLD, BundleKind.HB_REPORT)])
def test_reports_of_crmsh(tmp_path: Path, rows: dict[str, bytes], kind: BundleKind) -> None:
    """Reports of crmsh are told apart by the files in them."""
    got = read_bytes(tmp_path, tar(below("crm_report-1", rows)))
    assert got.summary.kind is kind
    assert got.summary.nodes == ("left", "right")


def test_logs_at_the_top_are_copies_when_nodes_have_them(tmp_path: Path) -> None:
    """Where the nodes have the log, the one at the top is derived; else it is the log."""
    roles = read_bytes(tmp_path, tar(CRMSH_OLD)).roles
    assert roles["ha-log.txt"] is DERIVED
    assert roles["journal.log"] is CANDIDATE
    assert roles["left/ha-log.txt"] is CANDIDATE
    assert roles["left/ha-log.txt.info"] is DERIVED
    assert read_bytes(tmp_path, tar(CRMSH_NEW), name="other").roles["left/pengine/pe-warn-0.dot"] is DERIVED


def test_links_are_aliases(tmp_path: Path) -> None:
    """Consolidated files, the cluster log and hard links are one artefact with further names."""
    rows: list[Row] = [
        *PACEMAKER.items(),
        symlink("alpha/members.txt", "../members.txt"),
        symlink("beta/members.txt", "../members.txt"),
        symlink("alpha/cluster-log.txt", "pacemaker.log.extract.txt"),
        hard_link("beta/messages", "beta/journal.log"),
    ]
    got = read_bytes(tmp_path, tar(rows))
    assert got.aliases("members.txt") == ("alpha/members.txt", "beta/members.txt")
    assert got.aliases("alpha/pacemaker.log.extract.txt") == ("alpha/cluster-log.txt",)
    assert got.aliases("beta/journal.log") == ("beta/messages",)
    assert len(got.artifacts) == len(PACEMAKER)
    assert got.codes == []


def test_the_top_of_a_report_of_one_node_is_that_nodes(tmp_path: Path) -> None:
    """With one node every consolidated file moves to the top."""
    rows = {name: content for name, content in PACEMAKER.items() if not name.startswith("beta")}
    assert read_bytes(tmp_path, tar(rows)).nodes["members.txt"] == "alpha"


def test_other_directories_are_no_nodes(tmp_path: Path) -> None:
    """System directories beside the nodes and directories below a node name nobody."""
    rows = PACEMAKER | {
        "etc/hosts": b"::1 a\n",
        "alpha/trace_ra/db/start": LOG,
        "alpha/messages.d/var/log/messages": LOG,
    }
    nodes = read_bytes(tmp_path, tar(rows)).nodes
    assert nodes["etc/hosts"] is None
    assert nodes["alpha/trace_ra/db/start"] == "alpha"
    assert nodes["alpha/messages.d/var/log/messages"] == "alpha"


def test_a_state_file_makes_a_node_of_any_name(tmp_path: Path) -> None:
    """A node may be called like a system directory; a single file that others use too makes no node."""
    assert read_bytes(tmp_path, tar({"x/cluster/RUNNING": b"", "x/cluster/a.log": LOG})).summary.nodes == ("cluster",)
    assert read_bytes(tmp_path, tar({"notes/sysstats.txt": b"x\n", "notes/a.log": LOG})).summary.nodes == ()
    rows = {"x/n1/sysstats.txt": b"x\n", "x/n1/permissions.txt": b"x\n"}
    assert read_bytes(tmp_path, tar(rows)).summary.nodes == ("n1",)
