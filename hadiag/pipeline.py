"""The one place that runs the stages in order: from paths to a diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from hadiag import __version__, formats, snapshots
from hadiag.catalogue import Catalogue
from hadiag.catalogue.loader import read as read_catalogue
from hadiag.diagnose import Material, diagnose, unknown_messages
from hadiag.errors import NoInputError, RulesError, UsageError
from hadiag.extract import (
    Census,
    LineSearch,
    LogExtract,
    Surroundings,
    UnknownTemplate,
    extract_log,
    take_census,
)
from hadiag.model.diagnosis import Diagnosis
from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.finding import Finding
from hadiag.model.record import LogSummary
from hadiag.model.source import Artifact, ArtifactRole, BundleId, InputSummary, Warn
from hadiag.resources import installed_packs, rules_dir
from hadiag.rulelang import RuleSet, load_rules
from hadiag.rulelang.evaluate import evaluate
from hadiag.rulelang.loader import read_rules
from hadiag.scan.database import Database, build_database
from hadiag.snapshots.config import cluster_config
from hadiag.sources import Inputs, Limits
from hadiag.state import Views, build_views
from hadiag.timeline import Timeline, build

HEAD_BYTES = 64 << 10
"""Bytes of an artefact that are looked at before it is decided what it is."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an analysis is run. Times are UTC ns; ``rules`` are pack directories beside the shipped ones."""

    rules: tuple[str, ...] = ()
    cluster: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    limits: Limits = field(default_factory=Limits)
    cache: bool = True
    search: LineSearch | None = field(default=None, hash=False, compare=False)
    on_bytes: Callable[[int, int], None] | None = None
    on_stage: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from all inputs."""

    events: tuple[RawEvent, ...]
    logs: tuple[LogSummary, ...]
    facts: tuple[Fact, ...]
    unknowns: tuple[UnknownTemplate, ...]
    inputs: tuple[InputSummary, ...]
    input_warnings: tuple[tuple[int, Warn], ...]
    warnings: tuple[Warn, ...]
    collected_at: Mapping[BundleId, int] = field(hash=False)
    surroundings: Mapping[tuple[BundleId, str], Surroundings] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A diagnosis together with what it rests on; ``surroundings`` are lines around core events, by input and path."""

    diagnosis: Diagnosis
    timeline: Timeline
    views: Views
    facts: tuple[Fact, ...]
    ruleset: RuleSet
    surroundings: Mapping[tuple[BundleId, str], Surroundings] = field(default_factory=dict, hash=False)


def rule_dirs(extra: Sequence[str] = ()) -> tuple[Path, ...]:
    """Directories of all packs: the shipped one, those of installed distributions, the administrator's, the user's."""
    admin = Path("/etc/hadiag/rules.d")
    packs = sorted(path for path in admin.iterdir() if path.is_dir()) if admin.is_dir() else []
    for path in extra:
        if not Path(path).is_dir():
            raise UsageError(f"The rule directory {path} does not exist.")
    return (rules_dir(), *installed_packs()[0], *packs, *(Path(path) for path in extra))


def load_catalogue(options: Options) -> Catalogue:
    """Load the event types of all packs.

    Raises:
        RulesError: a file of events has problems; those of the rule files are told in the same go.
    """
    packs = rule_dirs(options.rules)
    directories = [path / "events" for path in packs if (path / "events").is_dir()]
    catalogue, problems = read_catalogue(directories, cache=options.cache)
    if problems:
        raise RulesError((*map(str, problems), *read_rules(packs)[1]))
    return catalogue


class _Reader:
    """Reads one artefact after the other; a failure costs that artefact only."""

    def __init__(self, catalogue: Catalogue, database: Database, search: LineSearch | None) -> None:
        self.catalogue = catalogue
        self.database = database
        self.search = search
        self.extracts: list[LogExtract] = []
        self.facts: list[Fact] = []
        self.warnings: list[Warn] = []

    def read(self, artifact: Artifact) -> None:
        """Read an artefact as a snapshot or as a log, whatever its content says."""
        if artifact.role is not ArtifactRole.CANDIDATE:
            return
        try:
            self._read(artifact)
        except Exception as error:  # noqa: BLE001 - one artefact may be damaged in any way; the others are still read
            reason = f"Reading {artifact.path} failed ({type(error).__name__}: {error}); it was left out."
            self.warnings.append(Warn("artifact-failed", reason, artifact.path))

    def _read(self, artifact: Artifact) -> None:
        head = artifact.stream.read(HEAD_BYTES)
        if not head:
            return
        parser = snapshots.match(artifact.path, head)
        if parser is not None:
            self._snapshot(parser, artifact, head)
            return
        kind = formats.detect(artifact.path, head)
        if kind is None:
            refused = formats.refusal(artifact.path, head)
            self.warnings += [refused] if refused else []
            return
        self.extracts.append(extract_log(artifact, head, kind, self.database, self.catalogue, search=self.search))

    def _snapshot(self, parser: snapshots.SnapshotParser, artifact: Artifact, head: bytes) -> None:
        data = head + artifact.stream.read(snapshots.MAX_BYTES - len(head))
        source = snapshots.Source(artifact.bundle, artifact.path, artifact.node_hint, artifact.mtime)
        facts, warnings = snapshots.read(parser, source, data)
        self.facts += facts
        self.warnings += warnings


