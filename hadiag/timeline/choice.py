"""One cluster of an input that holds several: what is said of the others, or by them, is left out before anything is concluded.

Node ids, ring numbers, names of resources and addresses of two clusters are often the same, so nothing of the one may
stand in the views, the configuration or the coverage of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import LogSummary
from hadiag.timeline.identity import Identities, resolve
from hadiag.timeline.masked import with_own_names
from hadiag.timeline.otherwise import learn
from hadiag.timeline.owners import with_owners

Material = tuple[Sequence[RawEvent], Sequence[LogSummary], Sequence[Fact]]


def of_cluster(
    raws: Sequence[RawEvent], logs: Sequence[LogSummary], facts: Sequence[Fact], cluster: str | None
) -> Material:
    """Leave out the lines, logs and facts of the other clusters; hosts of no cluster stay.

    Without a choice, or where the input holds one cluster only or none of that name, everything stays.
    """
    if cluster is None:
        return raws, logs, facts
    named, named_logs, named_facts = with_own_names(raws, logs, facts)
    owned, owned_logs = with_owners(named, named_logs)
    who = resolve(owned, owned_logs, named_facts, learn)
    if len(who.clusters.names) < 2 or cluster not in who.clusters.names:
        return raws, logs, facts
    cut = [_log(log, told, who, cluster) for log, told in zip(logs, owned_logs, strict=True)]
    return (
        [raw for raw, told in zip(raws, owned, strict=True) if _is_of(told.ref.bundle, told.host, told, who, cluster)],
        [log for log in cut if log is not None],
        [fact for fact, told in zip(facts, named_facts, strict=True) if _tells_of(told, who, cluster)],
    )


def _is_of(bundle: str, host: str | None, told: RawEvent | LogSummary, who: Identities, cluster: str) -> bool:
    return who.belongs(who.observer(bundle, host, told.node_hint), cluster)


def _log(log: LogSummary, told: LogSummary, who: Identities, cluster: str) -> LogSummary | None:
    """A log with the hosts that are of the cluster; nothing where none is."""
    if not told.hosts:
        return log if _is_of(log.bundle, None, told, who, cluster) else None
    mine = tuple(
        column
        for column, (host, _) in zip(log.hosts, told.hosts, strict=True)
        if _is_of(log.bundle, host, told, who, cluster)
    )
    return replace(log, hosts=mine) if mine else None


def _tells_of(fact: Fact, who: Identities, cluster: str) -> bool:
    owner = who.host(fact.bundle, fact.node_hint)
    return who.belongs(owner, cluster) if owner else who.clusters.of(fact) in {cluster, ""}
