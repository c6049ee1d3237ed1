"""Messages that hadiag does not know: lines at warning or worse, clustered into templates.

A tree of fixed depth: program, number of words, first word, then the templates with these. What varies from line to line
(numbers, ids, addresses, paths, quoted names) is masked before; words that still differ become ``<*>``. ::

    Could not connect to 192.0.2.7 port 5403: timed out after 3000ms
    Could not connect to 192.0.2.9 port 5403: timed out after 3000ms     ->  Could not connect to <ip> port <n>: timed out after <n>ms
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hadiag.catalogue.programs import canonical
from hadiag.model.entity import Level
from hadiag.model.frozen import record
from hadiag.model.record import Record
from hadiag.model.source import SourceRef
from hadiag.model.time import LoggedTime

MAX_TEMPLATES: Final = 400
"""Templates of one log; what comes after them is counted in one template for each program."""

STORM: Final = 1000
"""Lines of a template from which on those that differ in digits only are counted unread."""

_MAX_STORMS: Final = 10_000
_DIGITS: Final = b"0123456789"
_WORDS: Final = 40  # words of a message that are compared
_LEAF: Final = 40  # templates with the same program, length and first word
_ALIKE: Final = 0.6  # share of equal words from which on two messages are one template
_ANY: Final = "<*>"
_OTHER: Final = "(many different messages)"
_MASKS: Final = (
    (re.compile(r"'[^']{0,200}'"), "'<*>'"),
    (re.compile(r'"[^"]{0,200}"'), '"<*>"'),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"(?<![\w/.])/[\w.+@/-]+(?::[\w.+@/-]+)*"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<hex>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{6,}\b"), "<hex>"),
    (re.compile(r"\d+"), "<n>"),
)


@record
class UnknownTemplate:
    """A template of lines that no pattern knows, in one log.

    ``first`` and ``last`` are the stamps of its first and last line as printed, which stand at ``example`` and
    ``last_ref``; ``text`` is the first line. ``level`` is the worst that was printed.
    """

    template: str
    program: str
    level: Level
    count: int
    first: LoggedTime | None
    last: LoggedTime | None
    example: SourceRef
    last_ref: SourceRef
    text: str
    host: str | None
    node_hint: str | None
    family: str


@dataclass(slots=True)
class _Cluster:
    """A template that still grows."""

    words: list[str]
    first: Record
    last: Record
    text: str
    level: Level
    count: int = 0
    read_last: Callable[[], Record | None] | None = None

    @property
    def last_record(self) -> Record:
        """The last record, read now if it was only counted."""
        return (self.read_last() if self.read_last is not None else None) or self.last

    def likeness(self, words: Sequence[str]) -> float:
        same = sum(one == other for one, other in zip(self.words, words, strict=True))
        return same / len(words)

    def take(self, record: Record, words: Sequence[str], level: Level) -> None:
        self.words = [one if one == other else _ANY for one, other in zip(self.words, words, strict=True)]
        self.last, self.read_last = record, None
        self.level = max(self.level, level)
        self.count += record.repeated


@dataclass(slots=True)
class UnknownMessages:
    """Clusters the unknown messages of one log."""

    node_hint: str | None
    family: str
    _leaves: dict[tuple[str, int, str], list[_Cluster]] = field(default_factory=dict)
    _total: int = 0
    _storms: dict[bytes, _Cluster] = field(default_factory=dict)

    @property
    def storming(self) -> bool:
        """Whether any template is so frequent that its lines are counted unread."""
        return bool(self._storms)

    def repeats(self, body: bytes, read: Callable[[], Record | None]) -> bool:
        """Count a line of a storm by its text behind the stamp; ``read`` reads it if it should be the last one."""
        cluster = self._storms.get(body.translate(None, _DIGITS))
        if cluster is None:
            return False
        cluster.count += 1
        cluster.read_last = read
        return True

    def add(self, record: Record, level: Level, text: str, body: bytes | None = None) -> None:
        """Take in a line that no pattern knows. ``body`` is the line behind its stamp."""
        words = masked(record.message).split(" ")[:_WORDS]
        program = canonical(record.program) if record.program else ""
        if self._total >= MAX_TEMPLATES:
            words = words if self._known(program, words) else [_OTHER]
        leaf = self._leaves.setdefault((program, len(words), words[0]), [])
        cluster = max(leaf, key=lambda each: each.likeness(words), default=None)
        if cluster is None or (cluster.likeness(words) < _ALIKE and len(leaf) < _LEAF):
            cluster = _Cluster(words, record, record, text, level)
            leaf.append(cluster)
            self._total += 1
        cluster.take(record, words, level)
        if body is not None and record.repeated == 1 and cluster.count > STORM and len(self._storms) < _MAX_STORMS:
            self._storms[body.translate(None, _DIGITS)] = cluster

    def templates(self) -> tuple[UnknownTemplate, ...]:
        """All templates, in the order of their first lines."""
        rows = [
            UnknownTemplate(
                template=" ".join(cluster.words),
                program=program,
                level=cluster.level,
                count=cluster.count,
                first=cluster.first.time,
                last=last.time,
                example=cluster.first.ref,
                last_ref=last.ref,
                text=cluster.text,
                host=cluster.first.host,
                node_hint=self.node_hint,
                family=self.family,
            )
            for (program, _, _), leaf in self._leaves.items()
            for cluster in leaf
            for last in (cluster.last_record,)
        ]
        return tuple(sorted(rows, key=lambda row: (row.example.line, row.template)))

    def _known(self, program: str, words: Sequence[str]) -> bool:
        leaf = self._leaves.get((program, len(words), words[0]), ())
        return any(cluster.likeness(words) >= _ALIKE for cluster in leaf)


def masked(message: str) -> str:
    """A message with what varies masked, runs of white space collapsed, at most 1,000 characters of it."""
    text = " ".join(message[:1000].split())
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text or _ANY
