"""A YAML document as plain data with the line of each value; what reads YAML is in ``hadiag.catalogue.marked``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hadiag.catalogue.types import Problem

Path_ = tuple[str | int, ...]
"""Place of a value in a document: keys and list positions."""


@dataclass(slots=True)
class MarkedDocument:
    """A YAML document: its plain data, the line (from 1) of each value, and what was wrong while reading it."""

    file: str
    data: object = None
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Sequence[str | int]) -> int:
        """Line of a value, or of the nearest value around it that exists."""
        key = tuple(path)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def problem(self, path: Sequence[str | int], expected: str) -> None:
        """Note a problem with the value at ``path``."""
        self.problems.append(Problem(self.file, self.line_of(path), key_text(path), expected))


def key_text(path: Sequence[str | int]) -> str:
    """Write a path as people do: ``events[2].patterns[0].literal``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "document"
