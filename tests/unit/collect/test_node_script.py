from __future__ import annotations

import bz2
import gzip
import os
import time
from pathlib import Path

import pytest

from hadiag.collect.manifest import Manifest, Result, Status, StepRow
from hadiag.collect.plan import steps
from tests.unit.collect import secrets
from tests.unit.collect.sandbox import Node, contents, steps_of, taken, unprivileged

LOGS = {"logs-cluster", "logs-system"}


def furnish(node: Node) -> None:
    """A node with a cluster on it, and a secret in everything."""
    node.file("var/log/pacemaker/pacemaker.log", secrets.LINES + secrets.HARMLESS)
    node.file("var/log/pacemaker/pacemaker.log-20261121.gz", gzip.compress(secrets.LINES.encode()))
    node.file("var/log/messages", secrets.LINES)
    node.file("var/log/pcsd/pcsd.log", f'I, [x] INFO -- : {{"token": "{secrets.MARK}60"}}\n')
    node.file("etc/corosync/corosync.conf", secrets.CONF)
    node.file("etc/corosync/authkey", f"{secrets.MARK}61")
    node.file("etc/sysconfig/pacemaker", f"PCMK_password={secrets.MARK}62\n")
    node.file("etc/booth/booth.conf", f"authfile=/etc/booth/authkey\npassword = {secrets.MARK}63\n")
    node.file("etc/drbd.d/r0.res", f'resource r0 {{ net {{ shared-secret "{secrets.MARK}64"; }} }}\n')
    node.file("var/lib/pacemaker/cib/cib.xml", secrets.XML)
    node.file("var/lib/pacemaker/pengine/pe-input-7.bz2", bz2.compress(secrets.XML.encode()))
    node.tool("cibadmin", f"cat <<'E'\n{secrets.XML}\nE")
    node.tool("journalctl", f"cat <<'E'\n{secrets.JOURNAL}\nE")
    node.tool("pcs", f"echo '  Attributes: ip=1 password={secrets.MARK}65 username=x'")
    node.tool("crm", f"echo 'params passwd={secrets.MARK}66 ip=1'")
    node.tool("ps", f"echo '1 fence_ipmilan -a 192.0.2.9 -p {secrets.MARK}67'")
    node.tool("crm_mon", f"echo 'Cluster Summary:'; echo 'Failed: login with password={secrets.MARK}68' >&2; exit 3")
    (node.root / "var/log/corosync").mkdir()
    (node.root / "var/log/corosync/corosync.log").symlink_to(node.root / "etc/corosync/authkey")


def step(manifest: Manifest, name: str) -> StepRow:
    return manifest.nodes["n1"].steps[name]


def test_no_secret_leaves_the_node(node: Node, shell: str) -> None:
    """All steps of the plan on a node full of secrets: the bundle, its nested parts and its manifest hold none."""
    furnish(node)
    chosen = [each for each in steps() if not each.rescue]
    manifest, archive = taken(node, chosen, node.run(chosen, shell))
    found = dict(contents(archive))
    assert [name for name, data in found.items() if secrets.MARK.encode() in data] == []
    prefix = f"n1/n1{node.root}"
    assert b"[TOTEM ] Token has not been received" in found[f"{prefix}/var/log/pacemaker/pacemaker.log"]
    assert b"*****" in found[f"{prefix}/var/log/pacemaker/pacemaker.log-20261121"]
    assert b'name="ipaddr" value="192.0.2.9"' in found[f"{prefix}/var/lib/pacemaker/pengine/pe-input-7.bz2"]
    assert b"token: 10000" in found[f"{prefix}/etc/corosync/corosync.conf"]
    assert not any("authkey" in name or name.endswith("corosync.log") for name in found)
    assert step(manifest, "journal").status is Status.OK


def test_the_script_parses_in_every_shell(node: Node, shell: str) -> None:
    """The stream has a greeting and an end mark."""
    stream = node.run(steps_of({"date"}), shell)
    assert b"#H hello 1 " in stream
    assert stream.endswith(b"#H bye\n")


@pytest.mark.parametrize("own_watchdog", [False, True], ids=["timeout", "own watchdog"])
def test_a_tool_that_hangs_costs_its_step_only(node: Node, shell: str, own_watchdog: bool) -> None:
    """A tool that ignores signals is ended with everything it started, and the next step runs."""
    node.tool("crm_mon", "trap '' TERM HUP INT; echo Cluster; sleep 300 & sleep 300")
    if own_watchdog:
        node.tool("timeout", "exit 1")
    chosen = steps_of({"crm-mon", "uname"}, seconds=2)
    start = time.monotonic()
    manifest, archive = taken(node, chosen, node.run(chosen, shell))
    assert time.monotonic() - start < 15
    assert step(manifest, "crm-mon").status is Status.TIMEOUT
    assert "2 s" in step(manifest, "crm-mon").why
    assert step(manifest, "uname").status is Status.OK
    assert manifest.result is Result.PARTIAL
    assert any(name.endswith("uname_-a") for name, _ in contents(archive))


