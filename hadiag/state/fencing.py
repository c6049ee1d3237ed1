"""Fencing: every operation from the scheduler's reason to the confirmation, and every try of every device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.fencing_attempts import Around, Attempt, attempt_views, fencing_levels, is_agent_line
from hadiag.state.fencing_devices import device_agents
from hadiag.state.fencing_results import OP_RESULT, PEER_TERMINATED, event_result, is_power, short_id
from hadiag.state.reading import at_of, base_name, moment_of, same_file, text
from hadiag.state.stream import placed
from hadiag.state.windows import Window, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

REQUEST = "fence.request"
CLIENT_WANTS = ("fence.client_wants", "fence.client_wants_old")
PEER_REQUEST = "fence.peer_request"
PERFORM = "fence.perform"
DEVICE_RESULT = ("fence.device_result", "fence.device_result_new")
REASONS = ("sched.will_fence", "pcmk.sched.fence_action")
FAILED = ("fence.op_failed", "fence.originator_dead")
MANUAL = "fence.manual_ack"
WATCHDOG = ("fence.watchdog_wait", "fence.watchdog_assumed")
DELAY = "fence.delay"
LATE_RESULT = "fence.late_result"
NOTES = (DELAY, "fence.no_one", "fence.all_failed", "fence.timeout_peer", LATE_RESULT, "fence.merge")
RESULTS = (OP_RESULT, PEER_TERMINATED)

_ALL = (
    REQUEST,
    *CLIENT_WANTS,
    PEER_REQUEST,
    PERFORM,
    *DEVICE_RESULT,
    *FAILED,
    MANUAL,
    *WATCHDOG,
    *NOTES,
    *RESULTS,
)
_CLUSTER_CLIENTS = (
    "pacemaker-controld",
    "pacemaker-fenced",
    "crmd",
    "stonith-ng",
    "stonithd",
    "stonith-api",
    "stonith_api",
    "dlm",
    "sbd",
)
_FORWARDERS = ("pacemaker-fenced", "stonith-ng", "stonithd")
"""A fencer that asks on behalf of another node, which cannot shoot itself."""
_ASKED_FOR = "termination was requested"
"""The scheduler's reason where somebody set the node attribute ``terminate`` (``crm node fence``)."""
_REASON_BEFORE = 120 * NS
_ADOPT = 60 * NS
_CANDIDATES = 20
_BROADCAST = 10 * NS
_ABANDONED = 1800 * NS


@dataclass(slots=True)
class _Operation:
    """One operation while its lines are collected."""

    target: str
    action: str
    op_id: str = ""
    client: str = ""
    requested_by: str = ""
    executed_by: str = ""
    requests: list[Event] = field(default_factory=list)
    results: list[Event] = field(default_factory=list)
    evidence: list[Event] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    manual: bool = False
    refused: bool = False

    @property
    def first_ns(self) -> int:
        """Time of its oldest line."""
        return min(at_of(event).ns for event in self.evidence)

    def begun_before(self, event: Event) -> bool:
        """Whether its first line stands before another: by file where both are in one, else by time."""
        first = min(self.evidence, key=lambda old: (at_of(old).ns, old.seq))
        return first.seq < event.seq if same_file(first, event) else at_of(first).ns <= at_of(event).ns

    def ended_before(self, event: Event) -> bool:
        """Whether its result stands before another line."""
        near = [old for old in self.results if same_file(old, event)]
        if near:
            return any(old.seq < event.seq for old in near)
        return any(at_of(old).ns < at_of(event).ns for old in self.results)

    def gave_up_before(self, event: Event) -> bool:
        """Whether its result stands before another line, and not because that came from elsewhere at the same moment."""
        if not self.ended_before(event):
            return False
        told = any(old.type == LATE_RESULT for old in self.evidence)
        return told or all(at_of(event).ns - at_of(old).ns > _BROADCAST for old in self.results)


class FencingTracker:
    """Tables ``fencing.operation`` and ``fencing.attempt``."""

    consumes = frozenset({*_ALL, *REASONS, "fence.agent_output", "fence.agent_stderr", "fa.*"})

    def views(self, given: Given) -> Iterator[View]:
        """Join the lines of all observers to operations."""
        timeline, facts = given.timeline, given.facts
        around = Around(
            Window(placed(timeline, *REASONS), key=moment_of),
            _agent_lines(timeline),
            device_agents(facts),
            Window(placed(timeline, DELAY), key=moment_of),
            fencing_levels(timeline, facts),
        )
        for operation in _operations(timeline):
            yield from _views(operation, around)


