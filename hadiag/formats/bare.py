r"""Messages without a stamp, as people quote them and as status commands print them.

::

    corosync[2161]:   [TOTEM ] A processor failed, forming new configuration.
    node1 pacemaker-execd[5807]:  warning: vip_stop_0[29105] timed out after 20000ms
    notice  [MAIN  ] Corosync Cluster Engine ('3.1.7'): started and ready to provide service.     (corosync -f)
      notice: State transition S_IDLE -> S_POLICY_ENGINE
    drbd r0/0 drbd1 node2: pdsk( UpToDate -> DUnknown )
    vip_monitor_10000[1234] error output [ ocf-exit-reason:Unable to find nic ]

They have no place on a timeline and make no file a log; only ``parse_file`` reads them, where nothing else fits.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from hadiag.formats import corosync, message, pacemaker
from hadiag.formats.base import LEVEL, LEVELS, Body, Grammar, grammar, number
from hadiag.formats.dates import ctime, uptime_ns
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

_BY_FAMILY: Final = {
    "pacemaker": "pcmk.syslog",
    "corosync": "corosync.syslog",
    "qdevice": "qdevice.syslog",
    "sbd": "sbd.msg",
    "kernel": "kernel.syslog",
    "booth": "booth.msg",
    "dlm": "dlm.msg",
    "pcsd": "pcsd.syslog",
    "crmsh": "crmsh.log",
    "heartbeat": "heartbeat.syslog",
}


def _made(ref: SourceRef, name: str, program: str | None, body: Body, pid: str | None = None) -> Record:
    return Record(
        ref,
        body.format or name,
        None,
        None,
        program,
        number(pid),
        body.level,
        body.function,
        body.message,
        subsystem=body.subsystem,
        uptime_ns=body.uptime_ns,
    )


def _tagged(match: re.Match[str], ref: SourceRef) -> Record | None:
    """A daemon's name and pid in front: its family cuts the rest."""
    ident = match["ident"]
    known = message.family_of(ident) != "other" or "(" in ident
    if not known and (match["host"] or not ident[0].isupper()):
        return None
    body, repeated = message.cut_message(ident, match["msg"])
    name = _BY_FAMILY.get(message.family_of(ident), "ocf.syslog")
    record = _made(ref, name, ident, body, match["pid"])
    return replace(record, host=match["host"]) if repeated == 1 else None


def _corosync(match: re.Match[str], ref: SourceRef) -> Record | None:
    body = corosync.cut(match["msg"])
    level = LEVELS.get(match["level"]) if match["level"] else body.level
    return _made(ref, "corosync.syslog", "corosync", body._replace(level=level))


def _sbd(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "sbd.msg", "sbd", message.cut_of("sbd")(match["msg"]))


def _pacemaker(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "pcmk.syslog", None, pacemaker.cut_old(match["msg"]))


def _drbd(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "drbd8.msg" if match["old"] else "drbd9.msg", "kernel", Body(match["msg"]))


def _drbd_state(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "drbd.state", "kernel", Body(match["msg"]))


def _dlm(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "dlm.msg", "dlm_controld", Body(match["msg"], uptime_ns=uptime_ns(match["mono"])))


def _booth(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "booth.msg", "boothd", Body(match["msg"]))


def _agent(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "ra.output.2x", None, Body(match["msg"]))


def _repeat(match: re.Match[str], ref: SourceRef) -> Record | None:
    body = pacemaker.cut(match["text"])
    record = _made(ref, "syslog.repeat", None, body)
    return Record(
        record.ref, record.format, None, None, None, None, body.level, None, body.message, repeated=int(match["count"])
    )


def _access(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "pcsd.access.tornado", "pcsd", Body(match["msg"]))


def _failed(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _made(ref, "crm_mon.failed", "crm_mon", Body(match["msg"]))


def _written(match: re.Match[str], ref: SourceRef) -> Record | None:
    time = ctime(match["ts"])
    if time is None:
        return None
    return Record(ref, "cib.lastwritten", time, None, None, None, None, None, match["ts"])


_WORD: Final = r"[\w.:-]{1,128}"

GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar(
        "tagged",
        r"\s*(?:(?P<host>[A-Za-z0-9][\w.-]{0,127}) )?(?P<ident>[A-Za-z][\w.-]{1,63}(?:\([^)]{1,128}\))?)\[(?P<pid>\d+)\]: ?(?P<msg>.*)\Z",
        _tagged,
    ),
    grammar("corosync.syslog", rf"\s*(?:(?P<level>{LEVEL})\s+)?(?P<msg>\[(?:[A-Z]{{2,6}}|pcmk) *\] \S.*)\Z", _corosync),
    grammar("sbd.msg", rf"(?P<msg>\s*(?:pcmk|cluster|/dev/\S{{1,128}}): +{LEVEL}\s*: \w+: .*)\Z", _sbd),
    grammar("sbd.msg", rf"(?P<msg>\s*{LEVEL}\s*: (?:inquisitor|servant|watchdog|slot)_?\w*: .*)\Z", _sbd),
    grammar("pcmk.syslog", rf"(?P<msg>\s*{LEVEL}\s*: \S.*)\Z", _pacemaker),
    grammar(
        "drbd9.msg",
        rf"\s*(?P<msg>(?:(?P<old>block drbd\d+: )|drbd {_WORD}(?:/\d+)?(?: {_WORD}){{0,2}}: )\S.*)\Z",
        _drbd,
    ),
    grammar("drbd.state", r"\s*(?P<msg>[\w-]{1,16}\( \S+ -> \S+ ?\)(?: .*)?)\Z", _drbd_state),
    grammar(
        "dlm.msg",
        r"(?P<mono>\d{1,9}) (?P<msg>(?:fence|dlm_controld|daemon|cluster|receive|\S+ (?:wait for|add_change|stop_kernel)).*)\Z",
        _dlm,
    ),
    grammar("booth.msg", rf"(?P<msg>{_WORD} \(\w{{1,16}}/\d+/-?\d+\): \S.*)\Z", _booth),
    grammar(
        "ra.output.2x",
        rf"(?P<msg>{_WORD}_[a-z_-]{{2,16}}_\d+(?:\[\d+\]|:\d+):? ?(?:error output|stderr|stdout|output) \[ .* \])\Z",
        _agent,
    ),
    grammar("syslog.repeat", r"message repeated (?P<count>\d{1,9}) times: \[(?P<text>.*)\]\Z", _repeat),
    grammar("pcsd.access.tornado", r"(?P<msg>\d{3} [A-Z]{3,7} /\S* \([^)]{1,64}\) [\d.]+ms)\Z", _access),
    grammar("crm_mon.failed", rf"\s*\* ?(?P<msg>{_WORD}_\d+ on {_WORD} '[^']*' \(\d+\): call=.*)\Z", _failed),
    grammar("cib.lastwritten", r"(?P<ts>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\Z", _written),
)


def read_bare(line: str, ref: SourceRef) -> Record | None:
    """Read a message without a stamp; None where it is none of the cluster's."""
    for candidate in GRAMMARS:
        match = candidate.regex.match(line)
        if match and (record := candidate.read(match, ref)):
            return record
    return None
