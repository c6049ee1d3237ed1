"""The cache of the compiled database: a wrong entry is compiled again, never believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadiag.catalogue.store import write_cached
from hadiag.scan import database
from hadiag.scan.engine import choose_engine
from tests.unit.catalogue.packs import LOST, pack

TEXT = b"Node n2 state is now lost\nnothing\n"


@pytest.mark.parametrize("engine", ["hyperscan", "re2"])
@pytest.mark.parametrize("body", [b"", b"another version", b"[1]"])
def test_an_entry_of_another_version_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, body: bytes
) -> None:
    """Whatever stands under the key of this version: the hits are right."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    catalogue = pack(tmp_path / "pack", LOST)
    fresh = database.build_database(catalogue, engine, cache=False)
    key = database._key(choose_engine(engine), database.expressions(catalogue)[0])
    write_cached("database", key, body)

    assert database.build_database(catalogue, engine).scan(TEXT) == fresh.scan(TEXT) != []


def test_another_version_of_the_engine_has_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade the old entry is not even looked at."""
    catalogue = pack(tmp_path / "pack", LOST)
    engine = choose_engine("hyperscan")
    before = database._key(engine, database.expressions(catalogue)[0])
    monkeypatch.setattr(type(engine), "version", property(lambda self: "9.9"))

    assert database._key(engine, database.expressions(catalogue)[0]) != before
