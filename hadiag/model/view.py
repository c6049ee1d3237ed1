"""Interval views: what one observer believed, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from hadiag.model.entity import Node, Scalar
from hadiag.model.fact import Fact
from hadiag.model.frozen import record
from hadiag.model.time import Instant


@record
class View:
    """One interval of one observer's belief.

    ``table`` and the keys of ``value`` are documented in ``hadiag/state/__init__.py``. ``start`` None means "since before
    the first evidence", ``end`` None "still so when the logs end". ``opened_by`` and ``closed_by`` are event uids.
    """

    table: str
    observer: Node
    start: Instant | None
    end: Instant | None
    value: Mapping[str, Scalar] = field(hash=False)
    opened_by: str | None
    closed_by: str | None = None
    evidence: tuple[str, ...] = ()
    """Further event uids that the view rests on."""
    told_by: Fact | None = None
    """The statement of a snapshot that the view rests on, where no log line tells it."""


@record
class Gap:
    """A stretch that a log does not cover, with the reason: ``silent``, ``no lines``, ``rotated away``, ``dropped``."""

    start_ns: int
    end_ns: int
    why: str


@record
class Coverage:
    """What one log of a node covers, in UTC ns. ``to_collection`` tells that ``end_ns`` is the time of collection."""

    node: Node
    family: str
    path: str
    start_ns: int | None
    end_ns: int | None
    lines: int
    recognised: int
    gaps: tuple[Gap, ...] = ()
    to_collection: bool = False
