"""What each log of a node covers, and which logs would show an event."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hadiag.model.diagnosis import Silence
from hadiag.model.entity import Level, Node
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.model.view import Coverage, Gap
from hadiag.timeline.clock import Clocks
from hadiag.timeline.files import LogFile
from hadiag.timeline.identity import Identities
from hadiag.timeline.known import Catalogue, is_pacemaker
from hadiag.timeline.sample import Sample
from hadiag.timeline.silence import gaps_of
from hadiag.timeline.walls import Times

_DROPS: Final = frozenset({"journald.suppressed", "journald.missed", "rsyslog.ratelimit"})
_DROP_WINDOW: Final = 30 * NS
"""journald counts dropped messages in windows of this length, and tells afterwards."""
_PAUSE: Final = 1800 * NS
_PAUSE_FACTOR: Final = 30
"""A pause of a chatty log is suspicious from half an hour and from this many times its usual distance of lines."""
_EDGE: Final = NS
_PACKED_AGAIN: Final = 86400 * NS
"""How much newer files are than what the commands of their report printed, when the report was packed again."""
_ROTATED: Final = re.compile(r"(?:\.(\d{1,3})|[-.](\d{8,10})(?:\.txt)?|\.old)?(?:\.(?:gz|bz2|xz|zst|lz4))?$")
_DATED: Final = 1_000_000
"""A mark of rotation from here on is a date."""
_EARLIER_BOOT: Final = re.compile(r"journalctl.*[-_ ](?:--boot|-b)[=_ ]-?[1-9]")
"""What a report asks of boots other than the present one: such an excerpt ended with its boot."""
_GENERAL: Final = frozenset({"system", "journal"})
_PREFIXES: Final = {
    "corosync": "corosync", "knet": "corosync", "pcmk": "pacemaker", "fence": "pacemaker", "sched": "pacemaker",
    "execd": "pacemaker", "attrd": "pacemaker", "cib": "pacemaker", "pacemakerd": "pacemaker", "remote": "pacemaker",
    "load": "pacemaker", "kernel": "kernel", "pcsd": "pcsd", "sbd": "sbd",
}  # fmt: skip
_Spans = list[tuple[int, int]]


@record
class _Row:
    """A coverage with what the log shows: speakers, or everything that is logged at all (``general``)."""

    coverage: Coverage
    shows: frozenset[str]
    general: bool
    group: tuple[str, str]
    index: int | None


@dataclass(slots=True)
class CoverageMap:
    """Coverage of all logs, and the answer to whether one of them would show an event."""

    rows: Sequence[_Row]
    silences: Mapping[Node, Sequence[Silence]]
    catalogue: Catalogue
    unlogged: frozenset[Node]
    _cache: dict[tuple[Node, str, bool], tuple[_Spans, _Spans]] = field(default_factory=dict)

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """Coverage of all logs by node, family and path."""
        rows = (row.coverage for row in self.rows)
        return tuple(sorted(rows, key=lambda each: (each.node, each.family, each.path)))

    def covered(self, node: Node, event_type: str, start_ns: int, end_ns: int) -> Tri:
        """Tell whether a log of the node that would show the type covers a window."""
        info = self.catalogue.types.get(event_type)
        speaker = self.speaker(event_type)
        spans, extents = self._spans(node, speaker, info is not None and info.level < Level.NOTICE)
        silences = self.silences.get(node, ())
        silent = any(s.start_ns < end_ns and (s.end_ns is None or s.end_ns > start_ns) for s in silences)
        if not any(low <= end_ns and high >= start_ns for low, high in extents):
            return Tri.UNKNOWN if silent and extents else Tri.FALSE
        whole = any(low - _EDGE <= start_ns and end_ns <= high + _EDGE for low, high in spans)
        return Tri.TRUE if whole and not silent else Tri.UNKNOWN

    def speaker(self, event_type: str) -> str:
        """Who prints a type: pacemaker, corosync, kernel, pcsd, sbd, or another program of the system."""
        info = self.catalogue.types.get(event_type)
        for program in sorted(info.programs) if info else ():
            if is_pacemaker(program):
                return "pacemaker"
            if program in {"corosync", "kernel", "pcsd", "sbd"}:
                return program
        return _PREFIXES.get(event_type.split(".", 1)[0], "system")

    def _spans(self, node: Node, speaker: str, detailed: bool) -> tuple[_Spans, _Spans]:
        """Stretches that are covered, and those with their gaps."""
        key = (node, speaker, detailed)
        if key not in self._cache:
            rows = [row for row in self.rows if row.coverage.node == node and self._would_show(row, speaker, detailed)]
            found = _bridged(rows)
            self._cache[key] = _union(_without_gaps(found)), _union([(start, end) for start, end, _ in found])
        return self._cache[key]

    def _would_show(self, row: _Row, speaker: str, detailed: bool) -> bool:
        if speaker == "pacemaker" and detailed and row.coverage.family in _GENERAL:
            return False  # Pacemaker sends notice and worse to the system's logs
        if speaker == "corosync" and row.coverage.family in _GENERAL and row.coverage.node in self.unlogged:
            return False
        return row.general or speaker in row.shows


def _bridged(rows: Sequence[_Row]) -> list[tuple[int, int, tuple[Gap, ...]]]:
    """Stretches of the rows; a rotated log goes on where its predecessor ends."""
    groups: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        if row.coverage.start_ns is not None and row.coverage.end_ns is not None:
            groups[row.group].append(row)
    found = []
    for mine in groups.values():
        mine.sort(key=lambda row: row.coverage.start_ns or 0)
        for row, following in zip(mine, [*mine[1:], None], strict=True):
            end = row.coverage.end_ns or 0
            if following and _follows(row, following):
                end = max(end, following.coverage.start_ns or 0)
            found.append((row.coverage.start_ns or 0, end, row.coverage.gaps))
    return found


def _follows(row: _Row, following: _Row) -> bool:
    if row.index is None or following.index is None:
        return row.coverage.path != following.coverage.path
    return row.index - following.index == 1 or row.index > _DATED


def _without_gaps(spans: Iterable[tuple[int, int, tuple[Gap, ...]]]) -> list[tuple[int, int]]:
    found = []
    for start, end, gaps in spans:
        at = start
        for gap in sorted(gaps, key=lambda each: each.start_ns):
            if gap.start_ns > at:
                found.append((at, min(gap.start_ns, end)))
            at = max(at, gap.end_ns)
        if at <= end:
            found.append((at, end))
    return found


def _union(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def map_coverage(
    clocks: Clocks,
    files: Sequence[LogFile],
    silences: Mapping[Node, Sequence[Silence]],
    known: tuple[Times, Sequence[Fact], Identities, Catalogue],
) -> CoverageMap:
    """Find what every log covers, in aligned time."""
    times, facts, who, catalogue = known
    speakers = _speakers(clocks.samples)
    drops = _dropped(clocks)
    newest = _newest(files)
    windows = _windows(files)
    told = _told(facts, who)
    rows = []
    for file in files:
        for node in sorted(file.nodes):
            coverage = _coverage(clocks, file, node, silences.get(node, ()), drops.get(file.key, []))
            ended = _EARLIER_BOOT.search(file.path) or (file.summary and file.summary.truncated)
            if file.key in newest and not ended:
                limits = (times, windows, told.get(node))
                coverage = _to_collection(coverage, clocks, file, silences.get(node, ()), limits)
            shows, general = _shows(file, speakers.get(file.key, set()))
            group, index = _rotation(file)
            rows.append(_Row(coverage, shows, general, group, index))
    return CoverageMap(rows, silences, catalogue, _unlogged(facts, who))


def _unlogged(facts: Iterable[Fact], who: Identities) -> frozenset[Node]:
    """Nodes whose corosync does not write to syslog."""
    found: set[Node] = set()
    for fact in facts:
        values = fact.values
        if fact.table != "corosync.option" or values.get("key") != "logging.to_syslog":
            continue
        if str(values.get("value")).lower() in {"no", "off", "0", "false"}:
            owner = who.host(fact.bundle, fact.node_hint)
            found.update([Node(owner)] if owner else [Node(entity.name) for entity in who.entities()])
    return frozenset(found)


def _speakers(samples: Iterable[Sample]) -> dict[tuple[str, str], set[str]]:
    """Programs that were recognised in each file."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for sample in samples:
        for each in (sample, *sample.copies):
            found[each.file.key].add(each.raw.program or each.file.family)
    return found


