from __future__ import annotations

import io
import tarfile
from pathlib import Path

from hadiag.model.source import BundleKind
from hadiag.sources import Inputs

MANIFEST = b'{"schema": "hadiag/collect/v1", "directories": {"d1": "db1", "db2": "db2"}, "nodes": []}'
MEMBERS = {
    "case/manifest.json": MANIFEST,
    "case/d1/cib.xml": b"<cib/>",
    "case/d1/etc/hostname": b"db1.example.com\n",
    "case/d1/var/log/messages": b"Nov 22 10:00:00 other x: y\n" * 2000,
    "case/d1/via/crm_report/report/report.summary": b"db1: collecting\n",
    "case/d1/via/crm_report/report/db1/RUNNING": b"db1\n",
    "case/d1/via/crm_report/report/db1/analysis.txt": b"x\n",
    "case/db2/var/log/pacemaker/pacemaker.log": b"x\n",
}


def build(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in MEMBERS.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_the_manifest_says_whose_a_directory_is(tmp_path: Path) -> None:
    """Not the name of the directory, nor a host name in it; a report inside keeps its own kind."""
    inputs = Inputs([str(build(tmp_path / "case.tar.gz"))])
    found = {artifact.path: (artifact.node_hint, artifact.kind, artifact.role.value) for artifact in inputs}
    own = BundleKind.HADIAG_COLLECT
    assert found["case/d1/var/log/messages"] == ("db1", own, "candidate")
    assert found["case/d1/cib.xml"] == ("db1", own, "candidate")
    assert found["case/db2/var/log/pacemaker/pacemaker.log"] == ("db2", own, "candidate")
    report = found["case/d1/via/crm_report/report/db1/analysis.txt"]
    assert report == ("db1", BundleKind.CRM_REPORT, "derived")
    assert inputs.summaries[0].kind is own
    assert inputs.summaries[0].nodes == ("db1", "db2")


def test_a_bundle_that_is_cut_off(tmp_path: Path) -> None:
    """The manifest comes first, so what is left is still the right node's."""
    path = build(tmp_path / "case.tar.gz")
    path.write_bytes(path.read_bytes()[:-150])
    inputs = Inputs([str(path)])
    hints = {artifact.node_hint for artifact in inputs if artifact.path.startswith("case/d1")}
    assert hints == {"db1"}
    assert inputs.summaries[0].kind is BundleKind.HADIAG_COLLECT
    assert inputs.warnings[0][1].code in {"archive-truncated", "archive-damaged"}


def test_the_directory_of_a_run_that_was_killed(tmp_path: Path) -> None:
    """It reads like the archive."""
    for name, data in MEMBERS.items():
        target = tmp_path / name.removeprefix("case/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    inputs = Inputs([str(tmp_path)])
    found = {artifact.path: artifact.node_hint for artifact in inputs}
    assert found["d1/var/log/messages"] == "db1"
    assert inputs.summaries[0].kind is BundleKind.HADIAG_COLLECT
