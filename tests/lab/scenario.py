"""Scenarios: a cluster, its configuration, what is done to it and when, and what a right analysis says."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.lab import cluster, collect, faults, notes, power
from tests.lab.commands import LabError
from tests.lab.places import Places
from tests.lab.plan import ClusterPlan, from_data

ROLES = ("@dc", "@other")
"""Words that steps may use for a node: the coordinator, and the first member that is not."""
ROLE = re.compile("|".join(rf"{role}\b" for role in ROLES))


@dataclass(frozen=True, slots=True)
class Step:
    """Wait, then break something or run a command in a node (``wait`` false: do not wait for its end)."""

    after: float = 0.0
    fault: str | None = None
    node: str | None = None
    run: str | None = None
    wait: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """One incident to record."""

    name: str
    title: str
    plan: ClusterPlan
    prepare: tuple[Step, ...] = ()
    configure: str = ""
    steps: tuple[Step, ...] = ()
    settle: float = 30.0
    collector: str = "crm_report"
    collect_on: str | None = None
    expected: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        LabError: It is wrong.
    """
    data = yaml.safe_load(path.read_text())
    try:
        steps = tuple(Step(**step) for step in data.pop("steps", []))
        plan = from_data(data.pop("cluster"))
        prepare = tuple(Step(**step) for step in data.pop("prepare", []))
        return Scenario(name=path.stem, plan=plan, prepare=prepare, steps=steps, **data)
    except (TypeError, KeyError, AttributeError) as error:
        raise LabError(f"{path}: {error}") from error


def up(scenario: Scenario, places: Places, say: Callable[[str], None]) -> None:
    """Bring the scenario's cluster up, prepared and configured."""
    cluster.up(scenario.plan, places)
    _do(scenario, scenario.prepare, places, say)
    cluster.configure(scenario.plan, places, scenario.configure)


def play(scenario: Scenario, places: Places, say: Callable[[str], None]) -> None:
    """Do the steps to the cluster, which is up, and wait until the dust has settled."""
    _do(scenario, scenario.steps, places, say)
    time.sleep(scenario.settle)


@dataclass(slots=True)
class Cast:
    """Who plays the roles that steps name (``ROLES``): settled when one is named first, and kept."""

    plan: ClusterPlan
    places: Places
    names: dict[str, str] = field(default_factory=dict)

    def named(self, words: str) -> str:
        """The words with names of nodes in the place of roles."""
        if not self.names and ROLE.search(words):
            leader = cluster.leader(self.plan, self.places)
            other = next(node.name for node in self.plan.members if node.name != leader)
            self.names.update({"@dc": leader, "@other": other})
        return ROLE.sub(lambda found: self.names[found[0]], words)


def _do(scenario: Scenario, steps: tuple[Step, ...], places: Places, say: Callable[[str], None]) -> None:
    bench, cast = faults.Bench(scenario.plan, places), Cast(scenario.plan, places)
    for step in steps:
        time.sleep(step.after)
        fault, node, command = (cast.named(words or "") for words in (step.fault, step.node, step.run))
        say(f"{fault}{node} {command}".strip())
        if fault:
            faults.inject(bench, fault)
        if command and node:
            notes.note(places, "run", f"{node}: {command}")
            command = command if step.wait else f"({command}) </dev/null >/dev/null 2>&1 &"
            said = power.in_node(places, node, command, check=False)
            say(said.strip()[-500:])


def record(scenario: Scenario, places: Places, target: Path, say: Callable[[str], None]) -> None:
    """Bring the cluster up, play, collect, take it down.

    Raises:
        LabError: A cluster is up already (it stays up), or a step could not be done.
    """
    if places.plan.exists():
        raise LabError("a cluster is up already; take it down first")
    try:
        up(scenario, places, say)
        play(scenario, places, say)
        notes.note(places, "collect", scenario.collector)
        target.mkdir(parents=True, exist_ok=True)
        try:
            name = scenario.name.split("-", 1)[-1]
            collect.report(scenario.plan, places, target, name, tool=scenario.collector, on=scenario.collect_on)
        except LabError as error:
            say(f"no report: {error}")
        collect.varlogs(scenario.plan, places, target / "raw")
        (target / "notes.json").write_text(json.dumps(notes.read(places), indent=1) + "\n")
        (target / "expected.yaml").write_text(yaml.safe_dump(dict(scenario.expected), sort_keys=False))
    finally:
        cluster.down(places)