def read_inputs(paths: Sequence[str], catalogue: Catalogue, options: Options, stdin: BinaryIO | None = None) -> Reading:
    """Read all inputs.

    Raises:
        NoInputError: nothing in any of them was recognised.
    """
    database = build_database(catalogue, cache=options.cache)
    inputs = Inputs(paths, options.limits, stdin, on_bytes=options.on_bytes)
    reader = _Reader(catalogue, database, options.search)
    for artifact in inputs:
        reader.read(_renamed(artifact, options.names))
    own = tuple(warn for _, warn in inputs.warnings)
    if not reader.extracts and not reader.facts:
        raise NoInputError(_nothing(paths, own))
    extracts = reader.extracts
    return Reading(
        events=tuple(event for one in extracts for event in (*one.events, *one.found)),
        logs=tuple(one.summary for one in extracts),
        facts=tuple(reader.facts),
        unknowns=tuple(row for one in extracts for row in one.unknowns),
        inputs=inputs.summaries,
        input_warnings=inputs.warnings,
        warnings=(*own, *reader.warnings, *(warn for one in extracts for warn in one.warnings)),
        collected_at=inputs.collected_at,
        surroundings={(one.summary.bundle, one.summary.path): one.surroundings for one in extracts},
    )


def read_census(paths: Sequence[str], options: Options, stdin: BinaryIO | None = None) -> Census:
    """Count for all logs how many of their lines the catalogue knows; reads every line, so it takes its time.

    Raises:
        NoInputError: there is no log in any of them.
    """
    catalogue = load_catalogue(options)
    database = build_database(catalogue, cache=options.cache)
    inputs = Inputs(paths, options.limits, stdin, on_bytes=options.on_bytes)
    total, logs = Census(), 0
    for artifact in inputs:
        if artifact.role is not ArtifactRole.CANDIDATE:
            continue
        head = artifact.stream.read(HEAD_BYTES)
        kind = None if not head or snapshots.match(artifact.path, head) else formats.detect(artifact.path, head)
        if kind is not None:
            logs += 1
            total.add(take_census(artifact, head, kind, database, catalogue))
    if not logs:
        raise NoInputError(_nothing(paths, tuple(warn for _, warn in inputs.warnings)))
    return total


def _renamed(artifact: Artifact, names: Mapping[str, str]) -> Artifact:
    """Apply the user's ``--node NAME=PATH``: everything below that path belongs to the node."""
    for name, prefix in names.items():
        if artifact.path.startswith(prefix):
            return replace(artifact, node_hint=name)
    return artifact


def _nothing(paths: Sequence[str], warnings: Iterable[Warn]) -> str:
    reasons = " ".join(warn.message for warn in warnings)
    what = f"Nothing usable was found in {', '.join(paths)}."
    hint = "Give a crm_report, a sosreport, a supportconfig, a directory with logs, or a log file of a cluster node."
    return f"{what} {reasons} {hint}" if reasons else f"{what} {hint}"


def read_timeline(
    paths: Sequence[str], options: Options, stdin: BinaryIO | None = None
) -> tuple[Timeline, Reading, Catalogue]:
    """Read all inputs and put their events on one timeline."""
    catalogue = load_catalogue(options)
    _tell(options, "Reading the inputs")
    reading = read_inputs(paths, catalogue, options, stdin)
    _tell(options, "Aligning the clocks")
    timeline = build(
        reading.events,
        reading.logs,
        reading.facts,
        catalogue,
        cluster=options.cluster,
        collected_at={str(bundle): at for bundle, at in reading.collected_at.items()},
    )
    names = timeline.cluster_names
    if len(names) > 1 and options.cluster is None:
        raise UsageError(f"The input holds several clusters: {', '.join(names)}. Choose one with --cluster NAME.")
    return timeline, reading, catalogue


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
        unknown_messages=unknown_messages(reading.unknowns, reading.events, timeline),
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
