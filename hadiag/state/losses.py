"""What is known of each loss of a node: the testimony of those who lost it, and of the node itself.

Two tables over the views of the other trackers. ``node.loss`` has one row for each episode in which a node was out of the membership of
others, with what tells the look-alikes apart: did the node see *them* leave at the same time (then it was alive, and cut off), was it
silent before anybody fenced it (then it was dead or hung), had fencing begun before (then the loss is its consequence), did it report
a pause. ``membership.split`` has one row for each partition: nodes that were each alive and excluded each other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from hadiag.model.entity import Node, NodeRole, Scalar
from hadiag.model.event import Event
from hadiag.model.frozen import record
from hadiag.model.time import NS, Instant
from hadiag.model.tri import Tri
from hadiag.model.view import View
from hadiag.state.given import Given
from hadiag.state.intervals import end_ns, start_ns
from hadiag.state.pauses import PAUSES
from hadiag.state.reading import moment_of
from hadiag.state.tracker import Views
from hadiag.state.windows import Window, windows
from hadiag.timeline import Timeline
from hadiag.timeline.known import COROSYNC_START

T = TypeVar("T")

EPISODE_NS = 30 * NS
"""Absences of one node that begin within this time of each other are one episode; a consensus takes seconds, not minutes."""

LAST_WORDS_NS = 15 * NS
"""A node cut off prints its own token loss and ring within token and consensus time after the others do."""

_LOSS_REASONS = ("no longer part of the cluster", "no longer available", "not been seen", "membership", "pending")


@record
class _Episode:
    node: str
    absences: tuple[View, ...]

    @property
    def start(self) -> Instant:
        first = min(self.absences, key=start_ns).start
        assert first is not None  # noqa: S101 - episodes are made of absences with a start
        return first

    @property
    def end_ns(self) -> int:
        return max(end_ns(view) for view in self.absences)

    @property
    def end(self) -> Instant | None:
        ends = [view.end for view in self.absences]
        return None if None in ends else max((e for e in ends if e is not None), key=lambda e: e.ns)

    @property
    def witnesses(self) -> tuple[str, ...]:
        return tuple(sorted({view.observer for view in self.absences}))

    @property
    def how(self) -> str:
        said = {str(view.value.get("how")) for view in self.absences}
        return next((how for how in ("unclean", "orderly") if how in said), "unknown")

    @property
    def evidence(self) -> tuple[str, ...]:
        uids = [uid for view in self.absences for uid in (view.opened_by, *view.evidence) if uid]
        return tuple(dict.fromkeys(uids))


def losses(given: Given, views: Views) -> Iterator[View]:
    """Yield ``node.loss`` and ``membership.split`` from the tables that the trackers made."""
    known = _Known(given, views)
    for episode in known.episodes:
        yield _loss(episode, known)
    yield from _splits(known)


@dataclass(frozen=True)
class _Known:
    """What losses are judged by, by node and in order of time."""

    given: Given
    views: Views

    @property
    def timeline(self) -> Timeline:
        return self.given.timeline

    @cached_property
    def episodes(self) -> tuple[_Episode, ...]:
        return _episodes(self.views)

    @cached_property
    def by_node(self) -> Mapping[str, Window[_Episode]]:
        return windows(((episode.node, episode) for episode in self.episodes), key=_begin)

    @cached_property
    def words(self) -> Mapping[str, Window[Event]]:
        """Lines of each node's corosync that tell that it missed others, and its starts."""
        types = ("knet.link.down", "knet.host.no_links", "corosync.totem.token_lost", *COROSYNC_START)
        return _by_observer(self.given.placed(*types))

    @cached_property
    def pauses(self) -> Mapping[str, Window[Event]]:
        return _by_observer(self.given.placed(*PAUSES))

    @cached_property
    def cluster_lost(self) -> Mapping[str, Window[Event]]:
        return _by_observer(self.given.placed("pcmk.cluster.lost"))

    @cached_property
    def daemon_ends(self) -> Mapping[str, Window[View]]:
        ended = [view for view in self.views.of("daemon.end") if view.value["daemon"] == "corosync"]
        return windows(((str(view.observer), view) for view in ended), key=start_ns)

    @cached_property
    def links(self) -> Mapping[str, Window[View]]:
        """Links that each node saw go down."""
        down = [view for view in self.views.of("link.state") if view.value.get("state") == "down" and view.start]
        return windows(((str(view.observer), view) for view in down), key=start_ns)

    @cached_property
    def shots(self) -> Mapping[str, Window[View]]:
        """Fencing operations against each node."""
        power = [
            view
            for view in self.views.of("fencing.operation")
            if view.value.get("action") in {"off", "reboot"} and view.start is not None
        ]
        return windows(((str(view.value.get("target")), view) for view in power), key=start_ns)


def _between(windows: Mapping[str, Window[T]], node: str, low: int, high: int) -> Sequence[T]:
    return windows[node].between(low, high) if node in windows else ()


def _by_observer(events: Iterable[Event]) -> Mapping[str, Window[Event]]:
    return windows(((str(event.observer), event) for event in events), key=moment_of)


