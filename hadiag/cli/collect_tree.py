"""``hadiag collect`` in the command tree: there for the list of commands; its options and its work are its own."""

from __future__ import annotations

import typer

from hadiag.cli.collect_help import SUMMARY

_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("collect", help=SUMMARY, context_settings=_ANYTHING, add_help_option=False)(_collect)


def _collect(context: typer.Context) -> None:
    from hadiag.cli import collect

    raise typer.Exit(collect.main(context.args))
