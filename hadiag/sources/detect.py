"""What some bytes are: compression, container, binary journal, encrypted or foreign. Names play no part.

>>> compression(b"BZh91AY&SY")
<Codec.BZ2: 'bzip2'>
"""

from __future__ import annotations

import re
import tarfile
from enum import Enum, StrEnum, auto

HEAD = 8192
"""Bytes of a member that decide what it is."""


class Codec(StrEnum):
    """Compressions that can be read."""

    GZ = "gzip"
    BZ2 = "bzip2"
    XZ = "xz"
    ZST = "zstd"


class Content(Enum):
    """What else a head of bytes may be."""

    TAR = auto()
    ZIP = auto()
    JOURNAL = auto()
    """Binary journal of systemd."""
    ENCRYPTED = auto()
    FOREIGN = auto()
    """An archive or compression that hadiag does not read."""
    BINARY = auto()
    TEXT = auto()


_BZ2_HEAD = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_ZST_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_ENCRYPTED = (
    b"-----BEGIN PGP MESSAGE-----",
    b"Salted__",
    b"\x8c\x0d\x04",  # OpenPGP, symmetric key packet (sos --encrypt-pass)
    b"\xc3\x0d\x04",
    b"age-encryption.org/",
)
_PUBLIC_KEY_PACKET = re.compile(rb"(?:\x84.|\x85..|\xc1.|\xc1[\xc0-\xdf].)\x03", re.DOTALL)  # OpenPGP, version 3
_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".tar", ".zip", ".lzma")
_FOREIGN = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x04\x22\x4d\x18",  # lz4
    b"\x1f\x9d",  # compress
    b"070701",  # cpio
    b"070707",
    b"\xed\xab\xee\xdb",  # rpm
)
_BINARY = (
    b"\x7fELF",
    b"SQLite format 3\0",
    b"\xd4\xc3\xb2\xa1",  # pcap
    b"\xa1\xb2\xc3\xd4",
    b"\x0a\x0d\x0d\x0a",  # pcapng
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"%PDF-",
    b"KDUMP   ",
    b"!<arch>\n",
    b"BM\x00",
)
_NUL_RUN = re.compile(rb"\0{64,}")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\x1b\x0c\x08\x07\0"))


def compression(head: bytes) -> Codec | None:
    """Tell the compression that the bytes begin with."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Codec.GZ
    if _BZ2_HEAD.match(head):
        return Codec.BZ2
    if head.startswith(b"\xfd7zXZ\0"):
        return Codec.XZ
    return Codec.ZST if head.startswith(b"\x28\xb5\x2f\xfd") or _ZST_SKIPPABLE.match(head) else None


def content(head: bytes) -> Content:
    """Tell what bytes are that no compression begins with."""
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return Content.ZIP
    if head.startswith(b"LPKSHHRH"):
        return Content.JOURNAL
    if is_tar(head):
        return Content.TAR
    if head.startswith(_ENCRYPTED) or _PUBLIC_KEY_PACKET.match(head):
        return Content.ENCRYPTED
    if head.startswith(_FOREIGN):
        return Content.FOREIGN
    return Content.BINARY if is_binary(head) else Content.TEXT


def promises_archive(path: str) -> bool:
    """Tell whether a name ends like that of an archive or of compressed data."""
    return path.lower().endswith(_SUFFIXES)


def is_tar(head: bytes) -> bool:
    """Tell whether a tar header with a right checksum comes first."""
    block = head[: tarfile.BLOCKSIZE]
    if len(block) < tarfile.BLOCKSIZE or not block[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def is_binary(head: bytes) -> bool:
    """Tell text from binary data; long runs of NUL are what a power loss or copytruncate leaves in a log."""
    if head.startswith(_BINARY):
        return True
    text = _NUL_RUN.sub(b"", head)
    if not text:
        return False
    return text.count(b"\0") * 100 > len(text) or (len(text) - len(text.translate(None, _CONTROL))) * 20 > len(text)


def is_journal_text(head: bytes) -> bool:
    """Tell whether text is an export of a journal (``-o export`` or one of the JSON forms)."""
    return head.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP=")) or (
        head.lstrip()[:1] in {b"{", b"["} and b'"__REALTIME_TIMESTAMP"' in head
    )
