"""Runs a collection: all nodes at the same time, each in its own thread; whatever hangs costs its step only."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from hadiag import __version__
from hadiag.collect import clock
from hadiag.collect.bundle import Bundle, cannot_write
from hadiag.collect.conclude import conclude
from hadiag.collect.manifest import CUT, DONE, Manifest, NodeRow, Result, Status, StepRow
from hadiag.collect.nodes import NodeSpec
from hadiag.collect.plan import Kind, Step, Window, steps
from hadiag.collect.receive import Receiver
from hadiag.collect.script import BOOTSTRAP, script
from hadiag.collect.ssh import Link, Local, Remote, SshOptions, Unreachable, end, read_some, reason, rights, start
from hadiag.errors import OutputError, UsageError
from hadiag.model.frozen import record

ROOM = 8 << 30
"""Bytes that one node may fill at most."""
FAR_S = 2.0
"""A clock that is further off than this gets the window on its own time."""
_CHUNK = 1 << 20


@record
class Progress:
    """How far a node is. ``state`` is one of connecting, collecting, done, failed."""

    node: str
    state: str
    done: int
    total: int
    bytes: int
    doing: str = ""


@record
class Order:
    """What is to be collected."""

    output: str
    nodes: tuple[NodeSpec, ...]
    window: Window
    via: str = ""
    ssh: SshOptions = field(default_factory=SshOptions)
    add: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()


OnProgress = Callable[[Progress], None]


def collect(order: Order, on_progress: OnProgress = lambda _: None) -> Manifest:
    """Collect, and pack the bundle; a second call with the same output goes on where the first one ended.

    Raises:
        OutputError: the bundle cannot be written.
        UsageError: the output is there and is something else.
    """
    run = _Run(order, on_progress)
    run.nodes()
    return run.finish()


class _Run:
    """One collection while it runs."""

    def __init__(self, order: Order, on_progress: OnProgress) -> None:
        self.order = order
        self.stop = threading.Event()
        self.bundle = Bundle(order.output)
        self.manifest = self.bundle.open() or self._new()
        self.steps = tuple(step for step in steps(order.via) if not order.only or step.id in order.only)
        self.window = Window(self.manifest.since, self.manifest.until)
        self.failure: OSError | None = None
        self._tell = on_progress

    def _new(self) -> Manifest:
        window = self.order.window
        return Manifest(__version__, window.since, window.until, int(time.time()), self.order.via)

    def nodes(self) -> None:
        """Collect from all nodes; Ctrl-C ends it in order."""
        rows = {spec.name: self.row(spec.name, *_way(spec)) for spec in self.order.nodes}
        threads = [
            threading.Thread(target=self._node, args=(spec, rows[spec.name]), daemon=True) for spec in self.order.nodes
        ]
        try:
            for path in self.order.add:
                self._add(path)
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(0.2)
        except KeyboardInterrupt:
            self.manifest.interrupted = True
            self.stop.set()
            deadline = time.monotonic() + 8
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(0.0, deadline - time.monotonic()))

    def finish(self) -> Manifest:
        """Judge what was collected and pack it."""
        manifest = self.manifest
        if self.failure is not None:
            with contextlib.suppress(OSError):
                self.bundle.save(manifest, now=True)
            raise cannot_write(self.bundle.output, self.failure, self.bundle.root)
        manifest.ended = int(time.time())
        conclude(manifest, self.steps)
        if manifest.result is not Result.NOTHING:
            self.bundle.pack(manifest)
        else:
            self.bundle.discard()
        return manifest

    def row(self, name: str, how: str, address: str = "") -> NodeRow:
        """The node in the manifest, from an earlier run or new."""
        row = self.manifest.nodes.setdefault(name, NodeRow(name, name, how, address))
        row.why = ""
        for step in self.steps:
            if step.kind is not Kind.PART and not step.rescue:
                row.steps.setdefault(step.id, StepRow(step.id, step.about, step.command))
        return row

    def _node(self, spec: NodeSpec, row: NodeRow) -> None:
        work = _NodeRun(self, spec, row)
        try:
            work.run()
        except Unreachable as error:
            row.why = str(error)
        except OSError as error:
            self.failure = error
            self.stop.set()
        finally:
            work.show("failed" if row.why and not _gave(row) else "done")

    def change(self, progress: Progress) -> None:
        """Save the manifest now and then, and show the progress."""
        self.bundle.save(self.manifest)
        self._tell(progress)

    def _add(self, path: str) -> None:
        """Take in what a script wrote on a node that nobody may log in to."""
        fresh = NodeRow("", "", "script")
        receiver = Receiver(fresh, self.steps, self.bundle, ROOM)
        try:
            with _opened(path) as file:
                head = file.read(_CHUNK)
                name = _name_in(head) or Path(path).name.split(".")[0]
                receiver.node = self.row(name, "script")
                receiver.feed(head)
                while data := file.read(_CHUNK):
                    receiver.feed(data)
        except OSError as error:
            if error.filename == path:
                raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
            raise OutputError(str(error)) from error
        if not receiver.greeted:
            self.manifest.nodes.pop(receiver.node.name)
            raise UsageError(f"{path} is no output of a script of hadiag collect.")
        cut_off(receiver, Status.LOST, "" if receiver.finished else "the file ends before its end mark")


def _opened(path: str) -> contextlib.AbstractContextManager[BinaryIO]:
    return contextlib.nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb")


def _way(spec: NodeSpec) -> tuple[str, str]:
    return ("local", "") if spec.local else ("ssh", spec.destination)


def _name_in(head: bytes) -> str:
    from hadiag.collect.frames import Frames, Said

    for part in Frames().feed(head):
        if isinstance(part, Said) and part.word == "hello":
            return part.text(1).split(".")[0]
    return ""


def _gave(row: NodeRow) -> bool:
    return any(step.bytes for step in row.steps.values())


def cut_off(receiver: Receiver, status: Status, why: str) -> None:
    """Note that the stream ended in the middle of a step."""
    row = receiver.current
    receiver.close(status)
    if row is not None:
        row.status, row.why = status, why
        for each in row.files:
            if each.status is status:
                each.why = why
    if why and not receiver.finished:
        receiver.node.why = why


class _NodeRun:
    """The work on one node."""

    def __init__(self, run: _Run, spec: NodeSpec, row: NodeRow) -> None:
        self._run = run
        self._spec = spec
        self._row = row
        self._prefix: tuple[str, ...] = ()
        self._receiver: Receiver | None = None

    def run(self) -> None:
        """Connect, measure the clock, run the script; once more where the connection was lost."""
        todo = self._todo(self._run.steps)
        if not todo:
            return
        self.show("connecting")
        link = self._link()
        try:
            self._prepare(link)
            for _ in range(2):
                if self._stream(link, todo) or self._run.stop.is_set():
                    break
                link.close()
                link.open(self._run.stop)
                todo = [
                    step for step in self._todo(self._run.steps) if self._row.steps[step.id].status is Status.PENDING
                ]
            rescue = [step for step in self._run.steps if step.rescue and self._is_cut(step.rescue)]
            if rescue and not self._run.stop.is_set():
                self._stream(link, rescue)
        finally:
            link.close()

    def _is_cut(self, step: str) -> bool:
        row = self._row.steps.get(step)
        return row is not None and row.status in CUT

    def _todo(self, known: Iterable[Step]) -> list[Step]:
        rows = self._row.steps
        return [
            step
            for step in known
            if step.kind is not Kind.PART and not step.rescue and rows[step.id].status not in DONE
        ]

    def _link(self) -> Link:
        if self._spec.local:
            return Local()
        link = Remote(self._spec.destination, self._run.order.ssh)
        try:
            link.open(self._run.stop)
        except Unreachable as error:
            link.close()
            if not self._spec.fallback or "name is not known" not in str(error):
                raise
            link = Remote(self._spec.fallback, self._run.order.ssh)
            try:
                link.open(self._run.stop)
            except Unreachable:
                link.close()
                raise
        return link

    def _prepare(self, link: Link) -> None:
        stop = self._run.stop
        self._row.clock = clock.measure(link, stop) or self._row.clock
        found = rights(link, self._run.order.ssh.sudo, stop)
        self._prefix, self._row.why = found.prefix, found.why

    def _window(self) -> Window:
        measured = self._row.clock
        window = self._run.window
        return window.shifted(measured.offset_s) if measured and abs(measured.offset_s) > FAR_S else window

    def _stream(self, link: Link, todo: list[Step]) -> bool:
        """Run the script with some steps; True if it came to its end."""
        chosen = [step for step in self._run.steps if step.kind is Kind.PART or step in todo]
        text = script(chosen, self._window()).encode()
        receiver = Receiver(self._row, self._run.steps, self._run.bundle, ROOM, lambda: self.show("collecting"))
        self._receiver = receiver
        argv = link.argv([*self._prefix, "sh", "-c", BOOTSTRAP, "hadiag", "run"])
        with tempfile.TemporaryFile() as errors:
            process = start(argv, subprocess.PIPE, errors, subprocess.PIPE)
            try:
                why = self._pump(process, receiver, text)
            finally:
                end(process)
            if receiver.finished:
                return True
            stopped = self._run.stop.is_set()
            said = "interrupted" if stopped else why or f"the connection was lost ({reason(errors)})"
            cut_off(receiver, Status.INTERRUPTED if stopped else Status.LOST, said)
            return False

    def _pump(self, process: subprocess.Popen[bytes], receiver: Receiver, text: bytes) -> str:
        """Send the script and take in its output until its end mark; returns why it was given up."""
        sender = threading.Thread(target=_send, args=(process, text), daemon=True)
        sender.start()
        heard = time.monotonic()
        while not receiver.finished and not self._run.stop.is_set():
            data = read_some(process, 0.5)
            if data == b"":
                return ""
            if data:
                heard = time.monotonic()
                receiver.feed(data)
            elif time.monotonic() - heard > receiver.patience:
                return f"the node said nothing for {receiver.patience} s and was given up"
            else:
                self.show("collecting")
        return ""

    def show(self, state: str) -> None:
        """Tell how far the node is."""
        rows = list(self._row.steps.values())
        done = sum(row.status is not Status.PENDING for row in rows)
        current = self._receiver.current if self._receiver else None
        doing = current.step if current and state == "collecting" else self._row.why if state == "failed" else ""
        self._run.change(Progress(self._row.name, state, done, len(rows), sum(row.bytes for row in rows), doing))


def _send(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Write the script; a node that takes nothing must not hold up the reading."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.write(text)
            process.stdin.close()
