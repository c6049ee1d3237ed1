"""What all tests share: tests that need a system package say so, and are never skipped in continuous integration."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hadiag.pipeline import Analysis
    from hadiag.report.scene import Scene

ROOT = Path(__file__).resolve().parents[1]
FENCED = ROOT / "samples" / "01-partition-fenced" / "partition-fence-ok.tar.bz2"

_NEEDS = {
    "browser": (("chromium", "chromium-browser", "google-chrome"), "a headless Chromium"),
}


def _found(names: tuple[str, ...]) -> bool:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return any(shutil.which(name, path=places) for name in names)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose system package is missing, except in continuous integration, where it fails."""
    for marker, (names, what) in _NEEDS.items():
        if item.get_closest_marker(marker) is None or _found(names):
            continue
        reason = f"needs {what}; install it to run this test"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share one cache of compiled patterns for the run, and never touch the user's."""
    base = tmp_path_factory.getbasetemp().parent / "hadiag-cache"
    base.mkdir(exist_ok=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(base))


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
