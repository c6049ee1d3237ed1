"""Reading in one process, and divided between several."""

from __future__ import annotations

import os
import signal
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hadiag import reading
from hadiag.catalogue import Catalogue
from hadiag.errors import NoInputError
from hadiag.reading import Options, Reading, load_catalogue, read_inputs
from hadiag.shares import divided

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(Options())


@pytest.fixture(scope="module")
def reports() -> list[str]:
    return [str(path) for path in sorted(SAMPLES.glob("*/sosreport-*.tar.xz"))]


def read_alone(paths: list[str], catalogue: Catalogue) -> Reading:
    """All in this process."""
    return read_inputs(paths, catalogue, Options(workers=1))


def same(one: Reading, other: Reading) -> bool:
    """Whether two readings do not tell how they were read; of what surrounds the lines only the places are compared."""
    places = one.surroundings.keys() == other.surroundings.keys()
    return places and replace(one, surroundings={}) == replace(other, surroundings={})


def test_inputs_side_by_side_are_the_same_as_one_after_the_other(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events, facts, warnings and their order do not tell how they were read; what was given twice is read once."""
    paths = [*reports, reports[0]]
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(reading, "SIDE_BY_SIDE_BYTES", 1)

    both = read_inputs(paths, catalogue, Options(workers=2, on_bytes=lambda *args: told.append(args)))

    assert len(reports) == 2
    assert same(both, read_alone(paths, catalogue))
    assert [warn.code for _, warn in both.input_warnings] == ["input-duplicate"]
    assert {number for number, _ in told} == {0, 1, 2}


@pytest.mark.parametrize("workers", [2, 3])
def test_the_artefacts_of_one_input_are_divided(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: int
) -> None:
    """An archive and a directory give the same whatever process reads a file of them, damaged members included."""
    folder = tmp_path / "case"
    for number, report in enumerate(reports):
        with tarfile.open(report) as tar:
            tar.extractall(folder / str(number), filter="data")
    (folder / "0" / "broken.log.gz").write_bytes(b"\x1f\x8b\x08\x00" + b"x" * 400)
    cut = tmp_path / "cut.tar.xz"
    cut.write_bytes(Path(reports[0]).read_bytes()[:-20_000])
    monkeypatch.setattr(reading, "SIDE_BY_SIDE_BYTES", 1)

    for path in (reports[0], str(folder), str(cut)):
        shared = read_inputs([path], catalogue, Options(workers=workers))
        assert shared.events
        assert same(shared, read_alone([path], catalogue)), path
    assert shared.input_warnings


def test_a_process_that_dies_costs_time_only(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had to do is done in this process."""
    here, read = os.getpid(), reading._read_share

    def dying(*given: Any) -> Any:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(*given)

    monkeypatch.setattr(reading, "SIDE_BY_SIDE_BYTES", 1)
    monkeypatch.setattr(reading, "_read_share", dying)

    assert same(read_inputs(reports, catalogue, Options(workers=2)), read_alone(reports, catalogue))


def test_what_a_copy_cannot_do_is_told_by_the_original() -> None:
    """The share is done again here, and raises here."""

    def failing(number: int) -> int:
        if number:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="1"):
        divided(failing, 2)


def test_small_inputs_need_no_process(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Processes start where that pays only; a missing input is told as before."""

    def refuse(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(reading, "divided", refuse)
    assert read_inputs(reports, catalogue, Options(workers=8)).events
    with pytest.raises(NoInputError, match=r"cannot be read: No such file"):
        read_inputs([str(tmp_path / "a"), str(tmp_path / "b")], catalogue, Options(workers=8))


def test_an_input_that_may_not_be_looked_at_is_told_when_it_is_read(
    catalogue: Catalogue, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows then whether several processes pay; the input is read, or refused, in this one."""

    def denied(_: Path) -> reading._Size:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reading, "SIDE_BY_SIDE_BYTES", 1)
    monkeypatch.setattr(reading, "_size", denied)

    assert same(read_inputs(reports, catalogue, Options(workers=2)), read_alone(reports, catalogue))
