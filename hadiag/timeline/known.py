"""What the timeline needs to know of the event catalogue, and the names of the daemons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol

from hadiag.model.entity import Layer, Level

PACEMAKER: Final = frozenset(
    {
        *("pacemakerd", "pacemaker-based", "pacemaker-fenced", "pacemaker-execd", "pacemaker-attrd"),
        *("pacemaker-schedulerd", "pacemaker-controld", "pacemaker-remoted"),
        *("cib", "stonith-ng", "stonithd", "lrmd", "attrd", "pengine", "crmd", "pacemaker_remoted"),
    }
)
"""Daemons of Pacemaker under all their names."""

COROSYNC_START: Final = ("corosync.main.starting", "corosync.main.started_2x")
PACEMAKER_START: Final = "pacemakerd.start"
STARTS: Final = frozenset({"kernel.boot", "systemd.boot", *COROSYNC_START, PACEMAKER_START})
"""Events that tell of another life of a node, or of its cluster software."""

_CLIPPED: Final = {name[:15]: name for name in PACEMAKER if len(name) > 15}
"""The journal knows a process without identifier by the first 15 characters of its name."""


class TypeInfo(Protocol):
    """An event type of the catalogue, as far as the timeline reads it."""

    @property
    def layer(self) -> Layer:
        """Layer of the stack."""

    @property
    def level(self) -> Level:
        """Usual level."""

    @property
    def programs(self) -> Collection[str]:
        """Names under which it is printed; empty for any."""

    @property
    def subject(self) -> str | None:
        """Name of the field that is the subject."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """Fields and their types."""


class Catalogue(Protocol):
    """The event catalogue, as far as the timeline reads it."""

    @property
    def types(self) -> Mapping[str, TypeInfo]:
        """Event types by name."""


def daemon(program: str | None) -> str:
    """Name of a program for comparisons: clipped names made whole, empty where there is none."""
    if program is None:
        return ""
    return _CLIPPED.get(program, program)


def is_pacemaker(program: str | None) -> bool:
    """Tell whether a program is one of Pacemaker's daemons."""
    return daemon(program) in PACEMAKER


def core_message(message: str) -> str:
    """Message as every log has it: without the details behind `` | ``, which only Pacemaker's own log holds."""
    cut = message.find(" | ")
    text = message if cut < 0 else message[:cut]
    return " ".join(text.split())


def node_fields(info: TypeInfo | None) -> tuple[str, ...]:
    """Names of the fields of a type that name a node."""
    if info is None:
        return ()
    return tuple(name for name, kind in info.fields.items() if str(kind).rstrip("?") == "node")
