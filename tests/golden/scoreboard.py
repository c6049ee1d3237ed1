"""Figures over all samples: right, undecided, confidently wrong; complete and with parts of the logs taken away.

``python -m tests.golden.scoreboard`` prints the table; ``--removed`` adds the runs with each node's logs removed in turn.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hadiag.export.jsonl import event_row
from hadiag.pipeline import Options, analyze
from hadiag.report.machine import as_data
from tests.golden.judge import (
    Sample,
    confidently_wrong,
    event_problems,
    samples,
    skew_problems,
    top_explanation,
    verdict_problems,
)

ROOT = Path(__file__).resolve().parents[2] / "samples"


def run(paths: list[Path]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Analyze some paths; the result as data, and the rows of the timeline."""
    analysis = analyze([str(path) for path in paths], Options())
    return dict(as_data(analysis.diagnosis)), [event_row(event) for event in analysis.timeline.events]


def problems(sample: Sample, *, raw: bool) -> tuple[list[str], dict[str, Any]]:
    """Everything that differs from the expectation of a sample."""
    result, rows = run(sample.raw if raw else sample.bundle)
    found = verdict_problems(result, sample.expected) + skew_problems(result, sample.expected)
    wrong = confidently_wrong(result, sample.expected)
    found += [f"CONFIDENTLY WRONG: {wrong}"] if wrong else []
    return found + event_problems(rows, sample.expected, raw=raw), result


FAMILIES = {
    "pacemaker": ("pacemaker.log", "journal_pacemaker"),
    "corosync": ("corosync.log", "journal_corosync"),
    "journal": ("journal", "syslog", "messages"),
}
"""Log families that the runs take away, with the names of their files."""


def without_node(sample: Sample, node: str) -> list[Path]:
    """The raw logs of all nodes but one."""
    return [path for path in sample.raw if path.name != f"{node}-varlog.tar.gz"]


def without_family(sample: Sample, family: str, directory: Path) -> list[Path]:
    """The bundle unpacked, without the files of one log family."""
    for archive in sample.bundle:
        with tarfile.open(archive) as tar:
            tar.extractall(directory / archive.stem, filter="tar")
    for path in sorted(directory.rglob("*")):
        if path.is_file() and any(word in path.name for word in FAMILIES[family]):
            path.unlink()
    return [directory / archive.stem for archive in sample.bundle]


def removed(sample: Sample) -> Iterator[tuple[str, dict[str, Any]]]:
    """Results with each node's logs, and each log family, removed in turn."""
    for node in sample.expected["cluster"]["nodes"]:
        paths = without_node(sample, node)
        if paths:
            yield f"without {node}", run(paths)[0]
    for family in FAMILIES:
        with TemporaryDirectory(prefix="hadiag-samples-") as directory:
            yield f"without the {family} logs", run(without_family(sample, family, Path(directory)))[0]


def _removed_line(label: str, result: dict[str, Any], expected: dict[str, Any]) -> tuple[str, bool]:
    wrong = confidently_wrong(result, expected)
    calm = expected.get("verdict") == "no_incident"
    loud = calm and any(f["severity"] in {"error", "critical"} for f in result["findings"] if f["holds"] == "true")
    top = top_explanation(result)
    said = f"{top['cause']} {top['confidence']:.2f}" if top else "-"
    mark = "WRONG" if wrong or loud else "ok"
    return f"      {mark:<6} {label:<28} {result['verdict']['status']:<12} {said}", bool(wrong or loud)


def main(arguments: list[str]) -> int:
    """Print the table; 0 if nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*")
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--removed", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    bad = 0
    for sample in samples(ROOT):
        if chosen.only and not any(sample.name.startswith(prefix) for prefix in chosen.only):
            continue
        found, result = problems(sample, raw=chosen.raw)
        bad += bool(found)
        top = top_explanation(result)
        said = f"{top['cause']} {top['confidence']:.2f}" if top else "-"
        kinds = ",".join(sorted({k for i in result["incidents"] for k in i["kinds"]}))
        sys.stdout.write(
            f"{'ok ' if not found else 'BAD'} {sample.name:<32} {result['verdict']['status']:<12} {said:<40} {kinds}\n"
        )
        for line in found:
            sys.stdout.write(f"      {line}\n")
        for label, partial in removed(sample) if chosen.removed else ():
            line, wrong = _removed_line(label, partial, sample.expected)
            bad += wrong
            sys.stdout.write(line + "\n")
        if chosen.json:
            sys.stdout.write(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(f"{bad} of the samples differ\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
