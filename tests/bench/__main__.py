"""``python -m tests.bench``: generate bundles, run hadiag and its peers on them in turn, print a table of ratios.

The table is Markdown; the parts are ``speed`` (archives and the directory against decoders and ripgrep), ``peers`` (lnav,
crmsh, insights-core), ``start`` (a small bundle, ``--help``), ``growth`` (size, nodes, events, rules) and ``storm``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import contests
from tests.bench.contests import HADIAG, Contest
from tests.bench.generate import pack
from tests.bench.measure import Rounds, run_once
from tests.bench.recall import recall
from tests.bench.storm import write_storm

_UNITS = {"kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}


def size_of(text: str) -> int:
    """Read ``100MB`` as bytes.

    Raises:
        ValueError: the text is no size.
    """
    lower = text.strip().lower()
    number, unit = lower[:-2], lower[-2:]
    if unit not in _UNITS:
        raise ValueError(f"{text!r} is no size; try 100MB")
    return int(float(number) * _UNITS[unit])


class Bench:
    """One run of the benchmark: where its files are, and how often things are repeated."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.work = Path(chosen.work).absolute()
        self.work.mkdir(parents=True, exist_ok=True)
        self.patterns = self.work / "patterns.txt"
        # As an installed package: compiled modules at hand, and a cache of its own.
        self.environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self.environment |= {"PYTHONPYCACHEPREFIX": str(self.work / "pyc"), "XDG_CACHE_HOME": str(self.work / "cache")}
        run_once(f"{HADIAG} rules export --regex", self.environment, self.patterns)

    def bundle(self, size: str, mix: str, nodes: int = 2) -> Path:
        """The directory of a generated bundle, made once."""
        root = self.work / f"{mix}-{size.lower()}-{nodes}" / "case"
        if not root.with_name("truth.json").exists():
            words = (str(root), str(size_of(size)), mix, str(nodes), str(self.chosen.seed))
            subprocess.run([sys.executable, "-m", "tests.bench.generate", *words], check=True)
        return root

    def archive(self, root: Path, form: str) -> Path:
        """An archive of a generated bundle, made once."""
        target = root.with_name(f"{root.name}.tar.{form}")
        return target if target.exists() else pack(root, form)

    def compare(self, rows: Sequence[Contest]) -> None:
        """Run contests in turn and print a row for each."""
        able = [row for row in rows if not row.missing]
        commands = {command: command for row in able for command in (row.ours, row.theirs)}
        rounds = Rounds()
        rounds.take(commands, self.chosen.rounds, self.environment)
        for row in rows:
            if row.missing:
                _row(row.name, f"{row.target:.3g}", f"not run: {', '.join(row.missing)} is not installed", "", "")
                continue
            ratio, memory = rounds.ratio(row.ours, row.theirs, row.what), rounds.of(row.ours, "memory").median
            ours, theirs = (rounds.of(command, row.what).median for command in (row.ours, row.theirs))
            mark = "" if ratio.median <= row.target else " **over**"
            _row(row.name, f"{row.target:.3g}", f"{ratio}{mark}", f"{ours:.2f} / {theirs:.2f} s", f"{memory:.0f} MB")

    def speed(self) -> None:
        """Archives and the directory against decoders and searches; recall and memory."""
        for mix in self.chosen.mix.split(","):
            root = self.bundle(self.chosen.size, mix)
            _title(f"{self.chosen.size} of logs, mix {mix}")
            rows = []
            for form in self.chosen.forms.split(","):
                if form == "dir":
                    rows.append(contests.directory_contest(root, self.patterns))
                else:
                    rows += contests.archive_contests(
                        form, self.archive(root, form), self.patterns, size_of(self.chosen.size)
                    )
            self.compare(rows)
            self.check(root)

    def check(self, root: Path) -> None:
        """Recall of the planted lines, kept rows and peak memory of one run over the directory."""
        rows = self.work / "timeline.jsonl"
        run_once(f"{HADIAG} timeline {shlex.quote(str(root))} --jsonl", self.environment, rows)
        shown, planted, kept = recall(root.with_name("truth.json"), rows, "")
        run = run_once(contests.analyze(root), self.environment)
        limit = 170 + kept * 1024 / 1e6
        mark = "" if run.memory <= limit else " **over**"
        _row(
            "recall of planted lines",
            "100 %",
            f"{shown} of {planted}{'' if shown == planted else ' **short**'}",
            "",
            "",
        )
        _row(
            "peak memory", f"{limit:.0f} MB", f"{run.memory:.0f} MB for {kept} kept rows{mark}", f"{run.wall:.1f} s", ""
        )

    def peers(self) -> None:
        """The tools that read cluster logs, on their own jobs."""
        root = self.bundle(self.chosen.peer_size, "days")
        _title(f"{self.chosen.peer_size} of logs, other tools")
        rows = [
            contests.lnav_contest(root, self.patterns, self.work / "filter.lnav"),
            contests.crmsh_contest(self.archive(root, "bz2")),
        ]
        small = self.bundle("2MB", "days") / "b1" / "syslog"
        insights = contests.insights_contest(small, self.patterns, contests.insights_python())
        self.compare([*rows, *([insights] if insights else [])])
        if insights is None:
            _row("one syslog: insights-core Messages, CPU", "0.556", "not run: insights-core is not installed", "", "")

    def start(self) -> None:
        """What does not depend on the size."""
        _title("start")
        bundle = self.archive(self.bundle("2MB", "days"), "bz2")
        self.compare(contests.start_contests(bundle, self.work / "report.html"))

    def growth(self) -> None:
        """Time and memory of the analysis by size, nodes, events and rules."""
        _say("\n| what grows | value | CPU s | wall s | peak MB |\n|---|---|---|---|---|")
        for size in self.chosen.sizes.split(","):
            self._grow("size, mix days", size, contests.analyze(self.bundle(size, "days")))
        for nodes in (2, 4, 8):
            self._grow("nodes, 20 MB", str(nodes), contests.analyze(self.bundle("20MB", "days", nodes)))
        for mix in ("days", "dense"):
            self._grow("events, 10 MB", mix, contests.analyze(self.bundle("10MB", mix)))
        root = self.bundle("20MB", "days")
        order = self.work / "patterns.order"
        for count in (100, 300, 1000):
            command = f"{shlex.quote(sys.executable)} -m tests.bench.reading {shlex.quote(str(root))} {count} {shlex.quote(str(order))}"
            self._grow("patterns, reading 20 MB", str(count), command)

    def _grow(self, name: str, value: str, command: str) -> None:
        rounds = Rounds()
        rounds.take({name: command}, 3, self.environment)
        cpu, wall, memory = (rounds.of(name, what).median for what in ("cpu", "wall", "memory"))
        _say(f"| {name} | {value} | {cpu:.2f} | {wall:.2f} | {memory:.0f} |")

    def storm(self) -> None:
        """Storms of equal lines: time, memory and size of the result against the same log without the storm."""
        _say("\n| storm | lines | wall s | peak MB | result KB |\n|---|---|---|---|---|")
        for kind in ("none", "errors", "unknown", "retransmit"):
            lines = 0 if kind == "none" else self.chosen.storm
            root = self.work / f"storm-{kind}-{lines}"
            if not root.exists():
                write_storm(root, kind, lines)
            result = self.work / "storm.json"
            run = run_once(contests.analyze(root), self.environment, result)
            if run.status not in {0, 1}:
                raise SystemExit(f"the storm {kind} ended with {run.status}")
            json.loads(result.read_text(encoding="utf-8"))
            _say(f"| {kind} | {lines} | {run.wall:.1f} | {run.memory:.0f} | {result.stat().st_size // 1000} |")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _title(text: str) -> None:
    _say(f"\n{text}\n\n| against | at most | ratio (range) | hadiag / other | peak memory |\n|---|---|---|---|---|")


