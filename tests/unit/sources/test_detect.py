"""What bytes are is told by the bytes."""

from __future__ import annotations

import io
import struct
import tarfile

import pytest

from hadiag.sources.detect import Codec, Content, compression, content, is_journal_text
from tests.unit.sources.building import LOG, PACK, tar, zipped


@pytest.mark.parametrize("suffix", PACK)
def test_every_compression_is_known_by_its_magic(suffix: str) -> None:
    """A compressed log begins with the magic of its compression."""
    expected = {"gz": Codec.GZ, "bz2": Codec.BZ2, "xz": Codec.XZ, "zst": Codec.ZST}[suffix]
    assert compression(PACK[suffix](LOG)) is expected
    assert compression(LOG) is None


def test_an_empty_bzip2_file_is_still_one() -> None:
    """A stream without blocks has another second magic."""
    assert compression(PACK["bz2"](b"")) is Codec.BZ2
    assert compression(b"BZh9 is how this line begins") is None


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_is_known_by_its_checksum(format_: int) -> None:
    """All formats are found, and one wrong byte in the header is none."""
    data = tar({"a": LOG}, format=format_)
    assert content(data) is Content.TAR
    assert content(b"b" + data[1:]) is not Content.TAR


def test_containers_and_foreign_files() -> None:
    """Zip, journals, encrypted, foreign and binary files are told apart."""
    assert content(zipped({"a": LOG})) is Content.ZIP
    assert content(b"LPKSHHRH" + bytes(200)) is Content.JOURNAL
    assert content(b"\x85\x02\x0c\x03" + bytes(range(64))) is Content.ENCRYPTED
    assert content(b"\x8c\x0d\x04\x09\x03\x08") is Content.ENCRYPTED
    assert content(b"7z\xbc\xaf\x27\x1c\0\4") is Content.FOREIGN
    assert content(b"\x7fELF\2\1\1") is Content.BINARY
    assert content(struct.pack("<100I", *range(100))) is Content.BINARY


def test_a_log_with_holes_is_text() -> None:
    """A power loss or copytruncate leaves long runs of NUL in a log, Latin-1 and colours are text too."""
    assert content(bytes(4096) + LOG) is Content.TEXT
    assert content(LOG + bytes(4096) + LOG) is Content.TEXT
    assert content(bytes(8192)) is Content.TEXT
    assert content(b"M\xfcller \x1b[31mred\x1b[0m\n" * 20) is Content.TEXT


def test_exports_of_a_journal_are_told_from_other_text() -> None:
    """The export format and the JSON forms name a field of every entry."""
    assert is_journal_text(b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1\n")
    assert is_journal_text(b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":"x"}\n')
    assert is_journal_text(b'[\n{ "__REALTIME_TIMESTAMP" : "1" }]')
    assert not is_journal_text(LOG)
    assert not is_journal_text(b'{"a": 1}')


def test_a_damaged_start_of_a_tar_is_no_tar() -> None:
    """Short or empty data does not pass for an archive."""
    assert content(io.BytesIO(tar({"a": LOG})).read(511)) is not Content.TAR
    assert content(bytes(1024)) is Content.TEXT
