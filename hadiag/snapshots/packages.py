"""Installed packages and the system: ``sysinfo.txt`` of both report tools, ``rpm -qa``, ``dpkg -l``, uname, os-release.

::

    Platform: Linux                                     sysinfo.txt
    Kernel release: 6.1.0-13-amd64
    Distribution: Debian GNU/Linux 13 (trixie)
    corosync 3.1.7-1+deb12u2 amd64                      ... of crm_report (name version architecture, or name version-release - distribution arch)
    corosync    3.1.9-2+deb13u1.amd64                   ... of crmsh
    pacemaker-2.1.7-5.el9.x86_64      Sun Nov 22 2026   installed-rpms
    ii  pacemaker  2.1.5-1+deb12u1  amd64  cluster …    dpkg -l
    pacemaker   SUSE Linux Enterprise 15   2.1.7+2023…  rpm.txt of supportconfig
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, name_of, numbered

_KEPT = re.compile(
    r"(?:lib)?(?:pacemaker|corosync|qb|knet|cpg|votequorum|cmap|quorum|cfg|sbd|stonith)[\w.+-]*|pcs|pcsd|crmsh|sbd|booth[\w-]*"
    r"|(?:resource|fence)-agents[\w-]*|cluster-glue|drbd[\w.-]*|kmod-drbd[\w-]*|dlm[\w-]*|lvm2[\w-]*|gfs2-utils|ocfs2-tools"
    r"|SAPHanaSR[\w-]*|sap-suse-cluster-connector|kernel(?:-core|-default|-uek)?|linux-image[\w.+-]*|systemd|chrony|ntp|ntpsec"
    r"|device-mapper-multipath|multipath-tools|open-vm-tools|qemu-guest-agent|hyperv-daemons|hyper-v|hypervkvpd|linux-cloud-tools-common"
    r"|xe-guest-utilities[\w-]*|WALinuxAgent|walinuxagent|python-azure-agent|google-(?:guest-agent|compute-engine|osconfig-agent)|amazon-ssm-agent"
    r"|ec2-instance-connect|ec2-hibinit-agent|cloud-netconfig-[\w-]+|fence-virt[\w-]*|csync2|hawk2|ClusterTools2"
)
"""Packages that matter to a cluster; an installed system has thousands."""

_NEVRA = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.+-]*?)-(?P<version>(?:\d+:)?[\w.+~^]+-[\w.+~^]+)\.(?P<arch>x86_64|noarch|aarch64|ppc64le|s390x|i[3-6]86)(?:\s|$)"
)
_DPKG = re.compile(r"^ii\s+(?P<name>[a-z0-9][a-z0-9.+-]*)(?::\w+)?\s+(?P<version>\d[\w.+:~-]*)\s")
_COLUMNS = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.+-]*)\s+(?P<version>(?:\d+:)?\d[\w.+:~^-]*?)(?:\.(?:x86_64|noarch|aarch64|ppc64le|s390x|amd64|arm64|all|i386))?(?:\s|$)"
)
_DISTRIBUTED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.+-]*)\s+\S.*?\s+(?P<version>(?:\d+:)?[\w.+~^]+-[\w.+~^]+)\s*$")
"""A line of the list that supportconfig makes: the distribution, which may be several words, stands in the middle."""
_BANNER = (
    (re.compile(r"^Pacemaker (\d+\.\d+(?:\.\d+)?[\w.~-]*)\s*$"), "pacemaker"),
    (re.compile(r"^Corosync Cluster Engine, version '([\w.+-]+)'"), "corosync"),
)
_SYSTEM = {"Kernel release": "kernel", "Architecture": "arch", "Distribution": "distribution"}
_RPM_LIST = re.compile(
    r"rpm\b.*(?:-qa|--all)|installed-rpms|sh -c rpm .*-qa|package-data|dpkg -l|dpkg-l|installed-debs|rpm-qa"
)
_UNAME = re.compile(
    r"^Linux (?P<host>\S+) (?P<kernel>\d+\.\d+\S*) (?P<build>#\S+ .*?) ?(?P<arch>x86_64|aarch64|ppc64le|s390x|i[3-6]86)\b"
)
_RELEASE = re.compile(r'^(NAME|VERSION|ID|VERSION_ID|PRETTY_NAME)="?([^"]*)"?$')


def _is_distributed(command: str) -> bool:
    """Tell the list of supportconfig by the columns that it asks for."""
    return re.search(r"\{NAME\}\W+-?\d*\{DISTRIBUTION\}", command) is not None


def _package(source: Source, package: tuple[str, str], number: int, line: str, origin: str) -> Fact:
    """A package; ``origin`` tells the kind of list, as lists print versions differently."""
    values: dict[str, Scalar] = {"name": package[0], "version": package[1], "origin": origin}
    return source.fact("package", values, number, text=line)


class SysinfoParser:
    """Reads ``sysinfo.txt`` of crm_report and of crmsh."""

    name = "sysinfo"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Lines about platform and kernel among the first ones."""
        lines = head_lines(head, 12)
        return (
            sum(
                line.startswith(("Platform: ", "Kernel release: ", "Architecture: ", "Distribution: "))
                for line in lines
            )
            >= 2
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``os`` and ``package``."""
        listed = False
        for number, line in numbered(data):
            key, _, value = line.partition(": ")
            if key in _SYSTEM and value and not listed:
                told = value.removeprefix("Description:").strip()
                yield source.fact("os", {"name": _SYSTEM[key], "value": told}, number, text=line)
            for banner, name in _BANNER:
                if match := banner.match(line):
                    yield _package(source, (name, match[1]), number, line, "binary")
            if re.match(r"^Installed packages:|^#+ ?(?:Installed c|C)luster related packages", line):
                listed = True
            elif line.startswith("#"):
                listed = False
            elif listed and (match := _COLUMNS.match(line)) and _KEPT.fullmatch(match["name"]):
                yield _package(source, (match["name"], match["version"]), number, line, "sysinfo")


class PackageListParser:
    """Reads lists of packages: ``rpm -qa``, ``installed-rpms``, ``installed-debs``, ``dpkg -l``."""

    name = "packages"

    def matches(self, path: str, head: bytes) -> bool:
        """Most lines are packages; the columns of ``rpm.txt`` are known by the command only."""
        lines = head_lines(head, 40)
        if not lines:
            return False
        clear = sum(1 for line in lines if _NEVRA.match(line) or _DPKG.match(line))
        if len(lines) >= 3 and clear * 2 > len(lines):
            return True
        command = command_of(path)
        columns = _DISTRIBUTED if _is_distributed(command) else _COLUMNS
        fitting = sum(1 for line in lines if _NEVRA.match(line) or _DPKG.match(line) or columns.match(line))
        return _RPM_LIST.search(command) is not None and fitting >= 3

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``package`` for those that matter to a cluster."""
        named = _RPM_LIST.search(source.command) is not None
        columns = _DISTRIBUTED if _is_distributed(source.command) else _COLUMNS
        for number, line in numbered(data):
            match = _NEVRA.match(line) or _DPKG.match(line) or (columns.match(line) if named else None)
            if match and _KEPT.fullmatch(match["name"]):
                yield _package(source, (match["name"], match["version"]), number, line, "list")


class SystemParser:
    """Reads ``uname -a``, ``os-release`` and the host name."""

    name = "system"

    def matches(self, path: str, head: bytes) -> bool:
        """A few lines of a known shape; host names by the name of the file."""
        lines = head_lines(head, 30)
        if not lines:
            return False
        if len(lines) <= 3 and _UNAME.match(lines[0]):
            return True
        if sum(1 for line in lines if _RELEASE.match(line)) >= 3:
            return True
        return _is_hostname(path) and len(lines) <= 2 and _HOST.fullmatch(lines[0]) is not None

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``os`` and ``host.name``."""
        for number, line in numbered(data):
            if match := _UNAME.match(line):
                yield source.fact("host.name", {"hostname": match["host"]}, number, text=line)
                yield from _system(source, {"kernel": match["kernel"], "arch": match["arch"]}, number, line)
            elif (match := _RELEASE.match(line)) and match[1] == "PRETTY_NAME":
                yield from _system(source, {"distribution": match[2]}, number, line)
            elif _is_hostname(source.section or source.path) and _HOST.fullmatch(line.strip()):
                yield source.fact("host.name", {"hostname": line.strip()}, number, text=line)
                return


_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")


def _is_hostname(path: str) -> bool:
    return name_of(path) in {"hostname", "running", "stopped", "hostname -f", "uname -n"} or command_of(path) in {
        "hostname",
        "hostname -f",
        "uname -n",
    }


def _system(source: Source, rows: dict[str, Scalar], number: int, line: str) -> Iterator[Fact]:
    for name, value in rows.items():
        yield source.fact("os", {"name": name, "value": value}, number, text=line)
