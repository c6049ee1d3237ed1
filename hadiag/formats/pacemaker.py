r"""Pacemaker's detail log and its message part in syslog and journal.

::

    Sep 03 12:01:41.049 node1 pacemaker-controld  [2165] (do_log) <TAB>info: Input I_ELECTION received | state=S_IDLE
    Feb 22 10:00:25 [81611] node1       crmd:   notice: do_state_transition:<TAB>State transition S_IDLE -> S_POLICY_ENGINE

Format strings: ``lib/common/logging.c``, ``set_format_string()`` (2.0 and later) and ``crm_log_init()`` (1.1).
Text behind the last `` | `` that begins with ``key=value`` is what ``QB_XS`` sets apart: only this log has it.
"""

from __future__ import annotations

import re
from typing import Final

from hadiag.formats.base import BSD, LEVEL, LEVELS, Body, Grammar, grammar, number
from hadiag.formats.dates import bsd
from hadiag.model.record import Record
from hadiag.model.source import SourceRef

DAEMONS: Final = (
    *("pacemakerd", "pacemaker", "pacemaker-based", "pacemaker-fenced", "pacemaker-execd", "pacemaker-attrd"),
    *("pacemaker-schedulerd", "pacemaker-controld", "pacemaker-remoted"),
    # the journal's _COMM is cut to 15 characters
    *("pacemaker-contr", "pacemaker-sched", "pacemaker-fence", "pacemaker-remot"),
)
OLD_DAEMONS: Final = (
    "cib",
    "crmd",
    "attrd",
    "pengine",
    "lrmd",
    "stonith-ng",
    "stonithd",
    "pacemaker_remoted",
    "pacemaker_remot",
)
TOOLS: Final = frozenset(
    {
        *("attrd_updater", "cibadmin", "crm_attribute", "crm_error", "crm_master", "crm_mon", "crm_node", "crm_report"),
        *("crm_resource", "crm_rule", "crm_shadow", "crm_simulate", "crm_standby", "crm_ticket", "crm_verify"),
        *("crmadmin", "stonith_admin", "iso8601", "cibsecret"),
    }
)

_MESSAGE = re.compile(rf"\s*(?P<level>{LEVEL})\s*: ?(?P<msg>.*)\Z", re.ASCII)
_FUNCTION = re.compile(r"(?P<func>[A-Za-z_]\w*): +(?P<msg>\S.*)\Z", re.ASCII)
# functions that look like the name of an agent or a plain word
_FUNCTIONS: Final = frozenset(
    {
        *(
            "main",
            "LogActions",
            "LogAction",
            "StartRsc",
            "StopRsc",
            "DemoteRsc",
            "PromoteRsc",
            "DeleteRsc",
            "ReloadRsc",
        ),
        *("RoleError", "NoRoleChange", "NullOp", "RecurringOp", "CancelXmlOp", "SchedulePromote"),
        *(f"stage{number}" for number in range(9)),
    }
)
_DETAILS = re.compile(r"[A-Za-z_][\w.-]*=", re.ASCII)


def cut(text: str) -> Body:
    """``level: message`` as 1.1.15 and later write it."""
    match = _MESSAGE.match(text)
    if not match:
        return Body(text.strip())
    return Body(match["msg"].strip(), LEVELS[match["level"]])


def cut_old(text: str) -> Body:
    """``level: function: message`` of 1.1.14 and earlier, whose daemons have the same names until 2.0.

    Only a C identifier with an underscore or in camel case, or a known name, is a function; ``IPaddr2: x`` is a message.
    """
    body = cut(text)
    match = _FUNCTION.match(body.message) if body.level is not None else None
    if match and is_function(match["func"]):
        return body._replace(message=match["msg"], function=match["func"], format="pcmk.syslog.old")
    return body


def is_function(name: str) -> bool:
    """Tell a function of pacemaker from the first word of a message."""
    return "_" in name or name in _FUNCTIONS or (name[0].islower() and not name.islower() and name.isalpha())


def split_details(text: str) -> tuple[str, str | None]:
    """Message and details; only text that begins with ``key=`` behind the last `` | `` is details."""
    message, bar, details = text.rpartition(" | ")
    if bar and _DETAILS.match(details):
        return message.strip(), details.strip()
    return text.strip(), None


def _record(match: re.Match[str], ref: SourceRef, name: str) -> Record | None:
    time = bsd(match["ts"])
    if time is None:
        return None
    message, details = split_details(match["msg"])
    return Record(
        ref,
        name,
        time,
        match["host"],
        match["ident"],
        number(match["pid"]),
        LEVELS[match["level"]],
        match["func"] or None,
        message,
        details,
    )


def _read_2x(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "pcmk.file.2x")


def _read_11(match: re.Match[str], ref: SourceRef) -> Record | None:
    return _record(match, ref, "pcmk.file.11")


GRAMMARS: Final[tuple[Grammar, ...]] = (
    grammar(
        "pcmk.file.2x",
        rf"(?P<ts>{BSD}) (?P<host>\S+) (?P<ident>[^\s\[\]():]{{1,64}})\s*\[(?P<pid>\d+)\] "
        rf"\((?P<func>[^)@]*)(?:@(?P<file>[^:)]+):(?P<line>\d+))?\)\s+(?P<level>{LEVEL}): ?(?P<msg>.*)\Z",
        _read_2x,
    ),
    grammar(
        "pcmk.file.11",
        rf"(?P<ts>{BSD}) \[(?P<pid>\d+)\] (?:(?P<host>\S+)\s|\s)\s*(?P<ident>[\w.-]+): +"
        rf"(?:\( *(?P<file>[\w.-]+)\s*:\s*(?P<line>\d+) [^)]*\) )?"
        rf"(?P<level>{LEVEL})\s*: (?P<func>[\w.-]+):\s+(?P<msg>.*)\Z",
        _read_11,
    ),
)
