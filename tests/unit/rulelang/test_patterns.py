"""Patterns of real incidents, as rules: the language has to be able to say each of them, and to tell look-alikes apart."""

from pathlib import Path

import pytest

from tests.unit.rulelang.packs import load, rule, run

PARTITION = rule(
    """
    ring: {state: membership.partition, concurrent: {distinct: members, at_least: 2, excludes: members, for: 1s}}
    fenced: {state: fencing.operation, where: {result: ok, target: {in: $ring.observers}}, before: ring, within: 10m, count: 0}
    """,
    """
    finding: {subjects: {nodes: [$ring.observers]}, evidence: [ring]}
    tests:
      - name: both sides went on for a while
        events: |
          +200s n1 log.end
          +200s n2 log.end
          state membership.partition n1 +60s..+120s members=n1
          state membership.partition n2 +62s..+120s members=n2
        expect: [{subjects: {nodes: [n1, n2]}}]
      - name: a node that died has no ring of its own
        events: |
          +200s n1 log.end
          -1h n2 log.start
          +59s n2 log.end
          state membership.partition n1 +60s..+120s members=n1
          state membership.partition n2 +0s.. members=n1,n2
        expect: []
      - name: fencing came first, so this is its consequence
        events: |
          +200s n1 log.end
          +200s n2 log.end
          state fencing.operation n1 +10s..+20s target=n2 result=ok action=off
          state membership.partition n1 +60s..+120s members=n1
          state membership.partition n2 +62s..+120s members=n2
        expect: []
    """,
    name="p01.partition",
)

LOST = rule(
    """
    gone: {state: node.absent, where: {how: unclean}, nodes: '>=1'}
    fence: {state: fencing.operation, where: {target: $gone.node, result: ok}, before: gone, within: 5m, count: 0, nodes: all}
    silent: {state: observer.silent, where: {node: $gone.node}, near: gone, within: 30s, count: any}
    boot: {event: kernel.nic.down, where: {observer: $gone.node}, near: gone, within: 10s, count: any}
    """,
    """
    per: [gone.node]
    tests:
      - name: unclean leave seen by the members
        events: |
          members n1 n2 n3
          +300s n1 log.end
          +300s n3 log.end
          +300s n2 log.start
          state node.absent n1 +60s..+200s node=n2 how=unclean
          state node.absent n3 +60s..+200s node=n2 how=unclean
        expect: [{holds: unknown, unproven: [fence], subjects: {nodes: [n2]}}]
      - name: the lost node's own log is there too
        events: |
          members n1 n2
          +300s n1 log.end
          +300s n2 log.end
          state node.absent n1 +60s..+200s node=n2 how=unclean
        expect: [{holds: true}]
      - name: orderly
        events: |
          +300s n1 log.end
          state node.absent n1 +60s..+200s node=n2 how=orderly
        expect: []
    """,
    name="p02.node-lost",
)

STOP_THEN_FENCE = rule(
    """
    stop: {state: rsc.operation, where: {op: stop, status: [failed, timeout], fencing_device: [null, false]}}
    fence: {state: fencing.operation, where: {target: $stop.node, result: ok}, after: stop, within: 10m}
    links: {event: knet.link.down, where: {peer: $stop.node}, after: stop, within: 10m, count: any}
    lost: {state: node.absent, where: {node: $stop.node}, before: stop, within: 2m, count: 0}
    """,
    """
    per: [stop.resource, stop.node]
    tests:
      - name: stop failure, fencing, then dead links
        events: |
          +300s n1 log.end
          +70s n1 knet.link.down peer=n2 link=0
          state rsc.operation n1 +0s..+60s resource=db op=stop node=n2 status=timeout
          state fencing.operation n1 +62s..+69s target=n2 result=ok action=reboot
        expect: [{subjects: {nodes: [n2], resources: [db]}}]
      - name: the node was lost before
        events: |
          +300s n1 log.end
          state node.absent n1 +10s.. node=n2 how=unclean
          state rsc.operation n1 +0s..+60s resource=db op=stop node=n2 status=timeout
          state fencing.operation n1 +62s..+69s target=n2 result=ok action=reboot
        expect: []
      - name: another node was fenced
        events: |
          +300s n1 log.end
          state rsc.operation n1 +0s..+60s resource=db op=stop node=n2 status=timeout
          state fencing.operation n1 +62s..+69s target=n3 result=ok action=reboot
        expect: []
    """,
    name="p24.stop-failed",
)