def test_a_fifo_among_the_logs_is_passed_over(node: Node, shell: str) -> None:
    """Nobody writes into it, so opening it would never end."""
    node.file("var/log/pacemaker/pacemaker.log", "x\n")
    os.mkfifo(node.root / "var/log/pacemaker/fifo.log")
    os.mkfifo(node.root / "var/log/messages")
    chosen = steps_of(LOGS, seconds=10)
    start = time.monotonic()
    manifest, archive = taken(node, chosen, node.run(chosen, shell))
    assert time.monotonic() - start < 8
    assert step(manifest, "logs-cluster").status is Status.OK
    assert [name for name, _ in contents(archive) if "fifo" in name or "messages" in name] == []


def test_a_file_that_hangs_costs_that_file_only(node: Node) -> None:
    """An unpacker that never ends stands for a dead file system: the other files of the step are taken."""
    node.file("var/log/pacemaker/a.log.xz", b"\xfd7zXZ")
    node.file("var/log/pacemaker/pacemaker.log", "kept\n")
    node.tool("xz", "sleep 300")
    chosen = steps_of({"logs-cluster"}, seconds=6)
    manifest, archive = taken(node, chosen, node.run(chosen))
    assert step(manifest, "logs-cluster").status is Status.TIMEOUT
    row = next(each for each in step(manifest, "logs-cluster").files if each.source.endswith("a.log.xz"))
    assert row.status is Status.TIMEOUT
    assert manifest.result is Result.PARTIAL
    assert any(data.endswith(b"kept\n") for _, data in contents(archive))


def test_a_large_log_is_cut_to_its_end_and_says_so(node: Node, shell: str) -> None:
    """Without a line of the days of the window the end of the file is the best guess."""
    node.file("var/log/messages", "".join(f"line {number:06}\n" for number in range(5000)))
    chosen = steps_of({"logs-system"}, limit=6000)
    manifest, archive = taken(node, chosen, node.run(chosen, shell))
    row = step(manifest, "logs-system").files[0]
    assert (row.truncated, row.status, row.bytes) == (True, Status.TRUNCATED, 6000)
    assert any(data.endswith(b"line 004999\n") for _, data in contents(archive))


def test_a_large_log_is_cut_to_the_days_of_the_window(node: Node) -> None:
    """The right hour of the right log, not simply the last bytes."""
    today = time.strftime("%b %e", time.localtime())
    text = "Jan  1 00:00:00 n1 x: old\n" * 4000 + f"{today} 00:00:00 n1 x: first of today\n" * 10
    node.file("var/log/messages", text + "Jan  2 00:00:00 n1 x: late\n" * 4000)
    chosen = steps_of({"logs-system"}, limit=3000)
    _, archive = taken(node, chosen, node.run(chosen))
    data = next(data for name, data in contents(archive) if name.endswith("messages"))
    assert data.split(b"\n", 1)[1].startswith(f"{today} 00:00:00 n1 x: first of today".encode())


def test_output_beyond_its_limit_is_cut(node: Node, shell: str) -> None:
    """An endless tool is not waited for."""
    node.tool("crm_mon", "yes 'Cluster Summary'")
    chosen = steps_of({"crm-mon"}, seconds=20, limit=100_000)
    manifest, _ = taken(node, chosen, node.run(chosen, shell))
    row = step(manifest, "crm-mon")
    assert row.status is Status.TRUNCATED
    assert row.bytes == 100_000


def test_what_may_not_be_read_is_named(node: Node) -> None:
    """Without root the logs of the cluster are closed: a row says which and why."""
    node.file("var/log/pacemaker/pacemaker.log", "x\n").chmod(0o600)
    node.file("var/log/messages", "y\n").chmod(0o644)
    if not unprivileged():
        (node.root / "var/log/pacemaker/pacemaker.log").chmod(0)
    chosen = steps_of(LOGS)
    manifest, _ = taken(node, chosen, node.run(chosen, before=unprivileged()))
    assert step(manifest, "logs-cluster").status is Status.DENIED
    assert "without root" in step(manifest, "logs-cluster").why
    assert manifest.nodes["n1"].status is Result.PARTIAL


