"""Trees of sos reports and of other copies of a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadiag.model.source import ArtifactRole, BundleKind
from tests.unit.sources import building
from tests.unit.sources.building import LOG, PACK, Row, read, read_bytes, symlink, tar, zipped

CANDIDATE, DERIVED, OPAQUE = ArtifactRole.CANDIDATE, ArtifactRole.DERIVED, ArtifactRole.OPAQUE

TOP = "sosreport-web-2026-11-22-abcdefg"
SOS = {
    "var/log/messages": LOG,
    "sos_commands/pacemaker/crm_report/report.summary": b"x\n",
    "sos_commands/pacemaker/crm_report/members.txt": b"web1\n",
    "sos_commands/pacemaker/crm_report/web1/RUNNING": b"web1\n",
    "sos_commands/pacemaker/crm_report/web1/journal.log": LOG,
    "sos_commands/pacemaker/crm_report/web1/events.txt": LOG,
    "sos_logs/sos.log": LOG,
    "sos_reports/manifest.json": b"{}",
    "sos_strings/logs/var.log.syslog.tailed": LOG,
    "sos_strings/other": LOG,
    "proc/net/fib_trie": b"x\n",
    "proc/mounts": b"x\n",
    "usr/lib/systemd/system/a.service": b"[Unit]\n",
    "etc/corosync/authkey": b"secret",
    "version.txt": b"sosreport: 4.5\n",
}


def sos(extra: dict[str, bytes], top: str = TOP) -> dict[str, bytes]:
    """Make the members of a sos report; the extra ones come last."""
    return {f"{top}/{name}": content for name, content in (SOS | extra).items()}


@pytest.mark.parametrize(
    ("extra", "host"),
    [
        ({"etc/hostname": b"web.example.com\n"}, "web.example.com"),
        ({"etc/hostname": b"old\n", "sos_commands/host/hostname": b"web9\n"}, "web9"),
        ({"sos_commands/general/hostname": b"web9\n", "etc/hostname": b"old\n"}, "web9"),
        ({"hostname": b"web7\n"}, "web7"),
        ({"etc/hostname": b"localhost.localdomain\n"}, "web"),
        ({}, "web"),
    ],
)
def test_the_host_counts_for_all_members(tmp_path: Path, extra: dict[str, bytes], host: str) -> None:
    """Although its file comes last, the host is known from the first log on; the name of the top is the last resort."""
    got = read_bytes(tmp_path, tar(sos(extra)))
    assert got.summary.kind is BundleKind.SOSREPORT
    assert got.summary.nodes == tuple(sorted({host, "web1"}))
    assert next(iter(got.nodes.items())) == (f"{TOP}/var/log/messages", host)
    assert got.nodes[f"{TOP}/version.txt"] == host


def test_a_renamed_report_is_known_by_its_content(tmp_path: Path) -> None:
    """The name of the top directory is not needed."""
    got = read_bytes(tmp_path, tar(sos({"etc/hostname": b"db\n"}, top="case/42")))
    assert got.summary.kind is BundleKind.SOSREPORT
    assert got.nodes["case/42/var/log/messages"] == "db"


def test_the_report_inside_names_its_node(tmp_path: Path) -> None:
    """In the crm_report tree the node directory wins over the host, for consolidated files too."""
    got = read_bytes(tmp_path, tar(sos({"etc/hostname": b"web.example.com\n"})))
    tree = f"{TOP}/sos_commands/pacemaker/crm_report"
    assert got.nodes[f"{tree}/web1/journal.log"] == "web1"
    assert got.nodes[f"{tree}/members.txt"] == "web1"
    kinds = {artifact.path: artifact.kind for artifact in got.artifacts}
    assert kinds[f"{tree}/members.txt"] is BundleKind.CRM_REPORT
    assert kinds[f"{TOP}/var/log/messages"] is BundleKind.SOSREPORT


def test_roles(tmp_path: Path) -> None:
    """The tool's own logs are derived, kernel trees and secrets are not opened."""
    got = read_bytes(tmp_path, tar(sos({})))
    roles = {path.removeprefix(f"{TOP}/"): role for path, role in got.roles.items()}
    assert {name for name, role in roles.items() if role is OPAQUE} == {
        "proc/net/fib_trie",
        "usr/lib/systemd/system/a.service",
        "etc/corosync/authkey",
    }
    assert {name for name, role in roles.items() if role is DERIVED} == {
        "sos_logs/sos.log",
        "sos_reports/manifest.json",
        "sos_strings/other",
        "sos_commands/pacemaker/crm_report/report.summary",
        "sos_commands/pacemaker/crm_report/web1/events.txt",
    }
    assert got.data[f"{TOP}/etc/corosync/authkey"] == b""


def test_a_tailed_log_is_read_once(tmp_path: Path) -> None:
    """The cut log is the artefact, its own place is an alias."""
    link = symlink(f"{TOP}/var/log/syslog", "../../sos_strings/logs/var.log.syslog.tailed")
    got = read_bytes(tmp_path, tar([*sos({}).items(), link]))
    tailed = f"{TOP}/sos_strings/logs/var.log.syslog.tailed"
    assert got.roles[tailed] is CANDIDATE
    assert got.aliases(tailed) == (f"{TOP}/var/log/syslog",)


