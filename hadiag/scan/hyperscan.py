"""The hyperscan engine (Vectorscan on ARM): several hundred MB/s on one core, and the GIL is free meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

import hyperscan

from hadiag.scan.engine import EngineError, Expression, Reports, Scanner

_MODE: Final = hyperscan.HS_MODE_BLOCK


class HyperscanEngine:
    """Compiles expressions with hyperscan."""

    @property
    def name(self) -> str:
        """Name of the engine."""
        return "hyperscan"

    @property
    def version(self) -> str:
        """Version of the binding and of the library that it brings."""
        return f"{getattr(hyperscan, '__version__', '')} {_empty().info().decode('ascii', 'replace')}"

    def compile(self, expressions: Sequence[Expression]) -> Scanner:
        """Compile expressions (see ``Engine``)."""
        try:
            return _HyperscanScanner(_compiled(expressions))
        except hyperscan.error as error:
            raise EngineError(_culprit(expressions) or f"hyperscan cannot compile the patterns: {error}") from error

    def restore(self, data: bytes) -> Scanner:
        """Take up a serialised database (see ``Engine``)."""
        try:
            return _HyperscanScanner(hyperscan.loadb(data, _MODE))
        except hyperscan.error as error:
            raise EngineError(f"not a database of this hyperscan ({error})") from error


class _HyperscanScanner:
    """A database, and one scratch space for each thread that scans."""

    def __init__(self, database: Any) -> None:  # noqa: ANN401 - hyperscan has no types
        self._database = database
        self._local = threading.local()

    def scan(self, block: bytes) -> Reports:
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            # A database from loadb() has no scratch space of its own, and one must not serve two threads.
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        found = Reports([], [])
        add_id, add_end = found.ids.append, found.ends.append

        def report(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            add_id(number)
            add_end(end)

        self._database.scan(block, match_event_handler=report, scratch=scratch)
        return found

    def serialise(self) -> bytes:
        return bytes(hyperscan.dumpb(self._database))


def _compiled(expressions: Sequence[Expression]) -> Any:  # noqa: ANN401 - hyperscan has no types
    database = hyperscan.Database(mode=_MODE)
    database.compile(
        expressions=[expression.regex for expression in expressions],
        ids=[expression.id for expression in expressions],
        elements=len(expressions),
        flags=[0] * len(expressions),
    )
    return database


def _empty() -> Any:  # noqa: ANN401 - hyperscan has no types
    return _compiled([Expression(0, b"empty")])


def _culprit(expressions: Sequence[Expression]) -> str | None:
    for expression in expressions:
        try:
            _compiled([expression])
        except hyperscan.error as error:
            return f"hyperscan cannot compile the pattern {expression.id}, {expression.regex!r}: {error}"
    return None