def _shows(file: LogFile, programs: set[str]) -> tuple[frozenset[str], bool]:
    """What a log shows. A journal of nothing but cluster daemons was cut to their units."""
    shows = {"pacemaker" if is_pacemaker(program) else program for program in programs}
    formats = file.summary.formats if file.summary else ()
    shows.add(file.family)
    if any(name.startswith("pcmk.") for name in formats):
        shows.add("pacemaker")
    general = file.family == "system"
    if file.family == "journal":
        general = bool(shows - {"pacemaker", "corosync", "journal", "sbd", "corosync-qdevice", "dlm_controld"})
    return frozenset(shows), general


def _rotation(file: LogFile) -> tuple[tuple[str, str], int | None]:
    """Name of a log without the marks of rotation, and its place in the rotation (0 for the log in use).

    Supportconfig writes the log in use into a section of a file (``messages.txt#/var/log/messages``), and the rotated
    ones beside it (``messages-20261115.txt``).
    """
    held, section, log = file.path.partition("#/")
    path = held[: held.rfind("/") + 1] + log.rpartition("/")[2] if section else file.path
    match = _ROTATED.search(path)
    mark = match.group(1) or match.group(2) if match else None
    base = path[: match.start()] if match else path
    return (file.bundle, base), int(mark) if mark else 0


