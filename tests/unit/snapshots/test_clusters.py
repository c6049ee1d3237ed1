"""Snapshots of the cluster itself: configuration, status, quorum, links, fencing, storage."""

from __future__ import annotations

import bz2
from pathlib import Path

import pytest

from hadiag.model.time import from_iso
from hadiag.sources import Inputs
from tests.unit.snapshots.reading import Case, check, read, read_quietly

CIB = """
<cib crm_feature_set="3.16.2" epoch="12" num_updates="34" admin_epoch="0" cib-last-written="Sun Nov 22 10:10:20 2026"
     update-origin="node1" update-client="cibadmin" update-user="root" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="o">
      <nvpair id="o-1" name="stonith-enabled" value="false"/>
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>
    <resources>
      <primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
        <instance_attributes id="vip-a"><nvpair id="vip-a-ip" name="ip" value="192.0.2.10"/></instance_attributes>
        <operations><op id="vip-m" name="monitor" interval="10s" timeout="20s"/></operations>
      </primitive>
    </resources>
    <constraints><rsc_location id="l" rsc="vip" node="node1" score="INFINITY"/></constraints>
  </configuration>
  <status>
    <node_state id="1" uname="node1" in_ccm="true" crmd="online" join="member" expected="member">
      <lrm id="1"><lrm_resources><lrm_resource id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
        <lrm_rsc_op id="vip_last_0" operation="start" call-id="22" rc-code="0" op-status="0" interval="0"
          last-rc-change="1795342234" exec-time="31" on_node="node1"
          transition-key="5:1:0:09a046c3-6337-4e9e-8d64-000000000000" transition-magic="0:0;5:1:0:09a046c3"/>
      </lrm_resource></lrm_resources></lrm>
    </node_state>
  </status>
</cib>
"""

