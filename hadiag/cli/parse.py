"""``hadiag parse``: what the line formats read from one file, line by line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, cast

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, warning_line
from hadiag.errors import NoInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.catalogue import Catalogue
    from hadiag.model.source import Artifact
    from hadiag.model.time import LoggedTime
    from hadiag.pipeline import Options
    from hadiag.timeline import LogFile


_HELD: Final = 256 << 20
"""Bytes of standard input that are held to be read twice: for its clocks, then for its lines."""


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

    The time is UTC where the line states its offset, or where other lines of the log prove year and zone. What nothing proves
    is said at the end, with what an analysis would assume.
    """
    del debug
    from hadiag import formats
    from hadiag.catalogue import Matcher
    from hadiag.export.jsonl import record_row
    from hadiag.pipeline import load_catalogue
    from hadiag.scan.stream import Rejoined

    options = shared.make(rules=rules, cache=not no_cache)
    catalogue = load_catalogue(options)
    matcher = Matcher(catalogue)
    held = sys.stdin.buffer.read(_HELD) if file == "-" else b""
    rest = sys.stdin.buffer if file == "-" else io.BytesIO()
    whole = file == "-" and len(held) < _HELD
    clocks = _clocks(file, catalogue, options, held) if whole or Path(file).is_file() else {}
    found, open_ = False, _Open()
    for artifact in _artifacts(file, Rejoined(held, rest)):
        clock = clocks.get((str(artifact.bundle), artifact.path))
        for record in formats.parse_file(artifact.stream, artifact.path, artifact.bundle):
            found = True
            candidates = matcher.candidates(record.message)
            match = matcher.match(record.program, record.message, record.details, candidates)
            utc = clock.proven_utc(record.time, record.ref.line) if clock and record.time else None
            open_.see(record.time, utc)
            row = record_row(record, match.type if match else None, match.fields if match else {}, utc)
            sys.stdout.write(_line(row, jsonl=jsonl))
    if not found:
        raise NoInputError(f"{file} holds no line that can be read. Give a log file.")
    if sentence := open_.sentence(whole=whole or file != "-"):
        typer.echo(harmless(f"warning: {sentence}"), err=True)


class _Open:
    """What no line proves of the times."""

    def __init__(self) -> None:
        self.count = 0
        self.year = False

    def see(self, time: LoggedTime | None, utc: int | None) -> None:
        """Count a time without UTC."""
        if time is not None and utc is None and time.utc_offset_s is None:
            self.count += 1
            self.year |= not time.has_year

    def sentence(self, *, whole: bool) -> str:
        """One sentence, empty where all is proven."""
        if not self.count:
            return ""
        what = "year and zone" if self.year else "the zone"
        assumed = "UTC, in the newest year that is not in the future" if self.year else "UTC"
        why = "" if whole else f" (standard input is longer than {_HELD >> 20} MiB, so its lines were read once only)"
        return f"Nothing proves {what} of {self.count} of the times{why}; their UTC is left out. An analysis would assume {assumed}."


def _artifacts(file: str, source: io.RawIOBase) -> Iterator[Artifact]:
    from hadiag.sources import Inputs

    if file != "-" and not Path(file).is_file():
        raise NoInputError(f"{file} does not exist or is no file.")
    inputs = Inputs([file], stdin=cast("BinaryIO", source))
    yield from inputs
    for _, warn in inputs.warnings:
        typer.echo(warning_line(warn), err=True)


def _clocks(file: str, catalogue: Catalogue, options: Options, held: bytes) -> dict[tuple[str, str], LogFile]:
    """Clocks of the logs in a file, or in what was held of standard input, from what their own lines prove."""
    from hadiag.pipeline import read_inputs
    from hadiag.timeline import wall_clocks

    try:
        reading = read_inputs([file], catalogue, options, io.BytesIO(held))
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
