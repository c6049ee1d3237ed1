"""Generated bundles: the lines of the recordings, time-shifted and repeated, with planted lines and their truth.

Two mixes:

* ``dense``: whole recordings one after the other, a cluster that starts and fails every few minutes without end. Some
  45 % of its lines are known events.
* ``days``: days of ordinary operation (the lines of the recordings that are no core event, stretched over ten minutes
  each), and a whole recorded incident every ``EVERY`` stretches. Some 2 % of its lines are kept as events.

Equal arguments give equal bytes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import IO, Final

from hadiag.catalogue.matcher import Matcher
from hadiag.formats import LineParser, LogKind
from hadiag.model.event import EventClass
from hadiag.model.source import BundleId, SourceRef
from hadiag.pipeline import Options, load_catalogue
from hadiag.scan.database import build_database
from tests.bench.recordings import Line, Logs, Recording, recordings

EVERY: Final = 24
"""In the mix ``days``: one whole incident in so many stretches."""
START_MS: Final = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp()) * 1000
PLANT_BYTES: Final = 400_000
"""One line is planted for so many bytes."""
_STRETCH_MS: Final = 600_000
_PAUSE_MS: Final = 90_000
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

PLANTS: Final = (
    (
        "pacemaker.log",
        "pcmk.op.result_new",
        " {node} pacemaker-controld  [93] (log_executor_event) \tnotice: Result of monitor operation for planted-{n} on {node}: error (planted) | graph action confirmed; call={n} key=planted-{n}_monitor_10000 rc=1",
    ),
    (
        "syslog",
        "pcmk.op.result_new",
        " {node} pacemaker-controld[93]:  notice: Result of start operation for planted-{n} on {node}: not installed",
    ),
    (
        "pacemaker.log",
        "fence.op_result",
        " {node} pacemaker-fenced    [89] (finalize_op) \terror: Operation 'reboot' targeting planted-{n} by {node} for pacemaker-controld.93@{node}: Error occurred (No route to host) | id={n:08x}",
    ),
)
"""Log, event type and text behind the stamp of the lines that are planted; the number makes each one unique."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted line: where it stands, and which event it is."""

    type: str
    path: str
    line: int
    name: str


@dataclass(slots=True)
class Truth:
    """What is in a generated bundle."""

    seed: int
    mix: str
    nodes: int
    bytes: int = 0
    lines: int = 0
    incidents: int = 0
    planted: list[Planted] = field(default_factory=list)


class _Log:
    """A log that is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.bytes = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream: IO[str] = path.open("w", encoding="utf-8", errors="replace", newline="\n")

    def write(self, rows: list[str]) -> None:
        text = "".join(rows)
        self.bytes += len(text)
        self.lines += text.count("\n")
        self._stream.write(text)

    def close(self) -> None:
        self._stream.close()


def generate(root: Path, size: int, *, mix: str = "days", nodes: int = 2, seed: int = 1) -> Truth:
    """Write the logs of a cluster below ``root`` until they have ``size`` bytes; the truth is in ``truth.json`` beside it."""
    writer = _Writer(root, Truth(seed, mix, nodes))
    material = [each for each in recordings() if each.nodes <= max(nodes, 2)]
    turn = 0
    while writer.bytes < size:
        writer.stretch(writer.random.choice(material), whole=mix == "dense" or turn % EVERY == EVERY // 2)
        turn += 1
    truth = writer.finish()
    for node in range(1, nodes + 1):
        (root / f"b{node}" / "corosync.conf").write_text(_conf(nodes), encoding="utf-8")
    root.with_name("truth.json").write_text(json.dumps(asdict(truth), indent=1), encoding="utf-8")
    return truth


class _Writer:
    """Writes stretch after stretch to the logs of all nodes."""

    def __init__(self, root: Path, truth: Truth) -> None:
        self.random = Random(truth.seed)
        self.truth = truth
        self.now = START_MS
        self.logs = {
            (node, name): _Log(root / f"b{node}" / name)
            for node in range(1, truth.nodes + 1)
            for name in ("pacemaker.log", "corosync.log", "syslog")
        }

    @property
    def bytes(self) -> int:
        """Size of all logs so far."""
        return sum(log.bytes for log in self.logs.values())

    def stretch(self, recording: Recording, *, whole: bool) -> None:
        """Write a recorded incident, or ten minutes of what is ordinary in it."""
        source = recording.logs if whole else _ordinary(recording.name)
        factor = 1.0 if whole else _STRETCH_MS / (recording.length_ms + 1)
        plant = self.random.choice(PLANTS) if self.bytes >= PLANT_BYTES * len(self.truth.planted) else None
        chosen, salt = self.random.randrange(1, self.truth.nodes + 1), self.random.getrandbits(64)
        self.truth.incidents += whole
        for (node, name), log in self.logs.items():
            model = (node - 1) % recording.nodes + 1
            rows = source.get((model, name), [])
            times = [self.now + int(line.at_ms * factor) for line in rows]
            texts = [_stamped(at_ms, line, salt) for at_ms, line in zip(times, rows, strict=True)]
            if node != model:
                texts = [text.replace(f" b{model} ", f" b{node} ", 1) for text in texts]
            if plant is not None and (node, name) == (chosen, plant[0]) and rows:
                place = self.random.randrange(len(rows))
                line = log.lines + sum(row.count("\n") for row in texts[: place + 1]) + 1
                texts.insert(place + 1, self._plant(plant, f"b{node}", times[place], line))
            log.write(texts)
        self.now += recording.length_ms + _PAUSE_MS if whole else _STRETCH_MS

    def _plant(self, plant: tuple[str, str, str], node: str, at_ms: int, line: int) -> str:
        """A planted line; its place goes into the truth."""
        name, event, text = plant
        number = len(self.truth.planted) + 1
        self.truth.planted.append(Planted(event, f"{node}/{name}", line, f"planted-{number}"))
        return _stamped(at_ms, Line(0, name == "pacemaker.log", (text.format(node=node, n=number),)), 0)

    def finish(self) -> Truth:
        """Close all logs."""
        for log in self.logs.values():
            log.close()
        self.truth.bytes = self.bytes
        self.truth.lines = sum(log.lines for log in self.logs.values())
        return self.truth


def _stamped(at_ms: int, line: Line, salt: int) -> str:
    return f"{stamp(at_ms, fraction=line.fraction)}{line.text(salt)}\n"


def stamp(at_ms: int, *, fraction: bool) -> str:
    """A stamp as syslog and the daemons print it."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{ms:03d}" if fraction else _second(seconds)


