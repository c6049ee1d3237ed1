"""The cache of rule packs: the same rules with and without it; whatever is wrong with it, only time is lost."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hadiag.catalogue import load
from hadiag.catalogue.store import write_cached
from hadiag.errors import RulesError
from hadiag.resources import rules_dir
from hadiag.rulelang import RuleSet, load_rules, store
from hadiag.scan.database import build_database


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hadiag"


def facts(rules: RuleSet) -> tuple[object, ...]:
    """What tells two rule sets apart."""
    places = {name: place.place for name, place in rules.places.items()}
    return (rules.findings, rules.causes, rules.audits, rules.edges, rules.strata, rules.digest, places)


def load_shipped(*, cached: bool = True) -> RuleSet:
    return load_rules([rules_dir()], load([rules_dir() / "events"]), cache=cached)


def test_the_cache_gives_back_the_same_rules(cache: Path) -> None:
    """All rules, their edges, their order and the lines where they stand."""
    fresh = load_shipped()
    assert len(list(cache.glob("rules-*.bin"))) == 1

    assert facts(load_shipped()) == facts(fresh) == facts(load_shipped(cached=False))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    path.chmod(0o666)


@pytest.mark.parametrize("damage", [_cut, _flip, _empty, _foreign])
def test_a_damaged_cache_changes_nothing(cache: Path, damage: Callable[[Path], None]) -> None:
    """Files that are cut, changed, empty or open to others are read anew."""
    fresh = facts(load_shipped(cached=False))
    load_shipped()
    for path in cache.glob("*.bin"):
        damage(path)

    assert facts(load_shipped()) == fresh


@pytest.mark.parametrize("body", [b"", b"{}", b"[]x", b"[[1]]", b"\xff"])
def test_a_body_of_another_form_counts_as_absent(body: bytes) -> None:
    """An entry with a right checksum that is not what this version writes."""
    directories, catalogue = [rules_dir()], load([rules_dir() / "events"])
    write_cached("rules", store.key(directories, catalogue), body)

    assert load_rules(directories, catalogue).digest == load_rules(directories, catalogue, cache=False).digest


def test_a_change_of_a_rule_is_seen_at_once(tmp_path: Path) -> None:
    """The key covers the content of all files, so a rule that became wrong is refused in spite of the cache."""
    pack = tmp_path / "pack" / "causes"
    pack.mkdir(parents=True)
    load_rules([rules_dir(), tmp_path / "pack"])
    (pack / "a.yaml").write_text("schema: hadiag/cause/v1\ncauses: 7\n")

    with pytest.raises(RulesError):
        load_rules([rules_dir(), tmp_path / "pack"])


def test_a_full_disk_costs_time_only(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written, rules, events and patterns are made anew in each run."""

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    catalogue = load([rules_dir() / "events"])

    assert load_shipped().findings
    assert build_database(catalogue).scan(b"Node n2 state is now lost\n")
    assert not list(cache.glob("*.bin"))
