"""Packs and events for the tests of the rule language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from hadiag.model.entity import Layer, Level
from hadiag.rulelang import RuleSet, load_rules
from hadiag.rulelang.ruleset import EventTypeInfo
from hadiag.rulelang.testing import TestResult, cases, run_test

HEAD = """
schema: hadiag/rule/v1
id: {id}
title: "{title}"
layer: fencing
role: failure
severity: error
confidence: 0.9
description: A rule of a test.
"""


@dataclass(frozen=True)
class Type:
    """An event type of the tests."""

    fields: dict[str, str]
    subject: str | None = None
    layer: Layer = Layer.FENCING
    level: Level = Level.NOTICE
    after_resume: bool = False
    kept: bool = True


@dataclass(frozen=True)
class Events:
    """A catalogue of the tests."""

    types: dict[str, EventTypeInfo]


EVENTS = Events(
    {
        "fence.request": Type({"target": "node", "action": "word"}, "target"),
        "fence.op_result": Type(
            {"target": "node?", "result": "word", "reason": "text?", "delegate": "node?"}, "target"
        ),
        "quorum.changed": Type({"quorate": "bool"}),
        "knet.link.down": Type({"peer": "node", "link": "int"}, "peer"),
        "knet.link.up": Type({"peer": "node", "link": "int"}, "peer"),
        "pcmk.op.result": Type({"resource": "word", "node": "node", "op": "word", "rc": "int?", "status": "word"}),
        "kernel.nic.down": Type({"iface": "word"}),
        "paused": Type({"ms": "int?"}, after_resume=True),
        "a": Type({"x": "word?", "n": "int?", "members": "list?"}),
        "b": Type({"x": "word?", "n": "int?"}),
        "c": Type({"x": "word?", "n": "int?"}),
        "chatter.start": Type({}, kept=False),
    }
)


def rule(match: str, rest: str = "", name: str = "test.rule", title: str = "it happened") -> str:
    """Text of a rule file."""
    head = HEAD.format(id=name, title=title.replace('"', '\\"'))
    return head + dedent(rest).strip() + "\nmatch:\n" + indent(dedent(match).strip(), "  ") + "\n"


def write(directory: Path, *rules: str, causes: str | None = None, audits: str | None = None) -> Path:
    """Write a pack."""
    for number, text in enumerate(rules):
        path = directory / "pack" / "findings" / f"r{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for kind, content in (("causes", causes), ("audits", audits)):
        if content is not None:
            path = directory / "pack" / kind / "all.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(content))
    return directory / "pack"


def load(directory: Path, *rules: str, causes: str | None = None, audits: str | None = None) -> RuleSet:
    """Write and load a pack."""
    return load_rules([write(directory, *rules, causes=causes, audits=audits)], EVENTS)


def run(rule_set: RuleSet) -> list[TestResult]:
    """Run all tests of a rule set."""
    return [run_test(rule_set, case) for case in cases(rule_set)]
