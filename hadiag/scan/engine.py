"""The interface of the multi-pattern engines, and the choice between them.

An engine compiles numbered expressions over bytes into a scanner, a scanner reports where they match in a block, and
serialises itself for the cache. hyperscan is the engine of choice; google-re2 reports the same lines, slower, where
hyperscan has no wheel.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from hadiag.errors import UsageError

ENGINE_VARIABLE: Final = "HADIAG_ENGINE"
"""Environment variable that names the engine: ``hyperscan`` or ``re2``."""


class Expression(NamedTuple):
    """A numbered expression over bytes, without anchors; no part of it matches a line end."""

    id: int
    regex: bytes


class Reports(NamedTuple):
    """What matched in a block, as columns, since there may be ten thousand reports in a megabyte.

    ``ids`` are those of the expressions, ``ends`` the offsets behind the matches, inside or at the end of their lines.
    """

    ids: list[int]
    ends: list[int]


class EngineError(Exception):
    """An expression that the engine cannot compile, or a serialised database that is not its own."""


class Scanner(Protocol):
    """A compiled set of expressions. Each thread may call ``scan`` at the same time."""

    def scan(self, block: bytes) -> Reports:
        """Report the expressions that match in whole lines, in the order of their ends; a line may come up more than once."""

    def serialise(self) -> bytes:
        """The scanner as bytes for ``Engine.restore``; empty where compiling again is as fast."""


class Engine(Protocol):
    """A multi-pattern engine; ``name`` and ``version`` are part of the key of the cache."""

    @property
    def name(self) -> str:
        """Name for ``ENGINE_VARIABLE``."""

    @property
    def version(self) -> str:
        """Version of the engine and its binding."""

    def compile(self, expressions: Sequence[Expression]) -> Scanner:
        """Compile expressions.

        Raises:
            EngineError: naming the expression that the engine cannot take.
        """

    def restore(self, data: bytes) -> Scanner:
        """Take up a serialised scanner.

        Raises:
            EngineError: the bytes are damaged or from another version.
        """


def choose_engine(name: str | None = None) -> Engine:
    """The engine of this name, of the environment, or the fastest that is installed.

    Raises:
        UsageError: the engine is unknown or not installed.
    """
    wanted = name or os.environ.get(ENGINE_VARIABLE) or None
    for candidate in (wanted,) if wanted else ("hyperscan", "re2"):
        engine = _engine(candidate)
        if engine is not None:
            return engine
    raise UsageError(
        f"The scan engine {wanted or 'hyperscan or re2'} is not available. "
        f"Use hyperscan or re2, or install the Python package hyperscan or google-re2."
    )


def _engine(name: str) -> Engine | None:
    try:
        if name == "hyperscan":
            from hadiag.scan.hyperscan import HyperscanEngine

            return HyperscanEngine()
        if name == "re2":
            from hadiag.scan.re2 import Re2Engine

            return Re2Engine()
    except ImportError:
        return None
    return None
