"""google-re2, the fallback, reports what hyperscan reports: with the shipped catalogue, over all recordings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hadiag.catalogue import Catalogue, load
from hadiag.resources import rules_dir
from hadiag.scan.blocks import read_blocks
from hadiag.scan.database import Database, build_database
from hadiag.sources import Inputs
from tests.golden.judge import Sample, samples
from tests.golden.scoreboard import ROOT

SAMPLES = samples(ROOT)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load([rules_dir() / "events"])


@pytest.fixture(scope="module")
def engines(catalogue: Catalogue) -> tuple[Database, Database]:
    return build_database(catalogue, "hyperscan"), build_database(catalogue, "re2")


def blocks(sample: Sample) -> Iterator[bytes]:
    """All text of a sample's bundles and raw logs, in blocks; what is the same in two nodes is looked at once."""
    seen = set()
    for artifact in Inputs([str(path) for path in (*sample.bundle, *sample.raw)]):
        for block in read_blocks(artifact.stream):
            if block.data not in seen:
                seen.add(block.data)
                yield block.data


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_both_engines_report_the_same(sample: Sample, engines: tuple[Database, Database]) -> None:
    """The same patterns in the same lines, in every text of every bundle."""
    fast, slow = engines
    count = 0
    for data in blocks(sample):
        found = set(fast.scan(data))
        assert found == set(slow.scan(data))
        count += len(found)
    assert count > 500
