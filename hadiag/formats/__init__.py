"""Line formats: which files are logs, and what their lines say.

* ``detect(path, head)`` decides from the content whether a file is a log; ``refusal`` says why a file is not.
* ``decode(kind, stream)`` turns journal exports into lines; every other log passes as it is.
* ``clock_for(kind)`` reads the stamps of all lines of the blocks of the log (``hadiag.scan.times``).
* ``LineParser(kind).parse(line, ref)`` reads one line; ``read_entry`` a line of a block with its continuation.
* ``parse_file(stream, path)`` reads everything: one record for each entry, for ``hadiag parse``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from hadiag.formats.base import Decoder, LogKind
from hadiag.formats.detect import SAMPLE_BYTES, detect, refusal
from hadiag.formats.journal import DecodedJournal, JournalMeta, decode
from hadiag.formats.multiline import continues, joined, read_entry, records
from hadiag.formats.parser import LineParser
from hadiag.model.record import Record
from hadiag.model.source import BundleId
from hadiag.scan.blocks import read_blocks
from hadiag.scan.stream import Rejoined
from hadiag.scan.times import BlockClock

__all__ = [
    "DecodedJournal",
    "Decoder",
    "JournalMeta",
    "LineParser",
    "LogKind",
    "clock_for",
    "continues",
    "decode",
    "detect",
    "joined",
    "parse_file",
    "read_entry",
    "refusal",
]

_NO_HOST = frozenset(
    {"corosync.stderr", "corosync.file.14", "qdevice.fg", "dlm.file", "pcsd", "fence.stderr", "dmesg.iso"}
)


def clock_for(kind: LogKind) -> BlockClock:
    """The clock that fits the stamps of a log."""
    return BlockClock(
        from_journal=kind.from_journal,
        host_column=not (kind.formats and all(form in _NO_HOST for form in kind.formats)),
        continues=kind.continues,
        undated=kind.undated,
    )


def parse_file(stream: BinaryIO, path: str, bundle: BundleId | None = None) -> Iterator[Record]:
    """Read every line of a file, a log or not.

    Continuation lines are joined to their record. A line that no format knows is a record with the format ``""``
    and the whole line as its message.
    """
    head = stream.read(SAMPLE_BYTES)
    kind = detect(path, head) or LogKind("other", ())
    whole = cast(BinaryIO, io.BufferedReader(Rejoined(head, stream)))
    parser = LineParser(kind)
    blocks = read_blocks(decode(kind, whole))
    yield from records(parser, blocks, bundle or BundleId(""), path)
