"""Hostile archives: nothing outside is touched, memory and time stay bounded, and nothing raises."""

from __future__ import annotations

import gzip
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from hadiag.errors import WARNINGS
from hadiag.model.source import ArtifactRole
from hadiag.sources import Limits
from tests.unit.sources.building import LOG, PACK, Row, hard_link, member, read, read_bytes, symlink, tar, zipped

GOOD: Row = ("good.log", LOG)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file beside the place of the archive that nothing may touch or read."""
    path = tmp_path / "outside.log"
    path.write_bytes(b"outside\n")
    return path


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside.log", "a/../../outside.log", "a/..", "//x", "./../x"])
def test_unsafe_names_are_refused(tmp_path: Path, outside: Path, name: str) -> None:
    """Absolute names and those that lead out give a warning; the others are read; nothing is written."""
    work = tmp_path / "work"
    work.mkdir()
    for archive in (tar([(name, LOG), GOOD]), zipped({name: LOG, "good.log": LOG})):
        got = read_bytes(work, archive)
        assert got.data == {"good.log": LOG}
        assert got.codes == ["archive-unsafe-name"]
    assert outside.read_bytes() == b"outside\n"
    assert [path.name for path in work.iterdir()] == ["input"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside.log", "../../../../../../etc/passwd"])
def test_links_out_are_not_followed(tmp_path: Path, outside: Path, target: str) -> None:
    """Symbolic and hard links to places outside give nothing of what is there."""
    got = read_bytes(
        tmp_path, tar([symlink("s", target), hard_link("h", target), symlink("d", ".."), ("d/x.log", LOG), GOOD])
    )
    assert got.data == {"d/x.log": LOG, "good.log": LOG}
    assert got.codes == ["archive-unsafe-name"]


def test_a_hard_link_to_nothing_is_told(tmp_path: Path) -> None:
    """The content that a hard link promises may be missing."""
    got = read_bytes(tmp_path, tar([GOOD, hard_link("h.log", "absent.log"), hard_link("i.log", "h.log")]))
    assert got.data == {"good.log": LOG}
    assert got.codes == ["archive-link-missing"]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_special_files_are_refused(tmp_path: Path, kind: bytes) -> None:
    """Devices and fifos give a warning only."""
    got = read_bytes(tmp_path, tar([member("dev/sda", kind), GOOD]))
    assert got.data == {"good.log": LOG}
    assert got.codes == ["archive-unsafe-name"]


def test_secrets_are_never_read(tmp_path: Path) -> None:
    """Keys are listed without their content, in archives, directories and archives inside."""
    names = [
        "etc/corosync/authkey",
        "etc/pacemaker/authkey",
        "a/x.key",
        "a/key4.db",
        "root/.ssh/config",
        "a/id_rsa",
        "etc/shadow",
    ]
    rows = dict.fromkeys(names, b"secret\n")
    for name, content in rows.items():
        path = tmp_path / "case" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    packed = read_bytes(tmp_path, tar(rows | {"inner.tar": tar(rows)}))
    for got in (packed, read(tmp_path / "case")):
        assert len(got.data) >= len(names)
        assert set(got.roles.values()) == {ArtifactRole.OPAQUE}
        assert set(got.data.values()) == {b""}


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_inside_is_cut(tmp_path: Path, suffix: str) -> None:
    """A member that unpacks to far more than it is stops, and the next member is read."""
    bomb = PACK[suffix](bytes(64 << 20))
    got = read_bytes(tmp_path, tar([("bomb.log", bomb), GOOD]), Limits(ratio=100))
    assert len(got.data["bomb.log"]) < 20 << 20
    assert got.data["good.log"] == LOG
    assert got.codes == ["archive-limit"]


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_of_an_archive_is_cut(tmp_path: Path, suffix: str) -> None:
    """The archive as a whole has a ratio too; from a pipe the same holds."""
    bomb = PACK[suffix](tar([("bomb.log", bytes(64 << 20)), GOOD]))
    for got in (read_bytes(tmp_path, bomb, Limits(ratio=100)), read("-", stdin=bomb, limits=Limits(ratio=100))):
        assert sum(map(len, got.data.values())) < 20 << 20
        assert "archive-limit" in got.codes


def test_archives_deep_inside_are_refused(tmp_path: Path) -> None:
    """Four archives in archives are read, the fifth is not."""
    data = tar([GOOD])
    for depth in range(6):
        data = PACK["gz"](tar([(f"{depth}.tar.gz", data), (f"{depth}.log", LOG)]))
    got = read_bytes(tmp_path, data)
    assert [path.count("!") for path in got.data] == [4, 3, 2, 1, 0]
    assert got.codes == ["archive-limit"]


def test_a_file_compressed_many_times_is_refused(tmp_path: Path) -> None:
    """Layers of compression have a limit as well."""
    data = LOG
    for _ in range(8):
        data = gzip.compress(data)
    got = read_bytes(tmp_path, tar([("a.log", data), GOOD]))
    assert got.data == {"good.log": LOG}
    assert got.codes == ["archive-limit"]
    assert read_bytes(tmp_path, data, name="loose").codes == ["archive-limit"]


def test_a_quine_comes_to_an_end(tmp_path: Path) -> None:
    """An archive whose members are archives with many members stops at the number of members."""
    inner = tar([(f"{n}.log", b"x\n") for n in range(50)])
    rows = {f"{n}.tar": inner for n in range(50)}
    got = read_bytes(tmp_path, tar(rows), Limits(members=100))
    assert len(got.data) < 100
    assert got.codes.count("archive-limit") >= 1


def test_too_many_members_end_the_input(tmp_path: Path) -> None:
    """What came before the limit is kept."""
    rows = {f"{n}.log": LOG for n in range(30)}
    for data in (tar(rows), zipped(rows)):
        got = read_bytes(tmp_path, data, Limits(members=10))
        assert list(got.data) == [f"{n}.log" for n in range(10)]
        assert got.codes == ["archive-limit"]


def test_a_long_member_is_cut(tmp_path: Path) -> None:
    """The start of a member beyond the limit is kept; the next one is whole."""
    for rows in ({"long.log": LOG * 100, "good.log": LOG}, {"long.log": PACK["xz"](LOG * 100), "good.log": LOG}):
        got = read_bytes(tmp_path, tar(rows), Limits(member_bytes=1000))
        assert got.data == {"long.log": (LOG * 100)[:1000], "good.log": LOG}
        assert got.codes == ["archive-limit"]


def test_the_total_is_bounded(tmp_path: Path) -> None:
    """The sum of what all decoders give has a limit."""
    rows = {f"{n}.log.gz": gzip.compress(LOG * 5000) for n in range(20)}
    got = read_bytes(tmp_path, tar(rows), Limits(total_bytes=2_000_000))
    assert sum(map(len, got.data.values())) <= 2_000_000 + (1 << 17)
    assert "archive-limit" in got.codes


def rich() -> bytes:
    """Make an archive with something of everything."""
    inner = PACK["gz"](tar([("n1/RUNNING", b"n1\n"), ("n1/a.log", LOG * 20)]))
    long = "d/" * 60 + "long.log"
    rows: list[Row] = [
        ("top/a.log", LOG * 100),
        symlink("top/l", "a.log"),
        (long, LOG),
        ("top/inner.tar.gz", inner),
        ("top/z.zip", zipped({"z.log": LOG * 9})),
        ("top/b.log.bz2", PACK["bz2"](LOG * 50)),
        ("top/ha.txt", b"#==[ Command ]====#\n# /bin/crm_mon -1\nx\n" + LOG),
        hard_link("top/h", "top/a.log"),
        ("top/end.log", LOG),
    ]
    return tar(rows)


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_truncation_at_many_places(tmp_path: Path, suffix: str) -> None:
    """Every cut gives the members before it and a warning that is none of a whole archive."""
    data = PACK[suffix](rich()) if suffix else rich()
    whole = read_bytes(tmp_path, data)
    assert whole.codes == []
    rng = random.Random(5)
    for cut in sorted(rng.randrange(1, len(data) - 1024 if not suffix else len(data)) for _ in range(25)):
        got = read_bytes(tmp_path, data[:cut])
        assert got.codes
        assert set(got.codes) <= WARNINGS.keys()
        paths = [path for path in got.data if path in whole.data]
        for path in paths[:-2]:
            assert got.data[path] == whole.data[path]


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_flipped_bits(tmp_path: Path, suffix: str) -> None:
    """Damage anywhere gives artefacts and warnings, never an exception or more than there was."""
    data = PACK[suffix](rich()) if suffix else rich()
    rng = random.Random(23)
    for _ in range(60):
        bad = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        got = read_bytes(tmp_path, bytes(bad))
        assert sum(map(len, got.data.values())) < 1 << 20
        assert set(got.codes) <= WARNINGS.keys()


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_zeroed_and_random_blocks(tmp_path: Path, suffix: str) -> None:
    """A lost or overwritten block does not stop the run."""
    data = PACK[suffix](rich()) if suffix else rich()
    rng = random.Random(29)
    for fill in (bytes(512), rng.randbytes(512)):
        for at in range(0, len(data), max(512, len(data) // 12)):
            got = read_bytes(tmp_path, data[:at] + fill + data[at + 512 :])
            assert set(got.codes) <= WARNINGS.keys()


def test_headers_that_lie_about_sizes(tmp_path: Path) -> None:
    """A member of exabytes ends with the archive; a size below zero is no header."""
    for size in (1 << 62, 1 << 90, -1, -(1 << 60)):
        info = member("huge.log", size=0)
        header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        value = (size & ((1 << 88) - 1)).to_bytes(11, "big")
        header[124:136] = (b"\x80" if size > 0 else b"\xff") + value
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        got = read_bytes(tmp_path, tar([GOOD])[:1024] + bytes(header) + LOG + bytes(1024))
        assert got.data["good.log"] == LOG
        assert got.codes


def test_overlapping_zip_members_do_not_multiply(tmp_path: Path) -> None:
    """A directory that names one member many times is not used."""
    data = bytearray(zipped({"a.log": LOG * 1000}, zipfile.ZIP_STORED))
    start = data.index(b"PK\1\2")
    entry = bytes(data[start : data.index(b"PK\5\6")])
    got = read_bytes(tmp_path, bytes(data[:start]) + entry * 500 + bytes(data[start + len(entry) :]))
    assert got.data == {"a.log": LOG * 1000}


def test_names_of_every_kind_survive(tmp_path: Path) -> None:
    """Control characters, colons, bytes that are no UTF-8 and very long names are only names."""
    names = ["a\nb.log", "c:d.log", "\x1b[31m.log", b"\xff\xfe.log".decode("utf-8", "surrogateescape"), "x" * 3000, " "]
    got = read_bytes(tmp_path, tar([(name, LOG) for name in names]))
    assert list(got.data) == names
    assert got.codes == []


def test_a_flood_of_warnings_is_cut(tmp_path: Path) -> None:
    """Thousands of bad members give a few warnings and a count."""
    got = read_bytes(tmp_path, tar([(f"../{n}", b"") for n in range(3000)]))
    assert len(got.codes) == 21
    assert got.inputs.warnings[-1][1].message == "2980 more of this kind"


def test_a_wide_directory_of_links_is_quick(tmp_path: Path) -> None:
    """Thousands of links in a chain are resolved without recursion."""
    rows: list[Row] = [("l0", LOG), *(symlink(f"l{n + 1}", f"l{n}") for n in range(3_000))]
    got = read_bytes(tmp_path, tar(rows))
    assert len(got.aliases("l0")) == 3_000
