"""What the answer looks like on the first screen, further samples, several incidents, odd links, and hostile logs end to end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hadiag.pipeline import analyze
from hadiag.report.machine import as_data
from hadiag.report.render import render_html, render_result
from tests.browser.conftest import Open
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

UNFOLD = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"

ATTACK = (
    "</script><script>window.ran=1</script><img src=x onerror=window.ran=1> {{ 7 * 191 }} \x1b[31mred\x1b[0m "
    "\u202eesrever\u2066 http://192.0.2.1/ <link rel=stylesheet href=//192.0.2.1/x.css>"
)

TRACES = """() => ({
  ran: window.ran ?? null,
  computed: document.body.textContent.includes("1337"),
  images: [...document.images].filter((i) => !i.src.startsWith("data:")).length,
  links: [...document.links].filter((a) => !a.getAttribute("href").startsWith("#")).length,
  turned: /[\\u202a-\\u202e\\u2066-\\u2069\\u001b]/.test(document.body.innerText),
})"""


def body_of(opened: Any) -> str:
    return str(opened.page.locator("body").text_content())


def test_the_answer_stands_on_the_first_screen(visit: Open, report: Path) -> None:
    """Headline, cause, risk to data and what to do are visible without scrolling."""
    page = visit(report).ready()
    for wanted in ("#headline", "#headline .lead", ".tiles", ".now li"):
        box = page.locator(wanted).first.bounding_box()
        assert box, wanted
        assert box["y"] + box["height"] <= 900, wanted


def test_a_critical_case_without_a_certain_cause(visit: Open, tmp_path: Path) -> None:
    """Failed fencing with the logs of one node only: silent, and the page offers the alternatives, not one cause."""
    done = analyze([str(next((ROOT / "samples").glob("03-*/*.tar.bz2")))])
    path = tmp_path / "report.html"
    path.write_text(render_html(done.diagnosis, done.timeline, done.views, lines=done.surroundings), encoding="utf-8")
    opened = visit(path, forced_colors="active")
    page = opened.ready()
    assert opened.trouble == []
    card = page.locator("#verdict").inner_text()
    for one in done.diagnosis.incidents[0].explanations[:2]:
        assert one.statement.split(".", maxsplit=1)[0] in card
    assert "Remove the cause" not in card


def test_several_incidents(visit: Open, result: Mapping[str, Any], tmp_path: Path) -> None:
    """An overview first, then a part for each; no name or id comes twice."""
    data = json.loads(json.dumps(result))
    second = json.loads(json.dumps(data["incidents"][0])) | {"id": "I-2", "title": "A second incident"}
    data["incidents"].append(second)
    path = tmp_path / "two.html"
    path.write_text(render_result(data), encoding="utf-8")
    opened = visit(path)
    page = opened.ready()
    assert opened.trouble == []
    assert page.locator("#overview tbody tr").count() == 2
    assert page.evaluate("(() => { const all = [...document.querySelectorAll('[id]')].map((e) => e.id); "
                         "return all.filter((id, i) => all.indexOf(id) !== i); })()") == []  # fmt: skip
    assert page.evaluate("[...document.links].map((a) => a.getAttribute('href')).filter((h) => "
                         "!document.getElementById(h.slice(1)))") == []  # fmt: skip
    assert opened.violations() == []


@pytest.mark.parametrize(
    "fragment",
    ["#t=x/y&node=nobody&e=:::", "#t=2026-01-01T00:00:00/1999-01-01T00:00:00", "#%E0%A4%A", "#=&=&=", "#nowhere"],
)
def test_a_strange_link_does_no_harm(visit: Open, report: Path, fragment: str) -> None:
    """A fragment that nobody made is read as far as it can be, or ignored."""
    opened = visit(report.as_uri() + fragment)
    opened.page.locator("#lanes[data-ready]").wait_for()
    assert opened.trouble == []


def test_hostile_lines_in_a_log(visit: Open, tmp_path: Path) -> None:
    """From the log to the page: attacks in known and unknown messages, in the name of the file, and a line of a megabyte."""
    lines = [
        "Nov 22 10:10:05.001 node1 pacemakerd          [10] (main)   notice: Starting Pacemaker 2.1.5 | build=a3f44794f94",
        f"Nov 22 10:10:05.500 node1 pacemaker-attrd     [11] (odd)    error: {ATTACK}",
        f"Nov 22 10:10:06.000 node1 pacemaker-controld  [12] (log_executor_event)    error: Result of start operation for web on node1: error ({ATTACK}) | CIB update 30, graph action confirmed; call=20 key=web_start_0 rc=1",
        f"Nov 22 10:10:06.100 node1 pacemaker-controld  [12] (log_executor_event)    notice: node1-web_start_0:20 [ {ATTACK} ]",
        f"Nov 22 10:10:07.000 node1 pacemaker-fenced    [13] (log_op_output)    warning: fence_x[77] stderr: [ {ATTACK} ]",
        f"Nov 22 10:10:08.000 node1 pacemaker-schedulerd[14] (unpack_rsc_op_failure)    warning: Unexpected result (error: {ATTACK}) was recorded for start of web on node1 at Nov 22 10:10:06 2026 | rc=1 id=web_last_failure_0",
        f"Nov 22 10:10:09.000 node1 pacemaker-controld  [12] (x)    error: {'A' * 1_000_000}{ATTACK}",
        "Nov 22 10:10:10.000 node1 pacemaker-controld  [12] (do_state_transition)    notice: State transition S_TRANSITION_ENGINE -> S_IDLE | input=I_TE_SUCCESS cause=C_FSA_INTERNAL origin=notify_crmd",
    ]
    log = tmp_path / "node1" / "pacemaker <img src=x onerror=window.ran=1>.log.gz"
    log.parent.mkdir()
    log.write_bytes(gzip.compress("\n".join([*lines, ""]).encode("utf-8")))
    done = analyze([str(log.parent)])
    assert as_data(done.diagnosis)["incidents"]
    path = tmp_path / "page.html"
    path.write_text(render_html(done.diagnosis, done.timeline, done.views, lines=done.surroundings), encoding="utf-8")
    assert path.stat().st_size < 500_000
    opened = visit(path)
    page = opened.ready()
    page.evaluate(UNFOLD)
    page.locator("#lanes canvas").focus()
    for key in "0nnp+":
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.evaluate(TRACES) == {"ran": None, "computed": False, "images": 0, "links": 0, "turned": False}
    assert opened.trouble == []
    assert "<img src=x onerror=window.ran=1>" in body_of(opened)
