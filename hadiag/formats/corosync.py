"""Corosync's log file, its output on standard error, and its message part in syslog and journal.

::

    Apr 08 10:54:49 [120159] node1 corosync notice  [TOTEM ] A new membership (1:16) was formed. Members left: 2
    [2161] node1 corosyncnotice  [MAIN  ] Completed service synchronization, ready to provide service.
    May 07 13:33:20 corosync [TOTEM ] A processor failed, forming new configuration.

``exec/logsys.c`` joins ``%7p [%6g] %b``; without a time stamp (``timestamp: off``, the default of 2.x) no blank stands
between the name and the level. People cut the columns between time and message out of what they quote.
"""

from __future__ import annotations

import re
from typing import Final

from hadiag.formats.base import BSD, LEVEL, LEVELS, Body, Grammar, grammar, number
from hadiag.formats.dates import bsd
from hadiag.model.entity import Level
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

_PLACE: Final = r"(?:(?P<file>[\w./-]+\.c):(?:(?P<func>\w+):)?(?P<line>\d+) )?"
_SUBSYSTEM: Final = (
    "(?:MAIN|TOTEM|KNET|QUORUM|VOTEQ|SERV|SYNC|SYNCV2|CPG|CFG|CMAP|CONFDB|QB|WD|MON|CMAN|CLM|CKPT|EVT|LCK|MSG|AMF|pcmk)"
)
_MESSAGE = re.compile(rf"\s*\[(?P<subsys>\w+)\s*\] {_PLACE}(?P<msg>.*)\Z", re.ASCII)
_PLUGIN = re.compile(r"(?P<level>\w+): (?P<func>\w+): (?P<msg>.*)\Z", re.ASCII)


def cut(text: str) -> Body:
    """``[SUBSYS] message``; pacemaker as a plug-in of corosync 1.4 writes ``[pcmk  ] level: function: message``."""
    match = _MESSAGE.match(text)
    if not match:
        return Body(text.strip())
    return _body(match["subsys"], match["msg"], match["func"])


def _body(subsystem: str, text: str, function: str | None, level: Level | None = None) -> Body:
    plugin = _PLUGIN.match(text) if subsystem == "pcmk" else None
    if plugin and plugin["level"] in LEVELS:
        return Body(plugin["msg"].strip(), LEVELS[plugin["level"]], plugin["func"], subsystem, "pcmk.plugin")
    return Body(text.strip(), level, function, subsystem)


def _record(match: re.Match[str], ref: SourceRef, name: str) -> Record | None:
    groups = match.groupdict()
    time = bsd(groups["ts"]) if "ts" in groups else None
    if time is None and "ts" in groups:
        return None
    level = LEVELS[groups["level"]] if groups.get("level") else None
    body = _body(groups["subsys"], groups["msg"], groups.get("func"), level)
    return Record(
        ref,
        body.format or name,
        time,
        groups.get("host"),
        "corosync",
        number(groups.get("pid")),
        body.level,
        body.function,
        body.message,
        subsystem=body.subsystem,
    )


def _read_file(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "corosync.file")


def _read_undated(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "corosync.file.nots")


def _read_14(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "corosync.file.14")


def _read_stderr(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "corosync.stderr")


GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar(
        "corosync.file",
        rf"(?P<ts>{BSD}) \[(?P<pid>\d+)\] (?P<host>\S+) corosync ?(?P<level>{LEVEL})\s*\[(?P<subsys>\w+)\s*\] "
        rf"{_PLACE}(?P<msg>.*)\Z",
        _read_file,
    ),
    grammar(
        "corosync.file.nots",
        rf"\[(?P<pid>\d+)\] (?P<host>\S+) corosync ?(?P<level>{LEVEL})\s*\[(?P<subsys>\w+)\s*\] {_PLACE}(?P<msg>.*)\Z",
        _read_undated,
    ),
    grammar("corosync.file.14", rf"(?P<ts>{BSD}) corosync \[(?P<subsys>\w+)\s*\] {_PLACE}(?P<msg>.*)\Z", _read_14),
    grammar(
        "corosync.stderr",
        rf"(?:corosync )?(?P<ts>{BSD}) (?P<level>{LEVEL})\s*\[(?P<subsys>\w+)\s*\]? {_PLACE}(?P<msg>.*)\Z",
        _read_stderr,
    ),
    grammar("corosync.stderr", rf"(?P<ts>{BSD}) \[(?P<subsys>{_SUBSYSTEM})\s*\] {_PLACE}(?P<msg>.*)\Z", _read_stderr),
)
