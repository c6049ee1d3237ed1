from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hadiag.collect.manifest import Manifest, Result, Status
from hadiag.collect.nodes import parse
from hadiag.collect.plan import Window
from hadiag.collect.runner import Order, Progress, collect
from hadiag.collect.ssh import SshOptions
from tests.cluster.sshd import SSHD, Hosts, hosts

pytestmark = pytest.mark.skipif(
    SSHD is None and not os.environ.get("CI"), reason="there is no sshd on this machine (Debian: openssh-server)"
)

NOW = int(time.time())
FEW = frozenset({"date", "uname", "mounts", "crm-mon", "logs-system"})
LOG = "Nov 22 10:00:00 n1 pacemaker-controld[5]: notice: State transition S_IDLE -> S_POLICY_ENGINE"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Hosts]:
    """Nodes with real sshd."""
    with hosts(tmp_path) as found:
        yield found


def ready(lab: Hosts, *names: str) -> None:
    for name in names:
        host = lab.add(name)
        host.tool("crm_mon", "echo 'Cluster Summary:'; echo '  * Current DC: n1'")


def order(lab: Hosts, names: str, only: frozenset[str] = FEW, **rest: Any) -> Order:
    ssh = rest.pop("ssh", SshOptions(config=str(lab.config)))
    return Order(str(lab.root / "case.tar.gz"), parse([names]), Window(NOW - 3600, NOW), ssh=ssh, only=only, **rest)


def manifest_of(lab: Hosts) -> dict[str, Any]:
    with tarfile.open(lab.root / "case.tar.gz") as archive:
        file = archive.extractfile("case/manifest.json")
        assert file
        found: dict[str, Any] = json.load(file)
        return found


def names_of(lab: Hosts) -> set[str]:
    with tarfile.open(lab.root / "case.tar.gz") as archive:
        return set(archive.getnames())


def why(manifest: Manifest, node: str) -> str:
    return " ".join(row.why for row in manifest.missing if row.node == node)


def test_a_dead_and_a_frozen_node_cost_only_themselves(lab: Hosts) -> None:
    """The bundle has all of the healthy nodes, in bounded time, and says in one sentence why the others are missing."""
    ready(lab, "n1", "n2", "frozen")
    lab.add("dead", running=False)
    lab.by_name["frozen"].freeze()
    start = time.monotonic()
    manifest = collect(order(lab, "n1,n2,dead,frozen", ssh=SshOptions(config=str(lab.config), answer_s=2)))
    assert time.monotonic() - start < 15
    assert manifest.result is Result.PARTIAL
    assert {"case/n1/commands/uname_-a", "case/n2/commands/uname_-a"} <= names_of(lab)
    assert "nothing listens" in why(manifest, "dead")
    assert "does not answer" in why(manifest, "frozen")
    assert manifest.nodes["dead"].status is Result.NOTHING
    assert manifest_of(lab)["directories"] == {name: name for name in ("dead", "frozen", "n1", "n2")}


def test_unknown_host_and_refused_key(lab: Hosts) -> None:
    """Each is one sentence that says what to do."""
    ready(lab, "n1")
    other = lab.root / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    lab.config.write_text(lab.config.read_text().replace(f"{lab.root}/id\n", f"{other}\n"))
    manifest = collect(order(lab, "n1,nowhere.invalid"))
    assert "refused the key" in why(manifest, "n1")
    assert "not known here" in why(manifest, "nowhere.invalid")
    assert manifest.result is Result.NOTHING
    assert not (lab.root / "case.tar.gz.partial").exists()
    assert not (lab.root / "case.tar.gz").exists()


def test_a_second_run_goes_on_where_the_first_ended(lab: Hosts) -> None:
    """What is there is kept as it is, the node that was dead is added, and the window stays."""
    ready(lab, "n1")
    dead = lab.add("n2", running=False)
    collect(order(lab, "n1,n2"))
    before = manifest_of(lab)
    dead.start()
    lab.by_name["n1"].stop()
    later = Order(
        str(lab.root / "case.tar.gz"),
        parse(["n1,n2"]),
        Window(NOW, NOW + 9),
        ssh=SshOptions(config=str(lab.config)),
        only=FEW,
    )
    collect(later)
    after = manifest_of(lab)
    assert after["nodes"][0] == before["nodes"][0]
    assert after["nodes"][1]["status"] != "nothing"
    assert after["window"] == before["window"]
    assert {"case/n1/commands/uname_-a", "case/n2/commands/uname_-a"} <= names_of(lab)


