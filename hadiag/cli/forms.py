"""The forms in which a result is written, chosen by the names of the outputs; and the user's own templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hadiag.cli.console import write_file
from hadiag.errors import OutputError, UsageError

if TYPE_CHECKING:
    from hadiag.report.scene import Scene

SUFFIXES = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "md",
    ".txt": "text",
    ".csv": "csv",
    ".pdf": "pdf",
    ".jsonl": "jsonl",
}
TEMPLATES = Path("/etc/hadiag/report")
"""Templates and ``brand.yaml`` of the whole machine, used where no others are named."""


def forms_of(targets: Sequence[str], allowed: Sequence[str], named: str | None = None) -> list[tuple[str, str]]:
    """Pair each output with its form: by ``named`` (for those without a known suffix), or by its suffix.

    Raises:
        UsageError: the form of an output is not clear, or this command cannot write it.
    """
    if named is not None and named not in allowed:
        raise UsageError(f"There is no form {named!r}; choose {', '.join(allowed)}.")
    found = []
    for target in targets:
        form = SUFFIXES.get(Path(target).suffix.lower()) or named
        if form is None or form not in allowed:
            names = ", ".join(f".{name}" if name != "text" else ".txt" for name in allowed)
            raise UsageError(f"The form of {target} is not clear. End its name with one of {names}, or give --format.")
        found.append((target, form))
    return found


def template_folder(named: str | None) -> Path | None:
    """Directory of the user's own templates: the named one, else that of the machine, else none.

    Raises:
        UsageError: the named directory does not exist.
    """
    if named is None:
        return TEMPLATES if TEMPLATES.is_dir() else None
    if not Path(named).is_dir():
        raise UsageError(f"The template directory {named} does not exist.")
    return Path(named)


def write_form(target: str, form: str, makers: Mapping[str, Callable[[], str | Iterable[str]]]) -> None:
    """Write one form of a result; a PDF is the page, printed.

    Raises:
        OutputError: the output cannot be written.
        UsageError: a template has an error, or no browser is there to print.
    """
    if form == "pdf":
        from hadiag.report.printed import write_pdf

        write_pdf("".join(makers["html"]()), Path(target))
        return
    write_file(target, makers[form]())


def write_figures(data: Mapping[str, Any], scene: Scene, directory: str, folder: Path | None) -> list[str]:
    """Write the figures of a result, in the language of a template directory.

    Raises:
        OutputError: they cannot be written there.
    """
    from hadiag.report.figures import write_figures as write
    from hadiag.report.words import read_words

    try:
        return [str(path) for path in write(data, scene, Path(directory), read_words(folder))]
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"The figures cannot be written to {directory}: {reason}.") from error
