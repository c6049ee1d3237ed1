"""Tables ``admin.action``, ``node.standby`` and ``node.maintenance``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.view import View
from hadiag.state.admin_acts import CONSUMES, EFFECTS, Act
from hadiag.state.modes import mode_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Scalar
    from hadiag.state.given import Given


class AdminTracker:
    """Deliberate acts, and the modes that they put nodes into."""

    consumes = CONSUMES

    def views(self, given: Given) -> Iterator[View]:
        """Yield acts and modes."""
        yield from map(_view, given.acts)
        yield from mode_views(given)


def _view(act: Act) -> View:
    value: dict[str, Scalar] = {
        "what": act.what,
        "tool": act.tool or None,
        "user": act.user,
        "target": act.target,
        "on": act.target or "the cluster",
        "planned_effects": EFFECTS.get(act.what, ()),
    }
    return View("admin.action", act.observer, act.at, act.at, value, act.uid, act.uid, tuple(act.evidence[:50]))


TRACKER = AdminTracker()
