"""Kernel lines that print the time since boot only (``dmesg``): dated by the same lines in other logs of the node.

What ``dmesg`` prints and what syslog or the journal keep are the same lines, so that each line found in both tells when
the machine was booted. The kernel's counter runs a little fast or slow, and a wall clock is set: a line is dated by the
nearest ones around it, with the difference of these as its error.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from hadiag.formats.dates import uptime_ns
from hadiag.model.entity import Node
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.timeline.sample import Sample

_PRINTED: Final = re.compile(r"(?:<\d+>|\b(?:kern\s*:\s*\w+\s*:\s*))?\s*(?P<stamp>\[ *(?P<uptime>\d+\.\d+)\])")
_RELAYED: Final = re.compile(r"\bkernel: \[ *(?P<uptime>\d+\.\d+)\]")
_ENOUGH: Final = 3
"""Lines in common that make a boot, where the other log does not print the time since boot as well."""
_NEAR: Final = 10 * NS
"""What the pairs of one boot differ by: what the kernel said before a logger ran is stamped when that began to read."""
_DRIFT: Final = 10_000
"""A counter gains or loses one second in this many at most."""

Offset = tuple[int, int, Sample]
"""Time since boot, time of the boot that the pair tells, and the line of the other log."""


@record
class _Line:
    sample: Sample
    uptime: int
    stamp: str


def date_by_uptime(samples: Sequence[Sample]) -> None:
    """Give the undated kernel lines a time of the node's own clock."""
    files: dict[tuple[Node, tuple[str, str]], list[_Line]] = defaultdict(list)
    for sample in samples:
        if sample.raw.time is None and sample.raw.program == "kernel" and (found := _PRINTED.match(sample.raw.text)):
            uptime = uptime_ns(found["uptime"])
            if uptime is not None:
                files[sample.node, sample.file.key].append(_Line(sample, uptime, found["stamp"]))
    if not files:
        return
    dated = _dated(samples, {node for node, _ in files})
    for (node, _), lines in files.items():
        offsets = _offsets(lines, dated[node])
        for line in lines:
            _date(line, offsets)


def _dated(samples: Iterable[Sample], nodes: set[Node]) -> Mapping[Node, Mapping[str, list[Sample]]]:
    """Kernel lines with a time, by what they say."""
    found: Mapping[Node, dict[str, list[Sample]]] = {node: defaultdict(list) for node in nodes}
    for sample in samples:
        if sample.node in nodes and sample.utc is not None and sample.raw.program == "kernel":
            found[sample.node][sample.core].append(sample)
    return found


def _offsets(lines: Sequence[_Line], dated: Mapping[str, list[Sample]]) -> list[Offset]:
    """What the lines in common tell of the boot, in order of the time since boot: that with most lines, then the last."""
    exact: list[tuple[int, Offset]] = []
    alike: list[tuple[int, Offset]] = []
    for index, line in enumerate(lines):
        for other in dated.get(line.sample.core, ()):
            relayed = _RELAYED.search(other.raw.text)
            uptime = uptime_ns(relayed["uptime"]) if relayed else None
            if uptime is None:
                alike.append((index, (line.uptime, (other.utc or 0) - line.uptime, other)))
            elif uptime == line.uptime:
                exact.append((index, (line.uptime, (other.utc or 0) - line.uptime, other)))
    span = max(line.uptime for line in lines) - min(line.uptime for line in lines)
    for pairs, enough in ((exact, 1), (alike, _ENOUGH)):
        found = _largest(sorted(pairs, key=lambda pair: pair[1][1]), _NEAR + span // _DRIFT)
        if len({index for index, _ in found}) >= enough:
            middle = sorted(offset[1] for _, offset in found)[len(found) // 2]
            best: dict[int, Offset] = {}
            for _, offset in sorted(found, key=lambda pair: -abs(pair[1][1] - middle)):
                best[offset[0]] = offset
            return [best[uptime] for uptime in sorted(best)]
    return []


def _largest(pairs: Sequence[tuple[int, Offset]], width: int) -> Sequence[tuple[int, Offset]]:
    """Pairs within a width that concern most lines; of equally many the last."""
    counts: dict[int, int] = defaultdict(int)
    best: tuple[int, int, int] = (0, 0, 0)
    first = 0
    for end, (index, offset) in enumerate(pairs, 1):
        counts[index] += 1
        while offset[1] - pairs[first][1][1] > width:
            counts[pairs[first][0]] -= 1
            if not counts[pairs[first][0]]:
                del counts[pairs[first][0]]
            first += 1
        best = max(best, (len(counts), end, first))
    return pairs[best[2] : best[1]]


def _date(line: _Line, offsets: Sequence[Offset]) -> None:
    place = bisect_left(offsets, line.uptime, key=lambda offset: offset[0])
    around = offsets[max(place - 1, 0) : place + 1]
    if not around:
        return
    uptime, boot, other = min(around, key=lambda offset: abs(offset[0] - line.uptime))
    if uptime == line.uptime:
        apart = 0
    else:
        boots = [offset[1] for offset in (around if len(around) > 1 else offsets)]
        apart = max(boots) - min(boots) + abs(uptime - line.uptime) // _DRIFT
    line.sample.lend(boot + line.uptime, line.stamp, other, other.error + apart)
