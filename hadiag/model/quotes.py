"""The lines that the events of a log quote, compressed once there are many: they are read again only where one is shown."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from isal import isal_zlib

MANY: Final = 256
"""Lines in one piece."""
_LEVEL: Final = 1
_OPEN: Final = 64
"""Pieces that are at hand uncompressed."""


class Quotes:
    """Up to ``MANY`` lines of one log by their number."""

    __slots__ = ("_packed", "_texts")

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._packed = b""

    def add(self, line: int, text: str) -> bool:
        """Take in a line; False where there is no room, since the piece is compressed already."""
        if self._packed:
            return False
        self._texts[line] = text
        if len(self._texts) >= MANY:
            rows = "\n".join(f"{number} {each}" for number, each in self._texts.items())
            self._packed = isal_zlib.compress(rows.encode("utf-8", "surrogatepass"), _LEVEL)
            self._texts = {}
        return True

    def of(self, line: int) -> str:
        """The text of a line that was taken in."""
        return (_opened(self._packed) if self._packed else self._texts)[line]


def text_of(quote: str | Quotes, line: int) -> str:
    """The text of a line that is at hand or kept."""
    return quote if isinstance(quote, str) else quote.of(line)


@lru_cache(maxsize=_OPEN)
def _opened(packed: bytes) -> dict[int, str]:
    rows = isal_zlib.decompress(packed).decode("utf-8", "surrogatepass").split("\n")
    found = {}
    for row in rows:
        number, _, text = row.partition(" ")
        found[int(number)] = text
    return found
