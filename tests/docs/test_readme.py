"""The documentation names what there is."""

from __future__ import annotations

import re

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_every_command_is_shown() -> None:
    """Each command of the command line stands in the README."""
    import typer

    from hadiag.cli.app import app, register

    register()
    names = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    shown = set(re.findall(r"hadiag ([a-z-]+)", README))
    assert names - shown == set()


def test_first_screen() -> None:
    """The first screen has a picture and the two commands."""
    first = README.split("## Install")[0]
    assert "make demo" in first
    assert "make test" in first
    assert "docs/screenshots/report.png" in first
