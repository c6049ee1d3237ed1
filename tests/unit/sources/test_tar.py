"""Tar archives of all formats, and where they break."""

from __future__ import annotations

import io
import random
import tarfile

import pytest

from hadiag.sources.base import EntryType, Replay
from hadiag.sources.tar import TarReader
from tests.unit.sources.building import LOG, STAMP, Row, hard_link, member, symlink, tar

LONG = "/".join(["directory-with-a-long-name"] * 12) + "/pacemaker.log"
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def members(data: bytes) -> tuple[dict[str, bytes], TarReader]:
    """Read all files of an archive."""
    reader = TarReader(Replay(data))
    return {entry.name: entry.flow.exactly(1 << 24) for entry in reader}, reader


@pytest.mark.parametrize("format_", FORMATS)
def test_content_and_order_are_kept(format_: int) -> None:
    """Members come in their order, with sizes that do not fill a block."""
    want = {f"top/{n}": bytes([65 + n]) * (n * 511) for n in range(5)}
    got, reader = members(tar(want, format=format_))
    assert list(got.items()) == list(want.items())
    assert reader.problems == []


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_targets(format_: int) -> None:
    """Names beyond 100 characters come in headers of their own."""
    rows: list[Row] = [(LONG, LOG), symlink("short", LONG), symlink(LONG + ".1", "x")]
    entries = list(TarReader(Replay(tar(rows, format=format_))))
    assert [entry.name for entry in entries] == [LONG, "short", LONG + ".1"]
    assert entries[1].target == LONG


@pytest.mark.parametrize("format_", FORMATS)
def test_names_that_are_not_utf8_survive(format_: int) -> None:
    """A Latin-1 name becomes surrogates, which give the same bytes again."""
    name = b"top/M\xfcller.log".decode("utf-8", "surrogateescape")
    got, _ = members(tar({name: LOG}, format=format_))
    assert list(got) == [name]


def test_types_of_members() -> None:
    """Links, directories and special files are told apart and have no content."""
    rows = [
        member("d", tarfile.DIRTYPE),
        symlink("s", "t"),
        hard_link("h", "t"),
        member("c", tarfile.CHRTYPE),
        member("b", tarfile.BLKTYPE),
        member("f", tarfile.FIFOTYPE),
    ]
    entries = list(TarReader(Replay(tar(rows))))
    kinds = [EntryType.DIRECTORY, EntryType.SYMLINK, EntryType.HARDLINK] + [EntryType.SPECIAL] * 3
    assert [entry.type for entry in entries] == kinds
    assert {entry.mtime for entry in entries} == {STAMP}


def gnu_sparse(pieces: list[tuple[int, bytes]], size: int) -> bytes:
    """Make an archive with one sparse member of the old GNU format, as GNU tar 1.34 writes it."""
    data = b"".join(content for _, content in pieces)
    info = member("sparse", size=len(data))
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    pairs = b"".join(b"%011o\0%011o\0" % (at, len(content)) for at, content in pieces)
    inside, behind = pairs[:96], pairs[96:]
    header[386 : 386 + len(inside)] = inside
    header[482] = 1 if behind else 0
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    extra = behind.ljust(512, b"\0") if behind else b""
    return bytes(header) + extra + data + bytes(-len(data) % 512) + tar({"after": LOG})


@pytest.mark.parametrize("count", [1, 4, 6])
def test_old_gnu_sparse_members(count: int) -> None:
    """Holes are zeros; a map of more than four pieces goes on behind the header."""
    pieces = [(n * 4096, bytes([97 + n]) * 512) for n in range(count)]
    size = count * 4096 + 1000
    want = bytearray(size)
    for at, content in pieces:
        want[at : at + len(content)] = content
    got, reader = members(gnu_sparse(pieces, size))
    assert got == {"sparse": bytes(want), "after": LOG}
    assert reader.problems == []


