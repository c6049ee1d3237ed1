"""Zip archives, read by their local headers."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from hadiag.sources.base import Budget, Limits, Replay
from hadiag.sources.zipfiles import ZipReader
from tests.unit.sources.building import LOG, zipped


def members(data: bytes) -> tuple[dict[str, bytes], ZipReader]:
    """Read all files of an archive."""
    reader = ZipReader(Replay(data), Budget(Limits(), len(data)))
    return {entry.name: entry.flow.exactly(1 << 24) for entry in reader}, reader


WANT = {"top/a.log": LOG * 50, "top/empty": b"", "top/b.log": LOG}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_methods(method: int) -> None:
    """Stored, deflated and bzip2 members are read."""
    got, reader = members(zipped(WANT, method))
    assert got == WANT
    assert reader.problems == []


class _Unseekable(io.RawIOBase):
    """A pipe, for which zip writers put the sizes behind the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(data)  # type: ignore[arg-type]


def test_archives_made_in_a_pipe() -> None:
    """Sizes that stand behind the data are found there."""
    out = _Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in WANT.items():
            archive.writestr(name, content)
    got, reader = members(out.data)
    assert got == WANT
    assert reader.problems == []


def test_truncation_keeps_what_came_before() -> None:
    """Without its directory at the end an archive is still read."""
    data = zipped({f"m{n}": LOG * 9 + bytes([n]) for n in range(5)}, zipfile.ZIP_STORED)
    size = 30 + 2 + len(LOG) * 9 + 1
    for cut in range(10, 5 * size, 61):
        got, reader = members(data[:cut])
        assert len(got) >= cut // size
        assert [problem.code for problem in reader.problems] == ["archive-truncated"]


def test_a_wrong_checksum_is_told() -> None:
    """A flipped byte of a stored member is noticed, the others are read."""
    data = bytearray(zipped({"a": LOG, "b": LOG}, zipfile.ZIP_STORED))
    data[40] ^= 1
    got, reader = members(bytes(data))
    assert list(got) == ["a", "b"]
    assert got["b"] == LOG
    assert ["member a" in problem.text for problem in reader.problems] == [True]


def test_encrypted_members_are_told_once() -> None:
    """The flag of encryption is enough; the others are read."""
    data = bytearray(zipped({"a": LOG, "b": LOG, "c": LOG}, zipfile.ZIP_STORED))
    for name in (b"a", b"b"):
        at = data.index(b"\0" + name + LOG[:8]) + 1 - 30
        data[at + 6] |= 1
    got, reader = members(bytes(data))
    assert got == {"c": LOG}
    assert [problem.code for problem in reader.problems] == ["archive-encrypted"]


def test_flipped_bits_never_raise() -> None:
    """Whatever the headers hold, the reader comes to an end."""
    rng = random.Random(3)
    data = zipped(WANT)
    for _ in range(500):
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        got, _ = members(bytes(bad))
        assert sum(map(len, got.values())) < 1 << 20
