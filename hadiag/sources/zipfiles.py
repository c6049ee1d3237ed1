"""Zip archives from a flow, by their local headers, front to back.

Reading without the central directory works on pipes and on archives whose end is missing, and no member can be
read twice, so overlapping members do not multiply. What only the central directory knows, Unix file types, is
not used: a link in a zip archive is a small file with the target as its text.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from hadiag.model.frozen import record
from hadiag.sources.base import CHUNK, Budget, Entry, EntryType, Flow, Part, Problem
from hadiag.sources.decode import Decoded, decoded, deflated
from hadiag.sources.detect import Codec

_LOCAL = struct.Struct("<4s5H3I2H")
_ENDS = (b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\x08")
_CODECS = {12: Codec.BZ2, 93: Codec.ZST, 95: Codec.XZ}
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZE_BEHIND = 0x1, 0x8
_UNKNOWN = 0xFFFFFFFF


class _Returnable(Flow):
    """A flow that takes bytes back, for what a decoder read beyond the end of its member."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._back = b""
        self.offset = 0

    def read(self, size: int) -> bytes:
        """Return bytes, those given back first."""
        if self._back:
            data, self._back = self._back[:size], self._back[size:]
        else:
            data = self._flow.read(size)
            self.problem = None if data else self._flow.problem
        self.offset += len(data)
        return data

    def unread(self, data: bytes) -> None:
        """Give bytes back that were read too many."""
        self._back = data + self._back
        self.offset -= len(data)


class _Checked(Flow):
    """A member with a known checksum; a wrong one is noticed at its end."""

    def __init__(self, flow: Flow, crc: int) -> None:
        self._flow = flow
        self._crc = crc
        self._sum = 0

    def read(self, size: int) -> bytes:
        """Return bytes of the member."""
        data = self._flow.read(size)
        self._sum = zlib.crc32(data, self._sum)
        if not data:
            self.problem = self._flow.problem
            if not self.problem and self._sum != self._crc:
                self.problem = Problem("archive-damaged", "the member does not have the checksum it should have")
        return data


@record
class _Local:
    """Local header of a member. ``packed`` is None where the size stands only behind the data."""

    name: str
    flags: int
    method: int
    mtime: int | None
    crc: int
    packed: int | None
    size: int | None


class ZipReader:
    """Members of a zip archive. ``problems`` says, after the iteration, what was wrong with it."""

    def __init__(self, flow: Flow, budget: Budget) -> None:
        self._flow = _Returnable(flow)
        self._budget = budget
        self._last = "the start"
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[Entry]:
        """Yield the members in order."""
        while (local := self._local()) is not None:
            self._last = local.name
            part = Part(self._flow, local.packed) if local.packed is not None else None
            content = self._content(local, part)
            if content:
                kind = EntryType.DIRECTORY if local.name.endswith("/") else EntryType.FILE
                yield Entry(local.name, kind, local.size, local.mtime, "", content)
            if not self._pass(part, content):
                return

    def _local(self) -> _Local | None:
        raw = self._flow.exactly(_LOCAL.size)
        if raw.startswith(_ENDS):
            return None
        if len(raw) < _LOCAL.size:
            self._stop("archive-truncated", "the archive ends without its directory")
            return None
        magic, _, flags, method, time, date, crc, packed, size, name_size, extra_size = _LOCAL.unpack(raw)
        if magic != b"PK\3\4":
            self._stop("archive-damaged", f"no member begins at byte {self._flow.offset - _LOCAL.size}")
            return None
        name = self._flow.exactly(name_size).decode("utf-8", "surrogateescape")
        extra = _extra(self._flow.exactly(extra_size))
        packed, size = _sizes(packed, size, extra.get(1, b""))
        behind = flags & _SIZE_BEHIND and not packed
        return _Local(
            name=name if "/" in name else name.replace("\\", "/"),  # some programs on Windows write backslashes
            flags=flags,
            method=method,
            mtime=_mtime(date, time, extra.get(0x5455, b"")),
            crc=crc,
            packed=None if behind else packed,
            size=None if behind else size,
        )

    def _stop(self, code: str, text: str) -> None:
        problem = self._flow.problem or Problem(code, text)
        self.problems.append(Problem(problem.code, f"{problem.text}; the last member before is {self._last}"))

    def _content(self, local: _Local, part: Part | None) -> Flow | None:
        if local.flags & _ENCRYPTED:
            if not any(problem.code == "archive-encrypted" for problem in self.problems):
                self.problems.append(Problem("archive-encrypted", f"members are encrypted, the first is {local.name}"))
            return None
        flow: Flow
        if local.method == _STORED and part:
            flow = part
        elif local.method == _DEFLATED:
            flow = deflated(part or self._flow, self._budget)
        elif local.method in _CODECS and part:
            flow = decoded(part, _CODECS[local.method], self._budget)
        else:
            text = f"member {local.name} has a compression that cannot be read (method {local.method})"
            self.problems.append(Problem("nested-unreadable", text))
            return None
        return flow if part is None else _Checked(flow, local.crc)

    def _pass(self, part: Part | None, content: Flow | None) -> bool:
        """Go behind the member; False where the archive cannot be read on."""
        if content:
            while content.skip(CHUNK):
                pass
            if content.problem:
                self.problems.append(Problem(content.problem.code, f"{content.problem.text} (member {self._last})"))
        if part is None:
            return self._pass_unknown(content)
        part.skip(part.left)
        if part.problem and not (content and content.problem):
            self.problems.append(Problem(part.problem.code, f"{part.problem.text} (member {self._last})"))
        return part.problem is None

    def _pass_unknown(self, content: Flow | None) -> bool:
        """Go behind a member of unknown size, and the descriptor with its sizes."""
        if not isinstance(content, Decoded) or content.problem:
            return False
        self._flow.unread(content.end)
        behind = self._flow.exactly(28)
        for size in (16, 12, 24, 20):  # with and without a signature, sizes of 4 and of 8 bytes
            if behind[size : size + 2] == b"PK":
                self._flow.unread(behind[size:])
                return True
        self._stop("archive-damaged", "no member begins where one has to")
        return False


def _extra(raw: bytes) -> dict[int, bytes]:
    """Split the extra field into its records."""
    records: dict[int, bytes] = {}
    while len(raw) >= 4:
        key, size = struct.unpack_from("<HH", raw)
        records[key] = raw[4 : 4 + size]
        raw = raw[4 + size :]
    return records


def _sizes(packed: int, size: int, zip64: bytes) -> tuple[int, int]:
    """Return compressed and full size, from the zip64 record where the header has no room."""
    if size == _UNKNOWN and len(zip64) >= 8:
        size = int.from_bytes(zip64[:8], "little")
        zip64 = zip64[8:]
    if packed == _UNKNOWN and len(zip64) >= 8:
        packed = int.from_bytes(zip64[:8], "little")
    return packed, size


def _mtime(date: int, time: int, extended: bytes) -> int | None:
    """Return the time of change; the old fields are local time of an unknown zone and are taken as UTC."""
    if len(extended) >= 5 and extended[0] & 1:
        return int.from_bytes(extended[1:5], "little")
    try:
        parts = ((date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2)
        return int(datetime(*parts, tzinfo=UTC).timestamp())
    except ValueError:
        return None
