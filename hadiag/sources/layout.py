"""Where the members of one container stand: in whose tree, of which kind, in which role.

A layout learns from every member that is seen. Readers let it see as much of the container as is cheap before
the first artefact is handed out, so that the places are right from the start.
"""

from __future__ import annotations

import re
from collections import defaultdict

from hadiag.model.frozen import record
from hadiag.model.source import ArtifactRole, BundleKind
from hadiag.sources.base import Entry, EntryType
from hadiag.sources.collected import CollectTrees
from hadiag.sources.crm_report import NO_NODE, ReportTrees
from hadiag.sources.links import Links, clean
from hadiag.sources.opaque import is_opaque
from hadiag.sources.sosreport import HostTrees, sos_role
from hadiag.sources.supportconfig import ConfigTrees

_CLUSTER_LOGS = frozenset(
    ["corosync.log", "pacemaker.log", "messages", "syslog", "ha-log.txt", "cib.xml", "corosync.conf", "pcsd.log"]
)
_NO_HOST = re.compile(
    r"old|new|backups?|bak|before|after|archives?|case|data|files|other|misc|first|second|third|last|current|previous",
    re.IGNORECASE,
)
_HOST_LIKE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_DATE_LIKE = re.compile(r".*\d{4}-?\d\d-?\d\d.*|(?:\d+[a-z]{0,2})|day\d+|part\d+|case\d+", re.IGNORECASE)
_NO_HOSTS = (NO_NODE, _NO_HOST, _DATE_LIKE)
_MEMBERS_COMPARED = 20_000


@record
class Place:
    """What the place of a member says of it."""

    kind: BundleKind
    node: str | None
    role: ArtifactRole


class Layout:
    """Trees in one container. ``outer`` is the place of the container itself, if it is in another one."""

    def __init__(self, outer: Place | None) -> None:
        self._outer = outer
        self.links = Links()
        self.reports = ReportTrees()
        self.hosts = HostTrees()
        self.configs = ConfigTrees()
        self.collected = CollectTrees()
        self.nested: list[BundleKind] = []
        """Kinds of the archives inside, in order."""
        self.own_files = False
        """Whether there are artefacts beside the archives inside."""
        self._siblings: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._host_dirs: set[str] = set()
        self._compared = 0

    def see(self, entry: Entry) -> str | None:
        """Take note of a member and return its clean name, None if the name is unsafe."""
        name = clean(entry.name)
        if not name:
            return name
        if entry.type is EntryType.SYMLINK:
            self.links.symbolic(name, entry.target)
        elif entry.type is EntryType.HARDLINK:
            self.links.hard_link(name, entry.target)
        if entry.type is not EntryType.DIRECTORY:
            self.reports.see(name)
            self.hosts.see(name)
            self.configs.see(name)
            self._compare(name)
        return name

    def wants(self, name: str) -> bool:
        """Tell whether the content of a member says something about the places of others."""
        return self.hosts.wants(name) or self.configs.wants(name) or self.collected.wants(name)

    def learn(self, name: str, data: bytes) -> None:
        """Use the content of a member that is wanted."""
        if self.hosts.wants(name):
            self.hosts.learn(name, data)
        elif self.configs.wants(name):
            self.configs.learn(name, data)
        elif self.collected.wants(name):
            self.collected.learn(name, data)

    def note(self, nested: BundleKind | None) -> None:
        """Take note of a file that was read: the kind of the archive it is, or None."""
        if nested:
            self.nested.append(nested)
        else:
            self.own_files = True

    def _compare(self, name: str) -> None:
        """Find directories beside each other that hold the same logs: somebody's collection, one for each host."""
        parts = name.split("/")
        if parts[-1] not in _CLUSTER_LOGS or self._compared > _MEMBERS_COMPARED:
            return
        self._compared += 1
        for depth, folder in enumerate(parts[:-1]):
            if not _HOST_LIKE.fullmatch(folder) or any(words.fullmatch(folder) for words in _NO_HOSTS):
                continue
            parent = "/".join(parts[:depth])
            same = self._siblings[parent, "/".join(parts[depth + 1 :])]
            same.add("/".join(parts[: depth + 1]))
            if len(same) > 1:
                self._host_dirs |= same

    def place(self, name: str) -> Place:
        """Return the place of a member."""
        kind, node, role = self._located(name)
        if is_opaque(name):
            role = ArtifactRole.OPAQUE
        return Place(kind, node, role)

    def _located(self, name: str) -> tuple[BundleKind, str | None, ArtifactRole]:
        if self.collected.own(name):
            return BundleKind.HADIAG_COLLECT, self.collected.node(name), ArtifactRole.CANDIDATE
        kind, node, role = self._by_tool(name)
        return kind, node or self.collected.node(name), role

    def _by_tool(self, name: str) -> tuple[BundleKind, str | None, ArtifactRole]:
        root = self.hosts.root(name)
        role = ArtifactRole.CANDIDATE
        if root is not None and self.hosts.is_sos(root):
            role = sos_role(name[len(root) :].lstrip("/"))
        elif root is None and self.hosts.is_of_collector(name):
            role = ArtifactRole.DERIVED
        report = self.reports.locate(name)
        config = self.configs.root(name)
        if report and len(report[0]) >= max(len(root or ""), len(config or "")):
            if role is ArtifactRole.CANDIDATE:
                role = self.reports.role(name, *report)
            return self.reports.kind(report[0]), self.reports.node(*report), role
        if root is not None:
            kind = BundleKind.SOSREPORT if self.hosts.is_sos(root) else self.kind
            return kind, self.hosts.host(root), role
        if config is not None:
            return BundleKind.SUPPORTCONFIG, self.configs.host(config), role
        return self.kind, self._host_dir(name) or (self._outer.node if self._outer else None), role

    def _host_dir(self, name: str) -> str | None:
        folder = name
        while self._host_dirs and folder:
            folder = folder.rpartition("/")[0]
            if folder in self._host_dirs:
                return folder.rpartition("/")[2]
        return None

    @property
    def kind(self) -> BundleKind:
        """Kind of the whole container, as far as it is known."""
        if self.collected.found:
            return BundleKind.HADIAG_COLLECT
        if self.hosts.sos_roots:
            return BundleKind.SOSREPORT
        if self.hosts.collect_roots and (not self.nested or BundleKind.SOSREPORT in self.nested):
            return BundleKind.SOS_COLLECT if self.nested else BundleKind.SOSREPORT
        if self.configs.roots:
            return BundleKind.SUPPORTCONFIG
        return self._kind_of_reports()

    def _kind_of_reports(self) -> BundleKind:
        if self.reports.roots:
            return self.reports.main_kind
        if self.nested and not self.own_files and len(set(self.nested)) == 1:
            return self.nested[0]
        return BundleKind.DIRECTORY

    @property
    def host_unknown(self) -> bool:
        """Tell whether the name of a host has to be looked for further back."""
        return self.hosts.unnamed or self.configs.unnamed
