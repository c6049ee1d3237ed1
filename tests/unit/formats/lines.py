"""Lines of every format with what must be read from them."""

from __future__ import annotations

from typing import NamedTuple

from hadiag.model.entity import Level


class Case(NamedTuple):
    """A line, and the fields of its record (those not named are not checked)."""

    format: str
    line: str
    fields: dict[str, object]


PACEMAKER = (
    Case(
        "pcmk.file.2x",
        "Mar 22 10:34:56 15sp1-2 pacemakerd          [1739] (crm_log_init) \tinfo: Changed active directory to "
        "/var/lib/pacemaker/cores",
        {
            "host": "15sp1-2",
            "program": "pacemakerd",
            "pid": 1739,
            "level": Level.INFO,
            "function": "crm_log_init",
            "message": "Changed active directory to /var/lib/pacemaker/cores",
            "details": None,
        },
    ),
    Case(
        "pcmk.file.2x",
        "Sep 03 12:01:41.049 rhel9-ctslab-1 pacemaker-schedulerd[60447] (rsc_action_default@pcmk_output.c:1206)  "
        "info: Leave   Fencing\t(Started rhel9-ctslab-2)",
        {
            "host": "rhel9-ctslab-1",
            "program": "pacemaker-schedulerd",
            "function": "rsc_action_default",
            "message": "Leave   Fencing\t(Started rhel9-ctslab-2)",
        },
    ),
    Case(
        "pcmk.file.2x",
        "Dec 25 15:09:32 node-2 pacemaker-schedulerd[22191] (LogActions)      info: Leave   fence1-ipmilan    "
        "(Started node-2)",
        {"function": "LogActions", "message": "Leave   fence1-ipmilan    (Started node-2)"},
    ),
    Case(
        "pcmk.file.2x",
        "Nov 22 10:10:02.113 node1 pacemaker-controld  [91] (do_state_transition) \tnotice: State transition S_IDLE "
        "-> S_POLICY_ENGINE | input=I_PE_CALC cause=C_FSA_INTERNAL origin=abort_transition_graph",
        {
            "level": Level.NOTICE,
            "message": "State transition S_IDLE -> S_POLICY_ENGINE",
            "details": "input=I_PE_CALC cause=C_FSA_INTERNAL origin=abort_transition_graph",
        },
    ),
    Case(
        "pcmk.file.2x",
        "Nov 22 10:10:02.113 node1 pacemaker-execd     [88] (log_op_output) \tnotice: web_start_0[411] error output "
        "[ a | b ]",
        {"message": "web_start_0[411] error output [ a | b ]", "details": None},
    ),
    Case(
        "pcmk.file.11",
        "Feb 22 10:00:25 [81611] node1.trial.aa.com       crmd:   notice: do_state_transition:     State transition "
        "S_IDLE -> S_POLICY_ENGINE | input=I_PE_CALC cause=C_TIMER_POPPED origin=crm_timer_popped",
        {
            "host": "node1.trial.aa.com",
            "program": "crmd",
            "pid": 81611,
            "level": Level.NOTICE,
            "function": "do_state_transition",
            "message": "State transition S_IDLE -> S_POLICY_ENGINE",
            "details": "input=I_PE_CALC cause=C_TIMER_POPPED origin=crm_timer_popped",
        },
    ),
    Case(
        "pcmk.file.11",
        "Feb 22 10:00:25 [81610] node1.trial.aa.com    pengine:  warning: unpack_rsc_op_failure:   Processing failed "
        "op monitor for rsc1 on node2: unknown error (1)",
        {"program": "pengine", "level": Level.WARNING, "function": "unpack_rsc_op_failure"},
    ),
    Case(
        "pcmk.file.11",
        "Feb 22 10:00:25 [81610]     pengine:     info: main:\tStarting pengine",
        {"host": None, "program": "pengine", "function": "main", "message": "Starting pengine"},
    ),
    Case(
        "pcmk.file.11",
        "Feb 22 10:00:25 [81610] n1    pengine: ( allocate.c:1234  stages ) debug: stage6: Processing fencing",
        {"level": Level.DEBUG, "function": "stage6", "message": "Processing fencing"},
    ),
)

