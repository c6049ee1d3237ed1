"""Blocks: a byte stream cut at line ends into pieces of about a megabyte.

A block knows where its lines start and end, so that a hit of the pattern database (an end offset) becomes a line
without any Python statement for the lines in between.  Memory stays bounded whatever comes: a line that does not end
within a block's size is cut there, and the rest of it is read and dropped.  A run of NUL bytes inside a line (the
zero-filled tail of a file after a power loss) hides the text before it: the line starts behind the run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MAX_LINE = 8192
"""Bytes of a line that are handed out; the rest is never looked at."""

_NEWLINE = 10


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    r"""Whole lines of a stream.

    ``offset`` is the place of ``data[0]`` in the stream, ``first_line`` the number (from 1) of its first line.
    ``starts`` and ``ends`` hold the byte positions of each line inside ``data`` (the end is its ``\n``, or the end of
    the data).  ``cut`` counts lines that were longer than a block and lost their tail.
    """

    data: bytes
    offset: int
    first_line: int
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    nul_bytes: bool = False
    cut: int = 0

    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self.starts)

    def line_of(self, end_offset: int) -> int:
        """Index of the line that holds the byte before ``end_offset``."""
        return max(0, bisect_right(self.starts, end_offset - 1) - 1)

    def lines_of(self, end_offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the line for each end offset, all at once."""
        return np.maximum(np.searchsorted(self.starts, end_offsets - 1, side="right") - 1, 0)

    def line(self, index: int) -> bytes:
        """Text of a line without its end, at most ``MAX_LINE`` bytes."""
        start = int(self.starts[index])
        end = min(int(self.ends[index]), start + MAX_LINE)
        return self.data[start:end].rstrip(b"\r\0")

    def length(self, index: int) -> int:
        """Length of a line in bytes, without its end."""
        return int(self.ends[index] - self.starts[index])


def read_blocks(stream: BinaryIO, size: int = 1 << 20) -> Iterator[Block]:
    """Read a stream to its end as blocks of about ``size`` bytes that end at a line end."""
    carry, offset, line = b"", 0, 1
    while chunk := _fill(stream, size):
        data = carry + chunk
        end = data.rfind(b"\n") + 1
        if end == 0:  # the stream ends here, or one line fills the whole piece
            rest, skipped = _drop_line(stream, size)
            yield _block(data, offset, line, cut=int(skipped > 0))
            carry, offset, line = rest, offset + len(data) + skipped, line + 1
            continue
        block = _block(data[:end], offset, line)
        yield block
        carry, offset, line = data[end:], offset + end, line + block.count
    if carry:
        yield _block(carry, offset, line)


def _fill(stream: BinaryIO, size: int) -> bytes:
    """Read ``size`` bytes, or fewer only at the end: decoders and pipes hand out small pieces."""
    chunk = stream.read(size)
    if len(chunk) == size or not chunk:
        return chunk
    pieces, total = [chunk], len(chunk)
    while total < size and (chunk := stream.read(size - total)):
        pieces.append(chunk)
        total += len(chunk)
    return b"".join(pieces)


def _drop_line(stream: BinaryIO, size: int) -> tuple[bytes, int]:
    """Read up to the end of the present line; what follows it, and the number of bytes that were dropped."""
    skipped = 0
    while chunk := stream.read(size):
        end = chunk.find(b"\n")
        if end >= 0:
            return chunk[end + 1 :], skipped + end + 1
        skipped += len(chunk)
    return b"", skipped


def _block(data: bytes, offset: int, first_line: int, *, cut: int = 0) -> Block:
    buffer = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(buffer == _NEWLINE)
    if not len(ends) or ends[-1] != len(data) - 1:
        ends = np.append(ends, len(data))
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    nul = b"\0" in data
    if nul:
        starts = _behind_nuls(buffer, starts, ends)
    return Block(data, offset, first_line, starts, ends, nul, cut)


def _behind_nuls(buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Starts moved behind the last NUL of each line, where text follows it."""
    nuls = np.flatnonzero(buffer == 0)
    last = np.searchsorted(nuls, ends) - 1
    place = np.where(last >= 0, nuls[last], -1)
    inside = (place >= starts) & (place + 1 < ends)
    return np.where(inside, place + 1, starts)
