"""Snapshots of hosts: boots, services, load, crashes, hardware, addresses, disks, clocks, packages."""

from __future__ import annotations

import pytest

from hadiag.model.time import from_iso
from tests.unit.snapshots.reading import Case, check, read

CASES = (
    Case(
        "boots",
        "sos_commands/systemd/journalctl_--list-boots",
        """
        -1 5d3c1f6e0b0f4a5f9c8f2f6f3f9a1b2c Sat 2026-11-21 09:00:00 UTC—Sun 2026-11-22 10:00:00 UTC
         0 c70c1f6e0b0f4a5f9c8f2f6f3f9a1b2d Sun 2026-11-22 10:39:57 UTC—Sun 2026-11-22 10:42:00 UTC
        """,
        (
            ("boot", {"index": -1, "end_ns": from_iso("2026-11-22T10:00:00Z")}),
            ("boot", {"index": 0, "start_ns": from_iso("2026-11-22T10:39:57Z"), "crashed": False}),
        ),
    ),
    Case(
        "boots",
        "sos_commands/systemd/journalctl_--list-boots",
        """
        IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY
         -1 5d3c1f6e0b0f4a5f9c8f2f6f3f9a1b2c Sat 2026-11-21 10:00:00 CET Sun 2026-11-22 11:00:00 CET
          0 c70c1f6e0b0f4a5f9c8f2f6f3f9a1b2d Sun 2026-11-22 11:39:57 CET Sun 2026-11-22 11:42:00 CET
        """,
        (("boot", {"index": 0, "start_ns": from_iso("2026-11-22T10:39:57Z")}),),
    ),
    Case(
        "boots",
        "sos_commands/login/last_-F_reboot",
        """
        reboot   system boot  5.14.0-427.el9.x Sun Nov 22 10:39:57 2026   still running
        reboot   system boot  5.14.0-427.el9.x Sun Nov 22 09:00:00 2026 - crash                     (01:39)
        reboot   system boot  5.14.0-427.el9.x Sat Nov 21 09:00:00 2026 - Sun Nov 22 08:59:00 2026 (23:59)

        wtmp begins Sat Nov 21 09:00:00 2026
        """,
        (
            ("boot", {"what": "reboot", "start": "Sun Nov 22 10:39:57 2026", "end": None, "crashed": False}),
            ("boot", {"start": "Sun Nov 22 09:00:00 2026", "crashed": True}),
            ("boot", {"start": "Sat Nov 21 09:00:00 2026", "end": "Sun Nov 22 08:59:00 2026"}),
        ),
    ),
    Case(
        "boots",
        "sos_commands/login/last_-F_shutdown",
        """
        shutdown system down  5.14.0-427.el9.x Sun Nov 22 10:38:00 2026 - Sun Nov 22 10:39:57 2026  (00:01)
        """,
        (("boot", {"what": "shutdown", "start": "Sun Nov 22 10:38:00 2026"}),),
    ),
    Case(
        "units",
        "sos_commands/systemd/systemctl_list-units_--failed",
        """
          UNIT                LOAD   ACTIVE SUB    DESCRIPTION
        ● my-odd-app.service  loaded failed failed An application that no cluster knows
        ● sbd.service         loaded failed failed Shared-storage based fencing daemon

        2 loaded units listed.
        """,
        (
            ("service", {"unit": "my-odd-app", "state": "failed"}),
            ("service", {"unit": "sbd", "state": "failed", "sub": "failed"}),
        ),
    ),
    Case(
        "unit-files",
        "sos_commands/systemd/systemctl_list-unit-files",
        """
        UNIT FILE                                  STATE           VENDOR PRESET
        corosync.service                           enabled         disabled
        cron.service                               enabled         enabled
        pacemaker.service                          disabled        disabled
        """,
        (
            ("service", {"unit": "corosync", "enabled": "enabled"}),
            ("service", {"unit": "pacemaker", "enabled": "disabled"}),
        ),
    ),
    Case(
        "unit-status",
        "sos_commands/systemd/systemctl_status_--all",
        """
        ● pacemaker.service - Pacemaker High Availability Cluster Manager
             Loaded: loaded (/usr/lib/systemd/system/pacemaker.service; enabled; preset: disabled)
             Active: active (running) since Sun 2026-11-22 10:39:57 UTC; 2min ago
           Main PID: 2161 (pacemakerd)
        * nginx.service - The nginx HTTP and reverse proxy server
             Loaded: loaded (/usr/lib/systemd/system/nginx.service; disabled; preset: disabled)
             Active: failed (Result: exit-code) since Sun 2026-11-22 10:40:02 UTC; 2min ago
        """,
        (
            (
                "service",
                {
                    "unit": "pacemaker",
                    "state": "active",
                    "enabled": "enabled",
                    "since_ns": from_iso("2026-11-22T10:39:57Z"),
                },
            ),
            ("service", {"unit": "nginx", "state": "failed", "enabled": "disabled"}),
        ),
    ),
    Case(
        "sar",
        "sos_commands/sar/sar22",
        """
        Linux 5.14.0-427.el9.x86_64 (node1) \t11/22/2026 \t_x86_64_\t(8 CPU)

        10:30:01 AM     CPU     %user     %nice   %system   %iowait    %steal     %idle
        10:40:01 AM     all      2.11      0.00      1.05      0.20      0.00     96.64
        10:50:01 AM     all      2.11      0.00      1.05     61.20      0.00     35.64
        Average:        all      2.11      0.00      1.05     30.70      0.00     66.14
        """,
        (("load.cpu", {"wall": "11/22/2026 10:50:01 AM", "iowait": 61.2, "idle": 35.64}),),
    ),
    Case(
        "sar",
        "var/log/sa/sar22",
        """
        Linux 6.4.0-150600.23-default (node1)   2026-11-22      _x86_64_        (4 CPU)

        00:00:01        CPU      %usr     %nice      %sys   %iowait    %steal      %irq     %soft    %guest    %gnice     %idle
        00:10:01        all     55,11      0,00     12,05      0,20     28,00      0,00      0,10      0,00      0,00      4,54
        """,
        (("load.cpu", {"steal": 28.0, "idle": 4.54, "wall": "2026-11-22 00:10:01"}),),
    ),
    Case(
        "crash",
        "var/crash/127.0.0.1-2026-11-22-10:09:41/vmcore-dmesg.txt",
        """
        [    0.000000] Linux version 5.14.0-427.el9.x86_64 (mockbuild@x86-05) #1 SMP PREEMPT_DYNAMIC
        [ 4711.123456] sysrq: Trigger a crash
        [ 4711.123457] Kernel panic - not syncing: sysrq triggered crash
        [ 4711.123458] CPU: 1 PID: 4242 Comm: bash Kdump: loaded Not tainted 5.14.0-427.el9.x86_64 #1
        """,
        (
            (
                "crash",
                {
                    "what": "Kernel panic - not syncing: sysrq triggered crash",
                    "panic": True,
                    "dump": "127.0.0.1-2026-11-22-10:09:41",
                },
            ),
        ),
    ),
    Case(
        "sel",
        "sos_commands/ipmitool/ipmitool_sel_list",
        """
           1 | 11/21/2026 | 09:00:00 | Event Logging Disabled #0x07 | Log area reset/cleared | Asserted
           2 | 11/22/2026 | 10:09:48 | Power Unit #0x01 | Power off/down | Asserted
           3 | 11/22/2026 | 10:09:58 | Watchdog2 #0x03 | Hard reset | Asserted
        """,
        (
            ("hardware.event", {"sensor": "Power Unit #0x01", "event": "Power off/down", "state": "Asserted"}),
            ("hardware.event", {"event": "Hard reset", "wall": "11/22/2026 10:09:58"}),
        ),
    ),
    Case(
        "sel",
        "ipmi-sel.txt",
        """
        ID  | Date        | Time     | Name             | Type                     | Event
        1   | Nov-22-2026 | 10:09:48 | Pwr Unit Status  | Power Unit               | Power Off/Power Down
        2   | Nov-22-2026 | 10:09:58 | Mem ECC          | Memory                   | Uncorrectable memory error
        """,
        (("hardware.event", {"sensor": "Pwr Unit Status", "wall": "Nov-22-2026 10:09:48"}),),
    ),
    Case(
        "bond",
        "proc/net/bonding/bond0",
        """
        Ethernet Channel Bonding Driver: v5.14.0-427.el9.x86_64

        Bonding Mode: fault-tolerance (active-backup)
        Primary Slave: None
        Currently Active Slave: eth1
        MII Status: up
        MII Polling Interval (ms): 100

        Slave Interface: eth0
        MII Status: down
        Speed: Unknown
        Link Failure Count: 3

        Slave Interface: eth1
        MII Status: up
        Speed: 10000 Mbps
        Link Failure Count: 0
        """,
        (
            ("bond.slave", {"bond": "bond0", "iface": "eth0", "state": "down", "failures": 3}),
            ("bond.slave", {"iface": "eth1", "state": "up", "mode": "fault-tolerance (active-backup)"}),
        ),
    ),
    Case(
        "ip.address",
        "sos_commands/networking/ip_-o_addr",
        """
        1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
        2: eth0    inet 10.23.0.13/24 brd 10.23.0.255 scope global eth0\\       valid_lft forever preferred_lft forever
        """,
        (("ip.address", {"iface": "eth0", "address": "10.23.0.13", "prefix": 24}),),
    ),
    Case(
        "ip.address",
        "sos_commands/networking/ip_-d_address",
        """
        1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
            link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
            inet 127.0.0.1/8 scope host lo
        2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9000 qdisc mq state UP group default qlen 1000
            link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
            inet 10.23.0.13/24 brd 10.23.0.255 scope global eth0
            inet 10.23.0.50/24 scope global secondary eth0
            inet6 fe80::5054:ff:fe12:3456/64 scope link
        """,
        (
            ("ip.address", {"iface": "eth0", "address": "10.23.0.13", "mtu": 9000, "secondary": False}),
            ("ip.address", {"address": "10.23.0.50", "secondary": True}),
        ),
    ),
    Case(
        "mounts",
        "proc/mounts",
        """
        /dev/sda1 / xfs rw,relatime 0 0
        /dev/drbd0 /srv/data ext4 ro,relatime,errors=remount-ro 0 0
        tmpfs /run tmpfs rw,nosuid 0 0
        """,
        (("mount", {"device": "/dev/drbd0", "mountpoint": "/srv/data", "read_only": True}),),
    ),
    Case(
        "disk.usage",
        "sos_commands/filesys/df_-al_-x_autofs",
        """
        Filesystem     1K-blocks      Used Available Use% Mounted on
        /dev/sda1       41922560  41922540        20 100% /
        /dev/sda2        1038336    309276    729060  30% /boot
        """,
        (("disk.usage", {"mountpoint": "/", "percent": 100, "kind": "space"}),),
    ),
    Case(
        "modules",
        "sos_commands/kernel/lsmod",
        """
        Module                  Size  Used by
        softdog                16384  2
        nf_tables             356352  0
        drbd                  770048  4 drbd_transport_tcp
        """,
        (("module", {"name": "softdog", "used": 2}), ("module", {"name": "drbd", "used": 4})),
    ),
    Case(
        "watchdog",
        "sos_commands/watchdog/wdctl_.dev.watchdog0",
        """
        Device:        /dev/watchdog0
        Identity:      Software Watchdog [version 0]
        Timeout:       60 seconds
        """,
        (("watchdog", {"device": "/dev/watchdog0", "software": True}),),
    ),
    Case(
        "timedatectl",
        "sos_commands/systemd/timedatectl",
        """
                       Local time: Sun 2026-11-22 15:54:57 +0545
                   Universal time: Sun 2026-11-22 10:09:57 UTC
                         RTC time: Sun 2026-11-22 10:09:57
                        Time zone: Asia/Kathmandu (+0545, +0545)
        System clock synchronized: no
                      NTP service: inactive
                  RTC in local TZ: no
        """,
        (
            ("host.zone", {"zone": "Asia/Kathmandu", "utc_offset_s": 20700}),
            ("host.clock", {"synchronised": False, "service": "inactive"}),
            ("host.time", {"utc_ns": from_iso("2026-11-22T10:09:57Z")}),
        ),
    ),
    Case(
        "chrony.tracking",
        "sos_commands/chrony/chronyc_tracking",
        """
        Reference ID    : C0000201 (ntp1.example.com)
        Stratum         : 3
        Ref time (UTC)  : Sun Nov 22 10:09:40 2026
        System time     : 0.000012345 seconds slow of NTP time
        Last offset     : -0.000001234 seconds
        Leap status     : Normal
        """,
        (("host.clock", {"source": "chrony", "synchronised": True, "stratum": 3, "offset_s": -0.000012345}),),
    ),
    Case(
        "time.sources",
        "sos_commands/chrony/chronyc_-n_sources",
        """
        MS Name/IP address         Stratum Poll Reach LastRx Last sample
        ===============================================================================
        ^* 192.0.2.1                     2   6   377    23    -12us[  -20us] +/-   10ms
        ^? 192.0.2.2                     0   8     0     -     +0ns[   +0ns] +/-    0ns
        """,
        (
            ("time.server", {"name": "192.0.2.1", "selected": True}),
            ("time.server", {"name": "192.0.2.2", "selected": False, "reach": "0"}),
            ("host.clock", {"source": "chrony", "synchronised": True, "servers": 2}),
        ),
    ),
    Case(
        "time.sources",
        "sos_commands/ntp/ntpq_-pn",
        """
             remote           refid      st t when poll reach   delay   offset  jitter
        ==============================================================================
        *192.0.2.1       198.51.100.1     2 u   33   64  377    0.210   47.012   0.018
        """,
        (("host.clock", {"source": "ntp", "synchronised": True, "offset_s": 0.047012, "stratum": 2}),),
    ),
    Case(
        "date",
        "sos_commands/date/date",
        """
        Sun Nov 22 11:09:57 CET 2026
        """,
        (("host.time", {"wall_ns": from_iso("2026-11-22T11:09:57")}),),
    ),
    Case(
        "date",
        "case/node1/time.txt",
        """
        Time: Sun Nov 22 11:09:57 2026
        ntpdc:
        """,
        (("host.time", {"wall_ns": from_iso("2026-11-22T11:09:57")}),),
    ),
    Case(
        "system",
        "sos_commands/kernel/uname_-a",
        """
        Linux node1.example.com 5.14.0-427.el9.x86_64 #1 SMP PREEMPT_DYNAMIC Wed Feb 28 2024 x86_64 x86_64 x86_64 GNU/Linux
        """,
        (("os", {"name": "kernel", "value": "5.14.0-427.el9.x86_64"}),),
    ),
    Case(
        "settings",
        "etc/systemd/journald.conf",
        """
        [Journal]
        #Storage=auto
        Storage=volatile
        RateLimitBurst=10
        """,
        (("setting", {"file": "journald.conf", "name": "Storage", "value": "volatile"}),),
    ),
    Case(
        "settings",
        "etc/hosts",
        """
        127.0.0.1 localhost
        10.23.0.13 node1.example.com node1
        """,
        (("host.entry", {"address": "10.23.0.13", "name": "node1"}),),
    ),
    Case(
        "packages",
        "installed-rpms",
        """
        corosync-3.1.7-1.el9.x86_64                                 Sun Nov  1 10:00:00 2026
        pacemaker-2.1.6-8.el9.x86_64                                Sun Nov  1 10:00:00 2026
        zlib-1.2.11-40.el9.x86_64                                   Sun Nov  1 10:00:00 2026
        """,
        (("package", {"name": "pacemaker", "version": "2.1.6-8.el9"}),),
    ),
    Case(
        "packages",
        "installed-debs",
        """
        Desired=Unknown/Install/Remove/Purge/Hold
        ||/ Name                 Version                   Architecture Description
        +++-====================-=========================-============-=================
        ii  corosync             3.1.7-1+deb12u1           amd64        cluster engine daemon
        ii  libqb100:amd64       2.0.6-2                   amd64        high performance library
        ii  pacemaker            2.1.5-1+deb12u1           amd64        cluster resource manager
        """,
        (("package", {"name": "corosync", "version": "3.1.7-1+deb12u1"}),),
    ),
    Case(
        "packages",
        'scc_a/rpm.txt#rpm -qa --queryformat "%-35{NAME} %-35{DISTRIBUTION} %{VERSION}-%{RELEASE}\\n" | sort -k 1,2 -t " " -i',
        """
        NAME                                DISTRIBUTION                        VERSION
        aaa_base                            SUSE Linux Enterprise 15            84.87+git20180409.04c9dae-150300.10.12.1
        corosync                            SUSE Linux Enterprise 15            2.4.6-150300.12.10.1
        libqb100                            (none)                              2.0.4+20211112.a2691b9-150400.4.3.1
        pacemaker                           SUSE Linux Enterprise 15            2.1.5+20221208.a3f44794f-150500.4.9
        """,
        (
            ("package", {"name": "corosync", "version": "2.4.6-150300.12.10.1", "origin": "list"}),
            ("package", {"name": "libqb100", "version": "2.0.4+20211112.a2691b9-150400.4.3.1"}),
            ("package", {"name": "pacemaker", "version": "2.1.5+20221208.a3f44794f-150500.4.9"}),
        ),
    ),
    Case(
        "sysinfo",
        "case/node1/sysinfo.txt",
        """
        Platform: Linux
        Kernel release: 6.1.0-18-amd64
        Architecture: x86_64
        Distribution: Description: Debian GNU/Linux 12 (bookworm)

        Pacemaker 2.1.5
        Pacemaker 2.1.5 (Build: a3f44794f94): agent-manpages cibsecrets corosync-ge-2
        Corosync Cluster Engine, version '3.1.7'
        """,
        (
            ("package", {"name": "pacemaker", "version": "2.1.5"}),
            ("os", {"name": "distribution", "value": "Debian GNU/Linux 12 (bookworm)"}),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.parser}: {case.path}" for case in CASES])
def test_facts(case: Case) -> None:
    """Realistic text gives the facts that stand in it."""
    check(case)


def test_quiet_intervals_of_sar_give_nothing() -> None:
    """Only intervals beyond the limits are facts; the average is none."""
    case = next(case for case in CASES if case.path == "sos_commands/sar/sar22")
    assert len(read(case.path, case.text)[1]) == 1


def test_a_dump_without_a_known_reason_is_told() -> None:
    """That kdump wrote something is a fact even where the last words are strange."""
    _, facts = read("var/crash/x-2026-11-22-10:09:41/vmcore-dmesg.txt", "[    0.000000] Linux version 5.14.0\n")
    assert [(fact.table, fact.values["panic"]) for fact in facts] == [("crash", None)]
