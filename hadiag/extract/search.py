"""Free search: every line of every log that holds a pattern, read in the same pass as the events.

RE2 looks through whole blocks, in time linear in their size whatever the pattern is; a line counts if the pattern matches in
the line itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from hadiag.errors import UsageError
from hadiag.scan.blocks import Block

FOUND: Final = "line.found"
"""Type of the events that a search makes."""
MOST_LINES: Final = 1_000_000
"""Lines that a search finds at most."""


class LineSearch:
    """A pattern of RE2, and how many lines it may still find."""

    def __init__(self, pattern: str, *, ignore_case: bool = False, most: int = MOST_LINES) -> None:
        """Compile the pattern.

        Raises:
            UsageError: it is none.
        """
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not ignore_case
        try:
            self._line = re2.compile(pattern, options)
            self._block = re2.compile(f"(?m:{pattern})", options)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise UsageError(f"{pattern!r} is no regular expression of RE2: {text}.") from error
        # What only the start or the end of a text matches is not found in the middle of a block.
        self._by_line = any(anchor in pattern for anchor in (r"\A", r"\z", r"\Z", r"\C"))
        self.left = most

    def lines(self, block: Block) -> Iterator[int]:
        """Indices of the lines of a block that match."""
        for index in range(block.count) if self._by_line or _is_odd(block) else self._candidates(block):
            if self.left <= 0:
                return
            if self._line.search(block.line(index).decode("utf-8", "replace")):
                self.left -= 1
                yield index

    def _candidates(self, block: Block) -> Iterator[int]:
        """Lines in which a match of the whole block begins: all that match, and some that match with the next only."""
        place = 0
        while place < len(block.data):
            match = self._block.search(block.data, place)
            if match is None:
                return
            index = block.line_of(match.start() + 1)
            yield index
            place = int(block.ends[index]) + 1


def _is_odd(block: Block) -> bool:
    """Whether lines as they are shown differ from the bytes of the block: odd ends, NUL bytes, text that is no UTF-8."""
    if block.nul_bytes or b"\r" in block.data:
        return True
    try:
        block.data.decode()
    except UnicodeDecodeError:
        return True
    return False
