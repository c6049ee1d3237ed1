"""Facts that several nodes log at the same moment, and what they say of the difference of two clocks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.frozen import frozen
from hadiag.timeline.known import daemon
from hadiag.timeline.sample import Sample

_VERSION: Final = re.compile(r"Diff: \+\+\+ \d+\.\d+\.\d+")
"""What nodes log alike of a change of the CIB; a digest follows only where a node received it."""
_RING: Final = re.compile(r"\((\S+?[.:][0-9a-f]+)\)")
_HARD: Final = 4
"""Weight of an anchor that is one moment for all nodes (a ring, the broadcast of a fencing result)."""
_SOFT: Final = 1
"""Weight of an anchor that each node processes by itself (CIB changes, attributes, node states)."""
_RINGS: Final = frozenset({"corosync.totem.new_membership", "corosync.totem.new_membership_old"})
_FENCES: Final = frozenset({"fence.op_result", "fence.peer_terminated"})
_QUORUM: Final = frozenset({"pcmk.quorum.acquired", "pcmk.quorum.lost", "pcmk.quorum.changed"})
_TYPES: Final = _RINGS | _FENCES | _QUORUM | {"cib.diff", "pcmk.node.state"}

_CONTROLLERS: Final = frozenset({"pacemaker-controld", "crmd"})

Key = tuple[str, ...]


@frozen
class Anchor:
    """One node's log of a shared fact: middle of the printed unit on its own clock, half that unit, the ring at that time.

    ``lost`` are the nodes that its controller had lost: two partitions go on counting the same CIB versions.
    """

    at: int
    half: int
    weight: int
    ring: str | None
    lost: frozenset[str] = frozenset()


@frozen
class Pair:
    """A shared fact on two nodes: time on the reference clock, difference of the clocks, half-width, weight."""

    at: int
    difference: int
    half: int
    weight: int


def ring_id(sample: Sample) -> str | None:
    """Ring that a membership line names."""
    said = sample.raw.fields.get("ring_id") or sample.raw.fields.get("seq")
    if said is not None:
        return str(said).lower()
    match = _RING.search(sample.raw.message)
    return match.group(1).lower() if match else None


def key_of(sample: Sample) -> tuple[Key, int] | None:
    """What makes two lines the same fact, and the weight of that."""
    kind, fields = sample.raw.type, sample.raw.fields
    if kind in _RINGS:
        ring = ring_id(sample)
        return (("ring", ring), _HARD) if ring else None
    if kind in _FENCES:
        said = fields.get("op_id")
        return (kind, str(said)[:8] if said else sample.core), _HARD
    if kind in _QUORUM:
        number = fields.get("membership")
        return ((kind, daemon(sample.raw.program), str(number)), _SOFT) if number is not None else None
    start = {"cib": "Diff: +++ ", "attrd": "Setting "}.get(kind.split(".", 1)[0])
    if start and not sample.core.startswith(start):
        return None
    if sample.core.startswith("Setting #") or (kind == "pcmk.node.state" and fields.get("node") == sample.node):
        return None  # a node sees itself, and settles how to talk, when it starts; its peers when they meet it
    version = _VERSION.match(sample.core)
    return (kind, daemon(sample.raw.program), version[0] if version else sample.core), _SOFT


@frozen
class Shared:
    """A line that other nodes may have as well: what it says, its weight, and the ring that it names."""

    sample: Sample
    key: Key | None
    weight: int
    ring: str | None


def shared_lines(samples: Iterable[Sample]) -> dict[Node, list[Shared]]:
    """Lines of each node that may be anchors, whatever its clock."""
    chosen: dict[Node, list[Shared]] = defaultdict(list)
    for sample in samples:
        kind = sample.raw.type
        if sample.utc is not None and (kind in _TYPES or kind.startswith("attrd.")):
            key, weight = key_of(sample) or (None, 0)
            chosen[sample.node].append(Shared(sample, key, weight, ring_id(sample) if kind in _RINGS else None))
    return dict(sorted(chosen.items()))


def anchors(lines: Sequence[Shared]) -> dict[Key, list[Anchor]]:
    """Anchors of a node by fact, in the order of its own clock."""
    ordered = sorted(lines, key=_own)
    rings = [(line.sample.own, line.ring) for line in ordered if line.sample.raw.type in _RINGS]
    times = [at for at, _ in rings]
    found: dict[Key, list[Anchor]] = {}
    lost: frozenset[str] = frozenset()
    for line in ordered:
        lost = _lost(line.sample, lost)
        if line.key is None:
            continue
        own = line.sample.own
        index = bisect_right(times, own)
        half = line.sample.resolution // 2
        ring = rings[index - 1][1] if index else None
        found.setdefault(line.key, []).append(Anchor(own + half, half, line.weight, ring, lost))
    return found


def _own(line: Shared) -> int:
    return line.sample.own


def _lost(sample: Sample, before: frozenset[str]) -> frozenset[str]:
    """Nodes that the controller has lost, after a line of its log."""
    if sample.raw.type != "pcmk.node.state" or daemon(sample.raw.program) not in _CONTROLLERS:
        return before
    node, state = str(sample.raw.fields.get("node")), sample.raw.fields.get("state")
    return before | {node} if state == "lost" else before - {node}


def pairs(reference: Mapping[Key, list[Anchor]], other: Mapping[Key, list[Anchor]]) -> list[Pair]:
    """Pair the k-th occurrence with the k-th, by time on the reference clock.

    A fact that one node logged more often than the other (it restarted, its log begins later) is left out, unless there
    is nothing else. A soft anchor counts only while both nodes were in the same ring and had
    lost the same nodes.
    """
    shared = sorted(reference.keys() & other.keys())
    equal = [key for key in shared if len(reference[key]) == len(other[key])]
    found = _paired(reference, other, equal)
    if not found:
        found = _paired(reference, other, shared)
    return sorted(found, key=lambda each: (each.at, each.difference))


def _paired(
    reference: Mapping[Key, list[Anchor]], other: Mapping[Key, list[Anchor]], keys: Iterable[Key]
) -> list[Pair]:
    found = []
    for key in keys:
        for mine, theirs in zip(reference[key], other[key], strict=False):
            if mine.weight == _SOFT and not _together(mine, theirs):
                continue
            found.append(Pair(mine.at, theirs.at - mine.at, mine.half + theirs.half, mine.weight))
    return found


def _together(mine: Anchor, theirs: Anchor) -> bool:
    return mine.lost == theirs.lost and (not mine.ring or not theirs.ring or mine.ring == theirs.ring)
