r"""What resource and fence agents write by themselves, past the executor.

::

    May 07 13:33:20  IPaddr2(vip)[1234]:    INFO: Adding inet address 192.0.2.10/24           (resource-agents 4)
    IPaddr2(vip)[1234]:<TAB>2014/05/07_13:33:20 INFO: Adding inet address 192.0.2.10/24       (3.9)
    pgsqlms(pgsqld)[20543]:<TAB>May 07 13:33:20  INFO: Instance "pgsqld" started              (PAF)
    2024-05-07 13:33:20,123 ERROR: Failed: Unable to obtain correct plug status               (fence agents)

Resource agents follow HA_LOGFILE, so their lines stand inside pacemaker.log or corosync.log.
"""

from __future__ import annotations

import re
from typing import Final

from hadiag.formats.base import BSD, LEVELS, Grammar, grammar, number
from hadiag.formats.dates import bsd, iso, slash
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

_AGENT: Final = r"(?P<agent>[\w.-]{1,128}\([^)]{1,256}\))\[(?P<pid>\d+)\]:"
_LEVEL: Final = r"(?P<level>CRIT|ERROR|WARNING|WARN|NOTICE|INFO|DEBUG): ?(?P<msg>.*)\Z"


def _read(match: re.Match[str], ref: SourceRef, name: str) -> Record | None:
    stamp = match["ts"]
    time = slash(stamp) if stamp[4] == "/" else bsd(stamp)
    if time is None:
        return None
    level = LEVELS[match["level"]]
    return Record(ref, name, time, None, match["agent"], number(match["pid"]), level, None, match["msg"].strip())


def _read_new(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _read(match, ref, "ocf.halogfile.new")


def _read_old(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _read(match, ref, "ocf.halogfile.old")


def _read_stderr(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = iso(match["ts"])
    if time is None:
        return None
    return Record(ref, "fence.stderr", time, None, None, None, LEVELS.get(match["level"]), None, match["msg"].strip())


GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar("ocf.halogfile.new", rf"(?P<ts>{BSD})\s+{_AGENT}\s+{_LEVEL}", _read_new),
    grammar(
        "ocf.halogfile.old",
        rf"{_AGENT}\s+(?P<ts>\d{{4}}/\d\d/\d\d_\d\d:\d\d:\d\d|{BSD}) +{_LEVEL}",
        _read_old,
    ),
    grammar(
        "fence.stderr",
        r"(?P<ts>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL): ?(?P<msg>.*)\Z",
        _read_stderr,
    ),
)
