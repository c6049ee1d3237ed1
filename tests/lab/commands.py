"""Running the system's own tools."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """Something of the lab could not be done; the message is for the person at the keyboard."""


def run(arguments: Sequence[str], *, check: bool = True, stdin: str | None = None, timeout: float = 600) -> str:
    """Run a command and return what it printed.

    Raises:
        LabError: The command failed (unless ``check`` is false) or took too long.
    """
    try:
        done = subprocess.run(
            arguments,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise LabError(f"there is no {arguments[0]} on this machine; install it") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(arguments)}: no end after {timeout:.0f} s") from error
    if check and done.returncode:
        raise LabError(f"{' '.join(arguments)}: exit status {done.returncode}\n{done.stdout.strip()}")
    return done.stdout