COROSYNC = (
    Case(
        "corosync.file",
        "Apr 08 10:54:49 [120159] rh81-s1 corosync notice  [TOTEM ] A new membership (1:16) was formed. Members left: 2",
        {
            "host": "rh81-s1",
            "program": "corosync",
            "pid": 120159,
            "level": Level.NOTICE,
            "subsystem": "TOTEM",
            "message": "A new membership (1:16) was formed. Members left: 2",
        },
    ),
    Case(
        "corosync.file",
        "Apr 08 10:54:49 [120159] rh81-s1 corosync warning [KNET  ] host: host: 2 has no active links",
        {"level": Level.WARNING, "subsystem": "KNET", "message": "host: host: 2 has no active links"},
    ),
    Case(
        "corosync.file",
        "May 07 13:33:20.123 [2161] node1 corosync notice  [TOTEM ] totemsrp.c:2123 A processor failed, forming new "
        "configuration.",
        {"message": "A processor failed, forming new configuration."},
    ),
    Case(
        "corosync.file",
        "May 07 13:33:20.123 [2161] node1 corosync notice  [TOTEM ] totemsrp.c:memb_state_gather_enter:2123 entering",
        {"function": "memb_state_gather_enter", "message": "entering"},
    ),
    Case(
        "corosync.file.nots",
        "[2161] node1 corosyncnotice  [MAIN  ] Completed service synchronization, ready to provide service.",
        {"time": None, "host": "node1", "level": Level.NOTICE, "subsystem": "MAIN"},
    ),
    Case(
        "corosync.file.14",
        "May 07 13:33:20 corosync [TOTEM ] A processor failed, forming new configuration.",
        {"host": None, "level": None, "subsystem": "TOTEM"},
    ),
    Case(
        "pcmk.plugin",
        "May 07 13:33:20 corosync [pcmk  ] info: update_member: Node 1084783116/sle11sp3-2 is now: member",
        {
            "level": Level.INFO,
            "function": "update_member",
            "subsystem": "pcmk",
            "message": "Node 1084783116/sle11sp3-2 is now: member",
        },
    ),
    Case(
        "corosync.stderr",
        "Oct 09 14:30:23 notice  [QUORUM] Using quorum provider corosync_votequorum",
        {"program": "corosync", "host": None, "level": Level.NOTICE, "subsystem": "QUORUM"},
    ),
    Case(
        "corosync.stderr",
        "Oct 09 14:30:23 warning [KNET  ] host: host: 31065 has no active links",
        {"level": Level.WARNING, "message": "host: host: 31065 has no active links"},
    ),
    Case(
        "qb.blackbox",
        "notice  May 07 13:33:20.123 memb_state_gather_enter(2123):2: A processor failed, forming new configuration.",
        {"level": Level.NOTICE, "function": "memb_state_gather_enter"},
    ),
    Case(
        "qdevice.fg",
        "Nov 11 20:39:45 debug   Initializing votequorum",
        {"host": None, "level": Level.DEBUG, "message": "Initializing votequorum"},
    ),
)

AGENTS = (
    Case(
        "ocf.halogfile.new",
        "May 07 13:33:20  IPaddr2(vip)[1234]:    INFO: Adding inet address 192.0.2.10/24",
        {"host": None, "program": "IPaddr2(vip)", "pid": 1234, "level": Level.INFO},
    ),
    Case(
        "ocf.halogfile.old",
        "IPaddr2(vip)[1234]:\t2014/05/07_13:33:20 INFO: Adding inet address 192.0.2.10/24",
        {"program": "IPaddr2(vip)", "message": "Adding inet address 192.0.2.10/24"},
    ),
    Case(
        "ocf.halogfile.old",
        'pgsqlms(pgsqld)[20543]:\tMay 07 13:33:20  INFO: Instance "pgsqld" started',
        {"program": "pgsqlms(pgsqld)", "pid": 20543, "message": 'Instance "pgsqld" started'},
    ),
    Case(
        "fence.stderr",
        "2024-05-07 13:33:20,123 ERROR: Failed: Unable to obtain correct plug status or plug is not available",
        {"level": Level.ERROR, "message": "Failed: Unable to obtain correct plug status or plug is not available"},
    ),
)

