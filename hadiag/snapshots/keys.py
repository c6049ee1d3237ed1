"""Whether nodes share a key: fingerprints of key files. The keys themselves are never read.

::

    9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  /etc/corosync/authkey     sha256sum
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, numbered

_LINE = re.compile(r"^(?P<digest>[0-9a-f]{64}) [ *](?P<file>/etc/\S{1,200})$")
_KEPT = 16  # characters of a fingerprint: enough to tell keys apart


class FingerprintParser:
    """Reads ``sha256sum`` of key files."""

    name = "keys"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """Nothing but fingerprints."""
        lines = head_lines(head, 12)
        return bool(lines) and all(_LINE.match(line) for line in lines)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``key.fingerprint`` for each file."""
        for number, line in numbered(data):
            if match := _LINE.match(line):
                yield source.fact("key.fingerprint", {"file": match["file"], "digest": match["digest"][:_KEPT]}, number)