def test_the_clock_of_a_node_is_measured(lab: Hosts) -> None:
    """A clock an hour ahead is told to 0.1 s, and the window on that node is moved with it."""
    ready(lab, "n1", "ahead")
    lab.by_name["ahead"].tool(
        "date",
        'case $1 in +%s.%N) set -- $(/bin/date "+%s %N"); echo $(($1 + 3600)).$2 ;; +%s) echo $(($(/bin/date +%s) + 3600)) ;; *) exec /bin/date "$@" ;; esac',
    )
    lab.by_name["ahead"].tool("crm_mon", "echo until=$HADIAG_UNTIL")
    manifest = collect(order(lab, "n1,ahead"))
    clocks = {name: row.clock for name, row in manifest.nodes.items()}
    assert clocks["n1"]
    assert abs(clocks["n1"].offset_s) < 0.1
    assert clocks["ahead"]
    assert abs(clocks["ahead"].offset_s - 3600) < 0.1
    assert 0 < clocks["ahead"].error_s < 0.1
    with tarfile.open(lab.root / "case.tar.gz") as archive:
        file = archive.extractfile("case/ahead/commands/crm_mon_-1_-A_-f_-n_-r_-t")
        assert file
        assert f"until={NOW + 3600}" in file.read().decode()


def test_a_lost_connection_costs_the_step(lab: Hosts) -> None:
    """The connection is made once more, and the steps behind the lost one are run."""
    ready(lab, "n1")
    marker = lab.root / "reached"
    lab.by_name["n1"].tool("crm_mon", f"touch {marker}; sleep 60")

    def cut() -> None:
        while not marker.exists():
            time.sleep(0.05)
        lab.by_name["n1"].cut()

    threading.Thread(target=cut, daemon=True).start()
    manifest = collect(order(lab, "n1"))
    steps = manifest.nodes["n1"].steps
    assert steps["crm-mon"].status is Status.LOST
    assert steps["uname"].status is Status.OK
    assert steps["mounts"].status is Status.OK
    assert manifest.result is Result.PARTIAL


