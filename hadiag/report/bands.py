"""Bands and arrows of the timeline: what each node believed, from when to when, and who acted on whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hadiag.model.frozen import record
from hadiag.model.time import Instant, from_iso
from hadiag.report.words import Said, said

if TYPE_CHECKING:
    from hadiag.model.view import View
    from hadiag.state import Views

CLUSTER = ""
"""Lane of what concerns the whole cluster."""

OK, WARN, BAD, IDLE, PLANNED, SILENT, FENCE, DOWN = "ok", "warn", "bad", "idle", "planned", "silent", "fence", "down"
"""Tones of a band; how a tone looks is the business of the style sheet and of the figures."""

LARGE = 5
"""Members of a cluster from which on whole memberships are not written out."""

MAX_RESOURCE_ROWS = 12
"""Resources of a node that get a row of their own."""


CLASHES = ("active_twice", "two_dcs", "two_quorate", "fenced_but_logging")
"""Contradictions with a row of their own; that a living node was taken for lost is what memberships show."""


@record
class Band:
    """One stretch in one row of one node's lane. None as an end means that it goes on beyond the logs.

    ``members`` are the nodes that a membership holds, for the drawing of who saw whom.
    """

    node: str
    row: str
    start_ns: int | None
    end_ns: int | None
    tone: str
    label: Said
    members: tuple[str, ...] = ()


@record
class Arrow:
    """Somebody acted on somebody: a fencing operation from its requester to its target."""

    start_ns: int
    end_ns: int
    source: str
    target: str
    ok: bool
    label: Said


Reader = Callable[["View", tuple[str, ...]], Band | None]


def view_bands(views: Views, members: tuple[str, ...]) -> tuple[Band, ...]:
    """Bands of the views that the timeline draws; ``members`` are the full members of the cluster."""
    found = [band for table, reader in _READERS.items() for view in views.of(table) if (band := reader(view, members))]
    return tuple(sorted(_bounded(found), key=_order))


def view_arrows(views: Views) -> tuple[Arrow, ...]:
    """One arrow for each fencing operation whose ends are known."""
    return tuple(_arrow(view) for view in views.of("fencing.operation") if view.start and view.end)


def _arrow(view: View) -> Arrow:
    assert view.start is not None and view.end is not None  # noqa: S101, PT018 - the caller chose views with both ends
    target, result = str(view.value.get("target")), view.value.get("result")
    end = max(view.end.ns, view.start.ns)
    return Arrow(view.start.ns, end, view.observer, target, result == "ok", operation(view.value))


def operation(row: Mapping[str, Any]) -> Said:
    """What a fencing operation is called."""
    return said("band.fencing", action=row.get("action"), target=row.get("target"), result=_term(row.get("result")))


def _term(value: object) -> Said:
    """A word of a closed list."""
    return Said(str(value).replace("_", " "))


def row_name(row: str) -> Said | str:
    """What a row is called: that of a resource by its name."""
    kind, _, name = row.partition(" ")
    if not name:
        return Said(f"row.{row}")
    return said("row.outage", name=name) if kind == "outage" else name


def _order(band: Band) -> tuple[str, str, int, int, str]:
    return band.node, band.row, band.start_ns or 0, band.end_ns or 0, repr(band.label)


def _bounded(bands: list[Band]) -> Iterator[Band]:
    """Drop the rows of further resources where a node has very many."""
    rows: dict[str, dict[str, None]] = {}
    for band in bands:
        if band.row.startswith("resource "):
            rows.setdefault(band.node, {})[band.row] = None
    kept = {node: set(sorted(names)[:MAX_RESOURCE_ROWS]) for node, names in rows.items()}
    return (b for b in bands if not b.row.startswith("resource ") or b.row in kept[b.node])


def _band(view: View, row: str, tone: str, label: Said, node: str | None = None) -> Band:
    where = view.observer if node is None else node
    return Band(where, row, _ns(view.start), _ns(view.end), tone, label)


def _ns(at: Instant | None) -> int | None:
    return at.ns if at else None


def _membership(view: View, members: tuple[str, ...]) -> Band:
    seen = _names(view.value.get("members"))
    if not seen:
        return Band(view.observer, "membership", _ns(view.start), _ns(view.end), IDLE, said("band.members_unknown"))
    tone = OK if set(members) <= set(seen) else BAD
    return Band(view.observer, "membership", _ns(view.start), _ns(view.end), tone, seen_by(seen, members), seen)


def seen_by(seen: tuple[str, ...], members: tuple[str, ...]) -> Said:
    """Whom a node saw: in a large cluster it is shorter to say whom it did not see."""
    lost = [name for name in members if name not in seen]
    if len(members) < LARGE or len(lost) > len(seen):
        return said("band.sees", nodes=", ".join(seen))
    return said("band.without", nodes=", ".join(lost)) if lost else said("band.sees_all", n=len(seen))


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, tuple) else ()


def _quorum(view: View, _: tuple[str, ...]) -> Band:
    if view.value.get("quorate"):
        return _band(view, "quorum", OK, said("band.quorate"))
    if view.value.get("startup"):
        return _band(view, "quorum", IDLE, said("band.not_quorate_yet"))
    return _band(view, "quorum", BAD, said("band.not_quorate"))


def _dc(view: View, _: tuple[str, ...]) -> Band:
    dc = str(view.value.get("dc") or "")
    if not dc:
        return _band(view, "DC", WARN, said("band.no_dc"))
    return _band(view, "DC", OK if dc == view.observer else IDLE, said("band.dc", node=dc))


def _link(view: View, _: tuple[str, ...]) -> Band | None:
    if view.value.get("state") != "down":
        return None
    link, peer = view.value.get("link"), view.value.get("peer")
    label = said("band.link_to", link=link, peer=peer) if peer else said("band.link", link=link)
    return _band(view, "links", BAD, label)


def _silent(view: View, _: tuple[str, ...]) -> Band:
    how = view.value.get("how")
    return _band(view, "node", SILENT, said("band.silent_how", how=_term(how)) if how else said("band.silent"))


def _boot(view: View, _: tuple[str, ...]) -> Band:
    how = said("band.ended", how=_term(view.value.get("how")))
    return _band(view, "node", OK, how if view.end else said("band.up"))


def _fencing(view: View, _: tuple[str, ...]) -> Band:
    value = view.value
    tone = FENCE if value.get("result") == "ok" else BAD
    return _band(view, "fencing", PLANNED if value.get("manual") else tone, operation(value))


def _active(view: View, _: tuple[str, ...]) -> Band | None:
    if view.value.get("fencing_device"):
        return None
    role = str(view.value.get("role"))
    name = view.value.get("resource")
    label = said("band.active", name=name, role=role)
    return _band(view, f"resource {name}", OK if role != "Unpromoted" else IDLE, label)


def _outage(view: View, _: tuple[str, ...]) -> Band:
    name, planned = view.value.get("resource"), bool(view.value.get("planned"))
    label = said("band.planned_stop" if planned else "band.down", name=name)
    return _band(view, f"outage {name}", PLANNED if planned else DOWN, label, CLUSTER)


def _admin(view: View, _: tuple[str, ...]) -> Band:
    value = view.value
    target, tool = value.get("target"), value.get("tool")
    key = f"band.act{'_on' if target else ''}{'_with' if tool else ''}"
    return _band(view, "planned", PLANNED, said(key, what=_term(value.get("what")), target=target, tool=tool))


def _mode(view: View, _: tuple[str, ...]) -> Band | None:
    if not view.value.get("value"):
        return None
    node = str(view.value.get("node") or CLUSTER)
    return _band(view, "planned", PLANNED, _term(view.table.removeprefix("node.")), node)


_READERS: dict[str, Reader] = {
    "membership.partition": _membership,
    "quorum.view": _quorum,
    "dc.view": _dc,
    "link.state": _link,
    "node.boot": _boot,
    "observer.silent": _silent,
    "fencing.operation": _fencing,
    "rsc.active": _active,
    "rsc.outage": _outage,
    "admin.action": _admin,
    "node.standby": _mode,
    "node.maintenance": _mode,
}


def result_bands(data: Mapping[str, Any]) -> tuple[Band, ...]:
    """Bands that a result itself states: boots, silence, outages, fencing."""
    bands = [*_node_bands(data), *_impact_bands(data), *_fencing_bands(data), *clash_bands(data)]
    return tuple(sorted(bands, key=_order))


def clash_bands(data: Mapping[str, Any]) -> Iterator[Band]:
    """Stretches in which views excluded each other: the picture of a split brain is two green bars without them."""
    last: dict[tuple[str, tuple[str, ...]], int] = {}
    merged: list[tuple[str, tuple[str, ...], int, int]] = []
    for row in sorted(data["contradictions"], key=lambda row: row["start"] or ""):
        start, end = _at(row["start"]), _at(row["end"])
        if row["what"] not in CLASHES or start is None or end is None:
            continue
        key = (row["what"], tuple(row["nodes"]))
        before = last.get(key)
        if before is not None and merged[before][3] >= start:
            merged[before] = (*merged[before][:3], max(merged[before][3], end))
        else:
            last[key] = len(merged)
            merged.append((*key, start, end))
    for what, nodes, start, end in merged:
        tone = DOWN if what == "active_twice" else BAD
        label = said("band.clash", what=Said(f"row.{what}"), nodes=", ".join(nodes))
        yield Band(CLUSTER, what, start, end, tone, label)


def _node_bands(data: Mapping[str, Any]) -> Iterator[Band]:
    for node in data["nodes"]:
        for boot in node["boots"]:
            label = said("band.ended", how=_term(boot["how"]))
            yield Band(node["name"], "node", _at(boot["start"]), _at(boot["end"]), OK, label)
        for silent in node["silent"]:
            yield Band(node["name"], "node", _at(silent["from"]), _at(silent["to"]), SILENT, said("band.silent"))


def _impact_bands(data: Mapping[str, Any]) -> Iterator[Band]:
    for incident in data["incidents"]:
        for row in incident["impact"]["resources"]:
            tone = PLANNED if row["planned"] else DOWN
            name = row["resource"]
            label = said("band.planned_stop" if row["planned"] else "band.down", name=name)
            yield Band(CLUSTER, f"outage {name}", _at(row["down_from"]), _at(row["down_to"]), tone, label)
        for row in incident["impact"]["nodes"]:
            label = said("band.no_member", how=_term(row["how"]))
            yield Band(row["node"], "membership", _at(row["from"]), _at(row["to"]), BAD, label)


def _fencing_bands(data: Mapping[str, Any]) -> Iterator[Band]:
    for row in data["fencing"]:
        tone = FENCE if row["result"] == "ok" else BAD
        where = row["requested_by"] or CLUSTER
        yield Band(where, "fencing", _at(row["requested_at"]), _at(row["completed_at"]), tone, operation(row))


def result_arrows(data: Mapping[str, Any]) -> tuple[Arrow, ...]:
    """Arrows of the fencing operations of a result."""
    return tuple(
        Arrow(
            from_iso(row["requested_at"]),
            from_iso(row["completed_at"]),
            row["requested_by"],
            row["target"],
            row["result"] == "ok",
            operation(row),
        )
        for row in data["fencing"]
        if row["requested_at"] and row["completed_at"] and row["requested_by"]
    )


def _at(stamp: str | None) -> int | None:
    return from_iso(stamp) if stamp else None
