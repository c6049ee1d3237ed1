"""Aligned times of lines that are no events: what was added to the stamp of the event before them in their file is added to theirs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from hadiag.model.source import SourceRef
from hadiag.model.time import LoggedTime
from hadiag.timeline.uptimes import Key


class Shifts:
    """What to add to the printed times of each file, from which line on."""

    def __init__(self, told: Iterable[tuple[SourceRef, int]]) -> None:
        """Args: ``told`` are lines, each with the aligned UTC time less its wall time in ns."""
        by_file: dict[Key, list[tuple[int, int]]] = {}
        for ref, shift in told:
            by_file.setdefault((ref.bundle, ref.path), []).append((ref.line, shift))
        self._files: Mapping[Key, tuple[list[int], list[int]]] = {
            key: _changes(sorted(rows)) for key, rows in by_file.items()
        }

    def aligned(self, ref: SourceRef, stamp: LoggedTime | None) -> int | None:
        """Aligned UTC time in ns of a line with its stamp; None without one, and where the file has no events."""
        known = self._files.get((ref.bundle, ref.path))
        if stamp is None or known is None:
            return None
        lines, shifts = known
        return stamp.wall_ns + shifts[max(0, bisect_right(lines, ref.line) - 1)]


def _changes(rows: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The lines from which on another shift holds, and these shifts."""
    lines: list[int] = []
    shifts: list[int] = []
    for line, shift in rows:
        if not shifts or shifts[-1] != shift:
            lines.append(line)
            shifts.append(shift)
    return lines, shifts
