"""Wall time to UTC for every file: years, zones of nodes, and what had to be assumed."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.source import Warn
from hadiag.model.time import NS, TimeBasis
from hadiag.timeline.clues import STRONG, epoch_clues, history_clues, host_clues, mtime_clues, twin_clues
from hadiag.timeline.files import LogFile, believable, in_year, year_of, year_start
from hadiag.timeline.identity import Identities
from hadiag.timeline.moves import jumps, moved_plan, place, shown_plan
from hadiag.timeline.sample import Sample
from hadiag.timeline.turns import turns, with_turns
from hadiag.timeline.zones import DAY, Clue, Turn, ZonePlan, constant, from_clues, from_zone

_DAY_IN_NAME: Final = re.compile(r"[-.](20\d\d)-?([01]\d)-?([0-3]\d)(?=\D|$)")
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
CHANGES: Final = frozenset({"systemd.time_changed", "chrony.step", "chrony.forward", "chrony.backward", "ntpd.step"})
"""Events that tell of a change of the clock itself."""
_ZONE_SET: Final = "time.manual"
_AGREE: Final = 450 * NS


@dataclass(slots=True)
class Walls:
    """Zones of all nodes. ``plans`` holds a plan for every node with zone-less files; ``notes`` says why one was assumed."""

    plans: dict[Node, ZonePlan]
    notes: dict[Node, str]
    warnings: list[Warn]
    turns: dict[Node, list[Turn]] = field(default_factory=dict)
    """Changes to or from daylight-saving time that the files of a node show."""

    def shift(self, node: Node, by_ns: int, basis: TimeBasis, files: Sequence[LogFile]) -> None:
        """Move the assumed zone of a node, since the clocks of its peers prove it wrong."""
        moved = self.plans[node].shifted(by_ns, basis)
        if self.turns.get(node):  # their moments follow from the offset
            moved = with_turns(constant(moved.segments[-1][1], basis), self.turns[node], ())
        self.plans[node] = moved
        hours = by_ns / (3600 * NS)
        self.notes[node] = f"corrected by {hours:+g} h to fit the clocks of the other nodes"
        for file in files:
            if file.node == node and file.plan and not file.plan.is_firm:
                file.plan = self.plans[node]

    def zone_warnings(self) -> list[Warn]:
        """Warnings for zones that were assumed."""
        found = []
        for node, plan in sorted(self.plans.items()):
            if plan.basis is TimeBasis.ASSUMED:
                offset = plan.segments[0][1] / (3600 * NS)
                text = f"The UTC offset of {node} is not known; {offset:+g} h was assumed ({self.notes[node]})."
                found.append(Warn("time-assumed", text, str(node)))
        return found


def settle(
    files: Sequence[LogFile], samples: Sequence[Sample], facts: Sequence[Fact], who: Identities, times: Times
) -> Walls:
    """Find the year of every run and the zone of every node, and stamp the samples."""
    clues = epoch_clues(samples)
    _add(clues, history_clues(samples, facts, who))
    _add(clues, host_clues(facts, who))
    undated = _years(files, times)
    for sample in samples:
        if sample.raw.time is not None and sample.raw.time.utc_offset_s is not None:
            sample.stamp()
    _add(clues, twin_clues(samples))
    walls = Walls({}, {}, undated)
    zoneless = sorted({file.node for file in files if file.is_zoneless})
    span = _span(files)
    zones = _host_zones(facts, who)
    walls.turns = {node: turns(file for file in files if file.node == node) for node in zoneless}
    shown = {node: jumps(file for file in files if file.node == node) for node in zoneless}
    for node in zoneless:
        mine = clues.get(node, [])
        plan = moved_plan(mine, shown[node], walls.turns[node]) or shown_plan(mine, shown[node], *_told(samples, node))
        plan = plan or _plan(clues.get(node, []), zones.get(node), span, walls.turns[node])
        if plan:
            walls.plans[node] = with_turns(plan, walls.turns[node], clues.get(node, []))
    unproven = [node for node in zoneless if node not in walls.plans]
    _assume(walls, unproven, samples, times)
    for node in unproven:
        walls.plans[node] = with_turns(walls.plans[node], walls.turns[node], ())
    for file in files:
        plan = walls.plans.get(file.node)
        file.plan = _own_plan(file, clues.get(file.node, []), plan) or plan
        if file.plan is not None and file.plan.moved:
            file.turn_line = place(file, file.plan, shown.get(file.node, ()))
    for sample in samples:
        sample.stamp()
    return walls


@record
class Times:
    """Times from outside the logs, in ns: of files, of the collection of each input, and of the analysis itself."""

    files: Mapping[tuple[str, str], int]
    collected: Mapping[str, int]
    now: int

    def reference(self, file: LogFile) -> int | None:
        """Latest time at which a file may have been written."""
        known = self.files.get(file.key) or self.collected.get(file.bundle)
        return known or max(self.collected.values(), default=None)

    def bound(self, file: LogFile, latest: int | None) -> int | None:
        """Time that a file without a year does not pass; ``latest`` is the end of the logs whose year is proven.

        The time of a file counts where its last line was written then. Else it may be that of unpacking, years later,
        and a log that lies beside no other is not of a later year than they are.
        """
        reference = self.reference(file)
        if reference is None or latest is None or reference <= latest:
            return reference
        last = file.runs[-1].last.wall_ns
        written = min(abs(in_year(last, year_of(reference) + more) - reference) for more in (-1, 0, 1))
        return reference if written < DAY + 2 * 3600 * NS else latest


def _named_day(path: str) -> int | None:
    """End of the day in the name of a rotated log (``messages-20261122.xz``), a day later for clocks and zones."""
    match = _DAY_IN_NAME.search(path.rsplit("/", 1)[-1])
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
    return None if day is None else (day.toordinal() - _EPOCH_DAY + 1) * DAY


def known_times(files: Sequence[LogFile], facts: Sequence[Fact], collected_at: Mapping[str, int], now_ns: int) -> Times:
    """Gather the times of files and of the collection."""
    mtimes = {file.key: believable(file.summary.mtime) for file in files if file.summary}
    collected = {bundle: at * NS for bundle, at in collected_at.items() if believable(at)}
    for fact in facts:
        if fact.as_of_ns and believable(fact.as_of_ns // NS) and fact.bundle not in collected_at:
            collected[fact.bundle] = max(collected.get(fact.bundle, 0), fact.as_of_ns)
    return Times({key: at for key, at in mtimes.items() if at}, collected, now_ns)


def _add(target: dict[Node, list[Clue]], more: Mapping[Node, list[Clue]]) -> None:
    for node, clues in more.items():
        target.setdefault(node, []).extend(clues)


def _years(files: Sequence[LogFile], times: Times) -> list[Warn]:
    """Give every run a year; the last resort is the year of a proven file, then that of the analysis."""
    proven = [file for file in files if file.is_dated]
    pending = [file for file in files if not file.is_dated]
    for file in proven:
        file.settle_years(None)
    known = [(file, file.span) for file in proven]
    spans = [(file, span) for file, span in known if span is not None]
    latest = max((end for _, (_, end) in spans), default=None)
    warnings = []
    for file in pending:
        if _named_day(file.path) and file.settle_years(_named_day(file.path)):
            continue
        beside = ([span for other, span in spans if same(other)] for same in _kinships(file))
        if any(file.settle_beside(near) for near in beside if near):
            continue
        if file.settle_years(times.bound(file, latest)):
            continue
        file.settle_years(_year_end(year_of(latest)) if latest is not None else times.now)
        text = "The log prints no year and nothing tells it; the latest possible year was assumed."
        warnings.append(Warn("time-assumed", text, file.path))
    return warnings


def _kinships(file: LogFile) -> tuple[Callable[[LogFile], bool], ...]:
    """What other files must share with a file for their years to count: its node, its input, nothing; nearest first."""
    return (
        lambda other: other.bundle == file.bundle and other.node == file.node,
        lambda other: other.bundle == file.bundle,
        lambda _: True,
    )


def _year_end(year: int) -> int:
    return year_start(year + 1) - 2 * DAY


def _span(files: Sequence[LogFile]) -> tuple[int, int]:
    walls = [
        wall
        for file in files
        for run in (file.runs[:1] + file.runs[-1:])
        for wall in (file.wall(run.first, run.first_line), file.wall(run.last, run.last_line))
        if wall is not None
    ]
    return (min(walls) - DAY, max(walls) + DAY) if walls else (0, 0)


def _told(samples: Sequence[Sample], node: Node) -> tuple[list[int], list[str]]:
    """Wall times at which a daemon of a node says that the clock was changed, and zones that it says were set."""
    mine = [sample for sample in samples if sample.node == node and sample.raw.time is not None]
    changed = [sample for sample in mine if sample.raw.type in CHANGES]
    walls = [
        sample.file.wall(sample.raw.time, sample.raw.ref.line) for sample in changed if sample.raw.time is not None
    ]
    zones = [
        str(sample.raw.fields["zone"])
        for sample in mine
        if sample.raw.type == _ZONE_SET and "zone" in sample.raw.fields
    ]
    return [wall for wall in walls if wall is not None], zones


def _host_zones(facts: Sequence[Fact], who: Identities) -> dict[Node, tuple[str | None, int | None]]:
    """Zone name and offset (in ns) that hosts state."""
    found: dict[Node, tuple[str | None, int | None]] = {}
    for fact in facts:
        owner = who.host(fact.bundle, fact.node_hint) if fact.table == "host.zone" else None
        if owner:
            zone, offset = fact.values.get("zone"), fact.values.get("utc_offset_s")
            name, seconds = found.get(Node(owner), (None, None))
            known = offset * NS if isinstance(offset, int) else None
            found[Node(owner)] = (name or (str(zone) if zone else None), known if seconds is None else seconds)
    return found


def _plan(
    clues: Sequence[Clue], host: tuple[str | None, int | None] | None, span: tuple[int, int], shown: Sequence[Turn]
) -> ZonePlan | None:
    """Zone of a node: the zone that the host states, unless the epochs in its logs contradict it."""
    seen = from_clues(clues, shown)
    if host is None:
        return seen
    stated = from_zone(host[0], *span, TimeBasis.SNAPSHOT) if host[0] else None
    if stated is None and host[1] is not None and seen is None:
        return constant(host[1], TimeBasis.SNAPSHOT)
    if stated is None or seen is None:
        return stated or seen
    agree = sum(c.weight for c in clues if _tells(stated, c))
    if 2 * agree < sum(c.weight for c in clues):
        return seen
    return ZonePlan(stated.segments, seen.basis, stated.zone)


def _tells(plan: ZonePlan, clue: Clue) -> bool:
    """Tell whether a plan reads the wall time of a clue as its absolute time, in one of the two runs of a repeated hour."""
    return any(abs(plan.to_utc(clue.wall_ns, later=later) - clue.utc_ns) < _AGREE for later in (False, True))


def _own_plan(file: LogFile, clues: Sequence[Clue], plan: ZonePlan | None) -> ZonePlan | None:
    """Plan of a file whose own epochs contradict those of the other files of its node."""
    mine = [clue for clue in clues if clue.path == file.key and clue.weight >= STRONG]
    if len(mine) < 2 or len({clue.offset for clue in mine}) != 1:
        return None
    if plan is not None and any(_tells(plan, clue) for clue in mine):
        return None
    others: Counter[int] = Counter()
    for clue in clues:
        others[clue.offset] += clue.weight if clue.path != file.key else 0
    offset = mine[0].offset
    return constant(offset, TimeBasis.EPOCH_ANCHOR) if others and not others[offset] else None


def _assume(walls: Walls, nodes: Sequence[Node], samples: Sequence[Sample], times: Times) -> None:
    """Assume a zone for the nodes without any clue: that of the other nodes, else what the times of the files suggest, else UTC."""
    if not nodes:
        return
    peers: dict[tuple[tuple[int | None, int], ...], int] = defaultdict(int)
    for plan in walls.plans.values():
        peers[plan.segments] += 1
    common = min(peers, key=lambda each: (-peers[each], str(each))) if peers else None
    suggested = mtime_clues(samples, times.files)
    for node in nodes:
        offsets = suggested.get(node, set())
        if common is not None:
            walls.plans[node] = ZonePlan(common, TimeBasis.ASSUMED)
            walls.notes[node] = "as on the other nodes"
        elif len(offsets) == 1:
            walls.plans[node] = constant(next(iter(offsets)), TimeBasis.ASSUMED)
            walls.notes[node] = "from the time at which its log was last changed"
        else:
            walls.plans[node] = constant(0, TimeBasis.ASSUMED)
            walls.notes[node] = "for want of anything better"
