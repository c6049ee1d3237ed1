"""Table ``config.change``: what was changed in the configuration, when, and by whom.

Two sources: the differences that Pacemaker's ``based`` logs when it applies a new version (each node logs them; one change is one
view), and the differences between CIBs and scheduler inputs that follow each other. Where the logs tell a change, the CIBs add the
old value and the user; where they do not, the change lies between two CIBs, and the newer one names who wrote last.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from hadiag.model.time import NS, Instant, TimeBasis
from hadiag.model.view import View
from hadiag.snapshots.cib_settings import HIDDEN
from hadiag.snapshots.stamps import read_moment
from hadiag.state.admin_acts import CIB_REQUEST
from hadiag.state.config_lines import HOLDERS, LINES, Said, said
from hadiag.state.reading import at_of, text
from hadiag.state.snapshots import Snapshot
from hadiag.state.stream import by_observer, placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.model.entity import Node, Scalar
    from hadiag.model.event import Event
    from hadiag.model.fact import Fact
    from hadiag.state.admin_acts import Act
    from hadiag.state.given import Given
    from hadiag.timeline import Timeline

_VERSION = "cib.diff"
_TOGETHER = NS // 4
"""Lines of one new version follow each other this closely."""
_ANSWER = 3 * NS
_SAME = 10 * NS
"""All nodes apply a version within this time, clocks included."""
_ZONE_S = 900
_WHOLE = frozenset(
    {
        "primitive",
        "group",
        "clone",
        "master",
        "bundle",
        "template",
        "node",
        "rsc_location",
        "rsc_order",
        "rsc_colocation",
    }
)
_SHELLS = frozenset({"pcs", "crm", "crmsh", "hawk"})
_MOST = 20_000

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Change:
    said: Said
    start: Instant
    end: Instant
    observer: Node
    uid: str | None = None
    source: str = "log"
    old: str = ""
    client: str | None = None
    node: str | None = None
    user: str | None = None
    tool: str | None = None
    version: str | None = None
    evidence: list[str] = field(default_factory=list)
    fact: Fact | None = None

    @property
    def key(self) -> Key:
        """What was changed; an operation is known by its resource."""
        name = "op" if self.said.name.startswith("op ") else self.said.name
        return self.said.section, self.said.object, name

    def view(self) -> View:
        """The change as a row."""
        one = self.said
        value: dict[str, Scalar] = {
            "section": one.section,
            "object": one.object,
            "name": one.name,
            "change": one.change,
            "old": self.old,
            "new": one.new,
            "client": self.client,
            "tool": self.tool,
            "user": self.user,
            "node": self.node,
            "version": self.version,
            "source": self.source,
        }
        evidence = tuple(dict.fromkeys(self.evidence))[:50]
        return View(
            "config.change", self.observer, self.start, self.end, value, self.uid, self.uid, evidence, self.fact
        )


class ConfigTracker:
    """Changes of the configuration."""

    consumes = frozenset({*LINES, CIB_REQUEST, _VERSION})

    def views(self, given: Given) -> Iterator[View]:
        """Yield the changes in order of time."""
        timeline, found = given.timeline, given.snapshots
        logged = _merged(_logged(timeline))
        _by_hand(logged, given.acts)
        logged = _without_noise(timeline, found, logged)
        between = list(_between(timeline, found, logged))
        for change in sorted((*logged, *between), key=lambda one: (one.start.ns, one.end.ns, one.key))[:_MOST]:
            yield change.view()


def _logged(timeline: Timeline) -> list[_Change]:
    """Changes as each node logged them, with the request that they answer."""
    found: list[_Change] = []
    for observer, events in by_observer(placed(timeline, *LINES, CIB_REQUEST, _VERSION)).items():
        group: list[_Change] = []
        owner = ("", "")
        for event in sorted(events, key=lambda one: (at_of(one).ns, one.seq)):
            if group and (event.type == _VERSION or at_of(event).ns - group[-1].start.ns > _TOGETHER):
                group = group if _answers(event, group) else []
            if event.type == CIB_REQUEST:
                group = _answered(group, event)
            elif event.type != _VERSION:
                one = said(timeline, event, owner)
                if one is not None:
                    owner = (one.section, one.object)
                    group.append(_Change(one, at_of(event), at_of(event), observer, event.uid))
                    found.append(group[-1])
    return _without_holders(found)


def _answers(event: Event, group: Sequence[_Change]) -> bool:
    return event.type == CIB_REQUEST and at_of(event).ns - group[-1].start.ns <= _ANSWER


def _answered(group: list[_Change], request: Event) -> list[_Change]:
    """Take what a completed request says of the changes before it; one that was only passed on says nothing yet."""
    if (text(request, "result") or "").lower() != "ok":
        return group
    for change in group:
        change.client, change.node = text(request, "client"), text(request, "origin")
        change.version = text(request, "version")
        change.evidence.append(request.uid)
    return []


def _without_holders(found: Sequence[_Change]) -> list[_Change]:
    """A list of values that was made for the values that follow it is no change of its own."""
    kept = []
    for change, after in zip_longest(found, found[1:]):
        one = change.said
        follows = after is not None and after.observer == change.observer
        inside = after is not None and (after.said.section, after.said.object) == (one.section, one.object)
        if not (one.container and follows and inside and after is not None and after.start.ns - change.start.ns < NS):
            kept.append(change)
    return kept


def _merged(found: Sequence[_Change]) -> list[_Change]:
    """One view for a change that several nodes logged, by the node that asked for it if it is among them."""
    kept: dict[tuple[Key, str, str], list[_Change]] = {}
    for change in sorted(found, key=lambda one: (one.start.ns, one.observer)):
        same = kept.setdefault((change.key, change.said.change, change.said.new), [])
        other = next((old for old in reversed(same) if _one(old, change)), None)
        if other is None:
            same.append(change)
        elif str(change.observer) == change.node and str(other.observer) != change.node:
            same[same.index(other)] = _joined(change, other)
        else:
            _joined(other, change)
    return [change for rows in kept.values() for change in rows]


def _one(old: _Change, new: _Change) -> bool:
    apart = abs(new.start.ns - old.start.ns)
    slack = (old.start.err_ns or 0) + (new.start.err_ns or 0)
    return old.observer != new.observer and apart <= _SAME + slack


def _joined(kept: _Change, copy: _Change) -> _Change:
    kept.evidence += [uid for uid in (copy.uid, *copy.evidence) if uid]
    kept.client, kept.node = kept.client or copy.client, kept.node or copy.node
    kept.version = kept.version or copy.version
    return kept


def _by_hand(changes: Sequence[_Change], done: Sequence[Act]) -> None:
    """The act that a request was a trace of names the tool and the person."""
    by_trace: Mapping[str, Act] = {uid: act for act in done for uid in (act.uid, *act.evidence)}
    for change in changes:
        act = next((by_trace[uid] for uid in (change.uid or "", *change.evidence) if uid in by_trace), None)
        if act is not None:
            change.tool, change.user = act.tool if act.tool in _SHELLS else None, act.user


def _between(timeline: Timeline, found: Sequence[Snapshot], logged: Sequence[_Change]) -> Iterator[_Change]:
    """Differences of CIBs that follow each other; those that the logs tell complete the logged change instead."""
    by_key: dict[Key, list[_Change]] = {}
    for change in logged:
        by_key.setdefault(change.key, []).append(change)
    before: Snapshot | None = None
    known: dict[Key, str] = {}
    for one in found:
        if before is not None and one.cib.version[:2] <= before.cib.version[:2]:
            continue
        now = _settings(timeline, one)
        if before is not None:
            for change in _differences(known, now, before, one):
                told = [old for old in by_key.get(change.key, ()) if _within(old, change)]
                _complete(told, change, one)
                if not told:
                    yield change
        before, known = one, now


def _without_noise(timeline: Timeline, found: Sequence[Snapshot], logged: Sequence[_Change]) -> list[_Change]:
    """A whole configuration that was loaded anew is logged as if all of it changed; what the CIBs around show unchanged did not."""
    at = sorted(logged, key=lambda one: one.start.ns)
    noise: set[int] = set()
    for before, after in pairwise(found):
        mine = [
            one for one in at if before.at.ns + _ANSWER < one.start.ns <= after.at.ns - NS or _next(before, one, after)
        ]
        if not any(one.said.change == "changed" for one in mine):
            continue
        known, now = _by_kind(_settings(timeline, before)), _by_kind(_settings(timeline, after))
        times = Counter(one.key for one in mine)
        for one in mine:
            same = known.get(one.key) == now.get(one.key) and (one.key in now or one.said.name in HOLDERS)
            if one.said.change == "changed" and times[one.key] == 1 and same:
                noise.add(id(one))
    return [one for one in logged if id(one) not in noise]


def _next(before: Snapshot, one: _Change, after: Snapshot) -> bool:
    """Whether a change made the version of a CIB out of that of the one before."""
    version = (one.version or "").split(".")[:2]
    return version == list(map(str, after.cib.version[:2])) and after.cib.version[:2] > before.cib.version[:2]


def _by_kind(rows: Mapping[Key, str]) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for (section, owner, name), value in rows.items():
        if name.startswith("op "):
            found.setdefault((section, owner, "op"), []).append(f"{name} {value}")
        else:
            found[section, owner, name] = [value]
    return found


def _settings(timeline: Timeline, one: Snapshot) -> dict[Key, str]:
    rows: dict[Key, str] = {}
    for row in one.cib.settings():
        owner = str(timeline.node(row.object) or row.object) if row.section == "nodes" else row.object
        rows[row.section, owner, row.name] = row.value
    return rows


def _differences(
    known: Mapping[Key, str], now: Mapping[Key, str], before: Snapshot, one: Snapshot
) -> Iterator[_Change]:
    """Values that differ; an object that came or went as a whole is one change."""
    come = {key[:2] for key in now if key[2] in _WHOLE and key not in known}
    gone = {key[:2] for key in known if key[2] in _WHOLE and key not in now}
    start, end = _moments(before, one)
    steps = one.cib.version[1] - before.cib.version[1]
    values = one.fact.values
    for key in sorted({*known, *now}):
        old, new = known.get(key), now.get(key)
        if old == new or (key[:2] in come | gone and key[2] not in _WHOLE):
            continue
        change = "added" if old is None else "removed" if new is None else "changed"
        row = _Change(
            Said(*key, change, new or ""), start, end, one.observer, None, str(values.get("origin")), old or ""
        )
        if steps == 1 and one.cib.version[0] == before.cib.version[0]:
            row.client, row.node = _text(values.get("update_client")), _text(values.get("update_origin"))
            row.user = _text(values.get("update_user"))
        row.version = ".".join(map(str, (*one.cib.version[:2], 0)))
        row.fact = one.fact
        yield row


def _text(value: Scalar) -> str | None:
    return value if isinstance(value, str) and value else None


def _moments(before: Snapshot, one: Snapshot) -> tuple[Instant, Instant]:
    """When it was changed: as the CIB itself says, if the zone of that stamp follows from the time of the CIB, else in between."""
    said_at = read_moment(str(one.fact.values.get("last_written") or ""))
    if said_at is not None:
        wall = said_at.wall_ns
        offset = said_at.offset_s
        if offset is None:
            offset = round((wall - one.at.ns) / NS / _ZONE_S) * _ZONE_S
        at = wall - offset * NS
        if before.at.ns - NS <= at <= one.at.ns + NS and (
            said_at.offset_s is not None or one.at.ns - at < _ZONE_S * NS // 2
        ):
            exact = Instant(at, one.at.err_ns, said_at.text, TimeBasis.SNAPSHOT)
            return exact, exact
    return before.at, one.at


def _within(old: _Change, change: _Change) -> bool:
    return change.start.ns - _ANSWER <= old.start.ns <= change.end.ns + _ANSWER


def _complete(told: Sequence[_Change], change: _Change, one: Snapshot) -> None:
    for old in told:
        if change.said.new in {old.said.new, HIDDEN} or old.said.name.startswith("op "):
            old.old = old.old or change.old
        if old.version is not None and old.version.split(".")[:2] == list(map(str, one.cib.version[:2])):
            old.user = old.user or _text(one.fact.values.get("update_user"))
            old.client = old.client or _text(one.fact.values.get("update_client"))
            old.node = old.node or _text(one.fact.values.get("update_origin"))


TRACKER = ConfigTracker()
