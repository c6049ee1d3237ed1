"""What is collected: one step after the other, each with its command, its time limit and its size limit.

A step runs on every node. Its command is plain POSIX sh, as ``--dry-run`` prints it; ``$SINCE`` and ``$UNTIL`` are the
window on the node's own clock, in s since the epoch, ``$MINUTES`` its age. A step of kind ``files`` prints paths, and
each of those files is taken.
"""

from __future__ import annotations

import re
import time
from enum import StrEnum

from hadiag.model.frozen import record

MB = 1 << 20
BEFORE_S = 3600
"""The journal and the logs begin this long before the window: what led to the incident."""


class Kind(StrEnum):
    """How the output of a step's command is meant."""

    COMMAND = "command"
    FILES = "files"
    VIA = "via"
    PART = "part"


class Scrub(StrEnum):
    """How secrets are looked for in what a step reads."""

    LINES = "lines"
    JOURNAL = "journal"
    XML = "xml"
    PE = "pe"


@record
class Step:
    """One step.

    ``needs`` are tools without which there is nothing to run. A ``main`` step is evidence that a verdict rests on; the
    result is partial where none of its ``group`` gave anything. ``rescue`` names a step that this one stands in for, if
    that was cut off.
    """

    id: str
    about: str
    command: str
    seconds: int = 30
    limit: int = 8 * MB
    kind: Kind = Kind.COMMAND
    scrub: Scrub = Scrub.LINES
    needs: str = ""
    group: str = ""
    rescue: str = ""
    name: str = ""

    @property
    def path(self) -> str:
        """Where the output stands in the directory of the node; named like in a sos report, so that readers know it."""
        return self.name or f"commands/{mangled(self.command.splitlines()[0])}"


def mangled(command: str) -> str:
    """Name of a command's output.

    >>> mangled("corosync-quorumtool -s")
    'corosync-quorumtool_-s'
    """
    text = command.split(" || ", maxsplit=1)[0].split(" 2>", maxsplit=1)[0].split(" | ", maxsplit=1)[0]
    return re.sub(r"[^\w.-]+", "_", text).strip("._-")[:120]


@record
class Window:
    """The window of the incident, in s since the epoch on the workstation's clock."""

    since: int
    until: int

    @property
    def first(self) -> int:
        """Where logs begin."""
        return self.since - BEFORE_S

    def shifted(self, by: float) -> Window:
        """The window on a clock that is ``by`` s ahead."""
        return Window(self.since + round(by), self.until + round(by))


def window(since: int, until: int | None) -> Window:
    """Make a window that ends now, if no end is given."""
    return Window(since, int(time.time()) if until is None else until)


_UNITS = "corosync pacemaker pacemaker_remote pcsd pcsd-ruby sbd corosync-qdevice corosync-qnetd booth@ dlm drbd chronyd systemd-timesyncd ntpd"
_JOURNAL = "journalctl --no-pager --quiet --all --since=@$SINCE --until=@$UNTIL -o json $FIELDS"
_LOGS = (
    "/var/log/pacemaker /var/log/cluster /var/log/corosync /var/log/pcsd /var/log/crmsh /var/log/sbd /var/log/booth "
    "/var/log/heartbeat"
)
_SYSTEM = "messages syslog kern.log daemon.log pacemaker.log corosync.log ha-log sbd.log ha-cluster-bootstrap.log cron"

