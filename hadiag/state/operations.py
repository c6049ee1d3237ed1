"""Operations of resources: who asked, when they ran, what came back, and whether that was expected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hadiag.model.entity import Level, Node
from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.history import history_views
from hadiag.state.reading import at_of, base_name, number, scalar_number, split_opkey, text
from hadiag.state.stream import placed
from hadiag.state.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

RESULTS = ("pcmk.op.result", "pcmk.op.result_new", "pcmk.op.result_1112")
LOCAL_REQUEST = "pcmk.op.local_request"
INITIATE = "pcmk.op.initiate"
UNEXPECTED = "pcmk.op.unexpected"
CONFIRMED = "pcmk.op.confirmed"
OUTPUT = "pcmk.op.output"
FAILED_OP = "sched.failed_op"
TIMEOUTS = ("execd.op.timeout", "execd.op.timed_out_old", "execd.systemd.timeout")
FINISHED = ("execd.finished", "execd.finished_nopid")
DEVICE_LINES = (
    "fence.device_added",
    "fence.device_disabled",
    "fence.device_removed",
    "fence.device_result",
    "fence.device_result_new",
)
AGENT_LINES = ("ra.*",)
CONSUMES = frozenset(
    {*RESULTS, LOCAL_REQUEST, INITIATE, UNEXPECTED, CONFIRMED, OUTPUT, FAILED_OP, *TIMEOUTS, *FINISHED}
    | {*DEVICE_LINES, *AGENT_LINES}
)

PROBE_HARMLESS = frozenset({0, 5, 7, 8, 190, 191})
_RUNNING = frozenset({0, 8, 190, 191})
_RC_BY_TEXT = {
    "ok": 0,
    "unknown error": 1,
    "error": 1,
    "error occurred": 1,
    "invalid parameter": 2,
    "unimplemented feature": 3,
    "unimplemented": 3,
    "insufficient privileges": 4,
    "not installed": 5,
    "not configured": 6,
    "not running": 7,
    "promoted": 8,
    "master": 8,
    "running (master)": 8,
    "promoted (failed)": 9,
    "master (failed)": 9,
    "failed promoted": 9,
    "promoted (failing)": 9,
}
_STATUS_BY_TEXT = {"timed out": "timeout", "timeout": "timeout", "cancelled": "cancelled", "pending": "pending"}
_NO_END = "did not complete within"
"""How the executor says that it ended an agent, in the place of a result."""
_NO_OPERATIONS = frozenset({"cancel", "clear_failcount", "lrm_delete"})
_SAME_CALL = 300 * NS
_ANSWER = 3600 * NS
_OUTPUT_NEAR = 5 * NS
_LATE = 2 * NS
_MAX_EVIDENCE = 50
_FOLLOWING = 20
"""Results after a moment that are looked at; the one that a line belongs to comes soon."""


@dataclass(slots=True, eq=False)
class Operation:
    """One operation while its lines are collected."""

    resource: str
    op: str
    interval_ms: int
    node: str
    observer: Node
    asked: Event | None = None
    answered: Event | None = None
    rc: int | None = None
    status: str = "pending"
    reason: str = ""
    exit_reason: str = ""
    call: int | None = None
    ordered: bool | None = None
    unexpected: bool | None = None
    evidence: list[str] = field(default_factory=list)

    @property
    def probe(self) -> bool:
        """A one-time monitor that only asks whether the resource is there."""
        return self.op == "monitor" and self.interval_ms == 0

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes two lines speak of the same operation."""
        return self.node, base_name(self.resource), self.op, self.interval_ms

    def expected(self) -> bool:
        """Whether the result is what was wanted, or does no harm."""
        if self.status in ("cancelled", "pending", "unknown"):
            return True
        if self.probe:
            return self.status != "timeout" and self.rc in PROBE_HARMLESS
        if self.unexpected is True or self.status == "timeout":
            return False
        return self.rc in _RUNNING if self.op == "monitor" and self.rc is not None else self.status == "ok"


_FENCER_SAYS = ("Fence agent ", "Fencer ")
"""How the fencer begins the reason of a failed start or monitor of a device."""

