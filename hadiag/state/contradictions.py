"""Views that exclude each other, beyond what the clocks leave open (table ``contradiction``).

``overlap_s`` is what is left of the common span once the clocks' errors are taken off; where both views still hold when the logs
end, it is counted until then, and the row has no end.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.state.intervals import end_ns, start_ns
from hadiag.state.reading import at_of, base_name, text
from hadiag.state.stream import placed
from hadiag.state.windows import Spans, Window, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.state.fencing_results import Fenced
    from hadiag.state.given import Given
    from hadiag.state.tracker import Views
    from hadiag.timeline import Timeline

MULTI_ACTIVE = "sched.multi_active"

_FAR = 1 << 62
_RELATED = 600 * NS
_POLL = 35 * NS
"""Corosync waits half a minute for the answer of a quorum device (``quorum.device.sync_timeout``)."""
_PRINTED = 2 * NS
"""What daemons that stamp whole seconds print at one moment may be this far apart."""
_GRACE = 5 * NS
"""A node may log for some seconds after its power-off was asked for; only what is later is a contradiction."""
_STARTING = 60 * NS
"""A fast machine may be up again before its fencing is reported as done: a start this long before counts as the one behind it."""


def contradictions(given: Given, views: Views) -> Iterator[View]:
    """Compare the views of different observers."""
    timeline = given.timeline
    ends = _LogEnds(timeline, views)
    yield from _pairs(
        "two_dcs", [v for v in views.of("dc.view") if v.value["dc"] == v.observer and v.told_by is None], ends
    )
    yield from _two_quorate(ends, views)
    twice = tuple(_active_twice(ends, views))
    yield from twice
    yield from _said_to_be_twice(timeline, views, twice)
    yield from _alive_but_lost(ends, views)
    yield from _fenced_but_logging(timeline, views, given.fenced)


class _LogEnds:
    """When the lines of each node end; an open view holds until then.

    A log that was collected later may lack its last lines. What a node believed then ends where others have it in their ring again.
    """

    def __init__(self, timeline: Timeline, views: Views) -> None:
        self._last: dict[str, int] = {}
        lines: dict[str, int] = {}
        for log in timeline.coverage:
            if log.end_ns is not None:
                self._last[log.node] = max(self._last.get(log.node, -_FAR), log.end_ns)
        for event in timeline.events:
            if event.at is not None:
                lines[event.observer] = max(lines.get(event.observer, -_FAR), event.at.ns)
        for node, line in lines.items():
            self._last[node] = max(self._last.get(node, -_FAR), line)
        for ring in views.of("membership.partition"):
            members = ring.value["members"]
            for node in members if isinstance(members, tuple) else ():
                if node in lines and node != str(ring.observer) and start_ns(ring) > lines[node]:
                    self._last[node] = min(self._last[node], start_ns(ring))

    def of(self, view: View) -> int:
        """End of a view, or of its observer's lines."""
        return view.end.ns if view.end is not None else self._last.get(view.observer, -_FAR)


def _overlap(ends: _LogEnds, one: View, two: View) -> tuple[Instant | None, Instant | None, int] | None:
    """Common span of two views and its length beyond the clocks' error in ns; None where there is surely none."""
    start = max(one, two, key=start_ns).start
    first_end = min(ends.of(one), ends.of(two))
    begin = start.ns if start is not None else start_ns(one)
    errors = [moment.err_ns for moment in (one.start, two.start, one.end, two.end) if moment is not None]
    if any(error is None for error in errors) and one.observer != two.observer:
        return None
    slack = sum(sorted((error or 0 for error in errors), reverse=True)[:2])
    length = first_end - begin - slack
    end = min((one, two), key=end_ns).end
    return (start, end, length) if start is not None and length > 0 else None


def _pairs(what: str, rows: Sequence[View], ends: _LogEnds) -> Iterator[View]:
    for one, two in _meeting(rows):
        if one.observer == two.observer:
            continue
        common = _overlap(ends, one, two)
        if common is not None:
            yield _contradiction(what, one, two, common, (one.observer, two.observer))


def _meeting(rows: Sequence[View]) -> Iterator[tuple[View, View]]:
    """Pairs of views that overlap on the common clock, the earlier one first."""
    running: list[View] = []
    for view in sorted(rows, key=lambda row: (start_ns(row), row.observer)):
        running = [old for old in running if end_ns(old) > start_ns(view)]
        for old in running:
            yield old, view
        running.append(view)


