"""A tiny notation for synthetic events, and a timeline in memory to put them on.

One event a line: ``+3s n1 fence.op_result target=n2 result=ok reason="no route"``; a first field without a sign is
taken as an offset too. Values that read as numbers, ``true``/``false`` or lists (``a,b``) become such. ``@program`` and
``#pid`` set the daemon. ``log.silent`` and ``log.back`` begin and end a silence of the node.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from hadiag.model.diagnosis import NodeClock, Silence
from hadiag.model.entity import Layer, Level, Node
from hadiag.model.event import Event, EventClass
from hadiag.model.fact import Fact
from hadiag.model.source import BundleId, SourceRef
from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.tri import Tri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hadiag.model.entity import Scalar
    from hadiag.model.view import Coverage
    from hadiag.timeline import Timeline

START = 1_795_341_600 * NS
_UNITS = {"ms": NS // 1000, "s": NS, "m": 60 * NS, "h": 3600 * NS}


@dataclass
class NodeIdentity:
    """What a test needs of a node."""

    name: Node
    provided: bool = True
    role: str = "member"
    nodeids: tuple[int, ...] = (1,)


@dataclass
class MemoryTimeline:
    """The part of the timeline's interface that trackers use."""

    events: tuple[Event, ...]
    silences: Mapping[Node, tuple[Silence, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[NodeIdentity, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    clocks: Mapping[Node, NodeClock] = field(default_factory=dict)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last moment."""
        times = [event.at.ns for event in self.events if event.at is not None]
        return (min(times), max(times)) if times else None

    def of(self, *types: str) -> tuple[Event, ...]:
        """Events of exact types or of prefixes that end in ``.*``."""
        exact = {name for name in types if not name.endswith(".*")}
        prefixes = tuple(name[:-1] for name in types if name.endswith(".*"))
        return tuple(e for e in self.events if e.type in exact or (prefixes and e.type.startswith(prefixes)))

    def aligned(self, node: Node, ns: int) -> int:
        """Every clock is right."""
        assert self.clocks.get(node) is None
        return ns

    def logged_by(self, node: Node) -> tuple[list[int], list[Event]]:
        """Dated events of an observer, and their times."""
        dated = [(event.at.ns, event) for event in self.events if event.at is not None and event.observer == node]
        return [ns for ns, _ in dated], [event for _, event in dated]

    def get(self, uid: str) -> Event:
        """Event of a uid."""
        return next(event for event in self.events if event.uid == uid)

    def node(self, name: str) -> Node | None:
        """Canonical node of a name."""
        if name in self.aliases:
            return Node(self.aliases[name])
        return next((node.name for node in self.nodes if node.name == name), None)

    def order(self, a: Event, b: Event) -> Tri:
        """Order of two events."""
        if a.at is None or b.at is None:
            return Tri.UNKNOWN
        if a.observer == b.observer:
            return Tri.of(a.seq < b.seq)
        return a.at.before(b.at)


def offset(word: str) -> int:
    """Nanoseconds of ``+3s``, ``1.5m`` or ``200ms``."""
    word = word.lstrip("+")
    for unit in ("ms", "s", "m", "h"):
        if word.endswith(unit):
            return int(float(word.removesuffix(unit)) * _UNITS[unit])
    return int(float(word) * NS)


def value(word: str) -> Scalar:
    """Value of a field as the catalogue would type it."""
    if word in ("true", "false"):
        return word == "true"
    if word.lstrip("-").isdigit() and not (len(word) > 1 and word.startswith("0")):
        return int(word)
    if "," in word and " " not in word:
        return tuple(sorted(word.split(",")))
    return word


def timeline(text: str, err_ms: int = 1, aliases: Mapping[str, str] | None = None) -> Timeline:
    """Timeline of a few lines in the notation; it offers the part of the interface that trackers use."""
    events: list[Event] = []
    silent: dict[Node, list[Silence]] = {}
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), start=1):
        at, node, kind, *rest = shlex.split(line)
        ns = START + offset(at)
        if kind == "log.silent":
            silent.setdefault(Node(node), []).append(Silence(ns, None))
        elif kind == "log.back":
            silent[Node(node)][-1] = Silence(silent[Node(node)][-1].start_ns, ns)
        else:
            events.append(
                _event(number, Instant(ns, err_ms * NS // 1000, "", TimeBasis.IN_LOG), Node(node), kind, rest)
            )
    events.sort(key=lambda event: (event.at.ns if event.at else 0, event.seq))
    names = sorted({event.observer for event in events})
    built = MemoryTimeline(
        tuple(events),
        {node: tuple(rows) for node, rows in silent.items()},
        aliases or {},
        tuple(map(NodeIdentity, names)),
    )
    return cast("Timeline", built)


def _event(number: int, at: Instant, node: Node, kind: str, words: list[str]) -> Event:
    fields: dict[str, Scalar] = {}
    program, pid = None, None
    for word in words:
        if word.startswith("@"):
            program = word[1:]
        elif word.startswith("#"):
            pid = int(word[1:])
        else:
            key, _, said = word.partition("=")
            fields[key] = value(said)
    ref = SourceRef(BundleId("b"), f"{node}/log", number, number * 100, 99)
    message = str(fields.pop("message", kind))
    return Event(
        f"u{number}", kind, EventClass.CORE, Layer.PACEMAKER, at, node, None, Level.NOTICE, program, pid, message, fields,
        ref, message,
    )  # fmt: skip


def fact(table: str, node: str | None = None, at: str | None = None, **values: Scalar) -> Fact:
    """Fact of a snapshot."""
    as_of = START + offset(at) if at is not None else None
    return Fact(table, values, "b", f"{node or 'cluster'}/{table}", 1, node, as_of)
