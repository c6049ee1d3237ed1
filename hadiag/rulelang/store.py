"""The cache of rule packs: the documents of packs that loaded without problems, so that YAML is read once.

What the YAML says is kept as JSON, with the line of each key; it is still validated by the models of the language. The key
covers the content of all files, the event catalogue that they were checked against, and the code that reads and checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path

from hadiag.catalogue.marked import MarkedDocument
from hadiag.catalogue.store import read_cached, write_cached
from hadiag.rulelang.ruleset import CatalogueInfo

Documents = Mapping[str, MarkedDocument]
"""Documents by the path of their file."""

_FORMAT = 1


def key(directories: Sequence[Path], catalogue: CatalogueInfo | None) -> str:
    """Key of all packs below some directories."""
    digest = blake2b(digest_size=16)
    for directory in directories:
        for path in sorted(directory.rglob("*.y*ml")):
            if path.is_file() and "events" not in path.relative_to(directory).parts[:1]:
                digest.update(str(path).encode("utf-8", "surrogateescape") + b"\0" + _content(path) + b"\0")
    events = getattr(catalogue, "digest", None)
    return f"rules {_FORMAT} {_code()} {events} {digest.hexdigest()}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@cache
def _code() -> str:
    """Digest of the modules that read and check rules: in a checkout they change without a change of version."""
    digest = blake2b(digest_size=8)
    here = Path(__file__).parent
    for path in sorted((*here.glob("*.py"), *here.with_name("catalogue").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def recall(name: str) -> Documents | None:
    """Documents of a key, if the cache has them whole."""
    body = read_cached("rules", name)
    if body is None:
        return None
    try:
        return {path: _document(file, data, lines) for path, file, data, lines in json.loads(body)}
    except (ValueError, TypeError):
        return None


def _document(file: str, data: object, lines: Sequence[tuple[Sequence[str | int], int]]) -> MarkedDocument:
    document = MarkedDocument(file)
    document.data = data
    document.lines.update({tuple(path): line for path, line in lines})
    return document


def remember(name: str, paths: Sequence[str], documents: Sequence[MarkedDocument]) -> None:
    """Write documents without problems to the cache."""
    body = [
        (path, document.file, document.data, list(document.lines.items()))
        for path, document in zip(paths, documents, strict=True)
    ]
    write_cached("rules", name, json.dumps(body, separators=(",", ":")).encode())