Waiting = dict[tuple[str, str, str, bool], list[Operation]]


def operations(timeline: Timeline, facts: Sequence[Fact], devices: frozenset[str]) -> tuple[View, ...]:
    """All operations as views of the table ``rsc.operation``."""
    collected = _collect(timeline)
    logged = tuple(_view(operation, devices) for operation in collected)
    return (*logged, *history_views(timeline, facts, logged, devices))


def fence_devices(timeline: Timeline, facts: Sequence[Fact]) -> frozenset[str]:
    """Names of the fence devices, from the configuration, from the fencer's own lines, and from its words in a result."""
    names = {
        str(fact.values.get("id"))
        for fact in facts
        if fact.table == "fencing.device"
        or (fact.table == "resource" and (fact.values.get("fencing") is True or fact.values.get("class") == "stonith"))
    }
    names |= {device for event in timeline.of(*DEVICE_LINES) if (device := text(event, "device")) is not None}
    for event in timeline.of("sched.failed_op", *RESULTS):
        resource = text(event, "rsc")
        if resource is not None and (text(event, "exit_reason") or "").startswith(_FENCER_SAYS):
            names.add(base_name(resource))
    return frozenset(names)


def _collect(timeline: Timeline) -> list[Operation]:
    done: list[Operation] = []
    waiting: Waiting = {}
    recurring: set[tuple[str, str, str, bool]] = set()
    for event in placed(timeline, LOCAL_REQUEST, INITIATE, *RESULTS):
        if event.type in RESULTS:
            answered = _answer(event, waiting)
            if answered is None:
                continue
            # A recurring monitor is asked for once; its later results answer the same request.
            answered.ordered = answered.ordered or _queue(answered.key) in recurring
            if answered.ordered and answered.interval_ms > 0:
                recurring.add(_queue(answered.key))
            done.append(answered)
        else:
            _ask(event, waiting)
    _second_hand(timeline, done, waiting)
    done.extend(_unanswered(done, waiting))
    _add_output(timeline, done)
    _add_agent_lines(timeline, done)
    _add_scheduler(timeline, done)
    return sorted(done, key=_place)


def _place(operation: Operation) -> tuple[int, str, int]:
    """Place of the result, so that results of one file stay in its order where their stamps are equal."""
    event = operation.answered or operation.asked
    return (at_of(event).ns, event.ref.path, event.seq) if event is not None else (0, "", 0)


def _unanswered(done: Sequence[Operation], waiting: Waiting) -> list[Operation]:
    """Requests without a result; the DC's line may come after the result where clocks tick in seconds."""
    answered: dict[tuple[str, str, str, bool], Window[Operation]] = {}
    for operation in done:
        answered.setdefault(_queue(operation.key), Window(key=_answered_ns)).add(operation)
    return [
        operation
        for key, queue in sorted(waiting.items())
        for operation in queue
        if key not in answered or not _late_request(operation, answered[key])
    ]


def _late_request(operation: Operation, answered: Window[Operation]) -> bool:
    moment = _first_ns(operation)
    return any(
        _compatible(old.interval_ms, operation.interval_ms) and _first_ns(old) - _LATE <= moment
        for old in answered.after(moment - _LATE, _FOLLOWING)
    )


def _first_ns(operation: Operation) -> int:
    event = operation.asked or operation.answered
    return at_of(event).ns if event is not None else 0


def _identify(event: Event) -> tuple[str, str, int] | None:
    """Resource (with instance), operation and interval that a line speaks of."""
    resource, op = text(event, "rsc", "resource"), (text(event, "op") or "").lower()
    interval = number(event, "interval_ms")
    split = split_opkey(text(event, "opkey", "key") or "")
    if split is not None:
        resource = resource or split[0]
        op, interval = split[1] if op in ("", "probe", "create", "modify", "delete") else op, split[2]
    if not resource or not op:
        return None
    if op == "probe":
        op, interval = "monitor", 0
    return resource, op, interval if interval is not None else 0 if op != "monitor" else -1


