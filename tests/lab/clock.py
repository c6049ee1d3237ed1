"""Wall clocks of nodes: a small preloaded library moves them, since all nodes share the machine's own clock."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from tests.lab.commands import LabError, run
from tests.lab.places import Places

SOURCE = Path(__file__).parent / "files/clock.c"
LIBRARY = "usr/lib/lab/clock.so"
OFFSET = "etc/lab-clock"


def install(places: Places, node: str, offset_s: float) -> None:
    """Give a node that is not started yet a clock of its own.

    Raises:
        LabError: There is no C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise LabError("a node with a clock of its own needs a C compiler on this machine")
    upper = places.upper(node)
    library = upper / LIBRARY
    library.parent.mkdir(parents=True, exist_ok=True)
    run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"])
    library.chmod(0o755)
    (upper / "etc/ld.so.preload").write_text(f"/{LIBRARY}\n")
    step(places, node, offset_s)


def step(places: Places, node: str, offset_s: float) -> None:
    """Set how far a node's clock is ahead; running processes see it at once."""
    path = places.upper(node) / OFFSET
    if path.exists() or (places.upper(node) / LIBRARY).exists():
        mode = "r+b" if path.exists() else "wb"
        with path.open(mode) as file:
            file.write(struct.pack("q", round(offset_s * 1e9)))
        path.chmod(0o644)
        return
    raise LabError(f"{node} has no clock of its own: give it one in the plan (clock: 0.001)")
