"""Remarks on a catalogue that loads: patterns that are slow, too broad, twice there, or that shadow each other."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from hadiag.catalogue.matcher import Matcher
from hadiag.catalogue.programs import canonical
from hadiag.catalogue.samples import tidy
from hadiag.catalogue.types import Catalogue, EventType, Pattern

CALLBACKS_PER_LINE: Final = 1.5
"""How often the scan may report, on average, for one line that hits."""

_PROBE_LENGTHS: Final = (75, 150, 300, 596)  # longer messages are matched in linear time
_WEAK_TEXT: Final = 6
_PROBE_LIMIT_S: Final = 0.05
_PROBES: Final = 2  # the faster one counts: what else the machine does is not the pattern's fault
_BROAD_WEIGHT: Final = 8
_BROAD_TYPES: Final = 3


def lint(catalogue: Catalogue) -> list[str]:
    """Remarks as ``file:line: type: what is wrong``, in the order of the catalogue."""
    matcher = Matcher(catalogue)
    remarks: list[str] = []
    for check in (_duplicates, _origins):
        remarks.extend(check(catalogue))
    for probe in (_details, _backtracking, _claims, _callbacks):
        remarks.extend(probe(catalogue, matcher))
    return remarks


def _remark(pattern: Pattern, text: str) -> str:
    return f"{pattern.origin}: {pattern.type}: {text}"


def _duplicates(catalogue: Catalogue) -> Iterator[str]:
    seen: dict[str, Pattern] = {}
    for pattern in catalogue.patterns:
        first = seen.setdefault(pattern.regex, pattern)
        if first is not pattern and _may_meet(catalogue.types[first.type], catalogue.types[pattern.type]):
            yield _remark(pattern, f"the same regex as {first.type} ({first.origin})")


def _may_meet(one: EventType, other: EventType) -> bool:
    """Whether one program may print both types."""
    if not one.programs or not other.programs:
        return True
    return not {canonical(name) for name in one.programs}.isdisjoint(map(canonical, other.programs))


def _origins(catalogue: Catalogue) -> Iterator[str]:
    proven: defaultdict[str, bool] = defaultdict(bool)
    for pattern in catalogue.patterns:
        proven[pattern.type] |= any(sample.origin != "rendered" for sample in pattern.samples)
    for pattern in catalogue.patterns:
        if not proven.get(pattern.type, True) and catalogue.types[pattern.type].status == "stable":
            proven[pattern.type] = True
            yield _remark(pattern, "stable, but all samples are rendered: status experimental, or a recorded sample")


def _details(catalogue: Catalogue, matcher: Matcher) -> Iterator[str]:
    """Text behind `` | `` stands in Pacemaker's own log only: without it, some pattern must still know the message."""
    for pattern in catalogue.patterns:
        program = next(iter(catalogue.types[pattern.type].programs), None)
        for sample in pattern.samples:
            head, bar, _ = tidy(sample.line).rpartition(" | ")
            if bar and matcher.match(program, head, None, matcher.candidates(head)) is None:
                yield _remark(pattern, "does not match its sample without the text behind ' | '")
                break


def _backtracking(catalogue: Catalogue, matcher: Matcher) -> Iterator[str]:
    for pattern in catalogue.patterns:
        worst = max(_seconds(matcher, pattern, start, piece) for start, piece in _hostile_starts(pattern))
        if worst > _PROBE_LIMIT_S:
            yield _remark(pattern, f"the regex backtracks: {worst * 1000:.0f} ms for one line")


def _hostile_starts(pattern: Pattern) -> Iterator[tuple[str, str]]:
    """Beginnings of the sample, each with a piece to repeat, so that the regex almost matches."""
    line = tidy(pattern.samples[0].line)
    tokens = re.findall(r"\W+|\w+", line)
    for piece in [" ", "a", "1", *dict.fromkeys(token for token in tokens if not token.isalnum())][:12]:
        start = line.rfind(piece)
        yield (line[: start + len(piece)] if start >= 0 else line), piece


def _seconds(matcher: Matcher, pattern: Pattern, start: str, piece: str) -> float:
    """Time for a hostile line; ever longer ones, so that the probe itself does not hang."""
    spent = 0.0
    for length in _PROBE_LENGTHS:
        text = (start + piece * length)[:length] + "\x00!"
        spent = min(_cpu_seconds(matcher, pattern, text) for _ in range(_PROBES))
        if spent > _PROBE_LIMIT_S:
            break
    return spent


def _cpu_seconds(matcher: Matcher, pattern: Pattern, text: str) -> float:
    started = time.thread_time()
    matcher.match(None, text, None, [pattern.id])
    return time.thread_time() - started


def _claims(catalogue: Catalogue, matcher: Matcher) -> Iterator[str]:
    """Samples that another type takes, and patterns that match the samples of many other types."""
    foreign: defaultdict[int, set[str]] = defaultdict(set)
    for pattern in catalogue.patterns:
        program = next(iter(catalogue.types[pattern.type].programs), None)
        for sample in pattern.samples:
            candidates = matcher.candidates(sample.line)
            won = matcher.match(program, sample.line, None, candidates)
            if won is None or won.type != pattern.type:
                yield _remark(pattern, f"its sample is taken by {won.type if won else 'no type'}: {sample.line[:80]!r}")
            for other in candidates:
                rival = catalogue.patterns[other]
                if _outsider(catalogue, rival, pattern) and matcher.match(program, sample.line, None, [other]):
                    foreign[other].add(pattern.type)
    for pattern in catalogue.patterns:
        types = foreign[pattern.id]
        if len(types) >= _BROAD_TYPES or (
            pattern.weight < _BROAD_WEIGHT and not catalogue.types[pattern.type].programs
        ):
            yield _remark(pattern, f"broad: also matches samples of {', '.join(sorted(types)) or 'any program'}")


def _outsider(catalogue: Catalogue, rival: Pattern, pattern: Pattern) -> bool:
    """Whether a pattern has no business with the sample of another: a general text of the same daemon may match it too.

    It loses to the special one, or the special one is told to be taken.
    """
    one, other = catalogue.types[rival.type], catalogue.types[pattern.type]
    return one is not other and not (one.programs and one.programs == other.programs)


def _callbacks(catalogue: Catalogue, _: Matcher) -> Iterator[str]:
    """Texts that say little make the scan report lines for nothing."""
    for pattern in catalogue.patterns:
        shortest = min(pattern.block_regexes, key=len).decode()
        if len(shortest.strip()) < _WEAK_TEXT and pattern.short is None:
            yield _remark(pattern, f"the scan looks for {shortest!r} only: a longer literal would spare other lines")
    average = callbacks_per_line(catalogue)
    if average > CALLBACKS_PER_LINE:
        yield f"catalogue: {average:.2f} reports of the scan for one sample line, at most {CALLBACKS_PER_LINE} are wanted"


def callbacks_per_line(catalogue: Catalogue) -> float:
    """Average number of reports of the scan for one sample line: each copy once for each place where it ends."""
    copies = [
        (regex, re.compile(regex)) for regex in {copy for each in catalogue.patterns for copy in each.block_regexes}
    ]
    lines = b"\n".join(
        tidy(sample.line).encode("utf-8", "surrogateescape")
        for pattern in catalogue.patterns
        for sample in pattern.samples
    )
    reports = sum(len(compiled.findall(lines)) for _, compiled in copies)
    return reports / (lines.count(b"\n") + 1)
