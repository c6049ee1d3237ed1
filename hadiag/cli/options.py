"""Options that several commands share, and how they become the options of an analysis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.errors import UsageError

if TYPE_CHECKING:
    from hadiag.pipeline import Options

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Bundles, archives, directories or log files, of all nodes in one go; - reads standard input.",
        show_default=False,
    ),
]
Since = Annotated[
    str | None, typer.Option("--since", "-S", help="Only from this time on: 2026-11-22T10:00 (UTC), -2h, yesterday.")
]
Until = Annotated[str | None, typer.Option("--until", "-U", help="Only up to this time.")]
Rules = Annotated[
    list[str] | None, typer.Option("--rules", metavar="DIR", help="A rule pack beside the shipped one; repeatable.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="NAME", help="Which cluster, where there are several.")
]
Nodes = Annotated[
    list[str] | None, typer.Option("--node", metavar="NODE=PATH", help="Say whose logs lie below a path; repeatable.")
]
Figures = Annotated[
    str | None, typer.Option("--figures", metavar="DIR", help="Write the figures there as SVG, PNG and PDF.")
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="DIR",
        help="Own sections, assets and brand.yaml, used before the shipped ones.  [default: /etc/hadiag/report]",
    ),
]
NodeFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--node", metavar="NODE", help="Only what these nodes logged, or NODE=PATH to say whose logs lie where."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show warnings about the input.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache of compiled patterns.")]


def names_of(pairs: Sequence[str] | None) -> dict[str, str]:
    """Split ``NODE=PATH`` pairs.

    Raises:
        UsageError: a pair has no equals sign.
    """
    found = {}
    for pair in pairs or ():
        name, sign, path = pair.partition("=")
        if not sign or not name or not path:
            raise UsageError(f"--node wants NODE=PATH, not {pair!r}.")
        found[name] = path
    return found


def make(
    *,
    rules: Sequence[str] | None = None,
    cluster: str | None = None,
    since: str | None = None,
    until: str | None = None,
    names: Sequence[str] | None = None,
    cache: bool = True,
    hooks: tuple[Callable[[int, int], None] | None, Callable[[str], None] | None] = (None, None),
) -> Options:
    """Put the options of an analysis together."""
    from hadiag.cli.when import parse_when
    from hadiag.pipeline import Options

    return Options(
        rules=tuple(rules or ()),
        cluster=cluster,
        since_ns=parse_when(since),
        until_ns=parse_when(until),
        names=names_of(names),
        cache=cache,
        on_bytes=hooks[0],
        on_stage=hooks[1],
    )
