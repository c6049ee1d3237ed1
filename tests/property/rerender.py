"""Recorded logs as they would have been printed at another time, in other zones: the truth about every line is known."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.corpus.repack import Nodes
from tests.unit.sources.building import Row, member, symlink

_BSD = re.compile(rb"^(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?=[ ])")
_ISO = re.compile(
    rb"(?P<stamp>20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>[+-]\d\d:?\d\d|Z)?(?![\d:])"
)
_EPOCH = re.compile(rb"(?<![\d.])(1[0-9]{9})(?![\d.])")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True)
class Was:
    """When and where the logs were printed: their year, and the zone of all nodes."""

    year: int
    zone: str


def _shown(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def rendered(data: bytes, was: Was, by: timedelta, zone: str, *, spaced: bool) -> bytes:
    """A log printed later by some time and in another zone; ``spaced`` days are padded by a blank, as syslog does."""
    return b"".join(_line(line, was, by, zone, spaced=spaced) for line in data.splitlines(keepends=True))


def changed(data: bytes, was: Was, at_ns: int, change: Callable[[datetime], datetime], *, spaced: bool) -> bytes:
    """A log whose stamps are printed otherwise from a moment on: ``change`` takes the true moment and gives what was shown."""
    out, behind = [], False
    for line in data.splitlines(keepends=True):
        match = _BSD.match(line)
        if match:
            moment = _moment(match, was)
            behind = moment.timestamp() * 1e9 >= at_ns
            if behind:
                shown = change(moment)
                day = f"{shown.day:>2}" if spaced else f"{shown.day:02}"
                fraction = f".{shown.microsecond // 1000:03}" if match["fraction"] else ""
                line = f"{_MONTHS[shown.month - 1]} {day} {shown:%H:%M:%S}{fraction}".encode() + line[match.end() :]  # noqa: PLW2901
        out.append(line)
    return b"".join(out)


def _moment(match: re.Match[bytes], was: Was) -> datetime:
    text = f"{was.year} {match['month'].decode()} {match['day'].decode().strip()} {match['clock'].decode()}"
    wall = datetime.strptime(text, "%Y %b %d %H:%M:%S").replace(tzinfo=ZoneInfo(was.zone))
    return wall.astimezone(UTC) + timedelta(seconds=float(match["fraction"] or 0))


def _line(line: bytes, was: Was, by: timedelta, zone: str, *, spaced: bool) -> bytes:
    match = _BSD.match(line)
    head = b""
    if match:
        text = f"{was.year} {match['month'].decode()} {match['day'].decode().strip()} {match['clock'].decode()}"
        wall = datetime.strptime(text, "%Y %b %d %H:%M:%S").replace(tzinfo=ZoneInfo(was.zone))
        new = _shown(wall.astimezone(UTC) + by, zone)
        day = f"{new.day:>2}" if spaced else f"{new.day:02}"
        head = f"{_MONTHS[new.month - 1]} {day} {new:%H:%M:%S}".encode() + (match["fraction"] or b"")
        line = line[match.end() :]
    return head + _EPOCH.sub(lambda m: _epoch(m, by), _ISO.sub(lambda m: _iso(m, was, by, zone), line))


def _epoch(match: re.Match[bytes], by: timedelta) -> bytes:
    return str(int(match[1]) + int(by.total_seconds())).encode()


def _iso(match: re.Match[bytes], was: Was, by: timedelta, zone: str) -> bytes:
    """Dates with a year: the line's own stamp (pcsd, crmsh, ISO syslog) or a time that a message tells."""
    wall = datetime.fromisoformat(match["stamp"].decode())
    printed = match["zone"].decode() if match["zone"] else None
    if printed:
        moment = datetime.fromisoformat(match["stamp"].decode() + printed.replace("Z", "+00:00"))
    else:
        moment = wall.replace(tzinfo=ZoneInfo(was.zone))
    new = _shown(moment.astimezone(UTC) + by, zone)
    separator = match["stamp"][10:11].decode()
    text = f"{new:%Y-%m-%d}{separator}{new:%H:%M:%S}".encode() + (match["fraction"] or b"")
    if printed and printed != "Z":
        offset = f"{new:%z}"
        text += (f"{offset[:3]}:{offset[3:]}" if ":" in printed else offset).encode()
    elif printed:
        text += b"Z"
    return text


def moved(nodes: Nodes, was: Was, by: timedelta, zones: Mapping[str, str]) -> Nodes:
    """The logs of all nodes at another time, each node in its zone."""
    return {
        node: {
            name: rendered(data, was, by, zones[node], spaced=name.endswith(("syslog", "messages", "auth.log")))
            if name.startswith("var/log/")
            else data
            for name, data in files.items()
        }
        for node, files in nodes.items()
    }


def packed(folder: Path, nodes: Nodes, end: datetime, zones: Mapping[str, str] | None = None) -> list[str]:
    """One archive for each node, written at a time; with ``zones`` it also holds the link that names the node's zone."""
    paths = []
    for node, files in nodes.items():
        rows: list[Row] = []
        if zones:
            rows.append(symlink("etc/localtime", f"/usr/share/zoneinfo/{zones[node]}"))
            rows.append(("sos_commands/systemd/timedatectl", _timedatectl(end, zones[node])))
        rows += [("etc/hostname", f"{node}\n".encode()), *sorted(files.items())]
        path = folder / f"{node}.tar"
        path.write_bytes(_tar(rows, end))
        paths.append(str(path))
    return paths


def _tar(rows: list[Row], end: datetime) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for row in rows:
            info = row if isinstance(row, tarfile.TarInfo) else member(row[0], size=len(row[1]))
            info.mtime = int(end.timestamp())
            archive.addfile(info, None if isinstance(row, tarfile.TarInfo) else io.BytesIO(row[1]))
    return out.getvalue()


def _timedatectl(end: datetime, zone: str) -> bytes:
    local = _shown(end, zone)
    return (
        f"               Local time: {local:%a %Y-%m-%d %H:%M:%S} {local:%Z}\n"
        f"           Universal time: {end:%a %Y-%m-%d %H:%M:%S} UTC\n"
        f"                 RTC time: {end:%a %Y-%m-%d %H:%M:%S}\n"
        f"                Time zone: {zone} ({local:%Z}, {local:%z})\n"
        "System clock synchronized: yes\n              NTP service: active\n          RTC in local TZ: no\n"
    ).encode()
