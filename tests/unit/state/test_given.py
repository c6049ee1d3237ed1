"""What the trackers share: derived once, and only where somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.state import build_views, given
from tests.unit.state.builders import timeline
from tests.unit.state.cibs import cib

if TYPE_CHECKING:
    import pytest


def test_each_derived_part_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All trackers together put the CIBs in order once, and gather the acts and the fencing once."""
    made: list[str] = []
    for name in ("snapshots", "claims", "acts", "fenced_nodes", "fence_devices"):
        original = getattr(given, name)

        def counted(*arguments: object, name: str = name, original: object = original) -> object:
            made.append(name)
            assert callable(original)
            return original(*arguments)

        monkeypatch.setattr(given, name, counted)

    build_views(timeline("+0s n1 pcmk.dc.take\n+9s n1 x.y"), (cib("5s", resources="web@n1=Started"),))

    assert sorted(made) == ["acts", "claims", "fence_devices", "fenced_nodes", "snapshots"]
