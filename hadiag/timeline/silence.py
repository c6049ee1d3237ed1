"""Silent stretches of a node: from its last line before an unclean end to its next start.

A restart of a node is seen by its daemons: corosync and Pacemaker start although neither was shut down. A daemon that
crashed alone is no silence of the node, and says so: systemd or the other daemons log that it is gone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from hadiag.model.diagnosis import Silence
from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.timeline.clock import Clocks
from hadiag.timeline.files import LogFile
from hadiag.timeline.known import COROSYNC_START, PACEMAKER_START, daemon, is_pacemaker
from hadiag.timeline.sample import Sample

_STARTS: Final = {
    "corosync": frozenset(COROSYNC_START),
    "pacemaker": frozenset({PACEMAKER_START}),
}
_ENDS: Final = {
    "corosync": frozenset(
        {
            "corosync.main.shutdown_signal",
            "corosync.main.unloading",
            "corosync.main.exit_normal",
            "corosync.main.shutdown_admin",
            "corosync.main.exit_error",
        }
    ),
    "pacemaker": frozenset(
        {
            "pacemakerd.stop",
            "pacemakerd.stop_done",
            "pacemakerd.fatal",
            "pcmk.shutdown.start",
        }
    ),
}
_BOOTS: Final = frozenset({"kernel.boot", "systemd.boot", "journald.start_stop", "rsyslog.start"})
_LONELY: Final = frozenset(
    {"systemd.main_exited", "systemd.failed", "pcmk.cluster.lost", "pcmk.cib.lost", "pacemakerd.fatal"}
)
"""Events that tell of a dead daemon on a living node."""
_TOGETHER: Final = 180 * NS
_LATE: Final = 30 * NS
_AFTER: Final = NS
_PRELUDE: Final = 5 * NS


def find_silences(
    clocks: Clocks, files: Sequence[LogFile], nodeids: Mapping[Node, Sequence[int]]
) -> dict[Node, tuple[Silence, ...]]:
    """Find the silent stretches of every node, in aligned time."""
    ends = {node: _known_lines(clocks, files, node) for node in clocks.lines}
    lost = _lost_by_peers(clocks, nodeids)
    found = {}
    for node, mine in clocks.lines.items():
        ordered = sorted(mine.samples, key=lambda each: (each.own, each.raw.ref.path, each.raw.ref.line))
        starts, orderly = _unclean_starts(ordered)
        silent = [_silence(clocks, ordered, ends[node], start) for start in starts]
        last = max(clocks.aligned(node, ordered[-1].own), max((at for at, _ in ends[node]), default=0))
        if not orderly and any(at >= last - _LATE for at in lost.get(node, ())):
            silent.append(Silence(last, None))
        if silent:
            found[node] = tuple(silent)
    return found


def _family(sample: Sample) -> str | None:
    if sample.raw.program == "corosync" or (sample.raw.program is None and sample.raw.family == "corosync"):
        return "corosync"
    return "pacemaker" if is_pacemaker(sample.raw.program) else None


def _unclean_starts(ordered: Sequence[Sample]) -> tuple[list[tuple[int, int]], bool]:
    """Last sign of life and start of the daemons for each unclean end, in own time; and whether the node ended in order."""
    lives: dict[str, list[Sample]] = defaultdict(list)
    for sample in ordered:
        family = _family(sample)
        if family is not None:
            lives[family].append(sample)
    starts = {family: _of_daemon(family, mine) for family, mine in lives.items()}
    orderly = any(_ended_orderly(family, mine) for family, mine in lives.items())
    return _of_node(starts, set(lives), ordered), orderly


def _of_daemon(family: str, mine: Sequence[Sample]) -> list[tuple[int, int]]:
    """Starts of a daemon that lived before and was not shut down, each with its last sign of life."""
    found: list[tuple[int, int]] = []
    life: list[Sample] = []
    for sample in mine:
        if sample.raw.type in _STARTS[family]:
            before = [each for each in life if _is_before(each, sample)]
            if before and not any(each.raw.type in _ENDS[family] for each in before):
                found.append((max(each.own for each in before), sample.own))
            life = [sample]
        else:
            life.append(sample)
    return found


def _is_before(sample: Sample, start: Sample) -> bool:
    """Tell whether a line is of the life before a start: by file, else by whole printed units.

    What the launcher says just before it announces itself belongs to the start.
    """
    if sample.raw.program == "pacemakerd" and sample.own > start.own - _PRELUDE:
        return sample.raw.type in _ENDS["pacemaker"]
    if sample.file is start.file:
        return sample.raw.ref.line < start.raw.ref.line
    return sample.own + sample.resolution <= start.own


def _ended_orderly(family: str, mine: Sequence[Sample]) -> bool:
    """Tell whether a daemon was shut down after its last start."""
    last = max((index for index, sample in enumerate(mine) if sample.raw.type in _STARTS[family]), default=0)
    return any(sample.raw.type in _ENDS[family] for sample in mine[last:])


def _of_node(
    starts: Mapping[str, list[tuple[int, int]]], families: set[str], ordered: Sequence[Sample]
) -> list[tuple[int, int]]:
    """Unclean starts of all daemons together, or with a boot in between, without a word of a dead daemon."""
    found: list[tuple[int, int]] = []
    for group in _same_starts(starts):
        unclean = [pair for pair in group if _took_all(pair, starts, families, ordered)]
        if unclean:
            last = max(last for last, _ in unclean)
            found.append((last, max(min(start for _, start in unclean), last)))
    return found


def _took_all(
    pair: tuple[int, int],
    starts: Mapping[str, list[tuple[int, int]]],
    families: set[str],
    ordered: Sequence[Sample],
) -> bool:
    """Whether all daemons started where one of them did without an end, or the node booted in between."""
    last, start = pair
    near = {family for family, pairs in starts.items() if any(abs(each - start) <= _TOGETHER for _, each in pairs)}
    told = _between(ordered, last - _AFTER, start + _AFTER)
    booted = any(sample.raw.type in _BOOTS for sample in told)
    return booted or (near == families and not any(_tells_of_daemon(sample) for sample in told))


def _same_starts(starts: Mapping[str, list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """Starts of different daemons that are one start of the node; a daemon that starts again is the next start."""
    groups: list[dict[str, tuple[int, int]]] = []
    for start, last, family in sorted(
        (start, last, family) for family, pairs in starts.items() for last, start in pairs
    ):
        first = min((begun for _, begun in groups[-1].values()), default=0) if groups else 0
        one = groups and family not in groups[-1] and start - first <= _TOGETHER and last <= first + _AFTER
        if one:
            groups[-1][family] = (last, start)
        else:
            groups.append({family: (last, start)})
    return [list(group.values()) for group in groups]


def _between(ordered: Sequence[Sample], low: int, high: int) -> Sequence[Sample]:
    return ordered[bisect_left(ordered, low, key=_own) : bisect_left(ordered, high, key=_own)]


def _own(sample: Sample) -> int:
    return sample.own


def _tells_of_daemon(sample: Sample) -> bool:
    if sample.raw.type not in _LONELY:
        return False
    unit = str(sample.raw.fields.get("unit") or "")
    return not unit or unit.startswith(("corosync", "pacemaker"))


def _silence(
    clocks: Clocks, ordered: Sequence[Sample], lines: Sequence[tuple[int, int]], unclean: tuple[int, int]
) -> Silence:
    """Silence from the last line of any log before the first line of the new start."""
    node, (last, start) = ordered[0].node, unclean
    boots = [s.own for s in _between(ordered, last + 1, start + 1) if s.raw.type in _BOOTS or s.own >= start]
    begin = max(min([*boots, start]), last)
    index = bisect_left(ordered, begin, key=_own)
    whole = (each.own for each in reversed(ordered[:index]) if each.own + each.resolution <= begin)
    first = clocks.aligned(node, begin)
    known = max((at for at, unit in lines if at + unit <= first), default=0)
    return Silence(min(max(clocks.aligned(node, max(next(whole, last), last)), known), first), first)


def _known_lines(clocks: Clocks, files: Sequence[LogFile], node: Node) -> list[tuple[int, int]]:
    """Times of lines that are no events, with their unit: ends of runs and beginnings of pauses."""
    found = []
    for file in files:
        if file.node != node or len(file.nodes) > 1:
            continue
        for run in file.runs:
            utc = file.utc(run.last, run.last_line)
            if utc is not None:
                found.append((clocks.of_line(file, node, utc, run.last_line), run.last.resolution_ns))
        for start, _, line in gaps_of(file):
            found.append((clocks.of_line(file, node, start, line - 1), NS))
    return sorted(found)


def gaps_of(file: LogFile) -> list[tuple[int, int, int]]:
    """Pauses of a file on the own clock: start, end, line behind it."""
    found = []
    for gap in file.summary.gaps if file.summary else ():
        run = file.runs[file.run(gap.line)] if file.runs else None
        if run is None:
            continue
        ends = [file.utc(replace(run.last, wall_ns=wall), gap.line) for wall in (gap.start_wall_ns, gap.end_wall_ns)]
        if ends[0] is not None and ends[1] is not None and ends[0] < ends[1]:
            found.append((ends[0], ends[1], gap.line))
    return found


def _lost_by_peers(clocks: Clocks, nodeids: Mapping[Node, Sequence[int]]) -> dict[Node, list[int]]:
    """Aligned times at which peers lost a node for good: by the controller or by corosync, and never a member again."""
    lost: dict[Node, list[int]] = defaultdict(list)
    back: dict[Node, int] = defaultdict(int)
    names = {str(nodeid): node for node, ids in nodeids.items() for nodeid in ids}
    for sample in clocks.samples:
        if sample.utc is None:
            continue
        at = clocks.aligned(sample.node, sample.own)
        for node, gone in _peer_states(sample, names):
            if node == sample.node:
                continue
            if gone:
                lost[node].append(at)
            else:
                back[node] = max(back[node], at)
    return {node: kept for node, times in lost.items() if (kept := [at for at in times if at > back[node]])}


def _peer_states(sample: Sample, names: Mapping[str, Node]) -> Iterable[tuple[Node, bool]]:
    kind, fields = sample.raw.type, sample.raw.fields
    if kind == "pcmk.node.state" and daemon(sample.raw.program) in {"pacemaker-controld", "crmd"}:
        node, state = str(fields.get("node")), fields.get("state")
        if state in {"lost", "member"}:
            yield Node(names.get(node, Node(node))), state == "lost"
    elif kind == "corosync.totem.new_membership":
        for key, gone in (("left", True), ("joined", False)):
            value = fields.get(key)
            for nodeid in value if isinstance(value, tuple) else str(value or "").split():
                if nodeid in names:
                    yield names[nodeid], gone
