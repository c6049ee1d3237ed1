"""Loading of event packs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hadiag.catalogue import load
from hadiag.catalogue import loader as loading
from hadiag.catalogue.store import cache_dir, read_cached, write_cached
from hadiag.errors import RulesError
from hadiag.model.entity import Layer, Level
from hadiag.model.event import EventClass
from tests.unit.catalogue.packs import LOST, OPERATION, event, pack, write_pack


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hadiag"


def problems(directory: Path, *events: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        pack(directory, *events)
    return [problem.replace(f"{directory}/", "") for problem in caught.value.problems]


def pattern(regex: str = "^Quorum lost$", literal: str = "Quorum lost", rest: str = "", sample: str = "") -> str:
    sample = sample or "{line: Quorum lost, origin: recorded}"
    return f'- literal: "{literal}"\n  regex: {regex}\n{rest}  samples:\n  - {sample}\n'


def test_a_pack_becomes_types_and_patterns(tmp_path: Path) -> None:
    """Every key of the YAML has its place in the loaded type."""
    catalogue = pack(tmp_path, LOST, OPERATION)

    lost = catalogue.types["node.lost"]
    assert (lost.layer, lost.cls, lost.level, lost.subject) == (Layer.QUORUM, EventClass.CORE, Level.NOTICE, "node")
    assert lost.programs == ("pacemaker-controld", "crmd")
    assert [each.type for each in catalogue.patterns] == ["node.lost", "fence.result"]
    assert [each.id for each in catalogue.patterns] == [0, 1]
    assert catalogue.node_fields("fence.result") == ("target",)


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    """One run tells everything that is wrong, each with file, line, key and what was expected."""
    write_pack(tmp_path, event(pattern(literal="Quorum gone")), name="a.yaml")
    write_pack(tmp_path, event(pattern(), name="x.y").replace("layer: quorum", "layer: nowhere"), name="b.yaml")
    (tmp_path / "c.yaml").write_text("schema: hadiag/events/v2\nevents: []\nmore: 1\n")

    with pytest.raises(RulesError) as caught:
        load([tmp_path], cache=False)

    lines = [problem.replace(f"{tmp_path}/", "") for problem in caught.value.problems]
    assert lines[0].startswith("a.yaml:11: events[0].patterns[0].literal: a literal that stands unbroken")
    assert lines[1].startswith("b.yaml:4: events[0].layer: 'hardware', 'network'")
    assert lines[2:] == [
        "c.yaml:1: schema: 'hadiag/events/v1'",
        "c.yaml:3: more: no such key here; remove it or correct its spelling",
    ]


@pytest.mark.parametrize(
    ("body", "extra", "expected"),
    [
        ('- literal: "Quorum lost"\n  regex: ^Quorum lost$\n', "", "patterns[0].samples: this key is required"),
        (pattern(sample="{line: Quorum found, origin: recorded}"), "", "samples[0].line: the literal of the pattern"),
        (pattern(sample="{line: No Quorum lost, origin: recorded}"), "", "samples[0].line: a line that the regex matches"),
        (pattern(sample="{line: Quorum lost, origin: guessed}"), "", "samples[0].origin: 'recorded'"),
        (pattern(regex="^Quorum lost(?P<x>.*)$"), "", "regex: a declared field as name of the group 'x'"),
        (pattern(rest="  set: {x: 1}\n"), "", "set.x: a declared field, not 'x'"),
        (pattern(rest="  set: {x: 1}\n"), "fields: {x: word}\n", "set.x: a value of type word, not 1"),
        (pattern(rest="  set: {x: true}\n"), "fields: {x: word}\n", "(declare 'x' as bool)"),
        (pattern(), "fields: {x: word}\n", "regex: a group for the field 'x'"),
        (pattern(), "fields: {x: thing}\n", "fields.x: match pattern"),
        (pattern(), "subject: x\n", "subject: the name of a declared field, not 'x'"),
        (
            pattern(rest="  derive:\n  - {field: x, from: gone}\n"),
            "fields: {x: word}\n",
            "derive[0].from: a named group of the regex, not 'gone'",
        ),
        (
            pattern(
                regex="^Quorum lost(?P<g> .*)?$",
                rest="  derive:\n  - {field: y, from: g, values: {a: b}}\n",
            ),
            "",
            "derive[0]: a declared field, not 'y'",
        ),
        (
            pattern(regex="^Quorum lost by (?P<n>[0-9]+)$", sample="{line: Quorum lost by 7, origin: recorded, fields: {n: 8}}"),
            "fields: {n: int}\n",
            "samples[0].fields.n: 8 (as the sample says), but the regex yields 7",
        ),
    ],
)  # fmt: skip
def test_a_pattern_that_proves_nothing_does_not_load(tmp_path: Path, body: str, extra: str, expected: str) -> None:
    """Every mistake has its own sentence at its own key."""
    found = problems(tmp_path, event(body, extra=extra))

    assert any(expected in each for each in found), found


def test_one_bad_entry_hides_no_other(tmp_path: Path) -> None:
    """The events of a file are judged one by one."""
    bad = event(pattern()).replace("level: notice", "level: loud")
    worse = event(pattern(literal="Quorum gone"), name="quorum.other")

    assert len(problems(tmp_path, bad, worse)) == 2


def test_a_type_is_defined_once(tmp_path: Path) -> None:
    """Two packs cannot define the same type."""
    write_pack(tmp_path / "one", LOST)
    write_pack(tmp_path / "two", LOST)

    with pytest.raises(RulesError, match="a type that is not yet defined"):
        load([tmp_path / "one", tmp_path / "two"], cache=False)


def test_the_digest_names_the_content(tmp_path: Path) -> None:
    """The same files in another place are the same catalogue; another content is another one."""
    one = pack(tmp_path / "one", LOST)
    same = pack(tmp_path / "two", LOST)
    other = pack(tmp_path / "three", LOST, OPERATION)

    assert one.digest == same.digest != other.digest


def test_the_cache_gives_back_the_same_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second load reads no YAML, and yields the same types and patterns."""
    directory = write_pack(tmp_path / "pack", LOST, OPERATION)
    first = load([directory])
    monkeypatch.setattr("hadiag.catalogue.reading.Reading.add_file", None)

    second = load([directory])

    assert second is not first
    assert (second.types, second.patterns, second.digest) == (first.types, first.patterns, first.digest)


