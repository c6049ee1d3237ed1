"""An event on its way through the timeline stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.event import RawEvent
from hadiag.model.time import NS, TimeBasis
from hadiag.timeline.files import LogFile

RELAY: Final = NS // 20
"""syslog and the journal stamp a message when it reaches them, up to this much after the daemon logged it."""
_RELAYED: Final = frozenset({"system", "journal"})


@dataclass(slots=True, eq=False)
class Sample:
    """A raw event with its node, its file, and its time on the node's own clock.

    ``utc`` is the own clock's time (None: no time), ``own`` the same without the node's detected clock steps.
    ``copies`` are the same event in other files.
    """

    raw: RawEvent
    node: Node
    file: LogFile
    core: str
    utc: int | None = None
    own: int = 0
    copies: tuple[Sample, ...] = ()
    lender: Sample | None = None
    """Line of another log that dates this one, which prints the time since boot only."""
    printed: str = ""
    doubt: int = 0

    @property
    def resolution(self) -> int:
        """Unit of the last printed digit, in ns."""
        return self.raw.time.resolution_ns if self.raw.time else NS

    @property
    def error(self) -> int:
        """Half-width of the uncertainty on the own clock: the printed unit, and the way to a log that another program writes.

        The daemons' own logs print no zone, so a stamp with zone is that of syslog or of the journal.
        """
        if self.lender is not None:
            return self.doubt
        time = self.raw.time
        relayed = self.raw.family in _RELAYED or (time is not None and time.utc_offset_s is not None)
        return max(self.resolution, RELAY) if relayed else self.resolution

    @property
    def basis(self) -> TimeBasis:
        """How the UTC offset became known."""
        if self.lender is not None:
            return self.lender.basis
        return self.file.basis(self.raw.time) if self.raw.time else TimeBasis.ASSUMED

    def stamp(self) -> None:
        """Compute the time on the own clock."""
        time = self.raw.time
        self.lender = None
        self.utc = None if time is None else self.file.utc(time, self.raw.ref.line)
        self.own = self.utc or 0

    def lend(self, utc: int, printed: str, lender: Sample, doubt: int) -> None:
        """Take the time that a line of another log gives."""
        self.utc = self.own = utc
        self.printed, self.lender, self.doubt = printed, lender, doubt
