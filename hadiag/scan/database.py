r"""The pattern database: everything that the scan of raw blocks looks for, compiled once and cached.

It holds the block copies of all patterns of the catalogue, and expressions that report any line at warning or worse in
each dialect, so that messages which no pattern knows are seen too:

==================================================================== =====================================
``... pacemaker-controld  [93] (handle_op) \terror: ...``            Pacemaker's own log, 2.x
``... node1 crmd[7]:  warning: ...``, ``crmd:    error: func: ...``  syslog, journal, Pacemaker 1.1
``... corosync warning [MAIN  ] ...``                                corosync's own log
``... Filesystem(fs1)[93]: ERROR: ...``                              resource agents
``E, [2026-11-22T10:00:00.000 #00012] ...``                          pcsd
``<4>2026-11-22T10:00:00.000000+00:00 node1 sshd[7]: ...``           a decoded journal
==================================================================== =====================================
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hadiag.catalogue.store import read_cached, write_cached
from hadiag.catalogue.types import Catalogue
from hadiag.model.frozen import record
from hadiag.scan.engine import Engine, EngineError, Expression, Scanner, choose_engine

LEVELS: Final = 0
"""Id of all expressions that report a level and no pattern of the catalogue."""

_BLANK: Final = 32
_NEWLINE: Final = 10
_WORDS: Final = (b"warning", b"error", b"crit", b"alert", b"emerg")
_LEVELS: Final = (
    *(rb"\x29 " + word + rb": " for word in _WORDS),
    *(rb": " + word + rb": " for word in _WORDS),
    *(rb"corosync " + word + rb" \x5b" for word in _WORDS),
    *(rb"corosync" + word + rb" \x5b" for word in _WORDS),
    *(word + rb": " for word in (b"WARNING", b"WARN", b"ERROR", b"CRIT", b"CRITICAL", b"FATAL")),
    *(letter + rb", \x5b2" for letter in (b"W", b"E", b"F", b"C")),
    *(rb"\x3c" + digit + rb"\x3e2" for digit in (b"0", b"1", b"2", b"3", b"4")),
)
"""Text only, for the reason told in ``hadiag.catalogue.patterns``."""


@record
class Database:
    """A compiled database. Several threads may scan with it at the same time.

    ``patterns`` maps the id of a hit to the patterns of the catalogue that have this block copy (none for ``LEVELS``).
    """

    engine: str
    scanner: Scanner
    patterns: tuple[tuple[int, ...], ...]

    def scan(self, block: bytes) -> list[tuple[int, int]]:
        """Report what matches in whole lines: id, and index of the line, which may come up more than once."""
        found = self.hits(block)
        return list(zip(found.numbers.tolist(), found.lines.tolist(), strict=True))

    def hits(self, block: bytes) -> Hits:
        """Report the same as columns, with what is needed to look closer at the lines."""
        text = collapsed(block)
        reports = self.scanner.scan(text)
        if not reports.ids:
            return Hits(text, _NONE, _NONE, _NONE)
        newlines = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _NEWLINE)
        lines = np.searchsorted(newlines, np.array(reports.ends, dtype=np.int64) - 1)  # by the last byte of the match
        return Hits(text, newlines, np.array(reports.ids, dtype=np.int64), lines)


_NONE: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What a scan found: the text that was scanned and where its lines end, and of each hit its id and its line."""

    text: bytes
    newlines: NDArray[np.int64]
    numbers: NDArray[np.int64]
    lines: NDArray[np.int64]

    def line(self, index: int) -> bytes:
        """Text of a line, runs of blanks collapsed, without its end."""
        start = int(self.newlines[index - 1]) + 1 if index else 0
        end = int(self.newlines[index]) if index < len(self.newlines) else len(self.text)
        return self.text[start:end]


def collapsed(block: bytes) -> bytes:
    """The block with each run of blanks and tabs as one blank: what the confirming regex will see of its messages."""
    plain = block.replace(b"\t", b" ")
    if b"  " not in plain:
        return plain
    codes = np.frombuffer(plain, dtype=np.uint8)
    blank = codes == _BLANK
    keep = np.ones(len(codes), dtype=np.bool_)
    np.logical_not(blank[1:] & blank[:-1], out=keep[1:])
    return codes[keep].tobytes()


def build_database(catalogue: Catalogue, engine: Engine | str | None = None, *, cache: bool = True) -> Database:
    """Compile the database of a catalogue, or take it from the cache.

    Args:
        catalogue: the event types to look for.
        engine: an engine or its name; by default ``HADIAG_ENGINE`` or the fastest that is installed.
        cache: use and write the cache.

    Raises:
        UsageError: the engine is not available.
        EngineError: the engine cannot compile a pattern.
    """
    chosen = choose_engine(engine) if engine is None or isinstance(engine, str) else engine
    wanted, patterns = expressions(catalogue)
    key = _key(chosen, wanted)
    scanner = _restored(chosen, key) if cache else None
    if scanner is None:
        scanner = chosen.compile(wanted)
        if cache:
            write_cached("database", key, scanner.serialise())
    return Database(chosen.name, scanner, patterns)


def expressions(catalogue: Catalogue) -> tuple[list[Expression], tuple[tuple[int, ...], ...]]:
    """All expressions of the database, each once, and for each id the patterns that it stands for."""
    copies: dict[bytes, list[int]] = {}
    for pattern in catalogue.patterns:
        for regex in pattern.block_regexes:
            copies.setdefault(regex, []).append(pattern.id)
    found = [Expression(LEVELS, regex) for regex in _LEVELS]
    found.extend(Expression(index, regex) for index, regex in enumerate(copies, start=1))
    return found, ((), *map(tuple, copies.values()))


def _restored(engine: Engine, key: str) -> Scanner | None:
    data = read_cached("database", key)
    if data is None:
        return None
    try:
        return engine.restore(data)
    except EngineError:
        return None  # compile it again


def _key(engine: Engine, wanted: list[Expression]) -> str:
    """The compiled form depends on the patterns themselves, the engine, and the processor's features."""
    digest = blake2b(digest_size=16)
    for expression in wanted:
        digest.update(b"%d\0%s\0" % expression)
    return f"{engine.name} {engine.version} {platform.machine()} {_cpu_features()} {digest.hexdigest()}"


def _cpu_features() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return platform.processor()
    flags = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "")
    return blake2b(flags.encode(), digest_size=8).hexdigest()
