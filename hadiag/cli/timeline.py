"""``hadiag timeline``: the events of all nodes in the order of one clock."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, progress

if TYPE_CHECKING:
    from hadiag.model.diagnosis import Incident
    from hadiag.model.event import Event
    from hadiag.pipeline import Options


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("timeline")(timeline)


def timeline(
    inputs: shared.Inputs,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One event a line as JSON.")] = False,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="PATTERN", help="Only these types, such as 'fence.*'; repeatable."),
    ] = None,
    nodes: shared.NodeFilter = None,
    since: shared.Since = None,
    until: shared.Until = None,
    rules: shared.Rules = None,
    cluster: shared.Cluster = None,
    no_cache: shared.NoCache = False,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Print the events of all nodes on one timeline in UTC.

    Examples:

      hadiag timeline crm_report.tar.bz2 --type 'fence.*'

      hadiag timeline case/ --jsonl --node node1 --since 2026-11-22T10:00
    """
    del debug
    from hadiag.export.jsonl import timeline_lines
    from hadiag.pipeline import analyze

    names = [node for node in nodes or [] if "=" in node]
    with progress(inputs, quiet=quiet) as hooks:
        chosen = shared.make(
            rules=rules, cluster=cluster, since=since, until=until, names=names, cache=not no_cache, hooks=hooks
        )
        result = analyze(inputs, chosen, sys.stdin.buffer)
    events = _chosen(result.timeline.events, chosen, types or [], [node for node in nodes or [] if "=" not in node])
    if jsonl:
        for line in timeline_lines(events, incidents_by_event(result.diagnosis.incidents)):
            sys.stdout.write(line)
        return
    for event in events:
        sys.stdout.write(harmless(_text(event)) + "\n")


def incidents_by_event(incidents: Iterable[Incident]) -> dict[str, str]:
    """Map the uid of each quoted event to its incident."""
    found: dict[str, str] = {}
    for incident in incidents:
        for step in incident.chain:
            for evidence in step.evidence:
                if evidence.event:
                    found.setdefault(evidence.event, incident.id)
    return found


def _chosen(events: tuple[Event, ...], options: Options, types: list[str], nodes: list[str]) -> Iterator[Event]:
    for event in events:
        if nodes and event.observer not in nodes:
            continue
        if types and not any(fnmatchcase(event.type, pattern) for pattern in types):
            continue
        if _in_window(event, options):
            yield event


def _in_window(event: Event, options: Options) -> bool:
    if options.since_ns is None and options.until_ns is None:
        return True
    if event.at is None:
        return False
    after = options.since_ns is None or event.at.ns >= options.since_ns
    return after and (options.until_ns is None or event.at.ns <= options.until_ns)


def _text(event: Event) -> str:
    from hadiag.model.time import iso_utc

    stamp = iso_utc(event.at.ns) if event.at else "(no time)               "
    times = f" (x{event.repeated})" if event.repeated > 1 else ""
    return f"{stamp} {event.observer:<12} {event.type:<34} {event.message}{times}"
