"""Evidence that is missing: what would change the verdict most, and the command that fetches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hadiag.diagnose.collection import why_absent
from hadiag.diagnose.explain import fill, fill_command
from hadiag.diagnose.graph import CausalGraph, Expected
from hadiag.diagnose.impact import span
from hadiag.diagnose.score import Candidate
from hadiag.model.diagnosis import Explanation, MissingEvidence
from hadiag.model.entity import Node
from hadiag.model.fact import Fact
from hadiag.model.finding import Finding, Unproven
from hadiag.model.time import NS, iso_utc
from hadiag.rulelang.ruleset import RuleSet
from hadiag.timeline import Timeline

MAX_MISSING = 3
WINDOW_NS = 300 * NS
SETTLED = 0.85
"""From this confidence on nothing is asked for that would only confirm it."""


def missing_evidence(
    graph: CausalGraph,
    explanations: Sequence[Explanation],
    ruleset: RuleSet,
    timeline: Timeline,
    facts: Sequence[Fact],
) -> tuple[MissingEvidence, ...]:
    """List at most three pieces of evidence, the most telling first: absent nodes, unchecked signs, what the causes ask for."""
    start, end = span(tuple(graph.findings.values()))
    if start is None or end is None:
        return ()
    window = (start.ns - WINDOW_NS, end.ns + WINDOW_NS)
    found = _absent_nodes(graph, timeline, window, why_absent(facts, timeline))
    if explanations[0].confidence < SETTLED:
        found += [*_unchecked(graph, explanations, ruleset, window), *_asked(graph, explanations, ruleset)]
    found += [one for f in graph.findings.values() for u in f.unproven for one in _unproven(f, u)]
    unique = {one.command: one for one in reversed(found)}
    return tuple(one for one in dict.fromkeys(found) if unique.get(one.command) == one)[:MAX_MISSING]


def journal_command(node: str, start_ns: int, end_ns: int) -> str:
    """The command that fetches a node's journal of a window, with the times in UTC."""
    low, high = (iso_utc(ns)[:19].replace("T", " ") + " UTC" for ns in (start_ns, end_ns))
    return f"ssh {node} journalctl --utc -o short-iso-precise --since '{low}' --until '{high}'"


def _absent_nodes(
    graph: CausalGraph, timeline: Timeline, window: tuple[int, int], reasons: Mapping[Node, str]
) -> list[MissingEvidence]:
    involved = {node for f in graph.findings.values() for node in f.nodes}
    found = []
    for identity in timeline.nodes:
        if identity.name in involved and not identity.provided:
            what = f"The logs of {identity.name}"
            reason = reasons.get(identity.name)
            said = f" (at the collection: {reason})" if reason else ""
            why = f"nothing of {identity.name} is in the input{said}; only its own log tells what happened on it"
            found.append(MissingEvidence(what, why, journal_command(identity.name, *window)))
    return found


def _unchecked(
    graph: CausalGraph, explanations: Sequence[Explanation], ruleset: RuleSet, window: tuple[int, int]
) -> list[MissingEvidence]:
    shown = {ref.cause for one in explanations for ref in one.causes}
    by_id = {c.id: c for c in graph.candidates}
    open_ = [e for e in graph.expected if e.state == "unknown" and e.nodes and by_id[e.candidate].cause in shown]
    return [
        _unchecked_one(one, ruleset, window) for one in sorted(open_, key=lambda e: (-e.strength, e.candidate, e.rule))
    ]


def _unchecked_one(one: Expected, ruleset: RuleSet, window: tuple[int, int]) -> MissingEvidence:
    node = one.nodes[0]
    sign = ruleset.findings[one.rule].description if one.rule in ruleset.findings else one.rule
    what = f"The journal of {node} from that time"
    return MissingEvidence(what, f"it would show or exclude this: {sign}", journal_command(node, *window))


def _asked(graph: CausalGraph, explanations: Sequence[Explanation], ruleset: RuleSet) -> list[MissingEvidence]:
    by_cause: dict[str, Candidate] = {c.cause: c for c in reversed(graph.candidates)}
    found = []
    for explanation in explanations:
        for ref in explanation.causes:
            candidate, entry = by_cause.get(ref.cause), ruleset.causes.get(ref.cause)
            if candidate is None or entry is None:
                continue
            found += [
                MissingEvidence(fill(a.what, candidate), fill(a.why, candidate), fill_command(a.command, candidate))
                for a in entry.ask
            ]
    return found


def _unproven(finding: Finding, open_: Unproven) -> list[MissingEvidence]:
    if not open_.nodes or open_.start_ns is None or open_.end_ns is None:
        return []
    node = open_.nodes[0]
    why = f"{open_.why} (open in: {finding.title})"
    what = f"The {open_.family or 'system'} log of {node}"
    return [MissingEvidence(what, why, journal_command(node, open_.start_ns, open_.end_ns))]
