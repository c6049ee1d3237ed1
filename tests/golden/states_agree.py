"""Whether the views say what single lines of a log say, read here by other means than the event catalogue.

``python -m tests.golden.states_agree`` takes the samples: for each expected event (a line, its node and its true time) the state
that the line begins or ends must begin or end in the views of that node, within two seconds. ``--lines`` asks less of far more:
of every line of each input, the state that it tells must hold at its time.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hadiag.model.entity import Scalar
from hadiag.model.time import NS, from_iso
from hadiag.model.view import View
from hadiag.pipeline import Options, read_timeline
from hadiag.state import Views, build_views
from hadiag.timeline import Timeline
from tests.golden.judge import samples
from tests.golden.scoreboard import ROOT

SLACK = 2 * NS
Name = Callable[[str], str]
Match = re.Match[str]


@dataclass(frozen=True)
class Wanted:
    """A view that must begin or end at a line; ``edge`` is ``start``, ``end``, ``during`` or ``gone``."""

    table: str
    edge: str
    where: Mapping[str, Scalar]
    late: int = SLACK
    """How much later than the line it may be, in ns."""
    observer: str | None = None
    lasting: bool = True
    """Whether a view that merely spans the time of the line tells it as well, where nothing changed."""
    always: bool = True
    """Whether every such line says so, wherever it stands."""

    def found(self, views: Views, at: int) -> View | None:
        """The view that begins or ends there."""
        return next((view for view in views.of(self.table) if self._is(view) and self._near(view, at)), None)

    def holds(self, views: Views, at: int) -> bool:
        """Whether the views say so at that time, whoever said it first."""
        if self.found(views, at) is not None or not self.always:
            return True
        if self.edge == "gone":
            return not any(self._is(view) and self._spans(view, at) for view in views.of(self.table))
        if self.edge == "end" or not self.lasting:
            return False
        return any(self._is(view) and self._spans(view, at) for view in views.of(self.table))

    def _is(self, view: View) -> bool:
        mine = self.observer is None or str(view.observer) == self.observer
        return mine and all(_fits(view.value.get(key), value) for key, value in self.where.items())

    def _near(self, view: View, at: int) -> bool:
        if self.edge == "during":
            return self._spans(view, at)
        moment = view.start if self.edge == "start" else view.end  # what is gone has ended there
        return moment is not None and -SLACK <= moment.ns - at <= self.late

    def _spans(self, view: View, at: int) -> bool:
        begun = view.start is None or view.start.ns <= at + self.late
        return begun and (view.end is None or view.end.ns >= at - SLACK)


def _fits(value: Scalar, wanted: Scalar) -> bool:
    """Equal; a word that a list must hold (``+word``) or must not (``-word``), a text's begin (``word*``) or part (``*word``)."""
    if isinstance(wanted, str) and isinstance(value, tuple) and wanted[:1] in {"+", "-"}:
        return (wanted[1:] in value) is (wanted[0] == "+")
    if isinstance(wanted, str) and wanted.startswith("*"):
        return wanted[1:] in str(value)
    if isinstance(wanted, str) and wanted.endswith("*"):
        return str(value).startswith(wanted[:-1])
    if isinstance(wanted, tuple) and not isinstance(value, tuple):
        return value in wanted
    return value == wanted


