"""The cache directory, and the cache of a loaded catalogue.

A cache file is taken only if it belongs to this user, nobody else may write it, and its checksum is right; anything
else counts as absent. The catalogue and the rule packs are records (``hadiag.catalogue.records``); the only code are
compiled templates (``hadiag.report.compiled``), which are trusted like the compiled modules of Python.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from hadiag import __version__
from hadiag.catalogue.records import packed, unpacked
from hadiag.catalogue.types import Catalogue

_FORMAT: Final = 4
_MAGIC: Final = b"hadiag-cache\n"
_KEEP: Final = 12  # files of one kind; older ones are removed


def cache_dir() -> Path:
    """``$XDG_CACHE_HOME/hadiag``, by default ``~/.cache/hadiag``."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "hadiag"


def read_cached(kind: str, key: str) -> bytes | None:
    """Content of a cache entry, None where there is none that can be trusted."""
    path = _path(kind, key)
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            raw = stream.read()
    except OSError:
        return None
    start = len(_MAGIC) + 32
    body = raw[start:]
    whole = raw[:start] == _MAGIC + _checksum(key, body)
    return body if whole else None


def write_cached(kind: str, key: str, body: bytes) -> None:
    """Write a cache entry in one step; a directory that cannot be written is no problem."""
    import tempfile

    path = _path(kind, key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{kind}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_MAGIC + _checksum(key, body) + body)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _drop_old(path.parent, kind)


def read_records(kind: str, key: str) -> Any:  # noqa: ANN401 - what ``write_records`` was given
    """Records of a cache entry (``hadiag.catalogue.records``), None where there are none that can be trusted."""
    body = read_cached(kind, key)
    try:
        return None if body is None else unpacked(body)
    except ValueError:
        return None


def write_records(kind: str, key: str, value: object) -> None:
    """Write a value of records as a cache entry."""
    write_cached(kind, key, packed(value))


def _path(kind: str, key: str) -> Path:
    return cache_dir() / f"{kind}-{blake2b(key.encode(), digest_size=12).hexdigest()}.bin"


def _checksum(key: str, body: bytes) -> bytes:
    return blake2b(body, digest_size=32, key=blake2b(key.encode(), digest_size=32).digest()).digest()


def _drop_old(directory: Path, kind: str) -> None:
    entries = sorted(directory.glob(f"{kind}-*.bin"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[_KEEP:]:
        path.unlink(missing_ok=True)


def _key(digest: str) -> str:
    """The block copies come from this code and from the parser of ``re``, so both are part of the key."""
    return f"catalogue {_FORMAT} {__version__} {code_digest(Path(__file__).parent)} {sys.version_info[:3]} {digest}"


@cache
def code_digest(*packages: Path) -> str:
    """Digest of the modules that make what is cached: in a checkout they change without a change of version."""
    digest = blake2b(digest_size=8)
    for path in sorted(path for package in packages for path in package.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def remember(catalogue: Catalogue) -> None:
    """Write a catalogue that loaded without problems to the cache."""
    write_records("catalogue", _key(catalogue.digest), (dict(catalogue.types), catalogue.patterns))


def recall(digest: str) -> Catalogue | None:
    """Catalogue of the packs with this digest, if the cache has it whole."""
    kept = read_records("catalogue", _key(digest))
    try:
        types, patterns = kept
    except (ValueError, TypeError):
        return None
    return Catalogue(types, patterns, digest)
