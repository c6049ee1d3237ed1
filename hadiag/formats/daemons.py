"""Own logs of the smaller daemons around the cluster: qdevice, dlm_controld, libqb's black box, heartbeat, audit.

::

    Nov 11 20:39:45 debug   Initializing votequorum                                           (corosync-qdevice -f)
    May 07 13:33:20 1471 fence request 2 pid 16223 nodedown time 1431900634 fence_all stonith (dlm_controld.log)
    notice  May 07 13:33:20.123 memb_state_gather_enter(2123):2: entering GATHER state        (qb-blackbox)
    Aug 10 12:00:00 rgmanager [fs] /dev/sdb1 is not mounted on /data                          (logs of cman, RHEL 6)
    heartbeat[3684]: 2010/05/09_12:10:40 info: Received shutdown notice from 'gw1'.
    type=AVC msg=audit(1364481363.243:24287): avc:  denied  { read } for  pid=2341
"""

from __future__ import annotations

import re
from typing import Final

from hadiag.formats.base import BSD, LEVEL, LEVELS, Grammar, grammar, number
from hadiag.formats.dates import bsd, epoch, slash, uptime_ns
from hadiag.formats.message import cut_of
from hadiag.model.record import Record
from hadiag.model.source import SourceRef


def _qdevice(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = bsd(match["ts"])
    if time is None:
        return None
    level = LEVELS[match["level"]]
    return Record(ref, "qdevice.fg", time, None, None, None, level, None, match["msg"].strip())


def _dlm(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = bsd(match["ts"])
    if time is None:
        return None
    uptime = uptime_ns(match["mono"])
    return Record(ref, "dlm.file", time, None, "dlm_controld", None, None, None, match["msg"].strip(), uptime_ns=uptime)


def _blackbox(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = bsd(match["ts"])
    if time is None:
        return None
    level = LEVELS[match["level"]]
    return Record(ref, "qb.blackbox", time, None, None, None, level, match["func"], match["msg"].strip())


def _heartbeat(match: re.Match[str], ref: SourceRef) -> Record | None:
    time, level = slash(match["ts"]), LEVELS.get(match["level"])
    if time is None or level is None:
        return None
    ident, pid = match["ident"], number(match["pid"])
    body = cut_of(ident)(f"{level.word}: {match['msg']}")
    if body.level is None:
        return Record(ref, "heartbeat.file", time, None, ident, pid, level, None, match["msg"].strip())
    return Record(ref, "heartbeat.file", time, None, ident, pid, level, body.function, body.message)


def _cman(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = bsd(match["ts"])
    if time is None:
        return None
    text = match["msg"].strip()
    return Record(ref, "cman.file", time, None, match["ident"], None, None, None, text, subsystem=match["subsys"])


def _audit(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = epoch(match["ts"])
    if time is None:
        return None
    text = f"type={match['type']} {match['msg'].strip()}"
    return Record(ref, "audit", time, match["host"], "audit", None, None, None, text)


GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar("qdevice.fg", rf"(?P<ts>{BSD}) (?P<level>{LEVEL})\s+(?=\S)(?!\[\w+ *\])(?P<msg>.*)\Z", _qdevice),
    grammar("dlm.file", rf"(?P<ts>{BSD}) (?P<mono>\d+) (?P<msg>[a-z].*)\Z", _dlm),
    grammar(
        "qb.blackbox",
        rf"(?P<level>{LEVEL})\s+(?P<ts>{BSD}) (?P<func>\w+)\((?P<line>\d+)\):(?P<tags>\d+): ?(?P<msg>.*)\Z",
        _blackbox,
    ),
    grammar(
        "heartbeat.file",
        r"(?P<ident>[\w.-]+)(?:\[(?P<pid>\d+)\])?: (?P<ts>\d{4}/\d\d/\d\d_\d\d:\d\d:\d\d) (?P<level>\w+): ?(?P<msg>.*)\Z",
        _heartbeat,
    ),
    grammar(
        "cman.file",
        rf"(?P<ts>{BSD}) (?P<ident>fenced|dlm_controld|gfs_controld|groupd|qdiskd|rgmanager|cpglockd) "
        r"(?:\[(?P<subsys>[\w-]+)\] )?(?P<msg>\S.*)\Z",
        _cman,
    ),
    grammar(
        "audit",
        r"(?:node=(?P<host>\S+) )?type=(?P<type>\S+) msg=audit\((?P<ts>\d+\.\d+):(?P<serial>\d+)\):\s*(?P<msg>.*)\Z",
        _audit,
    ),
)