def _ask(event: Event, waiting: Waiting) -> None:
    """Remember a request; the executing node's own line has the better time than the DC's."""
    identity, node = _identify(event), text(event, "node")
    if identity is None or node is None or identity[1] in _NO_OPERATIONS:
        return
    resource, op, interval = identity
    operation = Operation(resource, op, interval, node, Node(node), asked=event, ordered=True)
    queue = waiting.setdefault(_queue(operation.key), [])
    for other in queue:
        near = at_of(event).ns - _first_ns(other) < 60 * NS
        if near and _compatible(other.interval_ms, interval) and other.asked is not None:
            other.evidence.append(event.uid)
            other.interval_ms = max(other.interval_ms, interval)
            if str(event.observer) == node and str(other.asked.observer) != node:
                other.evidence.append(other.asked.uid)
                other.asked = event
            return
    queue.append(operation)


def _queue(key: tuple[str, str, str, int]) -> tuple[str, str, str, bool]:
    """Requests that a result may answer: a recurring monitor's request does not always name its interval."""
    return key[0], key[1], key[2], key[3] == 0


def _compatible(one: int, two: int) -> bool:
    return one == two or one < 0 or two < 0


def _answer(event: Event, waiting: Waiting, where: str | None = None) -> Operation | None:
    identity = _identify(event)
    node = where or text(event, "node") or str(event.observer)
    if identity is None:
        return None
    resource, op, interval = identity
    operation = _take(waiting, (node, base_name(resource), op, interval), at_of(event).ns)
    if operation is None:
        operation = Operation(resource, op, interval, node, event.observer)
    # A one-time monitor is printed as "probe" since 1.1.15: a monitor without its key is a recurring one.
    operation.interval_ms = interval if interval >= 0 else operation.interval_ms
    # The node's own line tells unique instances apart; the DC numbers all of them, and not the same way for long.
    operation.resource = resource if event.type in RESULTS else base_name(resource)
    operation.observer, operation.answered = event.observer, event
    _outcome(operation, event)
    return operation


def _take(waiting: Waiting, key: tuple[str, str, str, int], ns: int) -> Operation | None:
    """Newest request that a result can answer; older ones of the same kind will not be answered any more."""
    queue = waiting.get(_queue(key), [])
    fitting = [operation for operation in queue if _compatible(operation.interval_ms, key[3])]
    waiting[_queue(key)] = [operation for operation in queue if operation not in fitting]
    recent = [operation for operation in fitting if ns - _first_ns(operation) <= _ANSWER]
    return recent[-1] if recent else None


def _outcome(operation: Operation, event: Event) -> None:
    said = (text(event, "result", "actual") or "").strip()
    status = (text(event, "status") or "").lower()
    operation.call = number(event, "call")
    operation.rc = number(event, "rc", "result_rc", "exit_status")
    if operation.rc is None:
        operation.rc = _RC_BY_TEXT.get(said.lower())
    operation.reason = said
    operation.exit_reason = (text(event, "exit_reason") or "").strip(" ()")
    operation.status = _status(status, said.lower(), operation)


def _status(status: str, said: str, operation: Operation) -> str:
    for word, known in _STATUS_BY_TEXT.items():
        if status == known or said.startswith(word):
            return known
    if operation.rc is not None:
        good = operation.rc in _RUNNING if operation.op == "monitor" else operation.rc == 0
        return "ok" if good else "failed"
    return "ok" if status in ("ok", "complete", "done") else "failed" if said or status else "unknown"


