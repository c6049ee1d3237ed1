"""One recorded incident, analyzed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hadiag.report.scene import Scene


@pytest.fixture(scope="session")
def page(result: Mapping[str, Any], scene: Scene) -> str:
    """The page of it."""
    from hadiag.report.render import render_page

    return render_page(result, scene)
