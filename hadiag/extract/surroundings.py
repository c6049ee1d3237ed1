"""The lines around core events, kept while a log is read, so that evidence can show them without reading it again.

Of each log the lines within a minute of a core event are kept, known or not, in compressed pieces. The store is bounded: when
a log has more of them, the oldest pieces go; the incident that a bundle was made for is near its end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from isal import isal_zlib

from hadiag.model.frozen import record
from hadiag.scan.blocks import MAX_LINE, Block
from hadiag.scan.stamps import NO_STAMP, Flags, Ints

MOST_BYTES: Final = 4 << 20
"""Compressed bytes that are kept of one log."""

_MOST_PENDING: Final = 4 << 20  # raw bytes that wait until it is known what is near them
_JOIN: Final = 20  # lines between two pieces that are kept as well
_LEVEL: Final = 1


@record
class _Piece:
    """Neighbouring lines of a log: the number of the first one, how many, and their text."""

    first: int
    count: int
    packed: bytes


@dataclass(slots=True)
class Surroundings:
    """What is kept of one log. Blocks come in the order of the log."""

    most: int = MOST_BYTES
    _pieces: deque[_Piece] = field(default_factory=deque)
    _size: int = 0
    _pending: deque[tuple[Block, Ints]] = field(default_factory=deque)
    _open: tuple[_Piece, list[bytes]] | None = None

    def add(self, block: Block, walls: Ints) -> None:
        """Take in a block, whose lines wait for ``settle``."""
        self._pending.append((block, _filled(walls)))

    def settle(self, near: Callable[[Ints], Flags], newest: int | None, reach: int) -> None:
        """Keep what is near core events of the blocks for which that is known (all, when ``newest`` is None)."""
        waiting = sum(len(block.data) for block, _ in self._pending)
        while self._pending:
            block, walls = self._pending[0]
            known = newest is None or newest - int(walls[-1]) > reach or waiting > _MOST_PENDING
            if not known:
                return
            self._pending.popleft()
            waiting -= len(block.data)
            self._keep(block, near(walls) & (walls != NO_STAMP))

    def _keep(self, block: Block, wanted: Flags) -> None:
        rows = np.flatnonzero(wanted)
        if not len(rows):
            return
        cuts = np.flatnonzero(np.diff(rows) > _JOIN)
        for first, last in zip(rows[np.concatenate(([0], cuts + 1))], rows[np.append(cuts, -1)], strict=True):
            text = block.data[int(block.starts[first]) : int(block.ends[last])]
            piece = _Piece(block.first_line + int(first), int(last - first) + 1, isal_zlib.compress(text, _LEVEL))
            self._pieces.append(piece)
            self._size += len(piece.packed)
        while self._size > self.most and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft().packed)

    def around(self, line: int, reach: int) -> tuple[tuple[int, str], ...]:
        """Numbers and texts of the lines up to ``reach`` before and after a line, as far as they are kept."""
        found: list[tuple[int, str]] = []
        behind = bisect_right(self._pieces, line + reach, key=_first)
        for place in range(behind - 1, -1, -1):
            piece = self._pieces[place]
            if piece.first + piece.count <= line - reach:
                break
            low, high = max(line - reach - piece.first, 0), line + reach + 1 - piece.first
            rows = self._rows(piece)[low:high]
            found[:0] = ((piece.first + low + index, _decoded(row)) for index, row in enumerate(rows))
        return tuple(found)

    def _rows(self, piece: _Piece) -> list[bytes]:
        """The lines of a piece; those of the last one are at hand, since evidence lies close together."""
        if self._open is None or self._open[0] is not piece:
            self._open = piece, isal_zlib.decompress(piece.packed).split(b"\n")
        return self._open[1]


def _first(piece: _Piece) -> int:
    return piece.first


def _decoded(row: bytes) -> str:
    return row[:MAX_LINE].rstrip(b"\r\0").decode("utf-8", "replace")


def _filled(walls: Ints) -> Ints:
    """Times of all lines; a line without a stamp has that of the line before it."""
    stamped = np.where(walls != NO_STAMP, np.arange(len(walls)), 0)
    filled: Ints = walls[np.maximum.accumulate(stamped)]
    return filled
