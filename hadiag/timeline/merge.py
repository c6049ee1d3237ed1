"""Copies of one event in several files of a node become one event with several places.

Copies are looked for across files only, never inside one: the same text twice in a file is two events. The k-th occurrence
of a message in one file is the k-th in the other, as long as the stamps agree within the slack.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from hadiag.model.entity import Node, Scalar
from hadiag.model.time import NS
from hadiag.timeline.known import daemon
from hadiag.timeline.sample import Sample

SLACK: Final = NS * 11 // 10
"""Syslog and the journal stamp a message up to this much later than the daemon's own log."""
_RANKS: Final = {
    "pacemaker": 0,
    "corosync": 0,
    "pcsd": 0,
    "sbd": 0,
    "qdevice": 0,
    "journal": 1,
    "system": 2,
    "kernel": 2,
}
_DUMP: Final = 3
"""Rank of everything else, such as the dump of a flight recorder."""


def merge(samples: Iterable[Sample]) -> list[Sample]:
    """Fold copies into their canonical sample: the daemon's own log, then the journal, then syslog.

    Samples without time stay single. The order of the input (by file and line) is kept.
    """
    groups: dict[tuple[Node, str, str], dict[tuple[str, str], list[Sample]]] = defaultdict(dict)
    result: list[Sample] = []
    for sample in samples:
        sample.copies = ()
        if sample.utc is None:
            result.append(sample)
            continue
        # Not the type: without its details, a syslog copy may fit the wording of another version.
        key = (sample.node, daemon(sample.raw.program), sample.core)
        groups[key].setdefault(sample.file.key, []).append(sample)
    for files in groups.values():
        result.extend(_fold(files))
    return result


def _rank(sample: Sample) -> tuple[int, int, int, str, str]:
    """Rank of a file as the place of the canonical copy; an original is larger than an extract of it."""
    summary = sample.file.summary
    blackbox = summary is not None and "qb.blackbox" in summary.formats
    return (
        _DUMP if blackbox or sample.lender else _RANKS.get(sample.file.family, _DUMP),
        sample.resolution,
        -(summary.lines if summary else 0),
        sample.file.bundle,
        sample.file.path,
    )


def _fold(files: Mapping[tuple[str, str], list[Sample]]) -> list[Sample]:
    lists = sorted(files.values(), key=lambda each: _rank(each[0]))
    if len(lists) == 1:
        return lists[0]
    kept = _by_time(lists[0])
    for more in lists[1:]:
        kept = _by_time([*kept, *_unmatched(kept, _by_time(more))])
    return kept


def _by_time(samples: list[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda each: each.utc or 0)


def _unmatched(kept: list[Sample], more: list[Sample]) -> list[Sample]:
    """Give the samples of a further file to their canonical copies; return those that have none."""
    left = []
    index = 0
    for sample in more:
        while index < len(kept) and _comes_before(kept[index], sample):
            index += 1
        if index < len(kept) and _are_copies(kept[index], sample):
            kept[index].copies += (sample,)
            index += 1
        else:
            left.append(sample)
    return left


def _slack(kept: Sample, sample: Sample) -> int:
    """Two files of one kind hold a copy with its stamp unchanged."""
    if kept.file.family == sample.file.family and kept.resolution == sample.resolution:
        return 0
    return SLACK + max(kept.resolution, sample.resolution)


def _comes_before(kept: Sample, sample: Sample) -> bool:
    return (kept.utc or 0) + _slack(kept, sample) < (sample.utc or 0)


def _are_copies(kept: Sample, sample: Sample) -> bool:
    """Near in time, and of another file than every copy so far."""
    near = abs((kept.utc or 0) - (sample.utc or 0)) <= _slack(kept, sample)
    return near and kept.file is not sample.file and all(copy.file is not sample.file for copy in kept.copies)


def richest_fields(sample: Sample) -> Mapping[str, Scalar]:
    """Fields of an event: those of the canonical copy, filled up from the others."""
    fields = sample.raw.fields
    for copy in sample.copies:
        more = {
            name: value for name, value in copy.raw.fields.items() if value is not None and fields.get(name) is None
        }
        if more:
            fields = {**fields, **more}
    return fields