_EVIDENCE = (
    Step("date", "wall clock and zone", "date; readlink /etc/localtime", 10, MB, name="commands/date"),
    Step("boots", "boots the journal knows", "journalctl --no-pager --list-boots", 30, MB, needs="journalctl"),
    Step("logs-cluster", "logs of the cluster's daemons, with rotated parts",
         f"for d in {_LOGS}; do [ -d $d ] && find $d -xdev -type f -mmin -$MINUTES; done\n"
         "for f in $(sed -n 's/^[[:space:]]*logfile:[[:space:]]*//p' /etc/corosync/corosync.conf) "
         "$(sed -n 's/^ *PCMK_logfile=\"*\\([^\"]*\\)\"*$/\\1/p' /etc/sysconfig/pacemaker /etc/default/pacemaker); do\n"
         "case $f in /var/log/pacemaker/*|/var/log/cluster/*|/var/log/corosync/*) ;; *) ls -1 $f* ;; esac; done",
         600, 128 * MB, Kind.FILES, group="logs"),
    Step("logs-system", "logs of the system, with rotated parts",
         f'for n in {_SYSTEM}; do find /var/log -xdev -maxdepth 1 -type f -name "$n*" -mmin -$MINUTES; done | sort -u',
         600, 128 * MB, Kind.FILES, group="logs"),
    Step("journal", "journal of all units, with microseconds, all boots of the window", _JOURNAL, 240, 400 * MB,
         scrub=Scrub.JOURNAL, needs="journalctl", group="logs", name="journal/journal.json"),
    Step("journal-cluster", "journal of the cluster's units, where the whole one was cut off",
         f"{_JOURNAL} $(for u in {_UNITS}; do printf ' -u %s*' $u; done) _TRANSPORT=kernel", 180, 200 * MB,
         scrub=Scrub.JOURNAL, needs="journalctl", rescue="journal", name="journal/cluster.json"),
    Step("journal-previous", "end of the previous boot, where it lies before the window",
         "journalctl --no-pager --quiet --all -b -1 --until=@$SINCE -n 20000 -o json $FIELDS", 60, 64 * MB,
         scrub=Scrub.JOURNAL, needs="journalctl", name="journal/previous-boot.json"),
    Step("cib", "CIB with status", "cibadmin -Q -l 2>/dev/null || cibadmin -Q", 30, 64 * MB, scrub=Scrub.XML,
         needs="cibadmin", group="cib", name="cib.xml"),
    Step("cib-disk", "CIB on disk", "ls /var/lib/pacemaker/cib/cib.xml /var/lib/heartbeat/crm/cib.xml", 30, 64 * MB,
         Kind.FILES, Scrub.XML, group="cib"),
    Step("corosync-conf", "configuration of corosync", "ls /etc/corosync/corosync.conf", 15, MB, Kind.FILES,
         group="corosync.conf"),
    Step("pe-inputs", "inputs of the scheduler in the window",
         "for d in /var/lib/pacemaker/pengine /var/lib/pengine /var/lib/heartbeat/pengine; do [ -d $d ] && "
         "find $d -xdev -type f -name 'pe-*.bz2' -mmin -$MINUTES ! -mmin -$AFTER; done | sort | tail -n 1500",
         240, 16 * MB, Kind.FILES, Scrub.PE, needs="bzip2"),
)  # fmt: skip

