"""Leaky noisy-OR with clamped effects, as the arithmetic of the verdict."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadiag.diagnose.score import (
    LEAK,
    UNKNOWN,
    Candidate,
    Effect,
    by_lead,
    components,
    is_fragile,
    lead,
    rank,
)

CUT = Candidate("cut", "network.cut", 0.1, "trigger")
CRASH = Candidate("crash", "host.crash", 0.05, "trigger")
STALL = Candidate("stall", "host.stall", 0.05, "trigger")
REFUSED = Candidate("refused", "fence-device.refused", 0.05, "prevented_recovery")


def _triggers(candidates: list[Candidate], effects: list[Effect]) -> dict[str, float]:
    pool = {c.id: c for c in (UNKNOWN, *candidates)}
    merged = by_lead(rank(candidates, effects), pool, effects[0])
    return {"+".join(sorted(n for n in one.causes if pool[n].role == "trigger")): share for one, share in merged}


def test_probability_is_noisy_or() -> None:
    """P(effect) is one minus the product of all ways to miss it, leak and observed parents included."""
    effect = Effect("f", "seen", 0.5, {"a": 0.8, "b": 0.25})
    assert effect.probability(["a", "b"]) == pytest.approx(1 - (1 - LEAK) * 0.5 * 0.2 * 0.75)
    assert effect.probability([]) == pytest.approx(1 - (1 - LEAK) * 0.5)


def test_posteriors_add_up_to_one() -> None:
    """The sets that compete share the whole probability."""
    effects = [Effect("lost", "seen", 0.0, {"cut": 0.8, "crash": 0.97, "stall": 0.97})]
    assert sum(one.posterior for one in rank([CUT, CRASH, STALL], effects)) == pytest.approx(1.0)


def test_look_alikes_share_the_probability() -> None:
    """A lost node alone does not tell a crash from a stall from a cut network."""
    effects = [Effect("lost", "seen", 0.0, {"cut": 0.8, "crash": 0.97, "stall": 0.97})]
    shares = _triggers([CUT, CRASH, STALL], effects)
    assert max(shares.values()) < 0.6


def test_own_testimony_decides() -> None:
    """A partition that both sides report leaves no room for a crash."""
    effects = [
        Effect("partition", "seen", 0.0, {"cut": 0.97}),
        Effect("lost", "seen", 0.5, {"cut": 0.8, "crash": 0.97, "stall": 0.97}),
    ]
    assert _triggers([CUT, CRASH, STALL], effects)["cut"] > 0.85


def test_silence_speaks_against_a_cut() -> None:
    """A node that fell silent before it was fenced was not merely cut off."""
    effects = [
        Effect("lost", "seen", 0.0, {"cut": 0.8, "crash": 0.97, "stall": 0.97}),
        Effect("silent", "seen", 0.0, {"crash": 0.97, "stall": 0.8}),
    ]
    shares = _triggers([CUT, CRASH, STALL], effects)
    assert shares["crash"] > shares["stall"] > shares["cut"]
    assert shares["crash"] < 0.6


def test_observed_parents_add_no_certainty() -> None:
    """Thirty fail-overs behind one lost node leave the shares of its causes as they are."""
    lost = Effect("lost", "seen", 0.0, {"cut": 0.8, "crash": 0.97, "stall": 0.97})
    echoes = [Effect(f"moved{i}", "seen", 0.97, {"cut": 0.5, "crash": 0.5, "stall": 0.5}) for i in range(30)]
    alone, crowded = (_triggers([CUT, CRASH, STALL], effects) for effects in ([lost], [lost, *echoes]))
    assert crowded["crash"] == pytest.approx(alone["crash"], abs=0.1)


def test_an_absent_effect_speaks_against() -> None:
    """What a cause would surely have shown and did not show lowers it."""
    seen = Effect("lost", "seen", 0.0, {"crash": 0.97, "stall": 0.97})
    absent = Effect("paused", "absent", 0.0, {"stall": 0.97})
    assert _triggers([CRASH, STALL], [seen, absent])["crash"] > 0.85


def test_an_unknown_effect_says_nothing() -> None:
    """What no log covers moves nothing."""
    seen = Effect("lost", "seen", 0.0, {"crash": 0.97, "stall": 0.97})
    unknown = Effect("paused", "unknown", 0.0, {"stall": 0.97})
    assert _triggers([CRASH, STALL], [seen, unknown]) == pytest.approx(_triggers([CRASH, STALL], [seen]))


def test_independent_parts_are_ranked_apart() -> None:
    """The cause of the loss and what kept fencing from working share no effect."""
    effects = [
        Effect("lost", "seen", 0.0, {"cut": 0.8, "crash": 0.97}),
        Effect("refused", "seen", 0.0, {"refused": 0.97}),
    ]
    parts = components([CUT, CRASH, REFUSED], effects)
    assert sorted(sorted(c.id for c in part.candidates) for part in parts) == [["crash", "cut"], ["refused"]]


def test_a_close_race_is_fragile() -> None:
    """Two causes that are nearly equal change places when one strength moves by a step."""
    effects = [Effect("lost", "seen", 0.0, {"crash": 0.8, "stall": 0.8})]
    assert is_fragile([CRASH, STALL], effects)
    assert not is_fragile([CUT], [Effect("partition", "seen", 0.0, {"cut": 0.97})])


WEIGHTS = st.sampled_from([0.03, 0.25, 0.5, 0.8, 0.97])


@given(st.dictionaries(st.sampled_from(["cut", "crash", "stall"]), WEIGHTS, min_size=1))
def test_a_seen_effect_never_lowers_its_only_cause(weights: dict[str, float]) -> None:
    """Evidence for a cause does not speak against it, whatever the strengths."""
    name = next(iter(weights))
    base = Effect("lost", "seen", 0.0, {"cut": 0.5, "crash": 0.5, "stall": 0.5})
    extra = Effect("own", "seen", 0.0, {name: weights[name]})
    before = {c.causes: c.posterior for c in rank([CUT, CRASH, STALL], [base])}
    after = {c.causes: c.posterior for c in rank([CUT, CRASH, STALL], [base, extra])}
    with_name = sum(p for causes, p in after.items() if name in causes)
    assert with_name >= sum(p for causes, p in before.items() if name in causes) - 1e-9


def test_log_likelihood_is_finite() -> None:
    """A sure effect that is absent costs much, and not everything."""
    effect = Effect("f", "absent", 1.0, {"a": 0.97})
    assert math.isfinite(effect.log_likelihood(["a"]))


def test_a_side_effect_does_not_divide_the_answer() -> None:
    """Two ways to explain what happened on the side leave the cause of the root effect as sure as it is."""
    root = Effect("daemon-died", "seen", 0.0, {"cut": 0.97})
    side = Effect("node-silent", "seen", 0.0, {"crash": 0.97, "stall": 0.97})
    shares = _triggers([CUT, CRASH, STALL], [root, side])
    assert max(shares.items(), key=lambda pair: pair[1])[0] == "cut"
    assert shares["cut"] > 0.8


def test_the_unknown_cause_leads_where_no_known_one_reaches_the_root() -> None:
    """A cause that explains only a side effect is not the answer."""
    root = Effect("split-brain", "seen", 0.0, {})
    side = Effect("node-silent", "seen", 0.0, {"crash": 0.97})
    pool = {c.id: c for c in (UNKNOWN, CRASH)}
    assert lead(["unknown", "crash"], pool, root) == "unknown"
    merged = by_lead(rank([CRASH], [root, side]), pool, root)
    assert sum(share for _, share in merged) == pytest.approx(1.0)