CASES = (
    Case(
        "cib",
        "case/node1/cib.xml.live",
        CIB,
        (
            ("cib", {"epoch": 12, "have_quorum": True, "update_client": "cibadmin"}),
            ("cluster.option", {"name": "stonith-enabled", "value": "false"}),
            ("node", {"name": "node2", "nodeid": "2"}),
            ("resource", {"id": "vip", "type": "ocf:heartbeat:IPaddr2"}),
            ("resource.param", {"resource": "vip", "name": "ip", "value": "192.0.2.10"}),
            ("resource.op", {"resource": "vip", "op": "monitor", "interval_ms": 10_000, "timeout_ms": 20_000}),
            ("rsc.history", {"resource": "vip", "node": "node1", "rc": 0, "last_rc_change_ns": 1795342234 * 10**9}),
            ("constraint.location", {"id": "l"}),
        ),
    ),
    Case(
        "corosync.conf",
        "etc/corosync/corosync.conf",
        """
        totem {
            version: 2
            cluster_name: prod
            token: 3000
        }
        nodelist {
            node {
                ring0_addr: 10.23.0.13
                name: node1
                nodeid: 1
            }
        }
        quorum {
            provider: corosync_votequorum
            two_node: 1
        }
        """,
        (
            ("corosync.option", {"key": "totem.token", "value": "3000"}),
            ("corosync.option", {"key": "quorum.two_node", "value": "1"}),
            ("corosync.node", {"name": "node1", "address": "10.23.0.13", "link": 0}),
        ),
    ),
    Case(
        "cmap",
        "case/node1/corosync.dump",
        """
        nodelist.local_node_pos (u32) = 0
        nodelist.node.0.name (str) = node1
        nodelist.node.0.nodeid (u32) = 1
        runtime.config.totem.token (u32) = 3000
        runtime.votequorum.this_node_id (u32) = 1
        """,
        (("cmap", {"key": "runtime.config.totem.token", "value": "3000"}),),
    ),
    Case(
        "quorumtool",
        "sos_commands/corosync/corosync-quorumtool_-s",
        """
        Quorum information
        ------------------
        Date:             Sun Nov 22 10:10:20 2026
        Quorum provider:  corosync_votequorum
        Nodes:            1
        Node ID:          1
        Ring ID:          1.1a
        Quorate:          No

        Votequorum information
        ----------------------
        Expected votes:   2
        Highest expected: 2
        Total votes:      1
        Quorum:           2 Activity blocked
        Flags:            WaitForAll
        """,
        (("quorum.status", {"quorate": False, "expected_votes": 2, "total_votes": 1}),),
    ),
    Case(
        "cfgtool",
        "sos_commands/corosync/corosync-cfgtool_-s",
        """
        Local node ID 1, transport knet
        LINK ID 0 udp
        \taddr\t= 10.23.0.13
        \tstatus:
        \t\tnodeid:          1:\tlocalhost
        \t\tnodeid:          2:\tdisconnected
        """,
        (("link.status", {"link": 0, "address": "10.23.0.13"}),),
    ),
    Case(
        "crm_mon",
        "case/crm_mon.txt",
        """
        Cluster Summary:
          * Stack: corosync
          * Current DC: node1 (version 2.1.5-a3f44794f94) - partition WITHOUT quorum
          * 2 nodes configured
          * 1 resource instance configured

        Node List:
          * Node node2: UNCLEAN (offline)
          * Online: [ node1 ]

        Active Resources:
          * vip\t(ocf:heartbeat:IPaddr2):\t Started node1

        Failed Resource Actions:
          * vip_monitor_10000 on node1 'not running' (7): call=22, status='complete', exitreason='gone', last-rc-change='Sun Nov 22 10:10:20 2026', queued=0ms, exec=0ms
        """,
        (
            ("monitor.cluster", {"dc": "node1", "quorate": False}),
            ("monitor.node", {"node": "node2", "state": "unclean"}),
            ("monitor.node", {"node": "node1", "state": "online"}),
            ("monitor.resource", {"resource": "vip", "node": "node1"}),
            ("monitor.failure", {"resource": "vip", "node": "node1", "op": "monitor", "rc": 7}),
        ),
    ),
    Case(
        "crm_mon",
        "sos_commands/pacemaker/crm_mon_-1_-A_-n_-r_-t",
        """
        Stack: corosync
        Current DC: node1 (version 1.1.23-1.el7-9acf116022) - partition with quorum
        Last updated: Sun Nov 22 10:10:20 2026
        Last change: Sun Nov 22 10:09:20 2026 by root via cibadmin on node1

        2 nodes configured
        1 resource instance configured

        Online: [ node1 node2 ]

        Active resources:

         vip\t(ocf::heartbeat:IPaddr2):\tStarted node1
        """,
        (
            ("monitor.cluster", {"dc": "node1", "quorate": True}),
            ("monitor.resource", {"resource": "vip", "node": "node1"}),
        ),
    ),
    Case(
        "crm_mon.xml",
        "case/node1/crm_mon.xml",
        """
        <pacemaker-result api-version="2.25" request="crm_mon -1 --output-as=xml">
          <summary>
            <stack type="corosync"/>
            <current_dc present="true" version="2.1.5-a3f44794f94" name="node1" id="1" with_quorum="true"/>
          </summary>
          <nodes>
            <node name="node1" id="1" online="true" standby="true" maintenance="false" pending="false" unclean="false"/>
            <node name="node2" id="2" online="false" standby="false" maintenance="false" pending="false" unclean="true"/>
          </nodes>
          <resources>
            <resource id="vip" resource_agent="ocf:heartbeat:IPaddr2" role="Started" active="true" managed="true" failed="false">
              <node name="node1" id="1" cached="true"/>
            </resource>
          </resources>
        </pacemaker-result>
        """,
        (
            ("monitor.cluster", {"dc": "node1", "quorate": True}),
            ("monitor.node", {"node": "node2", "state": "unclean"}),
            ("monitor.resource", {"resource": "vip", "node": "node1"}),
        ),
    ),
    Case(
        "crm.configure",
        "case/node1/configure_show.txt",
        """
        node 1: node1
        node 2: node2
        primitive fence-node2 stonith:fence_ipmilan \\
            params pcmk_host_list=node2 ip=192.0.2.2 \\
            op monitor interval=60s
        primitive vip IPaddr2 \\
            params ip=192.0.2.10 \\
            op monitor interval=10s timeout=20s
        property cib-bootstrap-options: \\
            stonith-enabled=true
        """,
        (("cluster.option", {"name": "stonith-enabled", "value": "true"}),),
    ),
    Case(
        "pcs.config",
        "sos_commands/pacemaker/pcs_config",
        """
        Cluster Name: prod
        Corosync Nodes:
         node1 node2
        Pacemaker Nodes:
         node1 node2

        Resources:
          Resource: vip (class=ocf provider=heartbeat type=IPaddr2)
            Attributes: vip-instance_attributes
              ip=192.0.2.10
            Operations:
              monitor: vip-monitor-interval-10s
                interval=10s
                timeout=20s

        Cluster Properties:
         stonith-enabled: false
        """,
        (("cluster.option", {"name": "stonith-enabled", "value": "false"}),),
    ),
    Case(
        "quorumtool.members",
        "sos_commands/corosync/corosync-quorumtool_-l",
        """
        Membership information
        ----------------------
            Nodeid      Votes Name
                 1          1 node1 (local)
                 2          1 node2
        """,
        (),
    ),
    Case(
        "fencing.history",
        "sos_commands/pacemaker/pcs_stonith_history_show",
        """
        reboot of node2 successful: delegate=node1, client=pacemaker-controld.63, origin=node1, completed='2026-11-22 10:09:40 +01:00'
        reboot of node2 failed: delegate=, client=stonith_admin.811, origin=node1, last-failed='2026-11-22 10:07:01 +01:00'
        2 events found
        """,
        (
            (
                "fencing.history",
                {"result": "ok", "client": "pacemaker-controld", "completed_ns": from_iso("2026-11-22T09:09:40Z")},
            ),
            ("fencing.history", {"result": "failed", "client": "stonith_admin", "delegate": None}),
        ),
    ),
    Case(
        "fencing.history",
        "stonith_admin_--history",
        """
        node1 was able to reboot node node2 on behalf of crmd.2310 from node1 at Tue Mar 31 10:00:00 2020
        """,
        (("fencing.history", {"target": "node2", "result": "ok", "client": "crmd", "origin": "node1"}),),
    ),
    Case(
        "composite",
        "case/node1/sbd.txt",
        """
        #=====[ Command ]==========================#
        # . /etc/sysconfig/sbd;export SBD_DEVICE;sbd dump;sbd list
        ==Dumping header on disk /dev/disk/by-id/scsi-36001405
        Header version     : 2.1
        UUID               : 0f3c4f6e-0b0f-4a5f-9c8f-2f6f3f9a1b2c
        Number of slots    : 255
        Sector size        : 512
        Timeout (watchdog) : 5
        Timeout (allocate) : 2
        Timeout (loop)     : 1
        Timeout (msgwait)  : 10
        ==Header on disk /dev/disk/by-id/scsi-36001405 is dumped
        0\tnode1\tclear\t
        1\tnode2\treset\tnode1
        """,
        (
            ("sbd.device", {"device": "/dev/disk/by-id/scsi-36001405", "watchdog_s": 5, "msgwait_s": 10}),
            ("sbd.slot", {"node": "node2", "message": "reset", "by": "node1"}),
        ),
    ),
    Case(
        "sbd",
        "etc/sysconfig/sbd",
        """
        # comment
        SBD_DEVICE="/dev/sda;/dev/sdb"
        SBD_WATCHDOG_TIMEOUT=15
        """,
        (
            ("sbd.option", {"name": "SBD_WATCHDOG_TIMEOUT", "value": "15"}),
            ("derived", {"name": "sbd_devices", "value": 2}),
        ),
    ),
    Case(
        "drbd.status",
        "proc/drbd",
        """
        version: 8.4.11 (api:1/proto:86-101)
        GIT-hash: 66145a308421e9c124ec391a7848ac20203bb03c build by mockbuild@, 2020-04-05 02:58:18

         0: cs:StandAlone ro:Primary/Unknown ds:UpToDate/DUnknown   r-----
            ns:0 nr:0 dw:24 dr:1049 al:2 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:24
        """,
        (
            (
                "drbd.status",
                {"connection": "StandAlone", "role": "Primary", "disk": "UpToDate", "peer_disk": "DUnknown"},
            ),
        ),
    ),
    Case(
        "drbd.status",
        "sos_commands/drbd/drbdadm_status",
        """
        r0 role:Primary
          disk:UpToDate
          node2 connection:StandAlone
          node3 role:Secondary
            peer-disk:UpToDate
        """,
        (
            ("drbd.status", {"resource": "r0", "peer": "node2", "connection": "StandAlone"}),
            ("drbd.status", {"resource": "r0", "peer": "node3", "peer_disk": "UpToDate", "connection": "Connected"}),
        ),
    ),
    Case(
        "drbd.conf",
        "etc/drbd.d/r0.res",
        """
        resource "r0" {
          net { after-sb-0pri discard-zero-changes; }
          on node1 { device /dev/drbd0; }
        }
        """,
        (("drbd.option", {"resource": "r0", "name": "after-sb-0pri", "value": "discard-zero-changes"}),),
    ),
    Case("members", "case/members.txt", "node1 node2\n", (("partition", {"members": ("node1", "node2")}),)),
    Case(
        "crm_verify",
        "case/node1/crm_verify.txt",
        """
        (unpack_resources) \terror: Resource start-up disabled since no STONITH resources have been defined
        crm_verify: Errors found during check: config not valid
        """,
        (("config.problem", {"level": "error"}),),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.parser}: {case.path}" for case in CASES])
def test_facts(case: Case) -> None:
    """Realistic text gives the facts that stand in it."""
    check(case)


@pytest.mark.parametrize("name", ["pe-input-4.bz2", "pe-warn-0.bz2", "pe-error-12.bz2"])
def test_scheduler_inputs_are_read_in_memory(name: str, tmp_path: Path) -> None:
    """A compressed input of the scheduler is a CIB of its own, and tells when the scheduler ran."""
    folder = tmp_path / "node1" / "pengine"
    folder.mkdir(parents=True)
    text = CIB.replace("dc-uuid", 'execution-date="1795342239" dc-uuid').strip()
    (folder / name).write_bytes(bz2.compress(text.encode()))
    ((path, data),) = [(artifact.path, artifact.stream.read()) for artifact in Inputs([str(tmp_path)])]
    parser, facts = read(path, data)
    assert parser == "cib"
    rows = [fact.values for fact in facts if fact.table == "pe_input"]
    assert [row["execution_ns"] for row in rows] == [1795342239 * 10**9]
    assert [path.name for path in folder.iterdir()] == [name]


def test_entities_are_not_expanded() -> None:
    """An XML bomb gives no facts and takes no time."""
    bomb = "<!DOCTYPE cib [" + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "x" * 100}">' for n in range(12))
    text = (
        bomb
        + ']>\n<cib epoch="1" admin_epoch="0" num_updates="0"><configuration><nodes>&a11;</nodes></configuration></cib>'
    )
    parser, facts = read_quietly("case/node1/cib.xml", text)
    assert parser in {"cib", None}
    assert all(len(str(fact)) < 5000 for fact in facts)


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    """No file of the machine gets into the facts."""
    secret = tmp_path / "secret"
    secret.write_text("the-secret-word")
    text = (
        f'<!DOCTYPE cib [<!ENTITY s SYSTEM "file://{secret}">]>'
        '<cib epoch="1" admin_epoch="0" num_updates="0"><configuration><crm_config><cluster_property_set id="o">'
        '<nvpair id="o-1" name="x" value="y"/>&s;</cluster_property_set></crm_config></configuration></cib>'
    )
    _, facts = read_quietly("case/node1/cib.xml", text)
    assert "the-secret-word" not in str(facts)
