"""Facts from configuration and status snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from hadiag.model.entity import Scalar
from hadiag.model.frozen import record


@record
class Fact:
    """One statement of a snapshot, with its place.

    ``table`` names the kind of statement (``cluster.option``, ``node``, ``resource`` …; the tables and their keys
    are documented in ``hadiag/snapshots/__init__.py``). ``node_hint`` is the node whose files say so. ``as_of_ns`` is
    the time of the statement in UTC ns, None where unknown. ``line`` counts from 1; 0 where there is no line.
    """

    table: str
    values: Mapping[str, Scalar] = field(hash=False)
    bundle: str
    path: str
    line: int
    node_hint: str | None
    as_of_ns: int | None = None
    text: str = ""
