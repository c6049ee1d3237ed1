"""Several rows together: counts, distinct values, quantifiers over members, intervals at the same time."""

from pathlib import Path

import pytest

from tests.unit.rulelang.packs import load, rule
from tests.unit.rulelang.test_matching import findings, truth

FLAPS = "d: {event: knet.link.down, count: '>=3', within: 60s}"


@pytest.mark.parametrize(
    ("times", "counts"),
    [
        ((0, 30), []),
        ((0, 30, 60), [3]),
        ((0, 30, 61), []),
        ((0, 10, 20, 70, 75), [5]),
        ((0, 10, 20, 500, 510, 520, 525), [3, 4]),
    ],
)
def test_sliding_windows(tmp_path: Path, times: tuple[int, ...], counts: list[int]) -> None:
    """Enough in some window; windows that overlap are one burst."""
    events = "\n".join(f"+{second}s n1 knet.link.down peer=n2 link=0" for second in times)
    found = findings(load(tmp_path, rule(FLAPS, "merge: 1s", title="{d.count}")), events)
    assert [int(finding.title) for finding in found] == counts


def test_counted_rows_share_their_identity(tmp_path: Path) -> None:
    """Fields in ``per`` and ``same`` are counted apart."""
    events = "+0s n1 knet.link.down peer=n2 link=0\n+1s n1 knet.link.down peer=n2 link=1\n+2s n1 knet.link.down peer=n2 link=0"
    assert truth(tmp_path, FLAPS, events) == ["TRUE"]
    assert truth(tmp_path, FLAPS, events, "per: [d.link]") == []
    assert truth(tmp_path, FLAPS.replace("{event", "{same: [link], event"), events) == []


def test_counts_after_an_anchor(tmp_path: Path) -> None:
    """With a time word the window is that of the anchor."""
    match = "p: {event: a}\nd: {event: knet.link.down, after: p, within: 60s, count: '>=2'}"
    downs = "\n+70s n1 knet.link.down peer=n2 link=0"
    assert truth(tmp_path, match, "+0s n1 a\n+5s n1 knet.link.down peer=n2 link=0" + downs) == []
    assert truth(tmp_path, match, "+20s n1 a\n+25s n1 knet.link.down peer=n2 link=0" + downs) == ["TRUE"]


def test_a_link_down_to_all_peers(tmp_path: Path) -> None:
    """``distinct: all`` means all other members of the cluster."""
    match = "d: {event: knet.link.down, same: [observer, link], within: 5s, distinct: {peer: all}}"
    events = "members n1 n2 n3\n+0s n1 knet.link.down peer=n2 link=0\n"
    assert truth(tmp_path, match, events + "+1s n1 knet.link.down peer=n3 link=0") == ["TRUE"]
    assert truth(tmp_path, match, events + "+1s n1 knet.link.down peer=n3 link=1") == []
    assert truth(tmp_path, match, events + "+9s n1 knet.link.down peer=n3 link=0") == []


def test_distinct_values_have_a_bound(tmp_path: Path) -> None:
    """The same resource failing twice is not two resources failing."""
    match = (
        "f: {event: pcmk.op.result, where: {status: timeout}, same: [node], within: 30s, distinct: {resource: '>=2'}}"
    )
    first = "+0s n1 pcmk.op.result resource=a node=n1 op=monitor status=timeout\n"
    assert truth(tmp_path, match, first + first.replace("+0s", "+9s")) == []
    assert truth(tmp_path, match, first + first.replace("+0s", "+9s").replace("=a", "=b")) == ["TRUE"]


LOST = "q: {event: quorum.changed, where: {quorate: false}, nodes: %s, within: 60s}"
ONE = "members n1 n2 n3\n+0s n1 quorum.changed quorate=false\n"
TWO = ONE + "+5s n2 quorum.changed quorate=false\n"
COVERED = "-1s n3 log.start\n+90s n3 log.end\n-1s n2 log.start\n+90s n2 log.end\n"


