"""The causal edges of all packs in one table; an edge may be written at either of its ends, but only once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hadiag.model.frozen import record
from hadiag.rulelang.entries import Audit, Cause, CauseEdge, EffectEdge, Rule
from hadiag.rulelang.ruleset import Edge, EdgeKind, Located
from hadiag.rulelang.words import STRENGTHS

Path = tuple[str | int, ...]
_Key = tuple[str, str, EdgeKind]
_KINDS: tuple[tuple[str, EdgeKind], ...] = (("leads_to", "causes"), ("enables", "enables"), ("prevents", "prevents"))


@record
class EdgeTable:
    """All edges, sorted, and a line ``file:line: key: problem`` for each that was written twice."""

    edges: tuple[Edge, ...]
    duplicates: tuple[str, ...]


def build_edges(
    rules: Mapping[str, Rule],
    audits: Mapping[str, Audit],
    causes: Mapping[str, Cause],
    places: Mapping[str, Located],
) -> EdgeTable:
    """Merge the edges of both ends. An unknown end is a problem of its file, a duplicate a matter of lint."""
    effects = {*rules, *(audit.id for audit in audits.values() if audit.condition)}
    sources = {*effects, *causes}
    table: dict[_Key, Edge] = {}
    duplicates: list[str] = []
    entries: list[Rule | Audit | Cause] = [*rules.values(), *audits.values(), *causes.values()]
    for entry in entries:
        for path, edge in _edges_of(entry, places[entry.id]):
            problem = _end_problem(edge, effects, sources)
            known = table.setdefault((edge.cause, edge.effect, edge.kind), edge)
            if problem is not None:
                places[entry.id].problem(path, problem)
            elif known is not edge:
                duplicates.append(f"{edge.place}: {edge.cause} -> {edge.effect}: each edge once, see {known.place}")
    return EdgeTable(tuple(table[key] for key in sorted(table)), tuple(sorted(duplicates)))


def _end_problem(edge: Edge, effects: set[str], sources: set[str]) -> str | None:
    if edge.effect not in effects:
        return f"the id of a finding; there is no {edge.effect}"
    if edge.cause not in sources:
        return f"the id of a finding or a cause; there is no {edge.cause}"
    if edge.cause == edge.effect:
        return "an edge between two different ids"
    return None


def _edges_of(entry: Rule | Audit | Cause, place: Located) -> Iterator[tuple[Path, Edge]]:
    for key, kind in _KINDS:
        effects: Sequence[EffectEdge] = getattr(entry, key)
        for index, effect in enumerate(effects):
            path = (key, index)
            yield path, _edge((entry.id, effect.finding, kind), effect, place, path)
    if isinstance(entry, Rule):
        for index, cause in enumerate(entry.explained_by):
            path = ("explained_by", index)
            if (cause.finding is None) == (cause.cause is None):
                place.problem(path, "exactly one of 'finding' and 'cause'")
                continue
            yield path, _edge((cause.source, entry.id, "causes"), cause, place, path)


def _edge(key: _Key, written: EffectEdge | CauseEdge, place: Located, path: Path) -> Edge:
    where = f"{place.document.file}:{place.document.line_of((*place.path, *path))}"
    pairs = None if written.join is None else tuple(sorted(written.join.items()))
    return Edge(*key, written.strength, STRENGTHS[written.strength], written.within, pairs, where)
