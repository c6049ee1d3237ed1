"""Text from logs made harmless for a page: control characters, ANSI sequences and direction marks become visible."""

from __future__ import annotations

import re

LIMIT = 4000
"""Characters of one text that a page shows; a line of a megabyte is cut and says so."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str, limit: int = LIMIT) -> str:
    """Replace what a reader cannot see, or what would turn the text around, by its name; cut an endless line."""
    rest = len(text) - limit
    shown = _HIDDEN.sub(_name, text[:limit] if rest > 0 else text)
    return f"{shown} … ({rest:,} more characters)" if rest > 0 else shown


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else f"\u27e8U+{code:04X}\u27e9"
