"""What all tests share: tests that need a system package say so, and are never skipped in continuous integration."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

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
