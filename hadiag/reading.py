"""From paths to raw events and facts: every artefact of every input is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from pickle import PicklingError
from typing import BinaryIO

from hadiag import formats, snapshots
from hadiag.catalogue import Catalogue
from hadiag.catalogue.loader import read as read_catalogue
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
from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import LogSummary
from hadiag.model.source import Artifact, ArtifactRole, BundleId, BundleKind, InputSummary, Warn
from hadiag.resources import installed_packs, rules_dir
from hadiag.rulelang.loader import read_rules
from hadiag.scan.database import Database, build_database
from hadiag.sources import Inputs, Limits
from hadiag.sources.decode import usable_cpus
from hadiag.sources.inputs import given_before

SIDE_BY_SIDE_BYTES = 32 << 20
"""Bytes of all inputs from which on several of them are read side by side."""
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
    workers: int = field(default_factory=usable_cpus)
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


@dataclass(frozen=True, slots=True)
class _Part:
    """What was read from one input."""

    extracts: tuple[LogExtract, ...]
    facts: tuple[Fact, ...]
    warnings: tuple[Warn, ...]
    summary: InputSummary
    input_warnings: tuple[Warn, ...]
    collected_at: Mapping[BundleId, int] = field(hash=False)


def read_inputs(paths: Sequence[str], catalogue: Catalogue, options: Options, stdin: BinaryIO | None = None) -> Reading:
    """Read all inputs; several large files side by side, each in a process of its own.

    Raises:
        NoInputError: nothing in any of them was recognised.
    """
    parts = _side_by_side(paths, catalogue, options) if _pays(paths, options) else None
    if parts is None:
        database, seen = build_database(catalogue, cache=options.cache), set[BundleId]()
        parts = [
            _read_input(number, path, (catalogue, database), options, (stdin, seen))
            for number, path in enumerate(paths)
        ]
    own = tuple(warn for part in parts for warn in part.input_warnings)
    if not any(part.extracts or part.facts for part in parts):
        raise NoInputError(_nothing(paths, own))
    return _joined(parts, own)


def _joined(parts: Sequence[_Part], own: Sequence[Warn]) -> Reading:
    extracts = [extract for part in parts for extract in part.extracts]
    return Reading(
        events=tuple(event for one in extracts for event in (*one.events, *one.found)),
        logs=tuple(one.summary for one in extracts),
        facts=tuple(fact for part in parts for fact in part.facts),
        unknowns=tuple(row for one in extracts for row in one.unknowns),
        inputs=tuple(part.summary for part in parts),
        input_warnings=tuple((number, warn) for number, part in enumerate(parts) for warn in part.input_warnings),
        warnings=(
            *own,
            *(warn for part in parts for warn in part.warnings),
            *(warn for one in extracts for warn in one.warnings),
        ),
        collected_at={bundle: at for part in parts for bundle, at in part.collected_at.items()},
        surroundings={(one.summary.bundle, one.summary.path): one.surroundings for one in extracts},
    )


def _read_input(
    number: int,
    path: str,
    known: tuple[Catalogue, Database],
    options: Options,
    other: tuple[BinaryIO | None, set[BundleId]],
) -> _Part:
    """Read one input; ``other`` are standard input and the inputs that were read before."""
    stdin, seen = other
    told = None if options.on_bytes is None else partial(_tell_bytes, options.on_bytes, number)
    inputs = Inputs([path], options.limits, stdin, on_bytes=told, seen=seen)
    reader = _Reader(*known, options.search)
    for artifact in inputs:
        reader.read(_renamed(artifact, options.names))
    warnings = tuple(warn for _, warn in inputs.warnings)
    (summary,) = inputs.summaries
    return _Part(
        tuple(reader.extracts), tuple(reader.facts), tuple(reader.warnings), summary, warnings, inputs.collected_at
    )


def _tell_bytes(tell: Callable[[int, int], None], number: int, _index: int, count: int) -> None:
    tell(number, count)


def _pays(paths: Sequence[str], options: Options) -> bool:
    """Whether processes of their own are worth their start: several files with enough bytes, and nothing that they share."""
    if len(paths) < 2 or options.search is not None or options.workers < 2:
        return False
    files = [Path(path) for path in paths]
    return all(map(Path.is_file, files)) and sum(file.stat().st_size for file in files) >= SIDE_BY_SIDE_BYTES


def _side_by_side(paths: Sequence[str], catalogue: Catalogue, options: Options) -> list[_Part] | None:
    """Read inputs in processes; None where the processes fail, so that they are read in this one.

    Nothing is inherited: each process starts anew, takes the catalogue from the cache, and sends back what it read.
    """
    tell = options.on_bytes
    alone = replace(options, on_bytes=None, on_stage=None)
    try:
        with ProcessPoolExecutor(min(options.workers, len(paths)), get_context("spawn")) as pool:
            parts = []
            for number, part in enumerate(pool.map(_read_alone, paths, repeat(alone), repeat(catalogue.digest))):
                parts.append(part)
                if tell is not None:
                    tell(number, part.summary.bytes or 0)
    except (BrokenExecutor, OSError, PicklingError, _OtherCatalogueError):
        return None
    return _each_once(parts)


class _OtherCatalogueError(Exception):
    """The packs are no longer those of the process that asked."""


def _read_alone(path: str, options: Options, digest: str) -> _Part:
    """In a process of its own: read one input with the packs of this digest."""
    catalogue = load_catalogue(options)
    if catalogue.digest != digest:
        raise _OtherCatalogueError
    return _read_input(0, path, (catalogue, build_database(catalogue, cache=options.cache)), options, (None, set()))


def _each_once(parts: Sequence[_Part]) -> list[_Part]:
    """Drop what was read of an input that was given before."""
    found: list[_Part] = []
    seen: set[BundleId] = set()
    for part in parts:
        digest = part.summary.digest
        if digest in seen:
            summary = InputSummary(part.summary.path, BundleKind.FILE, part.summary.bytes, digest)
            found.append(_Part((), (), (), summary, (given_before(part.summary.path),), {}))
        else:
            found.append(part)
        seen.add(digest)
    return found


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
