"""The members as Pacemaker sees them: ``crm_node -p`` (``members.txt`` of the report tools).

::

    node1 node2
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