@pytest.mark.parametrize(
    ("quantifier", "events", "expected"),
    [
        ("all", TWO, ["UNKNOWN"]),
        ("all", TWO + COVERED, []),
        ("all", TWO + "+6s n3 quorum.changed quorate=false", ["TRUE"]),
        ("majority", TWO, ["TRUE"]),
        ("majority", ONE, ["UNKNOWN"]),
        ("majority", ONE + COVERED, []),
        ("any", ONE, ["TRUE"]),
        ("'>=2'", TWO, ["TRUE"]),
        ("'>=3'", TWO, ["UNKNOWN"]),
        ("'>=3'", TWO + COVERED, []),
        ("all", TWO + "+90s n3 log.end\nsilent n3 +0s..", ["UNKNOWN"]),
        ("all", TWO + "state node.absent n1 -1h.. node=n3 how=orderly", ["TRUE"]),
    ],
)
def test_quantifiers_over_members(tmp_path: Path, quantifier: str, events: str, expected: list[str]) -> None:
    """A member that does not say so counts as no only if its log would show it; who had left long before is no member."""
    assert truth(tmp_path, LOST % quantifier, events) == expected


def test_who_is_silent_is_named(tmp_path: Path) -> None:
    """The open quantifier names the members whose logs are missing."""
    found = findings(load(tmp_path, rule(LOST % "all")), TWO)[0]
    assert [(row.step, row.nodes) for row in found.unproven] == [("q", ("n3",))]


ACTIVE = "act: {state: rsc.active, where: {clone: false}, concurrent: {distinct: node, at_least: 2}}"
LOGS = "+0s n1 log.start\n+100s n1 log.end\n+0s n2 log.start\n+100s n2 log.end\n"


def active(node: str, span: str, resource: str = "ip") -> str:
    """A resource that is active on a node."""
    return f"state rsc.active {node} {span} resource={resource} node={node} clone=false\n"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (active("n1", "+0s..+50s") + active("n2", "+30s..+90s"), ["TRUE"]),
        (active("n1", "+0s..+50s") + active("n2", "+30s.."), ["TRUE"]),
        (active("n1", "..+50s") + active("n2", "..+90s"), ["TRUE"]),
        (active("n1", "+0s..+30s") + active("n2", "+30s..+90s"), []),
        (active("n1", "+0s..+30s") + active("n2", "+31s..+90s"), []),
        (active("n1", "+0s..+50s") + active("n1", "+30s..+90s"), []),
        ("clock n2 err=5s\n" + active("n1", "+0s..+30s") + active("n2", "+28s..+90s"), ["UNKNOWN"]),
        ("clock n2 err=5s\n" + active("n1", "+0s..+30s") + active("n2", "+20s..+90s"), ["TRUE"]),
        ("clock n2 unknown\n" + active("n1", "+0s..+30s") + active("n2", "+20s..+90s"), ["UNKNOWN"]),
        ("clock n2 err=5s\n" + active("n1", "+0s..+30s") + active("n2", "+32s..+90s"), []),
        (active("n1", "+0s..+50s") + active("n2", "+30s..+90s", "db"), []),
    ],
)
def test_active_twice(tmp_path: Path, events: str, expected: list[str]) -> None:
    """Beyond clock error it is certain, within it open; an ordinary fail-over is nothing."""
    assert truth(tmp_path, ACTIVE, LOGS + events, "per: [act.resource]") == expected


def test_an_overlap_has_a_length(tmp_path: Path) -> None:
    """The finding spans the overlap and tells its length; ``for`` asks for a least one."""
    events = LOGS + active("n1", "+0s..+50s") + active("n2", "+30s..")
    found = findings(load(tmp_path, rule(ACTIVE, "per: [act.resource]", title="{act.nodes}: {act.overlap}")), events)[0]
    assert found.title == "n1 and n2: 20 s"
    assert found.start is not None
    assert found.end is not None
    assert found.end.ns - found.start.ns == 20 * 10**9
    longer = ACTIVE.replace("at_least: 2", "at_least: 2, for: 21s")
    assert truth(tmp_path, longer, events, "per: [act.resource]") == []


