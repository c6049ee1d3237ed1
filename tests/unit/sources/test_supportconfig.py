"""Supportconfig files are split into their sections."""

from __future__ import annotations

from pathlib import Path

from hadiag.model.source import ArtifactRole, BundleKind
from hadiag.sources import Inputs
from hadiag.sources.base import Flow, Replay
from hadiag.sources.supportconfig import SectionReader
from tests.unit.sources.building import LOG, PACK, read_bytes, tar

HEAD = "#==[ {} ]======================================#\n# {}\n"


def section(kind: str, argument: str, text: str) -> str:
    """Make a section."""
    return HEAD.format(kind, argument) + text + "\n"


BASIC = "=== header ===\n" + section("Command", "/bin/uname -a", "Linux suse_1 5.14.21-default #1 SMP x86_64\n")
HA = (
    section("Verification", "rpm -V pacemaker", "ok\n")
    + section("Command", "/usr/sbin/crm_mon -r -1", "Cluster Summary:\n  * Stack: corosync\n")
    + section("Configuration File", "/etc/corosync/corosync.conf", "totem {\n}\n")
    + section("Configuration File", "/etc/sysconfig/sbd - File not found", "")
    + section("Command", "/usr/sbin/crm_mon -r -1", "again\n")
    + section("Log File", "/var/log/pacemaker/pacemaker.log - Last 500 Lines", LOG.decode() * 3)
)
SCC = {
    "rpm.txt": section("Command", "rpm -qa", "a-1\n"),
    "ha.txt": HA,
    "basic-environment.txt": BASIC,
    "supportconfig.txt": "x\n",
}


def test_sections_become_artefacts(tmp_path: Path) -> None:
    """Commands, configuration and logs get paths of their own, with the text of the section only."""
    rows = {f"scc_x/{name}": text.encode() for name, text in SCC.items()}
    got = read_bytes(tmp_path, PACK["xz"](tar(rows)))
    assert got.summary.kind is BundleKind.SUPPORTCONFIG
    assert {path: data for path, data in got.data.items() if "ha.txt" in path} == {
        "scc_x/ha.txt#crm_mon -r -1": b"Cluster Summary:\n  * Stack: corosync\n\n",
        "scc_x/ha.txt#/etc/corosync/corosync.conf": b"totem {\n}\n\n",
        "scc_x/ha.txt#crm_mon -r -1 (2)": b"again\n\n",
        "scc_x/ha.txt#/var/log/pacemaker/pacemaker.log": LOG * 3 + b"\n",
    }
    assert set(got.nodes.values()) == {"suse_1"}


def test_the_name_of_the_top_is_the_last_resort(tmp_path: Path) -> None:
    """Without uname the host is what stands between prefix and date, underscores included."""
    rows = {"scc_SR1_a_b_261122_1015_0f/ha.txt": HA.encode(), "scc_SR1_a_b_261122_1015_0f/supportconfig.txt": b"x\n"}
    assert read_bytes(tmp_path, tar(rows)).summary.nodes == ("a_b",)


def test_what_a_section_picks_from_a_log_is_no_log(tmp_path: Path) -> None:
    """Lines picked by a word, and the addresses of a network namespace, are derived texts; the log itself is read."""
    text = (
        section("Log File", "/var/log/messages", LOG.decode())
        + section("Log File", "grep -i drbd /var/log/messages - Last 500 Lines", LOG.decode())
        + section("Command", "/usr/bin/grep -E -i 'saphana|SAPInstance' /var/log/messages | tail -1000", LOG.decode())
        + section(
            "Command", "/usr/bin/find /var/log/ -name pacemaker.log -exec grep -E -i 'saphana' {} ;", LOG.decode()
        )
        + section("Command", "/sbin/ip netns exec cni0 ip addr", "1: lo\n")
        + section("Command", "/sbin/ip addr", "1: lo\n")
    )
    rows = {"scc_x/all.txt": text.encode(), "scc_x/basic-environment.txt": BASIC.encode()}
    (tmp_path / "a").write_bytes(tar(rows))
    roles = {each.path.partition("#")[2].split()[0]: each.role for each in Inputs([str(tmp_path / "a")])}
    assert roles == {
        "/var/log/messages": ArtifactRole.CANDIDATE,
        "grep": ArtifactRole.DERIVED,
        "find": ArtifactRole.DERIVED,
        "ip": ArtifactRole.CANDIDATE,
        "uname": ArtifactRole.CANDIDATE,
    }
    derived = {each.path for each in Inputs([str(tmp_path / "a")]) if each.role is ArtifactRole.DERIVED}
    assert len(derived) == 4
    assert "scc_x/all.txt#ip netns exec cni0 ip addr" in derived


class Dripping(Flow):
    """A flow that gives few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        take = min(size, self._step)
        data, self._data = self._data[:take], self._data[take:]
        return data


def test_splits_do_not_depend_on_the_size_of_reads() -> None:
    """A heading that is cut between two reads is found."""
    want = [(name, text.exactly(1 << 20)) for name, text in SectionReader(Replay(HA.encode()))]
    assert len(want) == 4
    for step in (1, 7, 50, 300):
        assert [(name, text.exactly(1 << 20)) for name, text in SectionReader(Dripping(HA.encode(), step))] == want


def test_large_sections_are_complete() -> None:
    """A log of several blocks comes out whole, read or not read to its end."""
    text = section("Log File", "/a", "x" * 100 + "\n" + LOG.decode() * 9000) + section("Log File", "/b", "end\n")
    got = {name: flow.exactly(1 << 24) for name, flow in SectionReader(Replay(text.encode()))}
    assert got["/a"].count(b"\n") == 9002
    assert got["/b"] == b"end\n\n"
    assert [name for name, _ in SectionReader(Replay(text.encode()))] == ["/a", "/b"]
