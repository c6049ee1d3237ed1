"""Interval views of what each observer believed.

``build_views(timeline, facts)`` runs the trackers and returns ``Views``. A view has a table, an observer (the node whose
log says it), a span and values; opening, closing and further lines are event uids. A span that starts with None holds
since before the first evidence, one that ends with None until the logs end. Views of one observer are in the order of
its own lines; views of different observers are only compared through the error of their instants. Where no log tells a state,
a snapshot does, from its time (or the moment that it names) on: ``told_by`` is its statement.

Tables and their values:

* ``membership.ring``: ring_id, seq, members, left, joined, unclean (left without a leave message)
* ``membership.partition``: members; rings with equal members are one interval
* ``membership.split``, ``node.loss``: see ``hadiag.state.losses``
* ``node.state``: node, state, witness, unclean. ``lost`` only from corosync or the controller; what another daemon
  calls lost is ``process_lost``; witness ``cib`` is the word of a CIB or scheduler input, with its own states (online,
  offline, unclean, pending, standby, maintenance); witness ``schedulerd``
  is the word of a DC's plans (unclean, shutting_down)
* ``node.absent``: node, how (unclean, orderly, unknown), fenced
* ``quorum.view``: quorate, startup (not yet quorate since its corosync started)
* ``qdevice.view``: connected, reason
* ``link.state``: peer ("" for a ring of the redundant ring protocol), link, state (up, down), startup (down because
  corosync had only begun)
* ``dc.view``: dc ("" for none); ``controller.state``: state
* ``transition``: number, dc, file, kind (input, warn, error), result, aborts, input (path of the scheduler input in the
  bundle); from the calculation to the result, a moment where the plan was never run
* ``config.change``: section, object, name, change (added, changed, removed, moved), old, new, client, tool, user, node (where
  it was asked for), version, source (log, pe-input, cib)
* ``fencing.operation``: op_id, action, target, reason, client, requested_by, executed_by, devices, attempts, result
  (ok, failed, timeout, no_device, unknown), error, duration_s, manual, by (cluster, admin), origin_pending
* ``fencing.attempt``: op_id, action, target, device, agent, executed_by, result, error, text, duration_s, level (of the
  topology), delay_s (before it began), late_result (what came when the operation had been given up: ``result`` is timeout)
* ``fencing.device``: device, agent, result (ok, failed), op, reason
* ``rsc.operation``: resource, instance, op, interval_ms, node, rc, status (ok, failed, timeout, cancelled, pending,
  unknown), reason, exit_reason, probe, expected, fencing_device, ordered, call
* ``rsc.active``: resource, node, role (Started, Promoted, Unpromoted), clone, promotable, fencing_device, proof
  (start, promote, demote, migrate_from, monitor, probe, snapshot)
* ``rsc.outage``: resource, role, from_node, to_node, moved, planned, down_s
* ``rsc.failcount``: resource, node, count, op, rc; ``rsc.blocked``: resource, node, why
* ``rsc.ban``: resource, node, why (migration_threshold, hard_failure, fatal_failure), failures
* ``daemon.life``: daemon, node, pid, how (running, orderly, killed, crashed, disconnected, unknown), signal,
  respawned; ``daemon.end``: the same, as the moment at which a life ended that was not to end
* ``node.pause``: node, duration_s (corosync did not run)
* ``clock.step``: node, by_s (positive: forward), or_of (a node whose clock may have stepped instead, the other way), like_zone (by whole half hours, as a
  new zone would)
* ``node.boot``: node, how (orderly, fenced, crash, unknown, running); ``observer.silent``: node, how
* ``cluster.option``: name, value, source (event, cib, pe-input)
* ``node.standby``, ``node.maintenance``: node ("" for the whole cluster, a resource for its own mode), value
* ``admin.action``: what, tool, user, target, on (the target, or "the cluster"), planned_effects
* ``contradiction``: what (two_dcs, two_quorate, active_twice, found_active, alive_but_lost, fenced_but_logging), nodes,
  resource, overlap_s. ``found_active`` is a resource that a probe found where it should not run
"""

from hadiag.state.build import build_views, built_in
from hadiag.state.tracker import StateTracker, Views

__all__ = ["StateTracker", "Views", "build_views", "built_in"]
