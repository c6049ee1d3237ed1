"""The inputs of a run: opens each one, finds out what it is and hands out its artefacts."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from hadiag.model.source import Artifact, BundleId, BundleKind, InputSummary, Warn
from hadiag.sources.archive import Artifacts, Found, Walker
from hadiag.sources.base import CHUNK, Budget, EntryType, Flow, Limits, Replay
from hadiag.sources.decode import FileFlow, decoded, decoded_file
from hadiag.sources.detect import HEAD, Content, compression, content
from hadiag.sources.directory import DirectoryReader
from hadiag.sources.opaque import is_opaque

_PIPE_HEAD = 1 << 20
_FILE_HEAD = 1 << 16
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800
"""Times of change outside 2000 to 2100 are not believed."""
_DAY = 86_400

OnBytes = Callable[[int, int], None]


class Inputs:
    """All inputs of a run, iterable once: yields artefacts, whose stream is valid until the next one.

    ``summaries`` (one for each path, in order), ``warnings``, ``collected_at`` and ``aliases`` are complete after
    the iteration. ``on_bytes`` is told (index of the input, bytes of it read so far). ``seen`` are inputs that were read
    before; those of this run are added.
    """

    def __init__(
        self,
        paths: Sequence[str],
        limits: Limits | None = None,
        stdin: BinaryIO | None = None,
        on_bytes: OnBytes | None = None,
        seen: set[BundleId] | None = None,
    ) -> None:
        self._paths = tuple(paths)
        self._limits = limits or Limits()
        self._stdin = stdin
        self._on_bytes = on_bytes
        self._seen: set[BundleId] = set() if seen is None else seen
        self.summaries: tuple[InputSummary, ...] = ()
        self.warnings: tuple[tuple[int, Warn], ...] = ()
        self.collected_at: Mapping[BundleId, int] = {}
        self.aliases: Mapping[tuple[BundleId, str], tuple[str, ...]] = {}
        """Aliases of artefacts whose links were seen only after them; ``Artifact.aliases`` has the others."""

    def __iter__(self) -> Iterator[Artifact]:
        """Yield the artefacts of all inputs, one input after the other."""
        for index, path in enumerate(self._paths):
            progress = partial(self._on_bytes, index) if self._on_bytes else None
            single = _Input(path, self._limits, self._stdin, progress, self._seen)
            try:
                yield from single.artifacts()
            finally:
                self._note(index, single)

    def _note(self, index: int, single: _Input) -> None:
        summary = replace(single.summary, nodes=tuple(sorted(single.found.nodes)))
        self._seen.add(summary.digest)
        self.summaries += (summary,)
        self.warnings += tuple((index, warn) for warn in single.found.warnings.rows(summary.path))
        newest = collection_time(single.found.mtimes)
        if newest is not None:
            self.collected_at = {**self.collected_at, summary.digest: newest}
        late = {(summary.digest, path): names for path, names in single.found.aliases.items()}
        self.aliases = {**self.aliases, **late}


def given_before(path: str) -> Warn:
    """The warning for an input that has the content of one before it."""
    return Warn("input-duplicate", "the same input was given before; it is read once", path)


def open_inputs(paths: Sequence[str], limits: Limits | None = None) -> Inputs:
    """Make the inputs of a run; nothing is opened before the iteration."""
    return Inputs(paths, limits)


class _Input:
    """One input while it is read."""

    def __init__(
        self,
        path: str,
        limits: Limits,
        stdin: BinaryIO | None,
        on_bytes: Callable[[int], None] | None,
        seen: set[BundleId],
    ) -> None:
        self._path = path
        self._limits = limits
        self._stdin = stdin
        self._on_bytes = on_bytes
        self._known = frozenset(seen)
        self.found = Found()
        self.summary = InputSummary(path, BundleKind.FILE, None, BundleId(""))

    def artifacts(self) -> Iterator[Artifact]:
        """Yield the artefacts; whatever is wrong with the input becomes a warning."""
        try:
            yield from self._open()
        except OSError as error:
            self._warn("input-missing", f"the input cannot be read: {error.strerror or error}")

    def _warn(self, code: str, message: str) -> None:
        self.found.warnings.add(code, message, self._path)

    def _open(self) -> Iterator[Artifact]:
        if self._path == "-":
            yield from self._pipe(FileFlow(self._stdin or sys.stdin.buffer, self._on_bytes), "-")
            return
        path = Path(self._path)
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            yield from self._directory(path)
        elif stat.S_ISREG(mode):
            yield from self._file(path)
        elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            with path.open("rb") as file:
                yield from self._pipe(FileFlow(file, self._on_bytes), path.name)
        else:
            self._warn("input-unrecognised", "the input is neither a file nor a directory nor a pipe")

    def _walker(self, digest: BundleId, size: int | None) -> Walker | None:
        """Name the input by its digest; None for one that was read already."""
        self.summary = replace(self.summary, digest=digest, bytes=size)
        if digest in self._known:
            told = given_before(self._path)
            self._warn(told.code, told.message)
            return None
        return Walker(digest, self._path, Budget(self._limits, size), self.found)

    def _set(self, kind: BundleKind) -> None:
        self.summary = replace(self.summary, kind=kind)
        warned = self.found.warnings.rows(self._path)
        if self.found.empty and not warned:
            self._warn("input-empty", "the input holds no files")

    def _directory(self, path: Path) -> Iterator[Artifact]:
        digest, size = _directory_digest(path)
        walker = self._walker(digest, size)
        if walker:
            self.summary = replace(self.summary, kind=BundleKind.DIRECTORY)
            self._set((yield from walker.directory(path, self._on_bytes)))

    def _file(self, path: Path) -> Iterator[Artifact]:
        digest, size = _file_digest(path)
        if not size:
            self._warn("input-empty", "the file is empty")
            return
        walker = self._walker(digest, size)
        if not walker:
            return
        with path.open("rb") as file:
            codec = compression(file.read(HEAD))

        def reopen() -> Flow:
            return decoded_file(path, codec, walker.budget) if codec else FileFlow(path.open("rb"))

        flow = (
            decoded_file(path, codec, walker.budget, self._on_bytes)
            if codec
            else FileFlow(path.open("rb"), self._on_bytes)
        )
        try:
            self._set((yield from self._content(walker, flow, path.name, int(path.stat().st_mtime), reopen)))
        finally:
            flow.close()

    def _pipe(self, source: Flow, name: str) -> Iterator[Artifact]:
        head = source.exactly(_PIPE_HEAD)
        digest = blake2b(head, digest_size=16).hexdigest()
        if not head:
            self._warn("input-empty", "nothing came from the pipe")
            return
        walker = self._walker(BundleId(digest), None)
        if not walker:
            return
        flow: Flow = Replay(head, source)
        codec = compression(head)
        if codec:
            flow = decoded(flow, codec, walker.budget)
        self._set((yield from self._content(walker, flow, name, None, None)))

    def _content(
        self, walker: Walker, flow: Flow, name: str, mtime: int | None, reopen: Callable[[], Flow] | None
    ) -> Artifacts:
        head = flow.exactly(HEAD)
        what = content(head)
        if compression(head) is None and what in {Content.TAR, Content.ZIP}:
            if isinstance(flow, FileFlow) and flow.size is not None:
                flow.rewind()
            else:
                flow = Replay(head, flow)
            return (yield from walker.container(what, flow, reopen=reopen))
        return (yield from walker.loose(Replay(head, flow), name, mtime))


def _file_digest(path: Path) -> tuple[BundleId, int]:
    """Return digest and size of a file."""
    digest = blake2b(digest_size=16)
    size = 0
    with path.open("rb") as file:
        while data := file.read(CHUNK * 4):
            digest.update(data)
            size += len(data)
    return BundleId(digest.hexdigest()), size


def _directory_digest(path: Path) -> tuple[BundleId, int]:
    """Return a digest over names, sizes and the first bytes of all files, and the sum of the sizes."""
    digest = blake2b(digest_size=16)
    total = 0
    for entry in DirectoryReader(path):
        if entry.type is EntryType.FILE:
            size = entry.size or 0
            total += size
            head = b"" if is_opaque(entry.name) else entry.flow.exactly(_FILE_HEAD)
            digest.update(f"{entry.name}\0{size}\0".encode("utf-8", "surrogateescape"))
            digest.update(head)
    return BundleId(digest.hexdigest()), total


def collection_time(mtimes: Sequence[int]) -> int | None:
    """Return the newest believable time of change: a single one far from all others is not believed."""
    times = sorted(time for time in mtimes if _EARLIEST <= time <= _LATEST)
    for newer, older in zip(reversed(times), reversed(times[:-1]), strict=False):
        if newer - older <= _DAY:
            return newer
    return times[-1] if times else None
