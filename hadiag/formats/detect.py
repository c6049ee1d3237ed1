"""Whether a file is a log, and written in what.

The content decides: enough of its first lines must be heads of a known format with a time. XML, scripts, snapshots of
keys and values and the output of status commands have none or few. The path only breaks ties: between syslog and
journalctl, which print the same, and between corosync and pacemaker where both write one file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hadiag.errors import WARNINGS
from hadiag.formats import kernel
from hadiag.formats.base import Decoder, LogKind
from hadiag.formats.message import family_of
from hadiag.formats.parser import LineParser, clean, is_note
from hadiag.formats.respelled import ONE_BLANK, respell
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef, Warn

SAMPLE_LINES: Final = 200
SAMPLE_BYTES: Final = 256 << 10

_REF: Final = SourceRef(BundleId(""), "", 0, 0, 0)
_MARKUP = re.compile(rb"\s*<[A-Za-z?!/]")
_JSON = re.compile(rb"[\x1e\s\[]*(?:data:\s*)?\{")
_EXPORT = re.compile(rb"\s*[A-Z_][A-Z0-9_]{0,63}(?:=|\n)")
_VERBOSE = re.compile(rb"^[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} \S+ \[s=[^\]\n]+\]\s*$", re.MULTILINE)
_OFFSET_OF_JOURNAL = re.compile(r"[+-]\d{4}\Z")
_LOG_NAME = re.compile(
    r"^(?:(?:pacemaker|corosync|pcsd)\.log|ha-log|messages|syslog)\b[\w.-]*$|journal[\w.-]*\.(?:log|txt)$|^journalctl\S*_-o_cat",
    re.IGNORECASE,
)
_PACKAGES_LOG = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:startup (?:archives|packages) |(?:install|upgrade|configure|remove|purge|trigproc|disappear) \S+ "
    r"|status [a-z-]+ \S+ |conffile \S+ )|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:Installed|Updated|Erased): \S+$"
)
"""Lines of dpkg.log and yum.log: a time, and what looks like a host is what was done to a package."""
_CONFIGURATION = (".conf", ".service", ".socket", ".info", ".xml", ".yaml")

_GROUPS: Final = (
    ("pcmk.file", "pacemaker"),
    ("corosync.", "corosync"),
    ("pcmk.plugin", "corosync"),
    ("pcsd.", "pcsd"),
    ("crmsh.", "crmsh"),
    ("heartbeat.", "heartbeat"),
    ("dmesg.", "kernel"),
    ("qdevice.", "qdevice"),
    ("dlm.", "dlm"),
    ("audit", "audit"),
    ("qb.", "blackbox"),
    ("ocf.", "agent"),
    ("fence.", "agent"),
    ("syslog.", "system"),
    ("journal.", "journal"),
)


@dataclass(slots=True)
class _Census:
    """What the first lines of a file are."""

    formats: Counter[str] = field(default_factory=Counter)
    idents: Counter[str] = field(default_factory=Counter)
    heads: int = 0
    plain: int = 0
    first_is_head: bool | None = None
    journal: bool = False
    uptime_lines: list[str] = field(default_factory=list)

    @property
    def is_log(self) -> bool:
        """A third of the lines are heads; or the file begins with one and holds long dumps between them."""
        lines = self.heads + self.plain
        if not self.heads:
            return False
        return self.heads >= 0.3 * lines or (bool(self.first_is_head) and self.heads >= 3 and self.heads * 20 >= lines)


def detect(path: str, head: bytes) -> LogKind | None:
    """Decide from the first bytes of a file (64 KiB are plenty) whether it is a log, and of what kind."""
    head = head[:SAMPLE_BYTES]
    structured = _structured(head)
    if structured:
        return LogKind("journal", (f"journal.{structured.value.removeprefix('journal_')}",), structured)
    if _MARKUP.match(head) or head.startswith(b"#!") or _is_binary(head) or _JSON.match(head):
        return None
    name = path.rsplit("!", 1)[-1].rsplit("/", 1)[-1].lower()
    census, decoder = _spelled_census(head)
    if not census.is_log:
        return None
    census.journal |= "journal" in name or any(form.startswith("journal.") for form in census.formats)
    return _kind(census, path.lower(), name, decoder)


def refusal(path: str, head: bytes) -> Warn | None:
    """Why a file that is named like a log of the cluster is not read as one; None for all other names."""
    name = path.rsplit("/", 1)[-1]
    if (
        not head.strip()
        or not _LOG_NAME.search(name)
        or name.endswith(_CONFIGURATION)
        or _is_binary(head)
        or detect(path, head)
    ):
        return None
    if all(is_note(line) for line in _sample(head)):
        return None  # "-- No entries --"
    if "journal" in name.lower():
        message = f"{name} holds messages without times (journalctl -o cat?); it cannot be placed on the timeline."
        return Warn("log-undated", message, path)
    return Warn("log-unknown-format", f"{name} is {WARNINGS['log-unknown-format']}.", path)


def _structured(head: bytes) -> Decoder | None:
    if b"__REALTIME_TIMESTAMP" in head or b"__CURSOR" in head:
        if _JSON.match(head):
            return Decoder.JOURNAL_JSON
        if _EXPORT.match(head):
            return Decoder.JOURNAL_EXPORT
    return Decoder.JOURNAL_VERBOSE if _VERBOSE.search(head[:4096]) else None


def _is_binary(head: bytes) -> bool:
    """Control bytes other than runs of NUL (a crash leaves them in logs), white space and escape."""
    text = head[:4096].replace(b"\0", b"")
    strange = len(text) - len(text.translate(None, bytes((*range(1, 9), *range(14, 27), *range(28, 32), 127))))
    return bool(text) and strange * 20 > len(text)


def _sample(head: bytes) -> list[str]:
    """The first lines; the last one is dropped when the head ends inside it."""
    lines = head.split(b"\n")
    if len(lines) > 1:
        lines.pop()
    texts = (clean(line.decode("utf-8", "replace")) for line in lines)
    return [text for text in texts if text.strip()][:SAMPLE_LINES]


def _spelled_census(head: bytes) -> tuple[_Census, Decoder]:
    """The census of a head as it is or, where more of it is then read, of the head respelled."""
    census = _take_census(_sample(head))
    lost = ONE_BLANK.search(head) is not None
    if census.is_log and not lost:
        return census, Decoder.PLAIN
    other = respell(head)
    if other == head:
        return census, Decoder.PLAIN
    second = _take_census(_sample(other))
    gained = second.is_log and (second.heads > census.heads or (lost and second.heads == census.heads))
    return (second, Decoder.RESPELLED) if gained else (census, Decoder.PLAIN)


def _take_census(lines: Sequence[str]) -> _Census:
    parser = LineParser(LogKind("other", ()))
    census = _Census()
    attached = False  # whether an indented line has a record before it that it can belong to
    for line in lines:
        record = None if _PACKAGES_LOG.match(line) else parser.parse(line, _REF)
        if record:
            _count(census, record, line)
        elif is_note(line):
            census.journal = True
        elif line[0] not in " \t" or not attached:
            census.plain += 1
        attached = record is not None or (attached and line[0] in " \t")
        if census.first_is_head is None:
            census.first_is_head = record is not None
    return census


def _count(census: _Census, record: Record, line: str) -> None:
    if record.program is None and record.format.startswith("syslog."):
        census.plain += 1  # a time and a host alone make no log
        return
    census.heads += 1
    census.formats[record.format] += 1
    census.idents[record.program or ""] += 1
    if record.format == "dmesg.raw":
        census.uptime_lines.append(line)
    if record.format == "syslog.iso" and record.time and _OFFSET_OF_JOURNAL.search(record.time.text):
        census.journal = True


def _kind(census: _Census, path: str, name: str, decoder: Decoder) -> LogKind:
    formats = Counter(census.formats)
    if _is_monotonic(census.uptime_lines):
        formats["journal.monotonic"] = formats.pop("dmesg.raw")
        census.journal = True
    if census.journal:
        for plain, own in (("syslog.bsd", "journal.short"), ("syslog.iso", "journal.iso")):
            if plain in formats:
                formats[own] += formats.pop(plain)
    order = tuple(sorted(formats, key=lambda form: (-formats[form], form)))
    family = _family(census, formats, path, name)
    return LogKind(family, order, decoder, _default_program(order[0], path))


def _is_monotonic(lines: Sequence[str]) -> bool:
    """short-monotonic has a host column behind the uptime, which is the same in every line; dmesg has not."""
    matches = [kernel.MONOTONIC.regex.match(line) for line in lines]
    hosts = {match["host"] for match in matches if match}
    return bool(lines) and all(matches) and len(hosts) == 1 and hosts != {"drbd"}


def _family(census: _Census, formats: Counter[str], path: str, name: str) -> str:
    groups: Counter[str] = Counter()
    for form, count in formats.items():
        groups[_group(form)] += count
    if groups["corosync"] and groups["pacemaker"]:
        for family in ("corosync", "pacemaker"):
            if family in name:
                return family
    own = Counter({group: count for group, count in groups.items() if group != "agent"})
    if not own:
        return "pacemaker" if "pacemaker" in path else "other"
    top = min(own, key=lambda group: (-own[group], group))
    if top == "blackbox":
        return "pacemaker" if "pacemaker" in path else "corosync"
    return _single(census, top, name) if top in {"system", "journal"} else top


def _group(form: str) -> str:
    return next((family for start, family in _GROUPS if form.startswith(start)), "other")


def _single(census: _Census, family: str, name: str) -> str:
    """A syslog file or journal excerpt of one daemon belongs to the daemon's family.

    The first lines after a boot may all be the kernel's, so the name must say it too, except for the small daemons.
    """
    # systemd speaks of every unit, "(corosync)" is a unit before its exec, "IPaddr2(vip)" an agent of pacemaker
    families = {family_of(ident) for ident in census.idents if ident != "systemd" and "(" not in ident}
    if len(families) != 1:
        return family
    only = families.pop()
    if only in {"sbd", "qdevice", "booth", "dlm", "heartbeat"}:
        return only
    word = "kern" if only == "kernel" else only
    return only if only != "other" and word in name else family


def _default_program(form: str, path: str) -> str | None:
    if form == "qdevice.fg":
        return "corosync-qnetd" if "qnetd" in path else "corosync-qdevice"
    if form == "qb.blackbox":
        return None if "pacemaker" in path else "corosync"
    return None