def _contradiction(
    what: str, one: View, two: View, common: tuple[Instant | None, Instant | None, int], nodes: Sequence[str]
) -> View:
    start, end, length = common
    uids = [uid for uid in (one.opened_by, two.opened_by, one.closed_by, two.closed_by) if uid]
    value = {
        "what": what,
        "nodes": tuple(sorted(set(nodes))),
        "resource": str(one.value["resource"]) if "resource" in one.value else None,
        "overlap_s": length / NS,
    }
    opened = max(one, two, key=start_ns).opened_by
    return View("contradiction", two.observer, start, end, value, opened, None, tuple(dict.fromkeys(uids)))


def _two_quorate(ends: _LogEnds, views: Views) -> Iterator[View]:
    """Both quorate, each without the other in its ring."""
    quorate = [view for view in views.of("quorum.view") if view.value["quorate"] is True and view.told_by is None]
    rings = _rings(views)
    for one, two in _meeting(quorate):
        if one.observer == two.observer:
            continue
        for mine in _apart(rings, one, two.observer):
            for theirs in _apart(rings, two, one.observer):
                common = _overlap(ends, mine, theirs)
                if common is not None:
                    yield _contradiction("two_quorate", mine, theirs, common, (one.observer, two.observer))


def _rings(views: Views) -> Mapping[str, Spans]:
    """Partitions of each observer, of which one holds at a time."""
    found: dict[str, list[View]] = {}
    for ring in views.of("membership.partition"):
        found.setdefault(str(ring.observer), []).append(ring)
    return {observer: Spans(rings) for observer, rings in found.items()}


def _apart(rings: Mapping[str, Spans], quorate: View, other: str) -> Iterator[View]:
    """Rings of an observer without another node, as long as it was quorate in them.

    What is only left from the ring before is no quorum of this one: corosync waits for the quorum device before it says so.
    """
    mine = rings.get(str(quorate.observer))
    for ring in mine.meeting(quorate) if mine is not None else ():
        members, begun = ring.value["members"], start_ns(ring)
        left_over = start_ns(quorate) < begun and end_ns(quorate) <= begun + _POLL and end_ns(quorate) < end_ns(ring)
        if isinstance(members, tuple) and other not in members and not left_over:
            start = quorate.start if start_ns(quorate) > begun else ring.start
            end = quorate.end if end_ns(quorate) < end_ns(ring) else ring.end
            yield replace(ring, start=start, end=end)


def _active_twice(ends: _LogEnds, views: Views) -> Iterator[View]:
    """One resource on two nodes; what only a probe found there was never started by this cluster: no split.

    What a snapshot tells holds at its time; how long it went on nobody saw.
    """
    by_resource: dict[str, list[View]] = {}
    for view in views.of("rsc.active"):
        if view.value["fencing_device"] is not True and _single(view) and view.told_by is None:
            by_resource.setdefault(str(view.value["resource"]), []).append(view)
    for _, rows in sorted(by_resource.items()):
        for one, two in _meeting(rows):
            if one.value["node"] == two.value["node"]:
                continue
            common = _overlap(ends, one, two)
            if common is None:
                continue
            found = "probe" in (one.value.get("proof"), two.value.get("proof"))
            what = "found_active" if found else "active_twice"
            yield _contradiction(what, one, two, common, (str(one.value["node"]), str(two.value["node"])))


def _single(view: View) -> bool:
    """A primitive, or the promoted role of a promotable clone."""
    if view.value["promotable"] is True:
        return view.value["role"] == "Promoted"
    return view.value["clone"] is False


def _said_to_be_twice(timeline: Timeline, views: Views, known: Sequence[View]) -> Iterator[View]:
    """What the scheduler itself calls active twice, where the stamps of the results are too coarse to prove it."""
    seen = {(row.value["resource"], row.value["nodes"]) for row in known}
    for event in placed(timeline, MULTI_ACTIVE):
        moment = at_of(event)
        rows = [
            view
            for view in views.of("rsc.active")
            if view.value["resource"] == base_name(text(event, "rsc") or "")
            and view.value["clone"] is not True
            and view.told_by is None
            and start_ns(view) - _PRINTED <= moment.ns <= end_ns(view) + _PRINTED
        ]
        for one, two in combinations(sorted(rows, key=start_ns), 2):
            nodes = tuple(sorted({str(one.value["node"]), str(two.value["node"])}))
            if len(nodes) < 2 or (one.value["resource"], nodes) in seen:
                continue
            seen.add((one.value["resource"], nodes))
            what = "found_active" if "probe" in (one.value.get("proof"), two.value.get("proof")) else "active_twice"
            row = _contradiction(what, one, two, (moment, moment, 0), nodes)
            yield replace(row, observer=event.observer, opened_by=event.uid, evidence=(*row.evidence, event.uid))


