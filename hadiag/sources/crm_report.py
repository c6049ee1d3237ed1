"""Trees of cluster reports: pacemaker's crm_report and the reports of crmsh (hb_report, crm report).

::

    pcmk-Sun-22-Nov-2026/report.summary          the root
    pcmk-Sun-22-Nov-2026/node1/RUNNING           a node directory
    pcmk-Sun-22-Nov-2026/node1/pacemaker.log.extract.txt
    pcmk-Sun-22-Nov-2026/node1/members.txt -> ../members.txt

Such a tree may stand at the top of an archive, below other directories or inside a sos report.
"""

from __future__ import annotations

import re
from collections import defaultdict

from hadiag.model.source import ArtifactRole, BundleKind

_NODE_FILES = frozenset(
    (
        "RUNNING STOPPED cib.xml.live corosync.dump corosync.quorum corosync-blackbox-live.txt sysstats.txt "
        "permissions.txt crm_verify.txt configure_show.txt journal_pacemaker.log journal_corosync.log journal_sbd.log "
        "quorum_qdevice_qnetd.txt dlm_dump.txt hb_uuid.txt"
    ).split()
)
"""Files that only a node directory holds; what may be consolidated at the top is not among them."""
_EXTRACT = ".extract.txt"
_PE_FILE = re.compile(r"pe-(?:input|warn|error)-\d+\.(?:bz2|dot)")

_PACEMAKER = frozenset("report.summary collector cib.xml.live corosync.dump corosync-blackbox-live.txt".split())
_CRMSH_NEW = frozenset(
    "configure_show.txt journal_pacemaker.log quorum_qdevice_qnetd.txt coredump_info.txt crmsh.log profiles.yml".split()
)
_CRMSH = frozenset("description.txt ha-log.txt ha-cluster-bootstrap.log time.txt events.text".split())

_NO_NODE = frozenset(
    (
        "pengine sos_commands sos_logs sos_reports sos_strings etc var usr opt proc sys run dev tmp root home boot lib "
        "log logs cluster corosync pacemaker crm_report booth drbd.d trace_ra cib cores checksums"
    ).split()
)
"""Names of directories that are never a node's."""

_DERIVED = frozenset(
    "events.txt events.text analysis.txt report.summary report.out description.txt collector .env debug.out".split()
)
_CONSOLIDATED = frozenset(("ha-log.txt", "journal.log"))


class ReportTrees:
    """Report trees of one container, as far as its members were seen."""

    def __init__(self) -> None:
        self.node_dirs: dict[str, set[str]] = defaultdict(set)
        """Node directories, by the root they stand in."""
        self.roots: set[str] = set()
        self._files: dict[str, set[str]] = defaultdict(set)
        """Names that tell something, by directory."""

    def see(self, path: str) -> None:
        """Take note of a member."""
        folder, _, name = path.rpartition("/")
        if name in _NODE_FILES or name.endswith(_EXTRACT):
            self._mark_node(folder)
        elif _PE_FILE.fullmatch(name) and folder.endswith("/pengine"):
            self._mark_node(folder.rpartition("/")[0])
        if name == "report.summary":
            self.roots.add(folder)
        if name in _DERIVED or name in _CONSOLIDATED or name in _CRMSH_NEW or name in _CRMSH or name in _PACEMAKER:
            self._files[folder].add(name)
            if {"description.txt", "analysis.txt"} <= self._files[folder]:
                self.roots.add(folder)
        elif name.endswith(_EXTRACT):
            self._files[folder].add(_EXTRACT)

    def _mark_node(self, folder: str) -> None:
        root, _, name = folder.rpartition("/")
        if name and name not in _NO_NODE:
            self.node_dirs[root].add(folder)
            self.roots.add(root)

    def locate(self, path: str) -> tuple[str, str | None] | None:
        """Return the root of the tree and the node directory that a member stands in."""
        folders = path.split("/")[:-1]
        for depth in range(len(folders), -1, -1):
            root = "/".join(folders[:depth])
            if root in self.roots and self._inside(root, folders[depth:]):
                known = self.node_dirs.get(root, set())
                below = "/".join(folders[: depth + 1])
                if depth < len(folders) and (below in known or folders[depth] not in _NO_NODE):
                    return root, below
                return root, None
        return None

    def _inside(self, root: str, below: list[str]) -> bool:
        """Tell a part of the report from a foreign directory beside it."""
        return not below or below[0] not in _NO_NODE or f"{root}/{below[0]}".lstrip("/") in self.node_dirs.get(root, ())

    def node(self, root: str, node_dir: str | None) -> str | None:
        """Return the node of a directory; what stands at the top of a report of one node is that node's."""
        if node_dir is None:
            known = self.node_dirs.get(root, set())
            node_dir = next(iter(known)) if len(known) == 1 else None
        return node_dir.rpartition("/")[2] if node_dir else None

    def kind(self, root: str) -> BundleKind:
        """Return the kind of a tree: which tool made it."""
        names = set(self._files.get(root, ()))
        for folder in self.node_dirs.get(root, ()):
            names |= self._files.get(folder, set())
        if names & _PACEMAKER or _EXTRACT in names:
            return BundleKind.CRM_REPORT
        if names & _CRMSH_NEW:
            return BundleKind.CRMSH_REPORT
        return BundleKind.HB_REPORT if names & _CRMSH else BundleKind.CRM_REPORT

    def role(self, path: str, root: str, node_dir: str | None) -> ArtifactRole:
        """Tell logs and snapshots from what the report tools made of them."""
        name = path.rpartition("/")[2]
        if name in _DERIVED or name.endswith((".info", ".dot")):
            return ArtifactRole.DERIVED
        if re.fullmatch(r"pe-\w+\.last", name):
            return ArtifactRole.OPAQUE
        if node_dir is None and path.rpartition("/")[0] == root:
            copies = any(name in self._files.get(folder, ()) for folder in self.node_dirs.get(root, ()))
            if name == "cluster-log.txt" or (name in _CONSOLIDATED and copies):
                return ArtifactRole.DERIVED
        return ArtifactRole.CANDIDATE
