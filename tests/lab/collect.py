"""Collecting a recording: the whole /var/log of each node, and what the cluster's own collector makes."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from tests.lab import notes, power
from tests.lab.commands import LabError, run
from tests.lab.places import Places
from tests.lab.plan import ClusterPlan, NodePlan

RAW = ("var/log", "etc/corosync/corosync.conf")
SECRETS = re.compile(r"(authkey|nssdb/.*|id_ed25519)$")


def varlogs(plan: ClusterPlan, places: Places, target: Path) -> list[Path]:
    """Pack each node's logs from its layer of files, whether it runs or not."""
    target.mkdir(parents=True, exist_ok=True)
    return [_varlog(places.upper(node.name), target / f"{node.name}-varlog.tar.gz") for node in plan.nodes]


def _varlog(upper: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for part in RAW:
            for path in sorted([upper / part, *(upper / part).rglob("*")]):
                if path.is_file() and not path.is_symlink() and not SECRETS.search(str(path)):
                    tar.add(path, arcname=str(path.relative_to(upper)))
    return archive


def report(plan: ClusterPlan, places: Places, target: Path, name: str, *, tool: str, on: str | None = None) -> Path:
    """Run the cluster's own collector (``crm_report`` or ``crm report``) on a node that runs.

    Raises:
        LabError: It made no archive.
    """
    running = [node for node in plan.members if power.order(places, "pid", node=node.name) is not None]
    first = plan.node(on) if on else running[0]
    done = notes.read(places)
    ahead = _offsets(plan, done)
    since = datetime.fromisoformat(str(done[0]["time"])) + timedelta(seconds=min(ahead) - 30)
    until = datetime.now(UTC) + timedelta(seconds=max(ahead) + 5)
    window = f'-f "{_local(since, first)}" -t "{_local(until, first)}"'
    names = " ".join(node.name for node in running)
    command = f'{tool} {window} -n "{names}" /tmp/{name}'
    said = power.in_node(places, first.name, f"cd /tmp; {command} </dev/null", check=False, timeout=180)
    made = power.in_node(places, first.name, f"ls /tmp/{name}.tar.* 2>/dev/null", check=False).split()
    if not made:
        raise LabError(f"{tool} made no archive: {said[-2000:]}")
    archive = target / Path(made[0]).name
    copy = f"cat {made[0]}"
    with archive.open("wb") as file:
        _stream(power.inside(places, first.name, copy), file)
    power.in_node(places, first.name, f"rm -f {made[0]}")
    return archive


def _offsets(plan: ClusterPlan, done: Sequence[Mapping[str, str]]) -> list[float]:
    """How far the clocks were ahead, at any time: whoever collects takes a window that holds all of it."""
    stepped = [row["detail"].split() for row in done if row["what"] == "fault" and row["detail"].startswith("clock ")]
    return [*(node.clock for node in plan.nodes), *(float(words[2]) for words in stepped)]


def _local(when: datetime, node: NodePlan) -> str:
    return when.astimezone(ZoneInfo(node.zone)).strftime("%Y-%m-%d %H:%M:%S")


def _stream(arguments: list[str], file: IO[bytes]) -> None:
    import subprocess

    subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=file, check=True, timeout=60)


def journals(plan: ClusterPlan, places: Places, target: Path, form: str = "export") -> list[Path]:
    """Export the journals of the nodes that run, as a support engineer asks for them."""
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for node in plan.nodes:
        if power.order(places, "pid", node=node.name) is not None:
            path = target / f"{node.name}-journal.{form}"
            path.write_text(run(power.inside(places, node.name, f"journalctl -o {form} --no-pager"), timeout=60))
            paths.append(path)
    return paths