def _second_hand(timeline: Timeline, done: list[Operation], waiting: Waiting) -> None:
    """Results that the DC reports: confirmation of known ones, the only trace where the node has no logs."""
    by_key: dict[tuple[str, str, str], Window[Operation]] = {}
    for operation in done:
        by_key.setdefault(operation.key[:3], Window(key=_answered_ns)).add(operation)
    sent: dict[tuple[Node, str | None, int], str] = {}
    for event in placed(timeline, INITIATE, UNEXPECTED, CONFIRMED):
        identity, node = _identify(event), text(event, "node")
        action = event.observer, text(event, "opkey"), number(event, "action_id") or -1
        if event.type == INITIATE and node is not None:
            sent[action] = node
        if identity is None or node is None or event.type == INITIATE:
            continue
        # An action for a remote node is confirmed by, and in the name of, the member that holds its connection.
        node = sent.get(action, node) if action[2] >= 0 else node
        key = (node, base_name(identity[0]), identity[1])
        known = _same_call(by_key[key], event, identity[2]) if key in by_key else None
        if known is not None:
            known.evidence.append(event.uid)
        else:
            known = _answer(event, waiting, node)
        if known is None:
            continue
        if known.answered is event:
            done.append(known)
            by_key.setdefault(known.key[:3], Window(key=_answered_ns)).add(known)
        known.unexpected = True if event.type == UNEXPECTED else known.unexpected


def _same_call(candidates: Window[Operation], event: Event, interval: int) -> Operation | None:
    call, rc, moment = number(event, "call"), number(event, "rc"), at_of(event).ns
    near = [
        operation
        for operation in candidates.between(moment - _SAME_CALL, moment + _SAME_CALL)
        if _compatible(operation.interval_ms, interval) and (call is None or operation.call in (None, call))
    ]
    # All results of a recurring monitor have one call number: another return code is another result.
    pool = [one for one in near if one.rc == rc] or [one for one in near if rc is None or one.rc is None]
    return min(pool, key=lambda found: abs(_answered_ns(found) - moment)) if pool else None


def _answered_ns(operation: Operation) -> int:
    return at_of(operation.answered).ns if operation.answered is not None else 0


def _add_output(timeline: Timeline, done: Sequence[Operation]) -> None:
    """Texts that agents hand to the cluster; they count for operations that failed."""
    answered: dict[tuple[str, str, str], Window[Operation]] = {}
    for operation in done:
        if operation.answered is not None:
            answered.setdefault(operation.key[:3], Window(key=_answered_ns)).add(operation)
    for event in placed(timeline, OUTPUT, *TIMEOUTS, *FINISHED):
        identity = _identify(event)
        if identity is None:
            continue
        node = text(event, "node") or str(event.observer)
        same = answered.get((node, base_name(identity[0]), identity[1]))
        nearest = _near(same, identity[2], at_of(event).ns) if same is not None else None
        if nearest is not None and not nearest.expected():
            _explain(nearest, event)


def _near(same: Window[Operation], interval: int, ns: int) -> Operation | None:
    """Result of the operation that is closest to a line in time."""
    near = [
        operation
        for operation in same.between(ns - _OUTPUT_NEAR, ns + _OUTPUT_NEAR)
        if interval <= 0 or _compatible(operation.interval_ms, interval)
    ]
    return min(near, key=lambda operation: abs(_answered_ns(operation) - ns)) if near else None


def _explain(operation: Operation, event: Event) -> None:
    operation.evidence.append(event.uid)
    said = text(event, "exit_reason", "reason")
    if said and event.type not in TIMEOUTS and not operation.exit_reason:
        operation.exit_reason = said.strip(" ()")


def _add_agent_lines(timeline: Timeline, done: Sequence[Operation]) -> None:
    """Lines that an agent logged itself, for failed operations of its resource only."""
    failed: dict[str, Window[Operation]] = {}
    for operation in done:
        if not operation.expected() and operation.answered is not None:
            failed.setdefault(operation.node, Window(key=_answered_ns)).add(operation)
    for event in placed(timeline, *AGENT_LINES) if failed else ():
        if event.level < Level.WARNING and not event.type.startswith("ra.ocf"):
            continue  # what an agent says in passing proves no failure
        resource = text(event, "rsc", "resource")
        candidates = failed.get(str(event.observer))
        for operation in candidates.after(at_of(event).ns - NS, _FOLLOWING) if candidates is not None else ():
            other = resource is not None and base_name(resource) != base_name(operation.resource)
            if other or not _during(operation, event):
                continue
            if len(operation.evidence) < _MAX_EVIDENCE:
                operation.evidence.append(event.uid)
            said = text(event, "reason", "exit_reason")
            if said and not operation.exit_reason and (resource is not None or event.type.startswith("ra.ocf")):
                operation.exit_reason = said


