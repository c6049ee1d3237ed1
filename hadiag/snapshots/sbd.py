"""Storage-based death: its configuration, the headers on its devices, the slots of the nodes.

::

    SBD_DEVICE="/dev/disk/by-id/scsi-36001405"        /etc/sysconfig/sbd
    SBD_WATCHDOG_TIMEOUT=5

    ==Dumping header on disk /dev/disk/by-id/scsi-36001405    sbd dump
    Header version     : 2.1
    UUID               : 0f3c…
    Number of slots    : 255
    Timeout (watchdog) : 5
    Timeout (allocate) : 2
    Timeout (msgwait)  : 10
    ==Header on disk /dev/disk/by-id/scsi-36001405 is dumped

    0	node1	clear                                    sbd list
    1	node2	reset	node1
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, integer, numbered

_OPTION = re.compile(r"^\s*(?:export )?(SBD_[A-Z_]+)\s*=\s*\"?'?([^\"'#]*)")
_HEADER = re.compile(r"^=*Dumping header on disk (\S+)")
_TIMEOUT = re.compile(r"^Timeout \((\w+)\)\s*:\s*(\d+)")
_SLOT = re.compile(
    r"^(?P<slot>\d{1,3})\t(?P<node>[\w.-]+)\t(?P<message>clear|test|reset|off|exit|crashdump)\t?(?P<by>\S*)$"
)
_DEFAULT_WATCHDOG_S = 5


class SbdParser:
    """Reads ``/etc/sysconfig/sbd``, ``sbd dump`` and ``sbd list``, alone or behind each other."""

    name = "sbd"

    def matches(self, path: str, head: bytes) -> bool:
        """Its settings, headers or slots."""
        lines = head_lines(head, 200)
        if any(_HEADER.match(line) or _SLOT.match(line) for line in lines):
            return True
        options = sum(1 for line in lines if _OPTION.match(line))
        named = re.search(r"(?:^|[/ ])sbd(?:$|\.txt$)", command_of(path)) is not None
        return options >= 2 or (options >= 1 and named)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``sbd.option``, ``sbd.device``, ``sbd.slot``, and the settings in force as ``derived``."""
        options: dict[str, tuple[str, int]] = {}
        device: dict[str, Scalar] = {}
        place = 0
        for number, line in numbered(data):
            if match := _OPTION.match(line):
                options[match[1]] = (match[2].strip(), number)
                yield source.fact("sbd.option", {"name": match[1], "value": match[2].strip()}, number, text=line)
            elif match := _HEADER.match(line):
                yield from _device(source, device, place)
                device, place = {"device": match[1]}, number
            elif match := _TIMEOUT.match(line):
                device[f"{match[1]}_s"] = integer(match[2])
            elif match := _SLOT.match(line):
                row: dict[str, Scalar] = {
                    "device": device.get("device"),
                    "node": match["node"],
                    "message": match["message"],
                    "by": match["by"] or None,
                }
                yield source.fact("sbd.slot", row, number, text=line)
        yield from _device(source, device, place)
        yield from _in_force(source, options)


def _device(source: Source, device: dict[str, Scalar], line: int) -> Iterator[Fact]:
    if device.get("device") and device.get("watchdog_s") is not None:
        text = f"watchdog {device.get('watchdog_s')} s, msgwait {device.get('msgwait_s')} s on {device['device']}"
        yield source.fact(
            "sbd.device", {"allocate_s": None, "msgwait_s": None, "loop_s": None, **device}, line, text=text
        )


def _in_force(source: Source, options: dict[str, tuple[str, int]]) -> Iterator[Fact]:
    """Number of devices, and the watchdog timeout with its default, from the settings of one node."""
    if not options:
        return
    devices, line = options.get("SBD_DEVICE", ("", next(iter(options.values()))[1]))
    names = tuple(sorted(filter(None, re.split(r"[;\s]+", devices))))
    yield source.fact(
        "derived", {"name": "sbd_devices", "value": len(names), "devices": names}, line, text=f"SBD_DEVICE={devices}"
    )
    for name in names:
        yield source.fact("derived", {"name": "sbd_device", "value": name}, line, text=f"SBD_DEVICE={devices}")
    timeout, line = options.get("SBD_WATCHDOG_TIMEOUT", (str(_DEFAULT_WATCHDOG_S), line))
    seconds = integer(timeout)
    if seconds is not None:
        row: dict[str, Scalar] = {"name": "sbd_watchdog_timeout_s", "value": seconds}
        yield source.fact("derived", row, line, text=f"SBD_WATCHDOG_TIMEOUT={timeout}")
