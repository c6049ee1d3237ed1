"""The protocol of a state tracker, and the collection of all views."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Protocol

from hadiag.model.source import Warn
from hadiag.state.intervals import end_ns, holds_at, start_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hadiag.model.view import View
    from hadiag.state.given import Given


class StateTracker(Protocol):
    """Rebuilds one or several tables of views from the events it consumes."""

    consumes: frozenset[str]
    """Event types, or prefixes that end in ``.*``."""

    def views(self, given: Given) -> Iterator[View]:
        """Yield the views, in any order."""


class Views:
    """All interval views of an analysis, by table, sorted by observer and start."""

    def __init__(self, views: Iterable[View], warnings: tuple[Warn, ...] = ()) -> None:
        tables: dict[str, list[View]] = {}
        for view in views:
            tables.setdefault(view.table, []).append(view)
        self._tables = {name: tuple(sorted(rows, key=_sort_key)) for name, rows in sorted(tables.items())}
        self.warnings = warnings
        self._begins: dict[str, tuple[list[int], list[int], list[int]]] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that hold something."""
        return tuple(self._tables)

    def of(self, table: str) -> tuple[View, ...]:
        """All views of a table."""
        return self._tables.get(table, ())

    def begun(self, table: str, low_ns: int, high_ns: int) -> tuple[View, ...]:
        """Views of a table that began in a stretch of time (UTC ns, ends included), or at an unknown time, in their order."""
        rows = self.of(table)
        known = self._begins.get(table)
        if known is None:
            dated = sorted((row.start.ns, place) for place, row in enumerate(rows) if row.start is not None)
            undated = [place for place, row in enumerate(rows) if row.start is None]
            known = self._begins[table] = ([ns for ns, _ in dated], [place for _, place in dated], undated)
        begins, places, undated = known
        inside = places[bisect_left(begins, low_ns) : bisect_right(begins, high_ns)]
        return tuple(rows[place] for place in sorted([*inside, *undated]))

    def at(self, table: str, ns: int) -> tuple[View, ...]:
        """Views of a table that span a moment (UTC ns)."""
        return tuple(view for view in self.of(table) if holds_at(view, ns))


def _sort_key(view: View) -> tuple[str, int, int, str, str]:
    return view.observer, start_ns(view), end_ns(view), repr(sorted(view.value.items())), view.opened_by or ""