def _operations(timeline: Timeline) -> list[_Operation]:
    """Operations by id first; then the lines without an id find theirs by target and time."""
    lines = placed(timeline, *_ALL)
    identified: dict[str, _Operation] = {}
    for event in lines:
        if short_id(event):
            _identified(timeline, identified, event)
    by_target: dict[str, Window[_Operation]] = {}
    for operation in identified.values():
        by_target.setdefault(operation.target, Window(key=_first_ns)).add(operation)
    found = list(identified.values())
    for event in lines:
        new = None if short_id(event) else _anonymous(timeline, by_target, event)
        if new is not None:
            by_target.setdefault(new.target, Window(key=_first_ns)).add(new)
            found.append(new)
    return found


def _first_ns(operation: _Operation) -> int:
    return operation.first_ns


def _agent_lines(timeline: Timeline) -> dict[str, Window[Event]]:
    """What the agents said on each node."""
    lines = placed(timeline, "fence.agent_output", "fence.agent_stderr", "fa.*")
    return windows(((str(event.observer), event) for event in lines if is_agent_line(event)), key=moment_of)


def _identified(timeline: Timeline, known: dict[str, _Operation], event: Event) -> None:
    """Lines with the id of their operation join whatever the clocks say."""
    op_id, target = short_id(event), text(event, "target")
    operation = known.get(op_id)
    if operation is None and target is not None and event.type not in NOTES:
        operation = known[op_id] = _Operation(target, (text(event, "action") or "reboot").lower(), op_id)
    if operation is not None:
        _record(timeline, operation, event)


def _anonymous(timeline: Timeline, by_target: dict[str, Window[_Operation]], event: Event) -> _Operation | None:
    """Join a line without an id by target and time, in the order of its file; an operation of its own is returned."""
    target, action = text(event, "target", "node", "host"), (text(event, "action") or "").lower()
    if target is None or (event.type in DEVICE_RESULT and not _acts(action)):
        return None
    same = [old for old in _near(by_target.get(target), event) if _same_action(old, action, event)]
    found = _following(same, event) if event.type in (REQUEST, *CLIENT_WANTS) else None
    found = found or _running(same, event) or _just_ended(same, event)
    if event.type in DEVICE_RESULT:
        late = _too_late(same, event)
        if late is not None:
            _device_result(late, event, late=True)
        else:
            _device_result(found, event)
        return None
    new = None
    if found is None and event.type not in (*NOTES, *FAILED, *WATCHDOG):
        found = new = _Operation(target, action or "reboot")
    if found is not None:
        _record(timeline, found, event)
    return new


