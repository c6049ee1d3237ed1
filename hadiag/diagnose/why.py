"""What speaks for and against one cause in an incident, beside the best explanation."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.diagnose.graph import CausalGraph, Expected, build_graph
from hadiag.diagnose.score import UNKNOWN, Component, Effect, Scored, components, rank
from hadiag.model.finding import Finding
from hadiag.model.frozen import record
from hadiag.rulelang.ruleset import RuleSet
from hadiag.timeline import Timeline


@record
class Comparison:
    """One piece of evidence under the best explanation and under the cause in question, as natural logarithms."""

    effect: str
    """A finding's id, or ``rule@nodes`` for one that is absent."""
    state: str
    under_best: float
    under_cause: float

    @property
    def difference(self) -> float:
        """Below zero it speaks against the cause."""
        return self.under_cause - self.under_best


@record
class Case:
    """A cause, bound to the entities of the incident, against the best explanation of the same evidence."""

    candidate: str
    share: float
    """Sum of the posteriors of all explanations that hold the cause."""
    best: tuple[str, ...]
    prior_difference: float
    rows: tuple[Comparison, ...]
    not_checked: tuple[Expected, ...]


@record
class WhyNot:
    """The cases of a cause; without any, no finding of the incident speaks for it, and ``signs`` are what would."""

    cause: str
    cases: tuple[Case, ...]
    signs: tuple[tuple[str, float], ...]


def why_not(cause: str, members: Sequence[Finding], ruleset: RuleSet, timeline: Timeline) -> WhyNot:
    """Compare a cause with the best explanation of an incident.

    Args:
        cause: id of a cause of ``ruleset``.
        members: the findings of the incident.
        ruleset: rules, causes and edges.
        timeline: where the findings come from; tells which effects could not be looked for.
    """
    graph = build_graph(members, ruleset, timeline)
    cases = [
        _case(candidate.id, part, graph)
        for part in components(graph.candidates, graph.effects())
        for candidate in part.candidates
        if candidate.cause == cause
    ]
    signs = [(edge.effect, edge.weight) for edge in ruleset.edges if edge.cause == cause and edge.kind == "causes"]
    return WhyNot(cause, tuple(cases), tuple(sorted(signs, key=lambda sign: (-sign[1], sign[0]))))


def _case(name: str, part: Component, graph: CausalGraph) -> Case:
    scored = rank(part.candidates, part.effects)
    best = scored[0]
    own = next(one for one in scored if name in one.causes)
    return Case(
        candidate=name,
        share=sum(one.posterior for one in scored if name in one.causes),
        best=tuple(cause for cause in best.causes if cause != UNKNOWN.id) or (UNKNOWN.id,),
        prior_difference=own.log_prior - best.log_prior,
        rows=tuple(
            sorted((_compared(e, own, best) for e in part.effects), key=lambda row: (row.difference, row.effect))
        ),
        not_checked=tuple(e for e in graph.expected if e.candidate == name and e.state == "unknown"),
    )


def _compared(effect: Effect, own: Scored, best: Scored) -> Comparison:
    under = (effect.log_likelihood(best.causes), effect.log_likelihood(own.causes))
    return Comparison(effect.key, effect.state, *under)
