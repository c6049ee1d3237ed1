"""Deliberate acts of people, from every log that shows one: shells, tools, the CIB, and the daemons' own words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hadiag.model.time import NS
from hadiag.state.commands import Command, parse_command
from hadiag.state.reading import at_of, base_name, daemon, flag, number, text
from hadiag.state.stream import placed
from hadiag.state.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hadiag.model.entity import Node
    from hadiag.model.event import Event
    from hadiag.model.time import Instant
    from hadiag.timeline import Timeline

COMMANDS = ("sudo.command", "crmsh.admin", "pcsd.running", "shell.command", "audit.command")
ABORTS = ("pcmk.transition.aborted", "pcmk.transition.aborted_old")
MODE_CHANGES = ("cib.node_mode", "cib.rsc_mode", "cib.option_change", "attrd.node_mode")
CLI_CONSTRAINT = "cib.cli_constraint"
CIB_CHANGE = "cib.change"
FENCE_CLIENTS = ("fence.client_wants", "fence.client_wants_old")
ACK = "fence.manual_ack"
CLEANUP = ("pcmk.rsc.cleanup", "pcmk.refresh_all")
STOPS = ("pcmk.signal", "systemd.job", "pacemakerd.stop")
REBOOTS = ("systemd.shutdown",)
PEER_STOPS = ("pcmk.shutdown.requested", "pcmk.sched.shutdown")
FENCE_WORDS = ("fence.request", "fence.peer_request", "fence.op_result", "sched.fence")
CIB_REQUEST = "cib.request"
STANDBY_LINE = "sched.maintenance"
TERMINATE = "attrd.terminate"
POWER_KEY = "systemd.power_key"
CONSUMES = frozenset(
    {*COMMANDS, *ABORTS, *MODE_CHANGES, CLI_CONSTRAINT, CIB_CHANGE, *FENCE_CLIENTS, ACK, *CLEANUP, *STOPS, *REBOOTS}
    | {CIB_REQUEST, STANDBY_LINE, TERMINATE, POWER_KEY, *PEER_STOPS}
)

EFFECTS: dict[str, tuple[str, ...]] = {
    "standby": ("resource_move", "resource_stop"),
    "unstandby": ("resource_move", "resource_start"),
    "maintenance": ("monitor_stop",),
    "unmaintenance": ("monitor_start", "resource_move"),
    "stop": ("membership_leave", "resource_move", "resource_stop"),
    "start": ("membership_join", "resource_move", "resource_start"),
    "move": ("resource_move",),
    "ban": ("resource_move", "resource_stop"),
    "clear": ("resource_move",),
    "cleanup": ("resource_probe", "resource_start"),
    "refresh": ("resource_probe", "resource_start"),
    "fence": ("membership_leave", "node_fenced", "resource_move", "resource_stop"),
    "ack": ("resource_move", "resource_start"),
    "config": ("resource_move", "resource_restart"),
    "enable": ("resource_start",),
    "disable": ("resource_stop",),
    "reboot": ("membership_leave", "resource_move", "resource_stop"),
}
"""What each kind of act does by itself, so that nobody takes its effects for a failure."""

_TOOLS_BY_HAND = (
    "cibadmin",
    "crm_resource",
    "crm_attribute",
    "crm_standby",
    "crm_node",
    "crm_simulate",
    "stonith_admin",
    "pcs",
)
_SAME = 30 * NS
_WRITE = 3 * NS
"""The write to the configuration and what it changes are logged this close together."""
_RECENT = 50
_SIGTERM = 15
_POWER_KEY_BEFORE = 120 * NS
_BY_ITSELF = ("last-lrm-refresh", "dc-version", "cluster-infrastructure", "cluster-name", "have-watchdog")
"""Options that the cluster and its tools set without anybody's decision."""
_NODE_MODES = ("standby", "maintenance")
_NODE_NVPAIR = re.compile(r"nodes-([\w.-]+?)(?:-standby|-maintenance|$|\s)")
_UNIT = re.compile(r"\b(pacemaker|corosync|sbd)\b", re.IGNORECASE)
_NODE_ID = re.compile(r"node\[@id='([^']+)'\]")
_RESOURCE_ID = re.compile(r"(?:primitive|group|clone|master|bundle|template)\[@id='([^']+)'\]")
_CLI = re.compile(r"cli-(ban|prefer|standby)-([\w.+-]+?)(?:-on-([\w.-]+))?$")


