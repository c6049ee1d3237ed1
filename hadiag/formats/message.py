"""The message part of syslog and journal lines, cut by the family of its ident.

::

    pacemaker-controld[2165]:  notice: State transition S_IDLE -> S_POLICY_ENGINE
    crmd[2702]:   notice: do_state_transition: State transition S_IDLE -> S_POLICY_ENGINE      (up to 1.1.14)
    corosync[2161]:   [TOTEM ] A new membership (1.4e) was formed. Members left: 2
    sbd[1830]:    /dev/sdb1:   notice: servant: Received command reset from node1 on disk /dev/sdb1
    kernel: [172678.053420] drbd r0: role( Primary -> Secondary )
    IPaddr2(vip)[1234]: ERROR: Device eth9 does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from hadiag.formats import corosync, pacemaker
from hadiag.formats.base import LEVEL, LEVELS, Body, number
from hadiag.formats.dates import uptime_ns

Cut = Callable[[str], Body]
"""Cuts the message part of one family."""

_SBD = re.compile(
    rf"\s*(?:(?P<servant>[\w./:-]+): +)?(?P<level>{LEVEL})\s*: (?:(?P<func>[a-z_]\w*): )?(?P<msg>.*)\Z", re.ASCII
)
_AGENT = re.compile(
    r"\s*(?P<level>CRIT|ERROR|WARNING|WARN|NOTICE|INFO|DEBUG\d?|CRITICAL|FATAL|crit|error|warning|warn|notice|info|debug): ?"
    r"(?P<msg>.*)\Z",
    re.ASCII,
)
_STATED = re.compile(rf"\s*(?:<(?P<level>{LEVEL}|err|warn)>|\[(?P<word>{LEVEL})\]) +(?P<msg>\S.*)\Z", re.ASCII)
_HEARTBEAT = re.compile(r"\s*\[(?P<pid>\d+)\]: (?P<level>\w+): (?P<msg>.*)\Z", re.ASCII)
_LATE_PID = re.compile(rf"\s*\[(?P<pid>\d+)\]: (?P<msg><(?:{LEVEL}|err|warn)> .*)\Z", re.ASCII)
_UPTIME = re.compile(r"\s*\[ *(?P<mono>\d+\.\d+)\](?:\[ *[TC]\d+\])? ?(?P<msg>.*)\Z", re.ASCII)
_DLM = re.compile(r"\s*(?P<mono>\d+) (?P<msg>.*)\Z", re.ASCII)
_REPEAT = re.compile(r"message repeated (?P<count>\d{1,9}) times: \[(?P<text>.*)\]\Z", re.ASCII)


def _plain(text: str) -> Body:
    """Text as it is; ``<notice> text`` of rgmanager and NetworkManager and ``[info] text`` of booth state their level."""
    match = _STATED.match(text)
    if not match:
        return Body(text.strip())
    return Body(match["msg"].strip(), LEVELS[match["level"] or match["word"]])


def _sbd(text: str) -> Body:
    """Servants share the ident; which one speaks stays visible as ``subsystem``."""
    match = _SBD.match(text)
    if not match:
        return Body(text.strip())
    return Body(match["msg"].strip(), LEVELS[match["level"]], match["func"], match["servant"])


def _agent(text: str) -> Body:
    match = _AGENT.match(text)
    if not match:
        return _plain(text)
    return Body(match["msg"].strip(), LEVELS.get(match["level"]))


def _kernel(text: str) -> Body:
    match = _UPTIME.match(text)
    if not match:
        return Body(text.strip())
    return Body(match["msg"].strip(), uptime_ns=uptime_ns(match["mono"]))


def _dlm(text: str) -> Body:
    """Seconds since boot come first; the word for a lockspace stays in the message."""
    match = _DLM.match(text)
    if not match:
        return Body(text.strip())
    return Body(match["msg"].strip(), uptime_ns=uptime_ns(match["mono"]))


_AGENTS_IN_SMALL: Final = (
    *("azure-events", "azure-lb", "aws-vpc-", "awseip", "awsvip", "gcp-", "powervs-", "ibm-cloud-vpc-"),
    *("harc", "mach_down", "req_resource", "hb_standby", "hb_takeover"),  # the scripts of heartbeat
)
_BY_IDENT: Final[dict[str, Cut]] = {
    **dict.fromkeys(("corosync", "openais", "aisexec"), corosync.cut),
    "sbd": _sbd,
    "kernel": _kernel,
    "dlm_controld": _dlm,
    **dict.fromkeys(pacemaker.DAEMONS, pacemaker.cut),
    **dict.fromkeys(pacemaker.OLD_DAEMONS, pacemaker.cut_old),
}


@lru_cache(1024)
def cut_of(ident: str) -> Cut:
    """How to cut the messages of an ident."""
    known = _BY_IDENT.get(ident)
    if known:
        return known
    if ident in pacemaker.TOOLS or ident.startswith("pacemaker"):
        return pacemaker.cut
    # agents without the name of their resource are written in capitals (IPaddr2, Filesystem), or are these in Python;
    # fence agents name themselves by their path
    name = ident.rpartition("/")[2]
    if "(" in name or name[:1].isupper() or name.startswith(("crmsh", "ocf:", "fence_", *_AGENTS_IN_SMALL)):
        return _agent
    return _plain


@lru_cache(1024)
def family_of(ident: str) -> str:
    """Log family that an ident belongs to, ``other`` for those outside the cluster."""
    if ident in pacemaker.DAEMONS or ident in pacemaker.OLD_DAEMONS or ident.startswith("pacemaker"):
        return "pacemaker"
    for start, family in _FAMILIES:
        if ident.startswith(start):
            return family
    return "other"


_FAMILIES: Final = (
    ("corosync-q", "qdevice"),
    ("corosync", "corosync"),
    ("sbd", "sbd"),
    ("kernel", "kernel"),
    ("booth", "booth"),
    ("dlm_controld", "dlm"),
    ("pcsd", "pcsd"),
    ("crmsh", "crmsh"),
    ("heartbeat", "heartbeat"),
)


def cut_message(ident: str, text: str, *, has_pid: bool = True) -> tuple[Body, int]:
    """Cut the message part of a line; the body, and how many times the line stands for."""
    if text.startswith("message repeated ") and (match := _REPEAT.match(text)):
        return cut_of(ident)(match["text"]), int(match["count"])
    if not has_pid and text.lstrip()[:1] == "[" and (match := _HEARTBEAT.match(text)):
        return _heartbeat(ident, match), 1
    if not has_pid and text.lstrip()[:1] == "[" and (match := _LATE_PID.match(text)):
        return cut_of(ident)(match["msg"])._replace(pid=number(match["pid"])), 1
    return cut_of(ident)(text), 1


def _heartbeat(ident: str, match: re.Match[str]) -> Body:
    """Heartbeat puts the pid behind the colon; the daemons that it starts add their function."""
    level = LEVELS.get(match["level"])
    body = cut_of(ident)(f"{level.word if level is not None else match['level']}: {match['msg']}")
    message = body.message if body.level is not None else match["msg"].strip()
    return Body(
        message,
        level if level is not None else body.level,
        body.function,
        format="heartbeat.syslog",
        pid=number(match["pid"]),
    )
