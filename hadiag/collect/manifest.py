"""The manifest of a collection: each step on each node, each file, each clock, and what is missing and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = "hadiag/collect/v1"
NAME = "manifest.json"


class Status(StrEnum):
    """How a step ended."""

    OK = "ok"
    TRUNCATED = "truncated"
    TIMEOUT = "timeout"
    FAILED = "failed"
    DENIED = "denied"
    ABSENT = "absent"
    """The node has no such tool or no such file."""
    LOST = "lost"
    """The connection ended in the middle."""
    INTERRUPTED = "interrupted"
    PENDING = "pending"


DONE = frozenset({Status.OK, Status.ABSENT, Status.TRUNCATED, Status.FAILED})
"""What a second run does not try again."""
CUT = frozenset({Status.TRUNCATED, Status.TIMEOUT, Status.LOST, Status.INTERRUPTED, Status.DENIED, Status.PENDING})
"""What makes a collection partial."""


class Result(StrEnum):
    """What a node, or the whole collection, gave."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NOTHING = "nothing"


@dataclass(slots=True)
class FileRow:
    """One file; ``path`` is its place in the directory of the node, ``source`` its place on the node."""

    path: str
    source: str = ""
    bytes: int = 0
    sha256: str = ""
    truncated: bool = False
    mtime: int = 0
    status: Status = Status.PENDING
    exit: int | None = None
    why: str = ""


@dataclass(slots=True)
class StepRow:
    """One step on a node."""

    step: str
    about: str
    command: str
    status: Status = Status.PENDING
    exit: int | None = None
    seconds: int | None = None
    bytes: int = 0
    why: str = ""
    files: list[FileRow] = field(default_factory=list)


@dataclass(slots=True)
class ClockRow:
    """Clock of a node minus the workstation's, in s; ``error_s`` is half the shortest round trip."""

    offset_s: float
    error_s: float
    round_trips: int
    measured_at: float


@dataclass(slots=True)
class NodeRow:
    """One node. ``how`` is ssh, local or script."""

    name: str
    directory: str
    how: str
    address: str = ""
    hostname: str = ""
    user_id: int | None = None
    status: Result = Result.NOTHING
    why: str = ""
    clock: ClockRow | None = None
    cost: dict[str, float] = field(default_factory=dict)
    steps: dict[str, StepRow] = field(default_factory=dict)


@dataclass(slots=True)
class Missing:
    """Something that is not there, why, and how to get it."""

    node: str
    what: str
    why: str
    command: str = ""


@dataclass(slots=True)
class Manifest:
    """All of it. Times are in s since the epoch on the workstation's clock."""

    version: str
    since: int
    until: int
    started: int
    via: str = ""
    ended: int | None = None
    result: Result = Result.NOTHING
    interrupted: bool = False
    nodes: dict[str, NodeRow] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)

    def to_json(self) -> str:
        """Write the manifest; the directories come early, so that the head of the file says whose is what."""
        rows = [asdict(node) for _, node in sorted(self.nodes.items())]
        for row in rows:
            row["steps"] = list(row["steps"].values())
        document = {
            "schema": SCHEMA,
            "directories": {node.directory: node.name for _, node in sorted(self.nodes.items())},
            "result": self.result,
            "interrupted": self.interrupted,
            "hadiag": self.version,
            "window": {"since": self.since, "until": self.until},
            "started": self.started,
            "ended": self.ended,
            "via": self.via,
            "missing": [asdict(row) for row in self.missing],
            "nodes": rows,
        }
        return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def from_json(text: str) -> Manifest:
    """Read a manifest back.

    Raises:
        ValueError: the text is no manifest of this schema.
    """
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        manifest = Manifest(
            version=document["hadiag"],
            since=document["window"]["since"],
            until=document["window"]["until"],
            started=document["started"],
            via=document["via"],
            result=Result(document["result"]),
        )
        for row in document["nodes"]:
            manifest.nodes[row["name"]] = _node(row)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no manifest of {SCHEMA}: {error!r}") from error
    return manifest


def _node(row: dict[str, Any]) -> NodeRow:
    clock = ClockRow(**row["clock"]) if row["clock"] else None
    steps = {step["step"]: _step(step) for step in row["steps"]}
    rest = {key: value for key, value in row.items() if key not in {"clock", "steps", "status"}}
    return NodeRow(**rest, status=Result(row["status"]), clock=clock, steps=steps)


def _step(row: dict[str, Any]) -> StepRow:
    files = [FileRow(**{**each, "status": Status(each["status"])}) for each in row["files"]]
    return StepRow(**{**row, "status": Status(row["status"]), "files": files})
