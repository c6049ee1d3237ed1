"""Records for the cache: frozen dataclasses, enumerations and plain data as bytes, and back.

They are pickled as the calls that make them, which is several times as fast as to make them from JSON. Only dataclasses and
enumerations of this package, and paths, are read back: no other class or function is found, whatever the bytes say.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

_PROTOCOL: Final = 5
_DAMAGE: Final = (pickle.UnpicklingError, ValueError, TypeError, LookupError, EOFError, AttributeError, ImportError)


class _Writer(pickle.Pickler):
    """Writes a dataclass as the call with the values of its fields."""

    def reducer_override(self, each: Any) -> Any:  # noqa: ANN401 - the signature of the base class
        if is_dataclass(each) and not isinstance(each, type):
            return type(each), tuple(getattr(each, field.name) for field in fields(each) if field.init)
        return NotImplemented


class _Reader(pickle.Unpickler):
    """Reads records and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - the signature of the base class
        if module.startswith(("hadiag.", "pathlib")) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, (Enum, PurePath))):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no record")


def packed(value: object) -> bytes:
    """A value of records as bytes."""
    stream = io.BytesIO()
    _Writer(stream, _PROTOCOL).dump(value)
    return stream.getvalue()


def unpacked(body: bytes) -> Any:  # noqa: ANN401 - what ``packed`` was given
    """The value behind bytes of ``packed``.

    Raises:
        ValueError: the bytes are something else.
    """
    try:
        return _Reader(io.BytesIO(body)).load()
    except _DAMAGE as error:
        raise ValueError(f"no records ({type(error).__name__})") from error
