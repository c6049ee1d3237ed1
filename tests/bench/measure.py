"""Running commands as whole processes, interleaved, and what their times say."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command, its pipes and children included: seconds, and the largest memory of one process in MB."""

    wall: float
    cpu: float
    memory: float
    status: int


def run_once(command: str, environment: Mapping[str, str], output: Path | None = None) -> Run:
    """Run a shell command; its output is thrown away (through a pipe, as some tools notice ``/dev/null``) or kept."""
    target = output.open("wb") if output else subprocess.PIPE
    start = time.monotonic()
    shell = ("bash", "-o", "pipefail", "-c", command)
    with subprocess.Popen(
        shell, stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        if process.stdout is not None:
            while process.stdout.read(1 << 20):
                pass
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if output:
        target.close()  # type: ignore[union-attr]  # an open file
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of a figure over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)}-{_short(self.high)})"


def _short(value: float) -> str:
    """A figure with three digits that say something, for ratios far below one and far above it."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(values: Sequence[float]) -> Spread:
    """Median and range."""
    return Spread(statistics.median(values), min(values), max(values))


@dataclass(slots=True)
class Rounds:
    """The runs of several commands, taken in turn so that a load from outside meets all of them."""

    runs: dict[str, list[Run]] = field(default_factory=dict)

    def take(self, commands: Mapping[str, str], count: int, environment: Mapping[str, str]) -> None:
        """Run all commands ``count`` times in turn, after one run of each that only warms the caches."""
        for turn in range(count + 1):
            for name, command in commands.items():
                run = run_once(command, environment)
                if run.status not in {0, 1}:  # 1: rg found nothing, hadiag found something
                    raise SystemExit(f"{name} ended with {run.status}: {command}")
                if turn:
                    self.runs.setdefault(name, []).append(run)

    def ratio(self, ours: str, theirs: str, what: str) -> Spread:
        """Our figure over theirs, pair by pair."""
        pairs = zip(self.runs[ours], self.runs[theirs], strict=True)
        return spread([getattr(one, what) / max(getattr(other, what), 1e-6) for one, other in pairs])

    def of(self, name: str, what: str) -> Spread:
        """A figure of one command."""
        return spread([getattr(run, what) for run in self.runs[name]])

    def count(self, name: str) -> int:
        """How often a command was run."""
        return len(self.runs[name])
