"""What the tables that steps look at hold: fields of the state tables and of the fact tables.

The loader checks the field names of rules against these tables. ``shown_by`` names event types: a log that would show one
of them would also have shown a row of the table, which is how an absence over states is proven.
"""

from __future__ import annotations

from collections.abc import Mapping

from hadiag.model.frozen import record

EVENT_FIELDS = ("observer", "subject", "level", "program", "pid", "layer", "message", "repeated", "type")
"""Fields that every event has besides those of its type."""

SPAN_FIELDS = (
    "start",
    "end",
    "duration",
    "duration_s",
    "count",
    "observer",
    "observers",
    "nodes",
    "overlap",
    "overlap_s",
)
"""Fields that every matched step has."""

AGGREGATES = frozenset(SPAN_FIELDS) - {"observer"}
"""Fields of what is bound together, not of its single rows."""

FACT_FIELDS = ("observer", "path", "as_of", "text")
"""Fields that every fact has besides those of its table; ``observer`` is the node whose files say it."""

FINDING_FIELDS = (
    "rule",
    "title",
    "severity",
    "role",
    "kind",
    "layer",
    "category",
    "confidence",
    "nodes",
    "node",
    "resources",
    "resource",
)
"""Fields that every finding has besides the names in ``per`` of its rule."""


LIST_FIELDS: Mapping[str, frozenset[str]] = {
    "membership.ring": frozenset({"members", "left", "joined", "unclean"}),
    "membership.partition": frozenset({"members"}),
    "membership.split": frozenset({"nodes", "sides", "isolated"}),
    "node.loss": frozenset({"witnesses", "mutual"}),
    "fencing.operation": frozenset({"devices"}),
    "fencing.device": frozenset({"hosts"}),
    "fencing.level": frozenset({"devices"}),
    "constraint.location": frozenset({"members"}),
    "constraint.order": frozenset({"members"}),
    "constraint.colocation": frozenset({"members"}),
    "quorum.status": frozenset({"flags"}),
    "partition": frozenset({"members"}),
    "mount": frozenset({"options"}),
    "derived": frozenset({"devices", "resources", "links", "ops"}),
    "admin.action": frozenset({"planned_effects"}),
    "contradiction": frozenset({"nodes"}),
}
"""Fields of state and fact tables that hold lists."""


@record
class StateTable:
    """A table of interval views.

    An *operation* is over when it has its result, so ``after: step`` means after its end; any other state begins, so
    ``after: step`` means after its start. ``nodes`` and ``resources`` name the fields that hold such names.
    """

    fields: tuple[str, ...]
    shown_by: tuple[str, ...]
    operation: bool = False
    nodes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


def _state(fields: str, shown_by: str, *, operation: bool = False, nodes: str = "", resources: str = "") -> StateTable:
    return StateTable(
        tuple(fields.split()), tuple(shown_by.split()), operation, tuple(nodes.split()), tuple(resources.split())
    )


