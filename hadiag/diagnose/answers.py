"""The twelve questions that the Pacemaker manual tells a person to answer by hand, answered from the views.

Six after the failure of a node, six after the failure of a resource (Pacemaker Administration, "Troubleshooting Cluster
Problems"). They are asked of the first loss and of the first failed operation; what the logs do not say stays unanswered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hadiag.diagnose.evidence import quotes
from hadiag.model.diagnosis import Answer
from hadiag.model.frozen import record
from hadiag.model.time import NS, Instant, iso_utc
from hadiag.model.view import View
from hadiag.rulelang.template import format_duration
from hadiag.state import Views
from hadiag.timeline import Timeline

NODE_QUESTIONS = (
    "When and what was the last message of the failed node itself, or about it in the logs of the others?",
    "Did the controllers of the other nodes notice that the node left?",
    "Did the DC invoke the scheduler and schedule a new transition after the node failed?",
    "Did that transition include fencing of the failed node?",
    "Was fencing attempted?",
    "Did fencing succeed?",
)
RESOURCE_QUESTIONS = (
    "Did the controller record the result of the failed resource action?",
    "What were the execution status and the exit status of the failed action?",
    "What in the resource agent gives that status?",
    "Did the DC invoke the scheduler and schedule a new transition after the resource failed?",
    "Did the new transition include recovery of the resource?",
    "Were the recovery actions initiated, and what were their results?",
)
AFTER_NS = 300 * NS

Found = tuple[str | None, tuple[str, ...]]


@record
class _Case:
    timeline: Timeline
    views: Views
    view: View
    start: Instant

    def near(self, *types: str, before_ns: int = 2 * NS, after_ns: int = AFTER_NS) -> list[str]:
        """Uids of events of some types around the start of the case, in the order of time."""
        low, high = self.start.ns - before_ns, self.start.ns + after_ns
        return [e.uid for e in self.timeline.of(*types) if e.at is not None and low <= e.at.ns <= high]


def answers(timeline: Timeline, views: Views) -> tuple[Answer, ...]:
    """Answer all twelve questions, node questions first."""
    loss = _first(v for v in views.of("node.loss") if v.value.get("how") != "orderly")
    failure = _first(v for v in views.of("rsc.operation") if _failed(v))
    found = _answered(NODE_QUESTIONS, _NODE, timeline, views, loss)
    return (*found, *_answered(RESOURCE_QUESTIONS, _RESOURCE, timeline, views, failure))


def _failed(view: View) -> bool:
    v = view.value
    return v.get("status") in {"failed", "timeout"} and v.get("expected") is False and not v.get("fencing_device")


def _first(views: Iterable[View]) -> View | None:
    timed = [(at.ns, v) for v in views if (at := v.start or v.end) is not None]
    return min(timed, key=lambda pair: pair[0])[1] if timed else None


def _answered(
    questions: Sequence[str],
    ways: Sequence[Callable[[_Case], Found]],
    timeline: Timeline,
    views: Views,
    view: View | None,
) -> list[Answer]:
    if view is None:
        return [Answer(question, None, ()) for question in questions]
    start = view.start or view.end
    assert start is not None  # noqa: S101 - views without any time were left out
    case = _Case(timeline, views, view, start)
    result = []
    for question, way in zip(questions, ways, strict=True):
        text, uids = way(case)
        result.append(Answer(question, text, quotes(timeline, uids, 3)))
    return result


def _last_message(case: _Case) -> Found:
    node = str(case.view.value["node"])
    own = [e for e in case.timeline.events if e.observer == node and e.at and e.at.ns <= case.start.ns]
    if own:
        at = own[-1].at
        stamp = iso_utc(at.ns) if at else "unknown"
        return f"The last event of {node} itself before the loss is of {stamp}: {own[-1].message[:160]}", (own[-1].uid,)
    about = [e for e in case.timeline.events if e.subject == node and e.at and e.at.ns <= case.start.ns]
    if not about:
        return None, ()
    return f"No log of {node}; the last word about it: {about[-1].message[:160]}", (about[-1].uid,)


def _noticed(case: _Case) -> Found:
    node = case.view.value["node"]
    uids = [u for u in case.near("pcmk.node.state") if case.timeline.get(u).fields.get("node") == node]
    who = sorted({case.timeline.get(u).observer for u in uids if case.timeline.get(u).observer != node})
    return (f"Yes: {', '.join(who)} logged it.", tuple(uids)) if who else (None, ())


def _scheduled(case: _Case) -> Found:
    uids = case.near("pcmk.transition.calculated")
    if not uids:
        return None, ()
    first = case.timeline.get(uids[0])
    return f"Yes: {first.observer} calculated transition {first.fields.get('transition', 'unknown')}.", (uids[0],)


def _operations(case: _Case) -> list[View]:
    node = case.view.value["node"]
    return [
        v
        for v in case.views.of("fencing.operation")
        if v.value.get("target") == node and v.start and abs(v.start.ns - case.start.ns) <= 2 * AFTER_NS
    ]


def _planned_fencing(case: _Case) -> Found:
    node = case.view.value["node"]
    types = ("sched.will_fence", "sched.scheduling_fence", "pcmk.sched.fence_action")
    uids = [u for u in case.near(*types) if node in case.timeline.get(u).fields.values()]
    return (f"Yes: {case.timeline.get(uids[0]).message[:160]}", tuple(uids)) if uids else (None, ())


def _attempted(case: _Case) -> Found:
    operations = _operations(case)
    if not operations:
        return None, ()
    by = sorted({str(v.value.get("requested_by")) for v in operations if v.value.get("requested_by")})
    return f"Yes, {len(operations)} time(s), asked for by {', '.join(by) or 'an unknown node'}.", _uids(operations)


def _succeeded(case: _Case) -> Found:
    operations = _operations(case)
    good = [v for v in operations if v.value.get("result") == "ok"]
    if good:
        end, start = good[0].end, good[0].start
        took = f" after {format_duration((end.ns - start.ns) / NS)}" if end and start else ""
        return f"Yes{took}.", _uids(good)
    if not operations:
        return None, ()
    last = operations[-1].value
    return f"No: the result was {last.get('result')} ({last.get('error') or 'no reason logged'}).", _uids(operations)


def _uids(views: Sequence[View]) -> tuple[str, ...]:
    return tuple(uid for v in views for uid in (v.opened_by, v.closed_by) if uid)


def _recorded(case: _Case) -> Found:
    v = case.view
    text = f"Yes: {v.value.get('op')} of {v.value.get('resource')} on {v.value.get('node')}."
    return text, tuple(uid for uid in (v.closed_by, v.opened_by) if uid)


def _status(case: _Case) -> Found:
    v = case.view.value
    rc = v.get("rc")
    code = f", exit status {rc}" if rc is not None else ""
    return f"Execution status {v.get('status')}{code} ({v.get('reason') or 'no text'}).", _uids([case.view])[-1:]


def _agent(case: _Case) -> Found:
    reason = case.view.value.get("exit_reason")
    return (f"The agent's reason: {reason}", _uids([case.view])[-1:]) if reason else (None, ())


def _recovery_planned(case: _Case) -> Found:
    resource = case.view.value["resource"]
    uids = [u for u in case.near("pcmk.sched.action") if case.timeline.get(u).fields.get("rsc") == resource]
    return (f"Yes: {case.timeline.get(uids[0]).message[:160]}", tuple(uids)) if uids else (None, ())


def _recovered(case: _Case) -> Found:
    resource = case.view.value["resource"]
    after = [
        v
        for v in case.views.of("rsc.operation")
        if v.value["resource"] == resource
        and v.value.get("op") in {"stop", "start", "promote", "demote"}
        and v.end is not None
        and case.start.ns <= v.end.ns <= case.start.ns + AFTER_NS
        and v is not case.view
    ]
    if not after:
        return None, ()
    said = "; ".join(f"{v.value['op']} on {v.value['node']}: {v.value.get('status')}" for v in after[:6])
    return f"Yes: {said}.", _uids(after)


_NODE: tuple[Callable[[_Case], Found], ...] = (
    _last_message,
    _noticed,
    _scheduled,
    _planned_fencing,
    _attempted,
    _succeeded,
)
_RESOURCE: tuple[Callable[[_Case], Found], ...] = (
    _recorded,
    _status,
    _agent,
    _scheduled,
    _recovery_planned,
    _recovered,
)
