"""All text for people stands in one catalogue: whole, used, and enough for another language in every form of a result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from lxml import html

from hadiag.errors import UsageError
from hadiag.model.diagnosis import CauseRole, VerdictStatus
from hadiag.model.entity import Category, IncidentKind, Layer, Level, NodeRole, Role, Severity
from hadiag.model.time import TimeBasis
from hadiag.report import figures
from hadiag.report.explained import explain_finding, explain_incident
from hadiag.report.markdown import markdown_of
from hadiag.report.render import render_page
from hadiag.report.scene import Scene
from hadiag.report.text import terminal_text
from hadiag.report.words import Words, read_words, said
from hadiag.resources import templates_dir
from tests.conftest import ROOT
from tests.unit.report.test_size import read_part

if TYPE_CHECKING:
    from hadiag.pipeline import Analysis

CATALOGUE = templates_dir() / "words" / "en.yaml"
CLOSED: tuple[type[Enum], ...] = (
    VerdictStatus, Severity, Layer, Role, CauseRole, Category, IncidentKind, NodeRole, TimeBasis,
)  # fmt: skip
WORDED = {
    "status", "severity", "layer", "holds", "kinds", "confidence_word", "category", "result", "how", "basis", "state",
    "node_kind", "level",
}  # fmt: skip
"""Keys of the result whose values are words of closed lists; everything else is data: names, quotations, texts of rules."""

NAMES = {
    "UTC",
    "hadiag",
    "pcs",
    "crm",
    "two_node",
    "DC",
    "ms",
    "min",
    "kB",
    "MB",
    "id",
    "crm_mon",
    "jsonl",
    "P",
    "ln",
    "B",
}
"""Identifiers and units, equal in all languages."""

FIXED = re.compile(r"""\b_\(\s*(["'])((?:(?!\1).)*)\1\s*[,)]""")
PLURAL = re.compile(r"""\b_n\([^"]*?"([^"]+)",\s*"([^"]+)\"""")
KEYED = re.compile(r"""["']((?:list|row|band|tone|picture|figure|terminal|explain)\.\w+)["']""")


@pytest.fixture(scope="module")
def catalogue() -> Mapping[str, str | None]:
    """The shipped texts."""
    return dict(yaml.safe_load(CATALOGUE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, catalogue: Mapping[str, str | None]) -> Path:
    """A template directory with another language: every text in letters that no log, no rule and no name has."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "words").mkdir()
    texts = {key: _translated(text if text is not None else key) for key, text in catalogue.items()}
    (folder / "words" / "xx.yaml").write_text(yaml.safe_dump(texts, allow_unicode=True), encoding="utf-8")
    (folder / "brand.yaml").write_text("language: xx\n")
    return folder


def _translated(text: str) -> str:
    """Cyrillic letters for Latin ones, except in the names of values and in identifiers."""
    letters = {ord("a") + n: 0x430 + n for n in range(26)} | {ord("A") + n: 0x410 + n for n in range(26)}
    kept = "|".join(map(re.escape, sorted(NAMES, key=len, reverse=True)))
    parts = re.split(rf"(\{{\w+\}}|\b(?:{kept})\b)", text)
    return "".join(part if n % 2 else part.translate(letters) for n, part in enumerate(parts))


def _from_templates() -> set[str]:
    found: set[str] = set()
    for path in templates_dir().rglob("*.j2"):
        text = path.read_text(encoding="utf-8")
        found |= {match[1] for match in FIXED.findall(text)}
        found |= {each for pair in PLURAL.findall(text) for each in pair}
    return found - {"tone."}


def test_every_text_of_the_templates_is_in_the_catalogue(catalogue: Mapping[str, str | None]) -> None:
    """Who translates needs to look at one file only."""
    assert sorted(_from_templates() - set(catalogue)) == []


def test_every_key_of_the_code_is_in_the_catalogue(catalogue: Mapping[str, str | None]) -> None:
    """A key without a text would be shown as it is; one that nothing uses would be translated for nothing."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "hadiag" / "report").glob("*.py"))
    used = set(KEYED.findall(code))
    assert sorted(used - set(catalogue)) == []
    made = ("row.", "tone.", "figure.", "explain.", "band.act")  # put together from a name
    keyed = {key for key in catalogue if KEYED.fullmatch(f'"{key}"')}
    assert [key for key in sorted(keyed - used) if not key.startswith(made)] == []


def test_closed_lists_are_in_the_catalogue(catalogue: Mapping[str, str | None]) -> None:
    """Every word that a result can hold has its entry."""
    words = {str(one.value) for kind in CLOSED for one in kind} | {level.word for level in Level}
    assert sorted(word.replace("_", " ") for word in words if word.replace("_", " ") not in catalogue) == []


def test_another_language_is_one_file(
    foreign: Path, result: Mapping[str, Any], scene: Scene, analysis: Analysis
) -> None:
    """Page, picture, timeline, review text, terminal and figures hold no English word but quotations, texts of rules, and names."""
    data, words = set(_strings(result)) | set(_scene_strings(scene)), read_words(foreign)
    page = render_page(result, scene, foreign)
    plain = re.sub(r"\\(.)", r"\1", markdown_of(result, foreign))
    incident = result["incidents"][0]
    explained = [*explain_incident(incident, {}, table=True, words=words)]
    explained += [line for one in result["findings"] for line in explain_finding(one, result["incidents"], words)]
    forms: dict[str, Iterable[str]] = {
        "page": _page_texts(page),
        "timeline": _timeline_texts(page),
        "markdown": plain.splitlines(),
        "terminal": terminal_text(analysis.diagnosis, full=True, words=words).splitlines(),
        "short": terminal_text(analysis.diagnosis, words=words).splitlines(),
        "explain": explained,
        "figures": _figure_texts(result, scene, words),
    }
    left = {form: sorted(_english(texts, data)) for form, texts in forms.items()}
    assert {form: found for form, found in left.items() if found} == {}


def test_the_search_for_english_finds_some(result: Mapping[str, Any], scene: Scene) -> None:
    """The test above would see texts that stayed English."""
    data = set(_strings(result)) | set(_scene_strings(scene))
    assert {"Verdict", "Summary", "Action"} <= set(_english(markdown_of(result).splitlines(), data))


def _strings(value: object, key: str = "") -> Iterator[str]:
    """All data of a result, and the parts of paths."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _strings(inner, name)
            yield from _strings(name) if key == "versions" else ()
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner, key)
    elif isinstance(value, str) and key not in WORDED:
        yield " ".join(value.split())
        if key == "path":
            yield "/".join(value.replace("!", "/").split("/")[-2:])
        if key == "rules_digest":
            yield value[:12]


def _scene_strings(scene: Scene) -> Iterator[str]:
    for moment in scene.moments:
        yield from (moment.node, moment.type, moment.subject or "", " ".join(moment.text.split()), moment.path)
        yield "/".join(moment.path.replace("!", "/").split("/")[-2:])
    for rows in scene.around.values():
        yield from (" ".join(text.split()) for _, text, _ in rows)
    for band in scene.bands:
        yield from (str(value) for _, value in band.label.values if isinstance(value, str))
    yield from (blank.family for blank in scene.blanks)


def _english(texts: Iterable[str], data: set[str]) -> Iterator[str]:
    """Words that are left when all data is taken away."""
    known = sorted((text for text in data if re.search("[A-Za-z]", text)), key=len, reverse=True)
    whole = "\0".join(known)
    for text in {" ".join(text.split()) for text in texts}:
        rest = text
        if len(text) >= 24 and text in whole:
            continue
        for one in known:
            if one in rest:
                rest = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", rest)
        yield from (word for word in re.findall(r"[A-Za-z_]{2,}", rest) if word not in NAMES)


def _page_texts(page: str) -> Iterator[str]:
    tree = html.document_fromstring(page)
    for node in tree.xpath("//body//text()[not(ancestor::script) and not(ancestor::pre[@id='review-text'])]"):
        yield str(node)
    yield from map(str, tree.xpath("//body//@aria-label | //body//@title | //body//@alt"))
    (block,) = tree.xpath("//script[@id='timeline-words']")
    words = json.loads(block.text)
    yield from _strings(
        {key: list(value.values()) if isinstance(value, dict) else value for key, value in words.items()}
    )


def _timeline_texts(page: str) -> Iterator[str]:
    found = re.search(r'id="timeline-lanes">([^<]+)<', page)
    assert found
    part = read_part(found[1])
    yield from part["rows"].values()
    yield from (band[5] for band in part["bands"])
    yield from (blank[3] for blank in part["blanks"])


def _figure_texts(data: Mapping[str, Any], scene: Scene, words: Words) -> Iterator[str]:
    from matplotlib.text import Text

    made = (
        figures.overview(scene, data["incidents"][0], words),
        figures.density(scene, words),
        figures.fencing(data, words),
        figures.clocks(data, words),
    )
    for figure in made:
        assert figure is not None
        yield from (text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def test_a_value_that_a_text_has_not_is_one_sentence() -> None:
    """A mistake in an own catalogue names the text."""
    words = Words("xx", {"row.outage": "{nme} down"}, {})
    with pytest.raises(UsageError, match=r"The text 'row\.outage' of the language xx has an error"):
        words.label(said("row.outage", name="web"))


def test_a_value_is_no_pattern() -> None:
    """Braces in a name from a log are a name."""
    assert read_words().label(said("row.outage", name="{0.__class__}")) == "outage {0.__class__}"
