"""The shipped catalogue, as the engine sees it."""

from __future__ import annotations

import pytest

from hadiag.catalogue import Catalogue, Matcher, load
from hadiag.catalogue.fields import typed
from hadiag.catalogue.lint import CALLBACKS_PER_LINE, callbacks_per_line, lint
from hadiag.resources import rules_dir
from hadiag.scan.database import build_database


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load([rules_dir() / "events"])


def test_every_sample_is_its_own_event(catalogue: Catalogue) -> None:
    """Whatever else matches the line."""
    matcher = Matcher(catalogue)
    wrong = []
    for pattern in catalogue.patterns:
        program = next(iter(catalogue.types[pattern.type].programs), None)
        for sample in pattern.samples:
            match = matcher.match(program, sample.line, None, matcher.candidates(sample.line))
            if match is None or match.type != pattern.type:
                wrong.append(f"{pattern.origin}: {match.type if match else None}: {sample.line}")
    assert wrong == []


def test_both_confirming_engines_capture_the_expected_fields(catalogue: Catalogue) -> None:
    """What ``re`` proved at load time comes out of the matcher too, also where it asks RE2."""
    matcher = Matcher(catalogue)
    wrong = []
    for pattern in catalogue.patterns:
        event = catalogue.types[pattern.type]
        program = next(iter(event.programs), None)
        for sample in pattern.samples:
            match = matcher.match(program, sample.line, None, [pattern.id])
            for name, value in sample.fields.items():
                wanted = {value, None if value is None else typed(event.fields[name], str(value))}
                if match is None or match.fields.get(name) not in wanted:
                    wrong.append(f"{pattern.origin}: {name}: {sample.line}")
    assert wrong == []


def test_the_scan_finds_every_sample(catalogue: Catalogue) -> None:
    """Both engines report each pattern for each of its samples, in one block of all samples."""
    samples = [(pattern.id, sample.line) for pattern in catalogue.patterns for sample in pattern.samples]
    block = "".join(f"Nov 22 10:00:00 n1 x[1]:  {line}\n" for _, line in samples).encode()
    for engine in ("hyperscan", "re2"):
        database = build_database(catalogue, engine, cache=False)
        found = {(line, index) for number, line in database.scan(block) for index in database.patterns[number]}
        missed = [text for line, (index, text) in enumerate(samples) if (line, index) not in found]
        assert missed == [], engine


def test_no_pattern_backtracks(catalogue: Catalogue) -> None:
    """No hostile line may hold up the run."""
    assert [remark for remark in lint(catalogue) if "backtracks" in remark] == []


def test_the_scan_reports_a_line_hardly_more_than_once(catalogue: Catalogue) -> None:
    """Each report costs a call into Python."""
    assert callbacks_per_line(catalogue) <= CALLBACKS_PER_LINE
