"""Mutated archives and logs through the whole reading: nothing may come of them but results and clean warnings.

``python -m tests.security.fuzz --count 10000 --seed 1`` prints the figure and every failure; 0 where there is none.
Case N of a seed is always the same, so ``--only N`` runs a failure again.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hadiag import catalogue as catalogue_stage
from hadiag import formats, snapshots
from hadiag.catalogue import Catalogue
from hadiag.errors import WARNINGS, HadiagError
from hadiag.extract import LogExtract, extract_log
from hadiag.model.fact import Fact
from hadiag.model.source import Artifact, ArtifactRole, Warn
from hadiag.pipeline import HEAD_BYTES, Options, analyze
from hadiag.resources import rules_dir
from hadiag.scan.database import Database, build_database
from hadiag.sources import Inputs, Limits
from hadiag.timeline import build
from tests.unit.formats.lines import JOURNAL, PLAIN
from tests.unit.sources.building import PACK, Row, hard_link, symlink, tar, zipped

LIMITS = Limits(member_bytes=8 << 20, ratio=200, members=2000, total_bytes=64 << 20)
SLOW_S = 20.0
"""A case that takes longer is a failure: no input of some kilobytes may."""
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
_DEEP_EVERY = 25
_TOKENS = (
    *(b"\0", b"\xff\xfe", b"\r\n", b"\n\n", b"\x1b[31m", b"\x1b", b"%s%n", b"\xef\xbb\xbf", b"9" * 40, b"-1", b"-- "),
    *(b"Feb 30 25:61:61", b"Dec 31 23:59:60", b"Feb 29 00:00:00", b"0000-00-00T00:00:00+99:99", b"\t", b" " * 300),
    *(b"[" * 50, b"(" * 50, b"<" * 50, b"{" * 200, b'{"a":' * 50, b"]]>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;"),
    *(b"message repeated 99999999 times: [", b"#==[ Command ]====#\n# /x\n", b"-0", b"1e999", b"nan", b"inf"),
    *(
        b"Members[9999]: 1 2\\",
        b"../../",
        b"\\n",
        b" | a=b",
        b"ref=pe_calc-dc-99999999999-1",
        b"\xc3\x28",
        b"\xed\xa0\x80",
    ),
)


def peak_mib() -> int:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@dataclass(slots=True)
class Figure:
    """What a run counted."""

    cases: int = 0
    artifacts: int = 0
    events: int = 0
    facts: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slowest_case: int = 0

    def took(self, number: int, seconds: float) -> None:
        """Keep the slowest case."""
        if seconds > self.slowest:
            self.slowest, self.slowest_case = seconds, number

    def line(self) -> str:
        """The figure in one sentence."""
        warned = ", ".join(f"{code} {count}" for code, count in self.warnings.most_common())
        return (
            f"{self.cases} cases, {len(self.failures)} failures; {self.artifacts} files, {self.events} events and "
            f"{self.facts} facts read; slowest {self.slowest:.1f} s (case {self.slowest_case}); "
            f"peak memory {peak_mib()} MiB; warnings: {warned or 'none'}"
        )


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Small files of every kind: lines of every grammar, and the starts of the files of recorded bundles."""
    plain = "\n".join(case.line for case in PLAIN).encode()
    journal = "\n".join(case.line for case in JOURNAL).encode()
    found = {
        "messages": plain,
        "journal.log": journal,
        "huge.log": b"May  7 13:33:20 n crmd[1]: error: " + b"x" * 100_000,
    }
    wanted = ("01-", "07-", "23-")
    archives = [path for path in sorted(SAMPLES.glob("*/*.tar.*")) if path.parent.name.startswith(wanted)]
    for artifact in Inputs([str(path) for path in archives]):
        name = artifact.path.rpartition("/")[2]
        data = artifact.stream.read(1 << 18)
        keep = data if len(data) < 1 << 14 else data[:6000]
        if artifact.role is ArtifactRole.CANDIDATE and data and name not in found and len(found) < 150:
            found[name] = keep
    return tuple(found.items())


