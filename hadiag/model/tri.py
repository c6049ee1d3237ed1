"""Three-valued (Kleene) truth: the absence of a log line is not the absence of an event."""

from __future__ import annotations

from enum import Enum


class Tri(Enum):
    """FALSE, UNKNOWN or TRUE with Kleene's strong connectives.

    ``&`` is the minimum, ``|`` the maximum and ``~`` the mirror of the order FALSE < UNKNOWN < TRUE.
    A ``Tri`` has no truth value of its own, so that nobody reads UNKNOWN as either side by accident.
    """

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    @staticmethod
    def of(value: bool | None) -> Tri:
        """Turn a bool, or None for "not known", into a Tri."""
        if value is None:
            return Tri.UNKNOWN
        return Tri.TRUE if value else Tri.FALSE

    def __and__(self, other: Tri) -> Tri:
        return Tri(min(self.value, other.value))

    def __or__(self, other: Tri) -> Tri:
        return Tri(max(self.value, other.value))

    def __invert__(self) -> Tri:
        return Tri(2 - self.value)

    def __bool__(self) -> bool:
        raise TypeError("a Tri has three values: compare it with Tri.TRUE or Tri.FALSE")
