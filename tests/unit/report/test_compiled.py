"""Compiled templates are kept between runs, and nothing that is wrong with the cache changes a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest

from hadiag.report.compiled import MOST, CompiledTemplates
from hadiag.report.markdown import markdown_of


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory that holds nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hadiag"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the templates that had to be compiled."""
    names: list[str] = []
    compile_ = jinja2.Environment.compile

    def noted(self: jinja2.Environment, source: Any, name: str | None = None, *rest: Any, **options: Any) -> Any:
        names.append(str(name))
        return compile_(self, source, name, *rest, **options)

    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    return names


def test_a_template_is_compiled_once(result: Mapping[str, Any], compiled: list[str]) -> None:
    """The second run takes what the first one kept."""
    first = markdown_of(result)
    assert compiled == ["review.md.j2"]
    assert markdown_of(result) == first
    assert compiled == ["review.md.j2"]


def test_a_changed_template_is_compiled_again(result: Mapping[str, Any], compiled: list[str], tmp_path: Path) -> None:
    """What counts is the text, not the name."""
    for text in ("one", "two"):
        (tmp_path / "review.md.j2").write_text(text)
        assert markdown_of(result, tmp_path) == f"{text}\n"
    assert len(compiled) == 2


@pytest.mark.parametrize("harm", ["cut", "other bytes", "writable by others", "a directory"])
def test_harm_costs_time_only(harm: str, result: Mapping[str, Any], compiled: list[str], own_cache: Path) -> None:
    """A cut, altered or foreign entry counts as absent."""
    first = markdown_of(result)
    (entry,) = own_cache.glob("templates-*.bin")
    body = entry.read_bytes()
    if harm == "cut":
        entry.write_bytes(body[:-1])
    elif harm == "other bytes":
        entry.write_bytes(body[:-40] + bytes(40))
    elif harm == "writable by others":
        entry.chmod(0o666)
    else:
        entry.unlink()
        entry.mkdir()
    assert markdown_of(result) == first
    assert len(compiled) == 2


def test_without_a_cache_nothing_is_written(result: Mapping[str, Any], own_cache: Path) -> None:
    """``--no-cache`` holds for templates too."""
    assert markdown_of(result, cache=False)
    assert not own_cache.exists()


def test_an_unwritable_cache_is_no_problem(result: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is made all the same."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    assert markdown_of(result)


def test_the_entry_does_not_grow(tmp_path: Path) -> None:
    """Templates of many directories push out the oldest."""
    for number in range(MOST + 5):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "review.md.j2").write_text(f"{number}")
        env = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), bytecode_cache=CompiledTemplates("test"))
        assert env.get_template("review.md.j2").render() == f"{number}"
        assert isinstance(env.bytecode_cache, CompiledTemplates)
        env.bytecode_cache.keep()
    assert len(CompiledTemplates("test")._known) == MOST