@dataclass(slots=True)
class Act:
    """One deliberate act, however many logs show it."""

    what: str
    tool: str
    target: str
    at: Instant
    observer: Node
    uid: str
    user: str | None = None
    evidence: list[str] = field(default_factory=list)


def acts(timeline: Timeline) -> tuple[Act, ...]:
    """All acts in order of time; several traces of one act are one."""
    found: list[Act] = []
    for act in sorted(_traces(timeline), key=lambda act: (act.at.ns, act.uid)):
        same = next((old for old in reversed(found[-_RECENT:]) if _same(old, act)), None)
        if same is None:
            found.append(act)
        else:
            _absorb(same, act)
    precise = Window([act for act in found if act.what != "config"], key=_moment)
    kept = [act for act in found if act.what != "config" or not _is_write(act, precise)]
    return tuple(kept)


def _moment(act: Act) -> int:
    return act.at.ns


def _is_write(config: Act, precise: Window[Act]) -> bool:
    """Whether a write to the configuration is the trace of an act that is known for what it is."""
    near = precise.between(config.at.ns - _WRITE, config.at.ns + _WRITE) if not config.target else ()
    if near:
        _absorb(near[0], config)
    return bool(near)


def _absorb(act: Act, trace: Act) -> None:
    """Take another trace of the same act; the name of a shell tells more than that of the tool that it calls."""
    act.evidence.append(trace.uid)
    act.user = act.user or trace.user
    act.target = act.target or trace.target
    if trace.tool and (not act.tool or trace.tool in ("pcs", "crm")):
        act.tool = trace.tool


def _same(old: Act, act: Act) -> bool:
    near = _WRITE if act.what == "config" else _SAME
    if abs(act.at.ns - old.at.ns) > near or old.what != act.what:
        return False
    return old.target == act.target or not old.target or not act.target


def _traces(timeline: Timeline) -> Iterator[Act]:
    for event in placed(timeline, *COMMANDS):
        yield from _command(timeline, event)
    for event in placed(timeline, *ABORTS):
        yield from _aborted(timeline, event)
    owners = _owners(timeline)
    for event in placed(timeline, *MODE_CHANGES, CLI_CONSTRAINT):
        command = cib_command(timeline, event)
        if command is not None and not command.target:
            ref = event.ref
            command = replace(command, target=owners.get((ref.bundle, ref.path, ref.line), ""))
        if command is not None:
            yield _act(event, command)
    for event in placed(timeline, *FENCE_CLIENTS, ACK):
        yield from _fence(event)
    for event in placed(timeline, *CLEANUP):
        target = base_name(text(event, "rsc", "resource") or "")
        if event.type == "pcmk.refresh_all" or text(event, "user"):
            yield _act(event, Command("cleanup" if target else "refresh", "crm_resource", target))
    yield from _stops(timeline)
    yield from _peer_stops(timeline)
    yield from _reboots(timeline)
    yield from _requests(timeline)
    yield from _standby_lines(timeline)


def _owners(timeline: Timeline) -> dict[tuple[str, str, int], str]:
    """Resource or node that a continuation line belongs to, by its place: the line before names it."""
    found: dict[tuple[str, str, int], str] = {}
    for event in timeline.of(CIB_CHANGE):
        path, ref = text(event, "path") or "", event.ref
        resource = _RESOURCE_ID.findall(path)
        target = resource[-1] if resource else _node_in(timeline, path)
        if target:
            found[ref.bundle, ref.path, ref.line + 1] = target
    return found


