"""Frozen records: slotted dataclasses whose methods are made when the first of them is called.

To generate the methods of a dataclass takes longer than everything else about it, and most of the classes that a run imports it
never makes an instance of. So a class gets its fields and slots at once, and its methods from ``dataclasses`` at first use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, dataclass, field, fields
from typing import Any, Final, NoReturn, TypeVar, dataclass_transform

_T = TypeVar("_T")
_LATE: Final = {"__init__": "init", "__repr__": "repr", "__eq__": "eq", "__hash__": "unsafe_hash"}
"""Methods that are made late, and the argument of ``dataclass`` that asks for each."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_T]) -> type[_T]:
    """Make a slotted dataclass that refuses changes, as ``dataclass(frozen=True, slots=True)`` does."""
    return _made(cls, guarded=True)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_T]) -> type[_T]:
    """Make a slotted dataclass for records of which there are hundreds of thousands; no one may set its fields.

    That is checked with the types, not at run time: a dataclass that guards itself takes four times as long to make, since it
    must set its own fields by way of the guard.
    """
    return _made(cls, guarded=False)


def _made(cls: type[_T], *, guarded: bool) -> type[_T]:
    own = frozenset(name for name, each in cls.__dict__.items() if each is not None)  # __eq__ alone takes the hash away
    made = dataclass(slots=True, init=False, repr=False, eq=False)(cls)
    for name in _LATE:
        if name not in own:
            setattr(made, name, _late(made, name, guarded=guarded))
    if guarded:
        shared = {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
        for name in shared.keys() - own:
            setattr(made, name, shared[name])
    return made


def _late(made: type, name: str, *, guarded: bool) -> Callable[..., Any]:
    """A method that puts the generated one into its place, and does what it is called for."""

    def call(self: object, *words: object, **values: object) -> object:
        method = _generated(made, name, guarded=guarded)
        setattr(made, name, method)
        return method(self, *words, **values)

    return call


def _generated(made: type, name: str, *, guarded: bool) -> Callable[..., Any]:
    """A method that ``dataclasses`` generates for the fields of a class."""
    known = fields(made)
    body: dict[str, Any] = {each.name: each for each in known}
    body |= {"__annotations__": {each.name: each.type for each in known}, "__qualname__": made.__qualname__}
    body |= {"__module__": made.__module__, "__doc__": made.__doc__}
    if hasattr(made, "__post_init__"):
        body["__post_init__"] = made.__post_init__
    wanted = dict.fromkeys(_LATE.values(), False) | {_LATE[name]: True, "match_args": False}
    plain: type = dataclass(**wanted, frozen=guarded and name == "__init__")(type(made.__name__, (), body))
    method: Callable[..., Any] = plain.__dict__[name]
    return method


def _refuse(self: object, name: str, *_value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot change field {name!r} of {type(self).__name__}")


def _state(self: Any) -> list[object]:  # noqa: ANN401 - an instance of any record
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, state: Sequence[object]) -> None:  # noqa: ANN401 - an instance of any record
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