PCS = (
    Case(
        "pcsd.09",
        "I, [2019-05-22T11:59:45.191718 #5477]  INFO -- : Return Value: 1",
        {"program": "pcsd", "pid": 5477, "level": Level.INFO, "message": "Return Value: 1"},
    ),
    Case(
        "pcsd.09",
        'D, [2019-05-22T11:59:45.191580 #5477] DEBUG -- : ["Error: Unable to read /etc/corosync/corosync.conf"]',
        {"level": Level.DEBUG},
    ),
    Case(
        "pcsd.010",
        "I, [2022-11-04T09:08:18.829 #00002]     INFO -- : Config files sync finished",
        {"program": "pcsd", "pid": None, "level": Level.INFO, "message": "Config files sync finished"},
    ),
    Case(
        "pcsd.010",
        "I, [2024-05-05T12:26:58.123 #00000]     INFO -- : 200 GET /remote/get_configs?cluster_name=c1 (192.0.2.1) "
        "12.34ms",
        {"message": "200 GET /remote/get_configs?cluster_name=c1 (192.0.2.1) 12.34ms"},
    ),
    Case(
        "pcsd.access.webrick",
        '::ffff:10.254.0.10 - - [22/May/2019:11:59:45 +0000] "POST /remote/auth HTTP/1.1" 200 36 0.4971',
        {"program": "pcsd", "message": '"POST /remote/auth HTTP/1.1" 200 36 0.4971'},
    ),
    Case(
        "pcsd.access.webrick",
        'node1.example.com - - [22/May/2019:11:59:44 UTC] "POST /remote/auth HTTP/1.1" 200 36',
        {"message": '"POST /remote/auth HTTP/1.1" 200 36'},
    ),
    Case(
        "crmsh.log",
        "Oct 12 09:15:02 alp-1 crmsh.bootstrap: INFO: Starting corosync.service on node alp-1",
        {"host": "alp-1", "program": "crmsh.bootstrap", "level": Level.INFO},
    ),
    Case(
        "crmsh.log",
        "2025-05-08T14:15:30+0200 alp-1 crmsh.log: DEBUG: invoke: /usr/sbin/crm configure show",
        {"level": Level.DEBUG, "message": "invoke: /usr/sbin/crm configure show"},
    ),
)

