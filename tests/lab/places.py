"""Where the lab keeps its files: base systems, and the one cluster that is up."""

from __future__ import annotations

import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import LabError

MACHINE = "machine"
"""The suite of nodes that run what is installed on this machine itself."""


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below the lab's directory (``$HADIAG_LAB``, or ``lab`` in the directory for temporary files)."""

    root: Path

    @classmethod
    def default(cls) -> Places:
        """The directory that the environment names."""
        return cls(Path(os.environ.get("HADIAG_LAB") or Path(tempfile.gettempdir()) / "lab"))

    def base(self, suite: str) -> Path:
        """Root file system of a Debian suite, the lower layer of all nodes."""
        return self.root / "base" / suite

    def lower(self, suite: str) -> str:
        """The lower layers of the nodes of a suite, in the words of the overlay file system."""
        return f"{self.base(suite)}:/" if suite == MACHINE else str(self.base(suite))

    def system(self, suite: str) -> Path:
        """The directory in which the packages of a suite are installed."""
        return Path("/") if suite == MACHINE else self.base(suite)

    @property
    def cluster(self) -> Path:
        """Everything of the cluster that is up."""
        return self.root / "cluster"

    @property
    def plan(self) -> Path:
        """The plan of the cluster that is up."""
        return self.cluster / "plan.yaml"

    @property
    def socket(self) -> Path:
        """Socket on which the supervisor takes orders."""
        return self.cluster / "supervisor.sock"

    @property
    def notes(self) -> Path:
        """What was done to the cluster, one JSON object a line."""
        return self.cluster / "notes.jsonl"

    @property
    def scope(self) -> str:
        """Begins the names of namespaces and groups: labs in other directories may be up on the same machine."""
        if self.root == Path(tempfile.gettempdir()) / "lab":
            return "hadiag"
        return f"hadiag-{zlib.crc32(str(self.root).encode()):08x}"

    def cgroup(self, node: str | None = None) -> Path:
        """The cgroup directory of the lab, or of a node in it.

        Raises:
            LabError: The machine has no cgroup2.
        """
        for line in Path("/proc/self/mounts").read_text().splitlines():
            fields = line.split()
            if fields[2] == "cgroup2":
                lab = Path(fields[1]) / f"{self.scope}-lab"
                return lab / node if node else lab
        raise LabError("no cgroup2 hierarchy is mounted on this machine")

    def node(self, name: str) -> Path:
        """Directory of a node: ``upper``, ``work``, ``root``."""
        return self.cluster / "nodes" / name

    def upper(self, name: str) -> Path:
        """The node's own layer of files."""
        return self.node(name) / "upper"