def _flipped(rng: random.Random, data: bytes, at: int, _size: int) -> bytes:
    return data[:at] + bytes(each ^ 1 << rng.randrange(8) for each in data[at : at + 1]) + data[at + 1 :]


def _cut(_rng: random.Random, data: bytes, at: int, _size: int) -> bytes:
    return data[:at]


def _removed(_rng: random.Random, data: bytes, at: int, size: int) -> bytes:
    return data[:at] + data[at + size :]


def _repeated(rng: random.Random, data: bytes, at: int, size: int) -> bytes:
    return data[:at] + data[at : at + size] * rng.choice((2, 3, 50)) + data[at + size :]


def _zeroed(_rng: random.Random, data: bytes, at: int, size: int) -> bytes:
    return data[:at] + bytes(size) + data[at + size :]


def _overwritten(rng: random.Random, data: bytes, at: int, size: int) -> bytes:
    return data[:at] + rng.randbytes(size) + data[at + size :]


def _spliced(rng: random.Random, data: bytes, at: int, _size: int) -> bytes:
    other = rng.choice(seeds())[1]
    cut = rng.randrange(len(other) + 1)
    return data[:at] + other[cut : cut + 2000]


def _inserted(rng: random.Random, data: bytes, at: int, _size: int) -> bytes:
    return data[:at] + rng.choice(_TOKENS) * rng.choice((1, 1, 3)) + data[at:]


_CHANGES: tuple[Callable[[random.Random, bytes, int, int], bytes], ...] = (
    *(_flipped, _cut, _removed, _repeated, _zeroed, _overwritten, _spliced, _inserted),
)


def _mutated(rng: random.Random, data: bytes, most: int = 6) -> bytes:
    for _ in range(rng.randrange(1, most)):
        change = rng.choice(_CHANGES)
        data = change(rng, data, rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64, 512)))
    return data


def _some(rng: random.Random, *, damage: float) -> dict[str, bytes]:
    """Some files in one of the layouts that bundles have."""
    layout = rng.choice(("case/node1/{}", "s/sos_commands/pacemaker/{}", "s/var/log/{}", "{}", "scc_a/{}", "a/b/c/{}"))
    chosen = rng.sample(seeds(), rng.randrange(1, 6))
    marks = {"case/report.summary": b"a", "s/version.txt": b"sosreport: 4.0\n", "s/etc/hostname": b"node1\n"}
    rows = {name: marks[name] for name in sorted(marks) if name[:2] == layout[:2]}
    for name, data in chosen:
        rows[layout.format(name)] = _mutated(rng, data) if rng.random() < damage else data
    return rows


def _archive(rng: random.Random, *, damage: float) -> bytes:
    rows = _some(rng, damage=damage)
    if rng.random() < 0.3:
        rows["inner.tar.gz"] = PACK["gz"](tar(_some(rng, damage=damage)))
    if rng.random() < 0.25:
        return zipped(rows)
    members: list[Row] = [
        *rows.items(),
        symlink("l", rng.choice((*rows, "/etc/passwd"))),
        hard_link("h", rng.choice(list(rows))),
    ]
    data = tar(members)
    return data if rng.random() < 0.3 else PACK[rng.choice(list(PACK))](data)


def case(seed: int, number: int) -> bytes:
    """Bytes of one case."""
    rng = random.Random(f"{seed}/{number}")
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: _mutated(rng, _archive(rng, damage=0.0)),
        lambda: _archive(rng, damage=0.8),
        lambda: _mutated(rng, _archive(rng, damage=0.5), 3),
        lambda: _mutated(rng, rng.choice(seeds())[1]),
        lambda: _mutated(rng, PACK[rng.choice(list(PACK))](rng.choice(seeds())[1]), 3),
    )
    return rng.choice(makers)()


