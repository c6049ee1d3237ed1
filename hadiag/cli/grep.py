"""``hadiag grep``: all lines of all logs that match a pattern, in aligned time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, progress

if TYPE_CHECKING:
    from hadiag.model.event import Event
    from hadiag.pipeline import Options


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("grep")(grep)


def grep(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="A regular expression of RE2.")],
    inputs: shared.Inputs,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", "-i", help="Upper and lower case alike.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One line of the logs a line as JSON.")] = False,
    nodes: shared.NodeFilter = None,
    since: shared.Since = None,
    until: shared.Until = None,
    most: Annotated[int, typer.Option("--max", min=1, help="Lines that are found at most.")] = 1_000_000,
    cluster: shared.Cluster = None,
    no_cache: shared.NoCache = False,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Search all lines of all nodes, known as an event or not, and print them on one clock in UTC.

    Ends with 1 if no line was found.

    Examples:

      hadiag grep 'fence_vmware|vmware_rest' case/

      hadiag grep -i 'out of memory' sosreport-a.tar.xz sosreport-b.tar.xz --since 2026-11-22T10:00 --jsonl
    """
    del debug
    from hadiag.extract import LineSearch
    from hadiag.pipeline import read_timeline

    search = LineSearch(pattern, ignore_case=ignore_case, most=most)
    names = [node for node in nodes or [] if "=" in node]
    with progress(inputs, quiet=quiet) as hooks:
        chosen = shared.make(cluster=cluster, since=since, until=until, names=names, cache=not no_cache, hooks=hooks)
        timeline = read_timeline(inputs, replace(chosen, search=search), sys.stdin.buffer)[0]
    wanted = {timeline.node(node) or node for node in nodes or [] if "=" not in node}
    count = 0
    for event in _found(timeline.events, chosen, wanted):
        count += 1
        sys.stdout.write(json.dumps(_row(event), ensure_ascii=False) + "\n" if jsonl else harmless(_text(event)) + "\n")
    if search.left <= 0:
        typer.echo(f"Only the first {most} lines were looked for; --max finds more.", err=True)
    raise typer.Exit(0 if count else 1)


def _found(events: tuple[Event, ...], options: Options, nodes: set[str]) -> Iterator[Event]:
    from hadiag.extract import FOUND

    for event in events:
        if event.type != FOUND or (nodes and event.observer not in nodes):
            continue
        if event.at is None:
            if options.since_ns is None and options.until_ns is None:
                yield event
        elif (options.since_ns is None or event.at.ns >= options.since_ns) and (
            options.until_ns is None or event.at.ns <= options.until_ns
        ):
            yield event


def _row(event: Event) -> dict[str, Any]:
    from hadiag.export.jsonl import when

    ref = event.ref
    return {**when(event), "node": event.observer, "path": ref.path, "line": ref.line, "text": event.text}


def _text(event: Event) -> str:
    from hadiag.model.time import iso_utc

    stamp = iso_utc(event.at.ns) if event.at else "(no time)               "
    return f"{stamp} {event.observer:<12} {event.ref.path}:{event.ref.line}: {event.text}"
