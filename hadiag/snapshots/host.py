r"""State of a host: addresses, mounts, free space, bonds, kernel modules, watchdogs, settings of daemons.

::

    2: eth0    inet 10.23.0.13/24 scope global eth0\\       valid_lft forever preferred_lft forever      ip -o addr
        inet 10.23.0.13/24 brd 10.23.0.255 scope global eth0                                             ip addr
    /dev/sda1 on /boot type ext4 (rw,relatime)                                                           mount
    /dev/sda1 /boot ext4 rw,relatime 0 0                                                                 /proc/mounts
    /dev/sda1          1038336    309276    729060  30% /boot                                            df
    Bonding Mode: fault-tolerance (active-backup)                                                        /proc/net/bonding/*
    softdog                16384  2                                                                      lsmod
    Identity:      Software Watchdog [version 0]                                                         wdctl
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, integer, name_of, numbered

_LINK = re.compile(r"^\d{1,6}: (?P<iface>[^:@\s]+)(?:@\S+)?: <(?P<flags>[A-Z_,-]*)>(?: mtu (?P<mtu>\d+))?")
_INET = re.compile(
    r"^\s+inet6? (?P<address>[0-9A-Fa-f.:]+)(?:/(?P<prefix>\d{1,3}))?.*? scope (?P<scope>\S+)(?: (?P<rest>.*))?$"
)
_ONE_LINE = re.compile(
    r"^\d{1,6}: (?P<iface>\S+)\s+inet6? (?P<address>[0-9A-Fa-f.:]+)(?:/(?P<prefix>\d{1,3}))?.*? scope (?P<scope>\S+)"
)
_MOUNT = re.compile(r"^(?P<device>\S+) on (?P<mountpoint>.+?) type (?P<fstype>\S+) \((?P<options>[^()]*)\)")
_MOUNTS = re.compile(r"^(?P<device>\S+) (?P<mountpoint>/\S*) (?P<fstype>[a-z0-9._]+) (?P<options>r[wo]\S*) \d \d$")
_DF_HEAD = re.compile(r"^Filesystem\s+.*(?:Use%|IUse%|Capacity).*Mounted on")
_DF = re.compile(r"^(?P<device>\S+)\s+.*?\s(?P<percent>\d{1,3})%\s+(?P<mountpoint>/.*)$")
_MODULE = re.compile(r"^(?P<name>\w+)\s+(?P<size>\d+)\s+(?P<used>-?\d+)(?:\s|$)")
_PSEUDO = frozenset(
    [
        "proc",
        "sysfs",
        "cgroup",
        "cgroup2",
        "devpts",
        "securityfs",
        "debugfs",
        "tracefs",
        "configfs",
        "mqueue",
        "hugetlbfs",
        "pstore",
        "bpf",
        "fusectl",
        "binfmt_misc",
        "autofs",
        "rpc_pipefs",
        "selinuxfs",
        "efivarfs",
        "devtmpfs",
    ]
)


class AddressParser:
    """Reads ``ip addr`` and ``ip -o addr``."""

    name = "ip.address"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Lines of interfaces with addresses."""
        lines = head_lines(head, 20)
        return any(_ONE_LINE.match(line) for line in lines[:3]) or (
            any(_LINK.match(line) for line in lines[:2]) and any(_INET.match(line) for line in lines)
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``ip.address`` for each address of an interface other than loopback."""
        link: tuple[str, int | None] = ("", None)
        for number, line in numbered(data):
            if match := _ONE_LINE.match(line):
                yield from _address(source, match, (match["iface"], None), number)
            elif match := _LINK.match(line):
                link = (match["iface"], integer(match["mtu"]))
            elif match := _INET.match(line):
                yield from _address(source, match, link, number)


def _address(source: Source, match: re.Match[str], link: tuple[str, int | None], number: int) -> Iterator[Fact]:
    iface, mtu = link
    if iface == "lo" or match["scope"] in {"host", "link"}:
        return
    values: dict[str, Scalar] = {
        "iface": iface,
        "address": match["address"],
        "prefix": integer(match["prefix"]),
        "mtu": mtu,
        "secondary": " secondary " in match.string,
    }
    yield source.fact("ip.address", values, number, text=match.string)


class MountParser:
    """Reads ``mount`` and ``/proc/mounts``."""

    name = "mounts"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """All of the first lines are mounts."""
        lines = head_lines(head, 8)
        return len(lines) >= 2 and all(_MOUNT.match(line) or _MOUNTS.match(line) for line in lines[:-1])

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``mount`` for each file system that is no pseudo file system."""
        for number, line in numbered(data):
            match = _MOUNT.match(line) or _MOUNTS.match(line)
            if match and match["fstype"] not in _PSEUDO:
                options = tuple(sorted(match["options"].split(",")))
                values: dict[str, Scalar] = {
                    "device": match["device"],
                    "mountpoint": match["mountpoint"],
                    "fstype": match["fstype"],
                    "options": options,
                    "read_only": "ro" in options,
                }
                yield source.fact("mount", values, number, text=line)


class DiskUsageParser:
    """Reads ``df``."""

    name = "disk.usage"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The headline."""
        return any(_DF_HEAD.match(line) for line in head_lines(head, 4))

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``disk.usage``; ``kind`` is inodes for ``df -i``."""
        kind = "space"
        for number, line in numbered(data):
            if _DF_HEAD.match(line):
                kind = "inodes" if "IUse%" in line else "space"
            elif match := _DF.match(line):
                values: dict[str, Scalar] = {
                    "mountpoint": match["mountpoint"],
                    "percent": int(match["percent"]),
                    "device": match["device"],
                    "kind": kind,
                }
                yield source.fact("disk.usage", values, number, text=line)


class BondParser:
    """Reads ``/proc/net/bonding/*``."""

    name = "bond"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The driver's own first line."""
        return head.startswith(b"Ethernet Channel Bonding Driver")

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``bond.slave`` for each interface below the bond."""
        bond, mode, slave = name_of(source.path), None, None
        state: str | None = None
        for number, line in numbered(data):
            key, _, value = line.strip().partition(": ")
            if key == "Bonding Mode":
                mode = value
            elif key == "Slave Interface":
                slave, state = value, None
            elif key == "MII Status" and slave:
                state = value
            elif key == "Link Failure Count" and slave:
                row: dict[str, Scalar] = {
                    "bond": bond,
                    "mode": mode,
                    "iface": slave,
                    "state": state,
                    "failures": integer(value),
                }
                yield source.fact("bond.slave", row, number, text=line)


class ModuleParser:
    """Reads ``lsmod``: watchdog drivers and what clusters use."""

    name = "modules"
    _KEPT = re.compile(
        r"softdog|\w*wdt\w*|wdat_wdt|hpwdt|drbd\w*|dlm|gfs2|ocfs2\w*|dm_multipath|bonding|ipmi_\w+|\w+_wd"
    )

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The headline."""
        return head.lstrip().startswith(b"Module") and re.match(rb"\s*Module\s+Size\s+Used by", head) is not None

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``module``."""
        for number, line in numbered(data):
            if (match := _MODULE.match(line)) and self._KEPT.fullmatch(match["name"]):
                yield source.fact("module", {"name": match["name"], "used": integer(match["used"])}, number, text=line)


class WatchdogParser:
    """Reads ``wdctl``, ``sbd query-watchdog``, ``pcs stonith sbd watchdog list`` and ``/sys/class/watchdog``."""

    name = "watchdog"
    _DEVICE = re.compile(r"^(?:Device:|\[\d+\])?\s*(/dev/watchdog\d*)$")
    _SYSFS = re.compile(r"^/sys/class/watchdog/(watchdog\d+)/identity: (.*)$")
    _NONE = re.compile(r"No (?:available watchdog|watchdog devices discovered)|wdctl: .*No such file or directory")

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """A watchdog device with its identity, or the sentence that there is none."""
        lines = head_lines(head, 12)
        text = "\n".join(lines)
        if any(self._SYSFS.match(line) for line in lines):
            return True
        return ("/dev/watchdog" in text and "Identity:" in text) or (
            text.startswith("Available watchdog") or self._NONE.match(text) is not None
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``watchdog`` for each device, and ``watchdog.list`` with their number."""
        device, count = "", 0
        for number, line in numbered(data):
            identity = ""
            if match := self._SYSFS.match(line):
                device, identity = f"/dev/{match[1]}", match[2]
            elif match := self._DEVICE.match(line):
                device = match[1]
            elif device and line.startswith("Identity:"):
                identity = line.partition(":")[2].strip()
            if identity:
                count += 1
                soft = identity.lower().startswith(("software watchdog", "softdog"))
                values: dict[str, Scalar] = {"device": device, "identity": identity, "software": soft}
                yield source.fact("watchdog", values, number, text=line)
        yield source.fact("watchdog.list", {"count": count}, 1)


class LogrotateParser:
    """Takes note of the files in ``/etc/logrotate.d``: which logs are rotated."""

    name = "logrotate"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its place."""
        return re.search(r"(?:^|/)etc/logrotate\.d/[\w.-]+$", path) is not None and b"\0" not in head[:200]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield one ``logrotate.file`` with the paths that it names."""
        paths = sorted({word for _, line in numbered(data) for word in re.findall(r"(?:^|\s)\"?(/[\w./*-]+)", line)})
        yield source.fact("logrotate.file", {"file": name_of(source.path), "paths": tuple(paths[:50])}, 1)


class SettingsParser:
    """Reads settings of daemons that matter to a cluster, and ``/etc/hosts``.

    ::

        HandlePowerKey=ignore          etc/systemd/logind.conf
        Storage=auto                   etc/systemd/journald.conf
        PCMK_debug=yes                 etc/sysconfig/pacemaker
        192.0.2.1 node1                etc/hosts
    """

    name = "settings"
    _FILES = frozenset(
        ("logind.conf", "journald.conf", "system.conf", "pacemaker", "pcmk-init.env", "corosync", "hosts")
    )
    _SETTING = re.compile(r"^\s*(?:export )?([A-Za-z_]\w*)\s*=\s*\"?([^\"]*)\"?\s*$")
    _HOST = re.compile(r"^\s*([0-9A-Fa-f.:]{2,45})\s+([A-Za-z0-9][^#]*)")

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its place below ``etc``."""
        place = command_of(path) if "#" in path else path
        parts = place.split("/")
        below = any(part in {"etc", "sysconfig", "default", "systemd"} for part in parts[:-1])
        return below and parts[-1].lower() in self._FILES and b"\0" not in head[:200]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``setting``, and ``host.entry`` for each name of ``hosts``."""
        place = source.command if "#" in source.path else source.path
        file = place.rsplit("/", 1)[-1].lower()
        yield source.fact("setting.file", {"file": file}, 1)
        for number, line in numbered(data):
            if file == "hosts":
                yield from self._entry(source, number, line)
            elif match := self._SETTING.match(line):
                values: dict[str, Scalar] = {"file": file, "name": match[1], "value": match[2].strip().strip("'")}
                yield source.fact("setting", values, number, text=line)

    def _entry(self, source: Source, number: int, line: str) -> Iterator[Fact]:
        if match := self._HOST.match(line):
            for name in match[2].split()[:20]:
                yield source.fact("host.entry", {"address": match[1], "name": name}, number, text=line)
