"""First paint and panning of a page with 100,000 events, as ratios to a bare canvas in the same browser and run.

``python -m tests.bench.page [EVENTS]`` prints a line for each: the time of the page, that of the bare canvas, the ratio.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from hadiag.pipeline import analyze
from hadiag.report.machine import as_data
from hadiag.report.render import render_page
from tests.conftest import ROOT
from tests.unit.report.test_size import crowd

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

SAMPLE = ROOT / "samples" / "14-quiet" / "quiet.tar.bz2"
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
BARE = """<!DOCTYPE html><title>bare</title><canvas id="c" width="1100" height="600"></canvas><script>
const c = document.getElementById("c").getContext("2d", { alpha: false });
window.paint = (shift) => {
  c.fillStyle = "#fff"; c.fillRect(0, 0, 1100, 600);
  for (let i = 0; i < 2000; i++) { c.fillStyle = i % 2 ? "#0a58a6" : "#8a5300"; c.fillRect((i * 7 + shift) % 1100, (i * 13) % 600, 4, 9); }
};
paint(0);
requestAnimationFrame(() => { document.documentElement.dataset.ready = performance.now(); });
</script>"""
"""As many marks as a screen shows at most, drawn by the shortest script."""

VIEW: ViewportSize = {"width": 1366, "height": 900}
ROUNDS = 7
SETTLE_MS = 4000
"""A browser that was just started is busy with itself."""

PAINT = "performance.getEntriesByType('paint').find((e) => e.name === 'first-contentful-paint')?.startTime ?? performance.now()"

FRAMES = """(step) => new Promise((done) => {
  const times = []; let last = 0, n = 0;
  const next = (now) => {
    if (last) times.push(now - last);
    last = now;
    if (++n > 40) { times.sort((a, b) => a - b); done(times[times.length >> 1]); return; }
    (0, eval)(step)(n);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""
"""Median time between two frames while each of them moves the picture."""

PRESS = """(n) => document.querySelector('#lanes canvas').dispatchEvent(
  new KeyboardEvent('keydown', { key: n % 20 < 10 ? 'ArrowRight' : 'ArrowLeft' }))"""


WATCH = """
window.took = [];
const real = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (f) => real((now) => { const t = performance.now(); f(now); took.push(performance.now() - t); });
"""
"""Notes how long the script of each frame ran."""

SCRIPT = "() => { const t = took.slice(-40).sort((a, b) => a - b); return t[t.length - 1 - (t.length >> 3)]; }"


class Subject:
    """A page that is opened again and again: when its first paint was, and when its marks stood on the canvas."""

    def __init__(self, name: str, path: Path, ready: str, step: str) -> None:
        """Take a file, what tells that it is drawn, and what moves its picture."""
        self.name, self.path, self.ready, self.step = name, path, ready, step
        self.paints: list[float] = []
        self.drawn: list[float] = []

    def open(self, browser: Browser) -> None:
        """Open it in a context of its own, and note the times."""
        context = browser.new_context(viewport=VIEW, bypass_csp=True)
        page = context.new_page()
        page.goto(self.path.as_uri(), wait_until="commit")
        page.wait_for_selector(self.ready, state="attached", timeout=120_000)
        page.wait_for_timeout(400)
        self.drawn.append(float(page.locator(self.ready).get_attribute("data-ready") or 0))
        self.paints.append(page.evaluate(PAINT))
        context.close()

    def pan(self, browser: Browser) -> tuple[float, float]:
        """Median time between frames while the picture moves, and that of the script in a frame."""
        context = browser.new_context(viewport=VIEW, bypass_csp=True)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(self.path.as_uri())
        page.wait_for_selector(self.ready, state="attached", timeout=120_000)
        if page.locator("#lanes canvas").count():
            page.locator("#lanes canvas").scroll_into_view_if_needed()
            page.locator("#lanes canvas").focus()
            page.keyboard.press("+")
            page.keyboard.press("+")
        page.wait_for_timeout(1000)
        frame, script = page.evaluate(FRAMES, self.step), page.evaluate(SCRIPT)
        context.close()
        return frame, script


def main(count: int) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    data: dict[str, Any] = json.loads(json.dumps(as_data(analyze([str(SAMPLE)]).diagnosis)))
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        bare = Subject("bare", Path(scratch, "bare.html"), "html[data-ready]", "(n) => paint(n * 15)")
        ours = Subject("page", Path(scratch, "page.html"), "#lanes[data-ready]", PRESS)
        bare.path.write_text(BARE, encoding="utf-8")
        ours.path.write_text(render_page(data, crowd(count, alike=True)), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(SWITCHES))
        browser.new_page().wait_for_timeout(SETTLE_MS)
        for _ in range(ROUNDS):
            for subject in (bare, ours):
                subject.open(browser)
        frames = {subject.name: subject.pan(browser) for subject in (bare, ours)}
        browser.close()
        size = ours.path.stat().st_size
    sys.stdout.write(f"{count:,} events, {size / 1e6:.2f} MB, medians of {ROUNDS} rounds\n")
    rows = [
        ("first paint", median(ours.paints), median(bare.paints)),
        ("lanes drawn", median(ours.drawn), median(bare.drawn)),
    ]
    rows += [("frame while panning", frames["page"][0], frames["bare"][0])]
    rows += [("script of such a frame", frames["page"][1], frames["bare"][1])]
    for what, page_ms, bare_ms in rows:
        ratio = page_ms / max(bare_ms, 0.1)
        sys.stdout.write(f"{what}: {page_ms:.1f} ms, bare canvas {bare_ms:.1f} ms, ratio {ratio:.1f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
