"""Progress of a collection on a terminal: a bar for each node, one for all, and what is slow. Plain escape sequences."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from hadiag.cli.console import harmless

if TYPE_CHECKING:
    from hadiag.collect.runner import Progress

_WIDTH = 24
_EVERY_S = 0.1
_SLOW_S = 5


@contextmanager
def bars(nodes: int, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Show how far the nodes are, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    shown = Bars(sys.stderr, nodes)
    try:
        yield shown.take
    finally:
        shown.clear()


class Bars:
    """The lines of the progress; the threads of all nodes report to it."""

    def __init__(self, stream: TextIO, nodes: int) -> None:
        self._stream = stream
        self._nodes = nodes
        self._began = time.monotonic()
        self._drawn = 0.0
        self._lines = 0
        self._seen: dict[str, Progress] = {}
        self._since: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def take(self, progress: Progress) -> None:
        """Take in how far a node is, and draw if the last drawing is old enough."""
        now = time.monotonic()
        with self._lock:
            self._seen[progress.node] = progress
            last = self._since.get(progress.node)
            if last is None or last[0] != progress.doing:
                self._since[progress.node] = (progress.doing, now)
            if now - self._drawn >= _EVERY_S or progress.state in {"done", "failed"}:
                self._drawn = now
                self._draw(self.lines(now))

    def lines(self, now: float) -> list[str]:
        """What is to be shown: the nodes in the order in which they first reported, then all together."""
        width = max(9, *(len(name) for name in self._seen))
        rows = [self._line(each, width, now) for each in self._seen.values()]
        ready = sum(each.state in {"done", "failed"} for each in self._seen.values())
        size = sum(each.bytes for each in self._seen.values()) / (1 << 20)
        share = sum(_share(each) for each in self._seen.values()) / max(self._nodes, 1)
        elapsed = int(now - self._began)
        rows.append(
            f"{'all nodes':<{width}} {_bar(share)} {size:8.1f} MB  "
            f"{ready} of {self._nodes} ready, {elapsed // 60}:{elapsed % 60:02}"
        )
        return rows

    def _line(self, progress: Progress, width: int, now: float) -> str:
        doing = progress.doing or progress.state
        took = now - self._since[progress.node][1]
        slow = f" for {took:.0f} s" if progress.state == "collecting" and took >= _SLOW_S else ""
        text = f"{progress.node:<{width}} {_bar(_share(progress))} {progress.bytes / (1 << 20):8.1f} MB  {doing}{slow}"
        return harmless(text)

    def _draw(self, lines: list[str]) -> None:
        columns = shutil.get_terminal_size().columns
        self.clear(flush=False)
        self._stream.write("".join(f"{line[: columns - 1]}\n" for line in lines))
        self._stream.flush()
        self._lines = len(lines)

    def clear(self, *, flush: bool = True) -> None:
        """Take the lines away."""
        if self._lines:
            self._stream.write(f"\x1b[{self._lines}A\x1b[J")
            self._lines = 0
        if flush:
            self._stream.flush()


def _share(progress: Progress) -> float:
    if progress.state in {"done", "failed"}:
        return 1.0
    return progress.done / progress.total if progress.total else 0.0


def _bar(share: float) -> str:
    full = round(share * _WIDTH)
    return f"[{'#' * full}{'.' * (_WIDTH - full)}]"