def _begin(episode: _Episode) -> int:
    return episode.start.ns


def _episodes(views: Views) -> tuple[_Episode, ...]:
    by_node: dict[str, list[View]] = {}
    for view in views.of("node.absent"):
        if view.start is not None and view.observer != view.value["node"]:
            by_node.setdefault(str(view.value["node"]), []).append(view)
    found = []
    for node, absences in sorted(by_node.items()):
        group: list[View] = []
        for view in sorted(absences, key=start_ns):
            if group and start_ns(view) - start_ns(group[0]) > EPISODE_NS:
                found.append(_Episode(node, tuple(group)))
                group = []
            group.append(view)
        found.append(_Episode(node, tuple(group)))
    return tuple(sorted(found, key=lambda episode: (episode.start.ns, episode.node)))


def _loss(episode: _Episode, known: _Known) -> View:
    node, timeline = Node(episode.node), known.timeline
    provided = any(identity.name == node and identity.provided for identity in timeline.nodes)
    pauses = _pauses(episode, known)
    saw = _saw_leave(episode, known)
    testimony = () if pauses else _testimony(episode, known)
    operation = _fencing(episode, known)
    silence = _silence(episode, timeline, operation)
    gone = _corosync_gone(episode, known)
    own_links = _links(known, node, episode, set(episode.witnesses))
    peer_links = tuple(uid for w in episode.witnesses for uid in _links(known, w, episode, {episode.node}))
    value: dict[str, Scalar] = {
        "node": episode.node,
        "witnesses": episode.witnesses,
        "how": episode.how,
        "provided": provided,
        "alive": True if (saw or testimony) and not pauses else None,
        "paused": bool(pauses),
        "silent": silence is not None and not saw and not testimony and not gone,
        "silent_from_s": None if silence is None else round((episode.start.ns - silence) / NS, 3),
        "missed_s": _missed_s(episode, known),
        "fenced_before": _fenced_before(episode, operation),
        "fenced": operation is not None and operation.value.get("result") == "ok",
        "fence_reason": operation.value.get("reason") if operation else None,
        "links_down_here": bool(own_links),
        "links_down_there": bool(peer_links),
        "only_corosync_silent": not gone and _others_spoke(episode, timeline, silence),
        "corosync_gone": bool(gone),
        "mutual": tuple(sorted({str(other.node) for other in saw})),
    }
    evidence = (
        *episode.evidence,
        *testimony,
        *peer_links,
        *own_links,
        *pauses,
        *gone,
        *(uid for other in saw for uid in other.evidence),
    )
    opened = min(episode.absences, key=start_ns)
    rest = tuple(dict.fromkeys(uid for uid in evidence if uid != opened.opened_by))
    return View(
        "node.loss", opened.observer, episode.start, episode.end, value, opened.opened_by, opened.closed_by, rest
    )


def _missed_s(episode: _Episode, known: _Known) -> float | None:
    """How long its peers had missed the node when its membership ended; None without a sign of it."""
    missed = known.given.signs.missed_since(episode.node, episode.start)
    return round((episode.start.ns - missed.ns) / NS, 3) if missed.ns < episode.start.ns else None


def _saw_leave(episode: _Episode, known: _Known) -> tuple[_Episode, ...]:
    """Episodes in which the lost node itself saw one of its witnesses leave at about the same time."""
    low, high = episode.start.ns - EPISODE_NS, episode.start.ns + EPISODE_NS
    near = (other for node in episode.witnesses for other in _between(known.by_node, node, low, high))
    seen = [other for other in near if episode.node in other.witnesses]
    return tuple(sorted(seen, key=lambda other: (other.start.ns, other.node)))


def _testimony(episode: _Episode, known: _Known) -> tuple[str, ...]:
    """Lines in which the lost node's own corosync missed its witnesses at the time at which they missed it.

    A node that is dead or hangs prints none of them; one that was merely cut off prints them even if it was fenced before it could form
    a membership of its own. In a cluster of two the loss of the token can only mean the one peer.
    """
    timeline = known.timeline
    low, high = episode.start.ns - LAST_WORDS_NS, episode.start.ns + LAST_WORDS_NS
    members = sum(1 for identity in timeline.nodes if identity.role is NodeRole.MEMBER)
    found = []
    for event in _between(known.words, episode.node, low, high):
        if event.type in COROSYNC_START:
            break  # what a new corosync prints is no word about the loss
        peer = timeline.node(str(event.fields.get("host"))) if event.fields.get("host") is not None else None
        if peer in episode.witnesses or (peer is None and members == 2 and event.type.endswith("token_lost")):
            found.append(event.uid)
    return tuple(found)


def _pauses(episode: _Episode, known: _Known) -> tuple[str, ...]:
    low, high = episode.start.ns - EPISODE_NS, min(episode.end_ns, episode.start.ns + 600 * NS) + EPISODE_NS
    return tuple(event.uid for event in _between(known.pauses, episode.node, low, high))