def _near(same: Window[_Operation] | None, event: Event) -> Sequence[_Operation]:
    """Operations against one node that a line can belong to at all."""
    if same is None:
        return ()
    moment = at_of(event).ns
    return (*same.before(moment, _CANDIDATES), *same.after(moment + 1, _CANDIDATES // 4))


def _acts(action: str) -> bool:
    return is_power(action) or action == "on"


def _same_action(operation: _Operation, action: str, event: Event) -> bool:
    return operation.action == action or not _acts(action) or event.type == MANUAL


def _following(same: Sequence[_Operation], event: Event) -> _Operation | None:
    """The operation that a request begins: its first line comes next, or at about the same moment elsewhere."""
    moment = at_of(event).ns
    fitting = [
        old
        for old in same
        if -_BROADCAST // 5 <= old.first_ns - moment <= _ADOPT // 2
        and not (old.begun_before(event) and old.ended_before(event))
        and not _other_request(old, event)
    ]
    return min(fitting, key=lambda old: abs(old.first_ns - moment)) if fitting else None


def _other_request(operation: _Operation, event: Event) -> bool:
    """A second request of the same node, or of another client, is another operation."""
    if event.type == REQUEST:
        return any(old.type == REQUEST and old.observer == event.observer for old in operation.requests)
    wanted, known = _program(text(event, "client") or ""), _program(operation.client)
    return bool(known and wanted and known != wanted and known not in _FORWARDERS)


def _running(same: Sequence[_Operation], event: Event) -> _Operation | None:
    """The newest operation that has begun and not ended where the line stands."""
    if event.type == REQUEST:
        return None
    live = [
        old
        for old in same
        if old.begun_before(event)
        and not old.ended_before(event)
        and at_of(event).ns - old.first_ns <= _ABANDONED
        and not (event.type in CLIENT_WANTS and _other_request(old, event))
    ]
    return max(live, key=lambda old: old.first_ns) if live else None


def _just_ended(same: Sequence[_Operation], event: Event) -> _Operation | None:
    """The broadcast of a result reaches the other nodes and daemons a moment later."""
    if event.type not in (*RESULTS, *FAILED, *DEVICE_RESULT):
        return None
    near = [old for old in same if any(0 <= at_of(event).ns - at_of(end).ns <= _BROADCAST for end in old.results)]
    told = [old for old in near if not any(e.observer == event.observer and e.type == event.type for e in old.results)]
    return max(told, key=lambda old: old.first_ns) if told else None


def _too_late(same: Sequence[_Operation], event: Event) -> _Operation | None:
    """The operation that had given up waiting for this result of a device.

    The call of the requesting daemon tells which; without it, the newest one with a try that nobody answered, if none runs.
    """
    device, call = text(event, "device"), text(event, "call")
    unanswered = [
        old
        for old in same
        if old.begun_before(event)
        and old.gave_up_before(event)
        and at_of(event).ns - old.first_ns <= _ABANDONED
        and any(attempt.takes(event, device) for attempt in old.attempts)
    ]
    calls = {id(old): {text(line, "call") for line in old.evidence if line.type in FAILED} for old in unanswered}
    asked = [old for old in unanswered if call is not None and call in calls[id(old)]]
    if not asked and (_running(same, event) is not None or _just_ended(same, event) is not None):
        return None
    return max(asked or unanswered, key=lambda old: old.first_ns, default=None)


def _record(timeline: Timeline, operation: _Operation, event: Event) -> None:
    client, origin = text(event, "client"), text(event, "origin", "initiator")
    if client and (not operation.client or event.type in RESULTS):
        operation.client = client
    if origin:
        operation.requested_by = str(timeline.node(origin) or origin)
    executor = text(event, "delegate", "executioner", "executed_by")
    if event.type in (REQUEST, PEER_REQUEST, *CLIENT_WANTS):
        operation.requests.append(event)
        forwarded = _program(operation.client) in _FORWARDERS and event.type != PEER_REQUEST
        if forwarded or not operation.requested_by:
            operation.requested_by = str(event.observer)
    elif event.type in (*RESULTS, "fence.watchdog_assumed"):
        operation.results.append(event)
        if executor and executor not in ("<no-one>", "<no one>", "a peer", "(null)"):
            operation.executed_by = executor
    elif event.type == MANUAL:
        operation.manual = True
        operation.requests.append(event)
    else:
        _progress(operation, event, executor)
    operation.evidence.append(event)


def _progress(operation: _Operation, event: Event, executor: str | None) -> None:
    if event.type == PERFORM:
        operation.executed_by = executor or operation.executed_by
        operation.attempts.append(Attempt(executor or str(event.observer), text(event, "device"), started=event))
    elif event.type in FAILED:
        operation.refused = True


def _device_result(operation: _Operation | None, event: Event, *, late: bool = False) -> None:
    """The executing node's own line about one try."""
    if operation is None:
        return
    device = text(event, "device")
    for attempt in operation.attempts:
        if attempt.takes(event, device):
            attempt.finish(event, device, late=late)
            break
    else:
        attempt = Attempt(str(event.observer), device, started=None)
        attempt.finish(event, device)
        operation.attempts.append(attempt)
    operation.evidence.append(event)


def _views(operation: _Operation, around: Around) -> Iterator[View]:
    begun, done = _begin(operation), _completion(operation)
    end = done.at if done is not None else None
    if begun.at is not None and end is not None and end.ns < begun.at.ns:
        end = begun.at
    head: dict[str, Scalar] = {
        "op_id": operation.op_id or None,
        "action": operation.action,
        "target": operation.target,
    }
    attempts = list(attempt_views(operation.attempts, head, around, done))
    reason = _reason(operation, around.reasons, begun)
    why = text(reason, "reason") if reason is not None else None
    duration = (at_of(done).ns - at_of(begun).ns) / NS if done is not None else None
    value: dict[str, Scalar] = {
        **head,
        **_outcome(operation, attempts, why),
        "reason": why,
        "duration_s": max(duration, 0.0) if duration is not None else None,
    }
    observer = Node(operation.requested_by or str(begun.observer))
    last = done.uid if done is not None else None
    evidence = _evidence(operation, attempts, reason, {begun.uid, last})
    yield View("fencing.operation", observer, begun.at, end, value, begun.uid, last, evidence)
    yield from attempts


def _evidence(
    operation: _Operation, attempts: Sequence[View], reason: Event | None, ends: set[str | None]
) -> tuple[str, ...]:
    """The scheduler's reason, the operation's own lines in order, then what the agents said."""
    uids = [event.uid for event in sorted(operation.evidence, key=lambda event: (at_of(event).ns, event.uid))]
    uids += [uid for view in attempts for uid in view.evidence]
    if reason is not None:
        uids.insert(0, reason.uid)
    return tuple(uid for uid in dict.fromkeys(uids) if uid not in ends)


def _outcome(operation: _Operation, attempts: Sequence[View], reason: str | None) -> dict[str, Scalar]:
    """Who did it with what, and how it ended; ``reason`` is the scheduler's."""
    result, error = _result(operation, attempts)
    manual = operation.manual or _by_hand(operation.client)
    devices = sorted({str(view.value["device"]) for view in attempts if view.value["device"]})
    return {
        "client": _program(operation.client) or None,
        "requested_by": operation.requested_by or None,
        "executed_by": operation.executed_by or None,
        "devices": tuple(devices),
        "attempts": len(attempts),
        "result": result,
        "error": error,
        "manual": manual,
        "by": "admin" if manual or (reason is not None and _ASKED_FOR in reason) else "cluster",
        "origin_pending": not operation.results and not operation.refused,
    }


def _begin(operation: _Operation) -> Event:
    asked = operation.requests or operation.evidence
    own = [event for event in asked if str(event.observer) == operation.requested_by]
    return min(own or asked, key=lambda event: (at_of(event).ns, event.uid))


def _completion(operation: _Operation) -> Event | None:
    """The result as the requesting node logged it; the broadcast reaches the others at the same moment."""
    results = operation.results or [event for event in operation.evidence if event.type in FAILED]
    if not results:
        return None
    for node in (operation.requested_by, operation.executed_by):
        own = [event for event in results if str(event.observer) == node]
        if own:
            return min(own, key=lambda event: (at_of(event).ns, event.type != OP_RESULT, event.uid))
    return min(results, key=lambda event: (at_of(event).ns, event.uid))


def _result(operation: _Operation, attempts: Sequence[View]) -> tuple[str, str | None]:
    words = [event_result(event) for event in operation.results if event.type in RESULTS]
    words += ["ok" for event in operation.results if event.type not in RESULTS]
    if operation.manual and not words:
        words = ["ok"]
    if "ok" in words:
        return "ok", None
    said = [word for word in words if word != "unknown"]
    precise = [word for word in said if word != "failed"]
    if not said and operation.refused:
        said = ["failed"]
    if (
        not precise
        and not attempts
        and any(event.type in ("fence.no_one", "fence.all_failed") for event in operation.evidence)
    ):
        precise = ["no_device"] if said else []
    result = precise[0] if precise else said[0] if said else "unknown"
    if result == "failed" and attempts and all(view.value["result"] == "timeout" for view in attempts):
        result = "timeout"
    return result, _error(operation, attempts) if result != "unknown" else None


def _error(operation: _Operation, attempts: Sequence[View]) -> str | None:
    """The most telling words: the agent's own, then the reason in the result."""
    for view in reversed(attempts):
        if view.value["text"]:
            return str(view.value["text"])
    for event in (*operation.results, *operation.evidence):
        reason = text(event, "reason")
        if reason and event.type not in REASONS:
            return reason.strip(" :()")
    for event in operation.results:
        said = text(event, "exec", "status", "result")
        if said:
            return said
    return None


def _reason(operation: _Operation, reasons: Window[Event], begun: Event) -> Event | None:
    """The scheduler's reason that came last before the request."""
    found: Event | None = None
    moment = at_of(begun).ns
    for event in reasons.between(moment - _REASON_BEFORE, moment + NS):
        about = text(event, "target", "node")
        if about is not None and base_name(about) == operation.target:
            found = event if found is None or event.type != REASONS[1] or not text(found, "reason") else found
    return found


def _program(client: str) -> str:
    """Name of a client without its process id."""
    head, _, tail = client.partition("@")[0].rpartition(".")
    return head if head and tail.isdigit() else client.partition("@")[0]


def _by_hand(client: str) -> bool:
    name = _program(client)
    return bool(name) and not name.startswith(_CLUSTER_CLIENTS)


TRACKER = FencingTracker()
