"""The cache of compiled templates: all of them in one entry of the cache directory.

An entry is taken only if it belongs to this user, nobody else may write it, and its checksum is right (``hadiag.catalogue.store``);
a template is taken from it only if its text is the one that was compiled. Anything else costs the time of compiling it again.
"""

from __future__ import annotations

import marshal
import sys
from types import CodeType

import jinja2
from jinja2.bccache import Bucket

from hadiag import __version__
from hadiag.catalogue.store import read_cached, write_cached

MOST = 100
"""Templates that the entry holds; those of this run come first."""

_KEY = f"templates {__version__} {jinja2.__version__} {sys.version}"


class CompiledTemplates(jinja2.BytecodeCache):
    """Compiled templates, by the key that Jinja gives them and by what they were compiled for."""

    def __init__(self, purpose: str) -> None:
        """Read what is there. ``purpose`` tells apart environments that compile a template differently."""
        self._purpose = purpose
        self._known = _read()
        self._used: dict[str, tuple[str, CodeType]] = {}
        self._new = False

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Key of a template."""
        return f"{self._purpose} {super().get_cache_key(name, filename)}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take a template that was compiled from the same text."""
        known = self._known.get(bucket.key)
        if known and known[0] == bucket.checksum:
            bucket.code = known[1]
            self._used[bucket.key] = known

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Note a template that was compiled now."""
        assert bucket.code is not None  # noqa: S101 - Jinja compiled it
        self._used[bucket.key] = (bucket.checksum, bucket.code)
        self._new = True

    def keep(self) -> None:
        """Write the entry, where anything in it is new."""
        if self._new:
            kept = [*self._used.items(), *(item for item in self._known.items() if item[0] not in self._used)]
            write_cached("templates", _KEY, marshal.dumps(dict(kept[:MOST])))
            self._new = False


def _read() -> dict[str, tuple[str, CodeType]]:
    body = read_cached("templates", _KEY)
    try:
        found = marshal.loads(body) if body else {}  # noqa: S302 - this user's own, whole by its checksum
    except (ValueError, EOFError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
