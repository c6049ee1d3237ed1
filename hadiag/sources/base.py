"""What all readers of bundles share: limits, flows of bytes, entries of containers, the log of problems.

A *flow* is a forward-only source of bytes that never raises for bad data: it ends early and says why in
``problem``. So a damaged archive gives everything before the damage, and the reason becomes a warning.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from hadiag.model.frozen import record
from hadiag.model.source import Warn

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1 << 18
"""Bytes read at a time where the reader chooses."""

RATIO_FLOOR = 16 << 20
"""Output below this size is never taken for a decompression bomb."""

TOTAL_FLOOR = 1 << 30
"""Least total output an input may have, whatever its ratio."""

WARNINGS_PER_CODE = 20
"""More warnings of one code for one input are only counted."""


@record
class Limits:
    """How much one input may ask for.

    ``member_bytes`` of a member are read at most; ``ratio`` is output over compressed input; ``depth`` counts
    archives in archives; ``members`` and ``total_bytes`` (output of all decoders) hold for the whole input.
    """

    member_bytes: int = 2 << 30
    ratio: int = 1000
    depth: int = 4
    members: int = 200_000
    total_bytes: int = 64 << 30


@record
class Problem:
    """Why a flow or a container ended early: a warning code and a sentence."""

    code: str
    text: str


class Flow:
    """Forward-only bytes. ``read`` returns at most ``size`` bytes, and none only at the end."""

    problem: Problem | None = None

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; empty means the end, with the reason in ``problem`` if it is early."""
        raise NotImplementedError

    def skip(self, size: int) -> int:
        """Pass over up to ``size`` bytes and return how many there were."""
        left = size
        while left > 0:
            got = len(self.read(min(left, CHUNK)))
            if not got:
                break
            left -= got
        return size - left

    def exactly(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        parts: list[bytes] = []
        left = size
        while left > 0:
            data = self.read(left)
            if not data:
                break
            parts.append(data)
            left -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Free what the flow holds; it is at its end afterwards."""


class Replay(Flow):
    """Bytes already read, then the rest of the flow they came from."""

    def __init__(self, head: bytes, rest: Flow | None = None) -> None:
        self._head: memoryview | None = memoryview(head)
        self._pos = 0
        self._rest = rest

    def read(self, size: int) -> bytes:
        """Return bytes of the head first; it is freed when it is used up."""
        if self._head is not None and self._pos < len(self._head):
            data = bytes(self._head[self._pos : self._pos + size])
            self._pos += len(data)
            return data
        self._head = None
        if self._rest is None:
            return b""
        data = self._rest.read(size)
        if not data:
            self.problem = self._rest.problem
        return data

    def skip(self, size: int) -> int:
        """Pass over bytes of the head without a copy, then over those of the rest."""
        here = 0
        if self._head is not None:
            here = min(size, len(self._head) - self._pos)
            self._pos += here
        if here == size or self._rest is None:
            return here
        self._head = None
        return here + self._rest.skip(size - here)

    def close(self) -> None:
        """Close the rest as well."""
        self._head = None
        if self._rest:
            self._rest.close()


class Part(Flow):
    """The next ``size`` bytes of a flow: the content of one member."""

    def __init__(self, flow: Flow, size: int) -> None:
        self._flow = flow
        self.size = size
        self.left = size

    def read(self, size: int) -> bytes:
        """Return bytes of the member; the end of the flow inside the member is a truncation."""
        if self.left <= 0:
            return b""
        data = self._flow.read(min(size, self.left))
        self.left -= len(data)
        if not data:
            self._cut()
        return data

    def skip(self, size: int) -> int:
        """Pass over bytes of the member."""
        want = min(size, self.left)
        got = self._flow.skip(want) if want > 0 else 0
        self.left -= got
        if got < want:
            self._cut()
        return got

    def _cut(self) -> None:
        self.problem = self._flow.problem or Problem("archive-truncated", "the archive ends inside the member")
        self.left = 0


class Capped(Flow):
    """A flow that stops after ``limit`` bytes and says so."""

    def __init__(self, flow: Flow, limit: int) -> None:
        self._flow = flow
        self._limit = limit
        self._left = limit

    def read(self, size: int) -> bytes:
        """Return bytes up to the limit."""
        if self.problem:
            return b""
        data = self._flow.read(min(size, self._left + 1))
        if len(data) > self._left:
            self.problem = Problem("archive-limit", f"only the first {self._limit} bytes were read (limit of a member)")
            data = data[: self._left]
        self._left -= len(data)
        if not data and not self.problem:
            self.problem = self._flow.problem
        return data

    def close(self) -> None:
        """Close the flow behind."""
        self._flow.close()


class FlowReader(io.RawIOBase):
    """A flow as a raw stream, for ``io.BufferedReader``."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self._flow = flow

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as one read of the flow does."""
        view = memoryview(buffer)
        data = self._flow.read(len(view))
        view[: len(data)] = data
        return len(data)


def stream_of(flow: Flow) -> io.BufferedReader:
    """Make the stream that an artefact hands out."""
    return io.BufferedReader(FlowReader(flow), 1 << 16)


class EntryType(Enum):
    """What a member of a container is."""

    FILE = auto()
    DIRECTORY = auto()
    SYMLINK = auto()
    HARDLINK = auto()
    SPECIAL = auto()
    """Device, fifo or socket."""


@record
class Entry:
    """One member of a container. ``flow`` is valid until the next member is asked for; ``target`` is of a link."""

    name: str
    type: EntryType
    size: int | None
    mtime: int | None
    target: str
    flow: Flow


class Container(Protocol):
    """Something with members, read once from front to back; ``problems`` is complete afterwards."""

    problems: list[Problem]

    def __iter__(self) -> Iterator[Entry]: ...


class Budget:
    """What one input has used of its limits. ``stopped`` says that nothing more may be read of it."""

    def __init__(self, limits: Limits, input_bytes: int | None) -> None:
        self.limits = limits
        self.stopped: Problem | None = None
        self._members = 0
        self._total = 0
        ratio_total = TOTAL_FLOOR if input_bytes is None else max(TOTAL_FLOOR, limits.ratio * input_bytes)
        self._most = limits.total_bytes if input_bytes is None else min(limits.total_bytes, ratio_total)

    def member(self) -> bool:
        """Count a member; False when there are too many."""
        self._members += 1
        if self._members > self.limits.members and not self.stopped:
            text = f"the archive has more than {self.limits.members} members; the rest was not read"
            self.stopped = Problem("archive-limit", text)
        return not self.stopped

    def spend(self, size: int) -> bool:
        """Count decompressed bytes; False when the input gave too many."""
        self._total += size
        if self._total > self._most and not self.stopped:
            self.stopped = Problem("archive-limit", f"the input unpacks to more than {self._most} bytes")
        return not self.stopped


class WarnLog:
    """Warnings of one input, in order; a flood of one code is cut and counted."""

    def __init__(self) -> None:
        self._rows: list[Warn] = []
        self._count: Counter[str] = Counter()

    def add(self, code: str, message: str, where: str) -> None:
        """Note a warning."""
        warn = Warn(code, message, where)
        if warn in self._rows:
            return
        self._count[code] += 1
        if self._count[code] <= WARNINGS_PER_CODE:
            self._rows.append(warn)

    def report(self, problem: Problem, where: str) -> None:
        """Note a problem of a flow or container."""
        self.add(problem.code, problem.text, where)

    def rows(self, where: str) -> tuple[Warn, ...]:
        """Return the warnings, with one more for each code that was cut."""
        more = [(code, n - WARNINGS_PER_CODE) for code, n in sorted(self._count.items()) if n > WARNINGS_PER_CODE]
        return (*self._rows, *(Warn(code, f"{n} more of this kind", where) for code, n in more))
