"""``hadiag analyze``: from bundles to the verdict and the report."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, progress, write_file
from hadiag.errors import UsageError

if TYPE_CHECKING:
    from hadiag.pipeline import Analysis

_SUFFIXES = {".html": "html", ".htm": "html", ".json": "json", ".md": "md", ".txt": "text"}


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
            "--output", "-o", help="Where to write; the suffix decides the form (.html .json .md .txt); repeatable."
        ),
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Write the result as JSON to standard output, and nothing else.")
    ] = False,
    format_: Annotated[str | None, typer.Option("--format", help="Form of an output without a known suffix.")] = None,
    since: shared.Since = None,
    until: shared.Until = None,
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

      hadiag analyze case/ --json
    """
    del debug
    from hadiag.pipeline import analyze as run

    with progress(inputs, quiet=quiet or json_) as hooks:
        chosen = shared.make(
            rules=rules, cluster=cluster, since=since, until=until, names=names, cache=not no_cache, hooks=hooks
        )
        result = run(inputs, chosen, sys.stdin.buffer)
    if json_:
        _write(result, "-", "json")
    else:
        _reports(result, inputs, output or [], format_, full=full, quiet=quiet, verbose=verbose)
    raise typer.Exit(_status(result, fail_on))


def _reports(
    result: Analysis,
    inputs: list[str],
    outputs: list[str],
    format_: str | None,
    *,
    full: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    from hadiag.report.text import terminal_text

    targets = outputs or [default_name(inputs)]
    for target in targets:
        _write(result, target, format_ or _form(target))
    if "-" in targets:
        return
    typer.echo(harmless(terminal_text(result.diagnosis, full=full)))
    if not quiet:
        typer.echo(f"Report: {', '.join(targets)}")
    _warnings(result, verbose=verbose)


def _warnings(result: Analysis, *, verbose: bool) -> None:
    rows = result.diagnosis.warnings
    if verbose:
        for warn in rows:
            typer.echo(harmless(f"warning: {warn.message}"), err=True)
    elif rows:
        typer.echo(f"{len(rows)} warning(s) about the input; -v shows them, the report lists them.", err=True)


def default_name(inputs: list[str]) -> str:
    """Name of the report where none was given: ``./<bundle>.hadiag.html``."""
    first = Path(inputs[0]).name if inputs[0] not in {"-", ".", "/"} else "hadiag"
    for suffix in (".tar.bz2", ".tar.gz", ".tar.xz", ".tar.zst", ".tgz", ".tbz", ".txz", ".tar", ".zip"):
        first = first.removesuffix(suffix)
    return f"{first or 'hadiag'}.hadiag.html"


def _form(target: str) -> str:
    form = _SUFFIXES.get(Path(target).suffix.lower())
    if form is None:
        raise UsageError(
            f"The form of {target} is not clear. End its name with .html, .json, .md or .txt, or give --format."
        )
    return form


def _write(result: Analysis, target: str, form: str) -> None:
    write_file(target, render(result, form))


def render(result: Analysis, form: str) -> str:
    """Render a result as ``html``, ``json``, ``md`` or ``text``.

    Raises:
        UsageError: another form.
    """
    if form == "json":
        from hadiag.report.machine import to_json

        return to_json(result.diagnosis)
    if form == "html":
        from hadiag.report.render import render_html

        return render_html(result.diagnosis, result.timeline, result.views, lines=result.surroundings)
    if form == "md":
        from hadiag.report.markdown import to_markdown

        return to_markdown(result.diagnosis)
    if form == "text":
        from hadiag.report.text import terminal_text

        return terminal_text(result.diagnosis, full=True) + "\n"
    raise UsageError(f"There is no form {form!r}; choose html, json, md or text.")


def _status(result: Analysis, fail_on: FailOn) -> int:
    from hadiag.model.entity import Severity
    from hadiag.model.tri import Tri

    if fail_on is FailOn.NEVER:
        return 0
    floor = Severity(fail_on.value).rank
    return 1 if any(f.severity.rank >= floor and f.holds is Tri.TRUE for f in result.diagnosis.findings) else 0
