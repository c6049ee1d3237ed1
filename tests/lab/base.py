"""Base systems: a Debian root file system for each version of the cluster software."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from tests.lab.commands import LabError, run
from tests.lab.places import MACHINE, Places

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

UNPACKED = ["pacemaker-remote"]
"""Packages that may not be installed beside the others, though their files do not meet."""
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
    "sbd_remote.service",
    "nginx.service",
    "corosync-notifyd.service",
    "openipmi.service",
    "fstrim.timer",
    "e2scrub_all.timer",
]
OWN = {
    "/usr/sbin/corosync": "corosync",
    "/usr/sbin/pacemakerd": "pacemaker",
    "/usr/sbin/crm_mon": "pacemaker-cli-utils",
    "/usr/sbin/crm": "crmsh",
    "/usr/lib/ocf/resource.d/heartbeat/Dummy": "resource-agents",
    "/usr/share/fence/fencing.py": "fence-agents",
    "/usr/sbin/sshd": "openssh-server",
    "/usr/bin/ssh": "openssh-client",
    "/usr/bin/dbus-daemon": "dbus",
    "/lib/systemd/systemd": "systemd",
    "/usr/sbin/nft": "nftables",
    "/usr/sbin/ip": "iproute2",
    "/usr/bin/ps": "procps",
    "/usr/bin/bzip2": "bzip2",
}
"""What nodes that run this machine's own packages need, and the package that has it."""
HIDDEN = [
    "etc/systemd/system",
    "etc/corosync",
    "etc/pacemaker",
    "etc/ssh",
    "root",
    "root/.ssh",
    "home",
    "var/log",
    "var/lib/pacemaker",
    "var/lib/corosync",
    "var/lib/systemd",
    "var/spool",
]
"""What of this machine no node shall see."""
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
    """Build the base of a suite if it is not there yet (some minutes; at once for this machine's own packages)."""
    base = places.base(suite)
    if suite == MACHINE:
        _check(places)
        if not (base / ".ready").exists():
            shutil.rmtree(base, ignore_errors=True)
            _cover(base)
            (base / ".ready").touch()
        return base
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
        for name in UNPACKED:
            # Keeps links to directories such as /lib, which ``dpkg -x`` would put a directory in the place of.
            files = f"dpkg-deb --fsys-tarfile {name}_*.deb | tar -x --keep-directory-symlink -C /"
            unpack = f"cd /tmp && apt-get -qq download {name} && {files} && rm {name}_*.deb"
            run(["chroot", str(base), "sh", "-c", unpack])
        run([*apt, "clean"])
    finally:
        run(["umount", str(base / "proc")])
    (base / ".packages-ready").touch()


def missing() -> list[str]:
    """Packages that this machine lacks for nodes that run its own ones."""
    return [name for path, name in OWN.items() if not Path(path).exists()]


def _check(places: Places) -> None:
    if names := missing():
        raise LabError(f"nodes of this machine's own packages need {', '.join(names)}")
    places.root.mkdir(parents=True, exist_ok=True)
    if places.root.stat().st_dev == Path("/").stat().st_dev:
        raise LabError(
            f"nodes of this machine's own packages need another file system at {places.root}: "
            f"mount -t tmpfs tmpfs {places.root}, or set HADIAG_LAB"
        )


def _cover(base: Path) -> None:
    """Make a layer that hides this machine's own configuration, keys and logs from the nodes.

    It has to lie on another file system than the machine's root: layers may not lie in each other.
    """
    for name in HIDDEN:
        path = base / name
        path.mkdir(parents=True)
        os.setxattr(path, "trusted.overlay.opaque", b"y")
    for name in ("var/log", "var/lib/pacemaker", "var/lib/corosync"):
        _same_directories(Path("/") / name, base / name)
    units = base / "etc/systemd/system"
    for name in MASKED:
        _link(units / name, "/dev/null")
    (base / "root").chmod(0o700)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(base / "root/.ssh/id_ed25519")])
    run(["ssh-keygen", "-A", "-f", str(base)])
    (base / "etc/ssh/sshd_config").write_text("UsePAM yes\nPermitRootLogin prohibit-password\n")
    _finish(base)


def _same_directories(there: Path, here: Path) -> None:
    """Make the directories that packages have made, without what is in them."""
    for path in (there, *(path for path in sorted(there.rglob("*")) if path.is_dir() and not path.is_symlink())):
        target = here / path.relative_to(there)
        target.mkdir(exist_ok=True)
        shutil.copystat(path, target)
        shutil.chown(target, path.stat().st_uid, path.stat().st_gid)


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
    run(["chroot", str(base), "chpasswd"], stdin="hacluster:hacluster\n")
    if not (base / "root/.ssh/id_ed25519").exists():
        (base / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        run(["chroot", str(base), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519"])
    _finish(base)


def _finish(base: Path) -> None:
    """Journals, mutual trust, and the lab's own agents."""
    (base / "var/log/journal").mkdir(exist_ok=True)
    _trust(base / "root/.ssh")
    agent = base / "usr/sbin/fence_rack"
    agent.parent.mkdir(parents=True, exist_ok=True)
    agent.write_text((Path(__file__).parent / "files/fence_rack").read_text())
    agent.chmod(0o755)
    resource = base / "usr/lib/ocf/resource.d/acme/app"
    resource.parent.mkdir(parents=True, exist_ok=True)
    resource.write_text((Path(__file__).parent / "files/app").read_text())
    resource.chmod(0o755)


def _trust(ssh: Path) -> None:
    shutil.copy(ssh / "id_ed25519.pub", ssh / "authorized_keys")
    (ssh / "config").write_text("StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n")


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)