def pax_sparse(records: dict[str, str], stored: bytes) -> bytes:
    """Make an archive with one member that PAX records describe."""
    info = member("GNUSparseFile.0/sparse", size=len(stored))
    info.pax_headers = records
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(stored))
        archive.addfile(member("after", size=len(LOG)), io.BytesIO(LOG))
    return out.getvalue()


def test_pax_sparse_members() -> None:
    """Format 1.0 has its map in the data, format 0.1 in a record."""
    want = b"A" * 10 + bytes(90) + b"B" * 10 + bytes(90)
    in_data = b"2\n0\n10\n100\n10\n".ljust(512, b"\0") + b"A" * 10 + b"B" * 10
    major = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "sparse",
        "GNU.sparse.realsize": "200",
    }
    minor = {"GNU.sparse.size": "200", "GNU.sparse.name": "sparse", "GNU.sparse.map": "0,10,100,10"}
    for records, stored in ((major, in_data), (minor, b"A" * 10 + b"B" * 10)):
        got, reader = members(pax_sparse(records, stored))
        assert got == {"sparse": want, "after": LOG}
        assert reader.problems == []


def test_a_sparse_bomb_is_refused() -> None:
    """A member of 4 GiB with a block of data is not expanded; what follows is read."""
    got, reader = members(gnu_sparse([(0, b"x" * 512)], 4 << 30))
    assert got == {"sparse": b"", "after": LOG}
    assert [problem.code for problem in reader.problems] == ["archive-damaged"]


def test_truncation_names_the_place() -> None:
    """Cut anywhere, the members before are whole, and the problem names the last one."""
    want = {f"m{n}": LOG * 20 for n in range(4)}
    data = tar(want)
    step = 512 + len(LOG * 20) + -len(LOG * 20) % 512
    for cut in range(300, 4 * step, 397):
        got, reader = members(data[:cut])
        whole = cut // step
        assert {name: got[name] for name in list(got)[:whole]} == {f"m{n}": LOG * 20 for n in range(whole)}
        assert [problem.code for problem in reader.problems] == ["archive-truncated"]
        last = list(got)[-1] if got else "the start"
        assert last in reader.problems[0].text


def test_a_missing_end_mark_is_told() -> None:
    """An archive that ends behind a member lacks its zeros."""
    data = tar({"a": b"x" * 512})
    got, reader = members(data[:1024])
    assert got == {"a": b"x" * 512}
    assert [problem.code for problem in reader.problems] == ["archive-truncated"]


def test_a_damaged_header_loses_one_member() -> None:
    """The reader finds the next header behind the damage."""
    data = bytearray(tar({"a": LOG, "b": LOG, "c": LOG}))
    data[1024 + 5] ^= 0xFF
    got, reader = members(bytes(data))
    assert got == {"a": LOG, "c": LOG}
    assert [problem.code for problem in reader.problems] == ["archive-damaged"]
    assert "after a" in reader.problems[0].text


def test_archives_behind_each_other_are_one() -> None:
    """``cat a.tar b.tar`` is read through; zeros alone end it."""
    got, reader = members(tar({"a": LOG}) + tar({"b": LOG}))
    assert got == {"a": LOG, "b": LOG}
    assert reader.problems == []


def test_headers_of_any_size_are_not_held() -> None:
    """An extended header of a gigabyte is passed over."""
    info = member("x", tarfile.XHDTYPE, size=1 << 30)
    got, reader = members(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert got == {}
    assert "archive-damaged" in [problem.code for problem in reader.problems]


def test_flipped_bits_never_raise() -> None:
    """Whatever a header holds, the reader comes to an end."""
    rng = random.Random(11)
    rows: list[Row] = [(LONG, LOG), symlink("s", LONG), ("b", LOG * 30), ("c", LOG)]
    for format_ in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        data = tar(rows, format=format_)
        for _ in range(300):
            bad = bytearray(data)
            for _ in range(rng.randrange(1, 5)):
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            got, _ = members(bytes(bad))
            assert sum(map(len, got.values())) <= len(data)
