"""Decoders as flows: gzip by isal, bzip2 by rapidgzip or the standard library, xz and zstd.

All of them read several streams behind each other, stop at damage with what came before, and stop at a
decompression bomb.
"""

from __future__ import annotations

import bz2
import lzma
import os
import stat
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from hadiag.sources.base import CHUNK, RATIO_FLOOR, Budget, Flow, Problem
from hadiag.sources.detect import Codec, compression

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_INPUT = 1 << 16
_OUTPUT = 1 << 16
"""Output of one step: at damage the output of the step is lost, so it is small."""
_XZ_MEMORY = 512 << 20
_PARALLEL_FROM = 1 << 19
"""Smaller files are not worth a thread."""
_AHEAD = 4

OnBytes = Callable[[int], None]


class FileFlow(Flow):
    """A file or pipe as given by the user; tells how far it was read."""

    def __init__(self, file: BinaryIO, on_bytes: OnBytes | None = None) -> None:
        self._file = file
        self._on_bytes = on_bytes
        self.position = 0
        self._closed = False
        status = os.fstat(file.fileno()) if _has_descriptor(file) else None
        self.size = status.st_size if status and stat.S_ISREG(status.st_mode) else None

    def read(self, size: int) -> bytes:
        """Return bytes of the file; an error of the device ends it."""
        if self._closed:
            return b""
        try:
            data = self._file.read(size)
        except OSError as error:
            self.problem = Problem("archive-damaged", f"reading failed after {self.position} bytes: {error.strerror}")
            return b""
        self._advance(len(data))
        return data

    def skip(self, size: int) -> int:
        """Pass over bytes, by a seek where the file allows it."""
        if self.size is None or size < CHUNK or self._closed:
            return super().skip(size)
        size = max(0, min(size, self.size - self.position))
        self._file.seek(size, os.SEEK_CUR)
        self._advance(size)
        return size

    def rewind(self) -> None:
        """Go back to the start of a regular file."""
        self._file.seek(0)
        self.position = 0
        self.problem = None

    def _advance(self, size: int) -> None:
        self.position += size
        if self._on_bytes:
            self._on_bytes(self.position)

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        self._file.close()


def _has_descriptor(file: BinaryIO) -> bool:
    try:
        file.fileno()
    except (OSError, AttributeError):
        return False
    return True


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


def _gz() -> _Decompressor:
    from isal import igzip_lib

    made: _Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return made


def _zst() -> _Decompressor:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    made: _Decompressor = zstd.ZstdDecompressor()
    return made


def _deflate() -> _Decompressor:
    """Make a decoder of the bare deflate format of zip members."""
    from isal import igzip_lib

    made: _Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    return made


_MAKE: dict[Codec, Callable[[], _Decompressor]] = {
    Codec.GZ: _gz,
    Codec.BZ2: bz2.BZ2Decompressor,
    Codec.XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
    Codec.ZST: _zst,
}


def _errors() -> tuple[type[Exception], ...]:
    """Exceptions of all decoders for bad data; those of isal and zstd derive from ``Exception`` only."""
    names = (("isal.igzip_lib", "IsalError"), ("backports.zstd", "ZstdError"), ("compression.zstd", "ZstdError"))
    loaded = [getattr(sys.modules[module], name) for module, name in names if module in sys.modules]
    return (OSError, EOFError, ValueError, MemoryError, lzma.LZMAError, *loaded)


class Decoded(Flow):
    """The decompressed bytes of a flow.

    ``make`` gives the decoder of one stream; ``again`` tells whether bytes behind its end begin another one.
    ``end`` is, at the end, the compressed bytes that were read but not used.
    """

    def __init__(
        self, flow: Flow, name: str, make: Callable[[], _Decompressor], again: Codec | None, budget: Budget
    ) -> None:
        self._flow = flow
        self._name = name
        self._make = make
        self._again = again
        self._budget = budget
        self._decoder = make()
        self._pending = b""
        self._done = False
        self.taken = 0
        self.given = 0
        self.end = b""

    def read(self, size: int) -> bytes:
        """Return decompressed bytes, at least one unless the end is reached."""
        while not self._done:
            data = self._step(min(size, _OUTPUT))
            if data:
                self._account(len(data))
                return data
        return b""

    def _step(self, size: int) -> bytes:
        if self._decoder.eof:
            self._next_stream()
            return b""
        data = self._pending
        if not data and self._decoder.needs_input:
            data = self._flow.read(_INPUT)
            self.taken += len(data)
            if not data:
                where = f"the {self._name} data ends too early, after {self.given} decompressed bytes"
                self._stop(self._flow.problem or Problem("archive-truncated", where))
                return b""
        self._pending = b""
        try:
            made = self._decoder.decompress(data, size)
        except _errors() as error:
            what = str(error) or type(error).__name__
            where = f"the {self._name} data is damaged after {self.given} decompressed bytes: {what}"
            self._stop(Problem("archive-damaged", where))
            return b""
        if not (made or data or self._decoder.needs_input or self._decoder.eof):  # a decoder that stands still
            self._stop(Problem("archive-damaged", f"the {self._name} data is damaged after {self.given} bytes"))
        return made

    def _next_stream(self) -> None:
        rest = self._decoder.unused_data
        if self._again is None:
            self._done, self.end = True, rest
            return
        while len(rest.lstrip(b"\0")) < 16:  # long enough for the magic of every codec
            data = self._flow.read(_INPUT)
            self.taken += len(data)
            if not data:
                break
            rest = rest.lstrip(b"\0") + data
        rest = rest.lstrip(b"\0")
        if compression(rest) is self._again:
            self._decoder, self._pending = self._make(), rest
            return
        text = f"what follows the {self._name} data, after {self.given} decompressed bytes, is not understood"
        self._stop(Problem("archive-damaged", text) if rest else None)

    def _stop(self, problem: Problem | None) -> None:
        self._done = True
        self.problem = problem

    def _account(self, size: int) -> None:
        self.given += size
        most = max(RATIO_FLOOR, self._budget.limits.ratio * self.taken)
        if not self._budget.spend(size):
            self._stop(self._budget.stopped)
        elif self.given > most:
            text = f"the {self._name} data unpacks to more than {self._budget.limits.ratio} times its size; cut there"
            self._stop(Problem("archive-limit", text))

    def close(self) -> None:
        """Stop decoding and close the flow behind."""
        self._done = True
        self._flow.close()