SYSLOG = (
    Case(
        "syslog.bsd",
        "Feb  7 14:57:43 mail4 corosync[10737]:   [TOTEM ] A new membership (4.b1) was formed. Members left: 3",
        {
            "host": "mail4",
            "program": "corosync",
            "pid": 10737,
            "level": None,
            "subsystem": "TOTEM",
            "message": "A new membership (4.b1) was formed. Members left: 3",
        },
    ),
    Case(
        "syslog.bsd",
        "Apr 17 10:03:40 master pengine[12480]:  warning: Forcing PGSQL-HA away from master after 1 failures (max=1)",
        {
            "program": "pengine",
            "level": Level.WARNING,
            "function": None,
            "message": "Forcing PGSQL-HA away from master after 1 failures (max=1)",
        },
    ),
    Case(
        "syslog.bsd",
        "May 07 13:33:20 node1 IPaddr2(vip)[1234]: INFO: Adding inet address",
        {"program": "IPaddr2(vip)", "pid": 1234, "level": Level.INFO, "message": "Adding inet address"},
    ),
    Case(
        "syslog.bsd",
        "May 07 13:33:20 node1 IPaddr2(vip:0)[1234]: ERROR: Device eth9 does not exist.",
        {"program": "IPaddr2(vip:0)", "level": Level.ERROR},
    ),
    Case(
        "syslog.bsd",
        "May 07 13:33:20 node1 IPaddr2[26520]: INFO: Running OK",
        {"program": "IPaddr2", "level": Level.INFO, "message": "Running OK"},
    ),
    Case(
        "syslog.bsd",
        "Feb 18 14:18:06 nodeC kernel: drbd u12215 nodeA: PingAck did not arrive in time.",
        {"program": "kernel", "pid": None, "message": "drbd u12215 nodeA: PingAck did not arrive in time."},
    ),
    Case(
        "syslog.bsd",
        "Apr 26 00:00:34 px2 kernel: [172678.053420] drbd vm-103-disk-1: role( Primary -> Secondary )",
        {"uptime_ns": 172678053420000, "message": "drbd vm-103-disk-1: role( Primary -> Secondary )"},
    ),
    Case(
        "syslog.bsd",
        "<29>May  7 13:33:20 node1 corosync[2161]:   [QUORUM] Members[1]: 1",
        {"level": Level.NOTICE, "subsystem": "QUORUM", "message": "Members[1]: 1"},
    ),
    Case(
        "syslog.bsd",
        "<30>May  7 13:33:20 node1 crmd[2161]:  warning: Input I_ELECTION_DC received",
        {"level": Level.WARNING},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 crmd[2702]:   notice: do_state_transition: State transition S_IDLE -> S_POLICY_ENGINE "
        "[ input=I_PE_CALC cause=C_TIMER_POPPED origin=crm_timer_popped ]",
        {
            "function": "do_state_transition",
            "message": "State transition S_IDLE -> S_POLICY_ENGINE [ input=I_PE_CALC cause=C_TIMER_POPPED "
            "origin=crm_timer_popped ]",
        },
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 stonith-ng[2702]:   notice: handle_request: Client crmd.2702.77ac0309 wants to fence "
        "(reboot) 'storage2' with device '(any)'",
        {"function": "handle_request"},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 pengine[2702]:   notice: LogActions: Start   vip\t(node1)",
        {"function": "LogActions", "message": "Start   vip\t(node1)"},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 lrmd[2702]:   notice: IPaddr2: something of an agent",
        {"function": None, "message": "IPaddr2: something of an agent"},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 sbd[1830]:       pcmk:   notice: servant_pcmk: Monitoring Pacemaker health",
        {
            "subsystem": "pcmk",
            "level": Level.NOTICE,
            "function": "servant_pcmk",
            "message": "Monitoring Pacemaker health",
        },
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 sbd[1830]: warning: inquisitor_child: Servant cluster is outdated (age: 4)",
        {"subsystem": None, "level": Level.WARNING, "message": "Servant cluster is outdated (age: 4)"},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 sbd[1830]:   /dev/sdb1:   notice: servant: Received command reset from 15sp1-2 on disk "
        "/dev/sdb1",
        {"subsystem": "/dev/sdb1", "message": "Received command reset from 15sp1-2 on disk /dev/sdb1"},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 boothd[77]: ticket-A (Lead/12/599): granted successfully here",
        {"message": "ticket-A (Lead/12/599): granted successfully here"},
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 dlm_controld[16]: 1471 fence request 2 pid 16223 nodedown time 1431900634 fence_all x",
        {"uptime_ns": 1471 * 10**9, "message": "fence request 2 pid 16223 nodedown time 1431900634 fence_all x"},
    ),
    Case(
        "syslog.bsd",
        "Mar 22 10:34:56 15sp1-2 pacemaker-fenced[8]: message repeated 2 times: [  notice: Watchdog will be used via "
        "SBD if fencing is required]",
        {
            "repeated": 2,
            "level": Level.NOTICE,
            "message": "Watchdog will be used via SBD if fencing is required",
        },
    ),
    Case(
        "syslog.bsd",
        "May  7 13:33:20 node1 SAPHanaTopology(rsc_SAPHanaTopol INFO: ACT: begin action monitor",
        {"program": "SAPHanaTopology(rsc_SAPHanaTopol", "level": Level.INFO, "message": "ACT: begin action monitor"},
    ),
    Case("syslog.bsd", "May  7 13:33:20 node1 -- MARK --", {"host": "node1", "program": None, "message": "-- MARK --"}),
    Case(
        "syslog.bsd",
        "May  7 13:33:21 collector May  7 13:33:20 node1 corosync[7]:   [TOTEM ] Retransmit List: 1a",
        {"host": "node1", "program": "corosync", "subsystem": "TOTEM"},
    ),
    Case(
        "syslog.iso",
        "2019-03-22T11:41:52.846465+08:00 15sp1-1 [RPM][3339]: Transaction ID 5c945980 started",
        {"program": "[RPM]", "pid": 3339, "message": "Transaction ID 5c945980 started"},
    ),
    Case(
        "syslog.iso",
        "2019-03-18T17:09:49.376212+08:00 15sp1-2 pacemaker-based[1863]:  notice: Disconnected from Corosync",
        {"program": "pacemaker-based", "level": Level.NOTICE, "message": "Disconnected from Corosync"},
    ),
    Case(
        "syslog.iso",
        "2019-03-22T10:34:32.552298+08:00 15sp1-2 kernel: [    0.000000] Linux version 4.12.14-110-default",
        {"uptime_ns": 0, "message": "Linux version 4.12.14-110-default"},
    ),
    Case(
        "syslog.iso",
        "2024-05-07T13:33:21+02:00 relay 2024-05-07T13:33:20.5+02:00 node1 corosync[7]:   [MAIN  ] exiting",
        {"host": "node1", "subsystem": "MAIN"},
    ),
    Case(
        "syslog.5424",
        "<29>1 2024-05-07T13:33:20.123456+02:00 node1 pacemaker-controld 2165 - -  notice: State transition S_IDLE -> "
        "S_POLICY_ENGINE",
        {"program": "pacemaker-controld", "pid": 2165, "level": Level.NOTICE},
    ),
    Case(
        "syslog.5424",
        '<28>1 2024-05-07T11:33:20Z node1 corosync - - [x@1 a="b\\]"][y] \ufeff  [TOTEM ] Token has not been received',
        {"pid": None, "level": Level.WARNING, "subsystem": "TOTEM", "message": "Token has not been received"},
    ),
    Case(
        "heartbeat.syslog",
        "May  9 12:10:40 gw2 heartbeat: [3684]: info: Received shutdown notice from 'gw1'.",
        {"program": "heartbeat", "pid": 3684, "level": Level.INFO, "message": "Received shutdown notice from 'gw1'."},
    ),
    Case(
        "heartbeat.syslog",
        "May  9 12:10:40 gw2 crmd: [3684]: WARN: do_log: FSA: Input I_PENDING",
        {"level": Level.WARNING, "function": "do_log", "message": "FSA: Input I_PENDING"},
    ),
    Case(
        "heartbeat.file",
        "heartbeat[3684]: 2010/05/09_12:10:40 info: Received shutdown notice from 'gw1'.",
        {"program": "heartbeat", "pid": 3684, "message": "Received shutdown notice from 'gw1'."},
    ),
    Case(
        "audit",
        'type=AVC msg=audit(1364481363.243:24287): avc:  denied  { read } for  pid=2341 comm="cluster_helper"',
        {"program": "audit", "message": 'type=AVC avc:  denied  { read } for  pid=2341 comm="cluster_helper"'},
    ),
    Case(
        "dlm.file",
        "May 07 13:33:20 1529 clvmd wait for fencing",
        {"program": "dlm_controld", "uptime_ns": 1529 * 10**9, "message": "clvmd wait for fencing"},
    ),
)