def test_a_binary_file_stays_where_it_is(node: Node) -> None:
    """Secrets in it could not be removed; a log that ends in NUL bytes after a power loss is text."""
    node.file("var/log/pacemaker/core", bytes(range(256)) * 40)
    node.file("var/log/pacemaker/pacemaker.log", b"Nov 22 10:00:00 n1 x: last line\n" * 40 + b"\0" * 4096)
    chosen = steps_of({"logs-cluster"})
    manifest, archive = taken(node, chosen, node.run(chosen))
    names = {name.rpartition("/")[2]: data for name, data in contents(archive)}
    assert "core" not in names
    assert names["pacemaker.log"].count(b"\0") == 4096
    assert any("no text" in row.why for row in step(manifest, "logs-cluster").files)


def test_a_missing_tool_is_no_failure(node: Node) -> None:
    """A node without DRBD is complete without it."""
    chosen = steps_of({"drbd", "uname"})
    node.file("var/log/messages", "y\n")
    chosen += steps_of({"logs-system"})
    manifest, _ = taken(node, chosen, node.run(chosen))
    assert step(manifest, "drbd").status is Status.ABSENT
    assert manifest.result is Result.COMPLETE


def test_a_stream_that_breaks_off_keeps_what_came(node: Node) -> None:
    """Half of the stream is half of the bundle."""
    node.file("var/log/messages", "".join(f"line {os.urandom(20).hex()}\n" for _ in range(20_000)))
    chosen = steps_of({"date", "logs-system"})
    stream = node.run(chosen)
    manifest, archive = taken(node, chosen, stream[: len(stream) // 2])
    assert step(manifest, "date").status is Status.OK
    assert any(name.endswith("/date") for name, _ in contents(archive))


def test_the_nodes_own_report_is_cleaned_file_by_file(node: Node) -> None:
    """crm_report masks passwords in few places only; nothing of its own is left on the node."""
    node.file("inner.xml", secrets.XML)
    node.file("inner.txt", secrets.LINES)
    node.tool(
        "crm_report",
        f"for last; do :; done; mkdir -p $last/n1/pengine; cp {node.root}/inner.xml $last/n1/cib.xml; "
        f"bzip2 -c {node.root}/inner.xml > $last/n1/pengine/pe-input-1.bz2; gzip -c {node.root}/inner.txt > $last/n1/x.log.gz; "
        f"cp {node.root}/inner.txt $last/report.summary; echo password={secrets.MARK}99",
    )
    chosen = steps_of({"via-crm_report"}, via="crm_report")
    manifest, archive = taken(node, chosen, node.run(chosen))
    found = dict(contents(archive))
    assert [name for name, data in found.items() if secrets.MARK.encode() in data] == []
    assert "n1/n1/via/crm_report/report/report.summary" in found
    assert "n1/n1/via/crm_report/report/n1/pengine/pe-input-1.bz2" in found
    assert step(manifest, "via-crm_report").status is Status.OK
    assert list((node.root / "tmp").iterdir()) == []


def test_a_report_that_was_asked_for_and_failed_is_missing(node: Node) -> None:
    """What the tool said last is the reason; the rest of the node is not touched by it."""
    node.file("var/log/messages", "y\n")
    node.tool("crm_report", "echo 'Collecting'; echo 'ERROR: nothing to do here' >&2; exit 3")
    chosen = [*steps_of({"logs-system"}), *steps_of({"via-crm_report"}, via="crm_report")]
    manifest, _ = taken(node, chosen, node.run(chosen))
    assert step(manifest, "via-crm_report").status is Status.FAILED
    assert [row.why for row in manifest.missing] == ["it made no report: Collecting ERROR: nothing to do here"]
    assert step(manifest, "logs-system").status is Status.OK


def test_nothing_is_written_on_the_node(node: Node) -> None:
    """A full disk on the node does not matter: no step needs one."""
    furnish(node)
    before = sorted(path for path in node.root.rglob("*"))
    stream = node.run([each for each in steps() if not each.rescue])
    assert stream.endswith(b"#H bye\n")
    assert sorted(path for path in node.root.rglob("*")) == before


def test_the_script_to_hand_over_writes_a_file(node: Node, tmp_path: Path) -> None:
    """What is given to somebody else to run is the same script."""
    import subprocess

    path = tmp_path / "collect.sh"
    path.write_text(node.text(steps_of({"date", "uname"})))
    done = subprocess.run(["sh", path, tmp_path / "out.stream"], check=False, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.stream").read_bytes().endswith(b"#H bye\n")
