"""What rules are evaluated over: timeline, views and facts, indexed by the names that steps look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from hadiag.model.diagnosis import Silence
from hadiag.model.entity import Node, NodeRole
from hadiag.model.event import Event
from hadiag.model.fact import Fact
from hadiag.model.finding import Finding
from hadiag.model.tri import Tri
from hadiag.model.view import Coverage, View
from hadiag.rulelang.compile import Index
from hadiag.rulelang.rows import Row, canonical, event_row, fact_row, finding_row, view_row
from hadiag.rulelang.tables import tables_of
from hadiag.rulelang.temporal import Clock

SMALL: Final = 64
"""Below this number of rows an index is not worth its making."""


class NodeLike(Protocol):
    """What rules ask of a node."""

    @property
    def name(self) -> str:
        """Canonical name."""

    @property
    def role(self) -> NodeRole:
        """Role in the cluster."""

    @property
    def versions(self) -> Iterable[tuple[str, str]]:
        """Package versions."""


class TimelineLike(Protocol):
    """What rules ask of the timeline (``hadiag/timeline``)."""

    @property
    def events(self) -> Sequence[Event]:
        """All events in order."""

    @property
    def nodes(self) -> Sequence[NodeLike]:
        """All nodes."""

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in UTC ns."""

    @property
    def coverage(self) -> Sequence[Coverage]:
        """What the logs of the nodes cover."""

    @property
    def silences(self) -> Mapping[Node, Sequence[Silence]]:
        """Silent stretches of the nodes."""

    def get(self, uid: str) -> Event:
        """Event by uid; KeyError where there is none."""

    def node(self, name: str) -> Node | None:
        """Canonical name of a node."""

    def order(self, a: Event, b: Event) -> Tri:
        """Whether a is certainly before b."""

    def covered(self, node: Node, event_type: str, start_ns: int, end_ns: int) -> Tri:
        """Whether a log of the node that would show the type covers a window."""


class ViewsLike(Protocol):
    """What rules ask of the views (``hadiag/state``)."""

    def of(self, table: str) -> Sequence[View]:
        """Views of a table."""


