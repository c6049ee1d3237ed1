"""Plans and scenarios of the lab, read without starting anything."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.lab import scenario
from tests.lab.commands import LabError
from tests.lab.faults import FAULTS
from tests.lab.layer import corosync_conf
from tests.lab.plan import from_data, load, save

SCENARIOS = sorted((Path(scenario.__file__).parent / "scenarios").glob("*.yaml"))


def test_names_are_enough() -> None:
    """A list of names makes a cluster whose nodes have numbers, and addresses that differ by ring."""
    plan = from_data({"nodes": ["alder", "birch"], "links": 2})
    assert [node.number for node in plan.nodes] == [1, 2]
    assert plan.address(plan.node("birch"), 1) == "10.20.1.12"


def test_wrong_plans_are_refused() -> None:
    """A misspelt key, an unknown node and a cluster without nodes end in a sentence."""
    wrong: list[dict[str, Any]] = [
        {"nodes": ["alder"], "fencign": True},
        {"nodes": []},
        {"nodes": [{"name": "alder", "tz": "UTC"}]},
    ]
    for data in wrong:
        with pytest.raises(LabError):
            from_data(data)
    with pytest.raises(LabError, match="there are alder"):
        from_data({"nodes": ["alder"]}).node("birch")


def test_a_plan_survives_being_saved(tmp_path: Path) -> None:
    """The next command of the lab sees the plan that the first one made."""
    plan = from_data({"nodes": [{"name": "alder", "clock": 300, "zone": "Asia/Kolkata"}, "birch"], "name": "grove"})
    save(plan, tmp_path / "plan.yaml")
    assert load(tmp_path / "plan.yaml") == plan


def test_two_nodes_without_a_device_are_told_to_corosync() -> None:
    """Two members get two_node; with a quorum device they must not."""
    assert "two_node: 1" in corosync_conf(from_data({"nodes": ["alder", "birch"]}))
    text = corosync_conf(from_data({"nodes": ["alder", "birch", {"name": "oak", "role": "qnetd"}]}))
    assert "two_node" not in text
    assert "host: 10.20.0.13" in text
    assert "name: oak" not in text


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenarios_can_be_played(path: Path) -> None:
    """Every shipped scenario names faults that exist, on nodes that it has, and says what is expected of it."""
    read = scenario.read(path)
    for step in (*read.prepare, *read.steps):
        assert (step.fault is None) != (step.run is None)
        assert step.fault is None or shlex.split(step.fault)[0] in FAULTS
        assert step.node is None or read.plan.node(step.node)
    assert {"must", "must_not"} & set(read.expected)
