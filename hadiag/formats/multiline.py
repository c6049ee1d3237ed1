r"""Lines without a head: what belongs to the record before them.

A line that matches no head continues the record when it is indented, or when the writer of the record is known to
print several lines (pcsd: dumps of commands; crmsh: tracebacks; pacemaker: exit reasons and XML with newlines). Lists of
members that corosync cuts with ``\`` at the end of a line are joined as well; there each part has a head of its own::

    [QUORUM] Members[14]: 1 2 3 4 5 6 7 8 9 10 11 12 1\
    [QUORUM] Members[14]: 13 14

The buffer of ``log_view_list()`` (``exec/vsf_quorum.c``) may end in the middle of a number, which then starts the next
part once more: the total in brackets tells.  Joining reads forward from a head, never back to one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from hadiag.formats.bare import read_bare
from hadiag.formats.parser import LineParser, clean, is_note
from hadiag.model.record import Record
from hadiag.model.source import BundleId, SourceRef
from hadiag.scan.blocks import Block

MAX_LINES: Final = 64
"""Lines that are joined to a head."""
MAX_TEXT: Final = 8192
"""Characters of a joined message."""

_MEMBERS = re.compile(r"(?P<name>\w+)\[(?P<total>\d{1,4})\]:(?P<list>[ \d]*)(?P<cut>\\?)\Z", re.ASCII)
_FREE_TEXT: Final = ("pcsd.", "crmsh.", "pcmk.file", "qb.")


def continues(head: Record, line: str) -> bool:
    """Tell whether a line without a head belongs to the record before it; notes of journalctl do not."""
    if is_note(line) or not line.strip():
        return head.format.startswith("pcsd.") and not is_note(line)
    return line[:1] in " \t" or head.format.startswith(_FREE_TEXT)


def joined(head: Record, lines: Iterable[str]) -> Record:
    """The record with continuation lines behind its message, their indentation taken off."""
    text = "\n".join([head.message, *(line.strip() for line in lines)]).rstrip()
    return head if text == head.message else replace(head, message=text[:MAX_TEXT])


def read_entry(parser: LineParser, block: Block, index: int, bundle: BundleId, path: str) -> Record | None:
    """Read the record whose head is a line of a block, joined with what follows it inside the block.

    Returns:
        The record, or None where the line is no head.
    """
    record = parser.parse(_text(block, index), _ref(parser, block, index, bundle, path))
    if record is None or index + 1 >= block.count:
        return record
    if record.subsystem and record.message.endswith("\\"):
        return _join_members(record, parser, block, index)
    rest: list[str] = []
    for number in range(index + 1, min(block.count, index + 1 + MAX_LINES)):
        line = clean(_text(block, number))
        if not continues(record, line) or parser.is_head(line):
            break
        rest.append(line)
    return joined(record, rest) if rest else record


def _text(block: Block, index: int) -> str:
    return block.line(index).decode("utf-8", "replace")


def _ref(parser: LineParser, block: Block, index: int, bundle: BundleId, path: str) -> SourceRef:
    """Place of a line; in a decoded journal the number of the entry, as the text is nowhere in the file."""
    line = block.first_line + index
    if parser.kind.decoded:
        return SourceRef(bundle, path, line, line, 0)
    return SourceRef(bundle, path, line, block.offset + int(block.starts[index]), block.length(index))


def _join_members(head: Record, parser: LineParser, block: Block, index: int) -> Record:
    """Follow a cut list of members to its end; lines of other writers may stand between the parts."""
    parts = [head.message]
    for number in range(index + 1, min(block.count, index + 1 + MAX_LINES)):
        part = parser.parse(_text(block, number), head.ref)
        if part and (part.program, part.pid, part.subsystem) == (head.program, head.pid, head.subsystem):
            parts.append(part.message)
            if not part.message.endswith("\\"):
                break
    return replace(head, message=join_members(parts))


def join_members(parts: Sequence[str]) -> str:
    r"""Join the parts of a list cut by ``\``; the first part as it is where the others do not belong to it."""
    matches = [_MEMBERS.match(part) for part in parts]
    lists = [match["list"].split() for match in matches if match]
    names = {(match["name"], match["total"]) for match in matches if match}
    if len(lists) != len(parts) or len(names) != 1:
        return parts[0]
    name, total = names.pop()
    surplus = sum(map(len, lists)) - int(total)
    for ids, following in pairwise(lists):
        if surplus > 0 and ids and following and following[0].startswith(ids[-1]):
            ids.pop()
            surplus -= 1
    return f"{name}[{total}]: {' '.join(each for ids in lists for each in ids)}"


def records(parser: LineParser, blocks: Iterable[Block], bundle: BundleId, path: str) -> Iterator[Record]:
    """Every record of a log: continuations joined, lines that nothing explains as records of format ``""``.

    A message of the cluster without a stamp is read as far as it goes.
    What journalctl adds is a record of format ``journal.header`` without a time.
    """
    head: Record | None = None
    rest: list[str] = []
    for block in blocks:
        for index in range(block.count):
            line = clean(_text(block, index))
            record = parser.parse(line, _ref(parser, block, index, bundle, path))
            if record is None and head and continues(head, line):
                if len(rest) < MAX_LINES:
                    rest.append(line)
                continue
            if head:
                yield joined(head, rest)
            head, rest = record, []
            if record is None and line.strip():
                yield _unknown(line, _ref(parser, block, index, bundle, path))
    if head:
        yield joined(head, rest)


def _unknown(line: str, ref: SourceRef) -> Record:
    bare = None if is_note(line) else read_bare(line, ref)
    return bare or Record(ref, "journal.header" if is_note(line) else "", None, None, None, None, None, None, line)
