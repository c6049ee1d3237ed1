"""Directories as containers: members in the order of their paths; links are never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from hadiag.sources.base import Entry, EntryType, Flow, Problem

_TYPES = {stat.S_IFREG: EntryType.FILE, stat.S_IFDIR: EntryType.DIRECTORY, stat.S_IFLNK: EntryType.SYMLINK}
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_DEEPEST = 64


class OnDisk(Flow):
    """A regular file, opened when it is first read."""

    def __init__(self, path: Path, on_bytes: Callable[[int], None] | None = None) -> None:
        self.path = path
        self._file: int | None = None
        self._on_bytes = on_bytes
        self._position = 0
        self._closed = False

    def read(self, size: int) -> bytes:
        """Return bytes of the file."""
        if self.problem or self._closed:
            return b""
        try:
            if self._file is None:
                self._file = os.open(self.path, _FLAGS)
            data = os.read(self._file, size)
        except OSError as error:
            self.problem = Problem("member-unreadable", f"the file cannot be read: {error.strerror}")
            return b""
        self._position += len(data)
        if self._on_bytes:
            self._on_bytes(self._position)
        return data

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        if self._file is not None:
            os.close(self._file)
            self._file = None


class DirectoryReader:
    """Members of a directory and of the directories below it."""

    def __init__(self, root: Path, on_bytes: Callable[[int], None] | None = None) -> None:
        self._root = root
        self._on_bytes = on_bytes
        self._before = 0
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[Entry]:
        """Yield the members, sorted by path."""
        return self._walk(self._root, "", 0)

    def _walk(self, folder: Path, prefix: str, depth: int) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as scan:
                found = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            self._unreadable(prefix, error)
            return
        if depth > _DEEPEST:
            self.problems.append(Problem("archive-limit", f"{prefix} is too deep; it was not read"))
            return
        for item in found:
            name = prefix + item.name
            try:
                status = item.stat(follow_symlinks=False)
                kind = _TYPES.get(stat.S_IFMT(status.st_mode), EntryType.SPECIAL)
                target = str(Path(item.path).readlink()) if kind is EntryType.SYMLINK else ""
            except OSError as error:
                self._unreadable(name, error)
                continue
            flow = OnDisk(Path(item.path), self._tell)
            yield Entry(name, kind, status.st_size, int(status.st_mtime), target, flow)
            if flow.problem:
                self.problems.append(Problem(flow.problem.code, f"{name}: {flow.problem.text}"))
            flow.close()
            if kind is EntryType.FILE:
                self._before += status.st_size
                self._tell(0)
            if kind is EntryType.DIRECTORY:
                yield from self._walk(Path(item.path), f"{name}/", depth + 1)

    def _tell(self, position: int) -> None:
        if self._on_bytes:
            self._on_bytes(self._before + position)

    def _unreadable(self, name: str, error: OSError) -> None:
        self.problems.append(
            Problem("member-unreadable", f"{name or 'the directory'} cannot be read: {error.strerror}")
        )
