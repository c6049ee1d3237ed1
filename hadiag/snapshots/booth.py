"""Tickets between sites: ``/etc/booth/*.conf``.

::

    site="192.0.2.10"
    arbitrator="203.0.113.7"
    ticket="ticket-sap"
        expire = 600
        timeout = 10
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source, head_lines, integer, numbered

_ROW = re.compile(r"^\s*([a-z][a-z-]*)\s*=\s*\"?([^\"#]*?)\"?\s*(?:#.*)?$")
_EXPIRE_S, _TIMEOUT_S, _RETRIES = 600, 5, 10  # booth src/ticket.h
_MOST = 200


class BoothParser:
    """Reads the configuration of booth."""

    name = "booth"

    def matches(self, path: str, head: bytes) -> bool:
        """Sites and tickets; without a ticket, a place below ``booth``."""
        names = {match[1] for line in head_lines(head, 200) if (match := _ROW.match(line))}
        return "site" in names and ("ticket" in names or "booth" in path)

    def parse(self, source: Source, data: bytes) -> Iterable[Fact]:
        """Yield ``booth.member`` and ``booth.option``; counts and retry times in force as ``derived``."""
        members = {"site": 0, "arbitrator": 0}
        tickets: dict[str, dict[str, int | None]] = {"": {}}
        ticket, last = "", 0
        for number, line in numbered(data):
            match = _ROW.match(line)
            if match is None:
                continue
            key, value, last = match[1], match[2].strip(), number
            if key in members:
                members[key] += 1
                yield source.fact("booth.member", {"role": key, "address": value}, number, text=line)
                continue
            if key == "ticket":
                ticket = value
                tickets.setdefault(ticket, {})
            else:
                tickets[ticket][key] = integer(value)
            row: dict[str, Scalar] = {"ticket": ticket, "name": key, "value": value}
            yield source.fact("booth.option", row, number, text=line)
        yield from _counts(source, members, last)
        yield from _retries(source, tickets, last)


def _counts(source: Source, members: dict[str, int], line: int) -> Iterator[Fact]:
    for role, count in members.items():
        yield source.fact("derived", {"name": f"booth_{role}s", "value": count}, line)
    yield source.fact("derived", {"name": "booth_members_even", "value": sum(members.values()) % 2 == 0}, line)


def _retries(source: Source, tickets: dict[str, dict[str, int | None]], line: int) -> Iterator[Fact]:
    """For each ticket how long booth asks its peers in vain, and how often it renews, as ``postproc_ticket()`` does."""
    common = tickets[""]
    for ticket, own in sorted(tickets.items())[:_MOST]:
        if not ticket:
            continue
        settings = {**common, **own}
        expire = settings.get("expire") or _EXPIRE_S
        timeout = settings.get("timeout") or _TIMEOUT_S
        asking = timeout * ((settings.get("retries") or _RETRIES) + 1)
        renewal = settings.get("renewal-freq") or expire // 2
        values: dict[str, Scalar] = {"name": "booth_retry_s", "value": asking, "ticket": ticket, "renewal_s": renewal}
        yield source.fact("derived", values, line)
