"""The command tree. Everything heavy is imported inside the commands, so that help and completion answer at once."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from hadiag.errors import HadiagError

os.environ.setdefault("PYTHONHASHSEED", "0")

app = typer.Typer(
    name="hadiag",
    help=(
        "Log and incident diagnostics for Pacemaker, Corosync and pcs clusters.\n\nStart with: hadiag analyze BUNDLE"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        from hadiag import __version__

        typer.echo(f"hadiag {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Log and incident diagnostics for Pacemaker, Corosync and pcs clusters."""
    del version


def register() -> None:
    """Add all commands to the tree."""
    from hadiag.cli import analyze, collect_tree, explain, grep, look, parse, report, rules, timeline

    analyze.register(app)
    collect_tree.register(app)
    timeline.register(app)
    parse.register(app)
    rules.register(app)
    look.register(app)
    grep.register(app)
    explain.register(app)
    report.register(app)


def run() -> None:
    """Run the command line and end with the exit status of the contract."""
    # What an analysis makes lives until its end: the collector would walk all of it again and again.
    gc.set_threshold(200_000, 50, 1000)
    register()
    debug = "--debug" in sys.argv
    try:
        app()
    except HadiagError as error:
        if debug:
            raise
        typer.echo(f"hadiag: {error}", err=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        typer.echo("hadiag: interrupted.", err=True)
        sys.exit(130)
