"""Reads a bundle with a part of the catalogue, for the growth of cost with the number of patterns.

``python -m tests.bench.reading BUNDLE COUNT``: the patterns that hit most lines come first, so that the events stay
nearly the same while the number of patterns grows.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hadiag.catalogue import Catalogue
from hadiag.pipeline import Options, load_catalogue, read_inputs
from hadiag.scan.database import build_database
from hadiag.sources import Inputs

_LOOKED_AT = 4 << 20


def by_use(bundle: str, catalogue: Catalogue) -> list[int]:
    """Ids of all patterns, those that hit most lines of the first megabytes first."""
    database, uses = build_database(catalogue), Counter[int]()
    for artifact in Inputs([bundle]):
        for number, _ in database.scan(artifact.stream.read(_LOOKED_AT)):
            uses.update(database.patterns[number])
    return sorted(range(len(catalogue.patterns)), key=lambda each: (-uses[each], each))


def reduced(catalogue: Catalogue, chosen: list[int]) -> Catalogue:
    """A catalogue with some of the patterns of another."""
    kept = [catalogue.patterns[index] for index in sorted(chosen)]
    patterns = tuple(replace(pattern, id=index) for index, pattern in enumerate(kept))
    return Catalogue(catalogue.types, patterns, f"{catalogue.digest} {len(patterns)}")


def main(bundle: str, count: int, order: Path) -> None:
    """Read the bundle; the order of patterns is kept in a file, so that finding it is no part of a later run."""
    catalogue = load_catalogue(Options())
    if not order.exists():
        order.write_text(" ".join(map(str, by_use(bundle, catalogue))), encoding="ascii")
    chosen = [int(word) for word in order.read_text(encoding="ascii").split()][:count]
    reading = read_inputs([bundle], reduced(catalogue, chosen), Options())
    sys.stdout.write(f"{len(reading.events)} events with {len(chosen)} patterns\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
