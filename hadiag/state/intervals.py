"""Open and close intervals: the one place where changes of a state become views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hadiag.model.view import View

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.fact import Fact
    from hadiag.model.time import Instant

_MAX_EVIDENCE = 50
"""Evidence kept with one view; a storm of equal lines adds nothing after the first ones."""


@dataclass(slots=True)
class OpenView:
    """An interval that has not ended yet; ``value`` may still be completed."""

    observer: Node
    start: Instant | None
    value: dict[str, Scalar]
    opened_by: str | None
    evidence: list[str] = field(default_factory=list)
    told_by: Fact | None = None

    def note(self, uid: str | None) -> None:
        """Add a line of evidence."""
        if uid and uid != self.opened_by and len(self.evidence) < _MAX_EVIDENCE and uid not in self.evidence:
            self.evidence.append(uid)


class Intervals:
    """Intervals of one table, one open interval per key at a time."""

    def __init__(self, table: str) -> None:
        self.table = table
        self._open: dict[Hashable, OpenView] = {}
        self._done: list[View] = []

    def current(self, key: Hashable) -> OpenView | None:
        """Open interval of a key."""
        return self._open.get(key)

    def open_keys(self) -> tuple[Hashable, ...]:
        """Keys with an open interval."""
        return tuple(self._open)

    def open(  # noqa: PLR0913 (what an interval is made of)
        self,
        key: Hashable,
        observer: Node,
        start: Instant | None,
        uid: str | None,
        value: Mapping[str, Scalar],
        *,
        told_by: Fact | None = None,
    ) -> OpenView:
        """Begin an interval; an open one of the same key ends there."""
        self.close(key, start, uid)
        opened = self._open[key] = OpenView(observer, start, dict(value), uid, told_by=told_by)
        return opened

    def change(  # noqa: PLR0913 (what an interval is made of)
        self,
        key: Hashable,
        observer: Node,
        start: Instant | None,
        uid: str | None,
        value: Mapping[str, Scalar],
        *,
        told_by: Fact | None = None,
    ) -> OpenView:
        """Begin an interval unless the open one says the same already; then the line is further evidence."""
        opened = self._open.get(key)
        if opened is not None and all(opened.value.get(name) == wanted for name, wanted in value.items()):
            opened.note(uid)
            return opened
        return self.open(key, observer, start, uid, value, told_by=told_by)

    def close(self, key: Hashable, end: Instant | None, uid: str | None = None) -> None:
        """End the open interval of a key, if there is one."""
        opened = self._open.pop(key, None)
        if opened is None:
            return
        if opened.start is not None and end is not None and end.ns < opened.start.ns:
            end = opened.start
        self._done.append(_view(self.table, opened, end, uid))

    def close_observer(self, observer: Node, end: Instant | None, uid: str | None = None) -> None:
        """End all open intervals of an observer."""
        for key in [key for key, opened in self._open.items() if opened.observer == observer]:
            self.close(key, end, uid)

    def views(self) -> tuple[View, ...]:
        """All intervals; those still open have no end."""
        still = [_view(self.table, opened, None, None) for opened in self._open.values()]
        return (*self._done, *still)


def _view(table: str, opened: OpenView, end: Instant | None, uid: str | None) -> View:
    evidence = tuple(opened.evidence)
    return View(
        table, opened.observer, opened.start, end, opened.value, opened.opened_by, uid, evidence, opened.told_by
    )


def start_ns(view: View) -> int:
    """Start of a view for sorting; open starts come first."""
    return view.start.ns if view.start is not None else -(1 << 63)


def end_ns(view: View) -> int:
    """End of a view for comparisons; open ends come last."""
    return view.end.ns if view.end is not None else 1 << 63


def holds_at(view: View, ns: int) -> bool:
    """Tell whether a view spans a moment."""
    return start_ns(view) <= ns < end_ns(view)
