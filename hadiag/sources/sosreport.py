"""Trees of sos reports, and of other copies of a host's root directory: whose they are and what to leave out.

::

    sosreport-node1-2026-11-22-abcdefg/sos_commands/host/hostname     names the host
    sosreport-node1-2026-11-22-abcdefg/etc/hostname                   so does this
    sosreport-node1-2026-11-22-abcdefg/var/log/messages -> ../../sos_strings/logs/var.log.messages.tailed
"""

from __future__ import annotations

import re

from hadiag.model.source import ArtifactRole

_COMMANDS = "sos_commands/"
_HOST_FILE = re.compile(r"(?:(?P<root>.*?)/)??(?P<file>sos_commands/(?:host|general)/hostname|etc/hostname|hostname)")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")
_TOP = re.compile(r"sosreport-(?P<host>.+?)(?:\.\d+)?-(?:\d{14}|\d{4}-\d\d-\d\d-[a-z]{7})(?:-obfuscated)?")

_KERNEL_FILES = re.compile(
    r"proc/(?:mounts|drbd|mdstat|meminfo|loadavg|uptime|version|cmdline|net/bonding/.+"
    r"|sys/kernel/(?:hostname|random/boot_id))|sys/(?:fs/gfs2/.+/withdraw|kernel/debug/drbd/.+)"
)
"""Files of the kernel's own trees that may matter; there are thousands of others."""
_SYSTEM_FILES = ("usr/lib/", "usr/lib64/", "usr/share/", "lib/", "boot/")


def host_name(data: bytes) -> str | None:
    """Return the host name that a file such as ``etc/hostname`` holds."""
    for line in data.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text and not text.startswith("#"):
            useful = _HOST_NAME.fullmatch(text) and text.split(".")[0] != "localhost"
            return text if useful else None
    return None


class HostTrees:
    """Root directories of hosts in one container: sos reports, and plain copies that hold ``etc/hostname``."""

    def __init__(self) -> None:
        self.sos_roots: set[str] = set()
        self.collect_roots: set[str] = set()
        """Directories with the lists that both sos report and sos collect write."""
        self._named: dict[str, str] = {}
        self._hosts: dict[str, tuple[int, str]] = {}
        self._missing: set[str] = set()

    def see(self, path: str) -> None:
        """Take note of a member."""
        at = path.find(_COMMANDS)
        if at == 0 or (at > 0 and path[at - 1] == "/"):
            self._expect(path[: max(0, at - 1)], self.sos_roots)
            return
        top, _, below = path.partition("/")
        if top not in self._named and (match := _TOP.fullmatch(top)) and below:
            self._named[top] = _host_of_top(match["host"])
            self._expect(top, set())
        if path.endswith(("sos_reports/manifest.json", "sos_logs/sos.log", "sos_logs/ui.log")):
            self.collect_roots.add("/".join(path.split("/")[:-2]))

    def _expect(self, root: str, roots: set[str]) -> None:
        roots.add(root)
        if root not in self._hosts:
            self._missing.add(root)

    def wants(self, path: str) -> bool:
        """Tell whether the content of a member names a host."""
        return path.endswith("hostname") and _HOST_FILE.fullmatch(path) is not None

    def learn(self, path: str, data: bytes) -> None:
        """Take the host name from the content of a member."""
        match = _HOST_FILE.fullmatch(path)
        host = host_name(data)
        if match and host:
            root = match["root"] or ""
            rank = (
                ("hostname", "etc/hostname").index(match["file"])
                if match["file"] in {"hostname", "etc/hostname"}
                else 2
            )
            if rank == 0 and root not in self.sos_roots:
                return  # a file of that name anywhere says nothing
            self._hosts[root] = max(self._hosts.get(root, (-1, "")), (rank, host))
            self._missing.discard(root)

    @property
    def unnamed(self) -> bool:
        """Tell whether there is a sos report whose host is not known yet from its content."""
        return bool(self._missing)

    def is_sos(self, root: str) -> bool:
        """Tell a sos report from another copy of a root directory."""
        return root in self.sos_roots or root in self._named

    def root(self, path: str) -> str | None:
        """Return the innermost root directory of a host that a member stands in."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self.sos_roots or folder in self._hosts or folder in self._named:
                return folder
        return None

    def is_of_collector(self, path: str) -> bool:
        """Tell what sos collect wrote about its own run: its logs and lists are of no node."""
        folder, _, _ = path.rpartition("/")
        outer, _, own = folder.rpartition("/")
        return own in {"sos_logs", "sos_reports"} and (not self.collect_roots or outer in self.collect_roots)

    def host(self, root: str) -> str | None:
        """Return the host of a root directory."""
        if root in self._hosts:
            return self._hosts[root][1]
        return self._named.get(root.split("/", maxsplit=1)[0])


def _host_of_top(text: str) -> str:
    """Read the host out of the name of a directory, which may hold a label and a case number as well."""
    text = re.sub(r"(?:-\d{6,})+$", "", text)
    half = len(text) // 2
    return text[:half] if text[:half] == text[half + 1 :] and text[half : half + 1] == "-" else text


def sos_role(path: str) -> ArtifactRole:
    """Tell the role of a member of a sos report; the path is relative to its root."""
    if path.startswith(("sos_logs/", "sos_reports/")):
        return ArtifactRole.DERIVED
    if path.startswith("sos_strings/"):  # a cut log stands here, and a link to it at its own place
        return ArtifactRole.CANDIDATE if path.endswith(".tailed") else ArtifactRole.DERIVED
    if "/networking/namespaces/" in path:  # addresses of a network namespace are not the host's
        return ArtifactRole.DERIVED
    if path.startswith(("proc/", "sys/")):
        return ArtifactRole.CANDIDATE if _KERNEL_FILES.fullmatch(path) else ArtifactRole.OPAQUE
    return ArtifactRole.OPAQUE if path.startswith(_SYSTEM_FILES) else ArtifactRole.CANDIDATE
