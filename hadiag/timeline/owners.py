"""Whose log a line without a host stands in, where the place in the bundle does not tell: the other lines, the other files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import LogSummary

_SHARE = 0.9
"""Share of the host column that makes a file the log of one host."""

Key = tuple[str, str]
"""Input and path."""


def with_owners(
    raws: Sequence[RawEvent], logs: Sequence[LogSummary]
) -> tuple[Sequence[RawEvent], Sequence[LogSummary]]:
    """Give lines and logs without host and without a place the host of the file, else that of the files around it.

    Resource agents write their lines without a host into ``pacemaker.log``; ``corosync.log`` of 1.4 and ``pcsd.log`` hold none.
    """
    owners = _owners(logs)
    if not owners:
        return raws, logs
    told_raws = [
        replace(raw, node_hint=owners.get((raw.ref.bundle, raw.ref.path)))
        if raw.host is None and raw.node_hint is None
        else raw
        for raw in raws
    ]
    told_logs = [
        replace(log, node_hint=owners.get((log.bundle, log.path))) if log.node_hint is None and not log.hosts else log
        for log in logs
    ]
    return told_raws, told_logs


def with_fact_owners(facts: Sequence[Fact], logs: Sequence[LogSummary]) -> tuple[Fact, ...]:
    """Give statements of files whose place tells no host the only host of the logs around them.

    A node's own ``/var/log`` and ``/etc/corosync`` in one archive have no directory with its name.
    """
    below = _hosts_below(_named(log for log in logs if log.node_hint is None))
    return tuple(
        replace(fact, node_hint=_nearest(fact.bundle, fact.path, below)) if fact.node_hint is None else fact
        for fact in facts
    )


def _owners(logs: Iterable[LogSummary]) -> dict[Key, str]:
    """Host of each log that has no place of its own."""
    placeless = [log for log in logs if log.node_hint is None]
    mine = _named(placeless)
    below = _hosts_below(mine)
    found: dict[Key, str] = dict(mine)
    for log in placeless:
        if not log.hosts and (host := _nearest(log.bundle, log.path, below)):
            found[log.bundle, log.path] = host
    return found


def _named(logs: Iterable[LogSummary]) -> dict[Key, str]:
    return {(log.bundle, log.path): host for log in logs if (host := _main(log.hosts))}


def _hosts_below(named: Mapping[Key, str]) -> Mapping[Key, set[str]]:
    """Hosts of the logs in and below each directory."""
    below: dict[Key, set[str]] = defaultdict(set)
    for (bundle, path), host in named.items():
        for folder in _folders(path):
            below[bundle, folder].add(host)
    return below


def _main(hosts: Sequence[tuple[str, int]]) -> str | None:
    total = sum(lines for _, lines in hosts)
    return next((host for host, lines in hosts if lines >= _SHARE * total), None)


def _folders(path: str) -> list[str]:
    """Directories that a file stands in, the nearest first; the last is the input itself."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]


def _nearest(bundle: str, path: str, below: Mapping[Key, set[str]]) -> str | None:
    """The only host of the logs in the nearest directory that has any."""
    for folder in _folders(path):
        hosts = below.get((bundle, folder), set())
        if hosts:
            return next(iter(hosts)) if len(hosts) == 1 else None
    return None
