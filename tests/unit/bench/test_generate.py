"""The benchmark's data: repeatable, of the size that was asked for, with planted lines where the truth says."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from hadiag.export.jsonl import timeline_lines
from hadiag.pipeline import Options, analyze
from tests.bench.__main__ import size_of
from tests.bench.generate import generate
from tests.bench.recall import found

SIZE = 600_000


def digest(root: Path) -> str:
    """Digest over all files."""
    total = sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            total.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    """The data of a table can be made again; another seed gives other data."""
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        generate(tmp_path / name / "case", SIZE, mix="dense", seed=seed)

    assert digest(tmp_path / "one") == digest(tmp_path / "two") != digest(tmp_path / "three")


@pytest.mark.parametrize("mix", ["days", "dense"])
def test_all_planted_lines_are_found(tmp_path: Path, mix: str) -> None:
    """Every planted line stands where the truth says, and comes out of an analysis as the event that it is."""
    truth = generate(tmp_path / "case", SIZE, mix=mix, seed=3)
    data = json.loads((tmp_path / "truth.json").read_text())
    for planted in truth.planted:
        lines = (tmp_path / "case" / planted.path).read_text().splitlines()
        assert planted.name in lines[planted.line - 1]

    events = analyze([str(tmp_path / "case")], Options()).timeline.events

    shown, planted_lines, rows = found(data, timeline_lines(events, {}), "")
    assert (shown, rows) == (planted_lines, len(events))
    assert planted_lines > 0
    assert SIZE <= truth.bytes < SIZE * 2


@pytest.mark.parametrize(("text", "size"), [("2MB", 2_000_000), ("1.5gb", 1_500_000_000), ("64 KB", 64_000)])
def test_sizes(text: str, size: int) -> None:
    """Sizes as people write them."""
    assert size_of(text) == size


def test_a_size_without_a_unit_is_refused() -> None:
    """A bare number is no size."""
    with pytest.raises(ValueError, match="try 100MB"):
        size_of("100")
