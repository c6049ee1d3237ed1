"""Who was fenced off, and when: the part of fencing that other trackers need."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.state.reading import at_of, text
from hadiag.state.stream import placed
from hadiag.timeline.known import STARTS

if TYPE_CHECKING:
    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.timeline import Timeline

OP_RESULT = "fence.op_result"
PEER_TERMINATED = "fence.peer_terminated"
POWER_ACTIONS = ("off", "reboot", "poweroff", "cycle")

RESULT_WORDS = ("ok", "failed", "timeout", "no_device", "unknown")

_SAME = 30 * NS
_GRACE = 5 * NS
"""Lines that are written this long after a node was switched off are those of clocks that differ."""
_OUTLIVED = 120 * NS
_OK_WORDS = ("ok", "complete", "done", "success", "succeeded", "operation was successful")
_TIMEOUT_WORDS = ("timed out", "timeout", "timer expired", "time out", "operation timed out")
_NO_DEVICE_WORDS = ("no such device", "no fence device", "no_device", "no device")


@record
class Fenced:
    """A fencing operation that took a node down: whom, when it was confirmed, and the line that says so."""

    target: str
    at: Instant
    uid: str
    op_id: str


def result_word(result: str | None, *details: str | None) -> str:
    """Map what pacemaker prints as a result to ``ok``, ``failed``, ``timeout``, ``no_device`` or ``unknown``."""
    said = [word.strip().lower() for word in (result, *details) if word]
    if not said:
        return "unknown"
    if said[0] in RESULT_WORDS or said[0] in _OK_WORDS:
        return said[0] if said[0] in RESULT_WORDS else "ok"
    joined = " ".join(said)
    if any(word in joined for word in _TIMEOUT_WORDS):
        return "timeout"
    return "no_device" if any(word in joined for word in _NO_DEVICE_WORDS) else "failed"


def event_result(event: Event) -> str:
    """Result of an operation as one line states it."""
    status = text(event, "status")
    word = result_word(text(event, "result"), status, text(event, "exec"), text(event, "reason"))
    # "Error occurred (Done)": the agent ran to its end, and its end was an error.
    refuted = status is not None and result_word(status) != "ok"
    return "failed" if word == "ok" and (refuted or text(event, "negated", "neg")) else word


def short_id(event: Event) -> str:
    """First eight digits of the operation's id; every line carries at least these."""
    return (text(event, "op_id", "ref_id") or "")[:8].lower()


def is_power(action: str | None) -> bool:
    """Tell whether an action takes a node down."""
    return (action or "").lower() in POWER_ACTIONS


def fenced_nodes(timeline: Timeline) -> tuple[Fenced, ...]:
    """Successful ``off`` and ``reboot`` operations, each once, at its earliest confirmation."""
    found: dict[tuple[str, str], Fenced] = {}
    for event in placed(timeline, OP_RESULT, PEER_TERMINATED):
        target = text(event, "target")
        if target is None or not is_power(text(event, "action") or "reboot") or event_result(event) != "ok":
            continue
        done = Fenced(target, at_of(event), event.uid, short_id(event))
        if not _known(done, found):
            found[target, done.op_id or event.uid] = done
    return tuple(sorted(found.values(), key=lambda done: (done.at.ns, done.target)))


def outlived(timeline: Timeline, done: Fenced) -> bool:
    """Tell whether a node's own log goes on behind the confirmation that it is off, without an end and a start in between.

    Somebody confirmed by hand what was not so, or the device switched another machine: what the node did goes on.
    """
    node = Node(done.target)
    around = [each for each in timeline.silences.get(node, ()) if each.end_ns is None or each.end_ns >= done.at.ns]
    if done.at.err_ns is None or any(each.start_ns <= done.at.ns + _GRACE for each in around):
        return False
    times, events = timeline.logged_by(node)
    first = bisect_left(times, done.at.ns - _GRACE)
    last = bisect_right(times, done.at.ns + _OUTLIVED)
    if not first or times[last - 1] < done.at.ns + _GRACE:
        return False
    return not any(event.type in STARTS for event in events[first:last])


def _known(done: Fenced, found: dict[tuple[str, str], Fenced]) -> bool:
    if done.op_id:
        return (done.target, done.op_id) in found
    return any(old.target == done.target and abs(old.at.ns - done.at.ns) < _SAME for old in found.values())
