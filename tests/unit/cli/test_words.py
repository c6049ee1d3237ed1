"""Words of a command line: converted without pydantic where that is enough, and like typer does it everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

from hadiag.cli.words import use_plain_words


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


def outcome(words: list[str], *, plain: bool) -> tuple[int, str, dict[str, Any]]:
    """Exit status, what is printed, and the values that a command gets."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    got: dict[str, Any] = {}

    @app.command()
    def command(  # noqa: PLR0917 - one argument for each kind of words
        inputs: list[str],
        colour: Annotated[Colour, typer.Option("--colour")] = Colour.RED,
        since: Annotated[str | None, typer.Option("--since", "-S")] = None,
        rules: Annotated[list[str] | None, typer.Option("--rules")] = None,
        most: Annotated[int, typer.Option("--most", min=1)] = 7,
        quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
    ) -> None:
        """Do something."""
        got.update(inputs=inputs, colour=colour, since=since, rules=rules, most=most, quiet=quiet)

    made = typer.main.get_command(app)
    if plain:
        use_plain_words(made)
    app_runner = CliRunner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", lambda _: made)
        result = app_runner.invoke(app, words)
    return result.exit_code, result.output, got


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a b -q",
        "a -S -2h",
        "-qS x --rules r --rules s a",
        "a --colour blue --most 3",
        "a --since=",
        "",
        "a --colour green",
        "a --most 0",
        "a --most many",
        "a --nope",
        "a -S",
        "--help",
        "-- -a",
        "a --colour BLUE",
    ],
)
def test_the_outcome_is_that_of_typer(line: str) -> None:
    """Values, messages and exit status are equal for right and wrong words."""
    told = outcome(line.split(), plain=False)
    assert outcome(line.split(), plain=True) == told
    assert told[2] or told[1]
