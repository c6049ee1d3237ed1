"""Loading of event packs: all problems of all files at once, and a cache of what loaded well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from hadiag.catalogue.store import recall, remember
from hadiag.catalogue.types import Catalogue, Problem
from hadiag.errors import RulesError


def load(dirs: Sequence[Path], *, cache: bool = True) -> Catalogue:
    """Load all ``*.yaml`` files below the directories.

    Args:
        dirs: directories of event packs, in order.
        cache: use and write the cache of loaded catalogues.

    Raises:
        RulesError: with one line for each problem of each file.
    """
    catalogue, problems = read(dirs, cache=cache)
    if problems:
        raise RulesError(tuple(str(problem) for problem in problems))
    return catalogue


def read(dirs: Sequence[Path], *, cache: bool = True) -> tuple[Catalogue, list[Problem]]:
    """Load the directories; what has problems is left out of the catalogue (see ``load``)."""
    files = list(_files(dirs))
    digest = _digest(files)
    known = recall(digest) if cache else None
    if known is not None:
        return known, []
    # pydantic and YAML are needed only when the packs are new.
    from hadiag.catalogue.reading import Reading

    reading = Reading()
    for name, short, raw in files:
        reading.add_file(name, raw, short)
    catalogue = Catalogue(reading.types, tuple(reading.patterns), digest)
    if cache and not reading.problems:
        remember(catalogue)
    return catalogue, reading.problems


def _files(dirs: Sequence[Path]) -> Iterator[tuple[str, str, bytes | None]]:
    """Name, name inside the pack, and content of each file."""
    for directory in dirs:
        for path in sorted(directory.rglob("*.yaml")):
            try:
                raw = path.read_bytes()
            except OSError:
                raw = None
            yield str(path), path.relative_to(directory).as_posix(), raw


def _digest(files: Sequence[tuple[str, str, bytes | None]]) -> str:
    digest = blake2b(digest_size=16)
    for _, name, raw in files:
        content = raw or b""
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()
