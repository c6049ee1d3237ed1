"""Truth of a rule is the least of its steps, with UNKNOWN between false and true."""

from itertools import product
from pathlib import Path

import pytest

from hadiag.model.tri import Tri
from tests.unit.rulelang.packs import load, rule
from tests.unit.rulelang.test_matching import findings

MATCH = """
p: {event: a}
q: {event: b, after: p, within: 60s}
r: {event: c, same: [observer], after: p, within: 60s, count: 0}
"""

ORDER = {
    Tri.TRUE: "+30s n2 b\n",
    Tri.UNKNOWN: "+1s n2 b\n",
    Tri.FALSE: "",
}
"""Situations in which the second step is certain, in doubtful order, or not there."""

ABSENT = {
    Tri.TRUE: "+60s n1 log.end\n",
    Tri.UNKNOWN: "+59s n1 log.end\n",
    Tri.FALSE: "+60s n1 log.end\n+9s n1 c\n",
}
"""Situations in which the third step is proven absent, not proven, or found."""


@pytest.mark.parametrize(("order", "absent"), list(product(Tri, Tri)), ids=lambda value: value.name)
def test_a_rule_is_as_true_as_its_least_true_step(tmp_path: Path, order: Tri, absent: Tri) -> None:
    """All nine combinations of a doubtful order and a doubtful absence."""
    events = "clock n1 err=2s\nclock n2 err=2s\n+0s n1 a\n+70s n2 log.end\n" + ORDER[order] + ABSENT[absent]
    found = findings(load(tmp_path, rule(MATCH)), events)
    expected = order & absent
    assert [finding.holds for finding in found] == ([] if expected is Tri.FALSE else [expected])
    for finding in found:
        open_steps = {"q"} if order is Tri.UNKNOWN else set()
        open_steps |= {"r"} if absent is Tri.UNKNOWN else set()
        assert {row.step for row in finding.unproven} == open_steps
        assert finding.confidence == pytest.approx(0.9 if expected is Tri.TRUE else 0.54)
