"""Run all trackers over a timeline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hadiag.model.source import Warn
from hadiag.state import (
    admin,
    clocksteps,
    config_changes,
    controller,
    daemons,
    fencing,
    judged,
    links,
    membership,
    options,
    pauses,
    quorum,
    resources,
)
from hadiag.state.configured import with_configuration
from hadiag.state.contradictions import contradictions
from hadiag.state.given import Given
from hadiag.state.losses import losses
from hadiag.state.openings import openings
from hadiag.state.tracker import StateTracker, Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hadiag.model.fact import Fact
    from hadiag.model.view import View
    from hadiag.timeline import Timeline


def built_in() -> tuple[StateTracker, ...]:
    """Trackers that ship with hadiag."""
    modules = (
        *(membership, judged, links, quorum, controller, daemons, fencing, resources, admin, options, config_changes),
        *(pauses, clocksteps),
    )
    return tuple(module.TRACKER for module in modules)


def build_views(
    timeline: Timeline, facts: Sequence[Fact] = (), trackers: Sequence[StateTracker] | None = None
) -> Views:
    """Run all trackers; one that fails leaves its tables out and says so in a warning."""
    views: list[View] = []
    warnings: list[Warn] = []
    given = Given(timeline, with_configuration([_aligned(fact, timeline) for fact in facts]))
    for tracker in built_in() if trackers is None else trackers:
        try:
            views.extend(tracker.views(given))
        except Exception as error:  # noqa: BLE001 (a tracker may come from a plug-in; the others still hold)
            warnings.append(Warn("tracker-failed", f"State tracker failed: {error!r}", type(tracker).__name__))
    try:
        views.extend(openings(given, Views(views)))
    except Exception as error:  # noqa: BLE001 (what a damaged snapshot says must not cost what the logs say)
        warnings.append(Warn("tracker-failed", f"State tracker failed: {error!r}", openings.__name__))
    first = Views(views)
    for derive in (contradictions, losses):
        try:
            views.extend(derive(given, first))
        except Exception as error:  # noqa: BLE001 (what is derived from damaged views must not cost the views)
            warnings.append(Warn("tracker-failed", f"State tracker failed: {error!r}", derive.__name__))
    return Views(views, tuple(warnings))


def _aligned(fact: Fact, timeline: Timeline) -> Fact:
    """A snapshot shows the clock of its host; views are on that of the reference."""
    if fact.as_of_ns is None or not fact.node_hint:
        return fact
    node = timeline.node(fact.node_hint)
    at = fact.as_of_ns if node is None else timeline.aligned(node, fact.as_of_ns)
    return fact if at == fact.as_of_ns else replace(fact, as_of_ns=at)
