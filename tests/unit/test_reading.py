"""Reading several inputs: one after the other, or each in a process of its own."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hadiag import reading
from hadiag.catalogue import Catalogue
from hadiag.errors import NoInputError
from hadiag.reading import Options, load_catalogue, read_inputs

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(Options())


@pytest.fixture(scope="module")
def reports() -> list[str]:
    return [str(path) for path in sorted(SAMPLES.glob("*/sosreport-*.tar.xz"))]


def test_side_by_side_is_the_same_as_one_after_the_other(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events, facts, warnings and their order do not tell how they were read; what was given twice is read once."""
    paths = [*reports, reports[0]]
    told: list[tuple[int, int]] = []
    alone = read_inputs(paths, catalogue, Options(workers=1))
    monkeypatch.setattr(reading, "SIDE_BY_SIDE_BYTES", 1)

    both = read_inputs(paths, catalogue, Options(workers=2, on_bytes=lambda *args: told.append(args)))

    assert len(reports) == 2
    assert replace(both, surroundings={}) == replace(alone, surroundings={})
    assert both.surroundings.keys() == alone.surroundings.keys()
    assert [warn.code for _, warn in both.input_warnings] == ["input-duplicate"]
    assert [number for number, _ in told] == [0, 1, 2]


def test_a_process_that_dies_costs_time_only(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is read again in this process."""

    def dying(*_: object) -> None:
        raise BrokenExecutor

    monkeypatch.setattr(reading, "SIDE_BY_SIDE_BYTES", 1)
    monkeypatch.setattr(reading, "ProcessPoolExecutor", dying)

    assert read_inputs(reports, catalogue, Options(workers=2)).events


def test_small_and_single_inputs_need_no_process(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Processes start where that pays only; a missing input is told as before."""

    def refuse(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(reading, "ProcessPoolExecutor", refuse)
    assert read_inputs(reports, catalogue, Options(workers=8)).events
    with pytest.raises(NoInputError, match=r"cannot be read: No such file"):
        read_inputs([str(tmp_path / "a"), str(tmp_path / "b")], catalogue, Options(workers=8))
