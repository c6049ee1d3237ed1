"""``hadiag report``: render a stored result again, without the bundle it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hadiag.cli import options as shared
from hadiag.cli.forms import forms_of, template_folder, write_figures, write_form

FORMS = ("html", "md", "csv", "pdf")


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("report")(report)


def report(
    result: Annotated[
        str, typer.Argument(metavar="RESULT.json", help="A result of hadiag analyze -o result.json; - reads it.")
    ],
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", help="Where to write: .html, .md, .csv or .pdf; repeatable."),
    ] = None,
    figures: shared.Figures = None,
    template: shared.Template = None,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Render a stored result again: the page, the review text, tables, figures.

    Examples:

      hadiag report result.json -o report.html

      hadiag report result.json --figures slides/

      hadiag report result.json -o report.html --template /etc/hadiag/report
    """
    del debug
    from hadiag.report.schema import read_result

    targets = output or ([] if figures else [_default(result)])
    wanted = forms_of(targets, FORMS, "html" if "-" in targets else None)
    folder = template_folder(template)
    data = read_result(result)
    for target, form in wanted:
        write_form(target, form, _makers(data, folder))
    written = [*targets, *(_figures(data, figures, folder) if figures else [])]
    if not quiet and "-" not in targets:
        typer.echo(f"Written: {', '.join(written)}")


def _default(result: str) -> str:
    name = "hadiag" if result == "-" else Path(result).name.removesuffix(".json")
    return f"{name.removesuffix('.hadiag')}.hadiag.html"


def _makers(data: Mapping[str, Any], folder: Path | None) -> dict[str, Callable[[], str | Iterable[str]]]:
    from hadiag.report.markdown import markdown_of
    from hadiag.report.render import render_result
    from hadiag.report.tables import to_csv

    return {
        "html": lambda: render_result(data, folder),
        "md": lambda: markdown_of(data, folder),
        "csv": lambda: to_csv(data),
    }


def _figures(data: Mapping[str, Any], directory: str, folder: Path | None) -> list[str]:
    from hadiag.report.scene import scene_of_result

    return write_figures(data, scene_of_result(data), directory, folder)