@cache
def _day(day: int) -> str:
    moment = datetime.fromtimestamp(day * 86400, UTC)
    return f"{_MONTHS[moment.month - 1]} {moment.day:2d} "


def _second(seconds: int) -> str:
    day, rest = divmod(seconds, 86400)
    return f"{_day(day)}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


@cache
def _ordinary(name: str) -> Logs:
    """The lines of a recording that are no core event."""
    recording = next(each for each in recordings() if each.name == name)
    return {key: _without_core(lines) for key, lines in recording.logs.items()}


def _without_core(lines: list[Line]) -> list[Line]:
    catalogue = load_catalogue(Options())
    heads = [_stamped(START_MS, line, 0).split("\n", 1)[0] for line in lines]
    data = "".join(f"{head}\n" for head in heads).encode()
    found: dict[int, list[int]] = {}
    database = build_database(catalogue)
    for number, index in database.scan(data):
        found.setdefault(index, []).extend(database.patterns[number])
    parser, matcher = LineParser(LogKind("pacemaker", ())), Matcher(catalogue)
    core = set()
    for index, ids in found.items():
        record = parser.parse(heads[index], SourceRef(BundleId(""), "", 1, 0, 0))
        match = record and matcher.match(record.program, record.message, record.details, ids)
        if match and catalogue.types[match.type].cls is EventClass.CORE:
            core.add(index)
    return [line for index, line in enumerate(lines) if index not in core]


def _conf(nodes: int) -> str:
    entries = "".join(
        f"    node {{\n        ring0_addr: 10.99.0.{n}\n        name: b{n}\n        nodeid: {n}\n    }}\n"
        for n in range(1, nodes + 1)
    )
    return (
        f"totem {{\n    version: 2\n    cluster_name: bench\n    transport: knet\n}}\nnodelist {{\n{entries}}}\n"
        "quorum {\n    provider: corosync_votequorum\n}\n"
    )


def as_report(root: Path) -> Path:
    """The same logs of Pacemaker as crm report leaves them, unpacked: what crmsh reads needs a description and a CIB."""
    target = root.with_name("report")
    if target.exists():
        shutil.rmtree(target)
    nodes = sorted(each.name for each in root.iterdir())
    for name in nodes:
        (target / name).mkdir(parents=True)
        shutil.copyfile(root / name / "pacemaker.log", target / name / "ha-log.txt")
        shutil.copyfile(root / name / "corosync.conf", target / name / "corosync.conf")
        (target / name / "cib.xml").write_text(_cib(nodes), encoding="utf-8")
    (target / "description.txt").write_text("a generated report\n", encoding="utf-8")
    return target


def _cib(nodes: list[str]) -> str:
    entries = "".join(f'<node id="{number}" uname="{name}"/>' for number, name in enumerate(nodes, 1))
    resources = "".join(
        f'<primitive id="{name}" class="ocf" provider="pacemaker" type="Dummy"/>' for name in ("vip", "db", "web")
    )
    return (
        '<cib crm_feature_set="3.19.0" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">'
        f"<configuration><crm_config/><nodes>{entries}</nodes><resources>{resources}</resources><constraints/></configuration><status/></cib>\n"
    )


PACKERS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "bz2": (("lbzip2", "-n2"), ("bzip2",)),
    "xz": (("xz", "-3", "-T1"),),
    "gz": (("gzip", "-6", "-n"),),
    "zst": (("zstd", "-3", "-q"),),
}
"""Compressors for each suffix, the first one that is installed is taken. sos writes xz in one block at level 3."""


def pack(root: Path, suffix: str) -> Path:
    """Pack a generated directory as ``<root>.tar.<suffix>``."""
    target = root.with_name(f"{root.name}.tar.{suffix}")
    command = next((each for each in PACKERS[suffix] if shutil.which(each[0])), None)
    if command is None:
        raise SystemExit(f"{PACKERS[suffix][0][0]} is not installed, so no {suffix} archive can be made.")
    tar = (
        "tar",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--mtime=@1795000000",
        "-C",
        str(root.parent),
        "-cf",
        "-",
        root.name,
    )
    with target.open("wb") as stream:
        writer = subprocess.Popen(tar, stdout=subprocess.PIPE)
        subprocess.run([*command, "-c"], stdin=writer.stdout, stdout=stream, check=True)
        if writer.wait():
            raise SystemExit("tar failed")
    return target


def main(root: str, size: str, mix: str, nodes: str, seed: str) -> None:
    """Generate a bundle: a process of its own, so that its memory does not count in what is measured."""
    generate(Path(root), int(size), mix=mix, nodes=int(nodes), seed=int(seed))


if __name__ == "__main__":
    main(*sys.argv[1:])
