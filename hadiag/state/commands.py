"""Commands of administrators: what a ``pcs``, ``crm``, ``crm_*`` or ``systemctl`` command line does."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from hadiag.model.frozen import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HA_UNITS = frozenset({"pacemaker", "corosync", "sbd", "pacemaker_remote", "corosync-qdevice"})
_POWER = {"reboot": "reboot", "shutdown": "stop", "poweroff": "stop", "halt": "stop", "init": "stop"}
_RESOURCE_VERBS = {
    "disable": "disable",
    "stop": "disable",
    "enable": "enable",
    "start": "enable",
    "move": "move",
    "migrate": "move",
    "relocate": "move",
    "ban": "ban",
    "clear": "clear",
    "unmove": "clear",
    "unmigrate": "clear",
    "unban": "clear",
    "cleanup": "cleanup",
    "refresh": "refresh",
    "reprobe": "refresh",
    "restart": "disable",
    "unmanage": "maintenance",
    "manage": "unmaintenance",
    "maintenance": "maintenance",
    "promote": "move",
    "demote": "move",
}
_NODE_VERBS = {
    "standby": "standby",
    "unstandby": "unstandby",
    "online": "unstandby",
    "maintenance": "maintenance",
    "unmaintenance": "unmaintenance",
    "ready": "unmaintenance",
    "fence": "fence",
    "delete": "config",
    "remove": "config",
}
_CLUSTER_VERBS = {"stop": "stop", "start": "start", "kill": "stop", "restart": "stop", "standby": "standby"}
_READ_ONLY = frozenset(
    {
        "show",
        "status",
        "config",
        "list",
        "help",
        "ls",
        "get",
        "history",
        "monitor",
        "verify",
        "report",
        "describe",
        "save",
    }
)
_PROMPT = re.compile(r"^crm\([^)]*\)#\s*")


@record
class Command:
    """A deliberate act; ``target`` is a node, a resource or empty for the whole cluster."""

    what: str
    tool: str
    target: str = ""


def parse_command(line: str) -> Command | None:
    """Read a command line; None for commands that change nothing in the cluster."""
    line = _PROMPT.sub("crm ", line.strip())
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    while words and (words[0].rsplit("/", 1)[-1] in ("sudo", "env", "nohup") or "=" in words[0]):
        words = words[1:]
    if not words:
        return None
    tool = words[0].rsplit("/", 1)[-1].removesuffix(".sh")
    reader = _TOOLS.get(tool)
    return reader(tool, words[1:]) if reader is not None else None


def _plain(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]


def _value(words: Sequence[str], *options: str) -> str:
    """Value of a short or long option, joined by blank or ``=``."""
    for index, word in enumerate(words):
        name, sign, value = word.partition("=")
        if name in options:
            return value if sign else words[index + 1] if index + 1 < len(words) else ""
    return ""


def _pcs(tool: str, words: Sequence[str]) -> Command | None:
    plain = _plain(words)
    if len(plain) < 2 or plain[1] in _READ_ONLY:
        return None
    area, verb, rest = plain[0], plain[1], plain[2:]
    target = rest[0] if rest and "=" not in rest[0] else ""
    if area == "property":
        return _property(tool, rest)
    if area == "stonith":
        known = {"fence": "fence", "confirm": "ack", "cleanup": "cleanup", "refresh": "refresh"}
        return Command(known.get(verb, "config"), tool, target)
    verbs = {"resource": _RESOURCE_VERBS, "node": _NODE_VERBS, "cluster": _CLUSTER_VERBS}.get(area, {})
    if area in ("status", "host", "client", "pcsd") or (
        area == "cluster" and verb in ("auth", "cib", "report", "pcsd-status")
    ):
        return None
    return Command(verbs.get(verb, "config"), tool, target)


def _crm(tool: str, words: Sequence[str]) -> Command | None:
    plain = _plain(words)
    if not plain or plain[0] in _READ_ONLY or (len(plain) > 1 and plain[1] in _READ_ONLY):
        return None
    area, verb, rest = plain[0], plain[1] if len(plain) > 1 else "", plain[2:]
    if area == "configure":
        return _property(tool, rest) if verb == "property" else Command("config", tool) if verb else None
    if area == "maintenance":
        return Command("unmaintenance" if verb == "off" else "maintenance", tool)
    verbs = {"resource": _RESOURCE_VERBS, "rsc": _RESOURCE_VERBS, "node": _NODE_VERBS, "cluster": _CLUSTER_VERBS}
    what = verbs.get(area, {}).get(verb)
    return Command(what, tool, rest[0] if rest else "") if what is not None else None


def _property(tool: str, rest: Sequence[str]) -> Command:
    for word in rest:
        name, _, value = word.partition("=")
        if name == "maintenance-mode":
            on = value.lower() in ("true", "on", "yes", "1")
            return Command("maintenance" if on else "unmaintenance", tool, "")
    return Command("config", tool, rest[0].partition("=")[0] if rest else "")


def _crm_resource(tool: str, words: Sequence[str]) -> Command | None:
    target = _value(words, "-r", "--resource")
    for options, what in (
        (("--move", "-M", "--migrate"), "move"),
        (("--ban", "-B"), "ban"),
        (("--clear", "-U", "--un-move", "--un-migrate"), "clear"),
        (("--cleanup", "-C"), "cleanup"),
        (("--refresh", "-R", "--reprobe", "-P"), "refresh"),
        (("--restart",), "disable"),
    ):
        if any(word in options for word in words):
            return Command(what, tool, target)
    if _value(words, "-p", "--set-parameter") == "target-role":
        stopped = _value(words, "-v", "--parameter-value").lower() == "stopped"
        return Command("disable" if stopped else "enable", tool, target)
    return None


def _crm_attribute(tool: str, words: Sequence[str]) -> Command | None:
    name, value = _value(words, "-n", "--name", "--attr-name"), _value(words, "-v", "--update", "--attr-value")
    node = _value(words, "-N", "--node", "--node-uname", "-U")
    on = value.lower() in ("on", "true", "yes", "1")
    if name == "standby":
        return Command("standby" if on else "unstandby", tool, node)
    if name in ("maintenance", "maintenance-mode"):
        return Command("maintenance" if on else "unmaintenance", tool, node)
    return Command("config", tool, name) if value else None


def _crm_standby(tool: str, words: Sequence[str]) -> Command | None:
    node, value = _value(words, "-N", "--node", "-U"), _value(words, "-v", "--update")
    deleted = any(word in ("-D", "--delete") for word in words)
    if not value and not deleted:
        return None
    on = value.lower() in ("on", "true", "yes", "1")
    return Command("standby" if on and not deleted else "unstandby", tool, node)


def _stonith_admin(tool: str, words: Sequence[str]) -> Command | None:
    for options, what in (
        (("-F", "--fence", "-B", "--reboot", "-U", "--unfence"), "fence"),
        (("-C", "--confirm"), "ack"),
    ):
        target = _value(words, *options)
        if target:
            return Command(what, tool, target)
    return None


def _systemctl(tool: str, words: Sequence[str]) -> Command | None:
    plain = _plain(words)
    if not plain:
        return None
    if plain[0] in ("reboot", "kexec"):
        return Command("reboot", tool, "")
    if plain[0] in ("poweroff", "halt"):
        return Command("stop", tool, "")
    units = {word.removesuffix(".service") for word in plain[1:]}
    if plain[0] in ("stop", "start", "restart", "kill") and units & _HA_UNITS:
        return Command("start" if plain[0] == "start" else "stop", tool, "")
    return None


def _power(tool: str, words: Sequence[str]) -> Command | None:
    if any(word in ("-c", "--help", "--show") for word in words):
        return None
    reboot = tool == "reboot" or any(word in ("-r", "--reboot", "6") for word in words)
    return Command("reboot" if reboot else _POWER[tool], tool, "")


def _cibadmin(tool: str, words: Sequence[str]) -> Command | None:
    changing = (
        "-R",
        "--replace",
        "-U",
        "--update",
        "-M",
        "--modify",
        "-C",
        "--create",
        "-D",
        "--delete",
        "-P",
        "--patch",
    )
    return Command("config", tool, "") if any(word in changing for word in words) else None


_TOOLS: dict[str, Callable[[str, Sequence[str]], Command | None]] = {
    "pcs": _pcs,
    "crm": _crm,
    "crm_resource": _crm_resource,
    "crm_attribute": _crm_attribute,
    "crm_standby": _crm_standby,
    "stonith_admin": _stonith_admin,
    "systemctl": _systemctl,
    "cibadmin": _cibadmin,
    **dict.fromkeys(_POWER, _power),
}
