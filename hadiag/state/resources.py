"""Resources: operations, where they were active, outages, fail counts, bans and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state import admin_acts, failures, operations
from hadiag.state.activity import active_views
from hadiag.state.clones import INSTANCE_LINES, kinds
from hadiag.state.failures import ban_views, blocked_views, failcount_views
from hadiag.state.fencing_devices import device_views
from hadiag.state.operations import failures as failures_of
from hadiag.state.outages import Context, outage_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.view import View
    from hadiag.state.given import Given


class ResourceTracker:
    """Tables ``rsc.*`` and ``fencing.device``; a fence device is a resource too."""

    consumes = operations.CONSUMES | failures.CONSUMES | admin_acts.CONSUMES | frozenset(INSTANCE_LINES)

    def views(self, given: Given) -> Iterator[View]:
        """Derive each table from the one before it."""
        timeline = given.timeline
        done = operations.operations(timeline, given.facts, given.devices)
        sorts = kinds(given.configured, timeline, done)
        active = active_views(given, done, sorts)
        yield from done
        yield from active
        yield from device_views(timeline, given.facts, done)
        failed_starts = [view for view in failures_of(done) if view.value["op"] in ("start", "promote", "migrate_from")]
        yield from outage_views(Context(given, done, sorts, failed_starts), active)
        yield from failcount_views(timeline)
        yield from ban_views(timeline)
        yield from blocked_views(given, done)


TRACKER = ResourceTracker()