def test_a_host_far_back_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what is looked at first, a file is decoded once more; a pipe falls back on the name of the top."""
    monkeypatch.setattr("hadiag.sources.archive.PREVIEW", 4096)
    data = PACK["xz"](tar(sos({"etc/hostname": b"web5\n"})))
    assert read_bytes(tmp_path, data).nodes[f"{TOP}/var/log/messages"] == "web5"
    piped = read("-", stdin=data)
    assert piped.nodes[f"{TOP}/var/log/messages"] == "web"
    assert piped.nodes[f"{TOP}/etc/hostname"] == "web5"


def test_links_seen_late_are_told_by_the_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alias that comes after its artefact was handed out is found in ``Inputs.aliases``."""
    monkeypatch.setattr("hadiag.sources.archive.PREVIEW", 1024)
    rows: list[Row] = [("top/a.log", LOG), ("top/b.log", LOG * 100), symlink("top/c.log", "a.log")]
    got = read_bytes(tmp_path, PACK["gz"](tar(rows)))
    assert got.aliases("top/a.log") == ()
    assert got.inputs.aliases == {(got.summary.digest, "top/a.log"): ("top/c.log",)}


def test_two_reports_in_one_zip(tmp_path: Path) -> None:
    """Unpacked or packed, each report has its own host."""
    both = sos({"etc/hostname": b"a1\n"}, top="one") | sos({"etc/hostname": b"b1\n"}, top="two")
    got = read_bytes(tmp_path, zipped(both))
    assert (got.nodes["one/var/log/messages"], got.nodes["two/var/log/messages"]) == ("a1", "b1")
    packed = {f"{n}.tar.xz": PACK["xz"](tar(sos({"etc/hostname": n.encode()}, top=n))) for n in ("a1", "b1")}
    got = read_bytes(tmp_path, zipped(packed), name="packed")
    assert got.nodes["a1.tar.xz!a1/var/log/messages"] == "a1"
    assert got.nodes["b1.tar.xz!b1/var/log/messages"] == "b1"
    assert got.summary.kind is BundleKind.SOSREPORT


def test_sos_collect(tmp_path: Path) -> None:
    """A collection has packed reports beside the lists of the tool."""
    rows = {f"c/sosreport-{n}.tar.xz": PACK["xz"](tar(sos({"etc/hostname": n.encode()}))) for n in ("n1", "n2")}
    rows |= {"c/sos_reports/manifest.json": b"{}", "c/sos_logs/ui.log": b"x\n", "c/checksums/a.md5": b"0 a\n"}
    got = read_bytes(tmp_path, PACK["xz"](tar(rows)))
    assert got.summary.kind is BundleKind.SOS_COLLECT
    assert got.summary.nodes == ("n1", "n2", "web1")
    assert got.nodes[f"c/sosreport-n1.tar.xz!{TOP}/var/log/messages"] == "n1"


def test_a_plain_copy_of_var_log(tmp_path: Path) -> None:
    """A tar of log directories is a directory; etc/hostname names its host, else nothing does."""
    rows = {"var/log/messages": LOG, "var/log/pacemaker/pacemaker.log": LOG, "var/log/wtmp": b"\7\0\0\0"}
    got = read_bytes(tmp_path, PACK["gz"](tar(rows)))
    assert got.summary.kind is BundleKind.DIRECTORY
    assert set(got.nodes.values()) == {None}
    assert got.roles["var/log/wtmp"] is OPAQUE
    got = read_bytes(tmp_path, PACK["gz"](tar(rows | {"etc/hostname": b"db3\n"})), name="named")
    assert set(got.nodes.values()) == {"db3"}


def test_directories_with_the_same_logs_are_hosts(tmp_path: Path) -> None:
    """Somebody's collection with one directory a host; directories with dates or ages are none."""
    rows = {f"case/{host}/var/log/corosync.log": LOG for host in ("db-a", "db-b")}
    assert read_bytes(tmp_path, tar(rows)).summary.nodes == ("db-a", "db-b")
    for names in (("2026-11-21", "2026-11-22"), ("old", "new"), ("cluster", "pacemaker")):
        rows = {f"case/{name}/corosync.log": LOG for name in names}
        assert read_bytes(tmp_path, tar(rows)).summary.nodes == ()


def test_the_time_zone_link_is_told(tmp_path: Path) -> None:
    """The target of etc/localtime is text worth reading, and is not followed."""
    rows: list[Row] = [*sos({}).items(), symlink(f"{TOP}/etc/localtime", "../usr/share/zoneinfo/Europe/Berlin")]
    assert read_bytes(tmp_path, tar(rows)).data[f"{TOP}/etc/localtime"] == b"../usr/share/zoneinfo/Europe/Berlin\n"


def test_stamps_give_the_time_of_collection(tmp_path: Path) -> None:
    """The newest time of change counts, unless it stands alone far from all others."""
    late = building.member(f"{TOP}/odd")
    late.mtime = building.STAMP + 400 * 86400
    got = read_bytes(tmp_path, tar([*sos({}).items(), late]))
    assert got.inputs.collected_at == {got.summary.digest: building.STAMP}


def test_what_sos_collect_logs_of_itself_belongs_to_no_node(tmp_path: Path) -> None:
    """Its own logs stand beside the reports; those of the reports are read."""
    inner = tar(sos({"etc/hostname": b"web1\n"}))
    outer = {
        "sos-collector-2026-11-26-urihr/sos_logs/sos.log": LOG,
        "sos-collector-2026-11-26-urihr/sos_logs/ui.log": LOG,
        "sos-collector-2026-11-26-urihr/sos_reports/manifest.json": b"{}",
        f"sos-collector-2026-11-26-urihr/{TOP}.tar": inner,
    }
    got = read_bytes(tmp_path, tar(outer))
    assert {role for path, role in got.roles.items() if "/sos_logs/" in path} == {DERIVED}
    assert CANDIDATE in {role for path, role in got.roles.items() if path.endswith("var/log/messages")}
