"""The lines around core events, kept while a log is read."""

from __future__ import annotations

import io
from itertools import count

import pytest

from hadiag.catalogue import Catalogue
from hadiag.extract import Surroundings
from hadiag.formats import LogKind, clock_for
from hadiag.scan.blocks import read_blocks
from hadiag.scan.stamps import Flags, Ints
from tests.unit.extract.logs import catalogue_of, line, read

LOST = "Node n2 state is now lost"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of(tmp_path_factory.mktemp("pack"))


def test_lines_around_an_event_are_kept_whatever_they_say(catalogue: Catalogue) -> None:
    """Three lines before and after, known or not, with their numbers in the file."""
    rows = [line(n, f"nobody knows {n}") for n in range(20)]
    rows[10] = line(10, LOST)

    around = read("".join(rows), catalogue).surroundings.around(11, 3)

    assert [number for number, _ in around] == [8, 9, 10, 11, 12, 13, 14]
    assert [text + "\n" for _, text in around] == rows[7:14]


def test_lines_far_from_any_event_are_not_kept(catalogue: Catalogue) -> None:
    """An hour before the event nothing is kept."""
    text = line(0, "long ago") + line(3600, "just before") + line(3601, LOST)

    surroundings = read(text, catalogue).surroundings

    assert surroundings.around(1, 0) == ()
    assert len(surroundings.around(2, 1)) == 2


def test_continuation_lines_have_the_time_of_their_head(catalogue: Catalogue) -> None:
    """A line without a stamp is kept with the line that it continues."""
    text = line(0, "head") + "  more of it\n" + line(1, LOST)

    assert [number for number, _ in read(text, catalogue).surroundings.around(2, 1)] == [1, 2, 3]


def test_the_store_is_bounded() -> None:
    """When there is too much, the oldest lines go."""
    seed = count(1)
    text = "".join(line(n, f"{next(seed) * 0x9E3779B97F4A7C15 % (1 << 64):x}" * 8) for n in range(20_000))

    def everything(walls: Ints) -> Flags:
        near: Flags = walls >= walls.min()
        return near

    store = Surroundings(most=100_000)
    clock = clock_for(LogKind("pacemaker", ("pcmk.file.2x",)))
    for block in read_blocks(io.BytesIO(text.encode()), 1 << 16):
        store.add(block, clock.read(block))
        store.settle(everything, None, 0)

    assert store.around(1, 2) == ()
    assert len(store.around(20_000, 2)) == 3
