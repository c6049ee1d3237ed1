"""Where wall clocks betray their zone: epochs that daemons print, and times that other files give for the same event."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from hadiag.model.entity import Node, Scalar
from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.time import NS, TimeBasis, from_iso
from hadiag.timeline.files import in_year, nearest_year
from hadiag.timeline.identity import Identities
from hadiag.timeline.known import daemon
from hadiag.timeline.sample import Sample
from hadiag.timeline.zones import QUARTER, Clue

STRONG: Final = 10
"""Weight of an epoch that a daemon prints about now, on the clock that also stamps the line."""
_FIRM: Final = 3
_WEAK: Final = 1
_LATE: Final = {STRONG: 120 * NS, 5: 120 * NS, _FIRM: 60 * NS, 2: 60 * NS, _WEAK: 30 * NS}
"""Largest believable distance between the epoch and the stamp, by weight."""
_REF: Final = re.compile(r"-(\d{9,10})-\d+$")
_MARK: Final = re.compile(r"Mark:pcmk:(\d{9,10})")
_RESULTS: Final = frozenset({"pcmk.op.result", "pcmk.op.result_new", "pcmk.op.result_1112"})
_MATCHES: Final = 200
"""Pairs of equal messages that are looked at for one file."""
_SAME: Final = 2 * NS + NS // 2
_Message = tuple[Node, str, str, str]
_Dated = dict[_Message, dict[tuple[str, str], list[int]]]


def plausible_epoch(value: Scalar, unit: int = NS) -> int | None:
    """Read an epoch between 2001 and 2100 as ns."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not value.isdigit():
        return None
    ns = int(value) * unit
    return ns if 978_307_200 * NS < ns < 4_102_444_800 * NS else None


