"""Small results of Pacemaker's tools: ``crm_node -p`` (``members.txt``) and ``crm_verify`` (``crm_verify.txt``).

::

    node1 node2

    (unpack_resources) 	error: Resource start-up disabled since no STONITH resources have been defined
    crm_verify: Errors found during check: config not valid
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, name_of, numbered

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,252}")


class MembersParser:
    """Reads ``members.txt``."""

    name = "members"

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its name; one line of names."""
        named = name_of(path) == "members.txt" or command_of(path).endswith("crm_node -p")
        lines = head_lines(head, 3)
        return named and len(lines) == 1 and all(_NAME.fullmatch(word) for word in lines[0].split())

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield one ``partition`` with the names."""
        for number, line in numbered(data):
            if line:
                yield source.fact("partition", {"members": tuple(sorted(line.split()))}, number, text=line)
                return


class VerifyParser:
    """Reads ``crm_verify.txt``."""

    name = "crm_verify"
    _PROBLEM = re.compile(r"\b(error|warning):\s+(.+)$", re.IGNORECASE)

    def matches(self, path: str, head: bytes) -> bool:
        """Known by its name: the lines look like a log, but have no time."""
        named = name_of(path) == "crm_verify.txt" or command_of(path).startswith("crm_verify")
        return named and b"\0" not in head[:64]

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``config.problem`` for each remark."""
        for number, line in numbered(data):
            if match := self._PROBLEM.search(line):
                yield source.fact(
                    "config.problem", {"level": match[1].lower(), "what": match[2][:300]}, number, text=line
                )
