"""State of the nodes from the status section of a CIB, as the scheduler takes them.

Follows what pacemaker's lib/pengine/unpack.c makes of ``node_state``: membership (``in_ccm``), the controller (``crmd``),
the join phase and what was expected of the node; with fencing, a node that is not as expected is unclean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hadiag.snapshots.base import truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml import etree

_OLD_OPTIONS = {"fencing-enabled": "stonith-enabled"}


@dataclass(slots=True)
class CibNode:
    """A node as the CIB has it; ``kind`` is member, remote or guest, ``host`` the resource that carries a guest or connects a remote."""

    name: str
    kind: str = "member"
    host: str | None = None
    online: bool = False
    unclean: bool = False
    pending: bool = False
    standby: bool = False
    maintenance: bool = False
    shutdown: bool = False
    expected_up: bool = False
    state: etree._Element | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """State in one word: online, offline, unclean, pending, standby or maintenance."""
        if self.unclean:
            return "unclean"
        if self.pending:
            return "pending"
        if self.online and self.standby:
            return "standby"
        if self.online and self.maintenance:
            return "maintenance"
        return "online" if self.online else "offline"


def options_of(root: etree._Element) -> dict[str, str]:
    """Cluster options, the first set that names one counts."""
    found: dict[str, str] = {}
    for pair in root.iterfind("configuration/crm_config/cluster_property_set/nvpair"):
        name = pair.get("name", "")
        found.setdefault(_OLD_OPTIONS.get(name, name), pair.get("value", ""))
    return found


def fencing_enabled(options: Mapping[str, str]) -> bool:
    """Fencing is on unless it was switched off."""
    return truth(options.get("stonith-enabled")) is not False


def attributes_of(element: etree._Element, path: str) -> dict[str, str]:
    """Name-value pairs below an element."""
    return {pair.get("name", ""): pair.get("value", "") for pair in element.iterfind(f"{path}/nvpair")}


def member_nodes(root: etree._Element) -> dict[str, CibNode]:
    """Members by name, with their state; remote and guest nodes are known by their resources."""
    options = options_of(root)
    fencing = fencing_enabled(options)
    blind = truth(options.get("startup-fencing")) is False
    states = _states(root)
    by_id = {state.get("id", ""): state for state in root.iterfind("status/node_state")}
    nodes: dict[str, CibNode] = {}
    for element in root.iterfind("configuration/nodes/node"):
        name = str(element.get("uname") or element.get("id", ""))
        node = CibNode(name, "remote" if element.get("type") == "remote" else "member")
        settings = attributes_of(element, "instance_attributes")
        node.standby = truth(settings.get("standby")) is True
        node.maintenance = truth(settings.get("maintenance")) is True
        node.state = states[name] if name in states else by_id.get(element.get("id", ""))
        nodes[name] = node
        if node.kind == "member":
            _member(node, fencing=fencing, blind=blind)
    return nodes


def _states(root: etree._Element) -> dict[str, etree._Element]:
    return {str(state.get("uname") or state.get("id", "")): state for state in root.iterfind("status/node_state")}


def _member(node: CibNode, *, fencing: bool, blind: bool) -> None:
    state = node.state
    if state is None:
        node.unclean = fencing and not blind
        return
    transient = attributes_of(state, "transient_attributes/instance_attributes")
    node.shutdown = transient.get("shutdown", "0") not in {"", "0"}
    node.standby = node.standby or truth(transient.get("standby")) is True
    node.expected_up = state.get("expected") == "member"
    member, active = _since(state.get("in_ccm")), _since(state.get("crmd"), "online")
    if fencing:
        _with_fencing(node, state, member, active, terminate=_asks(transient.get("terminate")))
    elif member:
        node.online = bool(active) and state.get("join") == "member"
        node.unclean = not active and node.expected_up


def _asks(text: str | None) -> bool:
    """``terminate`` is true, or the time of the request."""
    return truth(text) is True or ((text or "0").isdigit() and int(text or "0") > 0)


def _since(text: str | None, word: str = "true") -> bool | None:
    """Whether a node is there: a word until Pacemaker 2.1.6, then the time since when."""
    if text is None:
        return None
    return int(text) > 0 if text.isdigit() and text != "1" else text in {word, "1"}


def _with_fencing(
    node: CibNode, state: etree._Element, member: bool | None, active: bool | None, *, terminate: bool
) -> None:
    join, node.online = state.get("join"), bool(member)
    if node.shutdown:
        node.online = bool(active)
    elif member is None or join == "nack":
        node.unclean = True
    elif terminate:
        gone = not member and not active and join == "down"
        node.unclean = not gone
    elif state.get("expected", "down") == "down":
        node.pending = bool(member or active)
    elif not member or not active:
        node.unclean = True
    elif join in {"pending", "down"}:
        node.pending = True
    else:
        node.unclean = join != "member"


def remote_nodes(root: etree._Element) -> Iterator[CibNode]:
    """Remote nodes by their connections, guest nodes by what carries them, replicas of bundles among them."""
    states = _states(root)
    for primitive in root.iterfind("configuration/resources//primitive"):
        ident = primitive.get("id", "")
        if primitive.get("type") == "remote" and primitive.get("provider") == "pacemaker":
            yield CibNode(ident, "remote", ident, state=states.get(ident))
        name = attributes_of(primitive, "meta_attributes").get("remote-node")
        if name:
            yield CibNode(name, "guest", ident, state=states.get(name))
    for bundle in root.iterfind("configuration/resources//bundle"):
        if bundle.find("primitive") is None:
            continue
        engine = next((child for child in bundle if child.tag in ENGINES), None)
        for number in range(replicas(engine)):
            name = f"{bundle.get('id')}-{number}"
            host = f"{bundle.get('id')}-{_engine_name(engine)}-{number}"
            yield CibNode(name, "guest", host, state=states.get(name))


ENGINES = ("docker", "podman", "rkt")
"""Elements of a bundle that run its containers."""
_MOST = 10_000


def replicas(engine: etree._Element | None) -> int:
    """Number of replicas of a bundle."""
    if engine is None:
        return 0
    for name in ("replicas", "promoted-max", "masters"):
        if (text := engine.get(name)) and text.isdigit():
            return min(int(text), _MOST) if int(text) else 1
    return 1


def _engine_name(engine: etree._Element | None) -> str:
    return "docker" if engine is None else str(engine.tag)