def test_no_cache_writes_nothing(tmp_path: Path, cache: Path) -> None:
    """``--no-cache`` leaves no trace."""
    load([write_pack(tmp_path / "pack", LOST)], cache=False)

    assert not cache.exists()


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: b"", lambda raw: raw[:60] + b"X" + raw[61:]])
def test_a_damaged_cache_is_ignored(tmp_path: Path, cache: Path, damage: object) -> None:
    """A cache file with a wrong checksum counts as absent."""
    directory = write_pack(tmp_path / "pack", LOST)
    first = load([directory])
    (entry,) = cache.glob("catalogue-*.bin")
    entry.write_bytes(damage(entry.read_bytes()))  # type: ignore[operator]

    assert load([directory]).patterns == first.patterns


def test_a_cache_that_others_can_write_is_ignored(cache: Path) -> None:
    """Whoever may write a cache file must be the user alone."""
    write_cached("kind", "key", b"body")
    assert read_cached("kind", "key") == b"body"

    (entry,) = cache.glob("kind-*.bin")
    entry.chmod(0o666)

    assert read_cached("kind", "key") is None


def test_a_cache_of_another_key_is_ignored(cache: Path) -> None:
    """The checksum covers the key: a renamed file is not taken."""
    write_cached("kind", "key", b"body")
    write_cached("kind", "other", b"more")
    first, second = sorted(cache.glob("kind-*.bin"))
    first.write_bytes(second.read_bytes())

    assert [read_cached("kind", key) for key in ("key", "other")].count(None) == 1


def test_a_cache_that_is_no_catalogue_is_ignored(tmp_path: Path) -> None:
    """Content with a right checksum is still not trusted to be complete."""
    directory = write_pack(tmp_path / "pack", LOST)
    catalogue = load([directory], cache=False)
    write_cached("catalogue", loading_key(catalogue.digest), b'{"types": [{}], "patterns": []}')

    assert load([directory]).patterns == catalogue.patterns


def loading_key(digest: str) -> str:
    from hadiag.catalogue import store

    return store._key(digest)


def test_a_cache_directory_that_cannot_be_written_is_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading works without a place for the cache."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert load([write_pack(tmp_path / "pack", LOST)]).types


def test_a_relative_cache_directory_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The XDG specification says to ignore it."""
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")

    assert cache_dir() == Path.home() / ".cache" / "hadiag"


def test_old_entries_of_the_cache_are_removed(cache: Path) -> None:
    """The cache keeps a handful of catalogues, the newest ones."""
    for number in range(20):
        write_cached("kind", f"key {number}", b"body")
        for path in cache.glob("kind-*.bin"):
            os.utime(path, (time.time() - 60, time.time() - 60))

    assert len(list(cache.glob("kind-*.bin"))) == 12
    assert read_cached("kind", "key 19") == b"body"


def test_reading_keeps_what_is_sound(tmp_path: Path) -> None:
    """For those who write packs, the rest of a pack with problems is still there."""
    directory = write_pack(tmp_path, LOST, event(pattern(literal="Quorum gone")))

    catalogue, found = loading.read([directory], cache=False)

    assert [each.type for each in catalogue.patterns] == ["node.lost"]
    assert len(found) == 1
