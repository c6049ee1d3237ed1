"""Binary journals of systemd, read through ``journalctl``.

journalctl gets a private copy of the file by a descriptor, never a name from the input, and no more rights than
needed: started by root it runs as ``nobody``. A journal that was cut off is filled up to the length its header
states, as journalctl refuses it otherwise; it then reads what is there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hadiag.sources.base import CHUNK, Flow, Problem, Replay

if TYPE_CHECKING:
    import subprocess

_PROGRAMS = ("/usr/bin/journalctl", "/bin/journalctl")
_FIELDS = (
    "MESSAGE,MESSAGE_ID,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,SYSLOG_PID,SYSLOG_TIMESTAMP,_BOOT_ID,_COMM,_HOSTNAME,"
    "_MACHINE_ID,_PID,_SOURCE_REALTIME_TIMESTAMP,_SYSTEMD_UNIT,_TRANSPORT,CODE_FUNC,UNIT"
)
_SECONDS = 600
_HEADER = 104
_FILL_MOST = 4 << 30


class _Output(Flow):
    """Entries as journalctl prints them."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes], *, cut: bool) -> None:
        self._process = process
        self._errors = errors
        self._cut = cut

    def read(self, size: int) -> bytes:
        """Return output of the program; a bad end is a problem."""
        data = self._process.stdout.read(size) if self._process.stdout else b""
        if not data and not self.problem:
            failed = self._process.wait() != 0
            self._errors.seek(0)
            lines = self._errors.read(200).decode("utf-8", "replace").splitlines()
            if failed:
                text = f"journalctl could not read all of the journal: {''.join(lines[:1])}"
                self.problem = Problem("journal-binary", text)
            elif self._cut:
                self.problem = Problem("journal-binary", "the journal is cut off; entries behind the cut are missing")
        return data


@contextmanager
def opened(flow: Flow) -> Iterator[Flow | Problem]:
    """Give the entries of a binary journal as JSON lines, or the reason why there are none."""
    program = next((path for path in _PROGRAMS if Path(path).is_file()), None)
    if not program:
        yield Problem("journal-binary", "a binary journal needs journalctl, which is not installed here")
        return
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="hadiag-") as copy, tempfile.TemporaryFile() as errors:
        try:
            cut = _copy(flow, copy)
            process = _start(program, copy, errors)
        except OSError as error:
            yield Problem("journal-binary", f"journalctl could not be started safely on a copy: {error.strerror}")
            return
        watchdog = threading.Timer(_SECONDS, process.kill)
        watchdog.start()
        try:
            output = _Output(process, errors, cut=cut)
            head = output.read(CHUNK)
            yield Replay(head, output) if head or not output.problem else output.problem
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _copy(flow: Flow, copy: IO[bytes]) -> bool:
    """Copy the journal, and fill it up to the length that its header states; True if that was needed."""
    while data := flow.read(CHUNK):
        copy.write(data)
    copy.flush()
    size = copy.tell()
    copy.seek(0)
    header = copy.read(_HEADER)
    stated = int.from_bytes(header[88:96], "little") + int.from_bytes(header[96:104], "little")
    if not size < stated <= _FILL_MOST:
        return False
    os.ftruncate(copy.fileno(), stated)
    return True


def _start(program: str, copy: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    descriptor = copy.fileno()
    command = [program, f"--file=/proc/self/fd/{descriptor}", "--output=json", f"--output-fields={_FIELDS}"]
    command += ["--all", "--quiet", "--no-pager"]
    account = None
    if os.geteuid() == 0:
        import pwd

        try:
            account = pwd.getpwnam("nobody")
        except KeyError:
            raise OSError(1, "there is no account with fewer rights") from None
        os.fchown(descriptor, account.pw_uid, account.pw_gid)
    import subprocess

    return subprocess.Popen(  # noqa: S603  # a fixed program with fixed arguments, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        pass_fds=(descriptor,),
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
