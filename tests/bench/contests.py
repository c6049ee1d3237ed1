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


def archive_contests(form: str, bundle: Path, patterns: Path, size: int) -> list[Contest]:
    """An archive against its decoder piped into a search for the same patterns."""
    packed, found = shlex.quote(str(bundle)), f"rg -a -c -f {shlex.quote(str(patterns))}"
    ours = analyze(bundle)
    decoder = _DECODERS[form]
    if form != "bz2":
        return [
            Contest(
                f"{form}: `{decoder} \\| rg -f patterns`, CPU",
                ours,
                f"{decoder} {packed} | {found}",
                "cpu",
                1.2,
                ("rg", decoder.split()[0]),
            )
        ]
    large = size >= 1_000_000_000
    plain = f"{decoder} {packed} | {found}"
    floor = f"lbzip2 -n2 -dc {packed} | rg -a -c {LITERAL}"
    return [
        Contest(
            "bz2: `bzip2 -dc \\| rg -a -c -f patterns`, wall",
            ours,
            plain,
            "wall",
            0.45 if large else 0.75,
            ("rg", "bzip2"),
        ),
        Contest(
            "bz2: `lbzip2 -n2 -dc \\| rg -a -c LITERAL`, wall",
            ours,
            floor,
            "wall",
            1.5 if large else 2.0,
            ("rg", "lbzip2"),
        ),
    ]


def directory_contest(root: Path, patterns: Path) -> Contest:
    """A directory against a search of its files."""
    theirs = f"rg -a -c -f {shlex.quote(str(patterns))} {shlex.quote(str(root))}"
    return Contest("directory: `rg -a -c -f patterns`, CPU", analyze(root), theirs, "cpu", 1.2, ("rg",))


def lnav_contest(root: Path, patterns: Path, script: Path) -> Contest:
    """A directory against lnav, filtered by the same patterns."""
    joined = "|".join(patterns.read_text(encoding="utf-8").splitlines())
    script.write_text(f":filter-in {joined}\n", encoding="utf-8")
    theirs = f"lnav -n -r -f {shlex.quote(str(script))} {shlex.quote(str(root))}"
    return Contest("directory: lnav with the same patterns, CPU", analyze(root), theirs, "cpu", 1 / 8, ("lnav",))


def crmsh_contest(bundle: Path) -> Contest:
    """A bundle against ``crm history``: which nodes, which transitions, the log of the cluster."""
    script = "info\\nlog\\n"
    theirs = f"printf '{script}' | crm -F -H {shlex.quote(str(bundle))} history"
    return Contest("bundle: crm history info + log, CPU", analyze(bundle), theirs, "cpu", 1 / 2.5, ("crm",))


def insights_contest(log: Path, patterns: Path, python: str | None) -> Contest | None:
    """One log against insights-core's ``Messages`` parser keeping the same literals; None where it is not installed."""
    if python is None:
        return None
    code = (
        "import sys; from insights.parsers.messages import Messages; from insights.tests import context_wrap;"
        "words = [w.encode().decode('unicode_escape').strip() for w in open(sys.argv[2]).read().splitlines()];"
        "Messages.keep_scan('hits', words, check=any);"
        "print(len(Messages(context_wrap(open(sys.argv[1], errors='replace').read())).hits))"
    )
    theirs = f"{python} -c {shlex.quote(code)} {shlex.quote(str(log))} {shlex.quote(str(patterns))}"
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