def test_sudo_that_asks_for_a_password(lab: Hosts) -> None:
    """It is collected without root, and said."""
    ready(lab, "n1")
    lab.by_name["n1"].tool("id", "echo 1000")
    lab.by_name["n1"].tool("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    manifest = collect(order(lab, "n1"))
    assert "sudo asks for a password" in why(manifest, "n1")
    assert manifest.nodes["n1"].steps["uname"].status is Status.OK


def test_sudo_without_a_password_is_used(lab: Hosts) -> None:
    """A login that may become root does so."""
    ready(lab, "n1")
    lab.by_name["n1"].tool("id", 'if [ "$AS_ROOT" ]; then echo 0; else echo 1000; fi')
    lab.by_name["n1"].tool("sudo", '[ "$1" = -n ] && shift; AS_ROOT=1 exec "$@"')
    manifest = collect(order(lab, "n1"))
    assert manifest.nodes["n1"].user_id == 0
    assert "root" not in why(manifest, "n1")


def test_progress_tells_each_node(lab: Hosts) -> None:
    """Every node is reported from the connection to its end."""
    ready(lab, "n1", "n2")
    seen: list[Progress] = []
    collect(order(lab, "n1,n2"), seen.append)
    for name in ("n1", "n2"):
        states = [each.state for each in seen if each.node == name]
        assert states[0] == "connecting"
        assert states[-1] == "done"
        assert any(each.doing == "uname" for each in seen if each.node == name)


def command(lab: Hosts, *words: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "hadiag",
        "collect",
        "-F",
        str(lab.config),
        "-o",
        str(lab.root / "case.tar.gz"),
        *words,
    ]


def test_progress_on_a_terminal(lab: Hosts) -> None:
    """A bar for each node and one for all, gone at the end; the clock that is far off gets a sentence."""
    ready(lab, "n1", "n2")
    lab.by_name["n2"].tool(
        "date", 'case $1 in +%s) echo $(($(/bin/date +%s) - 7200)) ;; *) exec /bin/date -d "2 hours ago" "$@" ;; esac'
    )
    terminal, end = os.openpty()
    process = subprocess.Popen(command(lab, "--nodes", "n1,n2"), stderr=end, stdout=subprocess.DEVNULL)
    os.close(end)
    seen = b""
    with contextlib.suppress(OSError):  # a terminal whose other end is closed
        while data := os.read(terminal, 65536):
            seen += data
    os.close(terminal)
    text = seen.decode()
    assert process.wait(60) in {0, 1}, text[-500:]
    assert re.search(r"n1 +\[#*\.*\]", text)
    assert "2 of 2 ready" in text
    assert "\x1b[3A\x1b[J" in text
    assert re.search(r"n2: its clock is 7(199|200)\.\d s behind this machine's", text)


def test_ctrl_c_leaves_a_usable_bundle(lab: Hosts) -> None:
    """Status 130, the steps so far are in the bundle, and analyze names its kind and its node."""
    from hadiag.sources import Inputs

    ready(lab, "n1")
    marker = lab.root / "reached"
    lab.by_name["n1"].tool("crm_mon", f"touch {marker}; sleep 60")
    process = subprocess.Popen(command(lab, "--nodes", "n1"), stderr=subprocess.PIPE)
    while not marker.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert manifest_of(lab)["interrupted"] is True
    inputs = Inputs([str(lab.root / "case.tar.gz")])
    hints = {artifact.node_hint for artifact in inputs if artifact.name != "manifest.json"}
    assert hints == {"n1"}
    assert inputs.summaries[0].kind.value == "hadiag_collect"


def test_a_full_disk_on_the_workstation(lab: Hosts) -> None:
    """Status 4 in one sentence; what was collected stays, and the same command goes on from there."""
    ready(lab, "n1")
    lab.by_name["n1"].tool("crm_mon", "yes 'Cluster Summary' | head -c 3000000")

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    done = subprocess.run(
        command(lab, "--nodes", "n1"), preexec_fn=small, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "cannot be written: File too large" in done.stderr
    assert (lab.root / "case.tar.gz.partial").is_dir()
    again = subprocess.run(command(lab, "--nodes", "n1"), capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode in {0, 1}, again.stderr
    assert "case/n1/commands/crm_mon_-1_-A_-f_-n_-r_-t" in names_of(lab)


def test_a_target_that_cannot_be_written(lab: Hosts) -> None:
    """Told before anything is collected."""
    ready(lab, "n1")
    words = command(lab, "--nodes", "n1")
    words[words.index("-o") + 1] = str(lab.root / "nowhere" / "case.tar.gz")
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 4
    assert "Choose another place" in done.stderr


def test_nodes_are_found_from_one_that_answers(lab: Hosts) -> None:
    """The list of nodes comes from the node's own corosync.conf, here as its tools show it."""
    ready(lab, "n1", "n2")
    lab.by_name["n1"].tool("crm_node", "echo '1 n1 member'; echo '2 n2 member'")
    words = command(lab, "--from", "n1", "--dry-run")
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert "# n1\n" in done.stdout
    assert "# n2\n" in done.stdout
    assert "crm_mon -1 -A -f -n -r -t" in done.stdout
    assert not (lab.root / "case.tar.gz").exists()


def test_a_frozen_connection_is_given_up(lab: Hosts) -> None:
    """A node that stops in the middle costs its step and bounded time."""
    ready(lab, "n1")
    marker = lab.root / "reached"
    lab.by_name["n1"].tool("crm_mon", f"touch {marker}; sleep 300")

    def stop() -> None:
        while not marker.exists():
            time.sleep(0.05)
        host = lab.by_name["n1"]
        host.freeze()
        for pid in host.sessions():
            os.kill(pid, signal.SIGSTOP)

    threading.Thread(target=stop, daemon=True).start()
    start = time.monotonic()
    manifest = collect(order(lab, "n1", ssh=SshOptions(config=str(lab.config), answer_s=1)))
    assert time.monotonic() - start < 10
    assert manifest.nodes["n1"].steps["crm-mon"].status is Status.LOST
    assert manifest.result is Result.PARTIAL