STATE_TABLES: Mapping[str, StateTable] = {
    "membership.ring": _state(
        "ring_id seq members left joined unclean",
        "corosync.totem.new_membership corosync.quorum.members",
        nodes="observer",
    ),
    "membership.partition": _state(
        "members", "corosync.quorum.members corosync.totem.new_membership", nodes="observer"
    ),
    "node.state": _state("node state witness unclean", "pcmk.node.state corosync.quorum.members", nodes="node"),
    "node.absent": _state("node how fenced", "corosync.quorum.members corosync.totem.new_membership", nodes="node"),
    "quorum.view": _state("quorate startup", "corosync.quorum.nonprimary pcmk.quorum.lost", nodes="observer"),
    "qdevice.view": _state(
        "connected reason", "corosync.votequorum.qdevice_lost qdevice.disconnected", nodes="observer"
    ),
    "link.state": _state("peer link state startup", "knet.link.down corosync.rrp.faulty", nodes="observer peer"),
    "dc.view": _state("dc", "pcmk.dc.set", nodes="dc"),
    "controller.state": _state("state", "pcmk.fsa.transition", nodes="observer"),
    "fencing.operation": _state(
        "op_id action target reason client requested_by executed_by devices attempts result error duration_s manual by "
        "origin_pending",
        "fence.op_result fence.peer_terminated",
        operation=True,
        nodes="target",
    ),
    "fencing.attempt": _state(
        "op_id action target device agent executed_by result error text duration_s level delay_s late_result",
        "fence.device_result fence.device_result_new",
        operation=True,
        nodes="target",
    ),
    "fencing.device": _state(
        "device agent result op reason", "pcmk.op.result pcmk.op.result_new", nodes="observer", resources="device"
    ),
    "rsc.operation": _state(
        "resource instance op interval_ms node rc status reason exit_reason probe expected fencing_device ordered call",
        "pcmk.op.result pcmk.op.result_new",
        operation=True,
        nodes="node",
        resources="resource",
    ),
    "rsc.active": _state(
        "resource node role clone promotable fencing_device proof",
        "pcmk.op.result pcmk.op.result_new",
        nodes="node",
        resources="resource",
    ),
    "rsc.outage": _state(
        "resource role from_node to_node moved planned down_s",
        "pcmk.op.result pcmk.op.result_new",
        nodes="from_node",
        resources="resource",
    ),
    "rsc.failcount": _state("resource node count op rc", "pcmk.op.failcount", nodes="node", resources="resource"),
    "rsc.blocked": _state("resource node why", "sched.blocked", nodes="node", resources="resource"),
    "daemon.life": _state(
        "daemon node pid how signal respawned", "pacemakerd.child_signal pacemakerd.child_exit", nodes="node"
    ),
    "daemon.end": _state(
        "daemon node pid how signal respawned", "pacemakerd.child_signal pacemakerd.child_exit", nodes="node"
    ),
    "node.pause": _state("node duration_s", "corosync.main.not_scheduled", nodes="node"),
    "node.boot": _state("node how", "kernel.boot", nodes="node"),
    "clock.step": _state("node by_s or_of like_zone", "chrony.step", nodes="node"),
    "transition": _state(
        "number dc file kind result aborts input", "pcmk.transition.result", operation=True, nodes="dc"
    ),
    "cluster.option": _state("name value source", "cib.diff"),
    "node.standby": _state("node value", "cib.diff", nodes="node"),
    "node.maintenance": _state("node value", "cib.diff", nodes="node"),
    "config.change": _state(
        "section object name change old new client tool user node version source",
        "cib.change cib.option_change",
        nodes="node",
    ),
    "admin.action": _state("what tool user target on planned_effects", "cib.request sudo.command", nodes="observer"),
    "observer.silent": _state("node how", "kernel.boot", nodes="node"),
    "contradiction": _state("what nodes resource overlap_s", "", nodes="nodes", resources="resource"),
    "rsc.ban": _state("resource node why failures", "sched.threshold", nodes="node", resources="resource"),
    "node.loss": _state(
        "node witnesses how provided alive paused silent silent_from_s missed_s fenced_before fenced fence_reason "
        "links_down_here links_down_there only_corosync_silent corosync_gone mutual",
        "corosync.quorum.members corosync.totem.new_membership",
        nodes="node",
    ),
    "membership.split": _state(
        "nodes sides isolated links_down", "corosync.quorum.members corosync.totem.new_membership", nodes="nodes"
    ),
}
"""The tables of ``hadiag/state``."""


@record
class FactTable:
    """A table of facts. ``snapshot`` is the kind of snapshot that shows all its rows; None: no one file does."""

    fields: tuple[str, ...]
    snapshot: str | None = None
    open: bool = False
    """Further fields occur (parameters of agents, attributes of constraints)."""


def _fact(fields: str, snapshot: str | None = None, *, open_: bool = False) -> FactTable:
    return FactTable(tuple(fields.split()), snapshot, open_)