def printed_epoch(raw: RawEvent) -> tuple[int, int] | None:
    """Absolute time that a line itself tells, with its weight."""
    fields = raw.fields
    epoch = plausible_epoch(fields.get("epoch")) or plausible_epoch(fields.get("epoch_ms"), NS // 1000)
    if raw.type.startswith("attrd."):  # a peer's clock, and repeated whenever a node joins
        return (epoch, _WEAK) if epoch else None
    if epoch is None and raw.type == "pcmk.graph.start":
        match = _REF.search(str(fields.get("ref", "")))
        epoch = plausible_epoch(match.group(1)) if match else None
    if epoch is None and "Mark:pcmk:" in raw.message:
        match = _MARK.search(raw.message)
        epoch = plausible_epoch(match.group(1)) if match else None
    return (epoch, STRONG) if epoch else None


def clue(sample: Sample, utc_ns: int, weight: int, basis: TimeBasis) -> Clue | None:
    """Tie the wall time of a zone-less line to an absolute time; None where they do not fit on a quarter of an hour."""
    time = sample.raw.time
    if time is None or time.utc_offset_s is not None:
        return None
    wall = time.wall_ns
    if not time.has_year:
        wall = in_year(wall, nearest_year(wall, utc_ns))
    found = Clue(wall, utc_ns, weight, basis, sample.file.key, sample.raw.ref.line)
    return found if found.residual <= _LATE[weight] and abs(found.offset) <= 14 * 3600 * NS else None


def epoch_clues(samples: Iterable[Sample]) -> dict[Node, list[Clue]]:
    """Clues from epochs in the lines; they also prove the year of their run."""
    found: dict[Node, list[Clue]] = defaultdict(list)
    for sample in samples:
        told = printed_epoch(sample.raw)
        made = clue(sample, *told, TimeBasis.EPOCH_ANCHOR) if told else None
        if made:
            found[sample.node].append(made)
            _learn(sample, made)
    return found


def _learn(sample: Sample, made: Clue) -> None:
    time = sample.raw.time
    if made.weight > _WEAK and time is not None and not time.has_year:
        sample.file.learn_year(sample.raw.ref.line, nearest_year(time.wall_ns, made.utc_ns))


def history_clues(samples: Iterable[Sample], facts: Sequence[Fact], who: Identities) -> dict[Node, list[Clue]]:
    """Clues from the operation history of a CIB, and from the scheduler inputs of a DC."""
    history: dict[tuple[str, str, str], Fact] = {}
    inputs: dict[tuple[str, str], int] = {}
    for fact in facts:
        values = fact.values
        if fact.table == "rsc.history" and values.get("last_rc_change_ns") and values.get("call") is not None:
            node = who.lookup(str(values.get("node")))
            history[str(node), str(values.get("resource")), str(values.get("call"))] = fact
        elif fact.table == "pe_input" and isinstance(values.get("execution_ns"), int):
            owner = who.host(fact.bundle, fact.node_hint)
            inputs[str(owner), str(values.get("file")).split(".")[0]] = int(str(values["execution_ns"]))
    last: dict[tuple[str, ...], Sample] = {}
    for sample in samples:
        key = _history_key(sample, history, inputs)
        if key and (key not in last or not _is_other_copy(last[key], sample)):
            last[key] = sample
    found: dict[Node, list[Clue]] = defaultdict(list)
    for key, sample in last.items():
        made = _history_clue(sample, key, history, inputs)
        if made:
            found[sample.node].append(made)
            _learn(sample, made)
    return found


def _is_other_copy(known: Sample, sample: Sample) -> bool:
    """Keep to one file, whose order tells the last occurrence."""
    return known.file is not sample.file


def _history_key(
    sample: Sample, history: Mapping[tuple[str, str, str], Fact], inputs: Mapping[tuple[str, str], int]
) -> tuple[str, ...] | None:
    fields = sample.raw.fields
    key: tuple[str, ...] | None = None
    if sample.raw.type in _RESULTS and history:
        key = (str(sample.node), str(fields.get("rsc") or fields.get("resource")), str(fields.get("call")))
        return key if key in history else None
    if sample.raw.type == "pcmk.transition.calculated" and inputs:
        key = (str(sample.node), str(fields.get("file")).rsplit("/", 1)[-1].split(".")[0])
        return key if key in inputs else None
    return None


def _history_clue(
    sample: Sample,
    key: tuple[str, ...],
    history: Mapping[tuple[str, str, str], Fact],
    inputs: Mapping[tuple[str, str], int],
) -> Clue | None:
    if len(key) == 2:
        return clue(sample, inputs[key[0], key[1]], 5, TimeBasis.EPOCH_ANCHOR)
    values = history[key[0], key[1], key[2]].values
    return clue(sample, int(str(values["last_rc_change_ns"])), _FIRM, TimeBasis.EPOCH_ANCHOR)


def host_clues(facts: Iterable[Fact], who: Identities) -> dict[Node, list[Clue]]:
    """Clues from hosts that print wall time and UTC side by side."""
    found: dict[Node, list[Clue]] = defaultdict(list)
    for fact in facts:
        utc, wall = fact.values.get("utc_ns"), _wall(fact.values.get("wall"))
        owner = who.host(fact.bundle, fact.node_hint)
        if fact.table == "host.time" and isinstance(utc, int) and wall is not None and owner:
            found[Node(owner)].append(Clue(wall, utc, STRONG, TimeBasis.SNAPSHOT))
    return found


def _wall(value: Scalar) -> int | None:
    """Read a wall time given in ns or as ISO text (its own zone, if any, is left out)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return from_iso(str(value)[:19])
    except ValueError:
        return None


def twin_clues(samples: Iterable[Sample]) -> dict[Node, list[Clue]]:
    """Clues from messages that stand in a file with zone and in one without, on the same node.

    Offsets that lines print count a little by themselves: a node prints its own zone nearly always.
    """
    dated: _Dated = defaultdict(lambda: defaultdict(list))
    bare: dict[tuple[str, str], dict[_Message, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    found: dict[Node, list[Clue]] = defaultdict(list)
    printed: set[tuple[Node, int, int]] = set()
    for sample in samples:
        time = sample.raw.time
        if time is None:
            continue
        key = (sample.node, sample.raw.type, daemon(sample.raw.program), sample.core)
        if time.utc_offset_s is None:
            bare[sample.file.key][key].append(sample)
        elif sample.utc is not None:
            dated[key][sample.file.key].append(sample.utc)
            month = (sample.node, time.utc_offset_s, sample.utc // (30 * 86_400 * NS))
            if not time.from_journal and month not in printed:
                printed.add(month)
                found[sample.node].append(Clue(sample.utc + time.utc_offset_s * NS, sample.utc, 2, TimeBasis.IN_LOG))
    for twins in bare.values():
        for node, made in _twins(dated, twins):
            found[node].append(made)
    return found


def _twins(dated: _Dated, twins: Mapping[_Message, list[Sample]]) -> Iterable[tuple[Node, Clue]]:
    """Pairs of a file, its rarest messages first: a message that occurs as often in a file with zone."""
    count = 0
    for key in sorted((key for key in twins if key in dated), key=lambda each: (len(twins[each]), each)):
        known = [times for _, times in sorted(dated[key].items()) if len(times) == len(twins[key])]
        for utc, sample in zip(known[0], twins[key], strict=True) if known else ():
            made = clue(sample, utc, _FIRM, TimeBasis.IN_LOG)
            if made and made.residual <= _SAME:
                yield sample.node, made
                _learn(sample, made)
                count += 1
        if count >= _MATCHES:
            return


def mtime_clues(samples: Iterable[Sample], mtimes: Mapping[tuple[str, str], int]) -> dict[Node, set[int]]:
    """Offsets that the times of files suggest: a log in use was changed when its last line was written."""
    found: dict[Node, set[int]] = defaultdict(set)
    seen: set[tuple[str, str]] = set()
    for sample in samples:
        file = sample.file
        if file.key in seen or file.key not in mtimes or not file.runs:
            continue
        seen.add(file.key)
        run = file.runs[-1]
        wall = file.wall(run.last, run.last_line)
        if run.last.utc_offset_s is not None or wall is None:
            continue
        distance = wall - mtimes[file.key]
        offset = (distance + QUARTER // 2) // QUARTER * QUARTER
        if -3 * NS <= distance - offset <= 2 * NS and -12 * 3600 * NS <= offset <= 14 * 3600 * NS:
            found[file.node].add(offset)
    return found
