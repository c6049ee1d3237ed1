"""Loading packs: places of errors, references, edges, strata, hostile files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadiag.errors import RulesError
from hadiag.rulelang import load_rules
from hadiag.rulelang.loader import read_rules
from tests.unit.rulelang.packs import EVENTS, load, rule, write


def problems(directory: Path, *rules: str, causes: str | None = None, audits: str | None = None) -> tuple[str, ...]:
    """Problems of a pack that does not load."""
    with pytest.raises(RulesError) as caught:
        load(directory, *rules, causes=causes, audits=audits)
    return caught.value.problems


CAUSE = """
schema: hadiag/cause/v1
causes:
  - id: host.power
    title: Power lost
    category: host_crash
    layer: hardware
    prior: common
    binds: node
    statement: "{cause.node} lost its power."
    leads_to: [{finding: test.rule, strength: certain, join: {node: target}}]
"""


def test_loads_a_rule_with_defaults(tmp_path: Path) -> None:
    """What is not written has its default."""
    loaded = load(tmp_path, rule("a: {event: a}")).findings["test.rule"]
    assert (loaded.status, loaded.merge, loaded.match["a"].count) == ("stable", 600 * 10**9, 1)


def test_all_problems_of_all_files_come_at_once_with_their_lines(tmp_path: Path) -> None:
    """Each problem names file, line, key and what was expected."""
    first = rule("a: {event: nothing.known}\nb: {event: a, where: {y: 1}}", "severity: awful")
    first = first.replace("severity: error\n", "")
    second = rule("a: {event: a}", "colour: red", name="test.other")
    found = problems(tmp_path, first, second)
    assert found == (
        "pack/findings/r0.yaml:9: severity: 'info', 'notice', 'warning', 'error' or 'critical'",
        "pack/findings/r1.yaml:10: colour: no such key here; remove it or correct its spelling",
    )


def test_references_are_checked_when_all_files_are_read(tmp_path: Path) -> None:
    """Unknown types, fields, steps and findings are problems of their line."""
    match = """
    a: {event: nothing.known}
    b: {event: a, where: {y: 1, x: $c.n}, after: z}
    c: {event: b, where: {x: $b.q}}
    d: {state: no.table, after: c}
    e: {finding: test.unknown, after: c}
    f: {state: rsc.active, where: {colour: red}, after: c}
    g: {event: chatter.start, after: c}
    h: {event: chatter.*, after: c}
    """
    found = "\n".join(problems(tmp_path, rule(match, title="{c.zzz} {q.x}")))
    for expected in (
        "r0.yaml:12: match.a.event: an event type of the catalogue; there is no nothing.known",
        "r0.yaml:13: match.b.where.y: a field, not 'y'; known: ",
        "r0.yaml:13: match.b: the name of another step, not 'z'; known: a, b, c, d, e, f, g, h",
        "r0.yaml:14: match.c.where.x: a field, not 'q'",
        "match.d.state: a state table, not 'no.table'",
        "match.e.finding: the id of a finding; there is no test.unknown",
        "match.f.where.colour: a field, not 'colour'",
        "match.g.event: an event that is kept; lines of chatter.start are noise and counted only",
        "match.h.event: an event that is kept; lines of chatter.* are noise and counted only",
        "r0.yaml:4: title: a field, not 'zzz'",
        "r0.yaml:4: title: the name of another step, not 'q'",
    ):
        assert expected in found


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ("a: {event: a, count: 0, after: b, within: 1s}\nb: {event: b, after: a}", "'a' is an absence"),
        ("a: {event: a}\nb: {event: b, where: {x: $c.x}}\nc: {event: c, count: any, near: a, within: 1s}", "optional"),
        ("a: {event: a, where: {x: $a.n}}", "the name of another step"),
        ("a: {event: a, count: 0}", "absence alone finds nothing"),
        ("a: {event: a, state: rsc.active}", "exactly one of event, state, finding and fact, found event and state"),
        ("a: {where: {x: 1}}", "exactly one of event, state, finding and fact, found none"),
        ("a: {event: a}\nb: {event: b, near: a}", "'near' needs 'within'"),
        ("a: {event: a, within: 3s}", "'within' needs"),
        ("a: {event: a, count: '>=3'}", "needs 'within'"),
        ("a: {event: a, count: 3}", "expected 0 \\(absent\\)|0 \\(absent\\), 1, any"),
        ("a: {event: a, nodes: some}", "any, all, majority"),
        ("a: {event: a, concurrent: {distinct: x}}", "needs a state step"),
        ("a: {fact: node, after: b}\nb: {event: b}", "facts have no time"),
        ("a: {event: a}\nb: {event: b, overlaps: a}", "an event is a moment"),
        ("a: {event: a}\nb: {event: b, closes: a}", "a single state for 'closes'"),
        ("a: {state: rsc.active}\nb: {state: rsc.active, closes: a}", "tie an event to a state"),
        ("a: {fact: node, count: 0, requires: [cibs]}", "a kind of snapshot"),
        ("a: {event: a, where: {x: {like: 1}}}", "unknown operator 'like'"),
        ("a: {event: a, after: b, within: 3}\nb: {event: b}", "a duration such as"),
    ],
)
def test_steps_that_make_no_sense_are_refused(tmp_path: Path, match: str, message: str) -> None:
    """A step that could not be evaluated as written does not load."""
    import re

    assert re.search(message, "\n".join(problems(tmp_path, rule(match))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: &x 1\nb: *x\n", "no anchors"),
        (b"id: a.b\nid: a.c\n", "each key once"),
        (b"id: !!python/object/apply:os.system ['id']\n", "tag"),
        (b"schema: [\n", "valid YAML"),
        (b"\xff\xfe\x00a", "a mapping|valid YAML"),
        (b"- just\n- a list\n", "a mapping with the keys of Rule"),
        (b"", "a mapping with the keys of Rule"),
        (b"a: " + b"[" * 200 + b"]" * 200, "nesting|valid YAML"),
    ],
)
def test_hostile_yaml_is_a_problem_and_no_surprise(tmp_path: Path, text: bytes, message: str) -> None:
    """Anchors, duplicate keys, tags, broken and binary files are reported with their place."""
    import re

    path = tmp_path / "pack" / "findings" / "bad.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    with pytest.raises(RulesError) as caught:
        load_rules([tmp_path / "pack"], EVENTS)
    assert all(problem.startswith("pack/findings/bad.yaml:") for problem in caught.value.problems)
    assert re.search(message, str(caught.value))


def test_off_and_no_are_words(tmp_path: Path) -> None:
    """YAML 1.1 would make a boolean of ``off``; a fencing action is none."""
    loaded = load(tmp_path, rule("a: {event: fence.request, where: {action: [off, on, no]}}"))
    operands = [tests[0].operand for tests in loaded.findings["test.rule"].match["a"].where["action"].any_of]
    assert operands == ["off", "on", "no"]


def test_ids_are_unique_over_all_kinds(tmp_path: Path) -> None:
    """A second use of an id names the first."""
    found = problems(tmp_path, rule("a: {event: a}"), rule("b: {event: b}"))
    assert found == (
        "pack/findings/r1.yaml:3: id: an id of its own; test.rule stands in pack/findings/r0.yaml:2 already",
    )


def test_edges_of_both_ends_are_one_table(tmp_path: Path) -> None:
    """``explained_by`` and ``leads_to`` give the same kind of edge."""
    effect = rule("a: {event: fence.request}", "per: [a.target]")
    other = rule("b: {event: b}", "leads_to: [{finding: test.rule, within: 2m, strength: even}]", name="test.other")
    third = rule(
        "c: {event: c}", "explained_by: [{cause: host.power}, {finding: test.other, strength: rare}]", name="test.third"
    )
    loaded = load(tmp_path, effect, other, third, causes=CAUSE)
    rows = [(edge.cause, edge.effect, edge.weight, edge.within_ns, edge.join) for edge in loaded.edges]
    assert rows == [
        ("host.power", "test.rule", 0.97, None, (("node", "target"),)),
        ("host.power", "test.third", 0.8, None, None),
        ("test.other", "test.rule", 0.5, 120 * 10**9, None),
        ("test.other", "test.third", 0.03, None, None),
    ]
    assert [edge.cause for edge in loaded.edges_to("test.rule")] == ["host.power", "test.other"]


def test_an_edge_to_nothing_does_not_load(tmp_path: Path) -> None:
    """Both ends of an edge have to exist, and differ."""
    rules = (
        rule(
            "a: {event: a}",
            "leads_to: [{finding: test.gone}, {finding: test.rule}]\nexplained_by: [{cause: no.cause}, {}]",
        ),
    )
    found = "\n".join(problems(tmp_path, *rules))
    assert "leads_to[0]: the id of a finding; there is no test.gone" in found
    assert "leads_to[1]: an edge between two different ids" in found
    assert "explained_by[0]: the id of a finding or a cause; there is no no.cause" in found
    assert "explained_by[1]: exactly one of 'finding' and 'cause'" in found


def test_findings_over_findings_come_later(tmp_path: Path) -> None:
    """The order of evaluation follows what steps look at, not ids."""
    low = rule("x: {event: a}", name="test.z-low")
    high = rule("x: {finding: test.z-low}", name="test.a-high")
    assert load(tmp_path, high, low).strata == ("test.z-low", "test.a-high")


def test_a_cycle_of_findings_does_not_load(tmp_path: Path) -> None:
    """Findings that look at each other have no order."""
    one = rule("x: {finding: test.two}", name="test.one")
    two = rule("x: {finding: test.one}", name="test.two")
    assert "no cycle of findings (test.one -> test.two -> test.one)" in problems(tmp_path, one, two)[0]


def test_the_pack_states_its_engine(tmp_path: Path) -> None:
    """A pack that needs a newer language is refused."""
    pack = write(tmp_path, rule("a: {event: a}"))
    (pack / "pack.yaml").write_text(
        'schema: hadiag/pack/v1\nname: mine\nversion: "1.0"\nengine: ">=99"\nabout: A pack.\n'
    )
    with pytest.raises(RulesError, match=r"pack\.yaml:4: engine: a rule language that this hadiag has"):
        load_rules([pack], EVENTS)


def test_the_digest_names_the_content(tmp_path: Path) -> None:
    """Equal packs have equal digests, a changed rule another."""
    first = load(tmp_path / "1", rule("a: {event: a}")).digest
    assert load(tmp_path / "2", rule("a: {event: a}")).digest == first
    assert load(tmp_path / "3", rule("a: {event: b}")).digest != first


def test_several_packs_are_one_set(tmp_path: Path) -> None:
    """A pack of somebody else may attach a cause to a built-in finding."""
    built_in = write(tmp_path / "a", rule("a: {event: fence.request}", "per: [a.target]"))
    mine = write(tmp_path / "b", causes=CAUSE)
    assert [edge.cause for edge in load_rules([built_in, mine], EVENTS).edges] == ["host.power"]


def test_a_cause_has_places_for_what_it_binds(tmp_path: Path) -> None:
    """The statement of a cause speaks of the bound entity, of nothing else."""
    text = CAUSE.replace("{cause.node} lost", "{op.node} lost")
    found = problems(tmp_path, rule("a: {event: fence.request}", "per: [a.target]"), causes=text)
    assert "causes[0].statement: places such as {cause.node}" in found[0]


def test_an_audit_looks_at_facts_only(tmp_path: Path) -> None:
    """Audits judge configuration, not events."""
    audit = """
    schema: hadiag/audit/v1
    audits:
      - {id: my.audit, title: T, severity: error, match: {a: {event: a}}, found: "x", expected: "y", why: Because of it.}
    """
    assert "match.a: a 'fact' step" in problems(tmp_path, audits=audit)[0]


def test_tools_get_what_can_be_loaded(tmp_path: Path) -> None:
    """Reading for authors gives the good rules and the problems of the others."""
    pack = write(tmp_path, rule("a: {event: a}"), "schema: hadiag/rule/v1\nid: broken.rule\n")
    rule_set, found = read_rules([pack], EVENTS)
    assert list(rule_set.findings) == ["test.rule"]
    assert all("r1.yaml" in problem for problem in found)


def test_a_directory_without_rules_is_no_pack(tmp_path: Path) -> None:
    """A wrong path is told, not passed over."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(RulesError, match=r"empty:1: document: a rule pack: events/"):
        load_rules([tmp_path / "empty"], EVENTS)


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["$p.x", "$p", ">=3", "60s", "any"])
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
_KEYS = st.sampled_from(
    ["event", "state", "where", "after", "near", "within", "count", "same", "distinct", "nodes", "concurrent"]
)


@given(
    st.dictionaries(st.sampled_from(["p", "q", "per", "x"]), st.dictionaries(_KEYS, _VALUES, max_size=4), max_size=3)
)
@settings(max_examples=60, deadline=None)
def test_any_match_loads_or_is_refused(match: object) -> None:
    """Whatever stands under ``match``, loading ends with a rule set or with problems that name a place."""
    import json
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as directory:
        text = rule("a: {event: a}").split("match:")[0] + "match: " + json.dumps(match) + "\n"
        _, found = read_rules([write(Path(directory), text)], EVENTS)
        assert all(problem.startswith("pack/findings/r0.yaml:") for problem in found)
