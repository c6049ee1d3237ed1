"""Recall: which of the planted lines came out as the event that they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def found(truth: Mapping[str, Any], rows: Iterable[str], root: str) -> tuple[int, int, int]:
    """Planted lines that a timeline shows, all planted lines, and rows of the timeline.

    Args:
        truth: content of ``truth.json``.
        rows: the lines of ``hadiag timeline --jsonl``.
        root: name of the directory in the bundle, in front of the path of each log.
    """
    wanted = {(f"{root}{each['path']}", each["line"]): each["type"] for each in truth["planted"]}
    shown, count = set(), 0
    for text in rows:
        row = json.loads(text)
        count += 1
        for place in ({"path": row["path"], "line": row["line"]}, *row["also"]):
            key = (place["path"], place["line"])
            if wanted.get(key) == row["type"]:
                shown.add(key)
    return len(shown), len(wanted), count


def recall(truth: Path, timeline: Path, root: str) -> tuple[int, int, int]:
    """The same for files."""
    with timeline.open(encoding="utf-8") as rows:
        return found(json.loads(truth.read_text(encoding="utf-8")), rows, root)