def _newest(files: Iterable[LogFile]) -> set[tuple[str, str]]:
    """Files that are no rotated predecessors of another."""
    groups: dict[tuple[str, str], list[tuple[tuple[int, int], tuple[str, str]]]] = defaultdict(list)
    for file in files:
        group, index = _rotation(file)
        groups[group].append((_age(index), file.key))
    return {min(mine)[1] for mine in groups.values()}


def _age(index: int | None) -> tuple[int, int]:
    """Order of the files of a rotation, the one in use first; those that bear a date rise with it."""
    if not index:
        return 0, 0
    return (2, -index) if index > _DATED else (1, index)


def _coverage(clocks: Clocks, file: LogFile, node: Node, silences: Sequence[Silence], drops: Sequence[int]) -> Coverage:
    ends = []
    for run in file.runs:
        for time, line in ((run.first, run.first_line), (run.last, run.last_line)):
            utc = file.utc(time, line)
            if utc is not None:
                ends.append(clocks.of_line(file, node, utc, line))
    summary = file.summary
    start, end = (min(ends), max(ends)) if ends else (None, None)
    gaps = [Gap(at - _DROP_WINDOW, at, "dropped") for at in drops]
    gaps.extend(_pauses(clocks, file, node))
    if start is not None and end is not None:
        for silence in silences:
            low, high = max(silence.start_ns, start), min(end if silence.end_ns is None else silence.end_ns, end)
            if low < high:
                gaps.append(Gap(low, high, "silent"))
    lines, recognised = (summary.lines, summary.recognised) if summary else (0, 0)
    ordered = tuple(sorted(set(gaps), key=lambda gap: (gap.start_ns, gap.end_ns, gap.why)))
    return Coverage(node, file.family, file.path, start, end, lines, recognised, ordered)


