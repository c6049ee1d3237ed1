"""Times as people type them: ISO 8601, ``2026-11-22 10:00``, ``-2h``, ``now``, ``yesterday``."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from hadiag.errors import UsageError
from hadiag.model.time import NS

if TYPE_CHECKING:
    from datetime import datetime

_RELATIVE = re.compile(r"^[-+]?(\d+)\s*(s|sec|m|min|h|d|w)$")
_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_when(text: str | None, now_s: float | None = None) -> int | None:
    """Read a time as UTC ns. Without an offset it is UTC; ``-2h`` counts back from now.

    Raises:
        UsageError: the text is no time.
    """
    if text is None:
        return None
    now = time.time() if now_s is None else now_s
    word = text.strip().lower()
    if word == "now":
        return int(now) * NS
    if word in {"today", "yesterday"}:
        midnight = int(now) // 86400 * 86400
        return (midnight - (86400 if word == "yesterday" else 0)) * NS
    if match := _RELATIVE.match(word):
        seconds = int(match.group(1)) * _UNITS[match.group(2)]
        return (int(now) + (seconds if word.startswith("+") else -seconds)) * NS
    return _absolute(text)


def _absolute(text: str) -> int:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = _loose(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * 1000


def _loose(text: str) -> datetime:
    """Times as people write them elsewhere; the parser for them is loaded only then."""
    from dateutil import parser

    try:
        return parser.parse(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is no time. Try 2026-11-22T10:00, '2026-11-22 10:00:00+01:00' or -2h.") from error
