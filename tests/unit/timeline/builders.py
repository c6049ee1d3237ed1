"""Small logs of made-up nodes: events, summaries and facts without files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hadiag.model.entity import Layer, Level, Scalar
from hadiag.model.event import EventClass, RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import BootSpan, LogSummary, PrintedGap, StampRun, WallStep
from hadiag.model.source import BundleId, SourceRef
from hadiag.model.time import NS, PLACEHOLDER_YEAR, LoggedTime, from_iso
from hadiag.timeline import Timeline, build

BUNDLE = BundleId("b1")
NOW = from_iso("2027-01-01T00:00:00Z")
MONTH = "%b %d %H:%M:%S"


@dataclass(frozen=True)
class Type:
    """Stand-in for an event type of the catalogue."""

    layer: Layer = Layer.PACEMAKER
    level: Level = Level.NOTICE
    programs: tuple[str, ...] = ()
    subject: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """Stand-in for the event catalogue."""

    types: Mapping[str, Type]


TYPES = Catalogue(
    {
        "pcmk.node.state": Type(subject="node", fields={"node": "node", "state": "word", "nodeid": "int?"}),
        "fence.op_result": Type(
            Layer.FENCING, programs=("pacemaker-fenced",), subject="target", fields={"target": "node?"}
        ),
        "cib.diff": Type(level=Level.INFO, programs=("pacemaker-based",)),
        "corosync.totem.new_membership": Type(Layer.COROSYNC, programs=("corosync",)),
        "kernel.oom": Type(Layer.OS, Level.ERROR, programs=("kernel",)),
    }
)


def utc(text: str) -> int:
    """UTC ns of ``HH:MM:SS[.mmm]`` on the day of the tests, or of a full ISO time."""
    return from_iso(text if "T" in text else f"2026-11-22T{text}Z")


def moment(ns: int) -> datetime:
    """Calendar time of ns since the epoch."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


