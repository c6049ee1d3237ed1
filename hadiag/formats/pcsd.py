"""pcsd.log of every generation, and the access lines that pcs 0.9 mixes in.

::

    I, [2019-05-22T11:59:45.191718 #5477]  INFO -- : Return Value: 1                          (0.9, Ruby; a pid)
    I, [2022-11-04T09:08:18.829 #00002]     INFO -- : Config files sync finished              (0.10 on; a request)
    ::ffff:192.0.2.10 - - [22/May/2019:11:59:45 +0000] "POST /remote/auth HTTP/1.1" 200 36 0.4971

    [2016-05-05 12:26:58] INFO  WEBrick::HTTPServer#start: pid=1234 port=2224

The number behind ``#`` is a pid only in 0.9; later it counts the requests that Ruby handled.  Access lines are the only
ones with a zone.  A line without a head continues the record before it (standard input and output of commands).
"""

from __future__ import annotations

import re
from typing import Final

from hadiag.formats.base import LEVELS, Grammar, grammar, number
from hadiag.formats.dates import access, iso
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

_LEVEL: Final = (
    r"\s+(?P<level>DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL|UNKNOWN|ANY) -- (?P<name>[^:]{0,64}): ?(?P<msg>.*)\Z"
)
_STAMP: Final = r"[A-Z], \[(?P<ts>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


def _read(match: re.Match[str], ref: SourceRef, name: str, pid: str | None) -> Record | None:
    time = iso(match["ts"])
    if time is None:
        return None
    level = LEVELS.get(match["level"])
    return Record(ref, name, time, None, "pcsd", number(pid), level, None, match["msg"].strip())


def _read_09(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _read(match, ref, "pcsd.09", match["pid"])


def _read_010(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _read(match, ref, "pcsd.010", None)


def _read_access(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = access(match["ts"])
    if time is None:
        return None
    return Record(ref, "pcsd.access.webrick", time, None, "pcsd", None, None, None, match["msg"])


def _read_server(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = iso(match["ts"])
    if time is None:
        return None
    level = LEVELS.get(match["level"])
    return Record(ref, "pcsd.webrick", time, None, "pcsd", None, level, None, match["msg"].strip())


GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar("pcsd.010", rf"{_STAMP}\.\d{{3}}) #(?P<group>\d+)\]{_LEVEL}", _read_010),
    grammar("pcsd.09", rf"{_STAMP}\.\d{{6}}) #(?P<pid>\d+)\]{_LEVEL}", _read_09),
    grammar(
        "pcsd.access.webrick",
        r"(?P<client>\S+) - (?P<user>\S+) \[(?P<ts>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d (?:[+-]\d{4}|[A-Z]{3,5}))\] "
        r'(?P<msg>"[A-Z]+ \S+[^"]*" \d{3} \S+.*)\Z',
        _read_access,
    ),
    grammar(
        "pcsd.webrick",
        r"\[(?P<ts>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (?P<level>DEBUG|INFO|WARN|ERROR|FATAL)\s+(?P<msg>\S.*)\Z",
        _read_server,
    ),
)
