"""Properties of the timeline that hold for any clocks and any logs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hadiag.model.time import NS, TimeBasis
from hadiag.model.tri import Tri
from hadiag.timeline.files import in_year
from hadiag.timeline.zones import from_zone
from tests.unit.timeline.builders import Log, bsd, members, timeline, utc

START = utc("10:00:00")
ZONES = st.sampled_from([-36000, -16200, 0, 3600, 19800, 20700, 46800])
TIMES = st.lists(st.integers(0, 3600_000), min_size=3, max_size=25, unique=True).map(sorted)


@settings(max_examples=40, deadline=None)
@given(times=TIMES, zone=ZONES, skew=st.floats(-250, 250), fine=st.booleans())
def test_truth_lies_inside_the_stated_error(times: list[int], zone: int, skew: float, fine: bool) -> None:
    """Whatever zone and clock a node has, aligned events are within their error of the truth (a's clock is true)."""
    a = Log("a", "a/pacemaker.log")
    b = Log("b", "b/pacemaker.log", style="ms" if fine else "s", zone_s=zone, skew_s=skew)
    truth = {}
    a.graph("09:59:00")
    b.graph("09:59:00")
    for number, at in enumerate(times):
        ns = START + at * 1_000_000
        for log in (a, b):
            raw = log.ring(ns, f"1.{number:x}", joined="1 2")
            truth[raw.ref.uid] = ns
    line = timeline([a, b], members("a", "b"))
    reference = next(node for node, clock in line.clocks.items() if clock.is_reference)
    shift = 0 if reference == "a" else round(skew * NS)
    for event in line.of("corosync.totem.new_membership"):
        assert event.at
        assert event.at.err_ns is not None
        assert abs(event.at.ns - truth[event.uid] - shift) <= event.at.err_ns


@settings(max_examples=40, deadline=None)
@given(times=TIMES, skew=st.floats(-100, 100))
def test_order_is_never_wrong(times: list[int], skew: float) -> None:
    """What is said to be certainly before is before, and the two directions never contradict each other."""
    a, b = Log("a", "a/pacemaker.log"), Log("b", "b/pacemaker.log", skew_s=skew)
    truth = {}
    for log in (a, b):
        log.graph("09:59:00")
        for number in range(4):
            log.ring(START - (60 - number) * NS, f"1.{number}", joined="1 2")
    for number, at in enumerate(times):
        raw = (a, b)[number % 2].add(START + at * 1_000_000, "pcmk.node.state", str(number), node="c", state="lost")
        truth[raw.ref.uid] = at
    line = timeline([a, b], members("a", "b"))
    events = line.of("pcmk.node.state")
    for one in events:
        for two in events:
            said = line.order(one, two)
            if said is Tri.TRUE:
                assert truth[one.uid] < truth[two.uid]
                assert line.order(two, one) is Tri.FALSE


@settings(max_examples=40, deadline=None)
@given(
    times=st.lists(st.integers(0, 20_000), min_size=1, max_size=30).map(sorted),
    kept=st.sets(st.integers(0, 29)),
    late=st.integers(0, 900),
)
def test_copies_are_never_lost_nor_doubled(times: list[int], kept: set[int], late: int) -> None:
    """Every line is in exactly one event, and no event has two lines of one file."""
    detail, system = Log("a", "a/pacemaker.log"), Log("a", "a/messages", "system", style="s")
    detail.graph("09:59:00")
    for number, at in enumerate(times):
        ns = START + at * 1_000_000
        detail.add(ns, "pcmk.node.state", "the same", node="b", state="lost")
        if number in kept:
            system.add(ns + late * 1_000_000, "pcmk.node.state", "the same", node="b", state="lost")
    events = timeline([detail, system]).events
    refs = [ref for event in events for ref in event.refs]
    assert sorted(ref.uid for ref in refs) == sorted(raw.ref.uid for raw in (*detail.raws, *system.raws))
    for event in events:
        assert len({ref.path for ref in event.refs}) == len(event.refs)


@given(ns=st.integers(utc("2001-01-01T00:00:00Z") // NS, utc("2099-12-31T00:00:00Z") // NS))
def test_stamps_without_year_come_back(ns: int) -> None:
    """A stamp in the placeholder year, moved into its year, is the time that was printed."""
    moment = ns * NS
    year = 1970 + (moment // NS) // 31_556_952
    assert moment in {in_year(bsd(moment).wall_ns, year + shift) for shift in (-1, 0, 1)}


@given(ns=st.integers(utc("2026-01-02T00:00:00Z") // NS, utc("2026-12-30T00:00:00Z") // NS))
def test_wall_times_of_a_zone_come_back(ns: int) -> None:
    """Every time of a year with daylight-saving time is one of the two readings of its wall time."""
    plan = from_zone("Europe/Berlin", utc("2026-01-01T00:00:00Z"), utc("2026-12-31T00:00:00Z"), TimeBasis.SNAPSHOT)
    assert plan is not None
    moment = ns * NS
    offset = next(offset for start, offset in reversed(plan.segments) if start is None or moment >= start)
    wall = moment + offset
    assert moment in {plan.to_utc(wall), plan.to_utc(wall, later=True)}