_CLUSTER = (
    Step("crm-mon", "state of the cluster", "crm_mon -1 -A -f -n -r -t", needs="crm_mon"),
    Step("crm-mon-xml", "state of the cluster as XML", "crm_mon -1 -r -f --output-as=xml 2>/dev/null || crm_mon -X",
         scrub=Scrub.XML, needs="crm_mon", name="commands/crm_mon_--output-as_xml"),
    Step("fence-history", "fencing history", "stonith_admin --history '*' --verbose", needs="stonith_admin"),
    Step("fence-devices", "registered fence devices", "stonith_admin -L", needs="stonith_admin"),
    Step("crm-verify", "errors in the configuration", "crm_verify -L -V", needs="crm_verify"),
    Step("simulate", "what the scheduler makes of the state now", "crm_simulate -s -L", 30, needs="crm_simulate"),
    Step("crm-node", "nodes as pacemaker knows them", "crm_node -l", needs="crm_node"),
    Step("members", "members of the partition", "crm_node -p", needs="crm_node"),
    Step("crmadmin", "DC and state of the controllers", "crmadmin -D", 20, needs="crmadmin"),
    Step("cmap", "run-time settings and state of corosync", "corosync-cmapctl", needs="corosync-cmapctl"),
    Step("cmap-stats", "statistics of corosync's links", "corosync-cmapctl -m stats", needs="corosync-cmapctl"),
    Step("quorum", "quorum", "corosync-quorumtool -s", needs="corosync-quorumtool"),
    Step("links", "links of corosync", "corosync-cfgtool -s", needs="corosync-cfgtool"),
    Step("links-nodes", "links by node", "corosync-cfgtool -n", needs="corosync-cfgtool"),
    Step("groups", "process groups of corosync", "corosync-cpgtool", needs="corosync-cpgtool"),
    Step("qdevice", "quorum device", "corosync-qdevice-tool -s -v", needs="corosync-qdevice-tool"),
    Step("qnetd", "quorum device server", "corosync-qnetd-tool -l -v", needs="corosync-qnetd-tool"),
    Step("pcs-status", "state as pcs shows it", "pcs status --full", 60, needs="pcs"),
    Step("pcs-config", "configuration as pcs shows it", "pcs config", 60, needs="pcs"),
    Step("crm-configure", "configuration as crmsh shows it", "crm configure show", 60, needs="crm"),
    Step("blackbox", "flight recorder of corosync", "corosync-blackbox", 30, 16 * MB, needs="corosync-blackbox"),
    Step("blackbox-pacemaker", "flight recorders of pacemaker",
         'for f in /var/lib/pacemaker/blackbox/*; do [ -f "$f" ] && echo "== $f" && qb-blackbox "$f"; done',
         30, 16 * MB, needs="qb-blackbox", name="commands/qb-blackbox"),
    Step("sbd", "sbd devices",
         "for d in $(sed -n 's/^SBD_DEVICE=//p' /etc/sysconfig/sbd /etc/default/sbd 2>/dev/null | tr -d \"\\\"'\" | tr ';' ' '); "
         "do sbd -d $d dump; sbd -d $d list; done", 30, needs="sbd", name="commands/sbd_dump_list"),
    Step("keys", "fingerprints of the keys, which tell whether nodes share them; never the keys",
         "for f in /etc/corosync/authkey /etc/pacemaker/authkey; do [ -r $f ] && sha256sum $f; done; true",
         10, MB, needs="sha256sum", name="commands/sha256sum_keys"),
    Step("booth", "tickets", "booth list", 20, needs="booth"),
    Step("drbd", "DRBD", "drbdadm status; cat /proc/drbd", 30, needs="drbdadm", name="commands/drbdadm_status"),
    Step("drbd-statistics", "DRBD in detail", "drbdsetup status --verbose --statistics", 30, needs="drbdsetup"),
    Step("dlm", "lock manager", "dlm_tool -n ls; dlm_tool status", 30, needs="dlm_tool", name="commands/dlm_tool_ls"),
    Step("state", "state directories of the cluster",
         "ls -laR /var/lib/pacemaker /var/lib/corosync /run/resource-agents /run/crm /run/heartbeat 2>/dev/null", 20,
         name="commands/ls_state"),
    Step("agent-traces", "traces of resource agents",
         "find /var/lib/heartbeat/trace_ra -xdev -type f -mmin -$MINUTES | tail -n 300", 60, 8 * MB, Kind.FILES),
    Step("config-files", "configuration files of the cluster and of the system",
         "ls -d /etc/sysconfig/pacemaker /etc/sysconfig/sbd /etc/sysconfig/corosync /etc/sysconfig/corosync-qdevice "
         "/etc/default/pacemaker /etc/default/sbd /etc/default/corosync /etc/default/corosync-qdevice /etc/drbd.conf "
         "/etc/drbd.d/*.res /etc/drbd.d/*.conf /etc/booth/*.conf /etc/crm/crm.conf /etc/chrony.conf /etc/chrony/chrony.conf "
         "/etc/ntp.conf /etc/systemd/timesyncd.conf /etc/hosts /etc/hostname /etc/os-release /etc/multipath.conf /etc/fstab "
         "/etc/systemd/journald.conf /etc/systemd/system.conf /etc/logrotate.d/* /etc/rsyslog.conf /etc/lvm/lvm.conf /etc/lvm/lvmlocal.conf",
         60, 4 * MB, Kind.FILES),
)  # fmt: skip

