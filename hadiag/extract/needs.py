"""What else a line must hold, besides the text that hit it, for a pattern to match: asked before a line is parsed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hadiag.catalogue import Catalogue, Pattern

_DIGITS: Final = b"0123456789"
_DIGIT: Final = re.compile(rb"[0-9]")
_MAX_ANSWERS: Final = 10_000
"""Answers that are kept; when there are more, all are forgotten."""
_Need = tuple[re.Pattern[bytes] | bytes, ...]
"""Of one pattern: the texts that must all stand in a line, where several would do as an expression."""


class Needs:
    """The needs of the patterns of a database, made when they are first asked.

    ``patterns`` are those of each number that the scan reports.
    """

    def __init__(self, catalogue: Catalogue, patterns: Sequence[Sequence[int]]) -> None:
        self._catalogue = catalogue
        self._patterns = patterns
        self._known: dict[int, tuple[_Need, ...]] = {}
        self._answers: dict[tuple[bytes, tuple[int, ...]], list[int]] = {}

    def possible(self, numbers: list[int], line: bytes) -> list[int]:
        """The numbers that may be more than a hit in a line.

        Args:
            numbers: what the scan reported for it.
            line: the line without its end, runs of blanks collapsed.
        """
        if line.endswith(b"\\") or b"\x1b" in line:  # the message goes on below, or colours stand in it
            return numbers
        key = (line.translate(None, _DIGITS), tuple(numbers))
        answer = self._answers.get(key)
        if answer is None:
            answer = [number for number in numbers if _holds_any(self._of(number), line)]
            if not any(
                _has_digits(self._of(number)) for number in numbers
            ):  # then lines that differ in numbers are alike
                if len(self._answers) >= _MAX_ANSWERS:
                    self._answers.clear()
                self._answers[key] = answer
        return answer

    def _of(self, number: int) -> tuple[_Need, ...]:
        """Alternatives, one of which a line must hold; none where the hit itself is enough."""
        known = self._known.get(number)
        if known is None:
            found = [need_of(self._catalogue.patterns[index]) for index in self._patterns[number]]
            known = self._known[number] = tuple(dict.fromkeys(found)) if all(found) else ()
        return known


def _has_digits(needs: tuple[_Need, ...]) -> bool:
    return any(_DIGIT.search(part if isinstance(part, bytes) else part.pattern) for need in needs for part in need)


def _holds_any(needs: tuple[_Need, ...], line: bytes) -> bool:
    for need in needs:
        for part in need:
            if (part not in line) if isinstance(part, bytes) else (part.search(line) is None):
                break
        else:
            return True
    return not needs


def need_of(pattern: Pattern) -> _Need:
    """What a line must hold for a pattern to match, the longest text first; nothing where its block copies hold it all."""
    copies = [_plain(copy) for copy in pattern.block_regexes]
    clauses = [tuple(text.encode() for text in clause) for clause in pattern.needs]
    left = [clause for clause in clauses if not all(any(text in copy for text in clause) for copy in copies)]
    left.sort(key=lambda clause: (len(clause), -min(map(len, clause))))
    return tuple(clause[0] if len(clause) == 1 else re.compile(b"|".join(map(re.escape, clause))) for clause in left)


def _plain(copy: bytes) -> bytes:
    r"""The text of a block copy, which is nothing but text with some bytes written as ``\xNN``."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), copy)