FACT_TABLES: Mapping[str, FactTable] = {
    "cib": _fact(
        "admin_epoch epoch num_updates last_written dc_uuid have_quorum update_origin update_client update_user "
        "feature_set live execution_ns",
        "cib",
    ),
    "configuration": _fact("tool complete"),
    "derived": _fact("name value", open_=True),
    "cib.state": _fact("origin file epoch update_origin update_client update_user last_written", open_=True),
    "cluster.option": _fact("name value", "cib"),
    "node": _fact("name nodeid type standby maintenance", "cib"),
    "node.address": _fact("name nodeid link address", open_=True),
    "node.status": _fact("node in_ccm crmd join expected", "cib"),
    "node.attribute": _fact("node name value transient", "cib"),
    "resource": _fact(
        "id type class provider agent parent clone promotable unique clone_max promoted_max fencing managed target_role "
        "maintenance",
        "cib",
        open_=True,
    ),
    "resource.collective": _fact("id", "cib", open_=True),
    "default": _fact("name value", "cib", open_=True),
    "resource.param": _fact("resource name value", "cib"),
    "resource.meta": _fact("resource name value", "cib"),
    "resource.op": _fact("resource op interval_ms timeout_ms on_fail role", "cib", open_=True),
    "constraint.location": _fact("id rsc node score role members", "cib", open_=True),
    "constraint.order": _fact("id first then kind first_action then_action members", "cib", open_=True),
    "constraint.colocation": _fact("id rsc with_rsc score with_rsc_role members", "cib", open_=True),
    "constraint.ticket": _fact("id", "cib", open_=True),
    "fencing.device": _fact("id agent hosts host_map delay_base delay_max timeout params", "cib", open_=True),
    "fencing.level": _fact("target level devices", "cib", open_=True),
    "rsc.history": _fact(
        "resource node op interval_ms rc op_status call last_rc_change_ns last_run_ns exit_reason exec_ms transition_key "
        "transition_magic last_failure queue_ms",
        "cib",
    ),
    "rsc.failcount": _fact("resource node count last_failure_ns", "cib", open_=True),
    "corosync.option": _fact("key value", "corosync.conf"),
    "corosync.node": _fact("name nodeid link address named", "corosync.conf"),
    "cmap": _fact("key value", "cmap"),
    "quorum.member": _fact("nodeid votes qdevice local name address", open_=True),
    "partition": _fact("members"),
    "quorum.status": _fact("quorate ring_id node_id expected_votes total_votes quorum flags", "quorum", open_=True),
    "link.status": _fact("node link address peer status", "link", open_=True),
    "monitor.node": _fact("node state", "crm_mon", open_=True),
    "monitor.resource": _fact("resource node role managed failed blocked", "crm_mon", open_=True),
    "monitor.failure": _fact("resource node op rc status exit_reason", "crm_mon", open_=True),
    "monitor.cluster": _fact("dc quorate stack version last_change", "crm_mon", open_=True),
    "package": _fact("name version", "packages", open_=True),
    "os": _fact("name value", "os", open_=True),
    "host.name": _fact("hostname", open_=True),
    "host.zone": _fact("zone utc_offset_s", open_=True),
    "host.clock": _fact("source synchronised offset_s stratum", "clock", open_=True),
    "host.time": _fact("utc_ns wall text", open_=True),
    "service": _fact("unit state enabled", "services", open_=True),
    "boot": _fact("index start_ns end_ns", "boots", open_=True),
    "host.utc": _fact("utc_ns"),
    "host.entry": _fact("address name", "hosts"),
    "time.server": _fact("name stratum reach selected"),
    "setting": _fact("file name value", "settings"),
    "setting.file": _fact("file", "settings"),
    "config.problem": _fact("level what"),
    "module": _fact("name used", "modules"),
    "watchdog": _fact("device identity software", "watchdog"),
    "watchdog.list": _fact("count", "watchdog"),
    "key.fingerprint": _fact("file digest", "keys"),
    "multipath.option": _fact("section name value"),
    "lvm.option": _fact("name value", "lvm.conf"),
    "booth.member": _fact("role address", "booth"),
    "booth.option": _fact("ticket name value", "booth"),
    "firewall.zone": _fact("zone target services ports", "firewall"),
    "firewall.policy": _fact("policy", "firewall"),
    "logrotate.file": _fact("file paths", "logrotate"),
    "bond.slave": _fact("bond mode iface state failures"),
    "crash": _fact("what dump panic"),
    "hardware.event": _fact("sensor event state wall"),
    "load.cpu": _fact("wall iowait steal idle"),
    "sbd.slot": _fact("device node message by"),
    "sbd.option": _fact("name value", "sbd", open_=True),
    "sbd.device": _fact("device watchdog_s msgwait_s allocate_s", "sbd.dump", open_=True),
    "pe_input": _fact("file kind execution_ns", open_=True),
    "fencing.history": _fact("target action result client origin completed_ns op_id", "fencing.history", open_=True),
    "mount": _fact("device mountpoint fstype options", "mounts", open_=True),
    "disk.usage": _fact("mountpoint percent", "disk", open_=True),
    "ip.address": _fact("iface address", "ip", open_=True),
    "drbd.status": _fact("resource role disk peer connection", "drbd", open_=True),
    "drbd.resource": _fact("resource", "drbd.conf"),
    "drbd.option": _fact("resource section name value", "drbd.conf"),
}
"""The tables of ``hadiag/snapshots``."""

SNAPSHOTS = tuple(sorted({table.snapshot for table in FACT_TABLES.values() if table.snapshot}))
"""Kinds of snapshots that ``requires`` may name."""


def tables_of(snapshot: str) -> tuple[str, ...]:
    """Fact tables of which any row proves that a snapshot of this kind was read."""
    return tuple(name for name, table in FACT_TABLES.items() if table.snapshot == snapshot)
