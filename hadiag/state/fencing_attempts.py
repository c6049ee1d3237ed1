"""Tries of fence devices inside one fencing operation, with what the agent said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.fencing_results import result_word
from hadiag.state.reading import at_of, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.time import Instant

_TELLING = re.compile(
    r"error|fail|unable|denied|refus|timed? ?out|timeout|unreach|no route|invalid|not found|unauth|expired|could ?n[o']t",
    re.IGNORECASE,
)
_NOISE = re.compile(r"DeprecationWarning|pending deprecation|^\s*(from|import) ", re.IGNORECASE)
_AGENT_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ")
_FRAME = re.compile(r"^(?:ERROR|WARNING|INFO):\s*|(?:#012|\\n|\s)+$")
_LATEST = 2 * NS
_MAX_TEXT = 400


@dataclass(slots=True)
class Attempt:
    """One try of one device; ``started`` is the request to the executing node, ``ended`` that node's own result."""

    executed_by: str
    device: str | None
    started: Event | None
    ended: Event | None = None

    def takes(self, event: Event, device: str | None) -> bool:
        """Tell whether a device's result answers this try."""
        if self.ended is not None or self.executed_by != str(event.observer):
            return False
        return self.device is None or device is None or self.device == device

    def finish(self, event: Event, device: str | None) -> None:
        """Take the device's result."""
        self.ended = event
        self.device = device or self.device


def is_agent_line(event: Event) -> bool:
    """Tell whether a line is the output of a fence agent that says something."""
    said = agent_text(event)
    return bool(said) and _NOISE.search(said) is None


def agent_text(event: Event) -> str:
    """What the agent wrote, without the frame that the fencer puts around it."""
    said = text(event, "text", "reason_text", "error") or ""
    if not said:
        inside = re.search(r"\[ (.*?) \]\s*$", event.message)
        said = inside.group(1) if inside else event.message if event.type.startswith("fa.") else ""
    return _FRAME.sub("", _AGENT_STAMP.sub("", said.strip(" []")))


def attempt_views(  # noqa: PLR0913, PLR0917 (the facts of the operation around the tries)
    attempts: Sequence[Attempt],
    op_id: str,
    action: str,
    target: str,
    agent_lines: Sequence[Event],
    agents: dict[str, str],
    done: Event | None,
) -> Iterator[View]:
    """Turn the tries of an operation into views."""
    for index, attempt in enumerate(attempts):
        following = attempts[index + 1] if index + 1 < len(attempts) else None
        lines = _lines(attempt, following, agent_lines, done)
        start = attempt.started or (lines[0] if lines else attempt.ended)
        end = attempt.ended or _next_start(following) or done
        value = _value(attempt, op_id, action, target, lines, agents)
        value["duration_s"] = _seconds(start, end)
        uids = [event.uid for event in lines][:20]
        yield View(
            "fencing.attempt",
            Node(attempt.executed_by),
            start.at if start is not None else None,
            end.at if end is not None else None,
            value,
            start.uid if start is not None else None,
            end.uid if end is not None else None,
            tuple(uid for uid in dict.fromkeys(uids) if start is None or uid != start.uid),
        )


def _next_start(following: Attempt | None) -> Event | None:
    return following.started if following is not None else None


def _seconds(start: Event | None, end: Event | None) -> float | None:
    if start is None or end is None or start is end:
        return None
    return max(0.0, (at_of(end).ns - at_of(start).ns) / NS)


def _value(  # noqa: PLR0913, PLR0917 (the facts of the operation around the try)
    attempt: Attempt, op_id: str, action: str, target: str, lines: Sequence[Event], agents: dict[str, str]
) -> dict[str, Scalar]:
    result, error = _outcome(attempt)
    named = [text(event, "agent") for event in lines]
    said = "" if result == "ok" else _telling(lines)
    return {
        "op_id": op_id or None,
        "action": action,
        "target": target,
        "device": attempt.device,
        "agent": agents.get(attempt.device or "") or next((name for name in named if name), None),
        "executed_by": attempt.executed_by,
        "result": result,
        "error": error,
        "text": said,
    }


def _outcome(attempt: Attempt) -> tuple[str, str | None]:
    if attempt.ended is None:
        return "unknown", None
    event = attempt.ended
    rc = number(event, "rc")
    reason = text(event, "reason", "result")
    word = result_word("ok" if rc == 0 else "failed" if rc is not None else text(event, "result"), reason)
    return word, None if word == "ok" else (reason or (f"rc={rc}" if rc is not None else None))


def _lines(
    attempt: Attempt, following: Attempt | None, agent_lines: Sequence[Event], done: Event | None
) -> list[Event]:
    """Lines of the agent on the executing node, between the request and the result."""
    low = at_of(attempt.started).ns - _LATEST if attempt.started is not None else None
    last = attempt.ended or _next_start(following) or done
    high: int | None = at_of(last).ns + _LATEST // 2 if last is not None else None
    if low is None and high is not None:
        low = high - 60 * NS
    if low is None:
        return []
    return [
        event
        for event in agent_lines
        if str(event.observer) == attempt.executed_by
        and at_of(event).ns >= low
        and (high is None or at_of(event).ns <= high)
        and _of_device(event, attempt.device)
    ]


def _of_device(event: Event, device: str | None) -> bool:
    named = text(event, "device")
    return named is None or device is None or named == device or named.startswith("fence_")


def _telling(lines: Sequence[Event]) -> str:
    """Words of the agent that tell most, each once, in their order."""
    said = list(dict.fromkeys(agent_text(event) for event in lines))
    telling = [line for line in said if _TELLING.search(line)]
    return "; ".join(telling or said)[:_MAX_TEXT]


def instant_of(event: Event | None) -> Instant | None:
    """Instant of an event that may be missing."""
    return event.at if event is not None else None
