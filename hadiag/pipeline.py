"""The one place that runs the stages in order: from paths to a diagnosis."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import BinaryIO

from hadiag import __version__
from hadiag.catalogue import Catalogue
from hadiag.diagnose import Material, diagnose, unknown_messages
from hadiag.errors import UsageError
from hadiag.extract import Surroundings
from hadiag.model.diagnosis import Diagnosis
from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.finding import Finding
from hadiag.model.frozen import record
from hadiag.model.source import BundleId, Warn
from hadiag.reading import HEAD_BYTES, Options, Reading, load_catalogue, read_census, read_inputs, rule_dirs
from hadiag.resources import installed_packs
from hadiag.rulelang import RuleSet, load_rules
from hadiag.rulelang.evaluate import evaluate
from hadiag.snapshots.config import cluster_config
from hadiag.state import Views, build_views
from hadiag.timeline import Timeline, build
from hadiag.timeline.choice import of_cluster
from hadiag.timeline.owners import with_fact_owners

__all__ = [
    "HEAD_BYTES",
    "Analysis",
    "Options",
    "Reading",
    "analyze",
    "load_catalogue",
    "read_census",
    "read_inputs",
    "read_timeline",
    "rule_dirs",
]


@record
class Analysis:
    """A diagnosis together with what it rests on; ``surroundings`` are lines around core events, by input and path."""

    diagnosis: Diagnosis
    timeline: Timeline
    views: Views
    facts: tuple[Fact, ...]
    ruleset: RuleSet
    surroundings: Mapping[tuple[BundleId, str], Surroundings] = field(default_factory=dict, hash=False)


def read_timeline(
    paths: Sequence[str], options: Options, stdin: BinaryIO | None = None
) -> tuple[Timeline, Reading, Catalogue]:
    """Read all inputs and put their events on one timeline; the reading that is returned has none of them any more."""
    catalogue = load_catalogue(options)
    _tell(options, "Reading the inputs")
    reading = read_inputs(paths, catalogue, options, stdin)
    reading, cluster = _chosen(replace(reading, facts=with_fact_owners(reading.facts, reading.logs)), options.cluster)
    _tell(options, "Aligning the clocks")
    events, reading = deque(reading.events), replace(reading, events=())
    timeline = build(
        _handed_over(events),
        reading.logs,
        reading.facts,
        catalogue,
        cluster=cluster,
        collected_at={str(bundle): at for bundle, at in reading.collected_at.items()},
    )
    names = timeline.cluster_names
    if len(names) > 1 and options.cluster is None:
        raise UsageError(f"The input holds several clusters: {', '.join(names)}. Choose one with --cluster NAME.")
    return timeline, reading, catalogue


def _handed_over(events: deque[RawEvent]) -> Iterator[RawEvent]:
    """Keep no event that was taken: of a large input there is no room for those of the reading and of the timeline."""
    while events:
        yield events.popleft()


def _chosen(reading: Reading, cluster: str | None) -> tuple[Reading, str | None]:
    """What was read of the cluster that was chosen; the choice stays where nothing had to be left out."""
    events, logs, facts = of_cluster(reading.events, reading.logs, reading.facts, cluster)
    if events is reading.events:
        return reading, cluster
    files = {(log.bundle, log.path) for log in logs}
    unknowns = tuple(each for each in reading.unknowns if (each.example.bundle, each.example.path) in files)
    return replace(reading, events=tuple(events), logs=tuple(logs), facts=tuple(facts), unknowns=unknowns), None


def analyze(paths: Sequence[str], options: Options | None = None, stdin: BinaryIO | None = None) -> Analysis:
    """Analyze bundles, directories and logs of the nodes of one cluster.

    Args:
        paths: files and directories, ``-`` for standard input.
        options: rule packs, time window, choice of cluster, limits.
        stdin: where ``-`` reads from.

    Raises:
        NoInputError: nothing usable was found.
        RulesError: a rule pack does not load.
        UsageError: the input holds several clusters and none was chosen.
    """
    options = options or Options()
    timeline, reading, catalogue = read_timeline(paths, options, stdin)
    ruleset = load_rules(rule_dirs(options.rules), catalogue, cache=options.cache)
    _tell(options, "Rebuilding the state of the cluster")
    views = build_views(timeline, reading.facts)
    _tell(options, "Applying the rules")
    evaluation = evaluate(ruleset, timeline, views, reading.facts)
    _tell(options, "Weighing the explanations")
    material = Material(
        timeline=timeline,
        views=views,
        facts=reading.facts,
        config=cluster_config(reading.facts),
        ruleset=ruleset,
        findings=_in_window(evaluation.findings, options),
        audits=evaluation.audits,
        inputs=reading.inputs,
        input_warnings=reading.input_warnings,
        warnings=_unique(
            (*_packs_missing(), *reading.warnings, *timeline.warnings, *views.warnings, *evaluation.warnings)
        ),
        unknown_messages=unknown_messages(reading.unknowns, timeline),
        version=__version__,
    )
    return Analysis(diagnose(material), timeline, views, reading.facts, ruleset, reading.surroundings)


def _packs_missing() -> Iterable[Warn]:
    return (Warn("plugin-failed", sentence, "") for sentence in installed_packs()[1])


def _tell(options: Options, stage: str) -> None:
    if options.on_stage is not None:
        options.on_stage(stage)


def _in_window(findings: Iterable[Finding], options: Options) -> tuple[Finding, ...]:
    """Keep the findings of the time window; those from configuration alone have no time and stay."""
    return tuple(f for f in findings if f.start is None or f.end is None or _overlaps(f.start.ns, f.end.ns, options))


def _overlaps(start: int, end: int, options: Options) -> bool:
    after = options.since_ns is None or end >= options.since_ns
    return after and (options.until_ns is None or start <= options.until_ns)


def _unique(warnings: Iterable[Warn]) -> tuple[Warn, ...]:
    return tuple(dict.fromkeys(warnings))
