"""Supportconfig archives: text files made of sections, which become artefacts of their own.

::

    #==[ Command ]======================================#
    # /usr/sbin/crm_mon -r -1
    Cluster Summary: ...

    #==[ Log File ]=====================================#
    # /var/log/messages - Last 500 Lines

The first becomes ``ha.txt#crm_mon -r -1``, the second ``messages.txt#/var/log/messages``. Lines and offsets of
such an artefact count from the first line of the section's text. Sections without an argument are passed over, and
what a section picks from another log (``grep -i drbd /var/log/messages``) is a derived text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hadiag.sources.base import Flow, Replay

_HEADING = re.compile(rb"^#==\[ ([^\]\r\n]{1,80}) \]=+#\r?$", re.MULTILINE)
_WITH_ARGUMENT = frozenset((b"Command", b"Configuration File", b"Log File"))
_ABSENT = re.compile(r" - (?:File not found|Not found|Not installed)\s*$", re.IGNORECASE)
_LAST_LINES = re.compile(r" - Last \d+ Lines\s*$", re.IGNORECASE)
_TOP = re.compile(r"(?:scc|nts)_(?:SR\d+_)?(?P<host>.+?)_\d{6}_\d{4}(?:_.*)?")
_CUT_OUT = re.compile(r"(?:[ef]?grep|zgrep) |find .* -exec [ef]?grep |ip netns exec ")
_UNAME = re.compile(rb"^Linux (\S+) \d", re.MULTILINE)
_BLOCK = 1 << 18
_HEADING_MOST = 256


class ConfigTrees:
    """Supportconfig trees of one container."""

    def __init__(self) -> None:
        self.roots: set[str] = set()
        self._hosts: dict[str, str] = {}
        self._missing: set[str] = set()

    def see(self, path: str) -> None:
        """Take note of a member."""
        folder, _, name = path.rpartition("/")
        if name in {"basic-environment.txt", "supportconfig.txt"}:
            self.roots.add(folder)
            if folder not in self._hosts:
                self._missing.add(folder)

    def wants(self, path: str) -> bool:
        """Tell whether the content of a member names a host."""
        return path.rpartition("/")[2] == "basic-environment.txt"

    def learn(self, path: str, data: bytes) -> None:
        """Take the host name from the output of ``uname -a``."""
        if match := _UNAME.search(data):
            folder = path.rpartition("/")[0]
            self._hosts[folder] = match[1].decode("utf-8", "replace")
            self._missing.discard(folder)

    @property
    def unnamed(self) -> bool:
        """Tell whether there is a tree whose host is not known yet from its content."""
        return bool(self._missing)

    def root(self, path: str) -> str | None:
        """Return the tree that a member stands in."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self.roots or (folder and "/" not in folder and _TOP.fullmatch(folder)):
                return folder
        return None

    def host(self, root: str) -> str | None:
        """Return the host of a tree."""
        if root in self._hosts:
            return self._hosts[root]
        match = _TOP.fullmatch(root.rpartition("/")[2])
        return match["host"] if match else None


def is_cut_out(name: str) -> bool:
    """Tell whether a section holds lines picked from a log that has a section of its own, or is not of the host itself.

    Lines picked by a word show nothing by what they lack, and a network namespace has addresses of its own.
    """
    return _CUT_OUT.match(name) is not None


def has_sections(head: bytes) -> bool:
    """Tell whether a file is made of sections."""
    return _HEADING.search(head) is not None


class _Section(Flow):
    """Text of one section."""

    def __init__(self, reader: SectionReader) -> None:
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Return bytes of the section, to the next heading."""
        data = self._reader.take(size)
        if not data:
            self.problem = self._reader.flow.problem
        return data


class SectionReader:
    """Sections of a supportconfig file, front to back: yields (name, text)."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._data = b""
        self._end = False
        self._seen: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[str, Flow]]:
        """Yield the sections that have an argument and text."""
        while self._to_heading():
            line = self._line()
            match = _HEADING.match(line.rstrip(b"\r\n"))
            if not match or match[1] not in _WITH_ARGUMENT:
                continue
            if self._peek(2) != b"# ":
                continue
            argument = self._line()[2:].decode("utf-8", "surrogateescape").strip()
            text = _Section(self)
            head = text.exactly(64)
            if head.strip() and not _ABSENT.search(argument):
                yield self._name(match[1], argument), Replay(head, text)

    def _name(self, kind: bytes, argument: str) -> str:
        if kind == b"Command":
            command, space, rest = argument.partition(" ")
            name = command.rpartition("/")[2] + space + rest
        else:
            name = _LAST_LINES.sub("", argument)
        self._seen[name] = self._seen.get(name, 0) + 1
        return name if self._seen[name] == 1 else f"{name} ({self._seen[name]})"

    def _fill(self) -> None:
        data = self.flow.read(_BLOCK)
        self._end = not data
        self._data += data

    def _peek(self, size: int) -> bytes:
        while len(self._data) < size and not self._end:
            self._fill()
        return self._data[:size]

    def _line(self) -> bytes:
        """Take the next line; a line that is too long for a heading is cut."""
        while b"\n" not in self._data and len(self._data) < _BLOCK and not self._end:
            self._fill()
        at = self._data.find(b"\n") + 1 or len(self._data)
        line, self._data = self._data[:at], self._data[at:]
        return line

    def _to_heading(self) -> bool:
        """Pass over text to the next heading; False at the end of the file."""
        while self.take(_BLOCK):
            pass
        return bool(self._data)

    def take(self, size: int) -> bytes:
        """Return text up to the next heading, nothing when it comes first."""
        if len(self._data) < size + _HEADING_MOST and not self._end:
            self._fill()
        match = _HEADING.search(self._data)
        if match:
            stop = match.start()
        elif self._end:
            stop = len(self._data)
        else:  # the start of a heading may stand at the end
            stop = max(self._data.rfind(b"\n") + 1, len(self._data) - _HEADING_MOST)
        stop = min(stop, size)
        data, self._data = self._data[:stop], self._data[stop:]
        if not data and not match and not self._end:
            self._fill()
            return self.take(size)
        return data
