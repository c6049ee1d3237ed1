"""Commands that look at one stage of the analysis: ``whois``, ``state``, ``coverage``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, progress
from hadiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.timeline import NodeIdentity, Timeline


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("whois")(whois)
    app.command("state")(state)
    app.command("coverage")(coverage)


def _timeline(inputs: Sequence[str], cluster: str | None, quiet: bool) -> Timeline:
    from hadiag.pipeline import read_timeline

    with progress(inputs, quiet=quiet) as hooks:
        return read_timeline(list(inputs), shared.make(cluster=cluster, hooks=hooks), sys.stdin.buffer)[0]


def whois(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Node name, host name, node id or address; * for all.")],
    inputs: shared.Inputs,
    cluster: shared.Cluster = None,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Say who a name, a node id or an address is."""
    del debug
    from hadiag.pipeline import read_timeline

    with progress(inputs, quiet=quiet) as hooks:
        read = read_timeline(list(inputs), shared.make(cluster=cluster, hooks=hooks), sys.stdin.buffer)
    timeline = read[0]
    wanted = None if name == "*" else timeline.node(name)
    if name != "*" and wanted is None:
        raise UsageError(f"No node is known as {name}; hadiag whois '*' lists all.")
    for identity in timeline.nodes:
        if wanted in (None, identity.name):
            typer.echo(harmless(_who(identity)))
            typer.echo(harmless(_known_from(timeline, read[1].facts, identity)))


def _known_from(timeline: Timeline, facts: Sequence[Fact], identity: NodeIdentity) -> str:
    """When a node was seen, and where each of its names stands."""
    from hadiag.model.time import iso_utc
    from hadiag.timeline.whois import evidence, span

    parts = []
    seen = span(timeline, identity)
    if seen is not None:
        whose = "its logs" if seen[2] else "named by others"
        parts.append(f"  seen:      {iso_utc(seen[0])[:19]} .. {iso_utc(seen[1])[:19]} ({whose})")
    for one in evidence(timeline, facts, identity):
        place = f"{one.path}:{one.line}" if one.line else one.path
        parts.append(f"  {one.name}: {place} ({one.how})")
    return "\n".join(parts)


def _who(identity: NodeIdentity) -> str:
    logs = "logs in the input" if identity.provided else "no logs of its own in the input"
    parts = [
        f"{identity.name} ({identity.role.value}, {logs})",
        f"  node ids:  {', '.join(map(str, sorted(identity.nodeids))) or 'not known'}",
        f"  addresses: {', '.join(sorted(identity.addresses)) or 'not known'}",
        f"  aliases:   {', '.join(sorted(identity.aliases)) or 'none'}",
    ]
    return "\n".join(parts)


def state(
    inputs: shared.Inputs,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="The moment: 2026-11-22T10:00:05 (UTC); without it, all of it with its spans."
        ),
    ] = None,
    tables: Annotated[
        list[str] | None, typer.Option("--table", metavar="TABLE", help="Only these tables; repeatable.")
    ] = None,
    cluster: shared.Cluster = None,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Show what each node believed at a moment: membership, quorum, DC, fencing, resources, changes of the configuration."""
    del debug
    from hadiag.cli.when import parse_when
    from hadiag.pipeline import read_timeline
    from hadiag.state import build_views

    moment = parse_when(at) if at is not None else None
    with progress(inputs, quiet=quiet) as hooks:
        timeline, reading, _ = read_timeline(inputs, shared.make(cluster=cluster, hooks=hooks), sys.stdin.buffer)
    views = build_views(timeline, reading.facts)
    ended = _ended(timeline, moment or 0)
    for table in views.tables:
        if tables and table not in tables:
            continue
        for view in views.of(table) if moment is None else views.at(table, moment):
            told = _span(view) if moment is None else ended.get(str(view.observer), "")
            typer.echo(harmless(_believed(view) + told + _source(view)))


def _span(view: View) -> str:
    from hadiag.model.time import iso_utc

    start, end = (iso_utc(at.ns)[:23] if at is not None else "" for at in (view.start, view.end))
    return f"   [{start}]" if start and start == end else f"   [{start or 'before the logs'} .. {end or 'the end'}]"


def _source(view: View) -> str:
    """The file of a snapshot that a view rests on, where no log line tells it."""
    return f"   ({view.told_by.path})" if view.told_by is not None else ""


def _ended(timeline: Timeline, moment: int) -> dict[str, str]:
    """A remark for each node whose logs end before a moment: what it believed then is its last known state."""
    from hadiag.model.time import iso_utc

    found = {}
    for node in timeline.clocks:
        ends = [one.end_ns for one in timeline.coverage if one.node == node and one.end_ns is not None]
        if ends and max(ends) < moment:
            found[str(node)] = f"   (its logs end {iso_utc(max(ends))[:19]})"
    return found


def _full_coverage(inputs: Sequence[str], rules: Sequence[str] | None, *, quiet: bool) -> None:
    """Print the share of known lines by program, then the messages that are not known, most frequent first."""
    from hadiag.pipeline import read_census

    with progress(inputs, quiet=quiet) as hooks:
        census = read_census(inputs, shared.make(rules=rules, hooks=hooks), sys.stdin.buffer)
    typer.echo(
        f"{'program':<28} {'notice or worse':>22} {'known':>7}   {'warning or worse':>18}   {'level not printed':>22}"
    )
    for program, tally in sorted(census.tallies.items()):
        share = "-" if tally.share is None else f"{tally.share:.1%}"
        severe = f"{tally.severe_known} of {tally.severe}"
        graded, plain = f"{tally.graded_known} of {tally.graded}", f"{tally.plain_known} of {tally.plain}"
        typer.echo(harmless(f"{program:<28} {graded:>22} {share:>7}   {severe:>18}   {plain:>22}"))
    counts: dict[tuple[str, str], int] = {}
    for row in census.unknowns:
        key = (row.program, row.template)
        counts[key] = counts.get(key, 0) + row.count
    for (program, template), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        typer.echo(harmless(f"not known {count:>6} x {program}: {template}"))


def _believed(view: View) -> str:
    values = " ".join(f"{key}={_plain(value)}" for key, value in view.value.items() if value not in (None, "", ()))
    return f"{view.table:<22} {view.observer:<12} {values}"


def _plain(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def coverage(
    inputs: shared.Inputs,
    full: Annotated[
        bool, typer.Option("--full", help="Read every line: the share that is known, by program, and what is not.")
    ] = False,
    cluster: shared.Cluster = None,
    rules: shared.Rules = None,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Show which log of which node covers what, and how much of it was recognised."""
    del debug
    from hadiag.model.time import iso_utc

    if full:
        _full_coverage(inputs, rules, quiet=quiet)
        return

    timeline = _timeline(inputs, cluster, quiet)
    for one in timeline.coverage:
        start = iso_utc(one.start_ns)[:19] if one.start_ns is not None else "?"
        end = iso_utc(one.end_ns)[:19] if one.end_ns is not None else "?"
        line = (
            f"{one.node:<12} {one.family:<10} {start} .. {end} {one.recognised:>7} of {one.lines:>8} lines  {one.path}"
        )
        typer.echo(harmless(line))
    for node, silences in sorted(timeline.silences.items()):
        for silence in silences:
            until = iso_utc(silence.end_ns)[:19] if silence.end_ns is not None else "the end"
            typer.echo(harmless(f"{node:<12} silent     {iso_utc(silence.start_ns)[:19]} .. {until}"))
