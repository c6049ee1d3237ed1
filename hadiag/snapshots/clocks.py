"""The clock of a host: ``date``, ``timedatectl``, chrony and ntp.

::

    Sun Nov 22 11:15:25 CET 2026                                              date
    Time: Sun Nov 22 11:15:25 2026                                            time.txt of a crmsh report

                   Local time: Sun 2026-11-22 11:42:11 CET                    timedatectl
               Universal time: Sun 2026-11-22 10:42:11 UTC
                    Time zone: Europe/Berlin (CET, +0100)
    System clock synchronized: yes

    Reference ID    : C0000201 (ntp.example.com)                              chronyc tracking
    Stratum         : 3
    System time     : 0.000012345 seconds slow of NTP time
    Leap status     : Normal

    MS Name/IP address         Stratum Poll Reach LastRx Last sample          chronyc sources
    ^* 192.0.2.1                     2   6   377    33    -12us[ -20us] +/-   10ms

         remote           refid      st t when poll reach   delay   offset  jitter     ntpq -pn
    *192.0.2.1       198.51.100.7     2 u   33   64  377    0.422   -0.012   0.008
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, name_of, numbered
from hadiag.snapshots.stamps import Moment, clock_fact, read_moment, with_zone_of_file

_PAIR = re.compile(r"^\s*([A-Z][A-Za-z ]+?)\s*: (.*)$")
_ZONE = re.compile(
    r"^(?P<zone>[A-Za-z_+-]+(?:/[A-Za-z0-9_+/-]+)?) \((?P<short>[^,)]+), (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)\)"
)
_CHRONY_SOURCE = re.compile(
    r"^(?P<mode>[\^=#])(?P<state>[*+\-?x~ ])\s*(?P<name>\S+)\s+(?P<stratum>\d+)\s+-?\d+\s+(?P<reach>[0-7]+)\s"
)
_CHRONY_HEAD = re.compile(r"^\s*(?:MS|\.-- Source mode).*(?:Stratum Poll Reach)?")
_NTP_PEER = re.compile(
    r"^(?P<tally>[*+\-#xo. ])(?P<name>\S+)\s+(?P<ref>\S+)\s+(?P<stratum>\d{1,2})\s+[a-zA-Z]\s+\S+\s+\S+\s+(?P<reach>[0-7]+)"
    r"\s+(?P<delay>-?[\d.]+)\s+(?P<offset>[+-]?[\d.]+)\s"
)
_SECONDS = re.compile(r"([\d.]{1,24}) seconds (slow|fast)")


class DateParser:
    """Reads ``date``, ``date --utc`` and the ``time.txt`` of a crmsh report."""

    name = "date"

    def matches(self, path: str, head: bytes) -> bool:
        """A file of a few lines that is named like the command, with a time on its first line."""
        lines = head_lines(head, 6)
        if not lines or len(lines) > 5:
            return False
        if name_of(path) == "time.txt":
            return lines[0].startswith("Time: ")
        named = re.match(r"date\b|hwclock\b", command_of(path)) is not None
        return named and read_moment(lines[0]) is not None

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``host.time`` and, where an offset is printed, ``host.zone``."""
        for number, line in numbered(data):
            moment = read_moment(line)
            if moment is None:
                continue
            if source.command.startswith("hwclock"):
                return
            if re.search(r"-u\b|--utc", source.command):
                yield source.fact("host.utc", {"utc_ns": moment.wall_ns}, number, moment.wall_ns, line)
                return
            if moment.offset_s is not None:
                yield source.fact("host.zone", {"zone": None, "utc_offset_s": moment.offset_s}, number, text=line)
            yield clock_fact(source, with_zone_of_file(source, moment), number)
            return


class TimedatectlParser:
    """Reads ``timedatectl``."""

    name = "timedatectl"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Known by its first two lines."""
        return b"Local time: " in head[:400] and b"Universal time: " in head[:800]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``host.time``, ``host.zone`` and ``host.clock``."""
        rows: dict[str, tuple[int, str]] = {}
        for number, line in numbered(data):
            if match := _PAIR.match(line):
                rows.setdefault(match[1].lower(), (number, match[2].strip()))
        yield from _wall_and_utc(source, rows)
        for key in ("system clock synchronized", "ntp synchronized"):
            if key in rows:
                number, value = rows[key]
                service = rows.get("ntp service", rows.get("network time on", (0, None)))[1]
                values: dict[str, Scalar] = {
                    "source": "timedatectl",
                    "synchronised": value == "yes",
                    "service": service,
                }
                yield source.fact(
                    "host.clock", {**values, "offset_s": None, "stratum": None}, number, text=f"{key}: {value}"
                )


