"""The collection on real corosync and pacemaker nodes: one healthy, one dead, one hung, one with a full disk and a wrong clock."""

from __future__ import annotations

import json
import os
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.live import AHEAD_S, DEAD, FULL, HEALTHY, HUNG, SECRET, Live, lacking, live
from tests.unit.collect.sandbox import contents

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

NODES = f"{HEALTHY},{DEAD},{HUNG},{FULL}"


@dataclass(frozen=True, slots=True)
class Collected:
    """A collection from those nodes."""

    cluster: Live
    bundle: Path
    status: int
    said: str
    took_s: float
    manifest: dict[str, Any]

    def node(self, name: str) -> dict[str, Any]:
        """A node in the manifest."""
        return next(row for row in self.manifest["nodes"] if row["name"] == name)

    def why(self, name: str) -> str:
        """What the manifest says is missing of a node."""
        return " ".join(row["why"] for row in self.manifest["missing"] if row["node"] == name)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Live]:
    """The cluster, broken."""
    if reason := lacking():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with live(tmp_path / "lab") as found:
        yield found


def collect(cluster: Live, bundle: Path) -> Collected:
    start = time.monotonic()
    done = cluster.run(
        "collect",
        "-F",
        str(cluster.config),
        "--nodes",
        NODES,
        "--since",
        "-1h",
        "--answer-within",
        "3",
        "-o",
        str(bundle),
    )
    took = time.monotonic() - start
    with tarfile.open(bundle) as archive:
        member = archive.extractfile("case/manifest.json")
        assert member, done.stderr
        return Collected(cluster, bundle, done.returncode, done.stdout + done.stderr, took, json.load(member))


def complete_but_for_what_cannot_be_had(collected: Collected) -> None:
    """All of the nodes that answer, a sentence for those that do not, in bounded time."""
    assert collected.status == 1, collected.said
    assert collected.took_s < 150
    assert [collected.node(name)["status"] for name in (HEALTHY, DEAD, HUNG, FULL)] == [
        "complete",
        "nothing",
        "nothing",
        "complete",
    ], collected.manifest["missing"]
    assert "does not answer" in collected.why(HUNG)
    assert any(words in collected.why(DEAD) for words in ("no route", "does not answer"))
    names = {name for name, _ in contents(collected.bundle)}
    for node in (HEALTHY, FULL):
        for wanted in (
            "cib.xml",
            "journal/journal.json",
            "var/log/pacemaker/pacemaker.log",
            "etc/corosync/corosync.conf",
        ):
            assert f"case/{node}/{wanted}" in names


def clocks_are_measured(collected: Collected) -> None:
    """Within 0.1 s, with the error of the measurement."""
    for node, ahead in ((HEALTHY, 0.0), (FULL, AHEAD_S)):
        clock = collected.node(node)["clock"]
        assert abs(clock["offset_s"] - ahead) < 0.1
        assert clock["error_s"] < 0.1


def no_planted_secret_is_in_the_bundle(completed: Collected) -> None:
    """Not in the CIB, in the inputs of the scheduler inside their compression, in logs, journals, files or command lines."""
    mark = SECRET.partition("-")[0].encode()
    key = (completed.cluster.places.upper(HEALTHY) / "etc/corosync/authkey").read_bytes()
    found = list(contents(completed.bundle))
    assert len(found) > 150
    assert [name for name, data in found if mark in data or key[:32] in data] == []
    assert any(b'name="password" value="*****"' in data for name, data in found if "/pengine/" in name)
    assert any(b"password=*****" in data for name, data in found if name.endswith("journal.json"))


def the_cost_on_a_node_is_small(collected: Collected) -> None:
    """Measured on the node itself: seconds of one processor at the lowest priority, and no writing."""
    cost = collected.node(HEALTHY)["cost"]
    assert 0 < cost["cpu_s"] < 60
    assert cost["write_bytes"] < 1 << 20


