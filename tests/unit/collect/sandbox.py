"""A node in a directory: its files, its tools as small scripts, and the real script of the collection run over it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hadiag.collect.bundle import Bundle
from hadiag.collect.conclude import conclude
from hadiag.collect.manifest import Manifest, NodeRow
from hadiag.collect.plan import Kind, Step, Window, steps
from hadiag.collect.receive import Receiver
from hadiag.collect.script import BOOTSTRAP, script

SHELLS = ("dash", "bash", "busybox")
_ROOTS = re.compile(r"(?<![\w.$}\"])/(var/(?:log|lib)|etc)(?=[/ ])")
_UNPACK = {b"BZh": bz2.decompress, b"\x1f\x8b": gzip.decompress, b"\xfd7z": lzma.decompress}
NOW = int(time.time())


@dataclass(frozen=True, slots=True)
class Node:
    """The directory of a node."""

    root: Path

    def file(self, path: str, content: str | bytes) -> Path:
        """Write a file of the node."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(target, (NOW, NOW))  # however long the tests before this one took, it lies in the window
        return target

    def tool(self, name: str, body: str) -> None:
        """Give the node a tool."""
        self.file(f"bin/{name}", f"#!/bin/sh\n{body}\n").chmod(0o755)

    def text(self, chosen: Sequence[Step]) -> str:
        """The script of the collection, looking into this directory."""
        return _ROOTS.sub(lambda match: f"{self.root}/{match[1]}", script(chosen, Window(NOW - 3600, NOW)))

    def run(
        self, chosen: Sequence[Step], shell: str = "dash", before: Sequence[str] = (), seconds: float = 60
    ) -> bytes:
        """Run the script and return its stream."""
        words = ["busybox", "sh"] if shell == "busybox" else [shell]
        done = subprocess.run(
            [*before, *words, "-c", BOOTSTRAP, "hadiag", "run"],
            input=self.text(chosen).encode(),
            capture_output=True,
            check=False,
            timeout=seconds,
            env={"PATH": f"{self.root}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(self.root / "tmp")},
        )
        return done.stdout


def steps_of(
    ids: Collection[str], *, seconds: int | None = None, limit: int | None = None, via: str = ""
) -> list[Step]:
    """Some of the steps of the plan, with other limits."""
    chosen = [step for step in steps(via) if step.id in ids or step.kind is Kind.PART]
    return [
        replace(
            step, seconds=step.seconds if seconds is None else seconds, limit=step.limit if limit is None else limit
        )
        for step in chosen
    ]


def taken(node: Node, chosen: Sequence[Step], stream: bytes, name: str = "n1") -> tuple[Manifest, Path]:
    """Take in a stream and pack the bundle."""
    bundle = Bundle(str(node.root / f"{name}.tar.gz"))
    manifest = bundle.open() or Manifest("0", NOW - 3600, NOW, NOW)
    row = manifest.nodes.setdefault(name, NodeRow(name, name, "script"))
    receiver = Receiver(row, chosen, bundle, 1 << 30)
    receiver.feed(stream)
    conclude(manifest, chosen)
    bundle.pack(manifest)
    return manifest, bundle.output


def contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """All members of an archive, with what is packed inside them unpacked."""
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member)
            data = content.read() if content else b""
            while unpack := next((how for mark, how in _UNPACK.items() if data.startswith(mark)), None):
                data = unpack(data)
            yield member.name, member.name.encode() + b"\n" + data


def unprivileged() -> list[str]:
    """Words before a command that take root away from it."""
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
