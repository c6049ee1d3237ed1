"""First paint and panning of a page with 100,000 events, as ratios to a bare canvas in the same browser and run.

``python -m tests.bench.page [EVENTS]`` prints a line for each: the time of the page, that of the bare canvas, the ratio.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hadiag.pipeline import analyze
from hadiag.report.machine import as_data
from hadiag.report.render import render_page
from tests.conftest import ROOT
from tests.unit.report.test_size import crowd

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


def main(count: int) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    data: dict[str, Any] = json.loads(json.dumps(as_data(analyze([str(SAMPLE)]).diagnosis)))
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        page_file, bare_file = Path(scratch, "page.html"), Path(scratch, "bare.html")
        page_file.write_text(render_page(data, crowd(count, alike=True)), encoding="utf-8")
        bare_file.write_text(BARE, encoding="utf-8")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(SWITCHES))
        found: dict[str, tuple[float, ...]] = {}
        for name, path, ready, step in (
            ("bare", bare_file, "html[data-ready]", "(n) => paint(n * 15)"),
            ("page", page_file, "#lanes[data-ready]", PRESS),
        ):
            context = browser.new_context(viewport={"width": 1366, "height": 900}, bypass_csp=True)
            context.add_init_script(WATCH)
            page = context.new_page()
            paints: list[float] = []
            drawn: list[float] = []
            for _ in range(3):
                page.goto(path.as_uri())
                page.wait_for_selector(ready, state="attached", timeout=120_000)
                drawn.append(page.evaluate("performance.now()"))
                paints.append(
                    page.evaluate(
                        "performance.getEntriesByType('paint').find((e) => e.name === 'first-contentful-paint')?.startTime"
                        " ?? performance.now()"
                    )
                )
            if name == "page":
                page.locator("#lanes canvas").scroll_into_view_if_needed()
                page.locator("#lanes canvas").focus()
                page.keyboard.press("+")
                page.keyboard.press("+")
            frame = page.evaluate(FRAMES, step)
            found[name] = (sorted(paints)[1], sorted(drawn)[1], frame, page.evaluate(SCRIPT))
            context.close()
        browser.close()
        size = page_file.stat().st_size
    sys.stdout.write(f"{count:,} events, {size / 1e6:.2f} MB\n")
    for place, what in enumerate(
        ("first paint", "lanes drawn, as seen from outside", "frame while panning", "script of such a frame")
    ):
        ours, bare = found["page"][place], found["bare"][place]
        sys.stdout.write(f"{what}: {ours:.1f} ms, bare canvas {bare:.1f} ms, ratio {ours / max(bare, 0.1):.1f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
