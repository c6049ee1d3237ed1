"""What was done to the cluster and when, in true time: the truth that a recording is judged by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.lab.places import Places


def note(places: Places, what: str, detail: str) -> None:
    """Add one line to the notes."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with places.notes.open("a") as file:
        file.write(json.dumps({"time": now, "what": what, "detail": detail}) + "\n")


def read(places: Places) -> list[dict[str, Any]]:
    """All notes since the cluster came up."""
    if not places.notes.exists():
        return []
    return [json.loads(line) for line in places.notes.read_text().splitlines()]
