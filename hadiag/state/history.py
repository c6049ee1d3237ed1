"""Failed operations that only the history in the CIB knows, because no log of the time is in the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.view import View
from hadiag.state.reading import base_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.fact import Fact
    from hadiag.timeline import Timeline

_TIMED_OUT = 2
"""``PCMK_EXEC_TIMEOUT`` (pacemaker include/crm/common/results.h)."""
_UNFINISHED = frozenset({-1, 1})
"""``PCMK_EXEC_PENDING`` and ``PCMK_EXEC_CANCELLED``: their return code says nothing."""
_UNKNOWN_RC = 193
"""``PCMK_OCF_UNKNOWN``, what a pending operation is entered with."""
_REASONS = {
    1: "error",
    2: "invalid parameter",
    3: "unimplemented feature",
    4: "insufficient privileges",
    5: "not installed",
    6: "not configured",
    7: "not running",
    8: "promoted",
    9: "promoted (failed)",
}


def history_views(
    timeline: Timeline, facts: Sequence[Fact], done: Sequence[View], devices: Collection[str]
) -> Iterator[View]:
    """Views of ``rsc.operation`` for failures in the history of the CIB that no line told; the newest of each.

    The time is the executor's ``last-rc-change``, by the clock of the node.
    """
    told = {(v.value["node"], v.value["resource"], v.value["op"]) for v in done if v.value["expected"] is False}
    failed = [fact for fact in facts if fact.table == "rsc.history" and _failed(fact)]
    for fact in sorted(failed, key=lambda one: -_changed(one)):
        name = str(fact.values.get("node") or "")
        node = timeline.node(name) or Node(name)
        resource = base_name(str(fact.values.get("resource")))
        key = (str(node), resource, fact.values.get("op"))
        if key not in told:
            told.add(key)
            yield _view(fact, node, resource, devices)


def _changed(fact: Fact) -> int:
    changed = fact.values.get("last_rc_change_ns")
    return changed if isinstance(changed, int) else 0


def _failed(fact: Fact) -> bool:
    rc, target = fact.values.get("rc"), _target(fact)
    probe = fact.values.get("op") == "monitor" and not fact.values.get("interval_ms")
    pending = fact.values.get("op_status") in _UNFINISHED or rc == _UNKNOWN_RC
    if not _changed(fact) or not fact.values.get("resource") or probe or pending:
        return False
    return fact.values.get("op_status") == _TIMED_OUT or (rc is not None and target is not None and rc != target)


def _target(fact: Fact) -> int | None:
    """Return code that the scheduler wanted: the third part of ``action:transition:target-rc:uuid``."""
    parts = str(fact.values.get("transition_key") or "").split(":")
    return int(parts[2]) if len(parts) > 3 and parts[2].isdigit() else None


def _view(fact: Fact, node: Node, resource: str, devices: Collection[str]) -> View:
    timed_out = fact.values.get("op_status") == _TIMED_OUT
    rc = fact.values.get("rc")
    value: dict[str, Scalar] = {
        "resource": resource,
        "instance": fact.values.get("resource"),
        "op": fact.values.get("op"),
        "interval_ms": fact.values.get("interval_ms"),
        "node": str(node),
        "rc": rc,
        "status": "timeout" if timed_out else "failed",
        "reason": "timed out" if timed_out else _REASONS.get(rc) if isinstance(rc, int) else None,
        "exit_reason": fact.values.get("exit_reason"),
        "probe": False,
        "expected": False,
        "fencing_device": resource in devices,
        "ordered": True,
        "call": fact.values.get("call"),
    }
    at = Instant(_changed(fact), NS, "", TimeBasis.SNAPSHOT)
    return View("rsc.operation", node, at, at, value, None, told_by=fact)
