"""From paths to raw events and facts: every artefact of every input is read once."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
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
from hadiag.model.frozen import record
from hadiag.model.record import LogSummary
from hadiag.model.source import Artifact, ArtifactRole, BundleId, BundleKind, InputSummary, Warn
from hadiag.resources import installed_packs, rules_dir
from hadiag.rulelang.loader import read_rules
from hadiag.scan.database import Database, build_database
from hadiag.shares import Turns, can_divide, divided
from hadiag.sources import Inputs, Limits
from hadiag.sources.decode import usable_cpus
from hadiag.sources.detect import HEAD, Codec, compression
from hadiag.sources.inputs import given_before

SIDE_BY_SIDE_BYTES = 32 << 20
"""Bytes of logs from which on several processes read them."""
MOST_SHARES = 4
"""Processes that read one input: each decodes all of it."""
PACKED = 8
"""How many bytes of logs are about behind one of a compressed archive."""
HEAD_BYTES = 64 << 10
"""Bytes of an artefact that are looked at before it is decided what it is."""


@record
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


@record
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


@record
class _Piece:
    """What one artefact gave; ``place`` is its number among those of its input."""

    place: int
    extract: LogExtract | None = None
    facts: tuple[Fact, ...] = ()
    warnings: tuple[Warn, ...] = ()


class _Reader:
    """Reads one artefact after the other; a failure costs that artefact only."""

    def __init__(self, catalogue: Catalogue, database: Database, search: LineSearch | None) -> None:
        self.catalogue = catalogue
        self.database = database
        self.search = search

    def read(self, artifact: Artifact, place: int) -> _Piece | None:
        """Read an artefact as a snapshot or as a log, whatever its content says; None where it is neither."""
        if artifact.role is not ArtifactRole.CANDIDATE:
            return None
        try:
            return self._read(artifact, place)
        except Exception as error:  # noqa: BLE001 - one artefact may be damaged in any way; the others are still read
            reason = f"Reading {artifact.path} failed ({type(error).__name__}: {error}); it was left out."
            return _Piece(place, warnings=(Warn("artifact-failed", reason, artifact.path),))

    def _read(self, artifact: Artifact, place: int) -> _Piece | None:
        head = artifact.stream.read(HEAD_BYTES)
        if not head:
            return None
        parser = snapshots.match(artifact.path, head)
        if parser is not None:
            data = head + artifact.stream.read(snapshots.MAX_BYTES - len(head))
            source = snapshots.Source(artifact.bundle, artifact.path, artifact.node_hint, artifact.mtime)
            facts, warnings = snapshots.read(parser, source, data)
            return _Piece(place, facts=tuple(facts), warnings=tuple(warnings))
        kind = formats.detect(artifact.path, head)
        if kind is None:
            refused = formats.refusal(artifact.path, head)
            return _Piece(place, warnings=(refused,)) if refused else None
        return _Piece(place, extract_log(artifact, head, kind, self.database, self.catalogue, search=self.search))


@record
class _Part:
    """What was read from one input, in the order of its artefacts."""

    pieces: tuple[_Piece, ...]
    summary: InputSummary
    input_warnings: tuple[Warn, ...]
    collected_at: Mapping[BundleId, int] = field(hash=False)


@record
class _Known:
    """What reading needs beside the inputs."""

    catalogue: Catalogue
    database: Database
    options: Options


def read_inputs(paths: Sequence[str], catalogue: Catalogue, options: Options, stdin: BinaryIO | None = None) -> Reading:
    """Read all inputs; where there is much to read, in several processes at a time.

    Raises:
        NoInputError: nothing in any of them was recognised.
    """
    known = _Known(catalogue, build_database(catalogue, cache=options.cache), options)
    sizes = _sizes(paths) if options.workers > 1 and can_divide() else ()
    shares = _shares(paths, sizes, options)
    if shares > 1:
        parts = _side_by_side(paths, sizes, known, shares)
    else:
        seen = set[BundleId]()
        parts = [_read_input(number, path, known, (stdin, seen)) for number, path in enumerate(paths)]
    own = tuple(warn for part in parts for warn in part.input_warnings)
    if not any(piece.extract or piece.facts for part in parts for piece in part.pieces):
        raise NoInputError(_nothing(paths, own))
    return _joined(parts, own)


def _joined(parts: Sequence[_Part], own: Sequence[Warn]) -> Reading:
    pieces = [piece for part in parts for piece in part.pieces]
    extracts = [piece.extract for piece in pieces if piece.extract is not None]
    return Reading(
        events=tuple(event for one in extracts for event in (*one.events, *one.found)),
        logs=tuple(one.summary for one in extracts),
        facts=tuple(fact for piece in pieces for fact in piece.facts),
        unknowns=tuple(row for one in extracts for row in one.unknowns),
        inputs=tuple(part.summary for part in parts),
        input_warnings=tuple((number, warn) for number, part in enumerate(parts) for warn in part.input_warnings),
        warnings=(
            *own,
            *(warn for piece in pieces for warn in piece.warnings),
            *(warn for one in extracts for warn in one.warnings),
        ),
        collected_at={bundle: at for part in parts for bundle, at in part.collected_at.items()},
        surroundings={(one.summary.bundle, one.summary.path): one.surroundings for one in extracts},
    )


def _read_input(
    number: int,
    path: str,
    known: _Known,
    other: tuple[BinaryIO | None, set[BundleId]],
    turns: Turns | None = None,
) -> _Part:
    """Read one input, or of its artefacts those that are this share's turn.

    ``other`` are standard input and the inputs that were read before.
    """
    stdin, seen = other
    options = known.options
    told = None if options.on_bytes is None else partial(_tell_bytes, options.on_bytes, number)
    inputs = Inputs([path], options.limits, stdin, on_bytes=told, seen=seen)
    reader = _Reader(known.catalogue, known.database, options.search)
    pieces = []
    for place, artifact in enumerate(inputs):
        piece = (
            reader.read(_renamed(artifact, options.names), place)
            if turns is None or turns.mine(artifact.size)
            else None
        )
        if piece is not None:
            pieces.append(piece)
    warnings = tuple(warn for _, warn in inputs.warnings)
    (summary,) = inputs.summaries
    return _Part(tuple(pieces), summary, warnings, inputs.collected_at)


def _tell_bytes(tell: Callable[[int, int], None], number: int, _index: int, count: int) -> None:
    tell(number, count)


@record
class _Size:
    """About how many bytes there are to read behind a path, and how they are packed."""

    raw: int
    codec: Codec | None = None


def _sizes(paths: Sequence[str]) -> tuple[_Size, ...]:
    """Sizes of the inputs; none where one of them cannot be looked at, which is told when it is read."""
    try:
        return tuple(_size(Path(path)) for path in paths)
    except OSError:
        return ()


def _size(path: Path) -> _Size:
    if path.is_dir():
        return _Size(sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink()))
    known = path.stat()
    if not stat.S_ISREG(known.st_mode):
        return _Size(0)
    with path.open("rb") as file:
        codec = compression(file.read(HEAD))
    return _Size(known.st_size * (1 if codec is None else PACKED), codec)


def _shares(paths: Sequence[str], sizes: Sequence[_Size], options: Options) -> int:
    """How many processes read: more than one where there is enough to read, and decoding it does not fill them anyway."""
    if sum(size.raw for size in sizes) < SIDE_BY_SIDE_BYTES:
        return 1
    if len(paths) > 1:
        return min(options.workers, len(paths))
    return 1 if sizes[0].codec is Codec.BZ2 else min(options.workers, MOST_SHARES)


def _side_by_side(paths: Sequence[str], sizes: Sequence[_Size], known: _Known, shares: int) -> list[_Part]:
    """Read inputs in several processes: each reads whole inputs, or of a single input a part of the artefacts."""
    read = divided(partial(_read_share, paths, sizes, known, shares), shares)
    tell = known.options.on_bytes
    parts = []
    for number, of_input in enumerate(zip(*read, strict=True)):
        part = _together([part for part in of_input if part is not None])
        parts.append(part)
        if tell is not None:
            tell(number, part.summary.bytes or 0)
    return _each_once(parts)


def _read_share(
    paths: Sequence[str], sizes: Sequence[_Size], known: _Known, shares: int, share: int
) -> list[_Part | None]:
    """One share of the reading: of each input what was read, None where another share reads it."""
    if share:
        known = replace(known, options=replace(known.options, on_bytes=None, on_stage=None))
    turns = Turns(share, shares)
    if len(paths) == 1:
        return [_read_input(0, paths[0], known, (None, set()), turns)]
    seen = set[BundleId]()
    mine = [turns.mine(size.raw) for size in sizes]
    return [
        _read_input(number, path, known, (None, seen)) if mine[number] else None for number, path in enumerate(paths)
    ]


def _together(parts: Sequence[_Part]) -> _Part:
    """Join what several shares read of one input; each has met the whole of it, but read only its own artefacts."""
    pieces = sorted((piece for part in parts for piece in part.pieces), key=lambda piece: piece.place)
    warnings = dict.fromkeys(warn for part in parts for warn in part.input_warnings)
    return replace(parts[0], pieces=tuple(pieces), input_warnings=tuple(warnings))


def _each_once(parts: Sequence[_Part]) -> list[_Part]:
    """Drop what was read of an input that was given before."""
    found: list[_Part] = []
    seen: set[BundleId] = set()
    for part in parts:
        digest = part.summary.digest
        if digest in seen:
            summary = InputSummary(part.summary.path, BundleKind.FILE, part.summary.bytes, digest)
            found.append(_Part((), summary, (given_before(part.summary.path),), {}))
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
    reasons = "; ".join(dict.fromkeys(warn.message.rstrip(".") for warn in warnings))
    what = f"Nothing usable was found in {', '.join(paths)}"
    hint = "Give a crm_report, a sosreport, a supportconfig, a directory with logs, or a log file of a cluster node."
    return f"{what}: {reasons}. {hint}" if reasons else f"{what}. {hint}"
