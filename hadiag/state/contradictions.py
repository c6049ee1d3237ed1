"""Views that exclude each other, beyond what the clocks leave open (table ``contradiction``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.state.fencing_results import fenced_nodes
from hadiag.state.intervals import end_ns, start_ns
from hadiag.state.reading import at_of
from hadiag.state.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.state.tracker import Views
    from hadiag.timeline import Timeline

_FAR = 1 << 62
_RELATED = 600 * NS
_GRACE = 5 * NS
"""A node may log for some seconds after its power-off was asked for; only what is later is a contradiction."""
_STARTING = 60 * NS
"""A fast machine may be up again before its fencing is reported as done: a start this long before counts as the one behind it."""


def contradictions(timeline: Timeline, views: Views) -> Iterator[View]:
    """Compare the views of different observers."""
    ends = _LogEnds(timeline)
    yield from _pairs(
        "two_dcs", [v for v in views.of("dc.view") if v.value["dc"] == v.observer and v.told_by is None], ends
    )
    yield from _two_quorate(ends, views)
    yield from _active_twice(ends, views)
    yield from _alive_but_lost(ends, views)
    yield from _fenced_but_logging(timeline, views)


class _LogEnds:
    """When the lines of each node end; an open view holds until then."""

    def __init__(self, timeline: Timeline) -> None:
        self._last: dict[str, int] = {}
        for log in timeline.coverage:
            if log.end_ns is not None:
                self._last[log.node] = max(self._last.get(log.node, -_FAR), log.end_ns)
        for event in timeline.events:
            if event.at is not None:
                self._last[event.observer] = max(self._last.get(event.observer, -_FAR), event.at.ns)

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
        "overlap_s": length / NS if end is not None else None,
    }
    opened = max(one, two, key=start_ns).opened_by
    return View("contradiction", two.observer, start, end, value, opened, None, tuple(dict.fromkeys(uids)))


def _two_quorate(ends: _LogEnds, views: Views) -> Iterator[View]:
    """Both quorate, each without the other in its ring."""
    quorate = [view for view in views.of("quorum.view") if view.value["quorate"] is True and view.told_by is None]
    rings = views.of("membership.partition")
    for one, two in _meeting(quorate):
        if one.observer == two.observer:
            continue
        for mine in _apart(rings, one, two.observer):
            for theirs in _apart(rings, two, one.observer):
                common = _overlap(ends, mine, theirs)
                within = (
                    common is not None
                    and common[0] is not None
                    and _holds(one, common[0].ns)
                    and _holds(two, common[0].ns)
                )
                if common is not None and within:
                    yield _contradiction("two_quorate", mine, theirs, common, (one.observer, two.observer))


def _holds(view: View, ns: int) -> bool:
    return start_ns(view) <= ns <= end_ns(view)


def _apart(rings: Sequence[View], quorate: View, other: str) -> Iterator[View]:
    for ring in rings:
        members = ring.value["members"]
        alone = ring.observer == quorate.observer and isinstance(members, tuple) and other not in members
        if alone and start_ns(ring) < end_ns(quorate) and end_ns(ring) > start_ns(quorate):
            yield ring


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


def _alive_but_lost(ends: _LogEnds, views: Views) -> Iterator[View]:
    """A node that its peers lost without a word, and that went on with its own ring."""
    for absent in views.of("node.absent"):
        node = str(absent.value["node"])
        if absent.value["how"] != "unclean" or absent.start is None:
            continue
        for ring in views.of("membership.partition"):
            members = ring.value["members"]
            alone = isinstance(members, tuple) and str(absent.observer) not in members
            common = _overlap(ends, absent, ring) if str(ring.observer) == node and alone else None
            if common is not None and not _begun(views, node, absent.start.ns, start_ns(ring)):
                yield _contradiction("alive_but_lost", absent, ring, common, (str(absent.observer), node))
                break


def _fenced_but_logging(timeline: Timeline, views: Views) -> Iterator[View]:
    """Lines of a node after the confirmation that it is off, with no start in between.

    Its logs must begin before that: where they begin later, the start that they would tell of may have been before them.
    """
    fenced = fenced_nodes(timeline)
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
        value = {"what": "fenced_but_logging", "nodes": (done.target,), "resource": None, "overlap_s": None}
        yield View("contradiction", Node(done.target), done.at, None, value, done.uid, None, (late[0].uid,))


def _begun(views: Views, node: str, low: int, high: int) -> bool:
    """Whether the corosync of a node was started in a span."""
    return any(
        view.value["daemon"] == "corosync" and str(view.observer) == node and low <= start_ns(view) <= high
        for view in views.of("daemon.life")
    )


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
