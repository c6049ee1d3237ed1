"""Where things stand: bundles, the artefacts in them, and the place of a line."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from hashlib import blake2b
from typing import BinaryIO, NewType

from hadiag.model.frozen import frozen, record

BundleId = NewType("BundleId", str)
"""Hex digest that names an input by its content."""


class BundleKind(StrEnum):
    """Kind of an input; the words of the result contract."""

    CRM_REPORT = "crm_report"
    CRMSH_REPORT = "crmsh_report"
    HB_REPORT = "hb_report"
    SOSREPORT = "sosreport"
    SOS_COLLECT = "sos_collect"
    SUPPORTCONFIG = "supportconfig"
    HADIAG_COLLECT = "hadiag_collect"
    JOURNAL = "journal"
    DIRECTORY = "directory"
    FILE = "file"


class ArtifactRole(StrEnum):
    """What a bundle reader takes a member for, before its content is looked at."""

    CANDIDATE = "candidate"
    """May be a log or a snapshot: content decides."""
    DERIVED = "derived"
    """Made from other members (events.txt, analysis.txt …): never log input."""
    OPAQUE = "opaque"
    """Binary or foreign: listed, not read."""


@frozen
class SourceRef:
    """Place of a line: the evidence anchor. ``line`` counts from 1, ``offset`` and ``length`` are bytes."""

    bundle: BundleId
    path: str
    line: int
    offset: int
    length: int

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle as the call that makes it: between processes there are many of them."""
        return SourceRef, (self.bundle, self.path, self.line, self.offset, self.length)

    @property
    def uid(self) -> str:
        """Stable id of the line: 64-bit BLAKE2b over bundle, path and offset, in hex."""
        key = f"{self.bundle}\0{self.path}\0{self.offset}".encode("utf-8", "surrogateescape")
        return blake2b(key, digest_size=8).hexdigest()


@record
class Artifact:
    """One member of a bundle as a stream of decompressed bytes.

    ``path`` is the member inside the bundle, nested archives joined by ``!``. ``node_hint`` is the host or
    node that the place in the bundle names (a directory of a crm_report, ``etc/hostname`` of a sosreport).
    ``aliases`` are further paths with the same content (hard links, links inside the archive).
    ``mtime`` is the member's time of change, in s since the epoch. ``stream`` may be read once, and only until
    the next artefact is asked for.
    """

    bundle: BundleId
    path: str
    kind: BundleKind
    role: ArtifactRole
    node_hint: str | None
    size: int | None
    mtime: int | None
    stream: BinaryIO = field(repr=False, compare=False)
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("!", 1)[-1].rstrip("/").rsplit("/", 1)[-1]


@record
class InputSummary:
    """What one input turned out to be. ``bytes`` is its size as given (compressed), None for a pipe."""

    path: str
    kind: BundleKind
    bytes: int | None
    digest: BundleId
    nodes: tuple[str, ...] = ()


@record
class Warn:
    """Something that could not be read or was cut off: a stable code, one clear sentence, and where."""

    code: str
    message: str
    where: str