def usable_cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ParallelBzip2(Flow):
    """A bzip2 file on disk, decoded by several threads; at damage the standard library takes over.

    rapidgzip drops the whole block group in front of the damage, the standard library only the damaged block.
    """

    def __init__(self, path: Path, budget: Budget, on_bytes: OnBytes | None = None) -> None:
        import rapidgzip

        self._path = path
        self._budget = budget
        self._on_bytes = on_bytes
        self._most = max(RATIO_FLOOR, budget.limits.ratio * path.stat().st_size)
        threads = min(8, usable_cpus())
        self._fast: BinaryIO | None = rapidgzip.IndexedBzip2File(os.fspath(path), parallelization=threads)
        self._slow: Decoded | None = None
        self._given = 0

    def read(self, size: int) -> bytes:
        """Return decompressed bytes."""
        if self._fast:
            data = self._read_fast(self._fast, size)
            if data is not None:
                return data
        if self._slow is None:
            return b""
        data = self._slow.read(size)
        if not data:
            self.problem = self._slow.problem
        return data

    def _read_fast(self, file: BinaryIO, size: int) -> bytes | None:
        """Return bytes, or None where the slow decoder has to go on."""
        try:
            data = file.read(size)
        except (RuntimeError, ValueError, OSError, MemoryError):
            self._take_over()
            return None
        self._given += len(data)
        at = (int(file.tell_compressed()) + 7) // 8  # type: ignore[attr-defined]  # only rapidgzip has it, in bits
        if self._on_bytes:
            self._on_bytes(at)
        if not data:
            self._check_rest(at)
        elif not self._budget.spend(len(data)) or self._given > self._most:
            text = f"the bzip2 data unpacks to more than {self._budget.limits.ratio} times its size; cut there"
            self._finish(self._budget.stopped or Problem("archive-limit", text))
        return data

    def _check_rest(self, at: int) -> None:
        """Notice what follows the last stream: rapidgzip passes over it."""
        with self._path.open("rb") as file:
            file.seek(at)
            rest = file.read(CHUNK).strip(b"\0")
        text = f"what follows the bzip2 data, after {self._given} decompressed bytes, is not understood"
        self._finish(Problem("archive-damaged", text) if rest else None)

    def _take_over(self) -> None:
        """Let the standard library go on at the same place."""
        self._finish(None)
        file = FileFlow(self._path.open("rb"))
        self._slow = Decoded(file, "bzip2", bz2.BZ2Decompressor, Codec.BZ2, self._budget)
        self._slow.skip(self._given)

    def _finish(self, problem: Problem | None) -> None:
        self.problem = problem
        if self._fast:
            self._fast.close()
        self._fast = None

    def close(self) -> None:
        """Stop the threads and close the file."""
        self._finish(self.problem)
        if self._slow:
            self._slow.close()


class Ahead(Flow):
    """A flow that is read ahead by one thread, so that decoding and scanning share the processors."""

    def __init__(self, flow: Flow, told: FileFlow, on_bytes: OnBytes | None) -> None:
        from concurrent.futures import ThreadPoolExecutor  # slow to import, and most files are decoded without

        self._flow = flow
        self._told = told
        self._on_bytes = on_bytes
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, "hadiag-decode")
        self._coming: deque[Future[bytes]] = deque()
        self._data = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return bytes in their order; the thread runs at most a few chunks ahead."""
        if self._at == len(self._data) and (self.problem or not self._next()):
            return b""
        data = self._data[self._at : self._at + size]
        self._at += len(data)
        return data

    def _next(self) -> bool:
        if self._thread is None:
            return False
        while len(self._coming) < _AHEAD:
            self._coming.append(self._thread.submit(self._flow.exactly, CHUNK))
        self._data = self._coming.popleft().result()
        self._at = 0
        if self._on_bytes:
            self._on_bytes(self._told.position)
        if not self._data:
            self.problem = self._flow.problem
        return bool(self._data)

    def close(self) -> None:
        """Stop the thread and close the flow behind."""
        if self._thread:
            self._thread.shutdown(cancel_futures=True)
        self._thread = None
        self._coming.clear()
        self._data = b""
        self._at = 0
        self._flow.close()


def decoded(flow: Flow, codec: Codec, budget: Budget) -> Decoded:
    """Decompress a flow."""
    return Decoded(flow, codec.value, _MAKE[codec], codec, budget)


def decoded_file(path: Path, codec: Codec, budget: Budget, on_bytes: OnBytes | None = None) -> Flow:
    """Decompress a regular file, with several threads where that pays."""
    if codec is Codec.BZ2 and path.stat().st_size >= _PARALLEL_FROM:
        return ParallelBzip2(path, budget, on_bytes)
    if path.stat().st_size < _PARALLEL_FROM:
        return decoded(FileFlow(path.open("rb"), on_bytes), codec, budget)
    file = FileFlow(path.open("rb"))
    return Ahead(decoded(file, codec, budget), file, on_bytes)


def deflated(flow: Flow, budget: Budget) -> Decoded:
    """Decompress the bare deflate data of a zip member."""
    return Decoded(flow, "deflate", _deflate, None, budget)
