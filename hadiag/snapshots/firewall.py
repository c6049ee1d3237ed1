r"""Whether a firewall lets the cluster talk: zones of firewalld, rules of nftables and of iptables.

::

    public (active)                                            firewall-cmd --list-all-zones
      target: default
      services: high-availability ssh
      ports: 5405/udp

    -A INPUT -p udp -m udp --dport 5404:5412 -j ACCEPT         iptables-save
    :INPUT DROP [0:0]

    type filter hook input priority filter; policy drop;       nft list ruleset
    udp dport 5405 accept

What comes out says ``true`` or ``false`` only where the rules leave no doubt: a rule that accepts by address or interface
alone may let the cluster through, and nothing is said then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, command_of, head_lines, numbered

_ASKED = (("corosync", 5405, "udp"), ("remote", 3121, "tcp"))
_ELSEWHERE = frozenset({"forward", "output", "prerouting", "postrouting"})
"""Chains that no packet to this node passes on its way in, or where nothing is refused."""
_ZONE = re.compile(r"^(?P<zone>[\w-]{1,64})(?P<active> \((?:default, )?active\)| \(active, default\))?$")
_FIELD = re.compile(r"^  (?P<name>target|services|ports|interfaces|sources|rich rules): ?(?P<value>.*)$")
_PORTS = re.compile(r"(?P<first>\d{1,5})(?:[-:](?P<last>\d{1,5}))?")
_VERDICT = re.compile(r"\b(accept|drop|reject)\b", re.IGNORECASE)
_DEST = re.compile(r"(?:dpts?:|--dports? |dports |\bdport )(?P<ports>\{[^}]*\}|[\d:,-]+)")
_POLICY = re.compile(
    r"^(?:Chain INPUT \(policy (?P<listed>\w+)|:INPUT (?P<saved>\w+)|\s*type filter hook input .*policy (?P<nft>\w+);)"
)
_PLACE = re.compile(r"^(?:-A (?P<saved>\S+) |Chain (?P<listed>\S+) \(|\s*chain (?P<nft>\S+) \{)")
_HOOK = re.compile(r"^\s*type \w+ hook (?P<hook>\w+) ")
_ANSWER = re.compile(r"reject-with \S+|with icmp\S* (?:type )?\S+")
_PLAIN = frozenset(
    {"ssh", "cockpit", "dhcp", "dhcpv6", "dhcpv6-client", "dns", "http", "https", "mdns", "ntp", "snmp", "zabbix-agent"}
)
"""Services of firewalld that are known not to open ports of the cluster; of others that is not known here."""
_NARROW = re.compile(
    r"\blo\b|icmp|RELATED|ESTABLISHED|established|related|ctstate|ct state|INVALID|invalid|dpts?:|dports?\b|proto(?:col)? (?:esp|ah|gre)"
)


class ZonesParser:
    """Reads ``firewall-cmd --list-all-zones`` and ``--list-all``."""

    name = "firewalld"

    def matches(self, path: str, head: bytes) -> bool:  # noqa: ARG002 - content alone decides
        """A zone, and its fields below it."""
        lines = head_lines(head, 12)
        return bool(lines) and _ZONE.match(lines[0]) is not None and sum(1 for line in lines if _FIELD.match(line)) >= 2

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``firewall.zone`` for each active zone, and what they allow together as ``derived``."""
        zones: list[tuple[int, dict[str, str]]] = []
        for number, line in numbered(data):
            if match := _ZONE.match(line):
                zones.append((number, {"zone": match["zone"] if match["active"] else ""}))
            elif zones and (match := _FIELD.match(line)):
                zones[-1][1][match["name"]] = match["value"]
        active = [(number, zone) for number, zone in zones if zone["zone"]]
        for number, zone in active:
            values: dict[str, Scalar] = {
                "zone": zone["zone"],
                "target": zone.get("target"),
                "services": tuple(zone.get("services", "").split()),
                "ports": tuple(zone.get("ports", "").split()),
            }
            yield source.fact("firewall.zone", values, number, text=zone["zone"])
        if active:
            place = active[0][0]
            doubt = any(_unclear(zone) for _, zone in active)
            for what, port, protocol in _ASKED:
                lets = any(_lets(zone, port, protocol) for _, zone in active)
                if lets or not doubt:
                    yield from _allowed(source, what, lets, place)


