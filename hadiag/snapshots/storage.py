"""Storage below a cluster: polling of multipath, and how LVM decides who may activate a volume group.

::

    defaults {                                        /etc/multipath.conf, multipathd show config, multipath -t
        polling_interval 5
        max_polling_interval 20
    }

    system_id_source = "uname"                        /etc/lvm/lvm.conf
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, integer, name_of, numbered

_SECTION = re.compile(r"^\s*(defaults|blacklist|blacklist_exceptions|devices|multipaths|overrides|protocol)\s*\{")
_POLLING = re.compile(r"^\s*(max_polling_interval|polling_interval|no_path_retry)\s+\"?([\w-]+)\"?\s*$")
_POLL_S, _POLL_FACTOR = 5, 4
"""``polling_interval`` that multipathd takes by itself, and how often that the longest interval is (multipath.conf(5))."""

_LVM = {
    "system_id_source": "none",
    "use_lvmlockd": "0",
    "use_lvmetad": "0",
    "locking_type": "1",
    "volume_list": "unset",
}
"""The options of LVM that are looked at, with their defaults."""
_LVM_LINE = re.compile(rf"^\s*({'|'.join(_LVM)})\s*=\s*(.+?)\s*(?:#.*)?$")


class MultipathParser:
    """Reads ``/etc/multipath.conf``, ``multipathd show config`` and ``multipath -t``."""

    name = "multipath"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its place or command; or sections that no other file has."""
        named = name_of(path) == "multipath.conf" or re.match(r"multipathd? .*(?:show config|-t$)", command_of(path))
        sections = {match[1] for line in head_lines(head, 200) if (match := _SECTION.match(line))}
        return bool(sections) and (bool(named) or {"defaults", "blacklist"} <= sections)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``multipath.option``, and the longest polling interval in force as ``derived``."""
        section, found = "", dict[str, tuple[int | None, int, str]]()
        for number, line in numbered(data):
            if match := _SECTION.match(line):
                section = match[1]
            elif match := _POLLING.match(line):
                row: dict[str, Scalar] = {"section": section, "name": match[1], "value": match[2]}
                yield source.fact("multipath.option", row, number, text=line)
                if section == "defaults":
                    found[match[1]] = (integer(match[2]), number, line)
        interval = found.get("polling_interval", (None, 0, ""))
        longest, number, line = found.get("max_polling_interval", (None, interval[1], interval[2]))
        value = longest or (interval[0] or _POLL_S) * _POLL_FACTOR
        yield source.fact("derived", {"name": "multipath_max_polling_s", "value": value}, number, text=line)


class LvmConfParser:
    """Reads ``/etc/lvm/lvm.conf`` and ``lvmlocal.conf``."""

    name = "lvm.conf"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its name."""
        return name_of(path) in {"lvm.conf", "lvmlocal.conf"} and b"\0" not in head[:200]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``lvm.option`` for each option that decides about activation, with its default where it is not set."""
        seen: set[str] = set()
        for number, line in numbered(data):
            if match := _LVM_LINE.match(line):
                seen.add(match[1])
                value = match[2].strip().strip('"')
                yield source.fact("lvm.option", {"name": match[1], "value": value}, number, text=line)
        if name_of(source.path) == "lvm.conf":
            for name in sorted(_LVM.keys() - seen):
                yield source.fact("lvm.option", {"name": name, "value": _LVM[name]})
