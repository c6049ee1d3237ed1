"""The compact notation of situations in rule tests, and the timeline that is made of it.

::

    +0s   n1 fence.request target=n2 action=reboot
    +20s  n1 fence.op_result target=n2 result=failed reason="No route to host"
    +5m   n1 log.end
    silent n2 +3s..+40s
    state rsc.active n1 +0s..+30s resource=a node=n1
    fact cluster.option name=stonith-enabled value=false on=n1
    finding corosync.token-lost +1s..+2s nodes=n2
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hadiag.model.diagnosis import Silence
from hadiag.model.entity import Layer, Level, Node, NodeRole, Role, Scalar, Severity
from hadiag.model.event import Event, EventClass
from hadiag.model.fact import Fact
from hadiag.model.finding import Finding
from hadiag.model.frozen import record
from hadiag.model.source import BundleId, SourceRef
from hadiag.model.time import Instant, TimeBasis, from_iso, iso_utc
from hadiag.model.tri import Tri
from hadiag.model.view import Coverage, View
from hadiag.rulelang.ruleset import EventTypeInfo
from hadiag.rulelang.tables import LIST_FIELDS
from hadiag.rulelang.words import parse_duration
from hadiag.timeline import NodeIdentity, Timeline
from hadiag.timeline.clusters import Clusters
from hadiag.timeline.coverage import CoverageMap
from hadiag.timeline.identity import Identities
from hadiag.timeline.known import TypeInfo
from hadiag.timeline.shifts import Shifts

ERROR_NS: Final = 10**6
"""Error of a clock in a test that says nothing of clocks."""

BEFORE_NS: Final = 3600 * 10**9
"""How long before the start of a test the logs of its nodes begin, unless it says otherwise."""

_MAX_LINES: Final = 2000
_BUNDLE = BundleId("test")
_OFFSET = re.compile(r"([+-])(\S+)")
_INT = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_FLOAT = re.compile(r"-?\d{1,15}\.\d{1,9}")
_NODE_KEYS = ("node", "target", "peer", "executed_by", "requested_by", "delegate")


class NotationError(ValueError):
    """A line of a test that cannot be read; the text names the line."""


@dataclass(slots=True)
class _Draft:
    at_ns: int
    node: str
    type: str
    fields: dict[str, Scalar]
    text: str


@dataclass(slots=True)
class Situation:
    """What a test describes, before it becomes a timeline."""

    start_ns: int
    event_types: Mapping[str, EventTypeInfo]
    drafts: list[_Draft] = field(default_factory=list)
    log_start: dict[str, int] = field(default_factory=dict)
    log_end: dict[str, int] = field(default_factory=dict)
    silences: dict[str, list[Silence]] = field(default_factory=dict)
    errors: dict[str, int | None] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def read(self, text: str, word: str | None = None) -> None:
        """Read a block of lines.

        Args:
            text: the block.
            word: the first word that all lines of the block lack (``state``, ``fact``, ``finding``).

        Raises:
            NotationError: a line cannot be read.
        """
        for number, line in enumerate(text.splitlines()[:_MAX_LINES], 1):
            words = _split(line, number)
            if not words:
                continue
            try:
                self._line([word, *words] if word else words, line.strip())
            except (ValueError, IndexError) as error:
                raise NotationError(f"line {number}: {line.strip()!r}: {error}") from None

    def _line(self, words: list[str], text: str) -> None:
        readers: dict[str, Callable[[list[str], str], None]] = {
            "silent": self._silent,
            "clock": self._clock,
            "members": self._members,
            "version": self._version,
            "state": self._state,
            "fact": self._fact,
            "finding": self._finding,
        }
        reader = readers.get(words[0])
        if reader is not None:
            reader(words[1:], text)
        else:
            self._event(words, text)

    def _event(self, words: list[str], text: str) -> None:
        at = self.moment(words[0])
        node, name = words[1], words[2]
        if name == "log.end":
            self.log_end[node] = at
        elif name == "log.start":
            self.log_start[node] = at
        else:
            self.drafts.append(_Draft(at, node, name, self._event_fields(name, words[3:]), text))

    def _event_fields(self, name: str, words: list[str]) -> dict[str, Scalar]:
        known = self.event_types.get(name)
        if self.event_types and known is None:
            raise ValueError(f"there is no event type {name}")
        fields: dict[str, Scalar] = {}
        for key, value in _pairs(words).items():
            if known is not None and key not in known.fields:
                raise ValueError(f"{name} has no field {key}; known: {', '.join(sorted(known.fields))}")
            fields[key] = _guess(value) if known is None else _typed(str(known.fields[key]), value)
        return fields

    def _silent(self, words: list[str], _text: str) -> None:
        start, end = self.span(words[1])
        if start is None:
            raise ValueError("silence needs a start")
        self.silences.setdefault(words[0], []).append(Silence(start, end))

    def _clock(self, words: list[str], _text: str) -> None:
        if words[1] == "unknown":
            self.errors[words[0]] = None
        else:
            self.errors[words[0]] = parse_duration(words[1].removeprefix("err="))

    def _members(self, words: list[str], _text: str) -> None:
        self.members = tuple(words)

    def _version(self, words: list[str], _text: str) -> None:
        self.versions.setdefault(words[0], {}).update(_pairs(words[1:]))

    def _state(self, words: list[str], _text: str) -> None:
        table, observer = words[0], words[1]
        start, end = self.span(words[2])
        values = _guessed(words[3:], words[0])
        self.views.append(
            View(table, Node(observer), self.instant(observer, start), self.instant(observer, end), values, None)
        )

    def _fact(self, words: list[str], text: str) -> None:
        values = _guessed(words[1:], words[0])
        node = values.pop("on", None)
        path = f"{node or 'cluster'}/{words[0]}"
        self.facts.append(
            Fact(words[0], values, _BUNDLE, path, len(self.facts) + 1, None if node is None else str(node), None, text)
        )

    def _finding(self, words: list[str], _text: str) -> None:
        start, end = self.span(words[1])
        values = _guessed(words[2:], words[0])
        holds = Tri.UNKNOWN if values.pop("holds", True) == "unknown" else Tri.TRUE
        nodes, resources = (_names(values.pop(key, ())) for key in ("nodes", "resources"))
        self.findings.append(
            Finding(
                id=f"{words[0]}-{len(self.findings)}",
                rule=words[0],
                holds=holds,
                title=words[0],
                says="",
                confidence=1.0,
                layer=Layer.PACEMAKER,
                role=Role.FAILURE,
                severity=Severity.ERROR,
                incident_kind=None,
                category=None,
                nodes=nodes,
                resources=resources,
                start=self.instant(nodes[0] if nodes else "", start),
                end=self.instant(nodes[0] if nodes else "", end),
                evidence={},
                bindings={"key": values},
            )
        )

    def moment(self, text: str) -> int:
        """Read ``+20s`` as UTC ns.

        Raises:
            ValueError: the text is no offset.
        """
        found = _OFFSET.fullmatch(text)
        if found is None:
            raise ValueError(f"expected an offset such as +20s, not {text!r}")
        return self.start_ns + (-1 if found[1] == "-" else 1) * parse_duration(found[2])

    def span(self, text: str) -> tuple[int | None, int | None]:
        """Read ``+0s..+30s``; an end that is left out is open."""
        start, dots, end = text.partition("..")
        if not dots:
            raise ValueError(f"expected a span such as +0s..+30s, not {text!r}")
        return (self.moment(start) if start else None), (self.moment(end) if end else None)

    def instant(self, node: str, at_ns: int | None) -> Instant | None:
        """Instant on the clock of a node."""
        if at_ns is None:
            return None
        return Instant(at_ns, self.errors.get(node, ERROR_NS), iso_utc(at_ns), TimeBasis.IN_LOG)

    @property
    def named_nodes(self) -> tuple[str, ...]:
        """All nodes that the situation names."""
        names = {draft.node for draft in self.drafts} | {view.observer for view in self.views}
        names.update(self.log_start, self.log_end, self.silences, self.versions)
        values = [draft.fields for draft in self.drafts] + [view.value for view in self.views]
        for row in values:
            names.update(str(row[key]) for key in _NODE_KEYS if isinstance(row.get(key), str) and row.get(key))
            for key in ("members", "left", "joined"):
                names.update(_names(row.get(key)))
        return tuple(sorted(names - {""}))


def read_situation(  # noqa: PLR0913 - the blocks of a test
    start: str,
    event_types: Mapping[str, EventTypeInfo],
    *,
    events: str | None = None,
    views: str | None = None,
    facts: str | None = None,
    findings: str | None = None,
) -> Situation:
    """Read all blocks of a test.

    Raises:
        NotationError: a line cannot be read.
    """
    situation = Situation(from_iso(start), event_types)
    for text, word in ((events, None), (views, "state"), (facts, "fact"), (findings, "finding")):
        if text:
            situation.read(text, word)
    return situation


def build_timeline(situation: Situation) -> Timeline:
    """The timeline of a situation: the real class, with coverage as the test states it."""
    events = _events(situation)
    names = situation.members or situation.named_nodes
    who = Identities(Clusters((), {}, {}, {}))
    for name in sorted({*names, *situation.named_nodes}):
        who.entity(name)
    identities = tuple(_identity(situation, name, names) for name in sorted({*names, *situation.named_nodes}))
    return Timeline(events, (who, identities), InlineCoverage(situation), ({}, Shifts(())), ())


def resolved_views(situation: Situation, timeline: Timeline) -> tuple[View, ...]:
    """Views of a situation; an event of the observer at an end of a view is the line that opened or closed it."""
    uids: dict[tuple[str, int], str] = {}
    for event in timeline.events:
        if event.at is not None:
            uids.setdefault((event.observer, event.at.ns), event.uid)

    def uid(view: View, end: Instant | None) -> str | None:
        return None if end is None else uids.get((view.observer, end.ns))

    return tuple(
        View(view.table, view.observer, view.start, view.end, view.value, uid(view, view.start), uid(view, view.end))
        for view in situation.views
    )


@record
class _NoTypes:
    """A catalogue without types."""

    types: Mapping[str, TypeInfo]


class InlineCoverage(CoverageMap):
    """Coverage as a test states it: one log of everything for each node that writes lines."""

    def __init__(self, situation: Situation) -> None:
        spans: dict[str, tuple[int, int]] = {}
        for node in sorted({*(draft.node for draft in situation.drafts), *situation.log_start, *situation.log_end}):
            own = [draft.at_ns for draft in situation.drafts if draft.node == node]
            start = situation.log_start.get(node, min([situation.start_ns - BEFORE_NS, *own]))
            spans[node] = start, situation.log_end.get(node, max([start, *own]))
        silences = {Node(node): tuple(found) for node, found in situation.silences.items()}
        super().__init__((), silences, _NoTypes({}), frozenset())
        self._spans_of = spans

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """One row for each node that writes."""
        return tuple(
            Coverage(Node(node), "pacemaker", f"{node}/test.log", start, end, 1, 1)
            for node, (start, end) in self._spans_of.items()
        )

    def covered(self, node: Node, event_type: str, start_ns: int, end_ns: int) -> Tri:  # noqa: ARG002 - see below
        """Every log of a test shows every type."""
        span = self._spans_of.get(node)
        if span is None or span[1] < start_ns or span[0] > end_ns:
            return Tri.FALSE
        silent = any(
            each.start_ns < end_ns and (each.end_ns is None or each.end_ns > start_ns)
            for each in self.silences.get(node, ())
        )
        whole = span[0] <= start_ns and end_ns <= span[1]
        return Tri.TRUE if whole and not silent else Tri.UNKNOWN


def _refs(situation: Situation) -> dict[int, SourceRef]:
    """Place of each event: one file for each node, lines in the order of time."""
    refs: dict[int, SourceRef] = {}
    lines: dict[str, int] = {}
    for index, draft in sorted(enumerate(situation.drafts), key=lambda row: (row[1].at_ns, row[0])):
        line = lines[draft.node] = lines.get(draft.node, 0) + 1
        refs[index] = SourceRef(_BUNDLE, f"{draft.node}/test.log", line, line * 100, 100)
    return refs


def _events(situation: Situation) -> tuple[Event, ...]:
    refs = _refs(situation)
    events = [_event(situation, draft, refs[index]) for index, draft in enumerate(situation.drafts)]
    events.sort(key=lambda event: (0 if event.at is None else event.at.ns, event.ref.path, event.seq))
    return tuple(events)


def _event(situation: Situation, draft: _Draft, ref: SourceRef) -> Event:
    known = situation.event_types.get(draft.type)
    subject = None if known is None or known.subject is None else draft.fields.get(known.subject)
    return Event(
        uid=ref.uid,
        type=draft.type,
        cls=EventClass.CORE,
        layer=known.layer if known is not None else Layer.PACEMAKER,
        at=situation.instant(draft.node, draft.at_ns),
        observer=Node(draft.node),
        subject=None if subject is None else str(subject),
        level=known.level if known is not None else Level.NOTICE,
        program=None,
        pid=None,
        message=draft.text,
        fields=draft.fields,
        ref=ref,
        quote=draft.text,
    )


def _identity(situation: Situation, name: str, members: tuple[str, ...]) -> NodeIdentity:
    provided = any(draft.node == name for draft in situation.drafts)
    versions = tuple(sorted(situation.versions.get(name, {}).items()))
    role = NodeRole.MEMBER if name in members else NodeRole.OTHER
    return NodeIdentity(Node(name), (), (), (), role, provided, versions)


def _split(line: str, number: int) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise NotationError(f"line {number}: {line.strip()!r}: {error}") from None


def _pairs(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or key in pairs:
            raise ValueError(f"expected key=value, each key once, not {word!r}")
        pairs[key] = value
    return pairs


def _typed(kind: str, value: str) -> Scalar:
    """Read a value as the catalogue types its field."""
    word = kind.rstrip("?")
    if word == "int":
        return int(value)
    if word == "float":
        return float(value)
    if word == "bool":
        return value == "true"
    return _names(value) if word == "list" else value


def _guess(value: str) -> Scalar:
    """Read a value that no catalogue types."""
    if value in {"true", "false"}:
        return value == "true"
    if value == "":
        return None
    if _INT.fullmatch(value):
        return int(value)
    return float(value) if _FLOAT.fullmatch(value) else value


def _guessed(words: list[str], table: str) -> dict[str, Scalar]:
    lists = LIST_FIELDS.get(table, frozenset())
    return {key: _names(value) if key in lists else _guess(value) for key, value in _pairs(words).items()}


def _names(value: Scalar) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    text = "" if value is None else str(value)
    return tuple(part for part in text.split(";" if ";" in text else ",") if part)
