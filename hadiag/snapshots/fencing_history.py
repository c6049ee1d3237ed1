"""Fencing history: ``stonith_admin --history``, ``pcs stonith history``, and the sections of ``crm_mon -m`` and ``pcs status``.

::

    reboot of node2 successful: delegate=node1, client=pacemaker-controld.63, origin=node1, completed='2026-11-22 10:09:40 +01:00'
    reboot of node2 failed: delegate=, client=stonith_admin.811, origin=node1, last-failed='2026-11-22 10:07:01'
    reboot of node2 pending: client=pacemaker-controld.63, origin=node1
    node1 was able to reboot node node2 on behalf of crmd.2310 from node1 at Tue Mar 31 10:00:00 2020
    node1 failed to reboot node node2 on behalf of pacemaker-controld.82 from node1 at Sun Nov 22 10:07:01 2026
    node1 has been requested to reboot node node2 on behalf of pacemaker-controld.82 from node1 at Sun Nov 22 10:07:01 2026
    (lib/fencing/st_output.c, tools/stonith_admin.c)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, numbered
from hadiag.snapshots.stamps import read_moment

_ACTION = r"(?P<action>reboot|off|on|poweroff|[a-z_]{2,20})"
_OF = re.compile(
    rf"^\W*{_ACTION} of (?P<target>\S+) (?P<result>successful|failed|pending|is still pending)\b(?P<rest>.*)$"
)
_TOLD = re.compile(
    rf"^\W*(?P<delegate>\S+) (?P<result>was able to|failed to|has been requested to|was not able to) {_ACTION} node "
    r"(?P<target>\S+) on behalf of (?P<client>\S+) from (?P<origin>\S+)(?P<rest>.*)$"
)
_PAIR = re.compile(r"([a-z-]+)=(?:'([^']*)'|([^,\s]*))")
_RESULTS = {
    "successful": "ok",
    "was able to": "ok",
    "failed": "failed",
    "failed to": "failed",
    "was not able to": "failed",
}
_EMPTY = re.compile(r"^\d+ events? found\s*$|^No (?:fencing|recorded) ", re.IGNORECASE)


def history_line(source: Source, number: int, line: str) -> Fact | None:
    """The fact of one line of a history, None for any other line."""
    match = _OF.match(line) or _TOLD.match(line)
    if match is None:
        return None
    fields = {key: quoted or plain for key, quoted, plain in _PAIR.findall(match["rest"])}
    groups = match.groupdict()
    moment = read_moment(match["rest"])
    values: dict[str, Scalar] = {
        "target": match["target"],
        "action": match["action"],
        "result": _RESULTS.get(match["result"], "pending"),
        "client": _client(groups.get("client") or fields.get("client")),
        "origin": groups.get("origin") or fields.get("origin") or None,
        "delegate": groups.get("delegate") or fields.get("delegate") or None,
        "exit_reason": fields.get("exit-reason") or None,
        "completed_ns": moment.utc_ns if moment else None,
        "completed": moment.text if moment else None,
        "op_id": None,
    }
    return source.fact("fencing.history", values, number, moment.utc_ns if moment else None, line)


def _client(text: str | None) -> str | None:
    """Name of the daemon or tool, without its process id."""
    return re.sub(r"\.\d+$", "", text) if text else None


class FencingHistoryParser:
    """Reads the output of the tools that print the history alone."""

    name = "fencing.history"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Nearly every line is an entry, or the tool says that there is none."""
        lines = head_lines(head, 30)
        known = sum(1 for line in lines if _OF.match(line) or _TOLD.match(line))
        return bool(lines) and (known * 2 > len(lines) or _EMPTY.match(lines[0]) is not None)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``fencing.history`` for each entry."""
        return list(_entries(source, data))


def _entries(source: Source, data: bytes) -> Iterator[Fact]:
    for number, line in numbered(data):
        fact = history_line(source, number, line)
        if fact:
            yield fact
