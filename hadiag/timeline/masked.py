"""Reports that ``sos clean`` masked one by one: each calls its own host ``host0``, so the same name means other nodes.

Where two inputs give one masked name different node ids, the name is made their own: ``host0`` of the second input becomes
``host0.2``. Which node that is, the node ids tell afterwards.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hadiag.model.entity import Scalar
from hadiag.model.event import RawEvent
from hadiag.model.fact import Fact
from hadiag.model.record import LogSummary

_MASK: Final = re.compile(r"host\d{1,4}")
_NAMED: Final = frozenset({"pcmk.node.state", "pcmk.cpg.event"})

Names = Mapping[tuple[str, str], str]
"""New name of a masked name in an input."""
Material = tuple[Sequence[RawEvent], Sequence[LogSummary], Sequence[Fact]]


def with_own_names(raws: Sequence[RawEvent], logs: Sequence[LogSummary], facts: Sequence[Fact]) -> Material:
    """Tell masked names of different inputs apart; everything stays as it is where none mean different nodes."""
    names = _names(raws)
    if not names:
        return raws, logs, facts
    bundles = {bundle for bundle, _ in names}
    return (
        [_raw(raw, names) if raw.ref.bundle in bundles else raw for raw in raws],
        [_log(log, names) if log.bundle in bundles else log for log in logs],
        [_fact(fact, names) if fact.bundle in bundles else fact for fact in facts],
    )


def _names(raws: Sequence[RawEvent]) -> Names:
    ids: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for raw in raws:
        name, nodeid = raw.fields.get("node"), raw.fields.get("nodeid")
        if raw.type in _NAMED and isinstance(name, str) and nodeid is not None and _MASK.fullmatch(name):
            ids[name][raw.ref.bundle].add(str(nodeid))
    found: dict[tuple[str, str], str] = {}
    for name, inputs in sorted(ids.items()):
        known: list[set[str]] = []
        for bundle, mine in inputs.items():  # in the order of the inputs
            index = next((number for number, others in enumerate(known) if others & mine), len(known))
            if index == len(known):
                known.append(set())
            known[index] |= mine
            if index:
                found[bundle, name] = f"{name}.{index + 1}"
    return found


def _told(bundle: str, value: Scalar, names: Names) -> Scalar:
    if isinstance(value, str):
        return names.get((bundle, value), value)
    if isinstance(value, tuple):
        return tuple(names.get((bundle, each), each) if isinstance(each, str) else each for each in value)
    return value


def _host(bundle: str, host: str | None, names: Names) -> str | None:
    return None if host is None else names.get((bundle, host), host)


def _raw(raw: RawEvent, names: Names) -> RawEvent:
    bundle = raw.ref.bundle
    fields = {key: _told(bundle, value, names) for key, value in raw.fields.items()}
    host, hint = _host(bundle, raw.host, names), _host(bundle, raw.node_hint, names)
    return replace(raw, host=host, node_hint=hint, fields=fields)


def _log(log: LogSummary, names: Names) -> LogSummary:
    hosts = tuple((names.get((log.bundle, host), host), lines) for host, lines in log.hosts)
    return replace(log, node_hint=_host(log.bundle, log.node_hint, names), hosts=hosts)


def _fact(fact: Fact, names: Names) -> Fact:
    values = {key: _told(fact.bundle, value, names) for key, value in fact.values.items()}
    return replace(fact, node_hint=_host(fact.bundle, fact.node_hint, names), values=values)