def _pauses(clocks: Clocks, file: LogFile, node: Node) -> list[Gap]:
    """Pauses of a log that speaks often; cluster daemons are quiet for hours in a healthy cluster."""
    pauses = gaps_of(file)
    if file.family not in _GENERAL or not file.summary or not pauses:
        return []
    runs = [(file.utc(run.first, run.first_line), file.utc(run.last, run.last_line)) for run in file.runs]
    spoken = sum(last - first for first, last in runs if first is not None and last is not None)
    usual = max(spoken - sum(end - start for start, end, _ in pauses), 0) // max(file.summary.lines, 1)
    least = max(_PAUSE, usual * _PAUSE_FACTOR)
    found = []
    for start, end, line in pauses:
        if end - start >= least:
            low, high = clocks.of_line(file, node, start, line - 1), clocks.of_line(file, node, end, line)
            found.append(Gap(low, high, "no lines"))
    return found


def _to_collection(
    coverage: Coverage,
    clocks: Clocks,
    file: LogFile,
    silences: Sequence[Silence],
    known: tuple[Times, Mapping[tuple[str, str], int], int | None],
) -> Coverage:
    """Let a log in use go on to the time of collection, unless its node had fallen silent for good."""
    times, windows, told = known
    if coverage.end_ns is None or any(silence.end_ns is None for silence in silences):
        return coverage
    last_line = file.runs[-1].last_line
    window, mtime = windows.get(file.key), times.files.get(file.key)
    until = window if window is not None else mtime
    ends = [clocks.of_line(file, coverage.node, until, last_line)] if until else []
    if window is None and file.bundle in times.collected:
        ends.append(times.collected[file.bundle])
    end = max(ends, default=0)
    if told is not None and end - told > _PACKED_AGAIN:
        end = told
    if end <= coverage.end_ns:
        return coverage
    return Coverage(
        coverage.node,
        coverage.family,
        coverage.path,
        coverage.start_ns,
        end,
        coverage.lines,
        coverage.recognised,
        coverage.gaps,
        to_collection=True,
    )


def _told(facts: Iterable[Fact], who: Identities) -> Mapping[Node, int]:
    """Last time that the commands of a report printed on each node.

    A report that somebody packed again has the times of that: files that are much newer than what its commands printed.
    """
    found: dict[Node, int] = {}
    for fact in facts:
        at = fact.values.get("utc_ns")
        owner = who.host(fact.bundle, fact.node_hint) if fact.table == "host.time" and isinstance(at, int) else None
        if owner and isinstance(at, int):
            found[Node(owner)] = max(found.get(Node(owner), 0), at)
    return found


def _windows(files: Sequence[LogFile]) -> dict[tuple[str, str], int]:
    """Ends of the stretch of time that a report was asked for, on the own clock of each node.

    crm_report and "crm report" cut the logs of all nodes at one time; it is known only to be no earlier than any line.
    """
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file in files:
        for path in (file.path, *(file.summary.aliases if file.summary else ())):
            folder, _, name = path.rpartition("/")
            names[file.bundle, folder].add(name)
    cut = {
        place for place, known in names.items() if any(n == "ha-log.txt" or n.endswith(".extract.txt") for n in known)
    }
    ends: dict[tuple[str, str], int] = {}
    mine: dict[tuple[str, str], tuple[str, str]] = {}
    for file in files:
        folder = file.path.rpartition("/")[0]
        run = file.runs[-1] if file.runs else None
        last = file.utc(run.last, run.last_line) if run else None
        if (file.bundle, folder) in cut and last is not None:
            report = (file.bundle, folder.rpartition("/")[0])
            mine[file.key] = report
            ends[report] = max(ends.get(report, 0), last)
    return {key: ends[report] for key, report in mine.items()}


def _dropped(clocks: Clocks) -> dict[tuple[str, str], list[int]]:
    """Aligned times at which a file tells that messages were dropped."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for sample in clocks.samples:
        if sample.raw.type in _DROPS and sample.utc is not None:
            at = clocks.aligned(sample.node, sample.own)
            for each in (sample, *sample.copies):
                found[each.file.key].append(at)
    return found