def _wall_and_utc(source: Source, rows: dict[str, tuple[int, str]]) -> Iterator[Fact]:
    local = read_moment(rows.get("local time", (0, ""))[1])
    utc = read_moment(rows.get("universal time", (0, ""))[1])
    if local and utc:
        apart = (local.wall_ns - utc.wall_ns) // 1_000_000_000
        yield clock_fact(source, Moment(local.wall_ns, apart, local.text), rows["local time"][0])
    number, text = rows.get("time zone", rows.get("timezone", (0, "")))
    if match := _ZONE.match(text):
        seconds = int(match["hours"]) * 3600 + int(match["minutes"]) * 60
        offset = -seconds if match["sign"] == "-" else seconds
        yield source.fact("host.zone", {"zone": match["zone"], "utc_offset_s": offset}, number, text=text)


class ChronyTrackingParser:
    """Reads ``chronyc tracking``."""

    name = "chrony.tracking"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Known by its first two lines."""
        return head.lstrip().startswith(b"Reference ID") and b"Stratum" in head[:300]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield one ``host.clock``."""
        rows = {match[1]: match[2].strip() for _, line in numbered(data) if (match := _PAIR.match(line))}
        stratum = int(rows["Stratum"][:2]) if rows.get("Stratum", "")[:2].isdigit() else None
        apart = _SECONDS.match(rows.get("System time", ""))
        values: dict[str, Scalar] = {
            "source": "chrony",
            "synchronised": rows.get("Leap status") != "Not synchronised" and bool(stratum),
            "offset_s": _seconds(apart) if apart else None,
            "stratum": stratum,
            "server": rows.get("Reference ID"),
        }
        yield source.fact("host.clock", values, 1, text=f"System time: {rows.get('System time')}")


def _seconds(match: re.Match[str]) -> float | None:
    try:
        size = float(match[1])
    except ValueError:
        return None
    return -size if match[2] == "slow" else size


class TimeSourcesParser:
    """Reads ``chronyc sources`` and ``ntpq -pn``: whether any server is in use."""

    name = "time.sources"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """The headline of either list."""
        for line in head_lines(head, 14):
            words = line.split()
            if words[:3] == ["MS", "Name/IP", "address"] or words[:3] == ["remote", "refid", "st"]:
                return True
            if line.startswith("506 Cannot talk to daemon"):
                return True
        return False

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``time.server`` for each server and one ``host.clock``."""
        chosen: tuple[int, str, int | None, float | None] | None = None
        kind = "chrony" if b"MS Name/IP" in data[:4096] or b"506 Cannot" in data[:400] else "ntp"
        servers = 0
        for number, line in numbered(data):
            match = _CHRONY_SOURCE.match(line) or _NTP_PEER.match(line)
            if match is None:
                continue
            servers += 1
            selected = match.groupdict().get("state") == "*" or match.groupdict().get("tally") in {"*", "o"}
            offset = (
                float(match["offset"]) / 1000
                if kind == "ntp" and re.fullmatch(r"[+-]?\d{1,12}(?:\.\d+)?", match["offset"])
                else None
            )
            values: dict[str, Scalar] = {
                "name": match["name"],
                "stratum": int(match["stratum"][:2]),
                "reach": match["reach"],
                "selected": selected,
            }
            yield source.fact("time.server", values, number, text=line)
            if selected and chosen is None:
                chosen = (number, line, int(match["stratum"][:2]), offset)
        number, line, stratum, offset = chosen or (1, "", None, None)
        row: dict[str, Scalar] = {
            "source": kind,
            "synchronised": chosen is not None,
            "offset_s": offset,
            "stratum": stratum,
            "servers": servers,
        }
        yield source.fact("host.clock", row, number, text=line)
