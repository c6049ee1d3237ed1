"""Steps of a wall clock that journals measure: each entry tells the time since boot as well, which nobody sets.

A journal that runs back in time is closed and a new one begun, so that a step may lie between two files of one boot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from hadiag.model.record import BootSpan
from hadiag.model.time import NS
from hadiag.timeline.files import LogFile

_SMALLEST: Final = NS
_SLACK: Final = NS // 2
"""Entries reach two journals of a node at times that differ by less than this; so do the sizes that they measure."""

Key = tuple[str, str]


@dataclass(slots=True)
class Measure:
    """A step of a node's clock: wall times before and behind it, size, time since boot of the entries around it.

    ``firsts`` tells for each journal of that boot the first line behind it (one more than the last line, if none is).
    """

    boot: str
    before: int
    after: int
    by: int
    low: int
    high: int
    firsts: dict[Key, int] = field(default_factory=dict)

    @property
    def elapsed(self) -> int:
        """Time that passed between the entries around it."""
        return max(self.high - self.low, 0)

    def place(self, key: Key, span: BootSpan) -> None:
        """Say where it lies in another journal of the boot, if that ends before it or begins behind it."""
        if span.last_uptime_ns <= self.low + _SLACK:
            self.firsts.setdefault(key, span.last_line + 1)
        elif span.first_uptime_ns >= self.high - _SLACK:
            self.firsts.setdefault(key, span.first_line)


def measured(files: Iterable[LogFile]) -> list[Measure]:
    """Steps that the journals of one node measure, in time order."""
    spans: dict[str, list[tuple[BootSpan, Key]]] = defaultdict(list)
    found: list[Measure] = []
    for file in files:
        summary = file.summary
        if summary is None or len(file.nodes) > 1:
            continue
        for span in summary.boots:
            spans[span.boot].append((span, file.key))
        for step in summary.steps:
            elapsed = step.after_ns - step.before_ns - step.by_ns
            _add(
                found,
                Measure(step.boot, step.before_ns, step.after_ns, step.by_ns, step.uptime_ns - elapsed, step.uptime_ns),
                {file.key: step.line},
            )
    for boot, mine in sorted(spans.items()):
        for measure, firsts in _between(boot, mine):
            _add(found, measure, firsts)
    for measure in found:
        for span, key in spans[measure.boot]:
            measure.place(key, span)
    return sorted(found, key=lambda each: (each.boot, each.high))


def _between(boot: str, spans: list[tuple[BootSpan, Key]]) -> Iterator[tuple[Measure, dict[Key, int]]]:
    """Steps between a journal and the one that follows it."""
    ordered = sorted(spans, key=lambda each: (each[0].first_uptime_ns, each[0].last_uptime_ns, each[1]))
    for (before, one), (after, other) in pairwise(ordered):
        low, high = before.last_uptime_ns, after.first_uptime_ns
        if high >= low and one != other:
            by = (after.first_ns - high) - (before.last_ns - low)
            firsts = {one: before.last_line + 1, other: after.first_line}
            yield Measure(boot, before.last_ns, after.first_ns, by, low, high), firsts


def _add(found: list[Measure], measure: Measure, firsts: dict[Key, int]) -> None:
    """Add what is a step; journals of a node that measure the same one confine it together."""
    if abs(measure.by) < _SMALLEST:
        return
    known = next((each for each in found if _is_same(each, measure)), None)
    if known is None:
        known = measure
        found.append(known)
    elif measure.low > known.low:
        known.low, known.before = measure.low, measure.before
    if measure.high < known.high:
        known.high, known.after = measure.high, measure.after
    known.firsts |= firsts


def _is_same(known: Measure, other: Measure) -> bool:
    meet = known.low < other.high + _SLACK and other.low < known.high + _SLACK
    return known.boot == other.boot and meet and abs(known.by - other.by) <= _SLACK
