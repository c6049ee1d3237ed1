"""Which lines hadiag knows, and which ones ripgrep finds with the exported expressions: the two shall do the same job."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from hadiag.catalogue import Matcher
from hadiag.formats import LineParser, detect
from hadiag.model.source import BundleId, SourceRef
from hadiag.pipeline import Options, load_catalogue
from hadiag.scan.database import build_database

Lines = set[tuple[str, int]]
"""Lines by their file and their number, from 1."""


def known(root: Path) -> Lines:
    """The lines of all logs that a pattern confirms, each line tried by itself."""
    catalogue = load_catalogue(Options())
    database, matcher = build_database(catalogue), Matcher(catalogue)
    found: Lines = set()
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        data = path.read_bytes()
        kind = detect(path.name, data[:65536])
        if kind is None:
            continue
        parser, rows = LineParser(kind), data.decode("utf-8", "replace").split("\n")
        candidates: dict[int, list[int]] = {}
        for number, index in database.scan(data):
            candidates.setdefault(index, []).extend(database.patterns[number])
        for index, ids in candidates.items():
            record = parser.parse(rows[index], SourceRef(BundleId(""), "", index + 1, 0, 0))
            if record and matcher.match(record.program, record.message, record.details, ids):
                found.add((str(path), index + 1))
    return found


def searched(root: Path, patterns: Path, environment: Mapping[str, str]) -> Lines:
    """The lines that ripgrep finds."""
    command = ("rg", "-a", "-n", "--no-heading", "-H", "--no-unicode", "-f", str(patterns), str(root))
    done = subprocess.run(command, capture_output=True, check=True, env=dict(environment))
    found: Lines = set()
    for row in done.stdout.split(b"\n")[:-1]:
        path, number, _ = row.split(b":", 2)
        found.add((path.decode(), int(number)))
    return found
