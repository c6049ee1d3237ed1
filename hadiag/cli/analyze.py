"""``hadiag analyze``: from bundles to the verdict and the report."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, progress, warning_line
from hadiag.cli.forms import forms_of, template_folder, write_figures, write_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hadiag.pipeline import Analysis

FORMS = ("html", "json", "md", "text", "csv", "pdf", "jsonl")


class FailOn(StrEnum):
    """Lowest severity that makes the exit status 1."""

    NEVER = "never"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("analyze")(analyze)


def analyze(
    inputs: shared.Inputs,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to write; the suffix decides the form (.html .pdf .json .md .csv .txt; .jsonl for all events); repeatable.",
        ),
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Write the result as JSON to standard output, and nothing else.")
    ] = False,
    format_: Annotated[str | None, typer.Option("--format", help="Form of an output without a known suffix.")] = None,
    since: shared.Since = None,
    until: shared.Until = None,
    figures: shared.Figures = None,
    template: shared.Template = None,
    rules: shared.Rules = None,
    cluster: shared.Cluster = None,
    names: shared.Nodes = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 if there is a finding at or above this.")
    ] = FailOn.NEVER,
    full: Annotated[bool, typer.Option("--full", help="Print more than the ten lines.")] = False,
    no_cache: shared.NoCache = False,
    quiet: shared.Quiet = False,
    verbose: shared.Verbose = False,
    debug: shared.Debug = False,
) -> None:
    """Analyze bundles of a cluster and say what happened, why, and what to do.

    Examples:

      hadiag analyze crm_report.tar.bz2

      hadiag analyze sosreport-node1.tar.xz sosreport-node2.tar.xz -o report.html

      hadiag analyze case/ -o case.html -o case.json -o case.pdf --figures slides/

      hadiag analyze case/ --json
    """
    del debug
    from hadiag.pipeline import analyze as run

    targets = ["-"] if json_ else output or ([] if figures else [default_name(inputs)])
    wanted = forms_of(targets, FORMS, "json" if json_ else format_)
    folder = template_folder(template)
    with progress(inputs, quiet=quiet or json_) as hooks:
        chosen = shared.make(
            rules=rules, cluster=cluster, since=since, until=until, names=names, cache=not no_cache, hooks=hooks
        )
        result = run(inputs, chosen, sys.stdin.buffer)
    for target, form in wanted:
        write_form(target, form, makers(result, folder, cache=not no_cache))
    written = [*targets, *(_figures(result, figures, folder) if figures else [])]
    if "-" not in targets:
        _say(result, written, folder, full=full, quiet=quiet, verbose=verbose, cache=not no_cache)
    raise typer.Exit(_status(result, fail_on))


def _say(
    result: Analysis, written: list[str], folder: Path | None, *, full: bool, quiet: bool, verbose: bool, cache: bool
) -> None:
    from hadiag.report.text import terminal_text
    from hadiag.report.words import read_words

    typer.echo(harmless(terminal_text(result.diagnosis, full=full, words=read_words(folder, cache=cache))))
    if not quiet:
        typer.echo(f"Report: {', '.join(written)}")
    _warnings(result, verbose=verbose)


def _warnings(result: Analysis, *, verbose: bool) -> None:
    rows = result.diagnosis.warnings
    if verbose:
        for warn in rows:
            typer.echo(warning_line(warn), err=True)
    elif rows:
        typer.echo(f"{len(rows)} warning(s) about the input; -v shows them, the report lists them.", err=True)


def default_name(inputs: list[str]) -> str:
    """Name of the report where none was given: ``./<bundle>.hadiag.html``."""
    first = Path(inputs[0]).name if inputs[0] not in {"-", ".", "/"} else "hadiag"
    for suffix in (".tar.bz2", ".tar.gz", ".tar.xz", ".tar.zst", ".tgz", ".tbz", ".txz", ".tar", ".zip"):
        first = first.removesuffix(suffix)
    return f"{first or 'hadiag'}.hadiag.html"


def makers(
    result: Analysis, folder: Path | None = None, *, cache: bool = True
) -> dict[str, Callable[[], str | Iterable[str]]]:
    """How each form of a result is made."""
    from hadiag.cli.timeline import incidents_by_event
    from hadiag.export.jsonl import timeline_lines
    from hadiag.report.machine import as_data, json_pieces
    from hadiag.report.markdown import markdown_of
    from hadiag.report.render import render_html
    from hadiag.report.tables import to_csv
    from hadiag.report.text import terminal_text
    from hadiag.report.words import read_words

    diagnosis, timeline = result.diagnosis, result.timeline
    return {
        "html": lambda: render_html(diagnosis, timeline, result.views, folder, result.surroundings, cache=cache),
        "json": lambda: json_pieces(diagnosis),
        "md": lambda: markdown_of(as_data(diagnosis), folder, cache=cache),
        "text": lambda: terminal_text(diagnosis, full=True, words=read_words(folder, cache=cache)) + "\n",
        "csv": lambda: to_csv(as_data(diagnosis)),
        "jsonl": lambda: timeline_lines(timeline.events, incidents_by_event(diagnosis.incidents)),
    }


def _figures(result: Analysis, directory: str, folder: Path | None) -> list[str]:
    from hadiag.report.machine import as_data
    from hadiag.report.scene import scene_of

    data = as_data(result.diagnosis)
    return write_figures(data, scene_of(data, result.timeline, result.views), directory, folder)


def _status(result: Analysis, fail_on: FailOn) -> int:
    from hadiag.model.entity import Severity
    from hadiag.model.tri import Tri

    if fail_on is FailOn.NEVER:
        return 0
    floor = Severity(fail_on.value).rank
    return 1 if any(f.severity.rank >= floor and f.holds is Tri.TRUE for f in result.diagnosis.findings) else 0
