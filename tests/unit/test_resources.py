"""Where rule packs come from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hadiag.pipeline import rule_dirs
from hadiag.resources import installed_packs


def _install(site: Path, value: str) -> None:
    info = site / "hana_rules-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hana-rules\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[hadiag.rulepacks]\nhana = {value}\n")
    (site / "hana_rules" / "rules").mkdir(parents=True)
    (site / "hana_rules" / "__init__.py").write_text("raise RuntimeError('this must not run')\n")


def test_an_installed_pack_is_found_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point names a directory of data."""
    _install(tmp_path, "hana_rules:rules")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert installed_packs() == ((tmp_path / "hana_rules" / "rules",), ())
    assert rule_dirs()[1] == tmp_path / "hana_rules" / "rules"


def test_a_pack_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are read."""
    _install(tmp_path, "hana_rules:gone")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    found, missing = installed_packs()

    assert found == ()
    assert missing == ("The rule pack hana (hana_rules:gone) has no such directory; it was left out.",)
