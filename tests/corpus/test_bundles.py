"""The same logs in every kind of bundle: the same verdict, the same events."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hadiag.export.jsonl import event_row
from hadiag.pipeline import Analysis, Options, analyze, load_catalogue, read_inputs
from hadiag.report.machine import as_data
from tests.corpus.repack import COMPRESS, KINDS, Maker, cleaned, crm_report, materials
from tests.golden.judge import samples, top_explanation
from tests.golden.scoreboard import ROOT

SAMPLES = {sample.name: sample for sample in samples(ROOT)}
CHOSEN = ("02-split-brain", "07-monitor-failure")
SOME = ("sos collect", "supportconfig", "mixed kinds", "rotated parts", "given twice")
CASES = [*((CHOSEN[0], kind) for kind in KINDS), *((CHOSEN[1], kind) for kind in SOME)]


def verdict(analysis: Analysis) -> dict[str, Any]:
    """What an analysis concludes, without its figures."""
    result: dict[str, Any] = dict(as_data(analysis.diagnosis))
    top = top_explanation(result) or {}
    return {
        "status": result["verdict"]["status"],
        "kinds": sorted(kind for incident in result["incidents"] for kind in incident["kinds"]),
        "causes": [(cause["cause"], cause["role"]) for cause in top.get("causes", ())],
        "cause": top.get("cause"),
        "nodes": sorted(node["name"] for node in result["nodes"]),
        "resources": top.get("resources"),
    }


def events(analysis: Analysis) -> list[tuple[object, ...]]:
    """Every event with its observer and time to the second."""
    rows = [event_row(event) for event in analysis.timeline.events]
    return sorted((row["type"], row["observer"], str(row["time"])[:19], row["message"]) for row in rows)


@cache
def original(name: str) -> tuple[dict[str, Any], list[tuple[object, ...]]]:
    """Verdict and events of the logs as they were recorded."""
    analysis = analyze([str(path) for path in SAMPLES[name].raw], Options())
    return verdict(analysis), events(analysis)


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{name}: {kind}" for name, kind in CASES])
def test_the_verdict_does_not_depend_on_the_bundle(name: str, kind: str, tmp_path: Path) -> None:
    """Whatever tool packed the logs, hadiag concludes the same from them."""
    maker: Maker = KINDS[kind]
    analysis = analyze([str(path) for path in maker(tmp_path, materials(SAMPLES[name]))], Options())
    assert verdict(analysis) == original(name)[0]


@pytest.mark.parametrize("name", CHOSEN)
def test_reports_that_were_masked_one_by_one(name: str, tmp_path: Path) -> None:
    """Two hosts with the same masked name are two nodes; their node ids tell which."""
    analysis = analyze([str(path) for path in cleaned(tmp_path, materials(SAMPLES[name]))], Options())
    told, expected = verdict(analysis), original(name)[0]
    assert len(told["nodes"]) == len(expected["nodes"])
    assert {key: told[key] for key in ("status", "kinds", "causes", "cause", "resources")} == {
        key: expected[key] for key in ("status", "kinds", "causes", "cause", "resources")
    }


@pytest.mark.parametrize("suffix", COMPRESS)
def test_every_compression_gives_the_same_events(suffix: str, tmp_path: Path) -> None:
    """A bundle reads the same however it is compressed, from a file and from a pipe."""
    (path,) = crm_report(tmp_path, materials(SAMPLES[CHOSEN[0]]), suffix)
    renamed = path.rename(tmp_path / "upload")
    catalogue = load_catalogue(Options())
    from_file = read_inputs([str(renamed)], catalogue, Options())
    from_pipe = read_inputs(["-"], catalogue, Options(), io.BytesIO(renamed.read_bytes()))
    assert len(from_file.events) > 1000
    for reading in (from_file, from_pipe):
        rows = [(event.ref.path, event.ref.line, event.type, event.message) for event in reading.events]
        assert sorted(rows) == uncompressed()
        assert reading.warnings == ()


@cache
def uncompressed() -> list[tuple[str, int, str, str]]:
    """Events of the bundle without compression."""
    with TemporaryDirectory() as folder:
        (path,) = crm_report(Path(folder), materials(SAMPLES[CHOSEN[0]]), "")
        reading = read_inputs([str(path)], load_catalogue(Options()), Options())
    return sorted((event.ref.path, event.ref.line, event.type, event.message) for event in reading.events)
