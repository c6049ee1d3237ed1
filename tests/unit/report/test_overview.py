"""The picture in the page: lanes and steps that can be read without seeing them, small in large clusters, harmless."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from hadiag.report import figures
from hadiag.report.bands import BAD, OK, Band, seen_by
from hadiag.report.overview import picture_of
from hadiag.report.scene import Scene
from hadiag.report.words import Said, read_words
from tests.unit.report.test_size import crowd

SVG = "{http://www.w3.org/2000/svg}"
WORDS = read_words()


def drawn(scene: Scene, incident: Mapping[str, Any]) -> etree._Element:
    """The picture as a tree: it is well-formed without any help."""
    picture = picture_of(scene, incident, WORDS, "here")
    assert picture is not None
    text = str(picture.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return etree.fromstring(text)


def texts(tree: etree._Element) -> list[str]:
    """All texts of a picture in their order."""
    return [node.text or "" for node in tree.iter(f"{SVG}text")]


def test_it_can_be_read_without_seeing_it(result: Mapping[str, Any], scene: Scene) -> None:
    """Title and description name the window and every step."""
    incident = result["incidents"][0]
    tree = drawn(scene, incident)
    ids = [node.get("id") for node in tree.iter() if node.get("id")]
    assert tree.get("role") == "img"
    assert set(str(tree.get("aria-labelledby")).split()) <= set(ids)
    described = tree.findtext(f"{SVG}desc") or ""
    assert all(step["text"] in described for step in incident["chain"])


def test_each_node_and_step_is_drawn(result: Mapping[str, Any], scene: Scene) -> None:
    """Names of the nodes, rows of what they believed, and the numbers of the chain."""
    incident = result["incidents"][0]
    found = texts(drawn(scene, incident))
    assert {"node1", "node2", "membership", "fencing", "events"} <= set(found)
    assert {str(number) for number in range(1, len(incident["chain"]) + 1)} <= set(found)


def test_no_style_no_script(result: Mapping[str, Any], scene: Scene) -> None:
    """Colours stand in attributes that the policy of the page allows; nothing in it runs or loads."""
    tree = drawn(scene, result["incidents"][0])
    names = {str(name) for node in tree.iter() for name in node.attrib}
    assert not {name for name in names if name == "style" or name.startswith("on") or "href" in name}
    assert {etree.QName(node).localname for node in tree.iter()} <= {
        "svg", "title", "desc", "defs", "pattern", "marker", "path", "rect", "circle", "text",
    }  # fmt: skip


def test_hostile_names_are_text(result: Mapping[str, Any], scene: Scene) -> None:
    """Markup, marks that turn text around and control characters in labels stay text."""
    spoilt = deepcopy(dict(result["incidents"][0]))
    spoilt["chain"][0]["text"] = '</desc><script>x</script>"\u202e\x00'
    bands = tuple(replace(band, label=Said("</text><script>\u202e{x}")) for band in scene.bands)
    tree = drawn(replace(scene, bands=bands), spoilt)
    assert not list(tree.iter(f"{SVG}script"))
    assert "\u202e" not in etree.tostring(tree, encoding="unicode")


def test_without_any_time_there_is_no_picture(result: Mapping[str, Any]) -> None:
    """Neither the incident nor the logs have one."""
    incident = deepcopy(dict(result["incidents"][0])) | {"start": None, "end": None, "chain": []}
    incident["impact"] = {**incident["impact"], "resources": []}
    assert picture_of(Scene(("a",), (), (), (), (), None, complete=True), incident, WORDS, "here") is None


@pytest.fixture
def large() -> Scene:
    """Twenty nodes, one of which is lost for a while."""
    few = crowd(400)
    assert few.span is not None
    start, end = few.span
    nodes = tuple(f"n{number:02d}" for number in range(20))
    cut = start + (end - start) // 2
    bands = []
    for node in nodes:
        seen = nodes if node == "n07" else tuple(name for name in nodes if name != "n07")
        alone = ("n07",) if node == "n07" else seen
        bands.append(Band(node, "membership", start, cut, OK, seen_by(nodes, nodes), nodes))
        bands.append(Band(node, "membership", cut, None, BAD, seen_by(alone, nodes), alone))
        bands.append(Band(node, "quorum", start, None, OK, Said("band.quorate")))
    return replace(few, nodes=nodes, bands=tuple(bands))


def test_nodes_that_saw_the_same_are_drawn_once(result: Mapping[str, Any], large: Scene) -> None:
    """Nineteen equal lanes are one, which says so; rows in which nothing happened are left out."""
    assert large.span is not None
    incident = {**result["incidents"][0], "start": None, "end": None, "chain": []}
    incident["impact"] = {**incident["impact"], "resources": []}
    found = texts(drawn(large, incident))
    assert [text for text in found if text.startswith("n0")] == [
        next(t for t in found if t.startswith("n00, and 18")),
        "n07",
    ]
    assert found.count("membership") == 2
    assert "quorum" not in found
    assert {"sees all 20 nodes", "without n07", "sees n07"} <= set(found)


def test_figures_say_how_many_nodes_a_lane_stands_for(large: Scene) -> None:
    """The slides fold equal lanes as the page does, and say so."""
    from matplotlib.text import Text

    figure = figures.state_bands(large, WORDS)
    assert figure is not None
    found = {text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)}
    assert {"n00 +18", "n07"} <= found
