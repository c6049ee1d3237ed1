"""What the trackers work on: the timeline, the facts, and what several of them derive from both, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hadiag.model.event import Event
from hadiag.model.fact import Fact
from hadiag.state.admin_acts import Act, acts
from hadiag.state.clones import Configured
from hadiag.state.fencing_results import Fenced, fenced_nodes
from hadiag.state.operations import fence_devices
from hadiag.state.signs import LossSigns
from hadiag.state.snapshots import Claim, Snapshot, claims, snapshots
from hadiag.state.stream import placed
from hadiag.timeline import Timeline


@dataclass(frozen=True)
class Given:
    """The input of every tracker; a derived part exists from the moment at which somebody asks for it."""

    timeline: Timeline
    facts: Sequence[Fact] = ()

    def placed(self, *types: str) -> tuple[Event, ...]:
        """Events of some types that have a time."""
        return placed(self.timeline, *types)

    @cached_property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """All dated CIBs in order of time."""
        return snapshots(self.timeline, self.facts)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What each snapshot says of each resource, in order of time."""
        return tuple(claims(self.timeline, self.facts, self.snapshots))

    @cached_property
    def acts(self) -> tuple[Act, ...]:
        """Deliberate acts of people, in order of time."""
        return acts(self.timeline)

    @cached_property
    def fenced(self) -> tuple[Fenced, ...]:
        """Operations that took a node down."""
        return fenced_nodes(self.timeline)

    @cached_property
    def fenced_by(self) -> Mapping[str, Sequence[Fenced]]:
        """Operations that took a node down, by that node."""
        found: dict[str, list[Fenced]] = {}
        for done in self.fenced:
            found.setdefault(done.target, []).append(done)
        return found

    @cached_property
    def signs(self) -> LossSigns:
        """When the peers of a node first missed it."""
        return LossSigns(self.timeline)

    @cached_property
    def devices(self) -> frozenset[str]:
        """Names of the fence devices."""
        return fence_devices(self.timeline, self.facts)

    @cached_property
    def configured(self) -> Configured:
        """Resources as the configuration nests them."""
        return Configured(self.facts)
