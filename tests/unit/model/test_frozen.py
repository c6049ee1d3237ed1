"""Records: what ``dataclass(frozen=True, slots=True)`` makes, made late."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest

from hadiag.model.frozen import frozen, record


@record
class Guarded:
    """One that refuses changes."""

    a: int
    b: tuple[str, ...] = ()
    c: dict[str, int] = field(default_factory=dict, hash=False)
    d: int = field(default=0, repr=False, compare=False)


@frozen
class Plain:
    """One that is checked with the types."""

    a: int
    b: str = "x"


@dataclass(frozen=True, slots=True)
class Guarded2:
    """What dataclasses make at once."""

    a: int
    b: tuple[str, ...] = ()
    c: dict[str, int] = field(default_factory=dict, hash=False)
    d: int = field(default=0, repr=False, compare=False)


@record
class Checked:
    """One with an own text and a look at its values."""

    a: int
    twice: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.a)

    def __str__(self) -> str:
        return f"<{self.a}>"

    def __hash__(self) -> int:
        return 7


def test_it_is_the_dataclass_that_is_made_at_once() -> None:
    """Values, defaults, equality, hash and text."""
    ours, theirs = Guarded(1, ("x",), {"k": 2}, d=5), Guarded2(1, ("x",), {"k": 2}, d=5)
    assert asdict(ours) == asdict(theirs)
    assert repr(ours) == repr(theirs).replace("Guarded2", "Guarded")
    assert hash(ours) == hash(theirs)
    assert ours == Guarded(1, ("x",), {"k": 2}, d=6) != Guarded(2)
    assert ours != theirs  # type: ignore[comparison-overlap]
    assert Guarded(1).c is not Guarded(1).c
    assert [each.name for each in fields(Guarded)] == ["a", "b", "c", "d"]
    assert not hasattr(ours, "__dict__")
    assert replace(ours, a=3).a == 3


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_equal(copied: Callable[[object], object]) -> None:
    """Also those that went through another process."""
    for value in (Guarded(1, ("x",), {"k": 2}), Plain(1), Checked(4)):
        assert copied(value) == value


def test_a_record_refuses_changes() -> None:
    """Fields are neither set nor deleted."""
    value = Guarded(1)
    with pytest.raises(FrozenInstanceError):
        value.a = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del value.a
    assert value.a == 1


def test_own_methods_stay() -> None:
    """A class keeps what it defines, and is asked after its fields are set."""
    value = Checked(4)
    assert (value.twice, str(value), hash(value)) == (8, "<4>", 7)


@pytest.mark.parametrize("words", [(), (1, 2, 3, 4, 5)])
def test_wrong_arguments_are_told(words: tuple[int, ...]) -> None:
    """The message is that of dataclasses, also where nothing was made before."""

    @record
    class Fresh:
        """One that nobody used."""

        a: int

    with pytest.raises(TypeError, match=r"Fresh\.__init__\(\)"):
        Fresh(*words)
