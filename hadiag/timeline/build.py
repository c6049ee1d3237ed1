"""Raw events, summaries and facts to a timeline."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from hadiag.errors import UsageError
from hadiag.model.entity import Layer, Node, NodeRole, Scalar
from hadiag.model.event import Event, Folded, RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import LogSummary
from hadiag.model.source import SourceRef, Warn
from hadiag.timeline.clock import Clocks, clock_warnings, node_clocks, settle_clocks
from hadiag.timeline.coverage import map_coverage
from hadiag.timeline.files import LogFile, runs_of
from hadiag.timeline.identity import Identities, NodeIdentity, resolve
from hadiag.timeline.known import Catalogue, TypeInfo, core_message, node_fields
from hadiag.timeline.masked import with_own_names
from hadiag.timeline.merge import richest_fields
from hadiag.timeline.otherwise import learn
from hadiag.timeline.owners import with_owners
from hadiag.timeline.repeats import with_repeats
from hadiag.timeline.sample import Sample
from hadiag.timeline.shifts import Shifts
from hadiag.timeline.silence import find_silences
from hadiag.timeline.timeline import Timeline
from hadiag.timeline.walls import known_times, settle


def build(  # noqa: PLR0913 - the inputs of the stage, the rest by name only
    raw_events: Iterable[RawEvent],
    summaries: Iterable[LogSummary],
    facts: Iterable[Fact],
    catalogue: Catalogue,
    *,
    cluster: str | None = None,
    collected_at: Mapping[str, int] | None = None,
    now_ns: int | None = None,
) -> Timeline:
    """Resolve names, zones and clocks, and put all events on one timeline.

    Args:
        raw_events: events of all logs.
        summaries: what each log file holds.
        facts: what the snapshots say.
        catalogue: the event catalogue.
        cluster: one of several clusters in the input; events of the others are left out.
        collected_at: time of collection of each input, in s since the epoch.
        now_ns: time of the analysis; used only for the year of a log that nothing else dates.

    Raises:
        UsageError: the input does not hold the cluster.
    """
    raws, logs, all_facts = with_own_names(list(raw_events), list(summaries), list(facts))
    raws, logs = with_owners(with_repeats(raws), logs)
    who = resolve(raws, logs, all_facts, learn)
    if cluster is not None and cluster not in who.clusters.names:
        names = ", ".join(who.clusters.names) or "none"
        raise UsageError(f"The input holds no cluster named {cluster} (it holds: {names}).")
    samples, files = _samples(raws, logs, who, cluster)
    del raws, raw_events  # from here on each event is held by its sample alone, and goes with it
    times = known_times(files, all_facts, collected_at or {}, time.time_ns() if now_ns is None else now_ns)
    walls = settle(files, samples, all_facts, who, times)
    clocks = settle_clocks(samples, files, walls, all_facts, who)
    del samples
    nodes = who.nodes(cluster)
    ids = {node.name: node.nodeids for node in nodes}
    silences = find_silences(clocks, files, ids)
    covered = map_coverage(clocks, files, silences, (times, all_facts, who, catalogue))
    warnings = _warnings(clocks, nodes, who, cluster)
    told = node_clocks(clocks)
    events, shifts = _events(clocks, who, catalogue)
    return Timeline(events, (who, nodes), covered, (told, shifts), warnings)


def wall_clocks(
    raw_events: Iterable[RawEvent],
    summaries: Iterable[LogSummary],
    facts: Iterable[Fact],
    collected_at: Mapping[str, int] | None = None,
) -> dict[tuple[str, str], LogFile]:
    """Log files by input and path, with year and zone where something proves them: ``LogFile.utc`` reads any of their stamps."""
    all_facts = list(facts)
    raws, logs = with_owners(list(raw_events), list(summaries))
    who = resolve(raws, logs, all_facts, learn)
    samples, files = _samples(raws, logs, who, None)
    settle(files, samples, all_facts, who, known_times(files, all_facts, collected_at or {}, time.time_ns()))
    return {file.key: file for file in files}


def _samples(
    raws: Sequence[RawEvent], logs: Sequence[LogSummary], who: Identities, cluster: str | None
) -> tuple[list[Sample], list[LogFile]]:
    """Give every event its file and its node; files in order of input and path, events in that of their lines."""
    by_file: dict[tuple[str, str], list[RawEvent]] = defaultdict(list)
    for raw in raws:
        by_file[raw.ref.bundle, raw.ref.path].append(raw)
    known: dict[tuple[str, str], LogSummary] = {(log.bundle, log.path): log for log in logs}
    samples: list[Sample] = []
    files = []
    core = cache(core_message)  # equal messages share what is made of them
    for key in sorted({*by_file, *known}):
        mine = sorted(by_file.get(key, ()), key=lambda raw: raw.ref.line)
        file = _file(key, known.get(key), mine, who)
        found = [Sample(raw, _observer(who, raw), file, core(raw.message)) for raw in mine]
        found = [sample for sample in found if who.belongs(sample.node, cluster)]
        file.nodes = {sample.node for sample in found} | _hosts(who, file, cluster)
        if file.nodes:
            file.node = file.node if file.node in file.nodes else min(file.nodes)
            files.append(file)
            samples.extend(found)
    return samples, files


def _observer(who: Identities, raw: RawEvent) -> Node:
    return who.observer(raw.ref.bundle, raw.host, raw.node_hint)


def _file(key: tuple[str, str], summary: LogSummary | None, raws: Sequence[RawEvent], who: Identities) -> LogFile:
    """Make a log file; its node is the host of most lines."""
    counts: dict[Node, int] = defaultdict(int)
    if summary is not None:
        for host, lines in summary.hosts or ((None, 1),):
            counts[who.observer(key[0], host, summary.node_hint)] += lines
    for raw in raws if not counts else ():
        counts[_observer(who, raw)] += 1
    node = min(counts, key=lambda each: (-counts[each], each))
    family = summary.family if summary else raws[0].family
    runs = list(summary.runs) if summary and summary.runs else runs_of(raws)
    return LogFile(*key, family, node, summary, runs)


def _hosts(who: Identities, file: LogFile, cluster: str | None) -> set[Node]:
    """Nodes with lines in a file, recognised or not."""
    summary = file.summary
    if summary is None:
        return set()
    hosts: list[str | None] = [host for host, _ in summary.hosts]
    found = {who.observer(file.bundle, host, summary.node_hint) for host in hosts or [None]}
    return {node for node in found if who.belongs(node, cluster)}


def _events(clocks: Clocks, who: Identities, catalogue: Catalogue) -> tuple[tuple[Event, ...], Shifts]:
    """Events in the order of aligned time, then input, file and line; those without time last. The samples are used up."""
    naming = _Naming(who, catalogue)
    types = catalogue.types
    events: list[Event] = []
    shifts: list[tuple[SourceRef, int]] = []
    samples = clocks.use_up()
    while samples:  # each is given up when its event is made: there may be hundreds of thousands
        sample = samples.popleft()
        raw = sample.raw
        event = _event(sample, clocks, types.get(raw.type), naming.fields(sample))
        events.append(event)
        if event.at is not None and raw.time is not None:
            shifts.append((raw.ref, event.at.ns - raw.time.wall_ns))
    events.sort(key=_place)
    return tuple(events), Shifts(shifts)


class _Naming:
    """Puts canonical names in place of those that lines print; lines that say the same share their fields."""

    def __init__(self, who: Identities, catalogue: Catalogue) -> None:
        self._who = who
        self._fields = {name: node_fields(info) for name, info in catalogue.types.items()}
        self._names: dict[tuple[str, Node], str] = {}
        self._known: dict[tuple[int, str, Node], tuple[Mapping[str, Scalar], Mapping[str, Scalar]]] = {}

    def fields(self, sample: Sample) -> Mapping[str, Scalar]:
        """Fields of an event with the canonical names of nodes."""
        fields = richest_fields(sample)
        named = self._fields.get(sample.raw.type)
        if not named:
            return fields
        key = (id(fields), sample.raw.type, sample.node)
        known = self._known.get(key)
        if known is None:  # the fields are held as well, so that their id stays their own
            known = self._known[key] = (fields, self._renamed(fields, named, sample.node))
        return known[1]

    def _renamed(self, fields: Mapping[str, Scalar], named: Iterable[str], observer: Node) -> Mapping[str, Scalar]:
        other: dict[str, Scalar] = {}
        for field in named:
            value = fields.get(field)
            if value is not None:
                told = self._canonical(value, observer)
                if type(told) is not type(value) or told != value:
                    other[field] = told
        return {**fields, **other} if other else fields

    def _canonical(self, value: Scalar, observer: Node) -> Scalar:
        """Canonical names in place of the names that a line prints; what is no known node stays."""
        if isinstance(value, tuple):
            return tuple(sorted(str(self._canonical(item, observer)) for item in value))
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        key = (str(value), observer)
        if key not in self._names:
            self._names[key] = self._who.lookup(key[0], observer) or key[0]
        return self._names[key]


def _place(event: Event) -> tuple[bool, int, str, int, str]:
    ref = event.ref
    return event.at is None, event.at.ns if event.at else 0, ref.path, ref.line, ref.bundle


def _event(sample: Sample, clocks: Clocks, info: TypeInfo | None, fields: Mapping[str, Scalar]) -> Event:
    raw = sample.raw
    subject = fields.get(info.subject) if info and info.subject else None
    return Event(
        uid=raw.ref.uid,
        type=raw.type,
        cls=raw.cls,
        layer=info.layer if info else Layer.OS,
        at=clocks.instant(sample),
        observer=sample.node,
        subject=None if subject is None else str(subject),
        level=raw.level,
        program=raw.program,
        pid=raw.pid,
        message=raw.message,
        fields=fields,
        ref=raw.ref,
        quote=raw.quote,
        copies=_copies(sample),
        folded=Folded(raw.repeated, clocks.last(sample)) if raw.repeated != 1 or raw.last_time else None,
    )


def _copies(sample: Sample) -> tuple[SourceRef, ...]:
    """The copies by input, path and line, then other names of the same files."""
    summary = sample.file.summary
    if not sample.copies and not (summary and summary.aliases):
        return ()
    refs = sorted((copy.raw.ref for copy in sample.copies), key=lambda ref: (ref.bundle, ref.path, ref.line))
    for each in (sample, *sample.copies):
        aliases = each.file.summary.aliases if each.file.summary else ()
        refs.extend(replace(each.raw.ref, path=alias) for alias in aliases)
    return tuple(ref for ref in dict.fromkeys(refs) if ref != sample.raw.ref)


def _warnings(clocks: Clocks, nodes: Sequence[NodeIdentity], who: Identities, cluster: str | None) -> tuple[Warn, ...]:
    speaking = frozenset(node.name for node in nodes if node.role is not NodeRole.OTHER)
    found = [*clocks.walls.warnings, *clocks.walls.zone_warnings(), *clock_warnings(clocks, speaking)]
    for node in nodes:
        if node.role is NodeRole.MEMBER and not node.provided:
            text = f"The input holds no logs of {node.name}; it is known from its peers only."
            found.append(Warn("node-missing", text, str(node.name)))
    if len(who.clusters.names) > 1 and cluster is None:
        text = f"The input holds several clusters: {', '.join(who.clusters.names)}."
        found.append(Warn("several-clusters", text, ""))
    return tuple(found)
