"""Offset of a node's clock, measured by round trips as NTP does: half the shortest round trip is the error."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from typing import Final

from hadiag.collect.manifest import ClockRow
from hadiag.collect.ssh import Link, end, read_some, start

ROUNDS: Final = 8
_ANSWER_S: Final = 4.0
_ECHO: Final = "while read -r x; do date +%s.%N; done"
_STAMP = re.compile(rb"(\d{9,11})(?:\.(\d{9}))?")


def measure(link: Link, stop: threading.Event) -> ClockRow | None:
    """Measure the clock of a node against this machine's; None where it gives no answer."""
    with tempfile.TemporaryFile() as errors:
        process = start(link.argv(["sh", "-c", _ECHO]), subprocess.PIPE, errors, subprocess.PIPE)
        try:
            trips = [trip for _ in range(ROUNDS) if not stop.is_set() and (trip := _round_trip(process))]
        except OSError:
            trips = []
        finally:
            end(process)
    if not trips:
        return None
    error, offset = min(trips[1:] or trips)  # the first starts the shell as well
    return ClockRow(round(offset, 6), round(error, 6), len(trips), round(time.time(), 3))


def _round_trip(process: subprocess.Popen[bytes]) -> tuple[float, float] | None:
    """One question and its answer: error and offset."""
    if process.stdin is None or process.poll() is not None:
        return None
    sent_wall, sent = time.time(), time.monotonic()
    process.stdin.write(b"\n")
    process.stdin.flush()
    line = b""
    while b"\n" not in line:
        data = read_some(process, sent + _ANSWER_S - time.monotonic())
        if not data:
            return None
        line += data
    took = time.monotonic() - sent
    match = _STAMP.search(line)
    if match is None:
        return None
    fine = match[2] is not None
    theirs = int(match[1]) + (int(match[2]) / 1e9 if fine else 0.5)  # a date without %N cuts the second off
    return took / 2 + (0 if fine else 0.5), theirs - (sent_wall + took / 2)