def _act(event: Event, command: Command, user: str | None = None) -> Act:
    return Act(command.what, command.tool, command.target, at_of(event), event.observer, event.uid, user)


def _command(timeline: Timeline, event: Event) -> Iterator[Act]:
    line = text(event, "cmd", "command", "text") or ""
    command = parse_command(line)
    if command is None:
        return
    if command.target:
        node = timeline.node(command.target)
        command = Command(command.what, command.tool, str(node or base_name(command.target)))
    elif command.what in ("standby", "unstandby", "stop", "start", "reboot") and "--all" not in line:
        command = Command(command.what, command.tool, str(event.observer))
    yield _act(event, command, text(event, "user"))


def _aborted(timeline: Timeline, event: Event) -> Iterator[Act]:
    """Changes of the configuration, as the DC names them when it aborts a transition."""
    reason = (text(event, "reason") or "").lower()
    if reason.startswith(("configuration change", "non-status change")):
        command = _aborted_command(timeline, event)
        if command is not None:
            yield _act(event, command)


def _aborted_command(timeline: Timeline, event: Event) -> Command | None:
    name, value = text(event, "name") or "", text(event, "value")
    where = f"{text(event, 'path') or ''} {text(event, 'obj') or ''}".strip()
    deleted = text(event, "op") in ("delete", "deletion") or (value is None and "delet" in event.message.lower())
    name = name or next((known for known in (*_NODE_MODES, "maintenance-mode", "target-role") if known in where), "")
    cli = _CLI.search(where.rstrip("]'"))
    if cli is not None:
        return _cli_command(cli.group(1), cli.group(2), deleted=deleted)
    resource = _RESOURCE_ID.search(where)
    target = (
        resource.group(1)
        if resource is not None
        else re.sub(r"-(meta|instance)_attributes.*$", "", where.split()[-1:][0])
        if where
        else ""
    )
    if name in _NODE_MODES:
        target = _node_in(timeline, where)
    return _mode(name, value, target, deleted=deleted) or (None if name in _BY_ITSELF else Command("config", "", name))


def cib_command(timeline: Timeline, event: Event) -> Command | None:
    """What a change of the CIB, or of a node attribute, amounts to; None where it is none of the known modes."""
    deleted = (text(event, "change") or "") in ("deleted", "removed", "unset", "delete")
    if event.type == CLI_CONSTRAINT:
        return _cli_command(text(event, "kind") or "", text(event, "rsc") or "", deleted=deleted)
    target = text(event, "node", "rsc") or ""
    if event.type in ("cib.node_mode", "attrd.node_mode"):
        target = str(timeline.node(target) or target)
    value = text(event, "value", "new")
    return _mode(text(event, "name") or "", value, target, deleted=deleted or value is None)


def _cli_command(kind: str, resource: str, *, deleted: bool) -> Command:
    return Command("clear" if deleted else "ban" if kind == "ban" else "move", "", resource)


def _mode(name: str, value: str | None, target: str, *, deleted: bool) -> Command | None:
    """Modes of nodes, of resources and of the whole cluster."""
    on = False if deleted else flag(value)
    if name in _NODE_MODES:
        return Command(name if on else f"un{name}", "", target) if on is not None else None
    if name == "maintenance-mode":
        return Command("maintenance" if on else "unmaintenance", "", "") if on is not None else None
    if name == "is-managed":
        return Command("maintenance" if on is False and not deleted else "unmaintenance", "", target)
    if name == "target-role":
        stopped = (value or "").lower() == "stopped" and not deleted
        return Command("disable" if stopped else "enable", "", target)
    return None


def _node_in(timeline: Timeline, where: str) -> str:
    found = _NODE_ID.search(where) or _NODE_NVPAIR.search(where)
    identity = found.group(1) if found is not None else ""
    return str(timeline.node(identity) or identity)


