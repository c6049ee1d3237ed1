"""A recorded incident on a node whose zone somebody changes while it runs, or whose clock is slewed: each event stays at its moment.

Epochs that the daemons print are left alone by a new zone, and go along with the clock when that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from hadiag.model.entity import IncidentKind
from hadiag.model.event import Event
from hadiag.model.time import NS
from hadiag.pipeline import Analysis, Options, analyze
from tests.corpus.test_bundles import SAMPLES, verdict
from tests.property import rerender
from tests.property.test_wall_clocks import _by_line, _logs, as_recorded

SKEWED, FAILED = "11-partition-clock-skew", "07-monitor-failure"


class Move(NamedTuple):
    """A sample, its node (by number), the share of its log after which the zone is another, and that zone."""

    sample: str
    node: int
    share: float
    zone: str


MOVES = {
    "the DC to the east": Move(FAILED, 1, 0.5, "Asia/Kolkata"),
    "the DC to the west, hours shown twice": Move(FAILED, 1, 0.5, "America/New_York"),
    "the DC by an hour": Move(FAILED, 1, 0.5, "UTC"),
    "a skewed DC by a quarter": Move(SKEWED, 0, 0.6, "Asia/Kathmandu"),
    "a node without strong epochs": Move(FAILED, 0, 0.5, "Asia/Kolkata"),
    "a node without strong epochs to the west": Move(FAILED, 0, 0.5, "America/New_York"),
}


def _analyzed(sample: str, node: int, share: float, change: Callable[[datetime], datetime], folder: Path) -> Analysis:
    """The logs of a sample, those of one node printed otherwise behind a share of their span."""
    was = rerender.Was(2026, SAMPLES[sample].expected["cluster"].get("timezone") or "UTC")
    nodes = _logs(sample)
    name = list(nodes)[node]
    mine = [event.at.ns for event in as_recorded(sample).timeline.events if event.at and event.observer == name]
    cut = mine[0] + round((mine[-1] - mine[0]) * share)
    printed = {
        path: rerender.changed(data, was, cut, change, spaced=path.endswith(("syslog", "messages", "auth.log")))
        if path.startswith("var/log/")
        else data
        for path, data in nodes[name].items()
    }
    end = datetime.fromtimestamp(mine[-1] // NS + 60, UTC)
    return analyze(rerender.packed(folder, {**nodes, name: printed}, end), Options())


def _apart(sample: str, after: Analysis) -> list[tuple[str, float]]:
    old, new = _by_line(as_recorded(sample)), _by_line(after)
    assert len(old.keys() & new.keys()) > 0.98 * len(old)
    return [(place[0], _seconds(old[place], event)) for place, event in new.items() if place in old]


def _seconds(old: Event, new: Event) -> float:
    assert old.at is not None
    assert new.at is not None
    return (new.at.ns - old.at.ns) / NS


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_zone_that_was_changed_while_the_node_ran(move: Move, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The stamps jump by hours, and neither the events nor the verdict do."""
    after = _analyzed(move.sample, move.node, move.share, lambda at: at.astimezone(ZoneInfo(move.zone)), tmp_path)
    assert {path for path, apart in _apart(move.sample, after) if abs(apart) > 2} == set()
    before, now = verdict(as_recorded(move.sample)), verdict(after)
    if "without" in request.node.callspec.id:
        # no epoch stands before the jump: it may as well be the clock that somebody set, and the verdict says that either may be
        now["kinds"] = [kind for kind in now["kinds"] if kind != IncidentKind.CLOCK_STEP]
        now["causes"] = [cause for cause in now["causes"] if cause[0] != "time.clock-or-zone"]
    assert set(now.pop("kinds")) == set(before.pop("kinds"))
    assert now == before


def test_the_new_zone_is_told_as_such_and_not_as_a_step(tmp_path: Path) -> None:
    """The result has two offsets of the node, the moment of the change, and no step of its clock."""
    move = MOVES["the DC to the east"]
    after = _analyzed(move.sample, move.node, move.share, lambda at: at.astimezone(ZoneInfo(move.zone)), tmp_path)
    name = list(_logs(move.sample))[move.node]
    clock = next(clock for node, clock in after.timeline.clocks.items() if node == name)
    assert [span.utc_offset_s for span in clock.offsets] == [3600, 19800]
    assert clock.steps == ()


def test_a_clock_that_is_slewed_is_no_step(tmp_path: Path) -> None:
    """A second in a few minutes moves no event by more than that second, and changes nothing else."""
    sample, node = SKEWED, 1
    name = list(_logs(sample))[node]
    mine = [event.at.ns for event in as_recorded(sample).timeline.events if event.at and event.observer == name]
    begin, length = mine[0] / NS, (mine[-1] - mine[0]) / NS
    zone = ZoneInfo(SAMPLES[sample].expected["cluster"].get("timezone") or "UTC")

    def slewed(at: datetime) -> datetime:
        done = min(max((at.timestamp() - begin) / length, 0.0), 1.0)
        return (at + timedelta(seconds=done)).astimezone(zone)

    after = _analyzed(sample, node, 0.0, slewed, tmp_path)
    assert max(abs(apart) for _, apart in _apart(sample, after)) < 1.1
    clock = next(clock for other, clock in after.timeline.clocks.items() if other == name)
    assert clock.steps == ()
    assert verdict(after) == verdict(as_recorded(sample))
