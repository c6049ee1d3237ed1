"""The examples of docs/rule-language.md load, and the document names every key, operator and time word."""

import re
from pathlib import Path

import pytest

from hadiag.rulelang.condition import OPERATORS
from hadiag.rulelang.entries import TIME_WORDS
from hadiag.rulelang.language import Audit, Cause, Rule
from hadiag.rulelang.loader import read_rules
from hadiag.rulelang.step import Concurrent, Step
from hadiag.rulelang.testing import cases, run_test
from hadiag.rulelang.words import PRIORS, STRENGTHS

DOCUMENT = Path(__file__).parents[3] / "docs" / "rule-language.md"


def blocks() -> dict[str, str]:
    """The complete files among the examples, by kind."""
    found = re.findall(r"```yaml\n(schema: hadiag/(\w+)/v1\n.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    return {kind: text for text, kind in found}


def test_the_examples_load_and_pass(tmp_path: Path) -> None:
    """Only edges to other packs are open; the tests inside pass."""
    for kind, folder in (("rule", "findings"), ("cause", "causes"), ("audit", "audits")):
        path = tmp_path / "pack" / folder / "example.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(blocks()[kind])
    rule_set, problems = read_rules([tmp_path / "pack"])
    assert [problem for problem in problems if "there is no" not in problem] == []
    assert (len(rule_set.findings), len(rule_set.causes), len(rule_set.audits)) == (1, 1, 2)
    results = [run_test(rule_set, case) for case in cases(rule_set)]
    assert [result.problems for result in results] == [()]


@pytest.mark.parametrize(
    "word",
    sorted(
        {
            field.alias or name
            for model in (Rule, Step, Cause, Audit, Concurrent)
            for name, field in model.model_fields.items()
        }
        | set(OPERATORS)
        | set(TIME_WORDS)
        | set(STRENGTHS)
        | set(PRIORS)
    ),
)
def test_every_word_of_the_language_is_documented(word: str) -> None:
    """A key that is not in the document does not exist for authors."""
    assert re.search(rf"(?<![a-z_]){re.escape(word)}(?![a-z_])", DOCUMENT.read_text("utf-8"))
