"""What makes a base system into one node of a cluster: the files of its own layer."""

from __future__ import annotations

import hashlib
import shutil
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path

from tests.lab.commands import LabError, run
from tests.lab.plan import ClusterPlan, NodePlan

RSYSLOG = """module(load="imuxsock")
$ActionFileDefaultTemplate {template}
$FileCreateMode 0640
auth,authpriv.* -/var/log/{auth}
cron.* -/var/log/cron{suffix}
*.*;auth,authpriv.none;cron.none -/var/log/{main}
"""
TEMPLATES = {"traditional": "RSYSLOG_TraditionalFileFormat", "iso": "RSYSLOG_FileFormat"}


def write(plan: ClusterPlan, node: NodePlan, base: Path, upper: Path) -> None:
    """Fill the node's layer."""
    etc = upper / "etc"
    (etc / "systemd/system/multi-user.target.wants").mkdir(parents=True)
    (etc / "hostname").write_text(f"{node.name}\n")
    (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
    hosts = [f"{plan.address(other)} {other.name}" for other in plan.nodes]
    (etc / "hosts").write_text("\n".join(["127.0.0.1 localhost", *hosts, ""]))
    if not (base / "usr/share/zoneinfo" / node.zone).exists():
        raise LabError(f"no time zone {node.zone}")
    (etc / "localtime").symlink_to(f"/usr/share/zoneinfo/{node.zone}")
    (etc / "timezone").write_text(f"{node.zone}\n")
    _logging(node, etc)
    _units(plan, node, etc)
    if plan.agent == "fence_ipmilan":
        tool = upper / "usr/bin/ipmitool"
        tool.parent.mkdir(parents=True)
        shutil.copy(Path(__file__).parent / "files/ipmitool", tool)
        tool.chmod(0o755)
    (etc / "default").mkdir()
    if plan.remotes:
        (etc / "pacemaker").mkdir()
        (etc / "pacemaker/authkey").write_bytes(_key(f"{plan.name} remote"))
    if node.role == "member":
        _corosync(plan, etc / "corosync")
        (etc / "default/pacemaker").write_text("" if plan.pacemaker_log else "PCMK_logfile=none\n")
    elif node.role == "qnetd":
        (etc / "default/corosync-qnetd").write_text('COROSYNC_QNETD_OPTIONS="-s off"\n')


def _logging(node: NodePlan, etc: Path) -> None:
    (etc / "systemd/journald.conf.d").mkdir()
    (etc / "systemd/journald.conf.d/lab.conf").write_text(
        "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSystemMaxUse=64M\n"
    )
    if node.syslog == "none":
        (etc / "systemd/system/rsyslog.service").symlink_to("/dev/null")
        return
    redhat = node.layout == "redhat"
    names = {"auth": "secure", "main": "messages", "suffix": ""} if redhat else {"auth": "auth.log", "main": "syslog"}
    text = RSYSLOG.format(template=TEMPLATES[node.syslog], **({"suffix": ".log"} | names))
    (etc / "rsyslog.conf").write_text(text)


def _units(plan: ClusterPlan, node: NodePlan, etc: Path) -> None:
    wanted = ["ssh"]
    if node.role == "qnetd":
        wanted.append("corosync-qnetd")
    elif node.role == "remote":
        wanted.append("pacemaker_remote")
    elif node.boot:
        wanted += ["corosync", "pacemaker", "pcsd", *(["corosync-qdevice"] if plan.qnetd else [])]
    for name in wanted:
        link = etc / "systemd/system/multi-user.target.wants" / f"{name}.service"
        link.symlink_to(f"/lib/systemd/system/{name}.service")


def _corosync(plan: ClusterPlan, directory: Path) -> None:
    directory.mkdir()
    (directory / "corosync.conf").write_text(corosync_conf(plan))
    key = _key(plan.name)
    path = directory / "authkey"
    path.write_bytes(key)
    path.chmod(stat.S_IRUSR)


def _key(name: str) -> bytes:
    return b"".join(hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(8))


def corosync_conf(plan: ClusterPlan) -> str:
    """The text of the cluster's corosync.conf."""
    totem: dict[str, str | int] = {"version": 2, "cluster_name": plan.name, "transport": "knet"}
    totem |= {"crypto_cipher": "aes256", "crypto_hash": "sha256"}
    totem |= {"link_mode": "passive"} if plan.links > 1 else {}
    sections = [_section("totem", totem | dict(plan.totem or {}))]
    sections.append("nodelist {\n" + "".join(_node(plan, node) for node in plan.members) + "}\n")
    sections.append(_quorum(plan))
    destination = plan.corosync_log
    logging = {"fileline": "off", "to_stderr": "no", "to_logfile": "yes" if "file" in destination else "no"}
    logging |= {"logfile": "/var/log/corosync/corosync.log"} if "file" in destination else {}
    logging |= {"to_syslog": "yes" if "syslog" in destination else "no", "debug": "off"}
    sections.append(_section("logging", logging | {"timestamp": "hires" if plan.hires else "on"}))
    return "\n".join(sections)


def _section(name: str, values: Mapping[str, str | int]) -> str:
    lines = "".join(f"    {key}: {value}\n" for key, value in values.items())
    return f"{name} {{\n{lines}}}\n"


def _node(plan: ClusterPlan, node: NodePlan) -> str:
    rings = "".join(f"        ring{link}_addr: {plan.address(node, link)}\n" for link in range(plan.links))
    return f"    node {{\n{rings}        name: {node.name}\n        nodeid: {node.number}\n    }}\n"


def _quorum(plan: ClusterPlan) -> str:
    lines = ["    provider: corosync_votequorum"]
    if plan.qnetd:
        host = plan.address(plan.qnetd)
        net = f"net {{\n            algorithm: ffsplit\n            host: {host}\n            tls: off\n        }}"
        lines.append(f"    device {{\n        model: net\n        votes: 1\n        {net}\n    }}")
    elif plan.two_node and len(plan.members) == 2:
        lines.append("    two_node: 1")
    if plan.wait_for_all is not None:
        lines.append(f"    wait_for_all: {int(plan.wait_for_all)}")
    lines += [f"    {key}: {value}" for key, value in (plan.quorum or {}).items()]
    return "quorum {\n" + "\n".join(lines) + "\n}\n"


def new(places_node: Path, size: str = "") -> Path:
    """Make the empty directories of a node, in a file system of their own if it has a size; the path of its upper layer."""
    shutil.rmtree(places_node, ignore_errors=True)
    if size:
        places_node.mkdir(parents=True)
        run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(places_node)])
    for name in ("upper", "work", "root"):
        (places_node / name).mkdir(parents=True)
    return places_node / "upper"
