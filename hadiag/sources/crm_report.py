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

_NODE_FILE = re.compile(
    r"RUNNING|STOPPED|cib\.xml\.live|corosync\.dump|corosync-blackbox-live\.txt|configure_show\.txt"
    r"|journal_pacemaker\.log|hb_uuid\.txt|.+\.extract\.txt"
)
"""Files that only a node directory holds; what may be consolidated at the top is not among them."""
_LIKELY_FILE = re.compile(
    r"corosync\.quorum|sysstats\.txt|permissions\.txt|crm_verify\.txt|journal_(?:corosync|sbd)\.log"
    r"|quorum_qdevice_qnetd\.txt|dlm_dump\.txt"
)
"""Files of which two make a node directory."""
_STATE_FILE = re.compile(r"RUNNING|STOPPED|cib\.xml\.live")
"""Files that make one whatever its name is."""
_PE_FILE = re.compile(r"pe-(?:input|warn|error)-\d+\.(?:bz2|dot)")

_PACEMAKER = re.compile(
    r"report\.summary|collector|cib\.xml\.live|corosync\.dump|corosync-blackbox-live\.txt|\.extract\.txt"
)
_CRMSH_NEW = re.compile(
    r"configure_show\.txt|journal_pacemaker\.log|quorum_qdevice_qnetd\.txt|coredump_info\.txt|crmsh\.log|profiles\.yml"
)
_CRMSH = re.compile(r"description\.txt|ha-log\.txt|ha-cluster-bootstrap\.log|time\.txt|events\.text")

NO_NODE = re.compile(
    r"pengine|sos_(?:commands|logs|reports|strings)|etc|var|usr|opt|proc|sys|run|dev|tmp|root|home|boot|lib(?:64)?|logs?"
    r"|cluster|corosync|pacemaker|pcsd|crm_report|booth|drbd\.d|trace_ra|cib|cores|checksums|journal|.+\.d"
)
"""Names of directories that are never a node's."""

_DERIVED = re.compile(
    r"events\.te?xt|analysis\.txt|report\.(?:summary|out)|description\.txt|collector|\.env|debug\.out|.+\.(?:info|dot)"
)
_CONSOLIDATED = frozenset(("ha-log.txt", "journal.log"))
_EXTRACT = ".extract.txt"
_KIND_ORDER = (BundleKind.CRMSH_REPORT, BundleKind.HB_REPORT, BundleKind.CRM_REPORT)
_TOOLS = (
    (BundleKind.CRM_REPORT, _PACEMAKER),
    (BundleKind.CRMSH_REPORT, _CRMSH_NEW),
    (BundleKind.HB_REPORT, _CRMSH),
)
_MARKS = (_PACEMAKER, _CRMSH_NEW, _CRMSH, re.compile(r"analysis\.txt|journal\.log"))


class ReportTrees:
    """Report trees of one container, as far as its members were seen."""

    def __init__(self) -> None:
        self.node_dirs: dict[str, set[str]] = defaultdict(set)
        """Node directories, by the root they stand in."""
        self.roots: set[str] = set()
        self._names: dict[str, set[str]] = defaultdict(set)
        """Names that tell something, by the directory they stand in, and by the one above that as ``*/NAME``."""
        self._likely: dict[str, set[str]] = defaultdict(set)
        self._main_kind: BundleKind | None = None

    def see(self, path: str) -> None:
        """Take note of a member."""
        folder, _, name = path.rpartition("/")
        if _NODE_FILE.fullmatch(name):
            self._mark_node(folder, certain=_STATE_FILE.fullmatch(name) is not None)
        elif _LIKELY_FILE.fullmatch(name):
            self._likely[folder].add(name)
            if len(self._likely[folder]) > 1:
                self._mark_node(folder)
        elif _PE_FILE.fullmatch(name) and folder.endswith("/pengine"):
            self._mark_node(folder.rpartition("/")[0])
        if name == "report.summary":
            self._mark_root(folder)
        mark = _EXTRACT if name.endswith(_EXTRACT) else name
        if any(marks.fullmatch(mark) for marks in _MARKS):
            self._main_kind = None
            self._names[folder].add(mark)
            if folder:
                self._names[folder.rpartition("/")[0]].add(f"*/{mark}")
            if {"description.txt", "analysis.txt"} <= self._names[folder]:
                self._mark_root(folder)

    def _mark_root(self, folder: str) -> None:
        self.roots.add(folder)
        self._main_kind = None

    def _mark_node(self, folder: str, *, certain: bool = False) -> None:
        root, _, name = folder.rpartition("/")
        if name and (certain or not NO_NODE.fullmatch(name)):
            self.node_dirs[root].add(folder)
            self._mark_root(root)

    def locate(self, path: str) -> tuple[str, str | None] | None:
        """Return the root of the tree and the node directory that a member stands in."""
        folders = path.split("/")[:-1]
        for depth in range(len(folders), -1, -1):
            root = "/".join(folders[:depth])
            if root not in self.roots:
                continue
            if depth == len(folders):
                return root, None
            below = "/".join(folders[: depth + 1])
            if below in self.node_dirs.get(root, ()) or not NO_NODE.fullmatch(folders[depth]):
                return root, below
        return None

    def node(self, root: str, node_dir: str | None) -> str | None:
        """Return the node of a directory; what stands at the top of a report of one node is that node's."""
        if node_dir is None:
            known = self.node_dirs.get(root, set())
            node_dir = next(iter(known)) if len(known) == 1 else None
        return node_dir.rpartition("/")[2] if node_dir else None

    def kind(self, root: str) -> BundleKind:
        """Return the kind of a tree: which tool made it."""
        names = {name.removeprefix("*/") for name in self._names.get(root, ())}
        for kind, marks in _TOOLS:
            if any(marks.fullmatch(name) for name in names):
                return kind
        return BundleKind.CRM_REPORT

    @property
    def main_kind(self) -> BundleKind:
        """Kind of all trees together: a report of crmsh may hold one of pacemaker, not the other way round."""
        if self._main_kind is None:
            self._main_kind = min((self.kind(root) for root in self.roots), key=_KIND_ORDER.index)
        return self._main_kind

    def role(self, path: str, root: str, node_dir: str | None) -> ArtifactRole:
        """Tell logs and snapshots from what the report tools made of them."""
        name = path.rpartition("/")[2]
        if _DERIVED.fullmatch(name):
            return ArtifactRole.DERIVED
        if re.fullmatch(r"pe-\w+\.last", name):
            return ArtifactRole.OPAQUE
        if node_dir is None and path.rpartition("/")[0] == root:
            copies = f"*/{name}" in self._names.get(root, ())
            if name == "cluster-log.txt" or (name in _CONSOLIDATED and copies):
                return ArtifactRole.DERIVED
        return ArtifactRole.CANDIDATE
