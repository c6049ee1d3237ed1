"""The findings of a result as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

HEADER = (
    "incidents",
    "id",
    "rule",
    "holds",
    "severity",
    "layer",
    "role",
    "confidence",
    "start",
    "end",
    "nodes",
    "resources",
    "title",
    "path",
    "line",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(data: Mapping[str, Any]) -> str:
    """Write one row for each finding, with the place of its first quoted line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    for finding in data["findings"]:
        first = finding["evidence"][0] if finding["evidence"] else {"path": "", "line": ""}
        inside = [i["id"] for i in data["incidents"] if finding["id"] in (i.get("findings") or ())]
        keys = ("id", "rule", "holds", "severity", "layer", "role", "confidence", "start", "end")
        row = [" ".join(inside), *(finding[key] for key in keys)]
        row += [
            " ".join(finding["nodes"]),
            " ".join(finding["resources"]),
            finding["title"],
            first["path"],
            first["line"],
        ]
        writer.writerow([_inert(value) for value in row])
    return buffer.getvalue()


def _inert(value: object) -> object:
    """Keep a spreadsheet from running a text of a log as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
