"""A recorded incident printed at other times and in other zones: every event at its true moment, the same verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from hadiag.model.event import Event
from hadiag.model.time import NS
from hadiag.pipeline import Analysis, Options, analyze
from tests.corpus.repack import Nodes, materials
from tests.corpus.test_bundles import SAMPLES, verdict
from tests.property.rerender import Was, moved, packed

TOLERANCE_NS = 2 * NS
RECORDED = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Case(NamedTuple):
    """When the middle of the incident happens, the zones of the nodes in turn, and whether the input names them."""

    sample: str
    at: str
    zones: tuple[str, ...]
    named: bool = False


BERLIN, HOWE, NEWFOUNDLAND = "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"
SKEWED, FAILED = "11-partition-clock-skew", "07-monitor-failure"
CASES = {
    "winter time begins": Case(FAILED, "2025-10-26T01:00:00Z", (BERLIN,)),
    "summer time begins": Case(SKEWED, "2026-03-29T01:00:00Z", (BERLIN,)),
    "summer time begins, zone named": Case(FAILED, "2026-03-29T01:00:00Z", (BERLIN,), named=True),
    "half an hour back": Case(FAILED, "2026-04-04T15:00:00Z", (HOWE,)),
    "half an hour forward": Case(SKEWED, "2025-10-04T15:30:00Z", (HOWE,)),
    "back at a half hour of UTC": Case(SKEWED, "2025-11-02T04:30:00Z", (NEWFOUNDLAND,)),
    "back on one node only": Case(FAILED, "2025-10-26T01:00:00Z", ("Asia/Kathmandu", BERLIN)),
    "New Year": Case(SKEWED, "2025-12-31T23:59:59Z", ("UTC",)),
    "New Year on one node only": Case(FAILED, "2025-12-31T11:00:00Z", ("Pacific/Apia", NEWFOUNDLAND)),
    "leap day": Case(FAILED, "2024-02-29T12:00:00Z", ("Asia/Kathmandu", "Pacific/Apia")),
    "the end of a leap day": Case(SKEWED, "2024-03-01T00:00:00Z", ("UTC", NEWFOUNDLAND)),
}


def _by_line(analysis: Analysis) -> dict[tuple[str, int, str], Event]:
    events = [event for event in analysis.timeline.events if event.at]
    return {(ref.path, ref.line, event.observer): event for event in events for ref in event.refs}


def _logs(name: str) -> Nodes:
    """Text logs of a sample: binary journals cannot be printed anew."""
    return {
        node: {path: data for path, data in files.items() if "/journal/" not in path}
        for node, files in materials(SAMPLES[name]).items()
    }


@cache
def as_recorded(name: str) -> Analysis:
    """The logs as they are, in the archives that the cases use."""
    with TemporaryDirectory() as folder:
        return analyze(packed(Path(folder), _logs(name), RECORDED), Options())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_event_is_at_its_moment(case: Case, tmp_path: Path) -> None:
    """Zones, years and changes of daylight-saving time are found from the logs alone, or from the zone that the host names."""
    expected: dict[str, Any] = SAMPLES[case.sample].expected
    was = Was(2026, expected["cluster"].get("timezone") or "UTC")
    before = as_recorded(case.sample)
    middle = sorted(datetime.fromisoformat(event["time"]) for event in expected["events"])[len(expected["events"]) // 2]
    by = timedelta(seconds=round((datetime.fromisoformat(case.at) - middle).total_seconds()))
    nodes = _logs(case.sample)
    zones = {node: case.zones[index % len(case.zones)] for index, node in enumerate(nodes)}
    last = max(event.at.ns for event in before.timeline.events if event.at)
    end = datetime.fromtimestamp(last // NS + 60, UTC) + by
    after = analyze(packed(tmp_path, moved(nodes, was, by, zones), end, zones if case.named else None), Options())
    old, new = _by_line(before), _by_line(after)
    assert len(old.keys() & new.keys()) > 0.99 * len(old)
    shift = round(by.total_seconds()) * NS
    wrong = {
        place: (event.at.logged, event.type)
        for place, event in new.items()
        if place in old
        and event.at
        and (was_at := old[place].at)
        and abs(event.at.ns - was_at.ns - shift) > TOLERANCE_NS
    }
    assert wrong == {}
    assert verdict(after) == verdict(before)