def _link(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    where: dict[str, Scalar] = {"peer": name(line["host"]), "link": int(line["link"]), "state": line["state"]}
    yield Wanted("link.state", "start", where, observer=node)


def _token(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    # A node that is fenced meanwhile forms no other ring.
    late = int(line["ms"]) * NS // 1000 + SLACK
    yield Wanted("membership.ring", "end", {}, late=late, observer=node, always=False)


def _ring(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    yield Wanted("membership.ring", "start", {"ring_id": line["ring"]}, observer=node)
    back = _ids(line["changes"], "joined")
    for gone in (each for each in _ids(line["changes"], "left") if each not in back):
        yield Wanted("membership.partition", "start", {"members": f"-{name(gone)}"}, observer=node)
        yield Wanted("node.absent", "start", {"node": name(gone)}, observer=node)
    for come in back:
        if name(come) != node:
            yield Wanted("membership.partition", "start", {"members": f"+{name(come)}"}, observer=node)


def _ids(changes: str, which: str) -> list[str]:
    found = re.search(rf"{which}:((?: \d+)+)", changes)
    return found[1].split() if found else []


def _peer(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    peer, state = name(line["peer"]), line["state"]
    states: tuple[str, ...] = ("lost", "process_lost") if state == "lost" else (state,)
    yield Wanted("node.state", "start", {"node": peer, "state": states}, observer=node)


def _doomed(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    where: dict[str, Scalar] = {"target": name(line["peer"]), "reason": line["why"]}
    yield Wanted(
        "fencing.operation", "start", where, always=False
    )  # the controller may have given up, or have no device
    mine: dict[str, Scalar] = {"node": name(line["peer"]), "state": "unclean", "witness": "schedulerd"}
    yield Wanted("node.state", "start", mine, observer=node)


def _asked(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    where: dict[str, Scalar] = {"target": name(line["peer"]), "action": line["action"]}
    # A node that cannot shoot itself has a peer ask: the operation stays the first node's.
    mine = None if " peer " in line[0] else node
    yield Wanted("fencing.operation", "start", where, observer=mine, lasting=False)


def _fenced(_: str, line: Match, name: Name) -> Iterator[Wanted]:
    if line["status"] == "Result arrived too late":
        yield Wanted("fencing.attempt", "end", {"target": name(line["peer"]), "result": "timeout"})
        return
    good = line["status"] == "OK"
    results: tuple[str, ...] = ("ok",) if good else ("failed", "timeout", "no_device")
    where: dict[str, Scalar] = {"target": name(line["peer"]), "action": line["action"], "result": results}
    if line["id"]:
        where["op_id"] = line["id"][:8]
    yield Wanted("fencing.operation", "end", where)


def _tried(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    where: dict[str, Scalar] = {"target": name(line["peer"]), "device": line["device"], "executed_by": node}
    where["result"] = "timeout" if "Timed Out" in line["why"] else ("failed", "timeout", "no_device")
    yield Wanted("fencing.attempt", "end", where)


_RC = re.compile(r"\brc=(?P<rc>\d+)")
_STATUS = {"ok": ("ok",), "not running": ("failed", "ok"), "timed out": ("timeout",)}


def _operation(_: str, line: Match, name: Name) -> Iterator[Wanted]:
    node, resource, said = name(line["node"]), line["resource"].split(":", 1)[0], line["said"].lower()
    op = "monitor" if line["op"] == "probe" else line["op"]
    status = next((words for word, words in _STATUS.items() if said.startswith(word)), ("failed", "ok", "cancelled"))
    where: dict[str, Scalar] = {"resource": resource, "op": op, "node": node, "status": status}
    rc = _RC.search(line.string)
    if rc is not None:
        where["rc"] = int(rc["rc"])
    yield Wanted("rsc.operation", "end", where)
    here: dict[str, Scalar] = {"resource": resource, "node": node}
    if status == ("ok",) and op in {"start", "promote"}:
        roles = ("Promoted",) if op == "promote" else ("Started", "Unpromoted")
        yield Wanted("rsc.active", "start", {**here, "role": roles})
    elif status == ("ok",) and op == "stop":
        yield Wanted("rsc.active", "gone", here)
    elif said.startswith("not running") and line["op"] == "monitor" and "unconfirmed" in line.string:
        yield Wanted("rsc.active", "end", here)


def _agent_timeout(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    where: dict[str, Scalar] = {"resource": line["resource"].split(":", 1)[0], "op": line["op"], "status": "timeout"}
    yield Wanted("rsc.operation", "end", {**where, "node": node})


def _quorum(quorate: bool) -> Callable[[str, Match, Name], Iterator[Wanted]]:
    def wanted(node: str, _: Match, __: Name) -> Iterator[Wanted]:
        yield Wanted("quorum.view", "start", {"quorate": quorate}, observer=node)

    return wanted


def _device_vote(node: str, _: Match, __: Name) -> Iterator[Wanted]:
    yield Wanted("qdevice.view", "start", {"connected": False}, observer=node)


def _killed(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    where: dict[str, Scalar] = {"daemon": line["daemon"], "signal": int(line["signal"]), "pid": int(line["pid"])}
    yield Wanted("daemon.life", "end", where, observer=node)


def _respawned(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    yield Wanted("daemon.life", "start", {"daemon": line["daemon"], "respawned": True}, observer=node)


def _standby(_: str, line: Match, name: Name) -> Iterator[Wanted]:
    yield Wanted("node.standby", "start", {"node": name(line["id"]), "value": line["value"] in {"on", "true"}})


def _maintenance(_: str, line: Match, __: Name) -> Iterator[Wanted]:
    yield Wanted("node.maintenance", "start", {"node": "", "value": line["value"] == "true"})
    yield Wanted("cluster.option", "start", {"name": "maintenance-mode", "value": line["value"]})


def _twice(_: str, line: Match, __: Name) -> Iterator[Wanted]:
    yield Wanted("contradiction", "during", {"what": ("active_twice", "found_active"), "resource": line["resource"]})


def _blocked(_: str, line: Match, name: Name) -> Iterator[Wanted]:
    yield Wanted("rsc.blocked", "start", {"resource": line["resource"], "node": name(line["node"])})


def _agent_said(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    yield Wanted("fencing.attempt", "during", {"executed_by": node, "text": f"*{line['text'].strip()}"}, lasting=False)


def _device_timeout(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    if line["action"] == "monitor":
        yield Wanted("fencing.device", "end", {"result": "failed"}, observer=node)
    else:
        yield Wanted("fencing.attempt", "end", {"executed_by": node, "result": "timeout"})


def _reason(_: str, line: Match, __: Name) -> Iterator[Wanted]:
    yield Wanted("rsc.operation", "end", {"resource": line["resource"], "exit_reason": f"{line['text'].strip()}*"})


def _members(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    for member in line["ids"].split():
        yield Wanted("membership.partition", "during", {"members": f"+{name(member)}"}, observer=node)


def _leader(node: str, line: Match, name: Name) -> Iterator[Wanted]:
    yield Wanted("dc.view", "start", {"dc": name(line["dc"])}, observer=node)


def _controller(node: str, line: Match, _: Name) -> Iterator[Wanted]:
    yield Wanted("controller.state", "start", {"state": line["state"]}, observer=node)


def _begins(daemon: str) -> Callable[[str, Match, Name], Iterator[Wanted]]:
    def wanted(node: str, _: Match, __: Name) -> Iterator[Wanted]:
        yield Wanted("daemon.life", "start", {"daemon": daemon}, observer=node, late=5 * NS)

    return wanted


def _ends(daemon: str) -> Callable[[str, Match, Name], Iterator[Wanted]]:
    def wanted(node: str, _: Match, __: Name) -> Iterator[Wanted]:
        yield Wanted("daemon.life", "end", {"daemon": daemon, "how": "orderly"}, observer=node)

    return wanted


def _shut_down(node: str, _: Match, __: Name) -> Iterator[Wanted]:
    yield Wanted("node.boot", "during", {"node": node, "how": "orderly"})


def _none(_: str, __: Match, ___: Name) -> Iterator[Wanted]:
    return iter(())


_RESULT_OF_FENCING = (
    r"Operation '(?P<action>\w+)' targeting (?P<peer>\S+) (?:by|on) \S+ for [^:]+: (?P<status>[^(|]+?)"
    r"(?: \(.*?\))?(?: \| id=(?P<id>\w+).*)?$"
)
TELLS: Sequence[tuple[re.Pattern[str], Callable[[str, Match, Name], Iterator[Wanted]]]] = tuple(
    (re.compile(pattern), tells)
    for pattern, tells in (
        (r"\b(?:link|rx): host: (?P<host>\d+) link: (?P<link>\d+) is (?P<state>up|down)", _link),
        (r"forming new configuration: token timed out \(\d+ms\), waiting (?P<ms>\d+)ms", _token),
        (r"A new membership \((?P<ring>[\w.:]+)\) was formed\.(?P<changes>.*)", _ring),
        (r"Node (?P<peer>\S+) state is now (?P<state>\w+)", _peer),
        (r"Cluster node (?P<peer>\S+) will be fenced: (?P<why>.+)", _doomed),
        (r"Requesting (?:peer )?fencing \((?P<action>\w+)\) (?:of|targeting) (?:node )?(?P<peer>\S+)", _asked),
        (_RESULT_OF_FENCING, _fenced),
        (
            r"Operation '\w+' \[\d+\] targeting (?P<peer>\S+) using (?P<device>\S+) (?P<why>could not be executed.*)",
            _tried,
        ),
        (
            r"Result of (?P<op>\w+) operation for (?P<resource>\S+) on (?P<node>[^\s:]+): (?P<said>[^|]*)",
            _operation,
        ),
        (
            r"Resource agent (?P<resource>\S+?)_(?P<op>[a-z]+(?:_(?:to|from))?)_\d+\[\d+\] timed out after",
            _agent_timeout,
        ),
        (r"within the non-primary component", _quorum(quorate=False)),
        (r"within the primary component", _quorum(quorate=True)),
        (r"Quorum lost \|", _quorum(quorate=False)),
        (r"Quorum acquired \|", _quorum(quorate=True)),
        (r"Can't connect to qnetd host", _device_vote),
        (r"(?P<daemon>pacemaker-\w+)\[(?P<pid>\d+)\] terminated with signal (?P<signal>\d+)", _killed),
        (r"Respawning (?P<daemon>pacemaker-\w+) subdaemon", _respawned),
        (r"id=\"nodes-(?P<id>\w+)-standby\" name=\"standby\" value=\"(?P<value>\w+)\"", _standby),
        (r"name=\"maintenance-mode\" value=\"(?P<value>\w+)\"", _maintenance),
        (r"Resource (?P<resource>\S+) is active on \d+ nodes", _twice),
        (
            r"Actions: Stop +(?P<resource>\S+) +\( +(?P<node>\S+) +\) +due to unrunnable \S+ stop \(blocked\)",
            _blocked,
        ),
        (
            r"fence_\w+_(?:reboot|off|on)_\d+of\d+\[\d+\] error output \[ .*?ERROR: (?:Failed: )?(?P<text>.*?) \]",
            _agent_said,
        ),
        (r"Fence agent \S+_(?P<action>[a-z]+)_\d+of\d+\[\d+\] timed out after", _device_timeout),
        (r"\w+\((?P<resource>[\w.-]+)\)\[\d+\]: +ERROR: (?P<text>.+)", _reason),
        (r"^Members\[\d+\]:(?P<ids>(?: \d+)+)", _members),
        (r"^Set DC to (?P<dc>\S+)", _leader),
        (r"^State transition S_\w+ -> (?P<state>S_\w+)", _controller),
        (r"^Corosync Cluster Engine .*starting up", _begins("corosync")),
        (r"^Corosync Cluster Engine exiting normally", _ends("corosync")),
        (r"^Starting Pacemaker \d", _begins("pacemakerd")),
        (r"^Shutdown complete", _ends("pacemakerd")),
        (r"^(?:Reached target|Starting) (?:poweroff|reboot)\.target", _shut_down),
        (r"authentication failure|Failed login by", _none),
    )
)
"""What one line says, and the views that must tell the same; a line of pcsd begins and ends no state of the cluster."""


def wanted(node: str, line: str, name: Name) -> tuple[Wanted, ...] | None:
    """Views that a line must begin or end; None for a line that says nothing known."""
    for pattern, tells in TELLS:
        found = pattern.search(line)
        if found is not None:
            return tuple(tells(node, found, name))
    return None


@dataclass(frozen=True)
class Input:
    """One input, read once."""

    timeline: Timeline
    views: Views

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Input:
        """Rebuild the views of some paths."""
        timeline, reading, _ = read_timeline([str(path) for path in paths], Options())
        return cls(timeline, build_views(timeline, reading.facts))

    def name(self, said: str) -> str:
        """Canonical name of a node."""
        return str(self.timeline.node(said) or said)


def disagreements(one: Input, events: Iterable[Mapping[str, Any]], counted: Counter[str]) -> Iterator[str]:
    """Expected events whose state does not begin or end in the views."""
    for event in events:
        line = " ".join(str(event["line"]).split())
        told = wanted(event["node"], line, one.name)
        if told is None:
            yield f"nothing is known of {line!r}"
            continue
        counted["events"] += 1
        counted["events with a state"] += bool(told)
        at = from_iso(str(event["time"]).replace("Z", "+00:00"))
        for each in told:
            counted["views asked for"] += 1
            if each.found(one.views, at) is None:
                counted["missing"] += 1
                yield f"{event['time']} {event['node']} {event['what']!r}: no {each}"


def lines_that_disagree(one: Input, counted: Counter[str]) -> Iterator[str]:
    """Lines whose state does not hold in the views at their time."""
    for event in one.timeline.events:
        if event.at is None:
            continue
        for each in wanted(str(event.observer), event.message, one.name) or ():
            counted[f"lines: {each.table} {each.edge}"] += 1
            if not each.holds(one.views, event.at.ns):
                counted[f"lines missing: {each.table} {each.edge}"] += 1
                yield f"{event.at.logged} {event.observer} {event.message[:160]!r}: no {each}"


def main(arguments: Sequence[str]) -> int:
    """Print what disagrees, and the figures."""
    counted: Counter[str] = Counter()
    for sample in samples(ROOT):
        if not any(sample.name.startswith(prefix) for prefix in [a for a in arguments if a[0] != "-"] or [""]):
            continue
        for kind, paths in (("bundle", sample.bundle), ("raw", sample.raw)):
            one = Input.read(paths)
            here = [e for e in sample.expected["events"] if kind == "raw" or e["in_bundle"] != "no"]
            told = list(disagreements(one, here, counted))
            told += lines_that_disagree(one, counted) if "--lines" in arguments else ()
            for sentence in told:
                print(f"{sample.name} {kind}: {sentence}")  # noqa: T201 (a program)
    print("; ".join(f"{number} {what}" for what, number in sorted(counted.items())))  # noqa: T201
    return 1 if counted["missing"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