def _corosync_gone(episode: _Episode, known: _Known) -> tuple[str, ...]:
    """Lines of the lost node that say that its corosync had ended by itself: then it lived on, and its daemons gave up in turn."""
    low, high = episode.start.ns - 2 * EPISODE_NS, episode.start.ns + NS
    ends = [view.opened_by for view in _between(known.daemon_ends, episode.node, low, high)]
    lost = [event.uid for event in _between(known.cluster_lost, episode.node, low, high)]
    return tuple(uid for uid in (*ends, *lost) if uid is not None)


def _silence(episode: _Episode, timeline: Timeline, operation: View | None) -> int | None:
    """Start of the silent stretch in which the node was lost, None where it was not silent then.

    The others notice a dead node only after the token time-out, a second or more: a node that spoke until the very moment was alive.
    One that spoke until its fencing was asked for was silenced by that.
    """
    asked = operation.start.ns if operation is not None and operation.start is not None else None
    for silence in timeline.silences.get(Node(episode.node), ()):
        until = silence.end_ns if silence.end_ns is not None else 1 << 63
        fenced = asked is not None and asked < silence.start_ns
        if silence.start_ns <= episode.start.ns and until > episode.start.ns - NS and not fenced:
            return silence.start_ns
    return None


def _others_spoke(episode: _Episode, timeline: Timeline, silence: int | None) -> bool:
    """Tell whether other daemons of the node went on logging while its corosync said nothing to the loss."""
    if silence is not None:
        return False
    low, high = episode.start.ns - 5 * NS, min(episode.end_ns, episode.start.ns + 120 * NS)
    times, events = timeline.logged_by(Node(episode.node))
    said = events[bisect_left(times, low) : bisect_right(times, high)]
    return bool(said) and all(event.program != "corosync" for event in said)


def _fencing(episode: _Episode, known: _Known) -> View | None:
    """The fencing operation against the lost node that belongs to the episode: from shortly before it to its end."""
    near = _between(known.shots, episode.node, episode.start.ns - 300 * NS, episode.end_ns)
    found = sorted(near, key=lambda view: view.observer)
    ended_well = [view for view in found if view.value.get("result") == "ok"]
    return next(iter(ended_well or found), None)


def _fenced_before(episode: _Episode, operation: View | None) -> bool:
    """Tell whether fencing had certainly begun before the node was lost, for another reason than its loss."""
    if operation is None or operation.start is None or operation.value.get("result") not in {"ok", "unknown"}:
        return False
    reason = str(operation.value.get("reason") or "")
    if any(word in reason for word in _LOSS_REASONS) and "process" not in reason:
        return False
    return operation.start.before(episode.start) is Tri.TRUE


def _links(known: _Known, observer: str, episode: _Episode, peers: set[str]) -> tuple[str, ...]:
    near = _between(known.links, observer, episode.start.ns - EPISODE_NS, episode.start.ns + EPISODE_NS)
    return tuple(v.opened_by for v in near if str(v.value.get("peer")) in peers and v.opened_by is not None)


def _splits(known: _Known) -> Iterator[View]:
    """One row for each group of episodes that exclude each other, none of them by a pause."""
    apart = [e for e in known.episodes if (_saw_leave(e, known) or _testimony(e, known)) and not _pauses(e, known)]
    groups: list[list[_Episode]] = []
    for episode in apart:  # in order of time
        if groups and episode.start.ns - groups[-1][-1].start.ns <= EPISODE_NS:
            groups[-1].append(episode)
        else:
            groups.append([episode])
    for group in groups:
        yield _split(group, known)


def _split(group: Sequence[_Episode], known: _Known) -> View:
    first = min(group, key=lambda episode: episode.start.ns)
    nodes = tuple(sorted({name for e in group for name in (e.node, *e.witnesses)}))
    excluded = {(w, e.node) for e in group for w in e.witnesses}
    sides = _sides(nodes, excluded)
    least = min(len(side) for side in sides)
    smallest = [side for side in sides if len(side) == least]
    isolated = nodes if len(smallest) == len(sides) else tuple(sorted(n for side in smallest for n in side))
    ends = [e.end for e in group]
    end = None if None in ends else max((e for e in ends if e is not None), key=lambda e: e.ns)
    evidence = [uid for e in group for uid in (*e.evidence, *_testimony(e, known))]
    links = [uid for e in group for w in e.witnesses for uid in _links(known, w, e, {e.node})]
    value: dict[str, Scalar] = {
        "nodes": nodes,
        "sides": tuple(",".join(side) for side in sides),
        "isolated": isolated,
        "links_down": bool(links),
    }
    opened = min(first.absences, key=start_ns)
    rest = tuple(dict.fromkeys(uid for uid in (*evidence, *links) if uid != opened.opened_by))
    return View("membership.split", opened.observer, first.start, end, value, opened.opened_by, None, rest)


def _sides(nodes: Sequence[str], excluded: set[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Group the nodes that did not exclude each other."""
    sides: list[list[str]] = []
    for node in nodes:
        for side in sides:
            if all((node, other) not in excluded and (other, node) not in excluded for other in side):
                side.append(node)
                break
        else:
            sides.append([node])
    return tuple(tuple(side) for side in sides)