def test_identity_may_name_what_differs(tmp_path: Path) -> None:
    """``per`` with the nodes of an overlap, or with the observers of a quantifier, does not take the group apart."""
    events = LOGS + active("n1", "+0s..+50s") + active("n2", "+30s..+90s")
    for per in ("[act.nodes]", "[act.node]", "[act.observers, act.resource]"):
        assert truth(tmp_path, ACTIVE, events, f"per: {per}") == ["TRUE"]
    both = "+0s n1 quorum.changed quorate=false\n+5s n2 quorum.changed quorate=false"
    assert truth(tmp_path, LOST % "all", both, "per: [q.observer]") == ["TRUE"]


def test_an_open_state_is_known_until_the_log_of_its_observer_ends(tmp_path: Path) -> None:
    """A node whose log stopped does not hold its resources for ever."""
    logs = "+0s n1 log.start\n+10s n1 log.end\n+0s n2 log.start\n+100s n2 log.end\n"
    assert truth(tmp_path, ACTIVE, logs + active("n1", "+0s..") + active("n2", "+30s.."), "per: [act.resource]") == []


def test_three_at_once(tmp_path: Path) -> None:
    """``at_least`` counts values that hold at one moment, not in a chain."""
    match = ACTIVE.replace("at_least: 2", "at_least: 3")
    logs = LOGS + "+0s n3 log.start\n+100s n3 log.end\n"
    together = active("n1", "+0s..+50s") + active("n2", "+10s..+60s") + active("n3", "+20s..+70s")
    chain = active("n1", "+0s..+30s") + active("n2", "+20s..+60s") + active("n3", "+50s..+90s")
    assert truth(tmp_path, match, logs + together, "per: [act.resource]") == ["TRUE"]
    assert truth(tmp_path, match, logs + chain, "per: [act.resource]") == []


SPLIT = "ring: {state: membership.partition, concurrent: {distinct: members, excludes: members}}"


def ring(node: str, span: str, members: str) -> str:
    """A ring as an observer saw it."""
    return f"state membership.partition {node} {span} members={members}\n"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (ring("n1", "+0s..+90s", "n1") + ring("n2", "+2s..+90s", "n2"), ["TRUE"]),
        (ring("n1", "+0s..+90s", "n1,n3") + ring("n2", "+2s..+90s", "n2,n3"), ["TRUE"]),
        (ring("n1", "+0s..+90s", "n1,n2") + ring("n2", "+2s..+90s", "n1,n2,n3"), []),
        (ring("n1", "+0s..+90s", "n1") + ring("n2", "+2s..+90s", "n1,n2"), []),
    ],
)
def test_rings_that_exclude_each_other(tmp_path: Path, events: str, expected: list[str]) -> None:
    """A partition is two observers, each alive, whose rings lack the other; different rings alone are none."""
    assert truth(tmp_path, SPLIT, LOGS + events) == expected


def test_folded_repetitions_count(tmp_path: Path) -> None:
    """A storm that was folded to one row still has its size."""
    from dataclasses import replace

    from hadiag.model.event import Folded
    from hadiag.rulelang import evaluate
    from hadiag.rulelang.inline import build_timeline, read_situation
    from hadiag.state import Views
    from hadiag.timeline import Timeline
    from hadiag.timeline.shifts import Shifts
    from tests.unit.rulelang.packs import EVENTS

    situation = read_situation("2026-01-05T12:00:00Z", EVENTS.types, events="+0s n1 knet.link.down peer=n2 link=0")
    plain = build_timeline(situation)
    storm = tuple(replace(event, folded=Folded(5, event.at)) for event in plain.events)
    folded = Timeline(storm, (plain._who, plain.nodes), plain._covered, ({}, Shifts(())), ())
    rules = load(tmp_path, rule(FLAPS))
    assert len(evaluate(rules, plain, Views(()), ()).findings) == 0
    assert len(evaluate(rules, folded, Views(()), ()).findings) == 1
