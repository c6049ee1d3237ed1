"""One recorded incident, analyzed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from hadiag.pipeline import Analysis
    from hadiag.report.scene import Scene

FENCED = ROOT / "samples" / "01-partition-fenced" / "partition-fence-ok.tar.bz2"


@pytest.fixture(scope="session")
def analysis() -> Analysis:
    """What hadiag says of a recorded partition that ended in fencing."""
    from hadiag.pipeline import analyze

    return analyze([str(FENCED)])


@pytest.fixture(scope="session")
def result(analysis: Analysis) -> Mapping[str, Any]:
    """The same as the machine-readable result."""
    from hadiag.report.machine import as_data

    return as_data(analysis.diagnosis)


@pytest.fixture(scope="session")
def scene(analysis: Analysis, result: Mapping[str, Any]) -> Scene:
    """The same as the timeline draws it."""
    from hadiag.report.scene import scene_of

    return scene_of(result, analysis.timeline, analysis.views, analysis.surroundings)


@pytest.fixture(scope="session")
def page(result: Mapping[str, Any], scene: Scene) -> str:
    """The page of it."""
    from hadiag.report.render import render_page

    return render_page(result, scene)
