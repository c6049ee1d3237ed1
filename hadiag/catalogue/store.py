"""The cache directory, and the cache of a loaded catalogue.

A cache file is taken only if it belongs to this user, nobody else may write it, and its checksum is right; anything
else counts as absent. The catalogue and the rule packs are JSON; the only code are compiled templates
(``hadiag.report.compiled``), which are trusted like the compiled modules of Python.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from hadiag import __version__
from hadiag.catalogue.types import Catalogue, Derive, EventType, Pattern, Sample
from hadiag.model.entity import Layer, Level
from hadiag.model.event import EventClass

_FORMAT: Final = 3
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
    return f"catalogue {_FORMAT} {__version__} {_code()} {sys.version_info[:3]} {digest}"


def _code() -> str:
    """Digest of the modules that make a catalogue: in a checkout they change without a change of version."""
    digest = blake2b(digest_size=8)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def remember(catalogue: Catalogue) -> None:
    """Write a catalogue that loaded without problems to the cache."""
    body = {
        "types": [asdict(event) for event in catalogue.types.values()],
        "patterns": [
            asdict(pattern) | {"block_regexes": [regex.decode("ascii") for regex in pattern.block_regexes]}
            for pattern in catalogue.patterns
        ],
    }
    write_cached("catalogue", _key(catalogue.digest), json.dumps(body, separators=(",", ":")).encode())


def recall(digest: str) -> Catalogue | None:
    """Catalogue of the packs with this digest, if the cache has it whole."""
    body = read_cached("catalogue", _key(digest))
    if body is None:
        return None
    try:
        data = json.loads(body)
        types = {entry["name"]: _event_type(entry) for entry in data["types"]}
        patterns = tuple(map(_pattern, data["patterns"]))
    except (ValueError, KeyError, TypeError):
        return None
    return Catalogue(types, patterns, digest)


def _event_type(entry: dict[str, Any]) -> EventType:
    entry["layer"] = Layer(entry["layer"])
    entry["cls"] = EventClass(entry["cls"])
    entry["level"] = Level(entry["level"])
    entry["programs"] = tuple(entry["programs"])
    return EventType(**entry)


def _pattern(entry: dict[str, Any]) -> Pattern:
    entry["block_regexes"] = tuple(regex.encode("ascii") for regex in entry["block_regexes"])
    entry["needs"] = tuple(map(tuple, entry["needs"]))
    entry["derive"] = tuple(Derive(**derive) for derive in entry["derive"])
    entry["samples"] = tuple(
        Sample(sample["line"], sample["origin"], {name: _scalar(value) for name, value in sample["fields"].items()})
        for sample in entry["samples"]
    )
    return Pattern(**entry)


def _scalar(value: Any) -> Any:  # noqa: ANN401 - a JSON value that was a field value
    return tuple(value) if isinstance(value, list) else value
