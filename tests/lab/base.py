"""Base systems: a Debian root file system for each version of the cluster software."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.lab.commands import LabError, run
from tests.lab.places import Places

PACKAGES = [
    "rsyslog",
    "logrotate",
    "cron",
    "openssh-server",
    "openssh-client",
    "corosync",
    "pacemaker",
    "pacemaker-cli-utils",
    "crmsh",
    "pcs",
    "resource-agents",
    "fence-agents",
    "corosync-qdevice",
    "corosync-qnetd",
    "sbd",
    "iproute2",
    "iputils-ping",
    "nftables",
    "procps",
    "psmisc",
    "bzip2",
    "xz-utils",
    "zstd",
    "gawk",
    "python3-yaml",
    "ipmitool",
    "curl",
    "nginx-light",
    "e2fsprogs",
    "less",
    "file",
    "kmod",
    "sudo",
]

MASKED = [
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-timesyncd.service",
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "proc-sys-fs-binfmt_misc.automount",
    "getty.target",
    "getty@tty1.service",
    "console-getty.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "systemd-networkd.service",
    "sbd.service",
    "nginx.service",
    "corosync-notifyd.service",
    "openipmi.service",
    "fstrim.timer",
    "e2scrub_all.timer",
]
ENABLED_LATER = ["corosync", "pacemaker", "pcsd", "corosync-qdevice", "corosync-qnetd", "sbd", "pacemaker_remote"]


def mirror() -> str:
    """The Debian mirror that this machine itself uses.

    Raises:
        LabError: None is configured.
    """
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in sources:
        text = path.read_text(errors="replace") if path.is_file() else ""
        found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?)\s*(\S+/debian/?)(?:\s|$)", text, re.MULTILINE)
        if found:
            return found[1]
    raise LabError("no Debian mirror is configured on this machine")


def ensure(places: Places, suite: str) -> Path:
    """Build the base of a suite if it is not there yet (some minutes)."""
    base = places.base(suite)
    if not (base / ".ready").exists():
        if not (base / ".packages-ready").exists():
            _install(base, suite)
        _prepare(base)
        (base / ".ready").touch()
    return base


def _install(base: Path, suite: str) -> None:
    shutil.rmtree(base, ignore_errors=True)
    base.parent.mkdir(parents=True, exist_ok=True)
    first = "systemd,systemd-sysv,dbus,ca-certificates"
    run(["debootstrap", "--variant=minbase", f"--include={first}", suite, str(base), mirror()], timeout=1800)
    policy = base / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    shutil.copy("/etc/resolv.conf", base / "etc/resolv.conf")
    run(["mount", "-t", "proc", "proc", str(base / "proc")])
    try:
        apt = ["chroot", str(base), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        run([*apt, "update"])
        run([*apt, "install", "--no-install-recommends", "-y", *PACKAGES], timeout=1800)
        run([*apt, "clean"])
    finally:
        run(["umount", str(base / "proc")])
    (base / ".packages-ready").touch()


def _prepare(base: Path) -> None:
    """Make the installed system fit for nodes without hardware that trust each other."""
    units = base / "etc/systemd/system"
    for name in MASKED:
        _link(units / name, "/dev/null")
    for name in ("corosync.service.requires", "pacemaker.service.requires"):
        shutil.rmtree(units / name, ignore_errors=True)
    for link in units.glob("*.wants/*"):
        if link.name.removesuffix(".service") in ENABLED_LATER:
            link.unlink()
    (base / "etc/machine-id").write_text("")
    shutil.rmtree(base / "var/log/journal", ignore_errors=True)
    for path in (base / "var/log").rglob("*"):
        if path.is_file():
            path.unlink()
    (base / "var/log/journal").mkdir()
    run(["chroot", str(base), "chpasswd"], stdin="hacluster:hacluster\n")
    _trust(base)
    agent = base / "usr/sbin/fence_rack"
    agent.write_text((Path(__file__).parent / "files/fence_rack").read_text())
    agent.chmod(0o755)
    resource = base / "usr/lib/ocf/resource.d/acme/app"
    resource.parent.mkdir(exist_ok=True)
    resource.write_text((Path(__file__).parent / "files/app").read_text())
    resource.chmod(0o755)


def _trust(base: Path) -> None:
    ssh = base / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    if not (ssh / "id_ed25519").exists():
        run(["chroot", str(base), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519"])
    shutil.copy(ssh / "id_ed25519.pub", ssh / "authorized_keys")
    (ssh / "config").write_text("StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n")


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)
