from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from hadiag.model.entity import Category, IncidentKind
from tests.lab import faults, layer, scenario
from tests.lab.places import Places
from tests.lab.plan import from_data

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_can_be_played(path: Path) -> None:
    """Its faults exist, its nodes are in its plan, and what it expects is said in the words of the contract."""
    found = scenario.read(path)
    names = {node.name for node in found.plan.nodes}
    for step in (*found.prepare, *found.steps):
        assert step.fault or (step.node and step.run)
        assert step.node is None or step.node in {*names, *scenario.ROLES}
        if step.fault:
            assert shlex.split(step.fault)[0] in faults.FAULTS
    kinds = {str(kind) for kind in IncidentKind}
    for key in ("must", "may", "must_not"):
        assert set(found.expected.get(key, [])) <= kinds
    for key in ("category", "recovery"):
        assert set(found.expected.get(key, [])) <= {str(category) for category in Category}
    assert set(found.expected.get("nodes", [])) <= names


def test_the_configuration_of_a_cluster() -> None:
    """Two nodes get two_node, a second link its addresses, a quorum device takes the place of two_node."""
    plan = from_data({"name": "x", "links": 2, "nodes": ["a", "b"]})
    text = layer.corosync_conf(plan)
    assert "two_node: 1" in text
    assert "ring1_addr: 10.20.1.12" in text
    plan = from_data({"name": "x", "nodes": ["a", "b", {"name": "q", "role": "qnetd"}]})
    text = layer.corosync_conf(plan)
    assert "two_node" not in text
    assert "host: 10.20.0.13" in text


def test_labs_in_two_directories_do_not_meet() -> None:
    """Their namespaces and groups have names of their own."""
    first, second = Places(Path("/a")), Places(Path("/b"))
    assert first.scope != second.scope


def test_steps_name_roles() -> None:
    """The coordinator and another member stand for nodes whose names nobody knows before."""
    plan = from_data({"name": "x", "nodes": ["a", "b"]})
    cast = scenario.Cast(plan, Places(Path("/a")), {"@dc": "b", "@other": "a"})
    assert cast.named("clock @dc 5") == "clock b 5"
    assert cast.named("cut @dc @other") == "cut b a"