MANY_TIMEOUTS = rule(
    "f: {state: rsc.operation, where: {op: monitor, status: timeout}, same: [node], within: 60s, distinct: {resource: '>=3'}}",
    """
    per: [f.node]
    tests:
      - name: three unrelated agents at once
        views: |
          rsc.operation n1 +0s..+20s resource=a node=n1 op=monitor status=timeout
          rsc.operation n1 +5s..+25s resource=b node=n1 op=monitor status=timeout
          rsc.operation n1 +9s..+29s resource=c node=n1 op=monitor status=timeout
        expect: [{title: "a, b and c timed out on n1", subjects: {nodes: [n1], resources: [a, b, c]}}]
      - name: one agent again and again
        views: |
          rsc.operation n1 +0s..+20s resource=a node=n1 op=monitor status=timeout
          rsc.operation n1 +25s..+45s resource=a node=n1 op=monitor status=timeout
          rsc.operation n1 +50s..+60s resource=a node=n1 op=monitor status=timeout
        expect: []
      - name: on different nodes
        views: |
          rsc.operation n1 +0s..+20s resource=a node=n1 op=monitor status=timeout
          rsc.operation n2 +5s..+25s resource=b node=n2 op=monitor status=timeout
          rsc.operation n3 +9s..+29s resource=c node=n3 op=monitor status=timeout
        expect: []
    """,
    name="p25.load",
    title="{f.resource} timed out on {f.node}",
)

LOCAL_NIC = rule(
    """
    down: {state: link.state, where: {state: down}, same: [link, observer], within: 5s, distinct: {peer: all}}
    nic: {event: kernel.nic.down, same: [observer], near: down, within: 10s, count: any}
    back: {state: link.state, where: {state: down, observer: {ne: $down.observer}, peer: {ne: $down.observer}, link: $down.link}, near: down, within: 10s, count: 0}
    """,
    """
    per: [down.observer, down.link]
    tests:
      - name: one node lost a link to all its peers
        events: |
          members n1 n2 n3
          +1s n1 kernel.nic.down iface=eth1
          +60s n1 log.end
          +60s n2 log.end
          +60s n3 log.end
          state link.state n1 +2s.. peer=n2 link=1 state=down
          state link.state n1 +2s.. peer=n3 link=1 state=down
          state link.state n2 +3s.. peer=n1 link=1 state=down
        expect: [{subjects: {nodes: [n1, n2, n3]}}]
      - name: the switch of that network
        events: |
          members n1 n2 n3
          +60s n1 log.end
          +60s n2 log.end
          state link.state n1 +2s.. peer=n2 link=1 state=down
          state link.state n1 +2s.. peer=n3 link=1 state=down
          state link.state n2 +3s.. peer=n3 link=1 state=down
        expect: []
    """,
    name="p04.local-link",
)

LOOP = rule(
    """
    one: {state: fencing.operation, where: {action: [off, reboot], result: ok}}
    two: {state: fencing.operation, where: {result: ok, target: $one.requested_by, requested_by: $one.target}, near: one, within: 60s}
    """,
    """
    per: [one.target, two.target]
    unordered: true
    tests:
      - name: both
        views: |
          fencing.operation n1 +0s..+4s action=reboot target=n2 requested_by=n1 result=ok
          fencing.operation n2 +1s..+5s action=reboot target=n1 requested_by=n2 result=ok
        expect: [{subjects: {nodes: [n2]}}]
    """,
    name="p18.race",
)