def the_verdict_on_the_bundle(collected: Collected) -> None:
    """The dead node was lost and fenced; that its own logs are missing is known, and so is the wrong clock."""
    result_path = collected.bundle.with_name("result.json")
    done = collected.cluster.run("analyze", str(collected.bundle), "-o", str(result_path), "--quiet")
    assert done.returncode == 0, done.stderr
    result = json.loads(result_path.read_text())
    kinds = {kind for incident in result["incidents"] for kind in incident["kinds"]}
    assert {"node_lost", "node_fenced"} <= kinds
    assert not {"partition", "fencing_failed", "split_brain"} & kinds
    first = next(each for each in result["incidents"] if "node_lost" in each["kinds"])
    assert DEAD in first["explanations"][0]["nodes"]
    assert f"nothing of {DEAD} is in the input (at the collection: " in json.dumps(first["missing"])
    assert [row["where"] for row in result["warnings"] if row["code"] == "collect-missing"] == [DEAD, HUNG]
    clocks = {node["name"]: node["clock"]["skew_s"] for node in result["nodes"]}
    reference = clocks[HEALTHY]
    assert clocks[FULL] - reference == pytest.approx(AHEAD_S, abs=1.0)


def the_cluster_is_found_from_one_of_its_nodes(collected: Collected) -> None:
    """From its corosync.conf and CIB, over ssh."""
    cluster = collected.cluster
    done = cluster.run("collect", "-F", str(cluster.config), "--from", HEALTHY, "--dry-run")
    assert done.returncode == 0, done.stderr
    for name in NODES.split(","):
        assert f"# {name}\n" in done.stdout


def on_a_node_the_whole_cluster_is_found(collected: Collected) -> None:
    """Nobody names nodes there; the node itself is read without ssh, with nothing but the system's own Python."""
    said = collected.cluster.on_node(HEALTHY, "PYTHONPATH=/opt/lib python3 -m hadiag collect --since -1h --dry-run")
    for name in NODES.split(","):
        assert f"# {name}\n" in said
    assert said.partition(f"# {HEALTHY}\n")[2].startswith("sh -c ")
    assert said.partition(f"# {FULL}\n")[2].startswith("ssh ")


def a_second_run_adds_the_node_that_answers_again(collected: Collected, completed: Collected) -> None:
    """What is there stays as it is; the inputs of the scheduler are there now, whichever node was the coordinator."""
    assert completed.node(HUNG)["status"] == "complete", completed.manifest["missing"]
    assert completed.node(HEALTHY)["steps"] == collected.node(HEALTHY)["steps"]
    assert completed.node(DEAD)["status"] == "nothing"
    assert completed.took_s < 120
    assert any("/var/lib/pacemaker/pengine/pe-" in name for name, _ in contents(completed.bundle))


CHECKS = (
    complete_but_for_what_cannot_be_had,
    clocks_are_measured,
    the_cost_on_a_node_is_small,
    the_verdict_on_the_bundle,
    the_cluster_is_found_from_one_of_its_nodes,
    on_a_node_the_whole_cluster_is_found,
)


def test_collection_from_real_nodes(cluster: Live, tmp_path: Path, subtests: pytest.Subtests) -> None:
    """One test, so that the cluster is built once however the tests are spread over processes."""
    collected = collect(cluster, tmp_path / "case.tar.gz")
    for check in CHECKS:
        with subtests.test(check.__name__):
            check(collected)
    cluster.bench.sh(HUNG, "kill -CONT $(pidof sshd)")
    completed = collect(cluster, tmp_path / "case.tar.gz")
    with subtests.test(a_second_run_adds_the_node_that_answers_again.__name__):
        a_second_run_adds_the_node_that_answers_again(collected, completed)
    with subtests.test(no_planted_secret_is_in_the_bundle.__name__):
        no_planted_secret_is_in_the_bundle(completed)
