"""``python -m tests.bench``: generate bundles, run hadiag and its peers on them in turn, print a table of ratios.

The tables are Markdown; the parts are ``speed`` (archives and the directory against decoders and ripgrep with the texts of
the scan), ``expressions`` (the same with the full expressions, on less data, as ripgrep needs seconds for each MB), ``lines``
(whether both find the same lines), ``peers`` (lnav, crmsh, insights-core), ``start`` (a small bundle, ``--help``), ``growth``
(size, nodes, events, rules; ``rules`` alone is a part as well) and ``storm``.
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
from tests.bench.contests import HADIAG, Contest, Patterns
from tests.bench.generate import as_report, pack
from tests.bench.lines import known, searched
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
        self.texts = Patterns("the texts of the scan", self.work / "texts.txt")
        self.expressions = Patterns("the expressions", self.work / "expressions.txt", "--no-unicode ")
        # As an installed package: compiled modules at hand, and a cache of its own.
        self.environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self.environment |= {"PYTHONPYCACHEPREFIX": str(self.work / "pyc"), "XDG_CACHE_HOME": str(self.work / "cache")}
        for option, patterns in (("texts", self.texts), ("regex", self.expressions)):
            if run_once(f"{HADIAG} rules export --{option}", self.environment, patterns.path).status:
                raise SystemExit(f"hadiag rules export --{option} failed")

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

    def compare(self, rows: Sequence[Contest], count: int = 0) -> None:
        """Run contests in turn and print a row for each."""
        able = [row for row in rows if not row.missing]
        commands = {command: command for row in able for command in (row.ours, row.theirs)}
        rounds = Rounds()
        rounds.take(commands, count or self.chosen.rounds, self.environment)
        for row in rows:
            if row.missing:
                _row(row.name, f"{row.target:.3g}", f"not run: {', '.join(row.missing)} is not installed")
                continue
            ratio, memory = rounds.ratio(row.ours, row.theirs, row.what), rounds.of(row.ours, "memory").median
            ours, theirs = (f"{rounds.of(each, row.what).median:.3g}" for each in (row.ours, row.theirs))
            shown = str(ratio) if ratio.median <= row.target else f"**{ratio}**"
            _row(
                row.name,
                f"{row.target:.3g}",
                shown,
                str(rounds.count(row.ours)),
                f"{ours} / {theirs} s",
                f"{memory:.0f} MB",
            )

    def speed(self) -> None:
        """Archives and the directory against decoders and searches for the texts of the scan; recall and memory."""
        for mix in self.chosen.mix.split(","):
            root = self.bundle(self.chosen.size, mix)
            _title(f"{self.chosen.size} of logs, mix {mix}")
            rows = self._searches(root, self.texts, self.chosen.size)
            if "bz2" in self.chosen.forms.split(","):
                rows.append(contests.floor_contest(self.archive(root, "bz2"), size_of(self.chosen.size)))
            self.compare(rows)
            self.check(root)

    def expressions_part(self) -> None:
        """The same against searches for the full expressions."""
        size = self.chosen.expressions_size
        for mix in self.chosen.mix.split(","):
            _title(f"{size} of logs, mix {mix}, full expressions")
            self.compare(self._searches(self.bundle(size, mix), self.expressions, size), self.chosen.slow_rounds)

    def _searches(self, root: Path, patterns: Patterns, size: str) -> list[Contest]:
        rows = []
        for form in self.chosen.forms.split(","):
            if form == "dir":
                rows.append(contests.directory_contest(root, patterns))
            else:
                rows += contests.archive_contests(form, self.archive(root, form), patterns, size_of(size))
        return rows

    def lines(self) -> None:
        """Whether the search for the expressions finds the lines that hadiag knows."""
        if shutil.which("rg") is None:
            raise SystemExit("The part lines needs rg.")
        _say(
            "\n| 2 MB, mix | hadiag knows | rg finds with the expressions | both | rg finds with the texts |\n|---|---|---|---|---|"
        )
        for mix in self.chosen.mix.split(","):
            root = self.bundle("2MB", mix)
            ours = known(root)
            theirs, texts = (searched(root, each.path, self.environment) for each in (self.expressions, self.texts))
            counts = (len(each) for each in (ours, theirs, ours & theirs, texts))
            _say(f"| {mix} | {' | '.join(map(str, counts))} |")

    def check(self, root: Path) -> None:
        """Recall of the planted lines, kept rows and peak memory of one run over the directory."""
        rows = self.work / "timeline.jsonl"
        run_once(f"{HADIAG} timeline {shlex.quote(str(root))} --jsonl", self.environment, rows)
        shown, planted, kept = recall(root.with_name("truth.json"), rows, "")
        run = run_once(contests.analyze(root), self.environment)
        limit = 170 + kept * 1024 / 1e6
        recalled = f"{shown} of {planted}"
        _row("recall of planted lines", "100 %", recalled if shown == planted else f"**{recalled}**", "1")
        size = f"{run.memory:.0f} MB for {kept} kept rows"
        _row(
            "peak memory, directory",
            f"{limit:.0f} MB",
            size if run.memory <= limit else f"**{size}**",
            "1",
            f"{run.wall:.1f} s",
        )

    def peers(self) -> None:
        """The tools that read cluster logs, on their own jobs, each at the size that its target is meant for."""
        chosen = self.chosen
        _title(f"{chosen.lnav_size} of logs, lnav")
        root, script = self.bundle(chosen.lnav_size, "days"), self.work / "texts.lnav"
        self.compare([contests.lnav_contest(root, self.texts, script)], chosen.slow_rounds)
        _title(f"{chosen.expressions_size} of logs, lnav with the full expressions")
        root, script = self.bundle(chosen.expressions_size, "days"), self.work / "expressions.lnav"
        self.compare([contests.lnav_contest(root, self.expressions, script)], chosen.slow_rounds)
        _title(f"crm report of {chosen.crm_size} of logs, crmsh")
        self.compare([contests.crmsh_contest(as_report(self.bundle(chosen.crm_size, "days")))])
        log = self.bundle(chosen.insights_size, "days") / "b1" / "syslog"
        _title(f"one syslog of {log.stat().st_size / 1e6:.1f} MB, insights-core")
        insights = contests.insights_contest(log, self.texts.path, contests.insights_python())
        if insights is None:
            _row("one syslog: insights-core Messages, CPU", "0.556", "not run: insights-core is not installed")
        else:
            self.compare([insights])

    def start(self) -> None:
        """What does not depend on the size."""
        _title("start")
        bundle = self.archive(self.bundle("2MB", "days"), "bz2")
        self.compare(contests.start_contests(bundle, self.work / "report.html"))

    def growth(self) -> None:
        """Time and memory by size, nodes, events and rules."""
        _say("\n| what grows | value | CPU s | wall s | CPU ms per MB | peak MB | n |\n|---|---|---|---|---|---|---|")
        for size in self.chosen.sizes.split(","):
            self._grow("size, mix days", size, self.bundle(size, "days"))
        for nodes in (2, 4, 8, 16):
            self._grow("nodes, 20 MB", str(nodes), self.bundle("20MB", "days", nodes))
        for mix in ("days", "dense"):
            self._grow("events, 10 MB", mix, self.bundle("10MB", mix))
        self.rules()

    def _grow(self, name: str, value: str, root: Path) -> None:
        rounds, count = Rounds(), self.chosen.slow_rounds
        rounds.take({name: contests.analyze(root)}, count, self.environment)
        cpu, wall, memory = (rounds.of(name, what).median for what in ("cpu", "wall", "memory"))
        size = json.loads(root.with_name("truth.json").read_text(encoding="utf-8"))["bytes"] / 1e6
        _say(f"| {name} | {value} | {cpu:.2f} | {wall:.2f} | {cpu / size * 1000:.0f} | {memory:.0f} | {count} |")

    def rules(self) -> None:
        """What more patterns cost: reading with 1,000 of them and with all, against 100."""
        root, order = self.bundle("20MB", "days"), self.work / "patterns.order"
        order.unlink(missing_ok=True)  # of another catalogue
        reading = f"{shlex.quote(sys.executable)} -m tests.bench.reading {shlex.quote(str(root))}"
        few, many, every = (f"{reading} {count} {shlex.quote(str(order))}" for count in (100, 1_000, 1_000_000))
        _title("reading 20 MB of logs, more patterns")
        rows = [
            Contest(f"{name} against 100, {label}", ours, few, what, 1.5, ())
            for name, ours in (("1,000 patterns", many), ("all patterns", every))
            for what, label in (("cpu", "CPU"), ("wall", "wall"))
        ]
        self.compare(rows)

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


_COLUMNS = ("against", "at most", "ratio (range)", "n", "hadiag / other", "peak memory")


def _title(text: str) -> None:
    _say(f"\n{text}\n\n| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}")


def _row(*cells: str) -> None:
    """A row of a table; cells at its end that are not given stay empty."""
    _say(f"| {' | '.join((*cells, *[''] * (len(_COLUMNS) - len(cells))))} |")


def main(arguments: Sequence[str]) -> int:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--work", default="build/bench", help="where data is generated and kept")
    parser.add_argument("--size", default="100MB", help="raw logs for the part speed, 2MB to 5GB")
    parser.add_argument("--expressions-size", default="5MB", help="raw logs for searches for the full expressions")
    parser.add_argument("--lnav-size", default="100MB", help="raw logs for lnav")
    parser.add_argument("--crm-size", default="20MB", help="raw logs for crmsh")
    parser.add_argument("--insights-size", default="45MB", help="raw logs of which insights-core reads one syslog")
    parser.add_argument("--sizes", default="2MB,20MB,100MB", help="for the part growth")
    parser.add_argument("--mix", default="days", help="days, dense, or both with a comma")
    parser.add_argument("--forms", default="bz2,dir,xz,gz,zst", help="bz2, dir, xz, gz, zst")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-rounds", type=int, default=3, help="of contests with a slow side, and of growth")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--storm", type=int, default=1_000_000, help="lines of a storm")
    parser.add_argument("--clean", action="store_true", help="remove the generated data afterwards")
    chosen = parser.parse_args(arguments)
    bench = Bench(chosen)
    parts: dict[str, Callable[[], None]] = {
        "speed": bench.speed,
        "expressions": bench.expressions_part,
        "lines": bench.lines,
        "peers": bench.peers,
        "start": bench.start,
        "growth": bench.growth,
        "rules": bench.rules,
        "storm": bench.storm,
    }
    for name in chosen.parts or [each for each in parts if each != "rules"]:
        if name not in parts:
            parser.error(f"there is no part {name}; choose from {', '.join(parts)}")
        parts[name]()
    if chosen.clean:
        shutil.rmtree(bench.work)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