def _lets(zone: dict[str, str], port: int, protocol: str) -> bool:
    if zone.get("target") == "ACCEPT" or "high-availability" in zone.get("services", "").split():
        return True
    ports = [entry.partition("/") for entry in zone.get("ports", "").split()]
    return any(kind == protocol and _covers(numbers, port) for numbers, _, kind in ports)


def _unclear(zone: dict[str, str]) -> bool:
    return bool(zone.get("rich rules", "").strip() or set(zone.get("services", "").split()) - _PLAIN)


def _covers(text: str, port: int) -> bool:
    return any(int(match["first"]) <= port <= int(match["last"] or match["first"]) for match in _PORTS.finditer(text))


def _allowed(source: Source, what: str, value: bool, line: int) -> Iterator[Fact]:
    yield source.fact("derived", {"name": f"firewall_allows_{what}", "value": value}, line)


class RulesParser:
    """Reads ``iptables-save``, ``iptables -nvL`` and ``nft list ruleset``."""

    name = "firewall"
    _BEGIN = re.compile(r"# Generated by ip6?tables-save|table \w+ \w+ \{|\*filter|Chain INPUT ")

    def matches(self, path: str, head: bytes) -> bool:
        """The policy for incoming packets, in a file of that name or with a beginning that only such files have."""
        lines = head_lines(head, 400)
        named = re.match(r"(?:ip6?tables|nft)\b", command_of(path)) is not None
        begins = bool(lines) and self._BEGIN.match(lines[0]) is not None
        return (named or begins) and any(_POLICY.match(line) for line in lines)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``firewall.policy``, and as ``derived`` what the rules allow without doubt; firewalld speaks for itself."""
        lines = list(numbered(data))
        if any("table inet firewalld" in line or "-j IN_public" in line for _, line in lines):
            return
        head = next(((number, match) for number, line in lines if (match := _POLICY.match(line))), None)
        if head is None:
            return
        policy = next(word for word in head[1].groups() if word).lower()
        yield source.fact("firewall.policy", {"policy": policy}, head[0])
        rules = list(_rules([line for _, line in lines]))
        for what, port, protocol in _ASKED:
            answer = _answer(rules, policy, port, protocol)
            if answer is not None:
                yield from _allowed(source, what, answer, head[0])


def _rules(lines: Sequence[str]) -> Iterator[tuple[bool, str]]:
    """Rules that incoming packets may meet, and whether they stand in the first chain itself."""
    chain = ""
    for line in lines:
        if match := _PLACE.match(line):
            chain = next(word for word in match.groups() if word)
        if match := _HOOK.match(line):
            chain = match["hook"]
        elif _VERDICT.search(line) and not line.startswith((":", "Chain ")) and chain.lower() not in _ELSEWHERE:
            yield chain.lower() == "input", line


def _answer(rules: Iterable[tuple[bool, str]], policy: str, port: int, protocol: str) -> bool | None:
    """Whether packets to a port come in; None where a rule without ports might let them in."""
    doubt, closed = False, policy in {"drop", "reject"}
    for first, rule in rules:
        accepts = (_VERDICT.search(rule) or [""])[0].lower() == "accept"
        ports = _DEST.search(rule)
        if ports is not None:
            if accepts and protocol in rule.lower() and _covers(ports["ports"], port):
                return True
        elif _NARROW.search(_ANSWER.sub("", rule)) is None:
            doubt |= accepts
            closed |= first and not accepts
    if not closed:
        return True
    return None if doubt else False