def _during(operation: Operation, event: Event) -> bool:
    end = _answered_ns(operation)
    start = _first_ns(operation) if operation.asked is not None else end - 20 * NS
    if operation.op == "monitor" and not operation.probe:
        start = max(start, end - 60 * NS)  # a recurring monitor is asked for once, and its runs take seconds
    return start - NS <= at_of(event).ns <= end + NS


def _add_scheduler(timeline: Timeline, done: list[Operation]) -> None:
    """Failures that only the scheduler still knows, because the node's log does not reach back or is missing."""
    known = {(op.node, base_name(op.resource), op.op) for op in done if op.status in ("failed", "timeout")}
    known |= {(op.node, base_name(op.resource), op.op) for op in done if op.probe}
    unexplained: dict[tuple[str, str, str], Window[Operation]] = {}
    for op in done:
        if op.status == "failed" and not op.exit_reason and not op.probe:
            unexplained.setdefault(op.key[:3], Window(key=_answered_ns)).add(op)
    for event in placed(timeline, FAILED_OP):
        resource, node = text(event, "rsc", "resource"), text(event, "node")
        word = (text(event, "op") or "").lower()
        probe = word == "probe"
        word = "monitor" if probe else word.split("_")[0] if word.startswith(("start", "stop", "monitor")) else word
        if resource is None or node is None or not word:
            continue
        key = (node, base_name(resource), word)
        if key in known:
            _add_reason(unexplained.get(key), event)
            continue
        known.add(key)
        operation = Operation(base_name(resource), word, 0 if probe else -1, node, event.observer, answered=event)
        _outcome(operation, event)
        operation.exit_reason = operation.exit_reason or (text(event, "exit_reason", "reason") or "")
        operation.unexpected = True
        done.append(operation)


def _add_reason(unexplained: Window[Operation] | None, event: Event) -> None:
    """The executor's words for a failure of which the DC printed the return code only."""
    reason = (text(event, "exit_reason", "reason") or "").strip(" ()")
    moment = at_of(event).ns
    for operation in unexplained.between(moment - _OUTPUT_NEAR, moment) if unexplained is not None else ():
        if not reason or operation.exit_reason:
            continue
        operation.exit_reason = reason
        operation.evidence.append(event.uid)
        operation.status = "timeout" if _NO_END in reason else operation.status


def _view(operation: Operation, devices: frozenset[str]) -> View:
    asked, answered = operation.asked, operation.answered
    end = answered.at if answered is not None else None
    start = asked.at if asked is not None else end
    if start is not None and end is not None and start.ns > end.ns:
        start = replace(start, ns=end.ns)
    value: dict[str, Scalar] = {
        "resource": base_name(operation.resource),
        "instance": operation.resource,
        "op": operation.op,
        "interval_ms": operation.interval_ms if operation.interval_ms >= 0 else None,
        "node": operation.node,
        "rc": operation.rc,
        "status": operation.status,
        "reason": operation.reason or None,
        "exit_reason": operation.exit_reason or None,
        "probe": operation.probe,
        "expected": operation.expected(),
        "fencing_device": base_name(operation.resource) in devices,
        "ordered": operation.ordered is True,
        "call": operation.call,
    }
    opener = asked if asked is not None else answered
    first, last = opener.uid if opener is not None else None, answered.uid if answered is not None else None
    evidence = tuple(uid for uid in dict.fromkeys(operation.evidence) if uid not in (first, last))[:_MAX_EVIDENCE]
    return View("rsc.operation", operation.observer, start, end, value, first, last, evidence)


def failures(views: Sequence[View]) -> Iterator[View]:
    """Operations of real resources whose result was not expected."""
    for view in views:
        if view.value["expected"] is False and view.value["fencing_device"] is False:
            yield view


def rc_of(view: View) -> int | None:
    """Return code of an operation view."""
    return scalar_number(view.value, "rc")
