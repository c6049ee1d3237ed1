"""Load, crashes and hardware: ``sar`` text, ``vmcore-dmesg.txt``, the event log of a management controller.

::

    10:40:01 AM     CPU     %user     %nice   %system   %iowait    %steal     %idle      sar -u
    10:50:01 AM     all      2.11      0.00      1.05     61.20      0.00     35.64

    [ 4711.123456] Kernel panic - not syncing: sysrq triggered crash                     vmcore-dmesg.txt

       1 | 11/22/2026 | 10:09:48 | Power Unit #0x01 | Power off/down | Asserted           ipmitool sel list
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, name_of, numbered

_SAR_BANNER = re.compile(r"^Linux \d\S* \([^)]+\)\s+(?P<date>\d{2}/\d{2}/(?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})\b")
_SAR_HEAD = re.compile(r"^(?P<clock>\d\d:\d\d:\d\d(?: [AP]M)?)\s+CPU\s+(?P<columns>%\S+.*)$")
_SAR_ROW = re.compile(r"^(?P<clock>\d\d:\d\d:\d\d(?: [AP]M)?)\s+all\s+(?P<values>[\d.,\s]+)$")
_IOWAIT, _STEAL, _IDLE = 30.0, 10.0, 5.0
"""Percentages beyond which an interval is worth a fact."""

_CRASH = re.compile(
    r"(?P<text>(?:Kernel panic - not syncing|BUG: unable to handle|Oops: |general protection fault|kernel BUG at|watchdog: BUG: (?:soft|hard) lockup|NMI watchdog: (?:BUG|Watchdog detected)|Uhhuh\. NMI|sysrq: .*[Tt]rigger a crash|Out of memory and no killable).*)$"
)
_SEL = re.compile(
    r"^\s*(?P<id>[0-9a-fA-F]{1,6})\s*\|\s*(?P<date>\d\d/\d\d/\d{2,4}|Pre-Init|[A-Z][a-z]{2}-\d\d-\d{4})\s*\|\s*(?P<clock>[\d:]{8}(?: \w+)?|\d+)?\s*\|\s*(?P<sensor>[^|]+?)\s*\|\s*(?P<event>[^|]+?)\s*(?:\|\s*(?P<state>[^|]+?)\s*(?:\|.*)?)?$"
)


class SarParser:
    """Reads ``sar`` text: intervals in which the processors waited for disks, were stolen, or had no rest."""

    name = "sar"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Its banner with the date, and columns."""
        lines = head_lines(head, 6)
        return (
            bool(lines)
            and _SAR_BANNER.match(lines[0]) is not None
            and any("%" in line or "/s" in line or "CPU" in line for line in lines)
        )

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``load.cpu`` for the intervals beyond the limits; times are wall times of the host."""
        date, columns = "", [""]
        for number, line in numbered(data):
            if match := _SAR_BANNER.match(line):
                date = match["date"]
            elif match := _SAR_HEAD.match(line):
                columns = match["columns"].split()
            elif match := _SAR_ROW.match(line):
                row = _percentages(columns, match["values"])
                busy = row.get("%idle", 100.0) < _IDLE
                if busy or row.get("%iowait", 0.0) > _IOWAIT or row.get("%steal", 0.0) > _STEAL:
                    values: dict[str, Scalar] = {
                        "wall": f"{date} {match['clock']}",
                        "iowait": row.get("%iowait"),
                        "steal": row.get("%steal"),
                    }
                    yield source.fact("load.cpu", {**values, "idle": row.get("%idle")}, number, text=line)


def _percentages(columns: list[str], values: str) -> dict[str, float]:
    words = [word for word in values.replace(",", ".").split() if re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", word)]
    return {name: float(word) for name, word in zip(columns, words, strict=False)} if len(words) == len(columns) else {}


class CrashParser:
    """Reads ``vmcore-dmesg.txt``: the last words of a kernel."""

    name = "crash"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its name: the text is that of any kernel log."""
        return name_of(path).startswith("vmcore-dmesg") and b"\0" not in head[:64]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``crash`` for each line that says why; ``dump`` is the directory that kdump named by the time."""
        dump = source.path.rsplit("/", 2)[-2] if source.path.count("/") >= 1 else None
        found = False
        for number, line in numbered(data):
            if match := _CRASH.search(line):
                found = True
                values: dict[str, Scalar] = {
                    "what": match["text"][:200],
                    "dump": dump,
                    "panic": "panic" in match["text"],
                }
                yield source.fact("crash", values, number, text=line)
        if not found:
            yield source.fact("crash", {"what": "kernel dump", "dump": dump, "panic": None}, 1)


class SelParser:
    """Reads the system event log of a management controller: ``ipmitool sel list`` and ``sel elist``, ``ipmi-sel``."""

    name = "sel"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Most lines are entries."""
        lines = head_lines(head, 10)
        return bool(lines) and sum(1 for line in lines if _SEL.match(line)) * 2 > len(lines)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``hardware.event``; times are those of the controller's own clock."""
        for number, line in numbered(data):
            if match := _SEL.match(line):
                values: dict[str, Scalar] = {
                    "sensor": match["sensor"],
                    "event": match["event"],
                    "state": match["state"],
                    "wall": f"{match['date']} {match['clock'] or ''}".strip(),
                }
                yield source.fact("hardware.event", values, number, text=line)
