"""Binary journals of a recorded node, through journalctl."""

from __future__ import annotations

import io
import os
import shutil
import tarfile

import pytest

from hadiag.formats import parse_file
from hadiag.sources import Inputs, journal
from tests.golden.judge import samples
from tests.golden.scoreboard import ROOT

RECORDED = next(sample for sample in samples(ROOT) if sample.name == "01-partition-fenced")


@pytest.fixture
def packed() -> bytes:
    """An archive with the journals of a node, and nothing else."""
    out = io.BytesIO()
    with tarfile.open(RECORDED.raw[0]) as archive, tarfile.open(fileobj=out, mode="w") as only:
        for member in archive:
            if member.name.endswith(".journal"):
                only.addfile(member, archive.extractfile(member))
    return out.getvalue()


def test_entries_of_a_binary_journal(packed: bytes) -> None:
    """Each entry is a record of its node at a moment in UTC, with its program and its level."""
    if shutil.which("journalctl") is None and not os.environ.get("CI"):
        pytest.skip("needs journalctl (systemd); install it to run this test")
    records = []
    for artifact in Inputs(["-"], stdin=io.BytesIO(packed)):
        records += list(parse_file(artifact.stream, artifact.path))
    assert len(records) > 300
    assert {record.host for record in records} == {"node1"}
    assert all(record.time and record.time.from_journal and record.time.utc_offset_s == 0 for record in records)
    assert all(record.level is not None for record in records)
    assert {"pacemaker-controld", "corosync", "systemd"} <= {record.program for record in records}


def test_without_journalctl_a_sentence_says_so(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journals are left out, and the warning names the program and what to do."""
    monkeypatch.setattr(journal, "_PROGRAMS", ())
    inputs = Inputs(["-"], stdin=io.BytesIO(packed))
    assert list(inputs) == []
    messages = {warn.message for _, warn in inputs.warnings if warn.code == "journal-binary"}
    assert messages
    assert all("journalctl" in message for message in messages)