_SYSTEM_STATE = (
    Step("uname", "kernel", "uname -a", 10, MB),
    Step("uptime", "load and time since boot", "uptime", 10, MB),
    Step("timedatectl", "time synchronisation", "timedatectl", 20, MB, needs="timedatectl"),
    Step("chrony", "time synchronisation by chrony", "chronyc tracking", 20, MB, needs="chronyc"),
    Step("chrony-sources", "time servers of chrony", "chronyc -n sources", 20, MB, needs="chronyc"),
    Step("ntp", "time servers of ntp", "ntpq -pn", 20, MB, needs="ntpq"),
    Step("rpms", "packages", "rpm -qa", 60, needs="rpm", name="commands/rpm_-qa"),
    Step("debs", "packages", "dpkg -l", 60, needs="dpkg", name="commands/dpkg_-l"),
    Step("dmesg", "messages of the kernel", "dmesg", 30, 16 * MB, needs="dmesg"),
    Step("last", "boots and shutdowns", "last -x -F reboot shutdown", 20, MB, needs="last"),
    Step("units", "units and their state", "systemctl list-units --all --no-pager --no-legend", 30, needs="systemctl"),
    Step("unit-files", "what starts at boot", "systemctl list-unit-files --no-pager", 30, needs="systemctl"),
    Step("unit-status", "state of the cluster's units",
         "systemctl status --no-pager -n 0 corosync pacemaker pcsd sbd corosync-qdevice", 30, needs="systemctl"),
    Step("unit-limits", "limits of the cluster's daemons",
         'for p in $(pidof corosync pacemakerd sbd pcsd); do echo "== $p $(cat /proc/$p/comm)"; cat /proc/$p/limits /proc/$p/sched; done',
         20, MB, name="commands/limits"),
    Step("sysctl", "settings of the kernel", "sysctl kernel.panic kernel.watchdog_thresh kernel.softlockup_panic "
         "kernel.hung_task_timeout_secs vm.swappiness vm.overcommit_memory net.ipv4.conf.all.rp_filter net.core.rmem_max", 20, MB,
         needs="sysctl", name="commands/sysctl"),
    Step("modules", "modules of the kernel", "lsmod", 20, MB, needs="lsmod"),
    Step("watchdog", "watchdogs", "for f in /sys/class/watchdog/*/identity /sys/class/watchdog/*/timeout "
         '/sys/class/watchdog/*/state /sys/class/watchdog/*/nowayout; do [ -r $f ] && echo "$f: $(cat $f)"; done; true',
         10, MB, name="commands/watchdog"),
    Step("processes", "processes", "ps -eo pid,ppid,stat,etime,time,pcpu,pmem,rss,wchan:20,args | grep -v mode=lines | cut -c1-400", 20, needs="ps",
         name="commands/ps"),
    Step("top", "who uses the processors", "top -b -n 1", 20, MB, needs="top"),
    Step("pressure", "pressure and memory",
         "for f in /proc/loadavg /proc/meminfo /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory /proc/vmstat; "
         'do [ -r $f ] && echo "== $f" && cat $f; done; true', 10, MB, name="commands/proc_pressure"),
    Step("sar", "load of the day", "sar -q -u -r -d -n DEV,EDEV", 30, 16 * MB, needs="sar"),
    Step("cores", "core dumps", "coredumpctl --no-pager list", 20, MB, needs="coredumpctl"),
    Step("ip-addr", "addresses", "ip -o addr", 20, MB, needs="ip", name="commands/ip_-o_addr"),
    Step("ip-link", "network interfaces with their counters", "ip -s -d link", 20, MB, needs="ip"),
    Step("ip-route", "routes", "ip route show table all", 20, MB, needs="ip"),
    Step("ip-neigh", "neighbours", "ip neigh", 20, MB, needs="ip"),
    Step("sockets", "sockets", "ss -tuanp", 20, needs="ss"),
    Step("network-counters", "counters of the network stack", "nstat -az", 20, MB, needs="nstat"),
    Step("firewalld", "zones of firewalld", "firewall-cmd --list-all-zones", 20, needs="firewall-cmd"),
    Step("nft", "firewall", "nft list ruleset", 20, needs="nft"),
    Step("iptables", "firewall", "iptables-save", 20, needs="iptables-save"),
    Step("bonding", "bonds", "cat /proc/net/bonding/*", 10, MB, name="commands/proc_net_bonding"),
    Step("ethtool", "counters of the network interfaces",
         'for i in /sys/class/net/*; do i=${i##*/}; echo "== $i"; ethtool $i; ethtool -S $i; done', 30, 4 * MB,
         needs="ethtool", name="commands/ethtool"),
    Step("mounts", "mounted file systems", "cat /proc/mounts", 10, MB, name="commands/mounts"),
    Step("df", "free space", "df -P -l", 20, MB, needs="df"),
    Step("df-inodes", "free inodes", "df -P -l -i", 20, MB, needs="df"),
    Step("lsblk", "block devices", "lsblk", 20, MB, needs="lsblk"),
    Step("multipath-config", "settings of multipath in force", "multipathd show config", 30, 4 * MB, needs="multipathd"),
    Step("multipath", "paths", "multipath -ll", 30, 4 * MB, needs="multipath"),
    Step("lvs", "logical volumes", "lvs -a -o +devices", 30, 4 * MB, needs="lvs"),
    Step("vgs", "volume groups", "vgs -v", 30, 4 * MB, needs="vgs"),
    Step("iscsi", "iSCSI sessions", "iscsiadm -m session -P 3", 30, 4 * MB, needs="iscsiadm"),
)  # fmt: skip

