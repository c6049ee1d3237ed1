"""Records of which there are hundreds of thousands: dataclasses that are frozen where types are checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_T]) -> type[_T]:
    """Make a slotted dataclass whose fields no one may set.

    That is checked with the types, not at run time: a dataclass that guards itself takes four times as long to make, since it
    must set its own fields by way of the guard.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