class World:
    """Indexed input of one evaluation. Findings are added stratum by stratum."""

    def __init__(self, timeline: TimelineLike, views: ViewsLike, facts: Sequence[Fact]) -> None:
        self.timeline = timeline
        self.clock = Clock(timeline)
        self._views = views
        self._rows: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        self._indices: dict[tuple[str, tuple[str, ...], str], dict[object, list[Row]]] = {}
        self._events: dict[str, list[Event]] = {}
        for event in timeline.events:
            self._events.setdefault(event.type, []).append(event)
        self._facts: dict[str, list[Fact]] = {}
        for fact in facts:
            self._facts.setdefault(fact.table, []).append(fact)
        self._findings: dict[str, list[Finding]] = {}
        self.prepared: dict[tuple[object, ...], Index] = {}
        self.span = timeline.span
        self.node_names = tuple(sorted(node.name for node in timeline.nodes))
        self.members = tuple(sorted(node.name for node in timeline.nodes if node.role is NodeRole.MEMBER))
        self._last_words = _last_words(timeline)

    def event_types(self, name: str) -> tuple[str, ...]:
        """Types that occur and that a name or a prefix ``x.*`` stands for."""
        if name.endswith(".*"):
            return tuple(sorted(known for known in self._events if known.startswith(name[:-1])))
        return (name,) if name in self._events else ()

    def rows(self, kind: str, names: Iterable[str]) -> Sequence[Row]:
        """Rows of several sources, sorted by start; open starts first."""
        if kind == "finding":
            made = [finding_row(finding) for name in names for finding in self._findings.get(name, ())]
            return sorted(made, key=lambda row: row.lo)
        sources = tuple(names)
        if kind == "event":
            sources = tuple(sorted({known for name in sources for known in self.event_types(name)}))
        key = (kind, sources)
        if key not in self._rows:
            if len(sources) == 1:
                made = list(self._make(kind, sources[0]))
            else:
                made = [row for name in sources for row in self.rows(kind, [name])]
            self._rows[key] = sorted(made, key=lambda row: row.lo)
        return self._rows[key]

    def select(self, kind: str, names: Sequence[str], words: Sequence[tuple[str, frozenset[str]]]) -> Sequence[Row]:
        """Rows of several sources that may fulfil equalities, by an index on the field that leaves fewest."""
        rows = self.rows(kind, names)
        if kind == "finding" or len(rows) < SMALL:
            return rows
        best = rows
        for field, values in words:
            index = self._index(kind, names, field, rows)
            hits = [index[value] for value in values if value in index]
            if sum(map(len, hits)) < len(best):
                best = (
                    hits[0] if len(hits) == 1 else sorted((row for hit in hits for row in hit), key=lambda row: row.lo)
                )
        return best

    def _index(self, kind: str, names: Sequence[str], field: str, rows: Sequence[Row]) -> Mapping[object, list[Row]]:
        key = (kind, tuple(names), field)
        if key not in self._indices:
            index: dict[object, list[Row]] = {}
            for row in rows:
                index.setdefault(canonical(row.get(field)), []).append(row)
            self._indices[key] = index
        return self._indices[key]

    def _make(self, kind: str, name: str) -> tuple[Row, ...]:
        if kind == "event":
            return tuple(event_row(event) for event in self._events.get(name, ()))
        if kind == "state":
            return tuple(view_row(view) for view in self._views.of(name))
        return tuple(fact_row(fact, self.owner(fact)) for fact in self._facts.get(name, ()))

    def owner(self, fact: Fact) -> str:
        """Canonical name of the node whose files state a fact."""
        if not fact.node_hint:
            return ""
        return self.timeline.node(fact.node_hint) or fact.node_hint

    def add(self, findings: Iterable[Finding]) -> None:
        """Make findings visible to the rules of higher strata."""
        for finding in findings:
            self._findings.setdefault(finding.rule, []).append(finding)

    def was_read(self, snapshot: str, observers: frozenset[str] | None = None) -> bool:
        """Tell whether a snapshot of a kind was read (of one of some nodes)."""
        for table in tables_of(snapshot):
            for fact in self._facts.get(table, ()):
                if observers is None or self.owner(fact) in observers:
                    return True
        return False

    def last_word(self, observer: str) -> int:
        """Time until which the logs of a node speak: what is still open then is only known until then."""
        known = self._last_words.get(observer)
        if known is not None:
            return known
        return self.span[1] if self.span else 0

    def falls_silent(self, node: str, start_ns: int, end_ns: int) -> bool:
        """Tell whether a node falls silent inside a window."""
        silences = self.timeline.silences.get(Node(node), ())
        return any(start_ns <= silence.start_ns <= end_ns for silence in silences)

    def members_at(self, start_ns: int, end_ns: int) -> tuple[str, ...]:
        """Members of the cluster around a window: all members but those that were away during all of it."""
        away = set()
        for view in self._views.of("node.absent"):
            gone_before = view.start is not None and view.start.ns < start_ns
            back_after = view.end is None or view.end.ns > end_ns
            if gone_before and back_after:
                away.add(str(view.value.get("node")))
        return tuple(name for name in self.members if name not in away)

    def versions(self, component: str) -> tuple[str, ...]:
        """Versions of a component on all nodes where it is known."""
        found: set[str] = set()
        for node in self.timeline.nodes:
            pairs = node.versions.items() if isinstance(node.versions, Mapping) else node.versions
            found.update(version for name, version in pairs if name == component)
        return tuple(sorted(found))


def _last_words(timeline: TimelineLike) -> dict[str, int]:
    found: dict[str, int] = {}
    for covered in timeline.coverage:
        if covered.end_ns is not None:
            found[covered.node] = max(found.get(covered.node, covered.end_ns), covered.end_ns)
    for node, silences in timeline.silences.items():
        for silence in silences:
            if silence.end_ns is None and node in found:
                found[node] = min(found[node], silence.start_ns)
    return found