_VIA = {
    # -S: this node only, -d: a directory instead of an archive. Both cut logs by the local time of the node.
    "crm_report": (
        Step("via-crm_report", "crm_report of the node",
             'crm_report -S -d -f "$(at $SINCE)" -t "$(at $UNTIL)" $1/report',
             600, 64 * MB, Kind.VIA, needs="crm_report", name="via/crm_report.out"),
        Step("via-crm_report-files", "files of that report", 'find "$VIA_ROOT" -type f', 600, 64 * MB, Kind.PART),
    ),
    "crm": (
        Step("via-crm", "crm report of the node",
             'crm report -S -d -f "$(at $SINCE)" -t "$(at $UNTIL)" $1/report',
             600, 64 * MB, Kind.VIA, needs="crm", name="via/crm.out"),
        Step("via-crm-files", "files of that report", 'find "$VIA_ROOT" -type f', 600, 64 * MB, Kind.PART),
    ),
    "sos": (
        # sos computes the window of its own crm_report with the month for the minutes, so the window is given.
        Step("via-sos", "sos report of the node",
             # A plug-in or an option that its version does not know ends it.
             "known=$(TMPDIR=$1 sos report --list-plugins 2>/dev/null); o=crm-from; p=\n"
             'case $known in *crm_from*) o=crm_from ;; esac\n'
             "for n in pacemaker corosync logs systemd networking sbd drbd chrony kernel process host; do\n"
             'if printf "%s\\n" "$known" | grep -q "^ *$n "; then p=$p,$n; fi; done\n'
             'TMPDIR=$1 sos report --batch --build --tmp-dir $1 -o "${p#,}" -k "pacemaker.$o=$(at $SINCE)"',
             900, 64 * MB, Kind.VIA, needs="sos", name="via/sos.out"),
        Step("via-sos-files", "files of that report", 'find "$VIA_ROOT" -type f', 900, 64 * MB, Kind.PART),
    ),
}  # fmt: skip
VIA = tuple(_VIA)
"""The nodes' own collectors that can be run as well."""


def steps(via: str = "") -> tuple[Step, ...]:
    """All steps in their order: what is likely to vanish first comes first."""
    return (*_EVIDENCE, *_CLUSTER, *_SYSTEM_STATE, *_VIA.get(via, ()))
