"""The page in a real browser: silent, accessible, operable by keyboard, a link to every view, whole without script, printable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hadiag.report.render import render_page
from hadiag.report.scene import Scene
from tests.browser.conftest import Open
from tests.unit.report.test_size import crowd

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LIGHT = {"color_scheme": "light"}
DARK = {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
PAPER_PX = {"A4": 794 - 98, "Letter": 816 - 98}
"""Width of the text area on paper in pixels of the style sheet."""

MOST_PAGES = 9
"""Of one incident of two nodes; what is on no page is said to be in the file."""


@pytest.mark.parametrize("which", ["report", "quiet"])
def test_silent(which: str, visit: Open, request: pytest.FixtureRequest) -> None:
    """The page asks for nothing, its policy refuses nothing, and the console stays empty."""
    opened = visit(request.getfixturevalue(which))
    opened.ready()
    assert opened.trouble == []


def test_policy_is_enforced(visit: Open, report: Path, tmp_path: Path) -> None:
    """What the page did not come with neither runs nor loads: the policy is in force, and the test would see it."""
    altered = tmp_path / "altered.html"
    intruder = '<script>window.ran = 1</script><img src="https://elsewhere.invalid/x.png"></main>'
    altered.write_text(report.read_text(encoding="utf-8").replace("</main>", intruder), encoding="utf-8")
    opened = visit(altered)
    opened.ready()
    assert opened.page.evaluate("window.ran === undefined")
    assert sum("Content Security Policy" in line for line in opened.trouble) == 2


@pytest.mark.parametrize("which", ["report", "quiet"])
@pytest.mark.parametrize("look", [LIGHT, DARK, PHONE], ids=["light", "dark", "phone"])
def test_accessible(which: str, look: dict[str, Any], visit: Open, request: pytest.FixtureRequest) -> None:
    """The accessibility checker finds nothing, with everything folded open."""
    opened = visit(request.getfixturevalue(which), **look)
    opened.ready()
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert opened.violations() == []


def test_phone_does_not_scroll_sideways(visit: Open, report: Path) -> None:
    """On a phone the page is as wide as the screen; what is wider scrolls inside its own box."""
    page = visit(report, **PHONE).ready()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_keyboard(visit: Open, report: Path) -> None:
    """The timeline is reached with Tab alone, and moved, zoomed, searched for what matters and left for its table by keys."""
    opened = visit(report)
    page = opened.ready()
    page.locator("#lanes input").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "CANVAS":
            break
    assert page.evaluate("document.activeElement.getAttribute('aria-roledescription')") == "timeline"
    seen = [opened.status()]
    for key in ("+", "ArrowRight", "-", "0"):
        page.keyboard.press(key)
        seen.append(opened.status())
    assert len(set(seen)) == len(seen)
    page.keyboard.press("n")
    page.wait_for_timeout(300)
    first = page.locator("#lanes tr.here").inner_text()
    page.keyboard.press("n")
    page.wait_for_timeout(300)
    assert page.locator("#lanes tr.here").inner_text() != first
    page.keyboard.press("p")
    page.wait_for_timeout(300)
    assert page.locator("#lanes tr.here").inner_text() == first
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "window"


def test_link_restores_the_view(visit: Open, report: Path) -> None:
    """Window, filters and the chosen event stand in the address; the address opened elsewhere shows the same picture."""
    opened = visit(report)
    page = opened.ready()
    page.get_by_label("Node", exact=True).select_option(index=1)
    page.get_by_label("Level ≥").select_option("notice")
    page.get_by_role("button", name="zoom in").click()
    page.locator("#lanes canvas").focus()
    page.keyboard.press("n")
    opened.status()
    address = page.url
    assert re.search(r"#t=[^&]+&node=[^&]+&level=notice&e=", address)
    assert page.locator("#lanes tr.here td").nth(4).inner_text() in page.locator(".picked").inner_text()
    copy = visit(address).ready()
    copy.wait_for_timeout(300)
    assert copy.locator("#lanes tr.here").inner_text() == page.locator("#lanes tr.here").inner_text()
    assert copy.locator("#lanes tbody").inner_text() == page.locator("#lanes tbody").inner_text()
    assert copy.get_by_label("Level ≥").input_value() == "notice"
    assert copy.get_by_label("Node", exact=True).input_value() == page.get_by_label("Node", exact=True).input_value()
    third = visit(copy.url).ready()
    third.wait_for_timeout(300)
    picture = "document.querySelector('#lanes canvas').toDataURL()"
    assert third.evaluate(picture) == copy.evaluate(picture)
    assert copy.evaluate(picture) != visit(address.partition("#")[0]).ready().evaluate(picture)


def test_link_to_a_quotation_opens_it(visit: Open, report: Path) -> None:
    """A link to a line that lies in a folded part shows it."""
    page = visit(report).ready()
    link = page.locator(".step a.place").first
    target = (link.get_attribute("href") or "#").removeprefix("#")
    link.click()
    assert page.locator(f"[id='{target}']").is_visible()


def test_without_script(visit: Open, report: Path, result: Mapping[str, Any]) -> None:
    """With JavaScript off everything is there but zoom and filter, and nothing that would need it."""
    page = visit(report, java_script_enabled=False).page
    assert page.locator(".needs-script:visible, #theme:visible, #copy:visible").count() == 0
    assert page.locator(".picture svg").first.is_visible()
    shown = page.locator("body").inner_text()
    incident = result["incidents"][0]
    for step in incident["chain"]:
        assert step["text"] in shown
    for row in incident["explanations"]:
        assert row["statement"] in shown
    whole = page.locator("body").text_content() or ""
    for finding in result["findings"]:
        assert finding["title"] in whole
    assert page.locator(".static-events tbody tr").count() > 10


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_print(paper: str, visit: Open, report: Path) -> None:
    """Paper holds what a review needs, in order, in the outline of the document; nothing runs over the edge, no control is printed."""
    page = visit(report).ready()
    headings = [
        text.strip() for text in page.locator("section:not(.screen-only) > h2, h2:not(section > h2)").all_inner_texts()
    ]
    printed = page.pdf(format=paper, outline=True, tagged=True)
    titles = [_pdf_text(raw) for raw in re.findall(rb"/Title (\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f]+>)", printed, re.DOTALL)]
    assert [title for title in titles if title in headings] == headings
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= MOST_PAGES
    page.emulate_media(media="print")
    left_out = " ".join(page.locator(".print-only").all_inner_texts())
    for what in ("rows are printed", "quoted lines", "text for the review"):
        assert what in left_out
    page.set_viewport_size({"width": PAPER_PX[paper], "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER_PX[paper]
    assert page.locator("button:visible, #lanes:visible, .contents:visible").count() == 0


def _pdf_text(raw: bytes) -> str:
    data = bytes.fromhex(raw[1:-1].decode()) if raw[:1] == b"<" else re.sub(rb"\\(.)", rb"\1", raw[1:-1])
    return data[2:].decode("utf-16-be") if data[:2] == b"\xfe\xff" else data.decode("latin-1")


def test_colours_by_hand(visit: Open, report: Path) -> None:
    """The button goes through automatic, light and dark, and dark is dark."""
    page = visit(report, **LIGHT).ready()
    back = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(back)
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.evaluate(back) != light
    page.locator("#theme").click()
    assert page.evaluate(back) == light


def test_many_nodes(visit: Open, result: Mapping[str, Any], scene: Scene, tmp_path: Path) -> None:
    """Twenty nodes take two rows each and fit on a screen; a click on a name shows all rows of that node, another folds them."""
    nodes = tuple(f"host{number:02d}" for number in range(20))
    moments = tuple(replace(moment, node=nodes[place % 20]) for place, moment in enumerate(scene.moments))
    bands = tuple(replace(band, node=node) for node in nodes for band in scene.bands if band.node == "node1")
    path = tmp_path / "many.html"
    many = replace(scene, nodes=nodes, moments=moments, bands=bands, arrows=(), blanks=())
    path.write_text(render_page(result, many), encoding="utf-8")
    opened = visit(path)
    page = opened.ready()
    height = "document.querySelector('#lanes canvas').clientHeight"
    folded = page.evaluate(height)
    assert folded < 850
    for taller in (True, False):
        page.locator("#lanes canvas").click(position={"x": 40, "y": 80})
        page.wait_for_timeout(200)
        assert (page.evaluate(height) > folded) is taller
    page.get_by_label("Node", exact=True).select_option("host07")
    page.wait_for_timeout(200)
    assert page.evaluate(height) < folded
    assert "host07" in page.locator("#lanes tbody").inner_text()
    assert "host08" not in page.locator("#lanes tbody").inner_text()
    assert opened.trouble == []


def test_many_events(visit: Open, result: Mapping[str, Any], tmp_path: Path) -> None:
    """Lanes that are drawn as one image show warnings in their colour, and what is hovered is told once the messages are read."""
    path = tmp_path / "crowd.html"
    path.write_text(render_page({**result, "incidents": []}, crowd(20_000)), encoding="utf-8")
    opened = visit(path, **LIGHT)
    page = opened.ready()
    colours = page.evaluate("""() => {
      const c = document.querySelector('#lanes canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      const seen = {}; for (let i = 0; i < d.length; i += 4) { const k = d[i] + ',' + d[i + 1] + ',' + d[i + 2]; seen[k] = (seen[k] || 0) + 1; }
      const of = (name) => { const i = document.createElement('i'); i.className = 'sev-' + name; document.body.append(i);
        const [r, g, b] = getComputedStyle(i).color.match(/\\d+/g); i.remove(); return seen[r + ',' + g + ',' + b] || 0; };
      return { warning: of('warning'), error: of('error'), info: of('info') };
    }""")
    assert min(colours.values()) > 100
    page.locator("#lanes canvas").hover(position={"x": 600, "y": 60})
    assert "Result of monitor operation" in page.locator(".hint").inner_text()
    page.get_by_label("Search").fill("call=777 ")
    assert "1 / 20000" in opened.status()
    assert opened.trouble == []