DEVICE_COVERS_NODE = rule(
    """
    node: {fact: node, where: {type: [null, member]}}
    device: {fact: fencing.device, where: {hosts: [null, {has: $node.name}]}, count: 0}
    enabled: {fact: cluster.option, where: {name: [stonith-enabled, fencing-enabled], value: false}, count: 0}
    """,
    """
    per: [node.name]
    finding: {subjects: {nodes: [$node.name]}}
    tests:
      - name: a device for one of two
        facts: |
          node name=n1 type=member
          node name=n2 type=member
          fencing.device id=f hosts=n1
        expect: [{title: "No device can fence n2", subjects: {nodes: [n2]}}]
      - name: a device that asks the agent
        facts: |
          node name=n1 type=member
          fencing.device id=f agent=fence_sbd
        expect: []
      - name: fencing is off
        facts: |
          node name=n1 type=member
          cluster.option name=stonith-enabled value=no
        expect: []
    """,
    name="p16.no-device-for-node",
    title="No device can fence {node.name}",
)

DIED_SERVICE = rule(
    """
    op: {state: rsc.operation, where: {op: monitor, rc: 7, interval_ms: {gt: 0}, probe: false, ordered: [null, false]}}
    oom: {event: c, where: {x: $op.resource}, same: [observer], before: op, within: 2m, count: any}
    seg: {event: b, where: {x: $op.resource}, same: [observer], before: op, within: 2m, count: any}
    admin: {state: admin.action, where: {what: [stop, disable, move], target: $op.resource}, before: op, within: 10m, count: 0}
    """,
    """
    per: [op.resource, op.node]
    one_of: [[oom, seg]]
    tests:
      - name: killed, then found not running
        events: |
          +0s n1 c x=db
          +300s n1 log.end
          state rsc.operation n1 +20s..+21s resource=db op=monitor rc=7 interval_ms=10000 node=n1 probe=false status=failed
        expect: [{}]
      - name: nothing tells why
        events: |
          +300s n1 log.end
          +0s n1 log.start
          state rsc.operation n1 +20s..+21s resource=db op=monitor rc=7 interval_ms=10000 node=n1 probe=false status=failed
        expect: []
      - name: the administrator moved it
        events: |
          +0s n1 c x=db
          +300s n1 log.end
          state admin.action n2 +5s..+5s what=move target=db
          state rsc.operation n1 +20s..+21s resource=db op=monitor rc=7 interval_ms=10000 node=n1 probe=false status=failed
        expect: []
    """,
    name="p26.died",
)

FLAPPING = rule(
    "m: {state: rsc.operation, where: {op: start, status: ok}, same: [resource], within: 1h, count: '>=4', distinct: {node: '>=2'}}",
    """
    per: [m.resource]
    tests:
      - name: to and fro
        views: |
          rsc.operation n1 +0s..+1s resource=db op=start status=ok node=n1
          rsc.operation n2 +600s..+601s resource=db op=start status=ok node=n2
          rsc.operation n1 +1200s..+1201s resource=db op=start status=ok node=n1
          rsc.operation n2 +1800s..+1801s resource=db op=start status=ok node=n2
        expect: [{count: 4, subjects: {nodes: [n1, n2], resources: [db]}}]
      - name: restarted on one node
        views: |
          rsc.operation n1 +0s..+1s resource=db op=start status=ok node=n1
          rsc.operation n1 +600s..+601s resource=db op=start status=ok node=n1
          rsc.operation n1 +1200s..+1201s resource=db op=start status=ok node=n1
          rsc.operation n1 +1800s..+1801s resource=db op=start status=ok node=n1
        expect: []
    """,
    name="p30.flapping",
)


@pytest.mark.parametrize(
    "text",
    [PARTITION, LOST, STOP_THEN_FENCE, MANY_TIMEOUTS, LOCAL_NIC, LOOP, DEVICE_COVERS_NODE, DIED_SERVICE, FLAPPING],
    ids=lambda text: str(text).split("id: ")[1].split("\n")[0],
)
def test_pattern(tmp_path: Path, text: str) -> None:
    """The rule finds its own situation and none of the look-alikes."""
    problems = [
        f"{result.case.test.name}: {problem}" for result in run(load(tmp_path, text)) for problem in result.problems
    ]
    assert problems == []
