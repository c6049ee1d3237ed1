"""Ranking of explanations: leaky noisy-OR over a causal graph with observed effects clamped.

Everything here is plain arithmetic over a few hundred numbers, so that ``hadiag explain --table`` can print it and anyone can
compute it again. For a set S of causes and an effect f::

    P(f | S) = 1 - (1 - leak) · (1 - observed) · Π (1 - weight of c on f)   over c in S

``observed`` stands for the effect's parents among the findings themselves: they are known to be there, so they are clamped to 1,
and what they bring about adds no certainty to any cause. A seen effect adds log P, an absent one (its log covers the time and shows
nothing) log(1 - P), an unknown one nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from itertools import combinations

from hadiag.model.frozen import record

LEAK = 0.01
"""Probability that a finding appears although nothing that hadiag knows brought it about."""

UNKNOWN_CAUSE = "unknown"
"""Id of the cause that hadiag does not know; it competes in every incident."""

UNKNOWN_PRIOR = 0.01
UNKNOWN_WEIGHT = 0.25
"""Strength of the unknown cause on every effect: it explains anything, and nothing well."""

STRENGTH_STEPS = (0.03, 0.25, 0.5, 0.8, 0.97)
"""The strength words as numbers; the test for fragility moves one strength by one step."""

EXPLAINED = 0.5
"""From this probability on the findings above an effect explain it without any further cause."""

PAIR_CANDIDATES = 25
TRIPLE_CANDIDATES = 10


@record
class Candidate:
    """A latent cause, instantiated for the entities of an incident. ``prior`` is a probability."""

    id: str
    cause: str
    prior: float
    role: str
    nodes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    category: str = ""
    """Kind of cause; a verdict hangs on a single strength where that would turn the kind."""

    @property
    def log_odds(self) -> float:
        """Cost of assuming this cause: log of its prior odds."""
        return math.log(self.prior / (1 - self.prior))


@record
class Effect:
    """A finding as evidence: ``state`` is ``seen``, ``absent`` or ``unknown``.

    ``observed`` is the probability that the findings above it bring it about by themselves; ``weights`` maps candidates to
    their strength; ``temper`` scales its say (below 1 for a finding that could not be decided).
    """

    key: str
    state: str
    observed: float
    weights: Mapping[str, float] = field(hash=False)
    temper: float = 1.0

    def weight(self, cause: str) -> float:
        """Strength of a cause on this effect."""
        return UNKNOWN_WEIGHT if cause == UNKNOWN_CAUSE else self.weights.get(cause, 0.0)

    def probability(self, causes: Iterable[str]) -> float:
        """P(effect | causes)."""
        miss = (1 - LEAK) * (1 - self.observed)
        for cause in causes:
            miss *= 1 - self.weight(cause)
        return 1 - miss

    def log_likelihood(self, causes: Iterable[str]) -> float:
        """What this effect adds to the score of a set of causes."""
        if self.state == "unknown":
            return 0.0
        chance = self.probability(causes)
        return self.temper * math.log(chance if self.state == "seen" else max(1 - chance, 1e-6))


@record
class Scored:
    """A set of causes with its score (natural log) and its share of the total."""

    causes: tuple[str, ...]
    log_prior: float
    log_likelihood: float
    posterior: float = 0.0

    @property
    def score(self) -> float:
        """Log prior plus log likelihood."""
        return self.log_prior + self.log_likelihood


UNKNOWN = Candidate(UNKNOWN_CAUSE, UNKNOWN_CAUSE, UNKNOWN_PRIOR, "trigger")


class Say:
    """What each effect says of sets of causes; ``moved`` may put another effect in the place of one.

    What was worked out for the effects that stay is kept, so that one of them can be moved many times.
    """

    def __init__(self, effects: Sequence[Effect]) -> None:
        self._effects = effects
        self._rows: dict[tuple[str, ...], list[float]] = {}
        self._moved: tuple[int, Effect] | None = None

    def moved(self, position: int, effect: Effect) -> Say:
        """The same with another effect at a position."""
        other = Say(self._effects)
        other._rows = self._rows
        other._moved = (position, effect)
        return other

    def log_likelihood(self, causes: tuple[str, ...]) -> float:
        """Sum over all effects."""
        row = self._rows.get(causes)
        if row is None:
            row = self._rows[causes] = [effect.log_likelihood(causes) for effect in self._effects]
        if self._moved is None:
            return sum(row)
        position, effect = self._moved
        return sum([*row[:position], effect.log_likelihood(causes), *row[position + 1 :]])


def rank(candidates: Sequence[Candidate], effects: Sequence[Effect]) -> tuple[Scored, ...]:
    """Score every single cause, pair and (of the best) triple, the unknown cause included.

    Returns the sets with posteriors that add up to 1, best first; equal scores in order of their names.
    """
    return _ranked(candidates, Say(effects))


def _ranked(candidates: Sequence[Candidate], say: Say) -> tuple[Scored, ...]:
    pool = [UNKNOWN, *candidates]
    singles = sorted((_score((c,), say) for c in pool), key=_order)
    by_id = {c.id: c for c in pool}
    best = [by_id[s.causes[0]] for s in singles[:PAIR_CANDIDATES]]
    pairs = sorted((_score(pair, say) for pair in combinations(best, 2)), key=_order)
    few = _leaders([*pairs, *singles], by_id)
    triples = [_score(triple, say) for triple in combinations(few, 3)]
    return _normalise([*singles, *pairs, *triples])


def _leaders(scored: Sequence[Scored], by_id: Mapping[str, Candidate]) -> list[Candidate]:
    names: dict[str, None] = {}
    for one in sorted(scored, key=_order):
        for name in one.causes:
            names.setdefault(name)
        if len(names) >= TRIPLE_CANDIDATES:
            break
    return [by_id[name] for name in names]


def _score(causes: Sequence[Candidate], say: Say) -> Scored:
    names = tuple(c.id for c in causes)
    return Scored(names, sum(c.log_odds for c in causes), say.log_likelihood(names))


def _order(one: Scored) -> tuple[float, tuple[str, ...]]:
    return (-round(one.score, 9), one.causes)


def _normalise(scored: Sequence[Scored]) -> tuple[Scored, ...]:
    ordered = sorted(scored, key=_order)
    top = ordered[0].score
    total = sum(math.exp(one.score - top) for one in ordered)
    return tuple(replace(one, posterior=math.exp(one.score - top) / total) for one in ordered)


@record
class Component:
    """Candidates that compete for the same effects, with these effects; what is outside has no say in their ranking."""

    candidates: tuple[Candidate, ...]
    effects: tuple[Effect, ...]


def components(candidates: Sequence[Candidate], effects: Sequence[Effect]) -> tuple[Component, ...]:
    """Split a graph into parts that share no candidate and no effect; the score of the whole is the product of the parts."""
    parent = {c.id: c.id for c in candidates}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for effect in effects:
        names = sorted(effect.weights)
        for other in names[1:]:
            parent[root(other)] = root(names[0])
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(root(candidate.id), []).append(candidate)
    found = []
    for members in groups.values():
        ids = {c.id for c in members}
        found.append(Component(tuple(members), tuple(e for e in effects if ids & set(e.weights))))
    return tuple(found)


def is_needed(part: Component) -> bool:
    """Tell whether the part needs a cause: not where the findings above them already explain all that was seen."""
    return any(effect.state == "seen" and effect.observed < EXPLAINED for effect in part.effects)


def triggers(causes: Iterable[str], by_id: Mapping[str, Candidate]) -> tuple[str, ...]:
    """The causes of a set that triggered the incident, in the order of the set."""
    return tuple(name for name in causes if by_id[name].role == "trigger")


def lead(causes: Iterable[str], by_id: Mapping[str, Candidate], root: Effect | None) -> str:
    """The one trigger of a set that brought about the root effect: the strongest on it; without any trigger the unknown cause."""
    found = triggers(causes, by_id)
    return min(found, key=lambda name: (-root.weight(name) if root else 0.0, found.index(name)), default=UNKNOWN_CAUSE)


def by_lead(
    scored: Sequence[Scored], by_id: Mapping[str, Candidate], root: Effect | None
) -> tuple[tuple[Scored, float], ...]:
    """Merge the sets that agree on the trigger of the root effect: each such trigger with its best set and the sum of the posteriors.

    What else triggered something on the side does not divide the answer: it is named only where most of the sets name it.
    """
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        groups.setdefault(lead(one.causes, by_id, root), []).append(one)
    merged = [
        (_first(_agreed(members, by_id, name), name), sum(one.posterior for one in members))
        for name, members in groups.items()
    ]
    return tuple(sorted(merged, key=lambda pair: (-round(pair[1], 9), pair[0].causes)))


def _agreed(members: Sequence[Scored], by_id: Mapping[str, Candidate], name: str) -> Scored:
    """The best set of a trigger whose further triggers have most of the trigger's probability behind them."""
    total = sum(one.posterior for one in members)
    shares: dict[str, float] = {}
    for one in members:
        for other in triggers(one.causes, by_id):
            shares[other] = shares.get(other, 0.0) + one.posterior
    for one in members:
        if all(other == name or shares[other] >= total / 2 for other in triggers(one.causes, by_id)):
            return one
    return members[0]


