"""``hadiag collect``: gather from live nodes what a diagnosis needs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, write_file
from hadiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hadiag.collect.manifest import Manifest
    from hadiag.collect.nodes import NodeSpec
    from hadiag.collect.plan import Window
    from hadiag.collect.runner import Order, Progress
    from hadiag.collect.ssh import SshOptions


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("collect")(collect)


def collect(
    nodes: Annotated[
        list[str] | None,
        typer.Option("--nodes", "-n", metavar="N1,N2", help="Nodes, as NAME or NAME=USER@ADDRESS; repeatable."),
    ] = None,
    nodes_file: Annotated[
        str | None, typer.Option("--nodes-file", metavar="FILE", help="A file with nodes, one on a line.")
    ] = None,
    ask: Annotated[
        str | None, typer.Option("--from", metavar="NODE", help="Ask this node for the nodes of its cluster.")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", "-S", help="Begin of the window: 2026-11-22T10:00 (UTC), -6h, yesterday.")
    ] = "-6h",
    until: Annotated[str | None, typer.Option("--until", "-U", help="End of the window; now, if not given.")] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="The bundle: .tar.gz, .tar.xz or .tar.zst.")
    ] = "hadiag-case.tar.gz",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run where, and do nothing.")] = False,
    script: Annotated[
        str | None,
        typer.Option(
            "--script", metavar="FILE", help="Write a script for a node that nobody may log in to; - prints it."
        ),
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="FILE", help="Take in what such a script wrote; repeatable.")
    ] = None,
    via: Annotated[
        str,
        typer.Option("--via", metavar="crm-report|sos", help="Also run the node's own collector, and nest its report."),
    ] = "",
    config: Annotated[str, typer.Option("--ssh-config", "-F", metavar="FILE", help="Configuration for ssh.")] = "",
    ssh_option: Annotated[
        list[str] | None, typer.Option("--ssh-option", metavar="OPTION", help="An -o option for ssh; repeatable.")
    ] = None,
    user: Annotated[str, typer.Option("--user", "-l", help="User to log in as.")] = "",
    sudo: Annotated[
        bool, typer.Option("--sudo/--no-sudo", help="Become root by sudo -n where the user is not root.")
    ] = True,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Gather logs, configuration and state from the nodes of a cluster, for hadiag analyze.

    Runs on a node or on a workstation, over your own ssh. Nothing is installed on the nodes; passwords, tokens and
    keys are removed there. The same command again goes on where the first one ended.

    Examples:

      hadiag collect --since -2h                       on a node, for all nodes of its cluster

      hadiag collect --nodes db1,db2 --since -6h -o case.tar.gz

      hadiag collect --script collect.sh; then on the node: sh collect.sh; then: hadiag collect --add hadiag-db3.stream
    """
    del debug
    from hadiag.collect.runner import Order

    window = _window(since, until)
    if script is not None:
        _write_script(script, window, via, until_now=until is None)
        return
    ssh = _ssh(config, ssh_option, user, sudo)
    chosen = _nodes(nodes, nodes_file, ask, ssh, wanted=not add)
    order = Order(output, chosen, window, _via(via), ssh, tuple(add or ()))
    if dry_run:
        from hadiag.collect.describe import dry_run as describe

        for line in describe(order):
            typer.echo(line)
        return
    raise typer.Exit(_run(order, quiet=quiet))


def _window(since: str, until: str | None) -> Window:
    from hadiag.cli.when import parse_when
    from hadiag.collect.plan import window
    from hadiag.model.time import NS

    first, last = parse_when(since), parse_when(until)
    found = window((first or 0) // NS, None if last is None else last // NS)
    if found.since >= found.until:
        raise UsageError(f"The window is empty: --since {since} is not before its end.")
    return found


def _via(via: str) -> str:
    from hadiag.collect.plan import VIA

    if via and via not in VIA:
        raise UsageError(f"--via knows {' and '.join(VIA)}, not {via!r}.")
    return via


def _ssh(config: str, options: Sequence[str] | None, user: str, sudo: bool) -> SshOptions:
    from hadiag.collect.ssh import SshOptions

    return SshOptions(config, tuple(options or ()), user, sudo)


def _nodes(
    names: Sequence[str] | None, path: str | None, ask: str | None, ssh: SshOptions, *, wanted: bool
) -> tuple[NodeSpec, ...]:
    import threading

    from hadiag.collect.nodes import discover, from_file, parse
    from hadiag.collect.ssh import Local, Remote

    if sum(given is not None for given in (names or None, path, ask)) > 1:
        raise UsageError("Give one of --nodes, --nodes-file and --from.")
    if names:
        return parse(names)
    if path:
        return from_file(path)
    if ask:
        return discover(Remote(ask, ssh), ask, threading.Event())
    return discover(Local(), "This machine", threading.Event()) if wanted else ()


def _write_script(target: str, window: Window, via: str, *, until_now: bool) -> None:
    from hadiag.collect.plan import steps
    from hadiag.collect.script import script

    write_file(target, script(steps(_via(via)), window, until_now=until_now))
    if target != "-":
        typer.echo(
            f"Run on the node, as root: sh {target}; then give the .stream file that it writes to: hadiag collect --add",
            err=True,
        )


def _run(order: Order, *, quiet: bool) -> int:
    from hadiag.collect.runner import collect as run

    with _progress(order, quiet=quiet) as on_progress:
        manifest = run(order, on_progress)
    _tell(manifest, order, quiet=quiet)
    if manifest.interrupted:
        return 130
    return {"complete": 0, "partial": 1, "nothing": 3}[manifest.result.value]


def _tell(manifest: Manifest, order: Order, *, quiet: bool) -> None:
    for row in manifest.missing:
        typer.echo(harmless(f"{row.node}: {row.what} is missing: {row.why}"), err=True)
    if quiet:
        return
    for name, node in sorted(manifest.nodes.items()):
        clock = f", clock {node.clock.offset_s:+.3f} s ± {node.clock.error_s:.3f} s" if node.clock else ""
        size = sum(step.bytes for step in node.steps.values()) / (1 << 20)
        typer.echo(harmless(f"{name}: {node.status.value}, {size:.1f} MB{clock}"))
    if any(node.steps for node in manifest.nodes.values()) and manifest.result.value != "nothing":
        typer.echo(f"Bundle: {order.output} ({manifest.result.value}). Next: hadiag analyze {order.output}")


@contextmanager
def _progress(order: Order, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar for each node and one for all, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.fields[node]}"),
        BarColumn(),
        TextColumn("{task.fields[size]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}", markup=False),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        total = bars.add_task("", total=len(order.nodes), node="all nodes", size="", doing="")
        tasks: dict[str, TaskID] = {}
        seen: dict[str, Progress] = {}

        def show(progress: Progress) -> None:
            if progress.node not in tasks:
                tasks[progress.node] = bars.add_task("", node=harmless(progress.node), size="", doing="")
            seen[progress.node] = progress
            bars.update(
                tasks[progress.node],
                total=progress.total,
                completed=progress.done,
                size=f"{progress.bytes / (1 << 20):.1f} MB",
                doing=harmless(progress.doing or progress.state),
            )
            ready = sum(each.state in {"done", "failed"} for each in seen.values())
            size = f"{sum(each.bytes for each in seen.values()) / (1 << 20):.1f} MB"
            slow = ", ".join(
                sorted(f"{each.node}: {each.doing}" for each in seen.values() if each.state == "collecting")
            )
            bars.update(total, completed=ready, size=size, doing=harmless(slow)[:60])

        yield show
