"""Work divided between processes: who takes what, and how the parts come back.

A share is done by a copy of this process (``fork``): it has everything that was loaded, and sends back what it made. Where
that is not possible, or a copy fails, the work is done here; the result is the same, it only takes longer.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")
_SMALLEST: Final = 1 << 12
"""Bytes that the smallest piece of work counts for, and one of unknown size."""


def can_divide() -> bool:
    """Whether copies of this process can be made safely: on Linux (macOS forbids them once its libraries run)."""
    return sys.platform == "linux"


class Turns:
    """Divides pieces of work that come one after the other: each goes to the share that has least so far.

    Every process works the same division out for itself, from the sizes alone.
    """

    def __init__(self, share: int, count: int) -> None:
        self._share = share
        self._loads = [0] * count

    def mine(self, size: int | None) -> bool:
        """Whether the next piece, of so many bytes, is for this share."""
        least = min(range(len(self._loads)), key=self._loads.__getitem__)
        self._loads[least] += max(size or 0, _SMALLEST)
        return least == self._share


def divided(work: Callable[[int], _T], count: int) -> list[_T]:
    """Do the shares 0 to ``count`` - 1, the first here and each other one in a copy of this process.

    Args:
        work: does the share of a number; what it returns must be picklable. What it raises in a copy costs the copy only: the
            share is then done here.
        count: how many shares there are.
    """
    copies = [_Copy(work, number) for number in range(1, count)]
    try:
        first = work(0)
        return [first, *(copy.result() for copy in copies)]
    finally:
        for copy in copies:
            copy.end()


class _Copy(Generic[_T]):
    """A copy of this process that does one share."""

    def __init__(self, work: Callable[[int], _T], number: int) -> None:
        self._work = work
        self._number = number
        context = get_context("fork")
        self._receive, send = context.Pipe(duplex=False)
        self._process = context.Process(target=_do, args=(work, number, send), daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads: the copy uses nothing that they lock
            self._process.start()
        send.close()

    def result(self) -> _T:
        """What the copy made, or what is made here where it failed."""
        try:
            found: _T = pickle.loads(self._receive.recv_bytes())  # noqa: S301 - from a copy of this process
        except (EOFError, OSError, pickle.UnpicklingError, MemoryError):
            return self._work(self._number)
        return found

    def end(self) -> None:
        """Take leave of the copy."""
        self._receive.close()
        self._process.join(timeout=1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _do(work: Callable[[int], object], number: int, send: Connection) -> None:
    """In the copy: do the share, send it, and leave without the farewells of an interpreter (they are the original's)."""
    status = 1
    try:
        send.send_bytes(pickle.dumps(work(number), pickle.HIGHEST_PROTOCOL))
        status = 0
    except BaseException:  # noqa: BLE001 - the original does the share again, and tells what is wrong with it
        status = 1
    finally:
        os._exit(status)
