"""The command tree. Everything heavy is imported inside the commands, so that help and completion answer at once."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Annotated, Final

import typer
import typer.main

from hadiag.cli.words import use_plain_words
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


_COMMANDS: Final = {
    "analyze": ("analyze", "Analyze bundles of a cluster and say what happened, why, and what to do."),
    "collect": (
        "collect_tree",
        "Gather logs, configuration and state from the nodes of a cluster, for hadiag analyze.",
    ),
    "timeline": ("timeline", "Print the events of all nodes on one timeline in UTC."),
    "parse": ("parse", "Print one record for each line of a log, recognised as an event or not."),
    "explain-line": ("rules", "Say what a log line means, who prints it, and what to look at next."),
    "whois": ("look", "Say who a name, a node id or an address is."),
    "state": (
        "look",
        "Show what each node believed at a moment: membership, quorum, DC, fencing, resources, changes of the configuration.",
    ),
    "coverage": ("look", "Show which log of which node covers what, and how much of it was recognised."),
    "grep": ("grep", "Search all lines of all nodes, known as an event or not, and print them on one clock in UTC."),
    "explain": (
        "explain",
        "Explain an incident, a finding or an event of a result; say why a cause is not the answer.",
    ),
    "report": ("report", "Render a stored result again: the page, the review text, tables, figures."),
    "rules": ("rules", "List, show, check and test the rule packs."),
}
"""The module of each command, and the first sentence of its help: enough for the help of the tree."""


def register(names: Iterable[str] = _COMMANDS, *, tree: typer.Typer = app) -> None:
    """Add the commands of these names to the tree, and those that stand in the same modules."""
    for module in dict.fromkeys(_COMMANDS[name][0] for name in names):
        import_module(f"hadiag.cli.{module}").register(tree)


def outline(*, tree: typer.Typer = app) -> None:
    """Add the names of all commands to the tree, with the first sentence of their help and nothing behind them."""
    for name, (_, summary) in _COMMANDS.items():
        tree.command(name, help=summary)(_nothing)


def _nothing() -> None:
    """Stands for a command that only its name is needed of."""


def _plant(arguments: Sequence[str]) -> Callable[[], object]:
    """The tree with what a command line needs: to make the options of all commands takes longer than to start Python."""
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    if first in _COMMANDS:
        register([first])
    elif (
        first is None and (not arguments or {"-h", "--help"} & set(arguments)) and "_HADIAG_COMPLETE" not in os.environ
    ):
        outline()
        return typer.main.get_command(app)
    else:
        register()
    made = typer.main.get_command(app)
    use_plain_words(made)
    return made


def run() -> None:
    """Run the command line and end with the exit status of the contract."""
    # What an analysis makes lives until its end: the collector would walk all of it again and again.
    gc.set_threshold(200_000, 50, 1000)
    command = _plant(sys.argv[1:])
    debug = "--debug" in sys.argv
    try:
        command()
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