def bsd(ns: int, zone_s: int = 0, digits: int = 0) -> LoggedTime:
    """Stamp without year and zone (``Nov 22 10:16:30``) of a clock that shows ``ns`` in UTC."""
    unit = NS // 10**digits
    wall = (ns + zone_s * NS) // unit * unit
    at = moment(wall)
    text = at.strftime(MONTH) + (f".{at.microsecond:06d}"[: digits + 1] if digits else "")
    bare = at.replace(year=PLACEHOLDER_YEAR)
    placed = int((bare - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * NS + wall % NS
    return LoggedTime(text, placed, resolution_ns=unit)


def iso(ns: int, zone_s: int = 0) -> LoggedTime:
    """Stamp with year and offset, in µs."""
    unit = 1000
    wall = (ns + zone_s * NS) // unit * unit
    text = f"{moment(wall).isoformat()[:26]}{zone_s // 3600:+03d}:00"
    return LoggedTime(text, wall, has_year=True, utc_offset_s=zone_s, resolution_ns=unit)


def journal(ns: int) -> LoggedTime:
    """Stamp of a journal export."""
    return LoggedTime(str(ns // 1000), ns // 1000 * 1000, True, 0, 1000, from_journal=True)


@dataclass
class Log:
    """A log file of a node that is written line by line.

    ``zone_s`` is the node's zone, ``skew_s`` what its clock is ahead of the truth; ``style`` the stamps.
    """

    node: str
    path: str
    family: str = "pacemaker"
    style: str = "ms"
    zone_s: int = 0
    skew_s: float = 0.0
    bundle: BundleId = BUNDLE
    hint: str | None = None
    mtime: str | None = None
    host: str | None = ""
    formats: tuple[str, ...] = ()
    gaps: tuple[PrintedGap, ...] = ()
    raws: list[RawEvent] = field(default_factory=list)
    truth: list[int] = field(default_factory=list)

    def stamp(self, ns: int) -> LoggedTime:
        """Stamp that the node prints at a true time."""
        shown = ns + round(self.skew_s * NS)
        if self.style == "iso":
            return iso(shown, self.zone_s)
        if self.style == "journal":
            return journal(shown)
        return bsd(shown, self.zone_s, 3 if self.style == "ms" else 0)

    def add(
        self, at: str | int | None, kind: str, message: str = "", program: str | None = None, **fields: Scalar
    ) -> RawEvent:
        """Write a line at a true time."""
        line = len(self.raws) + 1
        ref = SourceRef(self.bundle, self.path, line, line * 100, 99)
        ns = utc(at) if isinstance(at, str) else at
        stamp = None if ns is None else self.stamp(ns)
        self.truth.append(ns or 0)
        raw = RawEvent(
            ref=ref,
            type=kind,
            cls=EventClass.CORE,
            time=stamp,
            host=self.node if self.host == "" else self.host,
            node_hint=self.hint if self.hint is not None else self.node,
            family=self.family,
            program=program or _PROGRAMS.get(kind.split(".", 1)[0]),
            pid=None,
            level=Level.NOTICE,
            message=message or kind,
            fields=fields,
            quote=message,
        )
        self.raws.append(raw)
        return raw

    def ring(self, at: str | int, ring: str, left: str = "", joined: str = "") -> RawEvent:
        """Write that a membership formed."""
        text = f"A new membership ({ring}) was formed. Members" + (f" left: {left}" if left else f" joined: {joined}")
        fields: dict[str, Any] = {"ring_id": ring, "left": left or None, "joined": joined or None}
        return self.add(at, "corosync.totem.new_membership", text, **fields)

    def diff(self, at: str | int, version: str) -> RawEvent:
        """Write that the CIB changed."""
        return self.add(at, "cib.diff", f"Diff: +++ {version} (null)", "pacemaker-based", version=version)

    def graph(self, at: str, number: int = 1) -> RawEvent:
        """Write that a transition begins, with the epoch of the node's own clock."""
        epoch = (utc(at) + round(self.skew_s * NS)) // NS
        text = (
            f"Processing graph {number} (ref=pe_calc-pacemaker-controld-{epoch}-7) derived from pe-input-{number}.bz2"
        )
        return self.add(at, "pcmk.graph.start", text, "pacemaker-controld", epoch=epoch)

    def summary(self) -> LogSummary:
        """Summary of the file as the scan makes it."""
        hosts: dict[str, int] = defaultdict(int)
        runs: list[StampRun] = []
        for raw in self.raws:
            if raw.host:
                hosts[raw.host] += 1
            if raw.time is None:
                continue
            if runs and raw.time.wall_ns >= runs[-1].last.wall_ns - NS:
                runs[-1] = StampRun(runs[-1].first, raw.time, runs[-1].first_line, raw.ref.line)
            else:
                runs.append(StampRun(raw.time, raw.time, raw.ref.line, raw.ref.line))
        return LogSummary(
            bundle=self.bundle,
            path=self.path,
            family=self.family,
            node_hint=self.hint if self.hint is not None else self.node,
            hosts=tuple(hosts.items()),
            formats=self.formats,
            lines=len(self.raws),
            unparsed=0,
            recognised=len(self.raws),
            runs=tuple(runs),
            gaps=self.gaps,
            mtime=utc(self.mtime) // NS if self.mtime else None,
            **self._measured(),
        )

    def _measured(self) -> dict[str, Any]:
        """What the entries of a journal tell of the time since boot, which is the true time here."""
        if self.style != "journal":
            return {}
        walls = [raw.time.wall_ns for raw in self.raws if raw.time]
        lines = [(number, wall, up) for number, (wall, up) in enumerate(zip(walls, self.truth, strict=True), 1)]
        steps = [
            WallStep(line, wall, after, (after - up) - (wall - before), "m/b", up)
            for (_, wall, before), (line, after, up) in pairwise(lines)
            if abs((after - up) - (wall - before)) >= NS // 2
        ]
        (first, begin, low), (last, end, high) = lines[0], lines[-1]
        return {"steps": tuple(steps), "boots": (BootSpan("m/b", first, last, begin, end, low, high),)}


_PROGRAMS = {
    "corosync": "corosync",
    "pcmk": "pacemaker-controld",
    "fence": "pacemaker-fenced",
    "attrd": "pacemaker-attrd",
    "pacemakerd": "pacemakerd",
    "kernel": "kernel",
    "systemd": "systemd",
    "chrony": "chronyd",
    "qnetd": "corosync-qnetd",
}


def fact(
    table: str, hint: str | None = None, bundle: BundleId = BUNDLE, as_of: str | None = None, **values: Scalar
) -> Fact:
    """Make a fact of a snapshot."""
    return Fact(table, values, bundle, f"{hint or 'cluster'}/{table}", 1, hint, utc(as_of) if as_of else None)


def members(*names: str, bundle: BundleId = BUNDLE, cluster: str = "c1") -> list[Fact]:
    """Facts of a cluster whose members have the ids 1, 2, …"""
    facts = [fact("corosync.option", bundle=bundle, key="totem.cluster_name", value=cluster)]
    for number, name in enumerate(names, 1):
        address = f"10.0.{len(cluster)}.{number}"
        facts.append(fact("corosync.node", bundle=bundle, name=name, nodeid=str(number), link=0, address=address))
        facts.append(fact("node", bundle=bundle, name=name, nodeid=str(number), type="member"))
    return facts


def timeline(logs: Iterable[Log], facts: Iterable[Fact] = (), **options: Any) -> Timeline:
    """Build a timeline from logs."""
    written = list(logs)
    raws = [raw for log in written for raw in log.raws]
    return build(raws, [log.summary() for log in written], list(facts), TYPES, now_ns=NOW, **options)
