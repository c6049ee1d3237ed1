"""The recorded incidents as material: for each log of each node its lines, with their time from the start of the recording.

Nodes are renamed to ``b1``, ``b2`` … and their addresses to ``10.99.<ring>.<n>``, so that all recordings are one cluster.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import yaml

SAMPLES: Final = Path(__file__).resolve().parents[2] / "samples"
FILES: Final = {
    "pacemaker/pacemaker.log": "pacemaker.log",
    "corosync/corosync.log": "corosync.log",
    "cluster/corosync.log": "corosync.log",
    "syslog": "syslog",
    "messages": "syslog",
}
"""Logs that are used, by their path below ``/var/log``, and their names in the generated bundle."""

_STAMP: Final = re.compile(r"Nov (?P<day>\d\d) (?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:\.(?P<ms>\d{3}))?(?= )")
_VARIES: Final = re.compile(
    r"(?<=\[)[2-9]\d{1,6}(?=\])|(?<=\[)1\d{1,6}(?=\])|(?<=call=)\d+|(?<=[Tt]ransition )\d+|\b(?=[0-9a-f]*\d)[0-9a-f]{8,32}\b"
)
"""What differs from one run of a cluster to the next: pids, numbers of calls and transitions, ids and digests."""
_ADDRESS: Final = re.compile(r"ring(?P<ring>\d)_addr:\s*(?P<addr>\S+)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its stamp: ms since the start of the recording; ``fraction`` if it prints milliseconds.

    ``parts`` is its text, cut at what differs from run to run: every second part is such a number or id.
    """

    at_ms: int
    fraction: bool
    parts: tuple[str, ...]

    def text(self, salt: int) -> str:
        """The text as another run would print it."""
        if len(self.parts) == 1:
            return self.parts[0]
        varied = list(self.parts)
        varied[1::2] = [_vary(part, salt) for part in self.parts[1::2]]
        return "".join(varied)


def cut(text: str) -> tuple[str, ...]:
    """Cut a text at what differs from run to run."""
    parts: list[str] = []
    place = 0
    for match in _VARIES.finditer(text):
        parts += (text[place : match.start()], match[0])
        place = match.end()
    return (*parts, text[place:])


def _vary(part: str, salt: int) -> str:
    if part.isdigit() and len(part) < 8:
        return str(int(part) + salt % 9973)
    return f"{int(part, 16) ^ (salt * 0x9E3779B97F4A7C15F39CC0605CEDC835 >> 128 - 4 * len(part)) & 16 ** len(part) - 1:0{len(part)}x}"


Logs = dict[tuple[int, str], list[Line]]
"""Lines by the number of the node (from 1) and the name of the log."""


@dataclass(frozen=True, slots=True)
class Recording:
    """All logs of one recorded incident, in time from its first line."""

    name: str
    nodes: int
    logs: Logs
    length_ms: int


@cache
def recordings() -> list[Recording]:
    """All samples with logs of two or three nodes."""
    found = [_read(path) for path in sorted(SAMPLES.iterdir()) if (path / "raw").is_dir()]
    return [each for each in found if each.logs]


def _read(sample: Path) -> Recording:
    names = yaml.safe_load((sample / "expected.yaml").read_text(encoding="utf-8"))["cluster"]["nodes"]
    raw: dict[tuple[int, str], list[tuple[int, bool, str]]] = {}
    renamed: dict[str, str] = {name: f"b{number}" for number, name in enumerate(names, 1)}
    texts = [(member, text) for path in sorted((sample / "raw").glob("*.tar.gz")) for member, text in _members(path)]
    for member, text in texts:
        if member.endswith("corosync.conf"):
            renamed |= _addresses(text, names)
    words = re.compile(
        r"(?<![\w.])(?:" + "|".join(map(re.escape, sorted(renamed, key=len, reverse=True))) + r")(?![\w])"
    )
    for number, name in enumerate(names, 1):
        for member, text in texts:
            log = FILES.get(member.partition("var/log/")[2])
            if log and _node_of(text) == name:
                own = words.sub(lambda found: renamed[found[0]], text)
                raw.setdefault((number, log), []).extend(_lines(own))
    start = min((rows[0][0] for rows in raw.values() if rows), default=0)
    logs = {key: [Line(max(at - start, 0), ms, cut(text)) for at, ms, text in rows] for key, rows in raw.items()}
    length = max((line.at_ms for rows in logs.values() for line in rows), default=0)
    return Recording(sample.name, len(names), logs, length)


def _members(archive: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            wanted = member.name.endswith("corosync.conf") or member.name.partition("var/log/")[2] in FILES
            stream = tar.extractfile(member) if member.isfile() and wanted else None
            if stream is not None:
                yield member.name, io.TextIOWrapper(stream, "utf-8", "replace", newline="\n").read()


def _addresses(conf: str, names: list[str]) -> dict[str, str]:
    """Addresses of the nodes of a ``corosync.conf``, whose node entries stand in the order of the names."""
    found: dict[str, str] = {}
    for number, entry in enumerate(conf.partition("nodelist")[2].split("node {")[1 : len(names) + 1], 1):
        for match in _ADDRESS.finditer(entry):
            found[match["addr"]] = f"10.99.{match['ring']}.{number}"
    return found


def _node_of(text: str) -> str | None:
    """Host column of the first line: ``stamp host …``, or ``stamp [pid] host …`` of corosync."""
    for line in text.splitlines():
        match = _STAMP.match(line)
        if match:
            words = line[match.end() :].split()
            return words[1] if words[0].startswith("[") else words[0]
    return None


def _lines(text: str) -> Iterator[tuple[int, bool, str]]:
    """Time in ms since the epoch (of a made-up year), whether ms are printed, and the text behind the stamp."""
    last: tuple[int, bool, str] | None = None
    for line in text.split("\n"):
        match = _STAMP.match(line)
        if match:
            if last:
                yield last
            parts = (int(match[name] or 0) for name in ("day", "h", "m", "s", "ms"))
            day, hour, minute, second, ms = parts
            moment = datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)
            last = (int(moment.timestamp()) * 1000 + ms, match["ms"] is not None, line[match.end() :])
        elif line and last:
            last = (last[0], last[1], f"{last[2]}\n{line}")  # a line that goes on keeps to the one before it
    if last:
        yield last
