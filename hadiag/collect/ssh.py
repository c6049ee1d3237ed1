"""Ways to a node: the system's own ssh with the user's configuration, or a shell on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from hadiag.errors import UsageError
from hadiag.model.frozen import record

ANSWER_S = 10
"""A connection that gives no answer for so long is given up."""
_OPENED_S = 20
_DESTINATION = re.compile(r"(?!-)[\w.@:%\[\]-]+")
_REASONS = (
    ("Could not resolve hostname", "its name is not known here: give NAME=ADDRESS, or add it to /etc/hosts"),
    ("Name or service not known", "its name is not known here: give NAME=ADDRESS, or add it to /etc/hosts"),
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key has changed: check why, then remove the old key from known_hosts",
    ),
    ("Host key verification failed", "its host key is not known: connect once by hand with ssh"),
    ("Permission denied", "it refused the key: check ssh-agent, the user and authorized_keys"),
    ("Too many authentication failures", "it refused the key: check ssh-agent, the user and authorized_keys"),
    ("Connection refused", "nothing listens on its ssh port: it is down, or sshd is"),
    ("No route to host", "there is no route to it: it is down, or the network is cut"),
    ("Network is unreachable", "there is no route to it: it is down, or the network is cut"),
    ("timed out", "it does not answer: it is down, frozen, or a firewall drops the connection"),
    ("Connection reset", "it closed the connection before the login"),
    ("Connection closed", "it closed the connection before the login"),
    ("Bad owner or permissions", "the ssh configuration has wrong owner or permissions"),
)
_NO_SUDO = re.compile(
    r"sudo: .*(?:password is required|terminal is required|must have a tty|not in the sudoers|may not run)",
    re.IGNORECASE,
)


class Unreachable(Exception):  # noqa: N818 - it is a state of a node, told in one sentence
    """There is no way to the node; the text says why."""


@record
class SshOptions:
    """What the user says about ssh: another configuration file, further ``-o`` options, a user, whether to use sudo."""

    config: str = ""
    options: tuple[str, ...] = ()
    user: str = ""
    sudo: bool = True
    answer_s: int = ANSWER_S


class Link(Protocol):
    """A way to a node."""

    how: str

    def open(self, stop: threading.Event) -> None:
        """Make the connection.

        Raises:
            Unreachable: it cannot be made.
        """

    def argv(self, command: Sequence[str]) -> list[str]:
        """The arguments that run a command on the node."""

    def close(self) -> None:
        """End the connection."""


@dataclass(slots=True)
class Local:
    """This machine itself."""

    how: str = "local"

    def open(self, stop: threading.Event) -> None:
        """There is nothing to connect to."""

    def argv(self, command: Sequence[str]) -> list[str]:
        """The command as it is."""
        return list(command)

    def close(self) -> None:
        """There is nothing to end."""


class Remote:
    """A node over ssh: one master connection, over which the others run."""

    how = "ssh"

    def __init__(self, destination: str, options: SshOptions) -> None:
        if not _DESTINATION.fullmatch(destination):
            raise UsageError(f"{destination!r} is no ssh destination.")
        self._destination = destination
        self._options = options
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._master: subprocess.Popen[bytes] | None = None

    def base(self) -> list[str]:
        """Ssh with its options, without destination."""
        argv = ["ssh", "-T", "-x", "-a"]
        if self._options.config:
            argv += ["-F", self._options.config]
        if self._options.user and "@" not in self._destination:
            argv += ["-l", self._options.user]
        for option in self._options.options:
            argv += ["-o", option]
        for option in (
            "BatchMode=yes",
            f"ConnectTimeout={self._options.answer_s}",
            "ConnectionAttempts=1",
            f"ServerAliveInterval={max(1, self._options.answer_s // 2)}",
            "ServerAliveCountMax=2",
            "ClearAllForwardings=yes",
            "LogLevel=ERROR",
        ):
            argv += ["-o", option]
        return argv

    def open(self, stop: threading.Event) -> None:
        """Start the master connection and wait until it is up."""
        self._folder = tempfile.TemporaryDirectory(prefix="hadiag-", dir="/tmp")
        socket = Path(self._folder.name, "s")
        with tempfile.TemporaryFile() as errors:
            argv = [*self.base(), "-M", "-N", "-o", "ControlPersist=no", "-S", str(socket), self._destination]
            self._master = start(argv, subprocess.DEVNULL, errors)
            deadline = time.monotonic() + self._options.answer_s + _OPENED_S
            while not socket.exists():
                if self._master.poll() is not None:
                    raise Unreachable(reason(errors))
                if stop.wait(0.05) or time.monotonic() > deadline:
                    raise Unreachable("interrupted" if stop.is_set() else dict(_REASONS)["timed out"])

    def argv(self, command: Sequence[str]) -> list[str]:
        """The command over the master connection, or over one of its own where that is gone."""
        mux = ["-S", f"{self._folder.name}/s"] if self._folder else []
        return [*self.base(), *mux, self._destination, shlex.join(command)]

    def close(self) -> None:
        """End the master connection."""
        if self._master is not None:
            end(self._master)
        if self._folder is not None:
            self._folder.cleanup()
        self._master = self._folder = None


def start(
    argv: Sequence[str], stdin: int, errors: IO[bytes], stdout: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: Ctrl-C at the terminal reaches only hadiag, which ends it in order.

    Raises:
        Unreachable: there is no such program.
    """
    try:
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=errors, start_new_session=True)
    except FileNotFoundError as error:
        raise Unreachable(f"there is no {argv[0]} on this machine") from error


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that was started here."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)