def _row(*cells: str) -> None:
    _say(f"| {' | '.join(cells)} |")


def main(arguments: Sequence[str]) -> int:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=["speed", "peers", "start", "growth", "storm"])
    parser.add_argument("--work", default="build/bench", help="where data is generated and kept")
    parser.add_argument("--size", default="100MB", help="raw logs for the part speed, 2MB to 5GB")
    parser.add_argument("--peer-size", default="10MB", help="raw logs for the part peers")
    parser.add_argument("--sizes", default="2MB,10MB,50MB", help="for the part growth")
    parser.add_argument("--mix", default="days", help="days, dense, or both with a comma")
    parser.add_argument("--forms", default="bz2,dir,xz,gz,zst", help="bz2, dir, xz, gz, zst")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--storm", type=int, default=1_000_000, help="lines of a storm")
    parser.add_argument("--clean", action="store_true", help="remove the generated data afterwards")
    chosen = parser.parse_args(arguments)
    bench = Bench(chosen)
    parts: dict[str, Callable[[], None]] = {
        each.__name__: each for each in (bench.speed, bench.peers, bench.start, bench.growth, bench.storm)
    }
    for name in chosen.parts:
        if name not in parts:
            parser.error(f"there is no part {name}; choose from {', '.join(parts)}")
        parts[name]()
    if chosen.clean:
        shutil.rmtree(bench.work)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
