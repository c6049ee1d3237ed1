"""Binary journals go through journalctl, or end as a warning."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadiag.model.source import BundleKind
from hadiag.sources import journal
from tests.unit.sources.building import LOG, PACK, read_bytes, tar

WHOLE = b"LPKSHHRH" + bytes(80) + (208).to_bytes(8, "little") + (4096).to_bytes(8, "little") + bytes(4200)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for journalctl that any account may run: prints the size of its file and its arguments."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "journalctl"
        path.write_text('#!/bin/sh\nwc -c < "${1#--file=}" || exit 3\necho "$@"\nif [ -n "$FAIL" ]; then exit 1; fi\n')
        path.chmod(0o755)
        monkeypatch.setattr(journal, "_PROGRAMS", (str(path),))
        yield path


def test_entries_become_the_content(tmp_path: Path, program: Path) -> None:
    """The journal is read by descriptor, with fixed options."""
    got = read_bytes(tmp_path, tar({"var/log/journal/x/system.journal": WHOLE, "a.log": LOG}))
    size, options = got.data["var/log/journal/x/system.journal"].decode().splitlines()
    assert int(size) == len(WHOLE)
    assert options.startswith("--file=/proc/self/fd/")
    assert "--output=json" in options
    assert got.data["a.log"] == LOG
    assert got.codes == []


def test_a_journal_that_was_cut_off(tmp_path: Path, program: Path) -> None:
    """It is filled up to the length of its header, and the warning tells that entries are missing."""
    got = read_bytes(tmp_path, WHOLE[:300])
    assert int(got.data["input"].decode().splitlines()[0]) == len(WHOLE)
    assert got.codes == ["journal-binary"]


def test_a_loose_journal(tmp_path: Path, program: Path) -> None:
    """Packed or not, the kind is journal."""
    got = read_bytes(tmp_path, PACK["gz"](WHOLE), name="system@1.journal")
    assert got.summary.kind is BundleKind.JOURNAL
    assert list(got.data) == ["system@1.journal"]


def test_a_program_that_fails_after_output(tmp_path: Path, program: Path) -> None:
    """What it printed is kept, and the failure is told."""
    program.write_text("#!/bin/sh\necho '{}'\necho 'Bad message' >&2\nexit 1\n")
    got = read_bytes(tmp_path, WHOLE)
    assert got.data == {"input": b"{}\n"}
    assert got.codes == ["journal-binary"]
    assert "Bad message" in got.inputs.warnings[0][1].message


@pytest.mark.parametrize("missing", [True, False])
def test_without_entries_there_is_a_warning(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    """No program, or one that reads nothing: a warning and no artefact."""
    if missing:
        monkeypatch.setattr(journal, "_PROGRAMS", ())
    program.write_text("#!/bin/sh\nexit 1\n")
    got = read_bytes(tmp_path, tar({"system.journal": WHOLE}))
    assert got.artifacts == ()
    assert got.codes == ["journal-binary"]


def test_garbage_for_the_real_program(tmp_path: Path) -> None:
    """Whether journalctl is here or not, a file that only begins as a journal gives no entries."""
    got = read_bytes(tmp_path, b"LPKSHHRH" + bytes(range(256)) * 20)
    assert got.codes == ["journal-binary"]
    assert [content for content in got.data.values() if content] == []
