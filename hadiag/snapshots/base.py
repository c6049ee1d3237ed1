"""What a snapshot parser is, and where its facts come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact

MAX_BYTES = 64 << 20
"""A snapshot larger than this is not read."""

_UNITS = {
    "": 1000,
    "s": 1000,
    "sec": 1000,
    "ms": 1,
    "us": 0,
    "m": 60_000,
    "min": 60_000,
    "h": 3_600_000,
    "hr": 3_600_000,
}
_INTERVAL = re.compile(r"^\s*(\d+)\s*([a-z]*)\s*$")


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a snapshot was read from. ``mtime`` is in s since the epoch."""

    bundle: str
    path: str
    node_hint: str | None
    mtime: int | None

    @property
    def name(self) -> str:
        """Last part of the path, in lower case."""
        return self.path.rsplit("!", 1)[-1].rsplit("/", 1)[-1].lower()

    def fact(
        self, table: str, values: Mapping[str, Scalar], line: int = 0, as_of_ns: int | None = None, text: str = ""
    ) -> Fact:
        """Make a fact that stands in this file."""
        return Fact(table, values, self.bundle, self.path, line, self.node_hint, as_of_ns, text[:400])


class SnapshotParser(Protocol):
    """Reads one kind of snapshot. ``parse`` may raise ``ValueError`` for a file it cannot read."""

    name: str

    def matches(self, path: str, head: bytes) -> bool:
        """Tell from the path and the first bytes whether this parser reads the file."""

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield the facts of a file."""


def milliseconds(text: str | None) -> int | None:
    """Read a Pacemaker interval (``10s``, ``2min``, ``500ms``, plain seconds) as ms; None where it is none."""
    match = _INTERVAL.match(text or "")
    if match is None or match.group(2) not in _UNITS:
        return None
    return int(match.group(1)) * _UNITS[match.group(2)]


def truth(text: str | None) -> bool | None:
    """Read a Pacemaker boolean (crm_str_to_boolean in lib/common/strings.c); None for anything else."""
    if text is None:
        return None
    word = text.strip().lower()
    if word in {"true", "on", "yes", "y", "1"}:
        return True
    return False if word in {"false", "off", "no", "n", "0"} else None
