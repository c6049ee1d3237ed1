"""``last message repeated 3 times`` of old system logs: the line before it, of the same host, stands for that many more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from hadiag.model.event import RawEvent

REPEATED = "syslog.last_repeated"
_MOST = 1_000_000_000

File = tuple[str, str]


def with_repeats(raws: Sequence[RawEvent]) -> Sequence[RawEvent]:
    """Count the repetitions with the event that they repeat; those of a line that is no event count for nothing."""
    told = [raw for raw in raws if raw.type == REPEATED]
    if not told:
        return raws
    files = {(raw.ref.bundle, raw.ref.path) for raw in told}
    by_file: dict[File, list[int]] = defaultdict(list)
    for index, raw in enumerate(raws):
        if (raw.ref.bundle, raw.ref.path) in files:
            by_file[raw.ref.bundle, raw.ref.path].append(index)
    found: list[RawEvent] = list(raws)
    for indices in by_file.values():
        _count(found, sorted(indices, key=lambda index: found[index].ref.line))
    return found


def _count(found: list[RawEvent], indices: Sequence[int]) -> None:
    """Walk the lines of one file; several hosts may write into it in turn."""
    for place, index in enumerate(indices):
        repeat = found[index]
        count = repeat.fields.get("count")
        if repeat.type != REPEATED or not isinstance(count, int) or not 0 < count < _MOST:
            continue
        before = _before(found, indices, place)
        if before is not None:
            first = found[before]
            last = repeat.time or first.last_time
            found[before] = replace(first, repeated=first.repeated + count, last_time=last)


def _before(found: Sequence[RawEvent], indices: Sequence[int], place: int) -> int | None:
    """The line of the same host right before a line, if every line between them is of another host, or a note like this one."""
    line, host = found[indices[place]].ref.line, found[indices[place]].host
    for index in reversed(indices[:place]):
        raw = found[index]
        line -= 1
        if raw.ref.line != line:
            return None
        if raw.host == host and raw.type != REPEATED:
            return index
    return None
