"""Services and boots: systemctl lists and status, ``journalctl --list-boots``, ``last -F``.

::

    corosync.service                       enabled         enabled            list-unit-files
    corosync.service      loaded active running   Corosync Cluster Engine     list-units
    * pacemaker.service - Pacemaker High Availability Cluster Manager         status
         Loaded: loaded (/lib/systemd/system/pacemaker.service; enabled; preset: enabled)
         Active: active (running) since Sun 2026-11-22 10:39:57 UTC; 2min ago
     -1 5d3c… Sat 2026-11-21 09:00:00 UTC—Sun 2026-11-22 10:00:00 UTC         --list-boots (older)
      0 c70c… Sun 2026-11-22 10:39:57 UTC Sun 2026-11-22 10:42:00 UTC         --list-boots
    reboot   system boot  5.14.0-427.el9.x Sun Nov 22 10:39:57 2026   still running    last -F
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, integer, numbered
from hadiag.snapshots.stamps import read_moment

_UNIT = re.compile(
    r"^[\W]{0,4}(?P<unit>[\w@\\.:-]+\.(?:service|mount|socket|timer|target|path|swap|slice|scope|device|automount))\b"
)
_FILE = re.compile(
    r"^(?P<unit>\S+\.\w+)\s+(?P<enabled>enabled|enabled-runtime|disabled|static|masked|indirect|alias|generated|linked|transient|bad)(?:\s|$)"
)
_LOADED = re.compile(
    r"^[\W]{0,4}(?P<unit>\S+\.\w+)\s+(?P<load>loaded|not-found|masked|error|bad-setting)\s+(?P<active>active|inactive|failed|activating|deactivating|reloading)\s+(?P<sub>\S+)"
)
_ACTIVE = re.compile(r"^\s+Active: (?P<active>\w+) \((?P<sub>[^)]*)\)(?P<rest>.*)$")
_ENABLED = re.compile(r"^\s+Loaded: loaded \([^;]*; (?P<enabled>[a-z-]+)")
_BOOT = re.compile(r"^\s*(?P<index>-?\d{1,5}) (?P<id>[0-9a-f]{32}) (?P<times>.+)$")
_LAST = re.compile(
    r"^(?P<what>reboot|shutdown|runlevel)\s+(?:system (?:boot|down)|~|\(to lvl \d\))\s+(?P<kernel>\S+)\s+(?P<times>.+)$"
)
_KEPT = re.compile(
    r"(?:corosync|pacemaker|pcsd|sbd|booth|chrony|ntp|drbd|dlm|lvmlock|lvm2-|multipath|iscsi|kdump|watchdog|firewalld|nftables|csync2|hawk|crm_mon"
    r"|nginx|httpd|apache2|mariadb|mysql|postgresql|nfs-server|smb|haproxy|named|tomcat|mongod|rabbitmq|SAP|sap|ypserv|vsftpd|dovecot|postfix|redis)"
)
"""Units of the cluster stack, and services that clusters often run; a failed unit is always kept."""


class UnitFilesParser:
    """Reads ``systemctl list-unit-files``: what starts at boot."""

    name = "unit-files"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The headline, or units with their state."""
        lines = head_lines(head, 6)
        return bool(lines) and (
            lines[0].startswith("UNIT FILE") or (len(lines) > 2 and all(_FILE.match(line) for line in lines))
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``service`` with ``enabled``."""
        for number, line in numbered(data):
            if (match := _FILE.match(line)) and _KEPT.match(match["unit"]):
                values: dict[str, Scalar] = {"unit": _short(match["unit"]), "state": None, "enabled": match["enabled"]}
                yield source.fact("service", values, number, text=line)


class UnitsParser:
    """Reads ``systemctl list-units``, also with ``--failed``."""

    name = "units"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The headline or units with their state."""
        lines = head_lines(head, 6)
        return any(re.match(r"^\s*UNIT\s+LOAD\s+ACTIVE\s+SUB", line) for line in lines) or (
            len(lines) > 2 and sum(1 for line in lines if _LOADED.match(line)) > 2
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``service`` with ``state``."""
        for number, line in numbered(data):
            match = _LOADED.match(line)
            if match and (match["active"] == "failed" or _KEPT.match(match["unit"])):
                values: dict[str, Scalar] = {
                    "unit": _short(match["unit"]),
                    "state": match["active"],
                    "enabled": None,
                    "sub": match["sub"],
                }
                yield source.fact("service", values, number, text=line)


class UnitStatusParser:
    """Reads ``systemctl status`` of one or all units."""

    name = "unit-status"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """A unit with its load and active lines."""
        lines = head_lines(head, 60)
        return any(re.match(r"^\s+Loaded: ", line) for line in lines) and any(
            re.match(r"^\s+Active: ", line) for line in lines
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``service`` with ``state`` and ``enabled``."""
        unit: str | None = None
        enabled: str | None = None
        for number, line in numbered(data):
            if match := _UNIT.match(line):
                unit, enabled = match["unit"], None
            elif match := _ENABLED.match(line):
                enabled = match["enabled"]
            elif (match := _ACTIVE.match(line)) and unit and (match["active"] == "failed" or _KEPT.match(unit)):
                moment = read_moment(match["rest"])
                values: dict[str, Scalar] = {
                    "unit": _short(unit),
                    "state": match["active"],
                    "enabled": enabled,
                    "sub": match["sub"],
                    "since_ns": moment.utc_ns if moment else None,
                }
                yield source.fact("service", values, number, text=line)


def _short(unit: str) -> str:
    return unit.removesuffix(".service")


class BootsParser:
    """Reads ``journalctl --list-boots`` and ``last -F reboot shutdown``."""

    name = "boots"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Boots with their ids, or records of reboots."""
        lines = head_lines(head, 6)
        if any(line.split() == ["IDX", "BOOT", "ID", "FIRST", "ENTRY", "LAST", "ENTRY"] for line in lines):
            return True
        return any(_BOOT.match(line) or (_LAST.match(line) and read_moment(line)) for line in lines)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``boot``; times in UTC where a zone is printed, as wall time where none is."""
        for number, line in numbered(data):
            if match := _BOOT.match(line):
                yield from _boot(source, match, number, integer(match["index"]))
            elif (match := _LAST.match(line)) and match["what"] != "runlevel":
                yield from _boot(source, match, number)


def _boot(source: Source, match: re.Match[str], number: int, index: int | None = None) -> Iterator[Fact]:
    times = match["times"]
    start = read_moment(times)
    if start is None:
        return
    end = read_moment(times[times.find(start.text) + len(start.text) :])
    values: dict[str, Scalar] = {
        "index": index,
        "start_ns": start.utc_ns,
        "end_ns": end.utc_ns if end else None,
        "start": start.text,
        "end": end.text if end else None,
        "what": match.groupdict().get("what", "boot"),
        "crashed": " crash " in f" {times} ",
    }
    yield source.fact("boot", values, number, start.utc_ns, match.string)
