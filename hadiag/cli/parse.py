"""``hadiag parse``: what the line formats read from one file, line by line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless
from hadiag.errors import NoInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.catalogue import Catalogue
    from hadiag.model.source import Artifact
    from hadiag.pipeline import Options
    from hadiag.timeline import LogFile


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("parse")(parse)


def parse(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A log file, compressed or not; - reads standard input.")],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One record a line as JSON.")] = False,
    rules: shared.Rules = None,
    no_cache: shared.NoCache = False,
    debug: shared.Debug = False,
) -> None:
    """Print one record for each line of a log, recognised as an event or not.

    The time is UTC where the line states its offset, or where other lines of the log prove year and zone.
    """
    del debug
    from hadiag import formats
    from hadiag.catalogue import Matcher
    from hadiag.export.jsonl import record_row
    from hadiag.pipeline import load_catalogue

    options = shared.make(rules=rules, cache=not no_cache)
    catalogue = load_catalogue(options)
    matcher = Matcher(catalogue)
    clocks = {} if file == "-" or not Path(file).is_file() else _clocks(file, catalogue, options)
    found = False
    for artifact in _artifacts(file):
        clock = clocks.get((str(artifact.bundle), artifact.path))
        for record in formats.parse_file(artifact.stream, artifact.path, artifact.bundle):
            found = True
            candidates = matcher.candidates(record.message)
            match = matcher.match(record.program, record.message, record.details, candidates)
            utc = clock.proven_utc(record.time, record.ref.line) if clock and record.time else None
            row = record_row(record, match.type if match else None, match.fields if match else {}, utc)
            sys.stdout.write(_line(row, jsonl=jsonl))
    if not found:
        raise NoInputError(f"{file} holds no line that can be read. Give a log file.")


def _artifacts(file: str) -> Iterator[Artifact]:
    from hadiag.sources import Inputs

    source: BinaryIO | None = sys.stdin.buffer if file == "-" else None
    if file != "-" and not Path(file).is_file():
        raise NoInputError(f"{file} does not exist or is no file.")
    inputs = Inputs([file], stdin=source or io.BytesIO())
    yield from inputs
    for _, warn in inputs.warnings:
        typer.echo(harmless(f"warning: {warn.message}"), err=True)


def _clocks(file: str, catalogue: Catalogue, options: Options) -> dict[tuple[str, str], LogFile]:
    """Clocks of the logs in a file, from what their own lines prove; standard input is read once, so it has none."""
    from hadiag.pipeline import read_inputs
    from hadiag.timeline import wall_clocks

    try:
        reading = read_inputs([file], catalogue, options)
    except NoInputError:
        return {}
    return wall_clocks(reading.events, reading.logs, reading.facts)


def _line(row: dict[str, object], *, jsonl: bool) -> str:
    if jsonl:
        return json.dumps(row, ensure_ascii=False) + "\n"
    parts = [row["line"], row["format"] or "?", row["logged"] or "-", row["host"] or "-", row["program"] or "-"]
    return (
        harmless("\t".join(str(part) for part in (*parts, row["level"] or "-", row["event"] or "-", row["message"])))
        + "\n"
    )
