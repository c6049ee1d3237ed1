"""Lines that events quote."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from hadiag.model.quotes import MANY, Quotes

TEXTS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(st.integers(1, 10_000), TEXTS, min_size=1, max_size=40), st.integers(0, MANY))
def test_every_line_comes_back(lines: dict[int, str], more: int) -> None:
    """Whatever stands in a line, compressed or not yet, and from another process as well."""
    piece = Quotes()
    for number, text in lines.items():
        assert piece.add(number, text)
    for number in range(more):
        piece.add(20_000 + number, "another line")
    assert {number: piece.of(number) for number in lines} == lines
    sent = pickle.loads(pickle.dumps(piece))
    assert {number: sent.of(number) for number in lines} == lines


def test_many_lines_take_little_room() -> None:
    """A piece that is full holds its lines compressed, and takes no more of them."""
    piece = Quotes()
    for number in range(MANY):
        assert piece.add(number, f"Nov 22 10:00:00 node1 pacemaker-controld[7]: notice: State {number} of a line")
    assert not piece.add(MANY, "one more")
    assert len(pickle.dumps(piece)) < MANY * 20
    assert piece.of(7).endswith("State 7 of a line")
