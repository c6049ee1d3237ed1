"""Tar archives from a flow: ustar, GNU and PAX, with long names and sparse members, front to back.

The standard library's reader ends silently at a damaged header and reads extended headers of any size into
memory. This one bounds what it holds, says where an archive breaks, and looks for the next header behind it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from hadiag.model.frozen import record
from hadiag.sources.base import CHUNK, RATIO_FLOOR, Entry, EntryType, Flow, Part, Problem

_BLOCK = tarfile.BLOCKSIZE
_NAME_MOST = 1 << 16
_PAX_MOST = 1 << 20
_SPARSE_RATIO = 1000
_TYPES = {
    tarfile.LNKTYPE: EntryType.HARDLINK,
    tarfile.SYMTYPE: EntryType.SYMLINK,
    tarfile.CHRTYPE: EntryType.SPECIAL,
    tarfile.BLKTYPE: EntryType.SPECIAL,
    tarfile.FIFOTYPE: EntryType.SPECIAL,
    tarfile.DIRTYPE: EntryType.DIRECTORY,
}
_PAYLOAD = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")
_NO_MEMBER = (b"D", b"M", b"N", b"V")
"""GNU dump directory, continuation of a multi-volume archive, old long names, label of the volume."""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@record
class _Header:
    """A header block, parsed and as it is."""

    name: str
    type: bytes
    size: int
    mtime: int
    target: str
    block: bytes


def _parse(block: bytes) -> _Header | None:
    """Read a header; None where the checksum or the size is wrong."""
    stated = _number(block[148:156])
    total = 256 + sum(block[:148]) + sum(block[156:])
    signed = total - 256 * sum(byte > 127 for byte in block) if stated != total else stated  # some old programs
    size = _number(block[124:136])
    if stated not in {total, signed} or size < 0:
        return None
    name = block[:100].split(b"\0", 1)[0]
    kind = block[156:157]
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    if prefix:
        name = prefix + b"/" + name
    return _Header(_text(name), kind, size, _number(block[136:148]), _text(block[157:257].split(b"\0", 1)[0]), block)


@dataclass(slots=True)
class _Extra:
    """What the extended headers in front of a member say of it."""

    name: str | None = None
    target: str | None = None
    pax: dict[str, str] = field(default_factory=dict)

    def number(self, key: str) -> int | None:
        """Return a whole number of a PAX record; fractions of times are cut."""
        text = self.pax.get(key, "").partition(".")[0]
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else None


class Sparse(Flow):
    """A sparse member with its holes filled: ``pieces`` are (offset, length) of the data that is stored."""

    def __init__(self, stored: Flow, pieces: list[tuple[int, int]], size: int) -> None:
        self._stored = stored
        self._pieces = iter([*pieces, (size, 0)])
        self._size = size
        self._at = 0
        self._hole = 0
        self._data = 0
        self._next()

    def _next(self) -> None:
        offset, length = next(self._pieces, (self._size, 0))
        self._hole = max(0, min(offset, self._size) - self._at)
        self._data = max(0, min(length, self._size - self._at - self._hole))

    def read(self, size: int) -> bytes:
        """Return bytes of the member, zeros for a hole."""
        while self._at < self._size:
            data = self._piece(min(size, CHUNK))
            if data:
                self._at += len(data)
                return data
            if self.problem:
                return b""
            self._next()
        return b""

    def _piece(self, size: int) -> bytes:
        if self._hole:
            count = min(size, self._hole)
            self._hole -= count
            return bytes(count)
        if not self._data:
            return b""
        data = self._stored.read(min(size, self._data))
        self._data -= len(data)
        if not data:
            self.problem = self._stored.problem or Problem("archive-damaged", "the sparse member has no data left")
        return data


class TarReader:
    """Members of a tar archive. ``problems`` says, after the iteration, what was wrong with it."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._offset = 0
        self._last = "the start"
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[Entry]:
        """Yield the members in order."""
        extra = _Extra()
        while (header := self._header()) is not None:
            if header.type in _PAYLOAD:
                self._extend(header, extra)
                continue
            entry, part = self._entry(header, extra)
            extra = _Extra()
            if entry:
                self._last = entry.name
                yield entry
            if not self._pass(part, header):
                return

    def _block(self) -> bytes:
        block = self._flow.exactly(_BLOCK)
        self._offset += len(block)
        return block

    def _header(self) -> _Header | None:
        """Return the next header. Zeros end an archive, but another archive may follow."""
        ended = lost = False
        while True:
            block = self._block()
            if len(block) < _BLOCK:
                self._end(block, ended=ended, lost=lost)
                return None
            if not block.strip(b"\0"):
                ended = True
                continue
            header = _parse(block)
            if header and not (lost and block[257:262] != b"ustar"):
                return header
            if not (ended or lost):
                self._damage("no member begins where one has to")
            lost = True

    def _end(self, block: bytes, *, ended: bool, lost: bool) -> None:
        if self._flow.problem:
            text = f"{self._flow.problem.text}; the last member before is {self._last}"
            self.problems.append(Problem(self._flow.problem.code, text))
        elif block or not (ended or lost):
            self.problems.append(
                Problem("archive-truncated", f"the archive ends without its end mark after {self._last}")
            )

    def _damage(self, what: str) -> None:
        text = f"the archive is damaged at byte {self._offset - _BLOCK}, after {self._last}: {what}"
        self.problems.append(Problem("archive-damaged", text))

    def _pass(self, part: Part, header: _Header) -> bool:
        """Go to the end of the member; False where the archive ends in it."""
        part.skip(part.left)
        read = part.size - part.left
        self._offset += part.size
        cut = part.problem
        if not cut:
            padding = -part.size % _BLOCK
            got = self._flow.skip(padding)
            self._offset += got
            cut = None if got == padding else self._flow.problem or Problem("archive-truncated", "the archive ends")
        if cut:
            what = f"in member {self._last}" if header.type not in _PAYLOAD else f"in the header after {self._last}"
            self.problems.append(Problem(cut.code, f"{cut.text} ({what}, at byte {self._offset - part.size + read})"))
        return not cut

    def _extend(self, header: _Header, extra: _Extra) -> None:
        """Read a long name or a PAX header."""
        part = Part(self._flow, header.size)
        long = header.type in {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
        if header.size > (_NAME_MOST if long else _PAX_MOST):
            self._damage(f"an extended header of {header.size} bytes")
        else:
            payload = part.exactly(header.size)
            if header.type == tarfile.GNUTYPE_LONGNAME:
                extra.name = _text(payload.split(b"\0", 1)[0])
            elif header.type == tarfile.GNUTYPE_LONGLINK:
                extra.target = _text(payload.split(b"\0", 1)[0])
            elif header.type != tarfile.XGLTYPE:  # global headers hold comments such as a commit id
                extra.pax.update(_pax(payload))
        self._pass(part, header)

    def _entry(self, header: _Header, extra: _Extra) -> tuple[Entry | None, Part]:
        kind = _TYPES.get(header.type, EntryType.FILE)
        name = extra.pax.get("GNU.sparse.name") or extra.pax.get("path") or extra.name or header.name
        if name.endswith("/") and kind is EntryType.FILE:  # how old programs write directories
            kind = EntryType.DIRECTORY
        size = extra.number("size")
        size = header.size if size is None else size
        if kind is not EntryType.FILE or size < 0:
            size = 0
        part = Part(self._flow, size)
        mtime = extra.number("mtime")
        if header.type in _NO_MEMBER:
            return None, part
        target = extra.pax.get("linkpath") or extra.target or header.target
        flow, real = self._sparse(header, extra, part) or (part, size)
        mtime = header.mtime if mtime is None else mtime
        mtime = mtime if 0 < mtime < 1 << 40 else None
        return Entry(name, kind, real, mtime, target, flow), part

    def _sparse(self, header: _Header, extra: _Extra, part: Part) -> tuple[Flow, int] | None:
        """Return the flow of a sparse member and its full size."""
        if header.type == tarfile.GNUTYPE_SPARSE:
            pieces, size = self._gnu_sparse(header)
        elif "GNU.sparse.major" in extra.pax and extra.number("GNU.sparse.major") == 1:
            pieces = _map_in_data(part)
            size = extra.number("GNU.sparse.realsize") or 0
        elif "GNU.sparse.size" in extra.pax:
            numbers = [int(n) for n in extra.pax.get("GNU.sparse.map", "").split(",") if n.isdecimal() and len(n) < 20]
            pieces = list(zip(numbers[::2], numbers[1::2], strict=False))
            size = extra.number("GNU.sparse.size") or 0
        else:
            return None
        if size > max(RATIO_FLOOR, part.size * _SPARSE_RATIO):
            self._damage(f"a sparse member of {size} bytes with only {part.size} bytes of data")
            return Part(part, 0), 0
        return Sparse(part, pieces, size), size

    def _gnu_sparse(self, header: _Header) -> tuple[list[tuple[int, int]], int]:
        """Read the map of the old GNU format, which goes on in blocks behind the header."""
        block = header.block
        pieces = _pairs(block[386:482])
        more = block[482]
        while more and len(pieces) * 24 < _PAX_MOST:
            block_more = self._block()
            if len(block_more) < _BLOCK:
                break
            pieces += _pairs(block_more[:504])
            more = block_more[504]
        return pieces, _number(block[483:495])


def _number(raw: bytes) -> int:
    """Read a number of a header: octal digits, or base 256 when the first bit is set; -1 for what is neither."""
    if raw[:1] == b"\x80":
        return int.from_bytes(raw[1:], "big")
    digits = raw.split(b"\0", 1)[0].strip(b" ")
    if digits.strip(b"01234567"):
        return -1
    return int(digits, 8) if digits else 0


def _pairs(raw: bytes) -> list[tuple[int, int]]:
    """Read (offset, length) pairs of the old GNU map; an empty pair ends it."""
    pairs = []
    for at in range(0, len(raw) - 23, 24):
        offset, length = _number(raw[at : at + 12]), _number(raw[at + 12 : at + 24])
        if not (offset or length):
            break
        pairs.append((offset, length))
    return pairs


def _pax(payload: bytes) -> dict[str, str]:
    """Read the records ``LENGTH KEY=VALUE`` of a PAX header, as far as they are well formed."""
    records: dict[str, str] = {}
    offsets: list[str] = []
    at = 0
    while at < len(payload):
        digits, space, _ = payload[at : at + 20].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        record = payload[at + len(digits) + 1 : at + length - 1]
        if length < 5 or b"=" not in record:
            break
        key, _, value = record.partition(b"=")
        records[_text(key)] = _text(value)
        if key in {b"GNU.sparse.offset", b"GNU.sparse.numbytes"}:  # format 0.0 repeats the two keys
            offsets.append(_text(value))
        at += length
    if offsets:
        records["GNU.sparse.map"] = ",".join(offsets)
    return records


def _map_in_data(part: Part) -> list[tuple[int, int]]:
    """Read the map of PAX sparse format 1.0: decimal numbers, one a line, in whole blocks before the data."""
    text = b""
    numbers: list[int] = []
    most = 1
    while len(numbers) < most and len(text) < _PAX_MOST:
        block = part.exactly(_BLOCK)
        if len(block) < _BLOCK:
            break
        text += block
        numbers = [int(line) for line in text.rpartition(b"\n")[0].split(b"\n") if line.isdigit() and len(line) < 20]
        most = 1 + 2 * min(numbers[0], _PAX_MOST) if numbers else 1
    pairs = numbers[1:most]
    return list(zip(pairs[::2], pairs[1::2], strict=False))
