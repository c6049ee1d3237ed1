"""Files with the output of several commands behind each other; each part is read as if it stood alone.

::

    + uptime                                                    sysstats.txt of crm_report (``set -x``)
    ##### Run "uptime" #####                                    sysstats.txt of crmsh
    #=====[ Command ] ==========================#               sbd.txt, quorum_qdevice_qnetd.txt of crmsh
    # sbd dump
    #### Display cluster state and inactive resources: crm_mon -r1 ####
    --- drbdadm status:                                         drbd_info.txt of crm_report
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from hadiag.model.fact import Fact
from hadiag.snapshots.base import HEAD, SnapshotParser, Source, decoded, head_lines

MOST_SECTIONS = 500

_SEPARATORS = (
    re.compile(r"^\+ (?P<command>[a-z][\w./-]*(?: [^\n]{0,200})?)$"),
    re.compile(r"^#+ [Rr]un \"(?P<command>[^\"]{1,200})\"(?: on \S+)? ?#*$"),
    re.compile(r"^#{3,} [^#]*: (?P<command>crm_mon [^#]{1,80}?) ?#+$"),
    re.compile(r"^--- (?P<command>[^:]{1,100}):?$"),
)
_HEADING = re.compile(r"^#=+\[ ?Command ?\] ?=+#$")


class CompositeParser:
    """Reads the parts of a file with the parsers that ``find`` knows."""

    name = "composite"

    def __init__(self, find: Callable[[str, bytes], SnapshotParser | None]) -> None:
        self._find = find

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Begins with a heading, and that heading is no part of another output."""
        lines = head_lines(head, 200)
        if lines and _HEADING.match(lines[0]):
            return True
        if not lines or not any(separator.match(lines[0]) for separator in _SEPARATORS):
            return False
        return sum(1 for line in lines if any(separator.match(line) for separator in _SEPARATORS)) >= 2 or lines[
            0
        ].startswith("####")

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield the facts of all parts that a parser knows; a part that cannot be read costs itself only."""
        lines = decoded(data).split("\n")
        for command, start, stop in _sections(lines):
            text = "\n".join(lines[start:stop]).encode()
            place = f"{source.path}#{command}"
            parser = self._find(place, text[:HEAD])
            if parser is None or parser.name == self.name:
                continue
            part = replace(source, section=command, before=source.before + start)
            try:
                yield from list(parser.parse(part, text))
            except ValueError:
                continue


def _sections(lines: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Command, first line and end of each part; lines count from 0."""
    found: list[tuple[str, int, int]] = []
    for number, line in enumerate(lines):
        command = _command(lines, number, line)
        if command is not None and len(found) < MOST_SECTIONS:
            found.append((command, number, number + (2 if _HEADING.match(line) else 1)))
    ends = [begin for _, begin, _ in found[1:]] + [len(lines)]
    for (command, _, start), stop in zip(found, ends, strict=True):
        if start < stop:
            yield command, start, stop


def _command(lines: Sequence[str], number: int, line: str) -> str | None:
    if len(line) > 300:
        return None
    if _HEADING.match(line):
        return lines[number + 1].removeprefix("# ")[:200] if number + 1 < len(lines) else None
    match = next((m for separator in _SEPARATORS if (m := separator.match(line))), None)
    return match["command"] if match else None
