"""Tries of fence devices inside one fencing operation, with what the agent said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.state.fencing_results import result_word
from hadiag.state.reading import at_of, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.state.windows import Window
    from hadiag.timeline import Timeline

_TELLING = re.compile(
    r"error|fail|unable|denied|refus|timed? ?out|timeout|unreach|no route|invalid|not found|unauth|expired|could ?n[o']t",
    re.IGNORECASE,
)
_NOISE = re.compile(r"DeprecationWarning|pending deprecation|^\s*(from|import) ", re.IGNORECASE)
_AGENT_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ")
_FRAME = re.compile(r"^(?:ERROR|WARNING|INFO):\s*|(?:#012|\\n|\s)+$")
_SPAN = re.compile(r"^(?P<number>\d+(?:\.\d+)?)(?P<unit>m?s)$")
_LATEST = 2 * NS
_WAITS = 60 * NS
"""A device is told to wait right after it was asked; a try that nobody answered has no other end."""
_NEVER = 1 << 63
_MAX_TEXT = 400


@dataclass(slots=True)
class Attempt:
    """One try of one device; ``started`` is the request to the executing node, ``ended`` that node's own result.

    ``late``: the operation had ended before, because nobody waited for this try any more.
    """

    executed_by: str
    device: str | None
    started: Event | None
    ended: Event | None = None
    late: bool = False

    def takes(self, event: Event, device: str | None) -> bool:
        """Tell whether a device's result answers this try."""
        if self.ended is not None or self.executed_by != str(event.observer):
            return False
        return self.device is None or device is None or self.device == device

    def finish(self, event: Event, device: str | None, *, late: bool = False) -> None:
        """Take the device's result."""
        self.ended, self.late = event, late
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


@record
class Around:
    """What operations and tries are explained by: the scheduler's reasons, the agents' words and delays, the configuration."""

    reasons: Window[Event]
    agent_lines: Mapping[str, Window[Event]]
    agents: Mapping[str, str]
    delays: Window[Event]
    levels: Mapping[tuple[str, str], int]
    """Level of the fencing topology, by target and device."""


def fencing_levels(timeline: Timeline, facts: Sequence[Fact]) -> dict[tuple[str, str], int]:
    """Level of each device for each node that a level names; levels by pattern or attribute name no node."""
    found: dict[tuple[str, str], int] = {}
    for fact in facts:
        level, target, devices = (fact.values.get(key) for key in ("level", "target", "devices"))
        if fact.table != "fencing.level" or not isinstance(target, str) or not isinstance(devices, tuple):
            continue
        if isinstance(level, int | str) and str(level).isdigit():
            name = str(timeline.node(target) or target)
            for device in devices:
                found[name, device] = min(int(level), found.get((name, device), int(level)))
    return found


def attempt_views(
    attempts: Sequence[Attempt], head: Mapping[str, Scalar], around: Around, done: Event | None
) -> Iterator[View]:
    """Turn the tries of an operation into views; ``head`` is what they share: op_id, action and target."""
    for index, attempt in enumerate(attempts):
        following = attempts[index + 1] if index + 1 < len(attempts) else None
        delay = _delay(attempt, str(head["target"]), attempt.ended or _next_start(following) or done, around)
        if delay is not None:
            attempt.device = attempt.device or text(delay, "device")
        lines = _lines(attempt, following, around, done)
        start = attempt.started or (lines[0] if lines else attempt.ended)
        end = attempt.ended or _next_start(following) or done
        level = around.levels.get((str(head["target"]), attempt.device or ""))
        value = {**head, **_value(attempt, lines, around), "duration_s": _seconds(start, end), "level": level}
        value["delay_s"] = _delay_s(delay)
        uids = [event.uid for event in (*([delay] if delay is not None else ()), *lines)][:20]
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


def _delay(attempt: Attempt, target: str, last: Event | None, around: Around) -> Event | None:
    """The line with which the executing node let a device wait; it also names the device of a try that nobody answered."""
    if attempt.started is None:
        return None
    begun = at_of(attempt.started).ns
    for event in around.delays.between(begun - _LATEST, at_of(last).ns if last is not None else begun + _WAITS):
        other = attempt.device is not None and text(event, "device") not in {None, attempt.device}
        aimed = text(event, "target") in {None, target}
        if str(event.observer) == attempt.executed_by and aimed and not other:
            return event
    return None


def _delay_s(event: Event | None) -> float | None:
    told = _SPAN.match(text(event, "delay") or "") if event is not None else None
    return None if told is None else float(told["number"]) / (1000 if told["unit"] == "ms" else 1)


def _next_start(following: Attempt | None) -> Event | None:
    return following.started if following is not None else None


def _seconds(start: Event | None, end: Event | None) -> float | None:
    if start is None or end is None or start is end:
        return None
    return max(0.0, (at_of(end).ns - at_of(start).ns) / NS)


def _value(attempt: Attempt, lines: Sequence[Event], around: Around) -> dict[str, Scalar]:
    result, error = _outcome(attempt)
    answer = result
    if attempt.late:
        result, error = "timeout", error if answer == "timeout" else None
    named = [text(event, "agent") for event in lines]
    return {
        "device": attempt.device,
        "agent": around.agents.get(attempt.device or "") or next((name for name in named if name), None),
        "executed_by": attempt.executed_by,
        "result": result,
        "error": error,
        "text": "" if answer == "ok" else _telling(lines),
        "late_result": answer if attempt.late else None,
    }


def _outcome(attempt: Attempt) -> tuple[str, str | None]:
    if attempt.ended is None:
        return "unknown", None
    event = attempt.ended
    rc = number(event, "rc")
    reason = text(event, "reason", "result")
    word = result_word("ok" if rc == 0 else "failed" if rc is not None else text(event, "result"), reason)
    return word, None if word == "ok" else (reason or (f"rc={rc}" if rc is not None else None))


def _lines(attempt: Attempt, following: Attempt | None, around: Around, done: Event | None) -> list[Event]:
    """Lines of the agent on the executing node, between the request and the result."""
    last = attempt.ended or _next_start(following) or done
    said = around.agent_lines.get(attempt.executed_by)
    if said is None or (last is None and attempt.started is None):
        return []
    high = at_of(last).ns + _LATEST // 2 if last is not None else _NEVER
    low = at_of(attempt.started).ns - _LATEST if attempt.started is not None else high - 60 * NS
    return [event for event in said.between(low, high) if _of_device(event, attempt.device)]


def _of_device(event: Event, device: str | None) -> bool:
    named = text(event, "device")
    return named is None or device is None or named == device or named.startswith("fence_")


def _telling(lines: Sequence[Event]) -> str:
    """Words of the agent that tell most, each once, in their order."""
    said = list(dict.fromkeys(agent_text(event) for event in lines))
    telling = [line for line in said if _TELLING.search(line)]
    return "; ".join(telling or said)[:_MAX_TEXT]
