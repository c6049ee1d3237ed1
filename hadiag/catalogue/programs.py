"""Names of daemons: the old and the new name of the same program, and the tags of resource agents."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

RENAMED: Final = {
    "crmd": "pacemaker-controld",
    "pengine": "pacemaker-schedulerd",
    "stonith-ng": "pacemaker-fenced",
    "stonithd": "pacemaker-fenced",
    "attrd": "pacemaker-attrd",
    "cib": "pacemaker-based",
    "lrmd": "pacemaker-execd",
    "pacemaker_remoted": "pacemaker-remoted",
    # The kernel cuts the name of a process (journal: _COMM) to 15 characters.
    "pacemaker-contr": "pacemaker-controld",
    "pacemaker-sched": "pacemaker-schedulerd",
    "pacemaker-fence": "pacemaker-fenced",
    "pacemaker-remot": "pacemaker-remoted",
    "pacemaker_remot": "pacemaker-remoted",
    "corosync-qdevic": "corosync-qdevice",
    "corosync-qnetd": "corosync-qnetd",
}
"""Old, cut or alternative name of a daemon to the name since Pacemaker 2.0."""

_TAG: Final = re.compile(r"(?P<agent>[\w.:+-]+)\((?P<resource>[^()]+)\)?")


@lru_cache(maxsize=4096)
def canonical(program: str) -> str:
    """New name of a daemon; of an agent's tag ``Filesystem(fs1)`` the agent; else the name itself."""
    tag = _TAG.fullmatch(program)
    name = tag["agent"] if tag else program.rsplit("/", 1)[-1]
    return RENAMED.get(name, name)


def agent_tag(program: str | None) -> tuple[str, str] | None:
    """Agent and resource of a tag such as ``IPaddr2(vip)``."""
    tag = _TAG.fullmatch(program) if program else None
    return (tag["agent"], tag["resource"]) if tag else None


def printed_by(program: str | None, programs: Collection[str]) -> bool:
    """Whether a program as printed is one of ``programs`` (canonical names); any is, where either is unknown."""
    return not programs or program is None or canonical(program) in programs
