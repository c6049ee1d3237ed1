"""The page as a file: one strict policy, small, equal bytes, the order of its parts, and templates of the user's own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from hadiag.errors import UsageError
from hadiag.report.bands import CLUSTER
from hadiag.report.overview import picture_of
from hadiag.report.render import render_page, render_result
from hadiag.report.scene import Scene, scene_of_result
from hadiag.report.words import read_words
from hadiag.resources import templates_dir

ORDER = [
    "verdict",
    "I-1",
    "timeline",
    "findings",
    "fencing",
    "cluster",
    "audit",
    "coverage",
    "computed",
    "quotes",
    "review",
]


def test_policy_names_each_block(page: str) -> None:
    """The policy allows the one script and the one style by their hashes, and nothing else in the page could run."""
    tree = html.document_fromstring(page)
    policy = tree.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    blocks = {"script": "//script[not(@type)]", "style": "//style"}
    for kind, path in blocks.items():
        (block,) = tree.xpath(path)
        digest = base64.b64encode(hashlib.sha256(block.text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert tree.xpath("//@style | //@*[starts-with(name(), 'on')]") == []
    assert tree.xpath("//link | //iframe | //object | //embed | //base | //form") == []
    assert all(address.startswith("data:") for address in tree.xpath("//@src"))


def test_policy_stands_before_content(page: str) -> None:
    """A policy holds from where it stands on, so it stands first."""
    assert page.index("Content-Security-Policy") < page.index("<style") < page.index("<script")


def test_order(page: str) -> None:
    """The verdict is first, the text for the review last; each link of the page leads somewhere."""
    tree = html.document_fromstring(page)
    ids = [str(one) for one in tree.xpath("//main//@id")]
    assert [one for one in ids if one in ORDER] == ORDER
    assert len(ids) == len(set(ids))
    assert {str(link)[1:] for link in tree.xpath("//@href[starts-with(., '#')]")} <= set(map(str, tree.xpath("//@id")))


def test_equal_bytes(page: str, result: Mapping[str, Any], scene: Scene) -> None:
    """The page of equal input has equal bytes."""
    assert render_page(result, scene) == page


def test_result_alone(result: Mapping[str, Any]) -> None:
    """A stored result gives the same page but for the timeline, which says that it is not complete."""
    text = render_result(result)
    assert "made from the result alone" in text
    for step in result["incidents"][0]["chain"]:
        assert step["text"] in html.document_fromstring(text).text_content()


def test_own_section_and_brand(result: Mapping[str, Any], tmp_path: Path) -> None:
    """One section is replaced, the others stay; name, logo and footer of a company come from its configuration."""
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "worked.html.j2").write_text("<p id='ours'>{{ incident.id }}</p>\n")
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "brand.yaml").write_text("name: Example <Ltd>\nlogo: logo.svg\nfooter: For internal use.\n")
    tree = html.document_fromstring(render_result(result, tmp_path))
    assert tree.xpath("string(//*[@id='ours'])") == "I-1"
    assert "Example <Ltd>" in tree.xpath("string(//header)")
    assert tree.xpath("string(//header//img/@src)").startswith("data:image/svg+xml;base64,")
    assert "For internal use." in tree.xpath("string(//footer)")
    assert tree.xpath("//*[@id='verdict']")


def test_other_language(result: Mapping[str, Any], tmp_path: Path) -> None:
    """Another report language is one file of pairs; what it lacks stays English."""
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "de.yaml").write_text("What to do now: Was jetzt zu tun ist\n")
    (tmp_path / "brand.yaml").write_text("language: de\n")
    tree = html.document_fromstring(render_result(result, tmp_path))
    assert tree.get("lang") == "de"
    assert "Was jetzt zu tun ist" in tree.text_content()
    assert "From cause to impact" in tree.text_content()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("sections/worked.html.j2", "{% if %}", "worked.html.j2, line 1"),
        ("sections/worked.html.j2", "\n{{ nothing.at.all }}", "worked.html.j2, line 2"),
        ("sections/worked.html.j2", "{% include 'sections/none.j2' %}", "sections/none.j2 was not found"),
        ("sections/worked.html.j2", "{% include 'sections/worked.html.j2' %}", "worked.html.j2, line 1"),
        ("sections/worked.html.j2", "{{ 1 / 0 }}", "worked.html.j2, line 1"),
        ("brand.yaml", "colour: red", "allowed are the keys"),
        ("brand.yaml", "logo: none.png", "none.png cannot be used"),
        ("brand.yaml", "language: xx", "There is no language 'xx'"),
        ("brand.yaml", "a: [", "cannot be read"),
        ("words/en.yaml", "- a\n- b", "words/en.yaml"),
    ],
)
def test_wrong_template(name: str, text: str, says: str, result: Mapping[str, Any], tmp_path: Path) -> None:
    """An error in a template or in the configuration is one sentence that names the file."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        render_result(result, tmp_path)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_every_fixed_text_goes_through_the_catalogue() -> None:
    """Templates hold no bare text for people: another language needs no other template."""
    bare = []
    for path in sorted(templates_dir().rglob("*.html.j2")):
        markup = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL)
        text = re.sub(r"<(script|style|code)\b.*?</\1>|<[^>]*>", "\x00", markup, flags=re.DOTALL)
        words = {word for part in text.split("\x00") for word in re.findall(r"[A-Za-z]{3,}", part)}
        bare += [
            f"{path.name}: {word}" for word in sorted(words - {"UTC", "hadiag", "two_node", "two", "node", "DOCTYPE"})
        ]
    assert bare == []


def test_views_that_exclude_each_other_are_drawn(result: Mapping[str, Any]) -> None:
    """Resources that are active twice have one red bar, in the interactive timeline and in the figure."""
    clash = {"what": "active_twice", "nodes": ["node1", "node2"], "overlap_s": 5.0, "evidence": []}
    clash |= {"start": result["incidents"][0]["start"], "end": result["incidents"][0]["end"]}
    scene = scene_of_result({**result, "contradictions": [clash, clash]})
    words = read_words()
    (band,) = [band for band in scene.bands if band.row == "active_twice"]
    assert (band.node, band.tone, words.label(band.label)) == (CLUSTER, "down", "active twice: node1, node2")
    picture = picture_of(scene, result["incidents"][0], words, "here")
    assert picture is not None
    assert "active twice: node1, node2" in picture.svg