def _first(one: Scored, name: str) -> Scored:
    rest = tuple(cause for cause in one.causes if cause != name)
    return replace(one, causes=(name, *rest)) if name in one.causes else one


def is_fragile(candidates: Sequence[Candidate], effects: Sequence[Effect], root: Effect | None = None) -> bool:
    """Tell whether moving any one strength by one step would put a trigger of another kind on top."""
    by_id = {c.id: c for c in (UNKNOWN, *candidates)}
    say = Say(effects)
    winner = _winner(candidates, say, by_id, root)
    for position, effect in enumerate(effects):
        for name, weight in effect.weights.items():
            for strength in _neighbours(weight):
                changed = replace(effect, weights={**effect.weights, name: strength})
                if _winner(candidates, say.moved(position, changed), by_id, root) != winner:
                    return True
    return False


def _winner(candidates: Sequence[Candidate], say: Say, by_id: Mapping[str, Candidate], root: Effect | None) -> str:
    best = by_lead(_ranked(candidates, say), by_id, root)[0][0]
    name = lead(best.causes, by_id, root)
    return by_id[name].category or name


def _neighbours(weight: float) -> tuple[float, ...]:
    nearest = min(range(len(STRENGTH_STEPS)), key=lambda i: abs(STRENGTH_STEPS[i] - weight))
    return tuple(STRENGTH_STEPS[i] for i in (nearest - 1, nearest + 1) if 0 <= i < len(STRENGTH_STEPS))
