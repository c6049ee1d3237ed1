"""Blocks of whole lines, whatever the stream holds."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

import numpy as np
import pytest

from hadiag.scan.blocks import MAX_LINE, Block, read_blocks


class _Trickle(io.RawIOBase):
    """A stream that hands out three bytes at a time, as a pipe or a decoder may."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def read(self, size: int = -1) -> bytes:
        piece, self._rest = self._rest[: min(size, 3)], self._rest[min(size, 3) :]
        return piece


def _blocks(data: bytes, size: int = 16) -> list[Block]:
    return list(read_blocks(io.BytesIO(data), size))


def _lines(blocks: list[Block]) -> list[bytes]:
    return [block.line(index) for block in blocks for index in range(block.count)]


@pytest.mark.parametrize("size", [1, 2, 7, 16, 1000])
@pytest.mark.parametrize("data", [b"", b"\n", b"a", b"a\n", b"a\nb", b"\n\na\n\nbb\n", b"0123456\n" * 5])
def test_lines_come_whole_and_in_order(data: bytes, size: int) -> None:
    """Every line comes once; offsets and numbers run on from block to block."""
    blocks = _blocks(data, max(size, 9))
    assert _lines(blocks) == data.split(b"\n")[: data.count(b"\n") + (not data.endswith(b"\n") and data != b"")]
    assert b"".join(block.data for block in blocks) == data
    number, offset = 1, 0
    for block in blocks:
        assert (block.first_line, block.offset) == (number, offset)
        number, offset = number + block.count, offset + len(block.data)


def test_blocks_end_at_line_ends() -> None:
    """All blocks but the last end with a newline."""
    blocks = _blocks(b"12345\n" * 10 + b"tail")
    assert all(block.data.endswith(b"\n") for block in blocks[:-1])
    assert blocks[-1].data == b"tail"


def test_small_pieces_fill_blocks() -> None:
    """A stream that trickles does not make tiny blocks."""
    blocks = list(read_blocks(cast(BinaryIO, _Trickle(b"12345\n" * 100)), 60))
    assert len(blocks) <= 12
    assert len(_lines(blocks)) == 100


def test_long_line_is_cut() -> None:
    """A line longer than a block loses its tail; the next one keeps its number and offset."""
    blocks = _blocks(b"first\n" + b"x" * 1000 + b"\nlast\n", 50)
    lines = _lines(blocks)
    assert [line[:5] for line in lines] == [b"first", b"xxxxx", b"last"]
    assert sum(block.cut for block in blocks) == 1
    assert blocks[-1].first_line + blocks[-1].count - 1 == 3
    place = blocks[-1].offset + int(blocks[-1].starts[-1])
    assert place == 6 + 1001


def test_endless_line_is_bounded() -> None:
    """Ten megabytes without a newline are one line of bounded size."""
    blocks = list(read_blocks(io.BytesIO(b"x" * (10 << 20)), 1 << 16))
    assert [(block.count, len(block.data), block.cut) for block in blocks] == [(1, 1 << 16, 1)]
    assert len(blocks[0].line(0)) == MAX_LINE
    assert blocks[0].length(0) == 1 << 16


def test_line_of_end_offset() -> None:
    """A hit that ends inside or at the end of a line belongs to it."""
    (block,) = _blocks(b"abc\nde\nf\n", 100)
    assert [block.line_of(end) for end in (1, 3, 5, 6, 8)] == [0, 0, 1, 1, 2]
    assert block.lines_of(np.array([1, 3, 5, 6, 8])).tolist() == [0, 0, 1, 1, 2]


def test_carriage_return_goes() -> None:
    """Lines of DOS files end before the carriage return."""
    assert _lines(_blocks(b"abc\r\ndef\r\n", 100)) == [b"abc", b"def"]


def test_nul_runs_hide_what_is_before_them() -> None:
    """The text behind the zero-filled tail of a crash is a line from its own first byte on."""
    (block,) = _blocks(b"May 7 cut\0\0\0May 8 whole\nnext\n\0\0\n", 100)
    assert block.nul_bytes
    assert [block.line(index) for index in range(3)] == [b"May 8 whole", b"next", b""]
    assert block.starts.tolist() == [12, 24, 29]


def test_no_nul_is_told() -> None:
    """A clean block says so."""
    assert not _blocks(b"a\n")[0].nul_bytes