def _alive_but_lost(ends: _LogEnds, views: Views) -> Iterator[View]:
    """A node that its peers lost without a word, and that went on with its own ring; of two that lost each other one row."""
    rows: dict[tuple[str, str], list[View]] = {}
    rings, starts = _rings(views), _corosync_starts(views)
    for absent in views.of("node.absent"):
        node, observer = str(absent.value["node"]), str(absent.observer)
        row = _alive(ends, rings, starts, absent) if absent.value["how"] == "unclean" else None
        if row is not None:
            pair = rows.setdefault((min(node, observer), max(node, observer)), [])
            other = next(
                (old for old in pair if start_ns(row) < _end_of(ends, old) and start_ns(old) < _end_of(ends, row)), None
            )
            if other is None:
                pair.append(row)
            else:
                pair[pair.index(other)] = _both(other, row)
    for pair in rows.values():
        yield from pair


def _alive(ends: _LogEnds, rings: Mapping[str, Spans], starts: Mapping[str, Window[int]], absent: View) -> View | None:
    """The stretch in which a node that an observer lost formed rings without it."""
    node, observer = str(absent.value["node"]), str(absent.observer)
    for ring in rings[node].meeting(absent) if absent.start is not None and node in rings else ():
        members = ring.value["members"]
        alone = isinstance(members, tuple) and observer not in members
        common = _overlap(ends, absent, ring) if alone else None
        begun = starts[node].between(start_ns(absent), start_ns(ring)) if node in starts else ()
        if common is not None and not begun:
            return _contradiction("alive_but_lost", absent, ring, common, (observer, node))
    return None


def _end_of(ends: _LogEnds, row: View) -> int:
    return max(ends.of(row), start_ns(row) + 1)


def _both(one: View, two: View) -> View:
    """Two nodes that each called the other lost: the longer of the two stretches, with the lines of both."""
    longer, other = (two, one) if _length(two) > _length(one) else (one, two)
    uids = (*longer.evidence, *([other.opened_by] if other.opened_by else ()), *other.evidence)
    return replace(longer, evidence=tuple(dict.fromkeys(uids)))


def _length(row: View) -> float:
    value = row.value["overlap_s"]
    return value if isinstance(value, float) else 0.0


def _fenced_but_logging(timeline: Timeline, views: Views, fenced: Sequence[Fenced]) -> Iterator[View]:
    """Lines of a node after the confirmation that it is off, with no start in between.

    Its logs must begin before that: where they begin later, the start that they would tell of may have been before them.
    """
    lines: dict[str, Window[Event]] = {}
    for target in {done.target for done in fenced}:
        mine = [event for event in timeline.events if event.observer == target and event.at is not None]
        lines[target] = Window(mine, key=lambda event: at_of(event).ns)
    for done in fenced:
        late = lines[done.target].after(done.at.ns + _GRACE, 1)
        if not late or done.at.before(at_of(late[0])) is not Tri.TRUE:
            continue
        if not lines[done.target].before(done.at.ns - _STARTING, 1):
            continue
        moment = at_of(late[0]).ns
        if moment - done.at.ns > _RELATED or _restarted(timeline, views, done.target, done.at.ns, moment):
            continue
        last = _last_of_life(timeline, lines[done.target], done.target, moment)
        end = at_of(last)
        overlap = max(0, end.ns - done.at.ns - (end.err_ns or 0) - (done.at.err_ns or 0)) / NS
        value = {"what": "fenced_but_logging", "nodes": (done.target,), "resource": None, "overlap_s": overlap}
        uids = tuple(dict.fromkeys((late[0].uid, last.uid)))
        yield View("contradiction", Node(done.target), done.at, end, value, done.uid, None, uids)


def _last_of_life(timeline: Timeline, lines: Window[Event], node: str, ns: int) -> Event:
    """The last line of a node before it fell silent, or within the time in which its lines are still about its fencing."""
    silent = [gap.start_ns for gap in timeline.silences.get(Node(node), ()) if gap.start_ns >= ns]
    return lines.between(ns, min([*silent, ns + _RELATED]))[-1]


def _corosync_starts(views: Views) -> Mapping[str, Window[int]]:
    """When the corosync of each node was started."""
    lives = (view for view in views.of("daemon.life") if view.value["daemon"] == "corosync")
    return windows(((str(view.observer), start_ns(view)) for view in lives), key=int)


def _restarted(timeline: Timeline, views: Views, node: str, fenced_ns: int, line_ns: int) -> bool:
    """Whether a silence, a boot or a start of the cluster software lies between the fencing and the line."""
    for silence in timeline.silences.get(Node(node), ()):
        if silence.start_ns <= line_ns and silence.end_ns is not None and silence.end_ns >= fenced_ns - _STARTING:
            return True
    for view in views.of("daemon.life"):
        begun = view.start.ns if view.start is not None else None
        if str(view.value["node"]) == node and begun is not None and fenced_ns - _STARTING <= begun <= line_ns + NS:
            return True
    return False
