"""Takes in the stream of a node: files into the bundle, results into the manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hadiag.collect.bundle import Bundle, Writer, safe_path
from hadiag.collect.frames import Data, Frames, Said
from hadiag.collect.manifest import FileRow, NodeRow, Status, StepRow
from hadiag.collect.plan import Kind, Step

_KILLED = {124, 137, 143}
_NO_FILES = 66
_LEFT = {
    "forbidden": (Status.ABSENT, "it holds keys or passwords and is never read"),
    "special": (Status.ABSENT, "it is no regular file"),
    "denied": (Status.DENIED, "it may not be read without root"),
    "binary": (Status.ABSENT, "it is no text, so secrets in it could not be removed"),
}
_FILES_AT_MOST = 20_000


@dataclass(slots=True)
class Receiver:
    """Reads the stream of one node. ``on_change`` is called whenever there is something to show or to save."""

    node: NodeRow
    steps: Sequence[Step]
    bundle: Bundle
    room: int
    on_change: Callable[[], None] = lambda: None
    finished: bool = False
    greeted: bool = False
    current: StepRow | None = None
    _by_id: dict[str, Step] = field(default_factory=dict)
    _frames: Frames = field(default_factory=Frames)
    _writer: Writer | None = None
    _cpu: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_id = {step.id: step for step in self.steps}

    @property
    def patience(self) -> int:
        """Seconds without a word after which the node is given up."""
        step = self._by_id.get(self.current.step) if self.current else None
        return (step.seconds if step else 20) + 25

    def feed(self, data: bytes) -> None:
        """Take in the next bytes.

        Raises:
            OSError: the bundle cannot be written.
        """
        for part in self._frames.feed(data):
            if isinstance(part, Data):
                if self._writer is not None:
                    kept = self._writer.write(part.data)
                    self.room -= kept
                    if self.current is not None:
                        self.current.bytes += kept
            else:
                self._said(part)

    def _said(self, said: Said) -> None:
        handler = {
            "hello": self._hello,
            "step": self._step,
            "file": self._file,
            "end": self._end,
            "left": self._left,
            "late": self._late,
            "done": self._done,
            "cpu": self._usage,
            "io": self._io,
        }.get(said.word)
        if handler:
            handler(said)
        self.finished |= said.word == "bye"
        self.on_change()

    def _hello(self, said: Said) -> None:
        self.greeted = True
        self.node.hostname = said.text(1)[:255]
        self.node.user_id = said.number(3)

    def _step(self, said: Said) -> None:
        step = self._by_id.get(said.get(0))
        self.close(Status.TRUNCATED)
        self.current = None
        if step is None or step.kind is Kind.PART:
            return
        old = self.node.steps.get(step.id)
        for row in old.files if old else ():
            self.bundle.drop(self.node.directory, row)
        self.current = StepRow(step.id, step.about, step.command)
        # A new mapping, since another node's thread may be writing the manifest.
        self.node.steps = {**self.node.steps, step.id: self.current}

    def _file(self, said: Said) -> None:
        self.close(Status.TRUNCATED)
        if self.current is None or len(self.current.files) >= _FILES_AT_MOST:
            return
        limit = self._by_id[self.current.step].limit
        row = FileRow(self._free(safe_path(said.text(0))), said.text(4), mtime=said.number(2) or 0)
        row.truncated = (said.number(3) or 0) > limit
        self.current.files.append(row)
        self._writer = self.bundle.writer(self.node.directory, row, max(0, min(limit, self.room)))

    def _free(self, path: str) -> str:
        """A path that no other file of the node has: rotated parts lose their suffix when they are unpacked."""
        taken = {row.path for step in self.node.steps.values() for row in step.files}
        name, count = path, 1
        while name in taken:
            count += 1
            name = f"{path}~{count}"
        return name

    def _end(self, said: Said) -> None:
        if self._writer is None:
            return
        row = self._writer.row
        row.exit = said.number(0)
        row.why = said.text(1).strip()
        self.close(Status.TRUNCATED if row.truncated or self._frames.broken else Status.OK)

    def close(self, status: Status) -> None:
        """Finish the file that is open, if any."""
        if self._writer is None:
            return
        row = self._writer.row
        self._writer.close()
        self._writer = None
        row.status = status
        row.truncated |= status is not Status.OK
        if row.truncated and not row.why:
            row.why = "cut off at the limit of size" if status is Status.TRUNCATED else ""

    def _left(self, said: Said) -> None:
        if self.current is None:
            return
        if said.get(0) == "-":
            self.current.why = f"its time was over before {said.get(1)} more files"
            return
        status, why = _LEFT.get(said.get(1), (Status.ABSENT, said.get(1)))
        path = said.text(0)
        self.current.files.append(FileRow(safe_path(path), path, status=status, why=why))

    def _late(self, said: Said) -> None:
        if self.current is None:
            return
        path = said.text(0)
        self.close(Status.TIMEOUT)
        row = next((each for each in self.current.files if each.source == path), None)
        if row is None:
            row = FileRow(safe_path(path), path)
            self.current.files.append(row)
        row.status, row.why = Status.TIMEOUT, f"it could not be read within {said.get(1)} s"

    def _done(self, said: Said) -> None:
        row, self.current = self.current, None
        if row is None or row.step != said.get(0):
            return
        row.exit, row.seconds = said.number(1), said.number(2)
        killed = row.exit in _KILLED
        if self._writer is not None:
            self._writer.row.why = "cut off when its time was over"
        self.close(Status.TIMEOUT if killed else Status.TRUNCATED)
        self._judge(row, said.get(3), killed)

    def _judge(self, row: StepRow, tool: str, killed: bool) -> None:
        step = self._by_id[row.step]
        if tool:
            row.status, row.why = Status.ABSENT, f"there is no {tool} on the node"
        elif killed:
            row.status, row.why = Status.TIMEOUT, f"no result within {step.seconds} s"
        elif step.kind is Kind.COMMAND:
            _judge_command(row)
        elif step.kind is Kind.VIA and row.exit == _NO_FILES:
            said = row.files[0].why if row.files else ""
            row.status, row.why = Status.FAILED, f"it made no report: {said}" if said else "it made no report"
        else:
            _judge_files(row)

    def _usage(self, said: Said) -> None:
        self._cpu.append(said.rest)
        total = sum(int(part[0]) * 60 + float(part[1]) + int(part[2]) * 60 + float(part[3]) for part in self._cpu)
        self.node.cost["cpu_s"] = round(total, 2)

    def _io(self, said: Said) -> None:
        words = dict(zip(said.rest[::2], said.rest[1::2], strict=False))
        for name in ("read_bytes", "write_bytes", "rchar"):
            value = words.get(f"{name}:", "")
            if value.isdigit():
                self.node.cost[name] = int(value)


def _judge_command(row: StepRow) -> None:
    one = row.files[0] if row.files else None
    if one is None:
        row.status, row.why = Status.FAILED, "it gave no result"
        return
    row.exit, row.why = one.exit, one.why
    if one.status is not Status.OK:
        row.status = one.status
    elif one.exit and not one.bytes:
        row.status = Status.DENIED if "ermission denied" in one.why else Status.FAILED
        row.why = one.why or f"it ended with status {one.exit} and no output"
    else:
        row.status = Status.OK
        row.why = row.why or ("" if one.bytes else "it printed nothing")
    if not one.bytes:
        row.files.clear()


_WORST = (Status.TIMEOUT, Status.LOST, Status.DENIED, Status.TRUNCATED)


def _judge_files(row: StepRow) -> None:
    found = {each.status for each in row.files}
    worst = next((status for status in _WORST if status in found), None)
    if row.why:  # its time was over before all files
        row.status = Status.TIMEOUT
    elif worst:
        bad = [each for each in row.files if each.status is worst]
        row.status, row.why = (
            worst,
            f"{bad[0].source or bad[0].path}: {bad[0].why}" + (f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""),
        )
    elif not row.files or row.exit == _NO_FILES:
        row.status, row.why = Status.ABSENT, "there is no such file in the window"
    else:
        row.status = Status.OK
