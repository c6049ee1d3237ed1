"""A headless Chromium, and reports to open in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.open import BROWSERS, Opened
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from hadiag.report.scene import Scene

QUIET = ROOT / "samples" / "14-quiet" / "quiet.tar.bz2"

Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine, headless."""
    from playwright.sync_api import sync_playwright

    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Open a page in a context of its own; what it complains about and asks for is recorded."""
    contexts = []

    def opened(address: Path | str, **options: Any) -> Opened:
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        return Opened(contexts[-1].new_page(), address)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def report(result: Mapping[str, Any], scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of it."""
    from hadiag.report.render import render_page

    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_page(result, scene), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a cluster in which nothing happened."""
    from hadiag.pipeline import analyze
    from hadiag.report.render import render_html

    path = tmp_path_factory.mktemp("quiet") / "quiet.html"
    done = analyze([str(QUIET)])
    path.write_text(render_html(done.diagnosis, done.timeline, done.views), encoding="utf-8")
    return path
