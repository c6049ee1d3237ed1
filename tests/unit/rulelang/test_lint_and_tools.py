"""Remarks on packs, and what the ``rules`` command shows."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from hadiag.errors import UsageError
from hadiag.model.fact import Fact
from hadiag.resources import rules_dir
from hadiag.rulelang import load_rules
from hadiag.rulelang.inline import build_timeline, read_situation
from hadiag.rulelang.lint import lint, lock_text
from hadiag.rulelang.testing import cases
from hadiag.rulelang.tools import entries, new_rule, remarks, run_tests, schemas, show, summary
from hadiag.rulelang.world import ViewsLike
from hadiag.state import Views
from hadiag.timeline import Timeline
from tests.unit.rulelang.packs import EVENTS, load, rule, write

GOOD = """
finding: {says: "It happened on {p.observer}."}
remediation: {pcs: ["pcs status"], crm: ["crm status"]}
references: [https://clusterlabs.org/]
needs: [{log: system, of: any member, step: q, why: "shows it"}]
explained_by: [{finding: test.cause}]
tests:
  - {name: holds, events: "+0s n1 a\\n+60s n1 log.end", expect: [{}]}
  - {name: does not, events: "+0s n1 a\\n+5s n1 b", expect: []}
  - {name: open, events: "+0s n1 a", expect: [{holds: unknown}]}
"""
MATCH = "p: {event: a}\nq: {event: b, after: p, within: 60s, count: 0}"
CAUSE = rule(
    "x: {event: c}",
    GOOD.replace("explained_by: [{finding: test.cause}]", "").replace("step: q, ", ""),
    name="test.cause",
)
CAUSE = CAUSE.replace("role: failure", "role: response").replace("{p.observer}", "{x.observer}")


def codes(directory: Path, *rules: str) -> set[str]:
    """Codes of the remarks on the first rule."""
    return {remark.code for remark in lint(load(directory, *rules)) if remark.id == "test.rule"}


def test_a_complete_rule_has_no_remarks(tmp_path: Path) -> None:
    """Everything that lint asks for can be given."""
    assert codes(tmp_path, rule(MATCH, GOOD), CAUSE) == set()


@pytest.mark.parametrize(
    ("match", "rest", "code"),
    [
        (MATCH, "", "no-positive-test"),
        (MATCH, "", "no-reference"),
        (MATCH, "", "no-remediation"),
        (MATCH, "", "no-needs"),
        (MATCH, "", "no-says"),
        (MATCH, "", "no-cause"),
        (MATCH, GOOD.replace("  - {name: open", "  # - {name: open"), "no-unknown-test"),
        (MATCH, GOOD.replace("  - {name: does not", "  # - {name: does not"), "no-negative-test"),
        (MATCH.replace("after: p, within: 60s, ", ""), GOOD, "absence-unanchored"),
        (MATCH.replace(", within: 60s", ""), GOOD, "absence-unbounded"),
        (MATCH.replace("after: p, within: 60s, count: 0", "where: {x: y}"), GOOD, "step-untied"),
        (MATCH.replace("event: a", "event: a, where: {x: {matches: '.*'}}"), GOOD, "pattern-vague"),
        (MATCH.replace("event: a", "event: a, where: {x: {matches: 'ab?'}}"), GOOD, "pattern-vague"),
        ("p: {event: a}\nq: {fact: host.zone, count: 0}", GOOD, "absence-unprovable"),
    ],
)
def test_each_remark_has_its_reason(tmp_path: Path, match: str, rest: str, code: str) -> None:
    """What makes a rule hard to trust is remarked on."""
    assert code in codes(tmp_path, rule(match, rest), CAUSE)


@pytest.mark.parametrize("pattern", ["^vip", "Connection timed out", r"no \\(more\\) space", "(abc|def)"])
def test_patterns_with_literals_are_fine(tmp_path: Path, pattern: str) -> None:
    """Three plain characters in a row are enough."""
    match = MATCH.replace("event: a", f'event: a, where: {{x: {{matches: "{pattern}"}}}}')
    assert "pattern-vague" not in codes(tmp_path, rule(match, GOOD), CAUSE)


def test_an_edge_written_at_both_ends_is_an_error(tmp_path: Path) -> None:
    """The remark names both places."""
    twice = CAUSE.replace("finding: {says", "leads_to: [{finding: test.rule}]\nfinding: {says")
    found = [remark for remark in lint(load(tmp_path, rule(MATCH, GOOD), twice)) if remark.code == "edge-twice"]
    assert len(found) == 1
    assert "r0.yaml" in str(found[0])
    assert "r1.yaml" in str(found[0])


def test_a_published_id_may_not_disappear(tmp_path: Path) -> None:
    """``rules.lock`` lists what was published."""
    pack = write(tmp_path, rule(MATCH, GOOD), CAUSE)
    (pack / "pack.yaml").write_text('schema: hadiag/pack/v1\nname: mine\nversion: "1"\nengine: ">=1"\nabout: A pack.\n')
    rules = load_rules([pack], EVENTS)
    assert lock_text(rules, pack) == "test.cause\ntest.rule\n"
    (pack / "rules.lock").write_text("# ids\ntest.rule\ntest.gone\n")
    found = [str(remark) for remark in lint(rules) if remark.code == "id-gone"]
    assert len(found) == 1
    assert found[0].startswith("pack/rules.lock:3: error: test.gone:")


def test_lists_and_shows_entries(tmp_path: Path) -> None:
    """List has one row for each id; show has edges and the text as written."""
    rules = load(tmp_path, rule(MATCH, GOOD), CAUSE)
    assert [(entry.id, entry.kind, entry.tests) for entry in entries(rules)] == [
        ("test.cause", "finding", 3),
        ("test.rule", "finding", 3),
    ]
    text = show(rules, "test.rule")
    assert "# test.cause causes it (likely, pack/findings/r0.yaml:" in text
    assert "q: {event: b, after: p" in text
    with pytest.raises(
        UsageError, match=r"There is no rule, cause or audit test\. Did you mean test\.cause, test\.rule\?"
    ):
        show(rules, "test")


def test_runs_tests_and_sums_up(tmp_path: Path) -> None:
    """The runner takes all rules or one."""
    rules = load(tmp_path, rule(MATCH, GOOD), CAUSE)
    assert summary(run_tests(rules, "test.rule")) == "3 tests, 3 passed, 0 failed"
    assert len(list(cases(rules))) == 6
    assert remarks(rules, "test.rule") == ()


def test_raw_logs_need_a_reader_and_stay_beside_the_rule(tmp_path: Path) -> None:
    """A test from raw logs copies them into directories of nodes; no path leads out."""
    tests = "tests:\n  - {name: raw, logs: {n1/a.log: a.log}, expect: []}\n  - {name: out, logs: {../../x: a.log}, expect: []}"
    rules = load(tmp_path, rule("p: {event: a}", tests))
    (tmp_path / "pack" / "findings" / "a.log").write_text("a line\n")
    assert [result.passed for result in run_tests(rules)] == [False, False]
    seen: list[str] = []

    def reader(paths: Sequence[str]) -> tuple[Timeline, ViewsLike, Sequence[Fact]]:
        seen.extend(str(path.relative_to(paths[0])) for path in Path(paths[0]).rglob("*.log"))
        return build_timeline(read_situation("2026-01-05T12:00:00Z", {})), Views(()), ()

    results = run_tests(rules, read_logs=reader)
    assert [result.passed for result in results] == [True, False]
    assert seen == ["n1/a.log"]
    assert "has to be a file beside the rule" in results[1].problems[0]


def test_a_new_rule_loads_and_passes(tmp_path: Path) -> None:
    """The text to start from is a whole rule with passing tests and no error of lint."""
    rules = load(tmp_path, new_rule("mine.first", "fencing"))
    assert all(result.passed for result in run_tests(rules))
    assert [str(remark) for remark in lint(rules) if remark.weight == "error"] == []


@pytest.mark.parametrize(("name", "layer"), [("Bad Id", "os"), ("nodot", "os"), ("a.b", "cellar")])
def test_a_new_rule_has_a_proper_id_and_layer(name: str, layer: str) -> None:
    """What is refused is explained."""
    with pytest.raises(UsageError, match="is no "):
        new_rule(name, layer)


def test_schemas_are_current() -> None:
    """The schemas in ``rules/schema`` are those of the models."""
    for name, text in schemas().items():
        assert (rules_dir() / "schema" / name).read_text("utf-8") == text, f"run: hadiag rules schema --write ({name})"


def test_schemas_name_every_key_of_a_rule() -> None:
    """Keys of the models and of the schema are the same."""
    schema = json.loads(schemas()["rule-v1.schema.json"])
    rule_keys = set(yaml.safe_load(new_rule("mine.first")))
    assert rule_keys <= set(schema["properties"])
    assert schema["additionalProperties"] is False