def _fence(event: Event) -> Iterator[Act]:
    target = text(event, "target")
    if target is None:
        return
    if event.type == ACK:
        yield _act(event, Command("ack", "stonith_admin", target))
    elif (text(event, "client") or "").startswith("stonith_admin"):
        yield _act(event, Command("fence", "stonith_admin", target))


def _stops(timeline: Timeline) -> Iterator[Act]:
    """Orders to stop the cluster software of a node: systemd stopping the unit, or the launcher told to end."""
    for event in placed(timeline, *STOPS):
        if _pressed(timeline, event):
            continue
        if event.type == "systemd.job":
            unit = f"{text(event, 'unit') or ''} {text(event, 'desc') or ''}"
            action = (text(event, "action") or event.message.split(" ", 1)[0]).lower()
            if _UNIT.search(unit) and action.startswith("stopping"):
                yield _act(event, Command("stop", "systemctl", str(event.observer)))
        elif event.type == "pcmk.signal" and daemon(event.program) == "pacemakerd" and _term(event):
            yield _act(event, Command("stop", "", str(event.observer)))


def _peer_stops(timeline: Timeline) -> Iterator[Act]:
    """Shutdowns that a node asked the others for, where its own logs, which tell more, are missing.

    A node that a fence device switched off softly asks for its shutdown too; that was nobody's order.
    """
    provided = {str(node.name) for node in timeline.nodes if node.provided}
    fenced = Window(placed(timeline, *FENCE_WORDS), key=_event_ns)
    for event in placed(timeline, *PEER_STOPS):
        node = text(event, "node") or ""
        target = str(timeline.node(node) or node)
        at = at_of(event).ns
        if not target or target in provided:
            continue
        if not any(text(each, "target") == target for each in fenced.between(at - _POWER_KEY_BEFORE, at)):
            yield _act(event, Command("stop", "", target))


def _event_ns(event: Event) -> int:
    return at_of(event).ns


def _term(event: Event) -> bool:
    return "term" in (text(event, "signal") or "").lower() or number(event, "n") == _SIGTERM


def _pressed(timeline: Timeline, event: Event) -> bool:
    """A soft power-off that a fence device sends looks like a pressed power key: nobody's order at the keyboard."""
    return any(
        key.observer == event.observer and 0 <= at_of(event).ns - at_of(key).ns <= _POWER_KEY_BEFORE
        for key in placed(timeline, POWER_KEY)
    )


def _reboots(timeline: Timeline) -> Iterator[Act]:
    for event in placed(timeline, *REBOOTS):
        if not _pressed(timeline, event):
            said = f"{text(event, 'action') or ''} {event.message}".lower()
            yield _act(event, Command("reboot" if "reboot" in said else "stop", "", str(event.observer)))


def _requests(timeline: Timeline) -> Iterator[Act]:
    """Writes to the configuration by a tool that people use; where the change itself is known, it is the same act."""
    for event in placed(timeline, CIB_REQUEST):
        origin = (text(event, "origin", "client") or "").split("/")
        client = text(event, "client") or (origin[1] if len(origin) > 1 else origin[0])
        section = (text(event, "section") or "").strip("'\"")
        forwarded = (text(event, "result") or "").lower() not in ("", "ok")
        if client.startswith(_TOOLS_BY_HAND) and section != "status" and not forwarded:
            yield _act(event, Command("config", client.split(".")[0], ""))


def _standby_lines(timeline: Timeline) -> Iterator[Act]:
    """A node that the scheduler calls standby for the first time was put there; an order to fence it by attribute."""
    seen: set[str] = set()
    for event in placed(timeline, STANDBY_LINE):
        node, mode = text(event, "node"), text(event, "mode") or event.message
        if node is not None and "standby" in mode.lower() and node not in seen:
            seen.add(node)
            yield _act(event, Command("standby", "", node))
    for event in placed(timeline, TERMINATE):
        node = text(event, "node")
        if node is not None and (text(event, "new") or "") not in ("(unset)", "0", "false", ""):
            yield _act(event, Command("fence", "crm_attribute", node))
