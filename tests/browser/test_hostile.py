"""What stands in logs never becomes markup and never runs, wherever the page shows it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hadiag.report.render import render_page
from hadiag.report.scene import Scene
from hadiag.report.words import Said
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PIECES = (
    "</script><script>window.ran=1</script>",
    "</style><style>*{display:none}</style>",
    "<img src=x onerror=window.ran=1>",
    "<svg onload=window.ran=1>",
    '"><a href="javascript:window.ran=1">x</a>',
    "' autofocus onfocus='window.ran=1",
    "{{ 7*7 }}{% raw %}{# x #}",
    "${window.ran=1}`",
    "<!--",
    "-->",
    "]]>",
    "&lt;b&gt;&amp;",
    "\x1b[31m\x1b]0;title\x07\x00\x08\x7f\x9b",
    "\u202e\u2066\u200f\ufeff\u2028\u2029",
    "\ud800\udfff",
    "<plaintext>",
    "</textarea></title></template>",
    "\u6f22\u5b57 \U0001f4a5 e\u0301",
)
LOGGED = {
    "text",
    "title",
    "statement",
    "path",
    "found",
    "expected",
    "why",
    "reason",
    "error",
    "template",
    "program",
    "message",
}
LOGGED |= {"headline", "what", "command", "answer", "logged", "device", "exit_reason", "says", "worked", "uncheckable"}
"""Keys of the result whose values come, wholly or in part, from logs and configurations."""

TAGS = "Object.fromEntries(['script', 'style', 'img', 'svg', 'a', 'iframe', 'template', 'textarea', 'plaintext'].map(\
t => [t, document.querySelectorAll(t).length]))"


class Fuzz:
    """Hostile texts, the same ones in each run."""

    def __init__(self, seed: int) -> None:
        """Start from a number."""
        self.random = random.Random(seed)

    def text(self) -> str:
        """A text of a few hostile pieces."""
        return " ".join(self.random.choices(PIECES, k=self.random.randint(1, 6)))

    def spoilt(self, value: Any, key: str = "") -> Any:
        """A result in which all that comes from logs is hostile; what links it together stays."""
        if isinstance(value, Mapping):
            return {name: self.spoilt(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.spoilt(inner, key) for inner in value]
        return self.text() if isinstance(value, str) and key in LOGGED else value

    def spoilt_scene(self, scene: Scene) -> Scene:
        """A timeline of hostile messages."""
        moments = [replace(m, text=self.text(), subject=self.text(), path=self.text()) for m in scene.moments]
        bands = [replace(band, label=Said(self.text())) for band in scene.bands]
        return replace(scene, moments=tuple(moments), bands=tuple(bands))


@pytest.fixture(params=range(3))
def hostile(request: pytest.FixtureRequest, result: Mapping[str, Any], scene: Scene, tmp_path: Path) -> Path:
    """A page of fuzzed texts."""
    fuzz = Fuzz(request.param)
    path = tmp_path / "hostile.html"
    path.write_text(render_page(fuzz.spoilt(result), fuzz.spoilt_scene(scene)), encoding="utf-8")
    return path


def test_never_runs(hostile: Path, visit: Open, report: Path) -> None:
    """Fuzzed texts everywhere: nothing runs, nothing is loaded, no element more or less than with plain texts."""
    opened = visit(hostile)
    page = opened.ready()
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.locator("#lanes canvas").focus()
    for key in "nn0":
        page.keyboard.press(key)
    page.locator("#lanes canvas").hover(position={"x": 400, "y": 120})
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran === undefined")
    assert opened.trouble == []
    plain = visit(report).ready().evaluate(TAGS)
    spoilt = page.evaluate(TAGS)
    assert {tag: spoilt[tag] for tag in plain if tag != "a"} == {tag: plain[tag] for tag in plain if tag != "a"}
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => ![...e.attributes].some(a => /^on|^style$/.test(a.name) "
        "&& !e.closest('#lanes')))"
    )


def test_endless_line(visit: Open, result: Mapping[str, Any], scene: Scene, tmp_path: Path) -> None:
    """A line of a megabyte is cut and says so; the page stays small and as wide as its window."""

    def longer(value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {name: longer(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [longer(inner, key) for inner in value]
        return value + "A" * 1_000_000 if isinstance(value, str) and key == "text" and "corosync" in value else value

    text = render_page(longer(result), scene)
    assert len(text) < 2_000_000
    path = tmp_path / "endless.html"
    path.write_text(text, encoding="utf-8")
    opened = visit(path)
    page = opened.ready()
    assert opened.trouble == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert "more characters" in (page.locator("body").text_content() or "")
