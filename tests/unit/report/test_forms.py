"""The other forms of a result: schema, terminal, Markdown, CSV, JSON Lines, figures; and outputs that cannot be written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hadiag.cli.analyze import FORMS, makers
from hadiag.cli.forms import forms_of, template_folder, write_form
from hadiag.errors import NoInputError, OutputError, UsageError
from hadiag.model.diagnosis import Outage
from hadiag.report.figures import write_figures
from hadiag.report.machine import to_json
from hadiag.report.markdown import markdown_of
from hadiag.report.scene import Scene
from hadiag.report.schema import problems, read_result, schema_text
from hadiag.report.tables import to_csv
from hadiag.report.text import terminal_text
from hadiag.report.visible import LIMIT, visible
from tests.conftest import ROOT

if TYPE_CHECKING:
    from hadiag.pipeline import Analysis


def test_schema_is_current() -> None:
    """The schema in the documentation is the one that the types give; ``python -m hadiag.report.schema`` prints it."""
    assert (ROOT / "docs" / "analysis-v1.schema.json").read_text() == schema_text()


def test_result_fits_its_schema(analysis: Analysis) -> None:
    """What is written fits the contract, and a wrong type does not."""
    text = to_json(analysis.diagnosis)
    assert problems(text) == []
    wrong = json.loads(text)
    wrong["verdict"]["confidence"] = "high"
    assert problems(json.dumps(wrong)) != []


def test_every_field_is_described() -> None:
    """Every type of the schema says what it is."""
    schema = json.loads(schema_text())
    assert [
        name for name, one in schema["$defs"].items() if one.get("type") == "object" and not one.get("description")
    ] == []


def test_terminal_is_short(analysis: Analysis) -> None:
    """Verdict, chain, impact and what is missing in about ten lines; all of it with its evidence on request."""
    short, full = terminal_text(analysis.diagnosis), terminal_text(analysis.diagnosis, full=True)
    assert len(short.splitlines()) <= 14
    assert analysis.diagnosis.verdict.headline in short
    first = next(e for step in analysis.diagnosis.incidents[0].chain for e in step.evidence)
    assert f"{first.path}:{first.line}" in full
    assert f"{first.path}:{first.line}" not in short


def test_terminal_counts_the_outages_that_it_leaves_out(analysis: Analysis) -> None:
    """A hundred resources that were down are a number, not a page; on request each is named."""
    first, *others = analysis.diagnosis.incidents
    outages = tuple(Outage(f"many-{number}", None, None, None, None, None, planned=False) for number in range(100))
    flood = replace(first, impact=replace(first.impact, resources=outages))
    diagnosis = replace(analysis.diagnosis, incidents=(flood, *others))
    short, full = terminal_text(diagnosis), terminal_text(diagnosis, full=True)
    assert "many-4 still down; 95 more resources" in short
    assert "many-5 " not in short
    assert "many-99 still down" in full


def test_markdown_is_a_review(result: Mapping[str, Any]) -> None:
    """The draft follows the order of a blameless review, and quotes its places."""
    text = markdown_of(result)
    parts = [
        "## Summary",
        "### Impact",
        "### How we got here",
        "### Causes considered",
        "### Action items",
        "## Lessons",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "\n\n\n" not in text


def test_markdown_keeps_log_text_plain(result: Mapping[str, Any]) -> None:
    """No text of a log becomes markup of the ticket system that the draft is pasted into."""
    hostile = deepcopy(dict(result))
    hostile["incidents"][0]["chain"][1]["text"] = "<img src=x> [a](http://b.invalid) `c` **d**\n# e | f"
    (line,) = [row for row in markdown_of(hostile).splitlines() if "b.invalid" in row]
    assert r"\<img src=x\> \[a\](http://b.invalid) \`c\` \*\*d\*\* \# e \| f" in line


def test_csv(result: Mapping[str, Any]) -> None:
    """One row for each finding; no cell can be taken for a formula."""
    hostile = deepcopy(dict(result))
    hostile["findings"][0]["title"] = '=HYPERLINK("http://b.invalid")'
    rows = list(csv.DictReader(io.StringIO(to_csv(hostile))))
    assert [row["id"] for row in rows] == [finding["id"] for finding in result["findings"]]
    assert rows[0]["title"].startswith("'=")


def test_figures(result: Mapping[str, Any], scene: Scene, tmp_path: Path) -> None:
    """Each figure comes as SVG, PNG and PDF, with equal bytes each time."""
    first = write_figures(result, scene, tmp_path / "a")
    second = write_figures(result, scene, tmp_path / "b")
    names = {path.stem for path in first}
    assert {path.name for path in first} == {f"{name}.{form}" for name in names for form in ("svg", "png", "pdf")}
    assert {"density", "fencing"} <= {name.split("-")[0] for name in names}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ('{"schema": "hadiag.analysis/v2"}', UsageError, "has the schema hadiag.analysis/v2"),
        ('{"schema": "hadiag.analysis/v1"}', UsageError, "does not fit"),
        ('{"a": 1}', NoInputError, "is no result of hadiag"),
        ("[" * 100_000, NoInputError, "is no JSON"),
        ("nothing", NoInputError, "is no JSON"),
    ],
)
def test_wrong_result(text: str, error: type[Exception], says: str, tmp_path: Path) -> None:
    """A newer schema, another file, an endless nesting: one sentence."""
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(error) as caught:
        read_result(str(path))
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_form_by_suffix() -> None:
    """Several outputs have a form each; a name without one needs to be told."""
    assert forms_of(["a.html", "b.MD", "-"], ("html", "md"), "html") == [
        ("a.html", "html"),
        ("b.MD", "md"),
        ("-", "html"),
    ]
    with pytest.raises(UsageError, match=r"The form of a\.docx is not clear"):
        forms_of(["a.docx"], ("html", "md"))
    with pytest.raises(UsageError, match="There is no form 'docx'"):
        forms_of(["-"], ("html", "md"), "docx")


def test_template_directory_has_to_exist(tmp_path: Path) -> None:
    """A directory that does not exist is one sentence, not the shipped templates in silence."""
    assert template_folder(str(tmp_path)) == tmp_path
    with pytest.raises(UsageError, match="does not exist"):
        template_folder(str(tmp_path / "none"))


def test_unwritable_output(tmp_path: Path) -> None:
    """An output that cannot be written is one sentence, and no half a file stays."""
    with pytest.raises(OutputError, match="cannot be written"):
        write_form(str(tmp_path / "none" / "a.html"), "html", {"html": lambda: "x"})
    with pytest.raises(OutputError, match="cannot be written"):
        write_form(str(tmp_path), "html", {"html": lambda: "x"})
    assert list(tmp_path.iterdir()) == []


def test_hidden_characters_become_visible() -> None:
    """Control characters and marks that turn text around are named; an endless line is cut and says so."""
    assert visible("a\x1b[31m\u202eb") == "a\u241b[31m\u27e8U+202E\u27e9b"
    assert visible("x" * (LIMIT + 5)).endswith("(5 more characters)")


def test_every_form_of_one_analysis(analysis: Analysis, result: Mapping[str, Any]) -> None:
    """One run can write every form that it names; the events of the timeline say which incident quotes them."""
    made = makers(analysis)
    assert set(FORMS) - {"pdf"} == set(made)
    assert json.loads("".join(made["json"]())) == json.loads(json.dumps(result))
    rows = [json.loads(line) for line in made["jsonl"]()]
    assert [row["uid"] for row in rows] == [event.uid for event in analysis.timeline.events]
    quoted = {e["event"] for step in result["incidents"][0]["chain"] for e in step["evidence"]} - {None}
    assert {row["uid"] for row in rows if row["incident"] == "I-1"} == quoted
