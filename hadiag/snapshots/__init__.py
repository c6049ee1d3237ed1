"""Facts from configuration files and status output.

``match`` finds the parser of a file from its path and first bytes, ``read`` turns the file into facts. The tables and their keys:

``cib``, ``cluster.option``, ``node``, ``node.attribute``, ``node.status``, ``resource``, ``resource.collective``,
``resource.param``, ``resource.meta``, ``resource.op``, ``default``, ``constraint.*``, ``fencing.device``, ``fencing.level``,
``rsc.history``, ``rsc.failcount``, ``pe_input`` from the CIB (``cib.py``); ``corosync.option``, ``corosync.node``, ``cmap``, ``quorum.status``
from corosync (``corosync.py``).
"""

from __future__ import annotations

from hadiag.model.fact import Fact
from hadiag.model.source import Warn
from hadiag.snapshots.base import MAX_BYTES, SnapshotParser, Source
from hadiag.snapshots.cib import CibParser
from hadiag.snapshots.corosync import CmapParser, CorosyncConfParser, QuorumToolParser

__all__ = ["MAX_BYTES", "PARSERS", "SnapshotParser", "Source", "match", "read"]

PARSERS: tuple[SnapshotParser, ...] = (CibParser(), CorosyncConfParser(), CmapParser(), QuorumToolParser())
"""The parsers in the order in which they are asked."""


def match(path: str, head: bytes) -> SnapshotParser | None:
    """Find the parser that reads a file, or None."""
    return next((parser for parser in PARSERS if parser.matches(path, head)), None)


def read(parser: SnapshotParser, source: Source, data: bytes) -> tuple[tuple[Fact, ...], tuple[Warn, ...]]:
    """Read one snapshot; a file that cannot be parsed becomes a warning."""
    try:
        return tuple(parser.parse(source, data)), ()
    except ValueError as error:
        reason = f"{source.path} is no readable {parser.name} ({error}); it was left out."
        return (), (Warn("snapshot-unreadable", reason, source.path),)
