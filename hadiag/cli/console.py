"""What the command line prints: progress on standard error, hostile text made harmless, files written whole."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hadiag.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hadiag.model.source import Warn

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Take control characters, ANSI sequences and direction marks out of a text from a log."""
    return _CONTROL.sub("", text)


def warning_line(warn: Warn) -> str:
    """One line of a warning, with the place where the sentence does not tell it."""
    place = f"{warn.where}: " if warn.where and warn.where not in warn.message else ""
    return harmless(f"warning: {place}{warn.message}")


@contextmanager
def progress(
    paths: Sequence[str], *, quiet: bool
) -> Iterator[tuple[Callable[[int, int], None] | None, Callable[[str], None] | None]]:
    """A progress bar over the bytes of the inputs, on a terminal only.

    Yields the hooks for bytes read and for the stage of work; both are None where nothing shall be shown.
    """
    if quiet or not sys.stderr.isatty():
        yield None, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading the inputs", total=_size(paths))
        done: dict[int, int] = {}

        def on_bytes(index: int, count: int) -> None:
            done[index] = count
            bar.update(task, completed=sum(done.values()))

        yield on_bytes, lambda stage: bar.update(task, description=stage)


def _size(paths: Sequence[str]) -> int | None:
    total = 0
    for name in paths:
        path = Path(name)
        if name == "-" or not path.exists():
            return None
        total += sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size
    return total


def write_file(path: str, text: str | Iterable[str]) -> None:
    """Write a text, whole or in pieces, to a file, all of it or nothing; ``-`` is standard output.

    Raises:
        OutputError: the file cannot be written.
    """
    pieces = (text,) if isinstance(text, str) else text
    if path == "-":
        sys.stdout.writelines(pieces)
        return
    target = Path(path)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {reason}. Choose another place with -o.") from error