class Fuzzer:
    """Reads cases as the pipeline does, without its net around each file."""

    def __init__(self) -> None:
        self.catalogue: Catalogue = catalogue_stage.load([rules_dir() / "events"])
        self.database: Database = build_database(self.catalogue)
        self.figure = Figure()

    def run(self, seed: int, numbers: Sequence[int]) -> Iterator[str]:
        """Run cases; yields each failure."""
        with tempfile.TemporaryDirectory(prefix="hadiag-fuzz-") as folder:
            path = Path(folder) / "case"
            for number in numbers:
                path.write_bytes(case(seed, number))
                start = time.process_time()
                failure = self._failure(path, deep=number % _DEEP_EVERY == 0)
                took = time.process_time() - start
                self.figure.took(number, took)
                self.figure.cases += 1
                if took > SLOW_S:
                    failure = failure or f"took {took:.0f} s"
                if failure:
                    self.figure.failures.append(f"case {number}: {failure}")
                    yield self.figure.failures[-1]

    def _failure(self, path: Path, *, deep: bool) -> str | None:
        try:
            warnings = self._analyzed(path) if deep else self._read(path)
        except Exception:  # noqa: BLE001 - finding any exception is what this is for
            return traceback.format_exc()
        self.figure.warnings.update(warn.code for warn in warnings)
        for warn in warnings:
            if warn.code not in WARNINGS or warn.code.endswith("-failed"):
                return f"{warn.code}: {warn.message}"
        return None

    def _read(self, path: Path) -> list[Warn]:
        inputs = Inputs([str(path)], LIMITS)
        facts: list[Fact] = []
        extracts: list[LogExtract] = []
        warnings: list[Warn] = []
        for artifact in inputs:
            self.figure.artifacts += 1
            warnings += self._artifact(artifact, facts, extracts)
        warnings += [warn for _, warn in inputs.warnings]
        events = [event for one in extracts for event in one.events]
        self.figure.events += len(events)
        self.figure.facts += len(facts)
        collected: Mapping[str, int] = {str(bundle): at for bundle, at in inputs.collected_at.items()}
        line = build(events, [one.summary for one in extracts], facts, self.catalogue, collected_at=collected)
        return [*warnings, *line.warnings]

    def _artifact(self, artifact: Artifact, facts: list[Fact], extracts: list[LogExtract]) -> list[Warn]:
        head = artifact.stream.read(HEAD_BYTES)
        if artifact.role is not ArtifactRole.CANDIDATE or not head:
            return []
        parser = snapshots.match(artifact.path, head)
        if parser is not None:
            data = head + artifact.stream.read(snapshots.MAX_BYTES - len(head))
            source = snapshots.Source(artifact.bundle, artifact.path, artifact.node_hint, artifact.mtime)
            found, warnings = snapshots.read(parser, source, data)
            facts += found
            return list(warnings)
        kind = formats.detect(artifact.path, head)
        if kind is None:
            refused = formats.refusal(artifact.path, head)
            return [refused] if refused else []
        extracts.append(extract_log(artifact, head, kind, self.database, self.catalogue))
        return list(extracts[-1].warnings)

    def _analyzed(self, path: Path) -> list[Warn]:
        """The whole analysis; its own refusals are sentences for people and no failures."""
        try:
            analysis = analyze([str(path)], Options(limits=LIMITS))
        except HadiagError:
            return []
        return [*analysis.diagnosis.warnings]


def main(arguments: list[str]) -> int:
    """Run the cases and print the figure; 1 where any failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run this case alone")
    chosen = parser.parse_args(arguments)
    fuzzer = Fuzzer()
    numbers = range(chosen.count) if chosen.only is None else [chosen.only]
    for failure in fuzzer.run(chosen.seed, numbers):
        sys.stdout.write(failure + "\n")
        sys.stdout.flush()
    sys.stdout.write(fuzzer.figure.line() + "\n")
    return 1 if fuzzer.figure.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
