"""Decoders give everything before the damage and say what is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hadiag.sources.base import Budget, Flow, Limits, Replay
from hadiag.sources.decode import Ahead, FileFlow, ParallelBzip2, decoded, decoded_file
from hadiag.sources.detect import compression
from tests.unit.sources.building import PACK


def text(size: int, seed: int = 1) -> bytes:
    """Make text that compresses about as a log does."""
    rng = random.Random(seed)
    lines = [
        f"{i} node{rng.randrange(3)} corosync[{rng.randrange(9999)}] {rng.getrandbits(64):x}\n"
        for i in range(size // 40)
    ]
    return "".join(lines).encode()


def drain(flow: Flow, step: int = 4096) -> bytes:
    """Read a flow to its end."""
    parts = []
    while data := flow.read(step):
        parts.append(data)
    return b"".join(parts)


def unpack(data: bytes, limits: Limits | None = None) -> tuple[bytes, Flow]:
    """Decode data of a known compression."""
    codec = compression(data)
    assert codec
    flow = decoded(Replay(data), codec, Budget(limits or Limits(), len(data)))
    return drain(flow), flow


@pytest.mark.parametrize("suffix", PACK)
def test_several_streams_are_one_file(suffix: str) -> None:
    """Streams behind each other, and zeros that fill the last block of a tape, are read through."""
    parts = [text(100_000, seed) for seed in range(3)]
    data = b"".join(PACK[suffix](part) for part in parts)
    for tail in (b"", bytes(1000)):
        out, flow = unpack(data + tail)
        assert out == b"".join(parts)
        assert flow.problem is None


@pytest.mark.parametrize("suffix", PACK)
def test_truncation_keeps_what_came_before(suffix: str) -> None:
    """Cut at any place, the output is a prefix, and the warning is a truncation."""
    whole = text(300_000)
    data = PACK[suffix](whole)
    for cut in (20, len(data) // 3, len(data) // 2, len(data) - 5):
        out, flow = unpack(data[:cut])
        assert whole.startswith(out)
        assert flow.problem
        assert flow.problem.code == "archive-truncated"


@pytest.mark.parametrize("suffix", ["gz", "xz", "zst"])
def test_truncation_loses_little(suffix: str) -> None:
    """Half of the compressed bytes give about half of the text."""
    whole = text(600_000)
    data = PACK[suffix](whole)
    out, _ = unpack(data[: len(data) // 2])
    assert len(out) > len(whole) * 0.3


@pytest.mark.parametrize("suffix", PACK)
def test_flipped_bits_never_raise(suffix: str) -> None:
    """Damage ends the output or is noticed by a checksum; it never raises."""
    rng = random.Random(7)
    whole = text(200_000)
    data = PACK[suffix](whole)
    noticed = 0
    for _ in range(40):
        bad = bytearray(data)
        bad[rng.randrange(20, len(bad))] ^= 1 << rng.randrange(8)
        out, flow = unpack(bytes(bad))
        noticed += flow.problem is not None
        assert flow.problem or suffix == "zst" or out == whole
    assert noticed > (0 if suffix == "zst" else 20)  # this zstd data carries no checksum


def test_garbage_behind_the_data_is_told() -> None:
    """What follows the last stream is not passed over in silence."""
    out, flow = unpack(PACK["gz"](b"x" * 100) + b"something else, longer than a magic")
    assert out == b"x" * 100
    assert flow.problem
    assert flow.problem.code == "archive-damaged"


@pytest.mark.parametrize("suffix", ["bz2", "xz", "zst", "gz"])
def test_a_bomb_is_cut(suffix: str) -> None:
    """Output far beyond the ratio ends with a limit."""
    out, flow = unpack(PACK[suffix](bytes(40 << 20)), Limits(ratio=10))
    assert 16 << 20 <= len(out) < 17 << 20
    assert flow.problem
    assert flow.problem.code == "archive-limit"


def test_parallel_bzip2_equals_the_standard_library(tmp_path: Path) -> None:
    """Large bzip2 files go through rapidgzip with the same result; progress ends at the file's size."""
    whole = text(3_000_000)
    data = PACK["bz2"](whole[:1_000_000]) + PACK["bz2"](whole[1_000_000:])
    path = tmp_path / "x"
    path.write_bytes(data)
    seen: list[int] = []
    flow = decoded_file(path, compression(data), Budget(Limits(), len(data)), seen.append)  # type: ignore[arg-type]
    assert isinstance(flow, ParallelBzip2)
    assert drain(flow, 1 << 20) == whole
    assert flow.problem is None
    assert seen[-1] == len(data)
    assert seen == sorted(seen)


@pytest.mark.parametrize("damage", ["cut", "flip", "garbage"])
def test_parallel_bzip2_falls_back_at_damage(tmp_path: Path, damage: str) -> None:
    """Behind the last good place the standard library goes on, block by block."""
    whole = text(3_000_000)
    data = bytearray(PACK["bz2"](whole))
    if damage == "cut":
        del data[len(data) * 3 // 4 :]
    elif damage == "flip":
        data[len(data) * 3 // 4] ^= 0xFF
    else:
        data += b"not bzip2"
    path = tmp_path / "x"
    path.write_bytes(data)
    flow = ParallelBzip2(path, Budget(Limits(), len(data)))
    out = drain(flow, 1 << 18)
    assert flow.problem
    assert flow.problem.code == ("archive-truncated" if damage == "cut" else "archive-damaged")
    assert len(out) > len(whole) // 2
    assert whole.startswith(out[: len(out) - 1_000_000])  # a damaged block may come out wrong before its checksum
    flow.close()


@pytest.mark.parametrize("suffix", ["gz", "xz", "zst"])
def test_reading_ahead_changes_nothing(tmp_path: Path, suffix: str) -> None:
    """The thread keeps the order and passes on the problem."""
    whole = text(1_600_000)
    data = PACK[suffix](whole)
    path = tmp_path / "x"
    for content, problem in ((data, None), (data[: len(data) * 4 // 5], "archive-truncated")):
        path.write_bytes(content)
        seen: list[int] = []
        codec = compression(content)
        assert codec
        flow = decoded_file(path, codec, Budget(Limits(), len(content)), seen.append)
        assert isinstance(flow, Ahead)
        out = drain(flow, 10_000)
        assert whole.startswith(out)
        assert (out == whole) is (problem is None)
        assert (flow.problem.code if flow.problem else None) == problem
        assert seen[-1] == len(content)
        flow.close()
        assert flow.read(10) == b""


def test_closing_early_stops_the_thread(tmp_path: Path) -> None:
    """A flow that is closed in the middle lets go of its file."""
    path = tmp_path / "x"
    path.write_bytes(PACK["xz"](text(1_600_000)))
    codec = compression(path.read_bytes())
    assert codec
    flow = decoded_file(path, codec, Budget(Limits(), None))
    assert flow.read(100)
    flow.close()


def test_a_file_is_skipped_by_seeking(tmp_path: Path) -> None:
    """Skipping beyond the end tells how much there was."""
    path = tmp_path / "x"
    path.write_bytes(bytes(1_000_000))
    flow = FileFlow(path.open("rb"))
    assert flow.skip(600_000) == 600_000
    assert flow.skip(600_000) == 400_000
    assert flow.read(1) == b""
    flow.close()
