"""What is compared with what: hadiag's whole run and the tools that people use today, on the same data."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HADIAG: Final = f"{shlex.quote(sys.executable)} -m hadiag"
LITERAL: Final = "TOTEM"
"""The text that a plain search for a literal looks for."""
_LARGE: Final = 1_000_000_000
_FILTERS: Final = 28
_WORD: Final = {"wall": "wall", "cpu": "CPU"}
_DECODERS: Final = {"bz2": "bzip2 -dc", "xz": "xz -dc", "gz": "gzip -dc", "zst": "zstd -dcq"}


@dataclass(frozen=True, slots=True)
class Contest:
    """Two commands, the figure that is compared (``wall`` or ``cpu``), and the ratio that is the target."""

    name: str
    ours: str
    theirs: str
    what: str
    target: float
    needs: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Tools that are not installed."""
        return tuple(tool for tool in self.needs if shutil.which(tool) is None)


def analyze(bundle: Path) -> str:
    """The whole analysis with the shipped catalogue, verdict included."""
    return f"{HADIAG} analyze {shlex.quote(str(bundle))} --json"


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list of patterns for ripgrep, lnav and others: what it holds, where it is, and how ripgrep takes it."""

    name: str
    path: Path
    options: str = ""

    @property
    def search(self) -> str:
        """The command of ripgrep that counts the lines."""
        return f"rg -a -c {self.options}-f {shlex.quote(str(self.path))}"


def archive_contests(form: str, bundle: Path, patterns: Patterns, size: int) -> list[Contest]:
    """An archive against its decoder piped into a search for the same patterns."""
    decoder = _DECODERS[form]
    theirs = f"{decoder} {shlex.quote(str(bundle))} | {patterns.search}"
    what, target = ("wall", 0.45 if size >= _LARGE else 0.75) if form == "bz2" else ("cpu", 1.2)
    name = f"{form}: `{decoder} \\| rg -f` {patterns.name}, {_WORD[what]}"
    return [Contest(name, analyze(bundle), theirs, what, target, ("rg", decoder.split()[0]))]


def floor_contest(bundle: Path, size: int) -> Contest:
    """A bz2 archive against the fastest decoder and a search for one text."""
    theirs = f"lbzip2 -n2 -dc {shlex.quote(str(bundle))} | rg -a -c {LITERAL}"
    name = "bz2: `lbzip2 -n2 -dc \\| rg -a -c LITERAL`, wall"
    return Contest(name, analyze(bundle), theirs, "wall", 1.5 if size >= _LARGE else 2.0, ("rg", "lbzip2"))


def directory_contest(root: Path, patterns: Patterns) -> Contest:
    """A directory against a search of its files."""
    theirs = f"{patterns.search} {shlex.quote(str(root))}"
    return Contest(f"directory: `rg -f` {patterns.name}, CPU", analyze(root), theirs, "cpu", 1.2, ("rg",))


def lnav_script(patterns: Path, script: Path) -> int:
    """Write the script of filters for a list of patterns; the number of filters.

    PCRE takes no expression of all patterns, and lnav no more than 32 filters: so each filter joins as many as make the
    filters few enough. They ignore case unless they are told not to.
    """
    rows = patterns.read_text(encoding="utf-8").splitlines()
    room = sum(map(len, rows)) // _FILTERS + max(map(len, rows))
    filters: list[list[str]] = [[]]
    for row in rows:
        if sum(len(each) + 1 for each in filters[-1]) + len(row) > room:
            filters.append([])
        filters[-1].append(row)
    script.write_text("".join(f":filter-in (?-i){'|'.join(each)}\n" for each in filters), encoding="utf-8")
    return len(filters)


def lnav_contest(root: Path, patterns: Patterns, script: Path) -> Contest:
    """A directory against lnav, filtered by the same patterns."""
    lnav_script(patterns.path, script)
    # It says on standard error that it takes a filter or not, ends with 0 either way, and prints nothing then.
    theirs = f"lnav -n -r -f {shlex.quote(str(script))} {shlex.quote(str(root))} | (grep -a -m 1 -q . && cat || exit 2)"
    return Contest(f"directory: lnav, {patterns.name}, CPU", analyze(root), theirs, "cpu", 1 / 8, ("lnav",))


def crmsh_contest(bundle: Path) -> Contest:
    """A directory as crm report leaves it against ``crm history``: which nodes, which transitions, the log of the cluster.

    What crmsh keeps of an earlier run is removed first: with it, it reads nothing. Status 2 is a failure that the rounds see,
    as 1 is an answer of other commands.
    """
    place = shlex.quote(str(bundle))
    theirs = f"rm -f {place}/__meta.json; printf 'info\\nlog\\n' | crm -F -H {place} history || exit 2"
    return Contest("report: crm history info + log, CPU", analyze(bundle), theirs, "cpu", 1 / 2.5, ("crm",))


def insights_contest(log: Path, patterns: Path, python: str | None) -> Contest | None:
    """One log against insights-core's ``Messages`` parser keeping the same literals; None where it is not installed."""
    if python is None:
        return None
    code = (
        "import sys; from insights.parsers.messages import Messages; from insights.tests import context_wrap;"
        "words = [w.encode().decode('unicode_escape') for w in open(sys.argv[2]).read().splitlines()];"
        "Messages.keep_scan('hits', words, check=any);"
        "print(len(Messages(context_wrap(open(sys.argv[1], errors='replace').read())).hits))"
    )
    theirs = f"{python} -c {shlex.quote(code)} {shlex.quote(str(log))} {shlex.quote(str(patterns))} || exit 2"
    return Contest("one syslog: insights-core Messages, CPU", analyze(log), theirs, "cpu", 1 / 1.8, ())


def start_contests(bundle: Path, report: Path) -> list[Contest]:
    """The smallest runs, against what any Python program costs."""
    python = shlex.quote(sys.executable)
    html = f"{HADIAG} analyze {shlex.quote(str(bundle))} -q -o {shlex.quote(str(report))}"
    return [
        Contest(
            "2 MB bundle to HTML: `python -c 'import pandas'`, wall",
            html,
            f"{python} -c 'import pandas'",
            "wall",
            2.0,
            (),
        ),
        Contest("`--help`: bare interpreter, wall", f"{HADIAG} --help", f"{python} -c pass", "wall", 6.0, ()),
        Contest("`--version`: bare interpreter, wall", f"{HADIAG} --version", f"{python} -c pass", "wall", 3.0, ()),
    ]


def insights_python() -> str | None:
    """This interpreter, if insights-core is installed for it; else the one that ``HADIAG_BENCH_INSIGHTS`` names."""
    import os

    for python in (os.environ.get("HADIAG_BENCH_INSIGHTS"), sys.executable):
        if (
            python
            and not subprocess.run([python, "-c", "import insights"], capture_output=True, check=False).returncode
        ):
            return python
    return None
