"""Logs with a storm: one line again and again, between the lines of a recorded incident."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench.generate import START_MS, generate, stamp

_LEAD: Final = 3_600_000
Text = Callable[[int], str]
STORMS: Final[dict[str, tuple[str, Text]]] = {
    "none": ("corosync.log", lambda n: ""),
    "errors": (
        "pacemaker.log",
        lambda n: (
            " b1 pacemaker-controld  [93] (log_executor_event) \terror: Result of monitor operation for db on b1: Timed Out after 20s"
            f" (Resource agent did not complete within 20s) | graph action confirmed; call={n} key=db_monitor_10000"
        ),
    ),
    "unknown": (
        "pacemaker.log",
        lambda n: f" b1 pacemaker-controld  [93] (surprise) \terror: Bucket {n} has a hole in it",
    ),
    "retransmit": (
        "corosync.log",
        lambda n: f" [64] b1 corosync notice  [TOTEM ] Retransmit List: {n:x} {n + 1:x} {n + 2:x}",
    ),
}
"""Log and text behind the stamp of each kind of storm; the number varies what varies in reality."""


def write_storm(root: Path, kind: str, lines: int, *, per_second: int = 200) -> None:
    """Write two megabytes of ordinary logs, and behind them ``lines`` lines of a storm."""
    generate(root / "case", 2_000_000)
    log, text = STORMS[kind]
    start = START_MS + 30 * _LEAD
    with (root / "case" / "b1" / log).open("a", encoding="utf-8") as stream:
        for number in range(lines):
            at = start + number * 1000 // per_second
            stream.write(f"{stamp(at, fraction=log == 'pacemaker.log')}{text(number)}\n")
