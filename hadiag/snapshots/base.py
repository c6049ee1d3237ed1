"""What a snapshot parser is, and where its facts come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.model.frozen import record

MAX_BYTES = 64 << 20
"""A snapshot larger than this is not read."""

MAX_LINE = 4000
"""Characters of a line that are looked at."""

HEAD = 16 << 10
"""Bytes of a file that its parser is chosen by."""

_COUNT = re.compile(r" \(\d+\)$")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
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


@record
class Source:
    """The file, or the section of a file, that a snapshot was read from.

    ``mtime`` is in s since the epoch. ``section`` is the command whose output a section holds, ``before`` the number of
    lines of the file before the section.
    """

    bundle: str
    path: str
    node_hint: str | None
    mtime: int | None
    section: str = ""
    before: int = 0

    @property
    def name(self) -> str:
        """Last part of the path, in lower case."""
        return name_of(self.path)

    @property
    def command(self) -> str:
        """The command whose output this is."""
        return self.section or command_of(self.path)

    def fact(
        self, table: str, values: Mapping[str, Scalar], line: int = 0, as_of_ns: int | None = None, text: str = ""
    ) -> Fact:
        """Make a fact that stands in this file; ``line`` counts inside the section."""
        place = line + self.before if line else 0
        return Fact(table, values, self.bundle, self.path, place, self.node_hint, as_of_ns, text.strip()[:400])


class SnapshotParser(Protocol):
    """Reads one kind of snapshot. ``parse`` may raise ``ValueError`` for a file it cannot read."""

    name: str

    def matches(self, path: str, head: bytes) -> bool:
        """Tell from the path and the first bytes whether this parser reads the file."""

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield the facts of a file."""


def name_of(path: str) -> str:
    """Last part of a path, in lower case."""
    return path.rsplit("!", 1)[-1].rsplit("/", 1)[-1].lower()


def command_of(path: str) -> str:
    """Command whose output a file holds, as far as its name says.

    ``sos_commands/corosync/corosync-cfgtool_-s`` and ``ha.txt#corosync-cfgtool -s`` are both ``corosync-cfgtool -s``.
    """
    place = path.rsplit("!", 1)[-1]
    if "#" in place:
        return _COUNT.sub("", place.split("#", 1)[1]).strip()
    return place.rsplit("/", 1)[-1].replace("_", " ").strip()


def decoded(data: bytes) -> str:
    """The text of a file; bytes that are no UTF-8 are replaced, NUL bytes and escape sequences dropped."""
    return _ESCAPE.sub("", data.decode("utf-8", "replace").replace("\0", ""))


def numbered(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers, without white space at their ends; an over-long line is cut."""
    for number, line in enumerate(decoded(data).split("\n"), 1):
        yield number, line[:MAX_LINE].rstrip()


def head_lines(head: bytes, most: int = 60) -> list[str]:
    """The first lines of a file that hold text."""
    return list(_lines(head)[:most])


@lru_cache(4)  # every parser asks for the same head
def _lines(head: bytes) -> tuple[str, ...]:
    lines = (line[:MAX_LINE].rstrip() for line in decoded(head[:HEAD]).split("\n"))
    return tuple(line for line in lines if line)


def integer(text: str | None) -> int | None:
    """Read a whole number of at most 18 digits; None where it is none."""
    word = (text or "").strip()
    return int(word) if _INTEGER.fullmatch(word) else None


def milliseconds(text: str | None) -> int | None:
    """Read a Pacemaker interval (``10s``, ``2min``, ``500ms``, plain seconds) as ms; None where it is none."""
    match = _INTERVAL.match((text or "")[:40].lower())
    if match is None or match.group(2) not in _UNITS or len(match.group(1)) > 15:
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