JOURNAL = (
    Case(
        "journal.short",
        "Mar 21 15:57:42 stor-node1.homelab.example.org pacemakerd[27805]:   notice: Additional logging available in "
        "/var/log/pacemaker.log",
        {"host": "stor-node1.homelab.example.org", "program": "pacemakerd", "level": Level.NOTICE},
    ),
    Case(
        "journal.iso",
        "2019-03-22T10:57:27+0800 15sp1-2 kernel: Linux version 4.12.14-110-default (geeko@buildhost)",
        {"program": "kernel", "message": "Linux version 4.12.14-110-default (geeko@buildhost)"},
    ),
    Case(
        "journal.iso",
        "2024-05-07T13:33:20.123456+02:00 node1 corosync[2161]:   [TOTEM ] Retransmit List: 1a 1b",
        {"subsystem": "TOTEM", "message": "Retransmit List: 1a 1b"},
    ),
    Case(
        "journal.full",
        "Thu 2019-03-21 14:02:46 CST stor-node1 systemd[1]: Started Pacemaker High Availability Cluster Manager.",
        {"host": "stor-node1", "program": "systemd", "pid": 1},
    ),
    Case(
        "journal.full",
        "Thu 2019-03-21 14:02:46 CST node1 corosync.service[8]:   [MAIN  ] exiting",
        {"program": "corosync", "subsystem": "MAIN"},
    ),
    Case(
        "journal.unix",
        "1715081600.123456 node1 corosync[2161]:   [MAIN  ] Completed service synchronization, ready to provide service.",
        {"program": "corosync", "subsystem": "MAIN"},
    ),
)

KERNEL = (
    Case(
        "dmesg.raw",
        "[57154.616958] drbd nfs dmg28dbn1: helper command: /sbin/drbdadm disconnected",
        {
            "time": None,
            "program": "kernel",
            "uptime_ns": 57154616958000,
            "message": "drbd nfs dmg28dbn1: helper command: /sbin/drbdadm disconnected",
        },
    ),
    Case("dmesg.raw", "<6>[    0.000000] Linux version 5.14.0", {"level": Level.INFO, "uptime_ns": 0}),
    Case("dmesg.raw", "[    2.100000][  T123] usb 1-1: new device", {"message": "usb 1-1: new device"}),
    Case(
        "dmesg.raw",
        "kern  :warn  : [    2.100000] block drbd0: Split-Brain detected but unresolved, dropping connection!",
        {"level": Level.WARNING},
    ),
    Case(
        "dmesg.T",
        "[Tue May  7 13:33:20 2024] drbd r0: PingAck did not arrive in time.",
        {"program": "kernel", "message": "drbd r0: PingAck did not arrive in time."},
    ),
    Case(
        "dmesg.iso",
        "2024-05-07T13:33:20,123456+02:00 drbd r0: PingAck did not arrive in time.",
        {"program": "kernel", "host": None, "message": "drbd r0: PingAck did not arrive in time."},
    ),
)

MONOTONIC = Case(
    "journal.monotonic",
    "[ 1415.227237] node1 kernel: drbd r0: role( Secondary -> Primary )",
    {"host": "node1", "program": "kernel", "time": None, "uptime_ns": 1415227237000},
)

PLAIN = (*PACEMAKER, *COROSYNC, *AGENTS, *PCS, *SYSLOG, *KERNEL)
