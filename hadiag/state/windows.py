"""Lists in order of time that are asked for what lies near a moment, so that storms of lines stay affordable."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

from hadiag.state.intervals import end_ns, start_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hadiag.model.view import View

T = TypeVar("T")


class Window(Generic[T]):
    """Items sorted by a moment in ns; equal moments keep the order in which they came."""

    def __init__(self, items: Iterable[T] = (), *, key: Callable[[T], int]) -> None:
        self._key = key
        self._items = sorted(items, key=key)
        self._times = [key(item) for item in self._items]

    def add(self, item: T) -> None:
        """Put one more item in its place."""
        moment = self._key(item)
        place = bisect_right(self._times, moment)
        self._times.insert(place, moment)
        self._items.insert(place, item)

    def all(self) -> Sequence[T]:
        """All items."""
        return self._items

    def between(self, low: int, high: int) -> Sequence[T]:
        """Items from one moment to another, both included."""
        return self._items[bisect_left(self._times, low) : bisect_right(self._times, high)]

    def after(self, moment: int, most: int) -> Sequence[T]:
        """The first few items at or after a moment."""
        first = bisect_left(self._times, moment)
        return self._items[first : first + most]

    def before(self, moment: int, most: int) -> Sequence[T]:
        """The last few items at or before a moment."""
        last = bisect_right(self._times, moment)
        return self._items[max(0, last - most) : last]


def windows(named: Iterable[tuple[str, T]], *, key: Callable[[T], int]) -> dict[str, Window[T]]:
    """A window for each name, of the items that go by it."""
    groups: dict[str, list[T]] = {}
    for name, item in named:
        groups.setdefault(name, []).append(item)
    return {name: Window(mine, key=key) for name, mine in groups.items()}


class Spans:
    """Views of which one follows another, such as those of one observer in one table; asked for what meets a span."""

    def __init__(self, views: Iterable[View]) -> None:
        self._views = sorted(views, key=lambda view: (start_ns(view), end_ns(view)))
        self._starts = [start_ns(view) for view in self._views]
        self._ends = list(accumulate((end_ns(view) for view in self._views), max))

    def meeting(self, other: View) -> Iterator[View]:
        """Views that have some time in common with another, in their order."""
        first = bisect_right(self._ends, start_ns(other))
        for view in self._views[first : bisect_left(self._starts, end_ns(other))]:
            if end_ns(view) > start_ns(other):
                yield view
