"""``hadiag report``: render a stored result again, without the bundle it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import write_file
from hadiag.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMS = {".html": "html", ".htm": "html", ".md": "md", ".csv": "csv", ".pdf": "pdf"}


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
    figures: Annotated[
        str | None, typer.Option("--figures", metavar="DIR", help="Write the figures there as SVG, PNG and PDF.")
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template", metavar="DIR", help="Own sections, assets and brand.yaml, used before the shipped ones."
        ),
    ] = None,
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

    data = read_result(result)
    folder = _folder(template)
    targets = output or ([] if figures else [_default(result)])
    for target in targets:
        _write(data, target, folder)
    written = [*targets, *(_figures(data, figures) if figures else [])]
    if not quiet and "-" not in targets:
        typer.echo(f"Written: {', '.join(written)}")


def _folder(template: str | None) -> Path | None:
    if template is None:
        return None
    if not Path(template).is_dir():
        raise UsageError(f"The template directory {template} does not exist.")
    return Path(template)


def _default(result: str) -> str:
    name = "hadiag" if result == "-" else Path(result).name.removesuffix(".json")
    return f"{name.removesuffix('.hadiag')}.hadiag.html"


def _write(data: Mapping[str, Any], target: str, folder: Path | None) -> None:
    form = "html" if target == "-" else _FORMS.get(Path(target).suffix.lower())
    if form is None:
        raise UsageError(f"The form of {target} is not clear. End its name with {', '.join(_FORMS)}.")
    if form == "pdf":
        from hadiag.report.printed import write_pdf

        write_pdf(_html(data, folder), Path(target))
        return
    makers: dict[str, Callable[[], str]] = {
        "html": lambda: _html(data, folder),
        "md": lambda: _markdown(data, folder),
        "csv": lambda: _csv(data),
    }
    write_file(target, makers[form]())


def _html(data: Mapping[str, Any], folder: Path | None) -> str:
    from hadiag.report.render import render_result

    return render_result(data, folder)


def _markdown(data: Mapping[str, Any], folder: Path | None) -> str:
    from hadiag.report.markdown import markdown_of

    return markdown_of(data, folder)


def _csv(data: Mapping[str, Any]) -> str:
    from hadiag.report.tables import to_csv

    return to_csv(data)


def _figures(data: Mapping[str, Any], directory: str) -> list[str]:
    from hadiag.report.figures import write_figures
    from hadiag.report.scene import scene_of_result

    try:
        return [str(path) for path in write_figures(data, scene_of_result(data), Path(directory))]
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"The figures cannot be written to {directory}: {reason}.") from error
