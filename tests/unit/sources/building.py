"""Small archives for tests, and what comes out of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hadiag.model.source import Artifact, ArtifactRole, InputSummary
from hadiag.sources import Inputs, Limits

STAMP = 1_700_000_000
LOG = b"Nov 14 22:13:20 node1 pacemaker-controld[812] (do_state_transition) notice: State transition\n"

Row = tuple[str, bytes] | tarfile.TarInfo
"""Content of a file, or a ready-made member."""


def member(name: str, type_: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    """Make a tar member without content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mtime = type_, target, size, STAMP
    return info


def symlink(name: str, target: str) -> tarfile.TarInfo:
    """Make a symbolic link."""
    return member(name, tarfile.SYMTYPE, target)


def hard_link(name: str, target: str) -> tarfile.TarInfo:
    """Make a hard link."""
    return member(name, tarfile.LNKTYPE, target)


def tar(members: Mapping[str, bytes] | Iterable[Row], **options: int) -> bytes:
    """Make a tar archive of (name, content) pairs and ready-made members."""
    out = io.BytesIO()
    rows = members.items() if isinstance(members, Mapping) else members
    format_ = options.get("format", tarfile.GNU_FORMAT)
    with tarfile.open(fileobj=out, mode="w", format=format_, errors="surrogateescape") as archive:
        for row in rows:
            if isinstance(row, tarfile.TarInfo):
                archive.addfile(row)
            else:
                archive.addfile(member(row[0], size=len(row[1])), io.BytesIO(row[1]))
    return out.getvalue()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def zst(data: bytes) -> bytes:
    """Compress by zstd."""
    from backports import zstd

    return bytes(zstd.compress(data))


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 1, mtime=0),
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": zst,
}


@dataclass(frozen=True)
class Read:
    """All that came out of inputs."""

    artifacts: tuple[Artifact, ...]
    data: Mapping[str, bytes]
    inputs: Inputs

    @property
    def codes(self) -> list[str]:
        """Codes of the warnings, in order."""
        return [warn.code for _, warn in self.inputs.warnings]

    @property
    def summary(self) -> InputSummary:
        """Summary of the only input."""
        (summary,) = self.inputs.summaries
        return summary

    @property
    def nodes(self) -> dict[str, str | None]:
        """Node hint by path."""
        return {artifact.path: artifact.node_hint for artifact in self.artifacts}

    @property
    def roles(self) -> dict[str, ArtifactRole]:
        """Role by path."""
        return {artifact.path: artifact.role for artifact in self.artifacts}

    def aliases(self, path: str) -> tuple[str, ...]:
        """Aliases that the artefact itself told."""
        return next(artifact.aliases for artifact in self.artifacts if artifact.path == path)


def read(*paths: str | Path, limits: Limits | None = None, stdin: bytes | None = None) -> Read:
    """Read inputs to their end."""
    inputs = Inputs([str(path) for path in paths], limits, io.BytesIO(stdin) if stdin is not None else None)
    artifacts, data = [], {}
    for artifact in inputs:
        artifacts.append(artifact)
        data[artifact.path] = artifact.stream.read()
    return Read(tuple(artifacts), data, inputs)


def read_bytes(folder: Path, content: bytes, limits: Limits | None = None, name: str = "input") -> Read:
    """Read one input file with the given content."""
    path = folder / name
    path.write_bytes(content)
    return read(path, limits=limits)
