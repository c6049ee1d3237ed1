"""Records as bytes: they come back equal, and nothing but records is ever made."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from hadiag.catalogue.records import packed, unpacked
from hadiag.catalogue.types import Derive, Problem
from hadiag.model.entity import Layer


class Call:
    """Pickled as the call of a function."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call[0], self.call[1:]


def test_records_come_back_equal() -> None:
    """Dataclasses, enumerations, paths and plain data."""
    value = {"a": (Derive("state", "word", {"x": 1.5}, default=None), Layer.QUORUM, Path("/rules"), [b"x", True])}
    assert unpacked(packed(value)) == value


@pytest.mark.parametrize("call", [(os.getenv, "HOME"), (print, "x"), (Path.cwd,), (pickle.loads, b"N.")])
def test_nothing_else_is_called(call: tuple[object, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that name a function are refused, even with a right checksum."""
    with pytest.raises(ValueError, match="no records"):
        unpacked(pickle.dumps(Call(*call)))
    assert capsys.readouterr().out == ""


def test_a_function_of_this_package_is_no_record() -> None:
    """Only its dataclasses and enumerations are made."""
    with pytest.raises(ValueError, match="no records"):
        unpacked(pickle.dumps(Call(packed, "x")))


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_damaged_bytes_are_no_records(cut: int) -> None:
    """What is cut is told as one kind of error."""
    with pytest.raises(ValueError, match="no records"):
        unpacked(packed(Problem("a", 1, "b", "c"))[:cut])