def reason(errors: IO[bytes]) -> str:
    """One sentence for what ssh said."""
    errors.seek(0)
    text = errors.read(20_000).decode("utf-8", "replace").strip()
    for mark, sentence in _REASONS:
        if mark in text:
            return sentence
    return text.splitlines()[-1][:200] if text else "the connection ended without a word"


@record
class Answer:
    """What a short command gave."""

    output: str
    errors: str
    code: int | None
    """None: no answer in time."""


def ask(link: Link, command: Sequence[str], seconds: float, stop: threading.Event) -> Answer:
    """Run a short command on the node and read its output."""
    with tempfile.TemporaryFile() as errors:
        process = start(link.argv(command), subprocess.DEVNULL, errors, subprocess.PIPE)
        try:
            pieces: list[bytes] = []
            code = read_all(process, pieces.append, seconds, stop)
            errors.seek(0)
            said = errors.read(20_000).decode("utf-8", "replace")
            return Answer(b"".join(pieces).decode("utf-8", "replace"), said, code)
        finally:
            end(process)


def read_all(
    process: subprocess.Popen[bytes], take: Callable[[bytes], object], seconds: float, stop: threading.Event
) -> int | None:
    """Hand over all output of a program; returns its exit status, None where it did not end in time."""
    deadline = time.monotonic() + seconds
    while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
        data = read_some(process, min(left, 0.5))
        if data == b"":
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(2)
            return None
        if data:
            take(data)
    return None


def read_some(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """Read what is there of the output; None where nothing came in time, empty at its end."""
    if process.stdout is None:
        return b""
    ready, _, _ = select.select([process.stdout], [], [], max(seconds, 0))
    return os.read(process.stdout.fileno(), 1 << 16) if ready else None


@record
class Rights:
    """With what rights the steps run: the words before the command, and a sentence where root is not to be had."""

    prefix: tuple[str, ...]
    why: str = ""


def rights(link: Link, sudo: bool, stop: threading.Event) -> Rights:
    """Find out whether the login is root, or may become it without a password.

    Raises:
        Unreachable: the node gives no answer.
    """
    answer = ask(link, ["sh", "-c", "id -u; sudo -n true && echo sudo"], 25, stop)
    words = answer.output.split()
    if not words or not words[0].isdigit():
        raise Unreachable(
            "it lets nobody run a command" if answer.code is not None else "it gave no answer after the login"
        )
    if words[0] == "0":
        return Rights(())
    if not sudo:
        return Rights((), "collected without root, as --no-sudo says: files of root are missing")
    if "sudo" in words:
        return Rights(("sudo", "-n"))
    asks = _NO_SUDO.search(answer.errors) is not None
    return Rights(
        (),
        f"{'sudo asks for a password' if asks else 'there is no sudo'}, so it was collected without root: files of root are missing",
    )
