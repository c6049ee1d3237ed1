"""Compares a result with what a sample's ``expected.yaml`` says: the figures that the project is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

CONFIDENT = 0.6
TOLERANCE_S = 2.0


@dataclass(frozen=True)
class Sample:
    """One recorded incident: its archives, and what a right analysis says."""

    name: str
    folder: Path
    expected: dict[str, Any]

    @property
    def bundle(self) -> list[Path]:
        """The archives as the collector wrote them."""
        return sorted(path for path in self.folder.iterdir() if ".tar." in path.name)

    @property
    def raw(self) -> list[Path]:
        """The whole /var/log of every node."""
        return sorted((self.folder / "raw").iterdir())


def samples(root: Path) -> list[Sample]:
    """All samples below a directory, by name."""
    folders = sorted(path.parent for path in root.glob("*/expected.yaml"))
    return [Sample(f.name, f, yaml.safe_load((f / "expected.yaml").read_text())) for f in folders]


def top_explanation(result: dict[str, Any]) -> dict[str, Any] | None:
    """The first explanation of the first incident."""
    for incident in result["incidents"]:
        for explanation in incident["explanations"]:
            found: dict[str, Any] = explanation
            return found
    return None


def kinds(result: dict[str, Any]) -> set[str]:
    """All kinds of all incidents."""
    return {kind for incident in result["incidents"] for kind in incident["kinds"]}


def confidently_wrong(result: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Say which wrong cause the result calls likely or better, None where it does not."""
    top = top_explanation(result)
    if top is None or top["confidence"] < CONFIDENT or not expected.get("category"):
        return None
    if top["category"] in expected["category"] or top["category"] == "unknown":
        return None
    return f"{top['cause']} ({top['category']}) with {top['confidence']}"


def verdict_problems(result: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Differences between a result and the expectation; an empty list is a right analysis."""
    found = kinds(result)
    problems = [f"kind {kind} is missing" for kind in expected.get("must", []) if kind not in found]
    problems += [f"kind {kind} must not appear" for kind in expected.get("must_not", []) if kind in found]
    status = result["verdict"]["status"]
    if expected.get("verdict") and status != expected["verdict"]:
        problems.append(f"verdict is {status}, not {expected['verdict']}")
    if expected.get("undecided") and status not in {"undecided", "insufficient"}:
        problems.append(f"verdict is {status}, but the logs cannot tell")
    if not expected.get("undecided") and not expected.get("verdict") and expected.get("must") and status != "explained":
        problems.append(f"verdict is {status}, not explained")
    return problems + _cause_problems(result, expected)


def _cause_problems(result: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    top = top_explanation(result)
    if top is None:
        return ["no explanation"] if expected.get("must") else []
    problems = [
        f"{what} are {top[what]}, none of {expected[what]}"
        for what in ("nodes", "resources")
        if expected.get(what) and not set(expected[what]) & set(top[what])
    ]
    if expected.get("category") and top["category"] not in expected["category"]:
        problems.append(f"category is {top['category']}, not one of {expected['category']}")
    recovery = {cause["category"] for cause in top["causes"] if cause["role"] == "prevented_recovery"}
    if expected.get("recovery") and not recovery & set(expected["recovery"]):
        problems.append(f"prevented recovery is {sorted(recovery)}, not {expected['recovery']}")
    return problems


def skew_problems(result: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Compare the clock offsets between the nodes with the truth."""
    offsets = expected["cluster"]["clock_offset_s"]
    clocks = {node["name"]: node["clock"] for node in result["nodes"]}
    reference = next((name for name, clock in clocks.items() if clock["is_reference"]), None)
    if not expected.get("skew") or reference is None:
        return []
    problems = []
    for name, offset in offsets.items():
        truth = offset - offsets[reference]
        found = clocks[name]["skew_s"]
        if found is None or abs(found - truth) > 1.0:
            problems.append(f"skew of {name} is {found}, not {truth}")
            continue
        spans = [s for s in clocks[name]["skews"] if s["skew_s"] is not None]
        if spans and not any(abs(s["skew_s"] - truth) <= s["error_s"] + 1e-6 for s in spans):
            problems.append(f"skew of {name}: the truth {truth} lies outside every stated error")
    return problems


def event_problems(rows: list[dict[str, Any]], expected: dict[str, Any], *, raw: bool) -> list[str]:
    """Look for each expected event among the rows of the timeline: right observer, within 2 s of the true time."""
    reference_offset = 0.0
    wanted = [event for event in expected["events"] if raw or event["in_bundle"] != "no"]
    lost = [event for event in wanted if not any(_is_it(row, event, reference_offset) for row in rows)]
    return [f"no event {e['what']!r} of {e['node']} at {e['time']}: {e['line'][:110]}" for e in lost]


def _is_it(row: dict[str, Any], event: dict[str, Any], offset: float) -> bool:
    if row["observer"] != event["node"] or row["time"] is None:
        return False
    distance = datetime.fromisoformat(row["time"]) - datetime.fromisoformat(event["time"])
    if abs(distance.total_seconds() - offset) > TOLERANCE_S:
        return False
    words = " ".join(row["message"].split(" | ")[0].split())
    return bool(words) and words in " ".join(event["line"].split())
