"""Snapshots of what a cluster stands on: keys, multipath, LVM, booth, firewalls, watchdogs, rotation of logs."""

from __future__ import annotations

import pytest

from tests.unit.snapshots.reading import Case, check, read

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

CASES = (
    Case(
        "keys",
        "commands/sha256sum_keys",
        f"{_DIGEST}  /etc/corosync/authkey\n",
        (("key.fingerprint", {"file": "/etc/corosync/authkey", "digest": _DIGEST[:16]}),),
    ),
    Case(
        "multipath",
        "sos_commands/multipath/multipathd_show_config",
        """
        defaults {
                polling_interval 5
                max_polling_interval 40
        }
        blacklist {
                devnode "^loop"
        }
        devices {
                device {
                        no_path_retry "queue"
                }
        }
        """,
        (
            ("derived", {"name": "multipath_max_polling_s", "value": 40}),
            ("multipath.option", {"section": "devices", "name": "no_path_retry", "value": "queue"}),
        ),
    ),
    Case(
        "multipath",
        "etc/multipath.conf",
        """
        # nothing but a default
        defaults {
            polling_interval 10
        }
        """,
        (("derived", {"name": "multipath_max_polling_s", "value": 40}),),
    ),
    Case(
        "lvm.conf",
        "etc/lvm/lvm.conf",
        """
        global {
            # system_id_source = "none"
            system_id_source = "uname"
        }
        """,
        (
            ("lvm.option", {"name": "system_id_source", "value": "uname"}),
            ("lvm.option", {"name": "use_lvmlockd", "value": "0"}),
        ),
    ),
    Case(
        "booth",
        "etc/booth/booth.conf",
        """
        transport = UDP
        site="192.0.2.10"
        site="198.51.100.10"
        ticket="ticket-sap"
            expire = 60
            timeout = 10
        """,
        (
            ("booth.member", {"role": "site", "address": "192.0.2.10"}),
            ("booth.option", {"ticket": "ticket-sap", "name": "expire", "value": "60"}),
            ("derived", {"name": "booth_members_even", "value": True}),
            ("derived", {"name": "booth_retry_s", "ticket": "ticket-sap", "value": 110, "renewal_s": 30}),
        ),
    ),
    Case(
        "firewalld",
        "sos_commands/firewalld/firewall-cmd_--list-all-zones",
        """
        block
          target: %%REJECT%%
          services:
          ports:

        public (active)
          target: default
          interfaces: eth0
          services: ssh high-availability
          ports:
        """,
        (
            ("firewall.zone", {"zone": "public", "services": ("ssh", "high-availability")}),
            ("derived", {"name": "firewall_allows_corosync", "value": True}),
        ),
    ),
    Case(
        "firewalld",
        "commands/firewall-cmd_--list-all-zones",
        """
        public (default, active)
          target: default
          services: cockpit dhcpv6-client ssh
          ports: 5400-5404/udp 3121/tcp
        """,
        (
            ("derived", {"name": "firewall_allows_corosync", "value": False}),
            ("derived", {"name": "firewall_allows_remote", "value": True}),
        ),
    ),
    Case(
        "watchdog",
        "commands/watchdog",
        """
        /sys/class/watchdog/watchdog0/identity: iTCO_wdt
        /sys/class/watchdog/watchdog0/timeout: 30
        """,
        (
            ("watchdog", {"device": "/dev/watchdog0", "identity": "iTCO_wdt", "software": False}),
            ("watchdog.list", {"count": 1}),
        ),
    ),
    Case(
        "watchdog",
        "sos_commands/pacemaker/pcs_stonith_sbd_watchdog_list",
        "No available watchdog\n",
        (("watchdog.list", {"count": 0}),),
    ),
    Case(
        "logrotate",
        "etc/logrotate.d/pacemaker",
        """
        /var/log/pacemaker/*.log {
            rotate 99
        }
        """,
        (("logrotate.file", {"file": "pacemaker", "paths": ("/var/log/pacemaker/*.log",)}),),
    ),
    Case(
        "drbd.conf",
        "etc/drbd.d/r0.res",
        """
        resource r0 {
          on alpha { address 192.0.2.1:7789; }
          on beta { address 192.0.2.2:7789; }
          on gamma { address 192.0.2.3:7789; }
        }
        """,
        (("derived", {"name": "drbd_hosts", "resource": "r0", "value": 3}),),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parser} {case.path}")
def test_facts(case: Case) -> None:
    """The parser takes the file and gives the facts."""
    check(case)


_INPUT = "type filter hook input priority filter; policy {};"
_RULES = {
    "a port of corosync is open": (
        True,
        f"table inet filter {{\n chain input {{\n  {_INPUT.format('drop')}\n  udp dport 5404-5412 accept\n }}\n}}\n",
    ),
    "all is dropped but ssh": (
        False,
        (
            f"table inet filter {{\n chain input {{\n  {_INPUT.format('drop')}\n  ct state established,related accept\n"
            '  iif "lo" accept\n  tcp dport 22 accept\n }\n}\n'
        ),
    ),
    "a subnet may come in": (
        None,
        f"table inet filter {{\n chain input {{\n  {_INPUT.format('drop')}\n  ip saddr 192.0.2.0/24 accept\n }}\n}}\n",
    ),
    "nothing is refused": (True, f"table ip filter {{\n chain INPUT {{\n  {_INPUT.format('accept')}\n }}\n}}\n"),
    "forwarding is refused, not what comes in": (
        True,
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -j REJECT\nCOMMIT\n",
    ),
    "what is left over is rejected": (
        False,
        (
            "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
            "-A INPUT -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n"
        ),
    ),
    "several ports in one rule": (
        True,
        (
            "Chain INPUT (policy DROP 0 packets, 0 bytes)\n pkts bytes target prot opt in out source destination\n"
            "    0     0 ACCEPT  udp  --  *  *  0.0.0.0/0  0.0.0.0/0  multiport dports 5404,5405\n"
        ),
    ),
}


@pytest.mark.parametrize("name", _RULES)
def test_rules_speak_only_without_doubt(name: str) -> None:
    """Rules that name the port decide; rules by address leave it open."""
    expected, text = _RULES[name]

    parser, facts = read("commands/nft_list_ruleset", text)

    answers = [fact.values["value"] for fact in facts if fact.values.get("name") == "firewall_allows_corosync"]
    assert parser == "firewall"
    assert answers == ([] if expected is None else [expected])


def test_firewalld_speaks_for_itself() -> None:
    """The rules that firewalld makes are not read: its zones say it better."""
    text = f"table inet firewalld {{\n chain filter_INPUT {{\n  {_INPUT.format('accept')}\n  reject\n }}\n}}\n"

    assert read("sos_commands/firewall_tables/nft_-a_list_ruleset", text) == ("firewall", [])
