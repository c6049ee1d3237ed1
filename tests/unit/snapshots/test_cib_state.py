"""Nodes and resources from a CIB alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from lxml import etree

from hadiag.snapshots.cib_state import CibState

UP = 'in_ccm="true" crmd="online" join="member" expected="member"'


def op(task: str, rc: int, call: int, target: int = 0, interval: int = 0, more: str = "") -> str:  # noqa: PLR0917 (the columns of the history)
    """One entry of an operation history."""
    return (
        f'<lrm_rsc_op id="{task}_{call}" operation="{task}" call-id="{call}" rc-code="{rc}" op-status="0" interval="{interval}"'
        f' transition-key="1:1:{target}:abc" last-rc-change="{1_700_000_000 + call}" {more}/>'
    )


def history(**ops: str) -> str:
    """The history of a node, by resource (``__`` stands for a colon)."""
    rows = "".join(f'<lrm_resource id="{name.replace("__", ":")}">{text}</lrm_resource>' for name, text in ops.items())
    return f"<lrm><lrm_resources>{rows}</lrm_resources></lrm>"


def cib(nodes: Mapping[str, tuple[str, str]], resources: str = '<primitive id="app"/>', **options: str) -> CibState:
    """State of a cluster; each node has the attributes of its state and its history."""
    names = "".join(f'<node id="{index}" uname="{name}"/>' for index, name in enumerate(nodes, 1))
    states = "".join(
        f'<node_state uname="{name}" {state}>{text}</node_state>' for name, (state, text) in nodes.items() if state
    )
    pairs = "".join(f'<nvpair name="{name.replace("_", "-")}" value="{value}"/>' for name, value in options.items())
    config = f"<crm_config><cluster_property_set>{pairs}</cluster_property_set></crm_config><nodes>{names}</nodes>"
    text = (
        f"<cib><configuration>{config}<resources>{resources}</resources></configuration><status>{states}</status></cib>"
    )
    return CibState(etree.fromstring(text))


def active(state: CibState) -> list[tuple[str, str, str, bool]]:
    """Resource, node, role and whether it failed."""
    return [(one.resource, one.node, one.role, one.failed) for one in state.resources]


@pytest.mark.parametrize(
    ("state", "fencing", "word"),
    [
        (UP, "true", "online"),
        (UP.replace("true", "1700000000").replace("online", "1700000001"), "true", "online"),
        (UP.replace("true", "false").replace("online", "offline"), "true", "unclean"),
        (UP.replace("true", "false").replace("online", "offline"), "false", "offline"),
        (UP.replace("online", "offline"), "false", "unclean"),
        (UP.replace('join="member"', 'join="down"'), "true", "pending"),
        ('in_ccm="false" crmd="offline" join="down" expected="down"', "true", "offline"),
        ("", "true", "unclean"),
        ("", "false", "offline"),
    ],
)
def test_state_of_a_node(state: str, fencing: str, word: str) -> None:
    """Membership, the controller, the join phase and what was expected; fencing makes what is not as expected unclean."""
    assert cib({"a": (state, "")}, stonith_enabled=fencing).nodes["a"].text == word


@pytest.mark.parametrize(
    ("ops", "found"),
    [
        (op("monitor", 7, 1, 7), []),
        (op("monitor", 0, 1, 7), [("app", "a", "Started", False)]),
        (op("start", 0, 2), [("app", "a", "Started", False)]),
        (op("start", 1, 2), [("app", "a", "Started", True)]),
        (op("start", 1, 2) + op("stop", 0, 3), []),
        (op("start", 0, 2) + op("monitor", 7, 3, 0, 10000), [("app", "a", "Started", True)]),
        (op("monitor", 1, 3, 0, 10000) + op("start", 0, 5) + op("stop", 0, 4), [("app", "a", "Started", False)]),
        (op("monitor", 5, 1, 7), []),
        (op("start", 0, 2) + op("stop", 1, 3), [("app", "a", "Started", True)]),
    ],
)
def test_history_of_a_resource(ops: str, found: list[tuple[str, str, str, bool]]) -> None:
    """Calls in order: a failed start may run, a failed stop does, a later success takes a failure back."""
    assert active(cib({"a": (UP, history(app=ops))}, stonith_enabled="false")) == found


def test_failed_stop_makes_a_node_unclean_where_there_is_fencing() -> None:
    """The node is to be fenced; without fencing the resource is blocked there."""
    text = history(app=op("start", 0, 2) + op("stop", 1, 3))
    assert cib({"a": (UP, text)}).nodes["a"].text == "unclean"
    assert cib({"a": (UP, text)}, stonith_enabled="false").nodes["a"].text == "online"


def test_instances_of_a_promotable_clone() -> None:
    """Each instance has its role; an instance of a unique clone may share its node."""
    clone = '<clone id="c"><meta_attributes><nvpair name="promotable" value="true"/></meta_attributes><primitive id="db"/></clone>'
    text = history(db__0=op("start", 0, 1) + op("promote", 0, 2), db__1=op("start", 0, 3))
    assert active(cib({"a": (UP, text)}, clone)) == [("db", "a", "Promoted", False), ("db", "a", "Unpromoted", False)]


def test_migration_that_is_half_done() -> None:
    """Sent away and received: only the stop is missing, so the target has it; not received yet: both may have it."""
    away = op("start", 0, 2) + op("migrate_to", 0, 5, more='migrate_source="a" migrate_target="b"')
    there = op("monitor", 7, 1, 7) + op("migrate_from", 0, 6, more='migrate_source="a" migrate_target="b"')
    done = cib({"a": (UP, history(app=away)), "b": (UP, history(app=there))})
    assert active(done) == [("app", "b", "Started", False)]
    half = cib({"a": (UP, history(app=away)), "b": (UP, history(app=op("monitor", 7, 1, 7)))})
    assert [row[1] for row in active(half)] == ["a", "b"]


def test_guest_runs_where_its_container_runs() -> None:
    """A guest node is online while its container is; without fencing it never becomes unclean."""
    vm = '<primitive id="vm"><meta_attributes><nvpair name="remote-node" value="guest"/></meta_attributes></primitive>'
    inside = f'<primitive id="app"/>{vm}'
    nodes = {"a": (UP, history(vm=op("start", 0, 1))), "guest": ('remote_node="true"', history(app=op("start", 0, 1)))}
    state = cib(nodes, inside)
    assert state.nodes["guest"].text == "online"
    assert active(state) == [("app", "guest", "Started", False), ("vm", "a", "Started", False)]
    nodes["a"] = (UP, history(vm=op("start", 0, 1) + op("stop", 0, 2)))
    assert cib(nodes, inside).nodes["guest"].text == "offline"
