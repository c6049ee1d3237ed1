"""The bundle: a directory while it grows, one archive at the end, and back again when a second run goes on with it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from hadiag.collect.manifest import NAME, FileRow, Manifest, from_json
from hadiag.errors import OutputError, UsageError

_MODES = {".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2", ".tar": "w:", ".tar.zst": "zst"}
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")
_SAVE_EVERY_S = 2.0


def suffix_of(output: str) -> str:
    """Suffix of the archive.

    Raises:
        UsageError: another suffix.
    """
    for suffix in _MODES:
        if output.endswith(suffix) and Path(output).name != suffix:
            if suffix == ".tar.zst" and shutil.which("zstd") is None:
                raise UsageError("There is no zstd on this machine; end the name of the output with .tar.gz.")
            return suffix
    raise UsageError(f"{output} is no name for a bundle; end it with .tar.gz, .tar.xz or .tar.zst.")


def safe_path(path: str) -> str:
    """A path below a node's directory, whatever the node called it.

    >>> safe_path("/var/log/../../etc/x")
    'var/log/etc/x'
    """
    text = _ODD.sub("_", path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    parts = [part[:200] for part in text.split("/") if part not in {"", ".", ".."}]
    return "/".join(parts[:32]) or "unnamed"


class Writer:
    """One file while it comes in: no longer than its limit, counted and summed."""

    def __init__(self, path: Path, row: FileRow, limit: int) -> None:
        self.row = row
        self._path = path
        self._limit = limit
        self._sum = hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file: BinaryIO = path.open("wb")

    def write(self, data: bytes) -> int:
        """Take in content; what is beyond the limit is dropped. Returns what was kept."""
        room = self._limit - self.row.bytes
        if len(data) > room:
            self.row.truncated = True
            data = data[:room]
        self._file.write(data)
        self._sum.update(data)
        self.row.bytes += len(data)
        return len(data)

    def close(self) -> None:
        """Finish the file; its time is that of the file on the node. An empty file is not kept."""
        self._file.close()
        self.row.sha256 = self._sum.hexdigest()
        if not self.row.bytes:
            self._path.unlink(missing_ok=True)
        elif self.row.mtime:
            with contextlib.suppress(OSError, OverflowError):
                os.utime(self._path, (self.row.mtime, self.row.mtime))


class Bundle:
    """The bundle on its way: ``OUTPUT.partial`` beside the output until the archive is whole."""

    def __init__(self, output: str) -> None:
        self.output = Path(output)
        self.suffix = suffix_of(output)
        self.top = self.output.name.removesuffix(self.suffix)
        self.root = self.output.with_name(f"{self.output.name}.partial")
        self._lock = threading.Lock()
        self._saved = 0.0

    def open(self) -> Manifest | None:
        """Make the directory, with what an earlier run left there or in the archive.

        Raises:
            OutputError: it cannot be made.
            UsageError: the output is there and is no bundle of this command.
        """
        try:
            if self.root.is_dir():
                return self._earlier()
            self.root.mkdir(mode=0o700)
            if self.output.exists():
                return self._unpacked()
        except OSError as error:
            raise cannot_write(self.output, error) from error
        return None

    def _earlier(self) -> Manifest | None:
        try:
            return from_json((self.root / NAME).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise UsageError(f"{self.root} is no collection that can be gone on with ({error}); remove it.") from error

    def _unpacked(self) -> Manifest:
        try:
            with self._reading() as archive:
                for member in archive:
                    self._take(archive, member)
            return from_json((self.root / NAME).read_text("utf-8"))
        except (tarfile.TarError, EOFError, ValueError, FileNotFoundError) as error:
            shutil.rmtree(self.root, ignore_errors=True)
            raise UsageError(f"{self.output} exists and is no bundle of hadiag collect; choose another -o.") from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[tarfile.TarFile]:
        if self.suffix != ".tar.zst":
            with tarfile.open(self.output) as archive:
                yield archive
            return
        with (
            subprocess.Popen(["zstd", "-dcq", str(self.output)], stdout=subprocess.PIPE) as process,
            tarfile.open(fileobj=process.stdout, mode="r|") as archive,
        ):
            yield archive

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        content = archive.extractfile(member) if member.isfile() else None
        if content is None:
            return
        target = self.root / safe_path(member.name.partition("/")[2])
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        os.utime(target, (member.mtime, member.mtime))

    def writer(self, directory: str, row: FileRow, limit: int) -> Writer:
        """Begin a file of a node."""
        return Writer(self.root / directory / row.path, row, limit)

    def drop(self, directory: str, row: FileRow) -> None:
        """Remove a file of an earlier run that is taken anew."""
        (self.root / directory / row.path).unlink(missing_ok=True)

    def save(self, manifest: Manifest, *, now: bool = False) -> None:
        """Write the manifest as it stands, so that even a killed run leaves a bundle that can be read."""
        with self._lock:
            if not now and time.monotonic() - self._saved < _SAVE_EVERY_S:
                return
            self._saved = time.monotonic()
            partial = self.root / f".{NAME}"
            partial.write_text(manifest.to_json(), "utf-8")
            partial.replace(self.root / NAME)

    def pack(self, manifest: Manifest) -> None:
        """Make the archive, the manifest first, and remove the directory.

        Raises:
            OutputError: there is no room.
        """
        target = self.output.with_name(f".{self.output.name}.writing")
        try:
            self.save(manifest, now=True)
            with self._writing(target) as archive:
                self._fill(archive)
            target.replace(self.output)
        except (OSError, tarfile.TarError) as error:
            target.unlink(missing_ok=True)
            raise cannot_write(self.output, error, self.root) from error
        except KeyboardInterrupt:
            target.unlink(missing_ok=True)
            raise
        shutil.rmtree(self.root, ignore_errors=True)

    @contextlib.contextmanager
    def _writing(self, target: Path) -> Iterator[tarfile.TarFile]:
        with _private(target) as file:
            if self.suffix != ".tar.zst":
                level = {} if self.suffix in {".tar", ".tar.xz"} else {"compresslevel": 6}
                with tarfile.open(fileobj=file, mode=_MODES[self.suffix], **level) as archive:  # type: ignore[call-overload]  # modes are not literals here
                    yield archive
                return
            with subprocess.Popen(["zstd", "-q", "-c"], stdin=subprocess.PIPE, stdout=file) as process:
                with tarfile.open(fileobj=process.stdin, mode="w|") as archive:
                    yield archive
                if process.stdin:
                    process.stdin.close()
                if process.wait():
                    raise OSError(process.returncode, "zstd failed")

    def _fill(self, archive: tarfile.TarFile) -> None:
        names = sorted(path for path in self.root.rglob("*") if path.is_file() and path.name != f".{NAME}")
        for path in sorted(names, key=lambda each: each != self.root / NAME):
            info = archive.gettarinfo(path, f"{self.top}/{path.relative_to(self.root)}")
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            info.mode = 0o600
            with path.open("rb") as file:
                archive.addfile(info, file)

    def discard(self) -> None:
        """Remove the directory, where nothing was collected."""
        shutil.rmtree(self.root, ignore_errors=True)


def _private(target: Path) -> IO[bytes]:
    return os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def cannot_write(output: Path, error: Exception, kept: Path | None = None) -> OutputError:
    """The sentence for an output that cannot be written."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    rest = f" What was collected is in {kept}; the same command goes on from there." if kept else ""
    return OutputError(f"{output} cannot be written: {reason}. Choose another place with -o.{rest}")
