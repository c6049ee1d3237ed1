r"""The stream that a node writes: what it says, and the files in it.

::

    #H hello 1 bm9kZTE= 1764100000 0 1764078400 1764100000
    #H step crm-mon 1764100001
    #H file Y29tbWFuZHMvY3JtX21vbg== gzip 1764100001 - -
    H4sIAAAAAAAAA...
    #H end 0
    #H done crm-mon 0 1
    #H bye

Lines that are neither are noise (a banner of the login shell). The stream may end anywhere.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hadiag.model.frozen import record

MARK: Final = b"#H "
_TIMES = re.compile(rb"(\d{1,6})m(\d{1,2}\.\d+)s (\d{1,6})m(\d{1,2}\.\d+)s")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_CHUNK: Final = 1 << 20


@record
class Said:
    """A line of control: its word and the rest of its words."""

    word: str
    rest: tuple[str, ...]

    def get(self, index: int) -> str:
        """A word, empty where there is none."""
        return self.rest[index] if index < len(self.rest) else ""

    def number(self, index: int) -> int | None:
        """A word as a number, None where it is none."""
        word = self.get(index)
        return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else None

    def text(self, index: int) -> str:
        """A word that travelled in base64, as text."""
        return plain(self.get(index))


@record
class Data:
    """Content of the file that was named last, decompressed."""

    data: bytes


def plain(word: str) -> str:
    """Text of a word in base64; empty for what is none."""
    try:
        return base64.b64decode(word, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return ""


@dataclass(slots=True)
class Frames:
    """Reads the stream piece by piece."""

    _rest: bytes = b""
    _inflate: zlib._Decompress | None = None
    _open: bool = False
    broken: bool = field(default=False)
    """Whether the content of the current file could not be decompressed."""

    def feed(self, data: bytes) -> Iterator[Said | Data]:
        """Yield what the next bytes of the stream say."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _CHUNK:  # no line of ours is that long
            self._rest = b""
        for line in lines:
            yield from self._line(line.rstrip(b"\r"))

    def _line(self, line: bytes) -> Iterator[Said | Data]:
        if line.startswith(MARK):
            word, *rest = line[len(MARK) :].decode("ascii", "replace").split(" ")
            self._begin(word, rest)
            yield Said(word, tuple(rest))
        elif times := _TIMES.fullmatch(line):
            yield Said("cpu", tuple(part.decode("ascii") for part in times.groups()))
        elif self._open and _BASE64.fullmatch(line):
            yield from self._content(line)

    def _begin(self, word: str, rest: list[str]) -> None:
        self._open = word == "file"
        if self._open:
            self.broken = False
            self._inflate = zlib.decompressobj(31) if rest[1:2] == ["gzip"] else None

    def _content(self, line: bytes) -> Iterator[Data]:
        if self.broken:
            return
        try:
            data = base64.b64decode(line[: len(line) // 4 * 4])
            while data:
                if self._inflate is None:
                    yield Data(data)
                    return
                yield Data(self._inflate.decompress(data, _CHUNK))
                data = self._inflate.unconsumed_tail
        except (binascii.Error, zlib.error):
            self.broken = True
