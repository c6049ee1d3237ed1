"""Columns of the timeline as a table: the one source for its documentation, its checks and its frame."""

from __future__ import annotations

from typing import Final

from hadiag.model.entity import Layer, Level
from hadiag.model.frozen import record


@record
class Column:
    """A column: pandas type, whether it may be empty, meaning."""

    name: str
    dtype: str
    null: bool
    meaning: str


COLUMNS: Final = (
    Column("uid", "string", False, "stable id of the event"),
    Column("time", "datetime64[ns, UTC]", True, "aligned time"),
    Column("err", "Int64", True, "half-width of its uncertainty in ns; empty for a clock that nothing verifies"),
    Column("logged", "string", True, "stamp as printed, never altered"),
    Column("seq", "int64", False, "line in its file: a total order inside the file even where stamps tie or jump back"),
    Column("observer", "category", False, "node whose log says it"),
    Column("subject", "category", True, "node, resource or link that it is about"),
    Column("layer", "category", False, "layer of the stack, from the bottom up"),
    Column("type", "category", False, "event type of the catalogue"),
    Column("level", "category", False, "level, from trace to emerg"),
    Column("program", "category", True, "daemon"),
    Column("pid", "Int64", True, "its process"),
    Column("message", "string", False, "text behind the header"),
    Column("source", "category", False, "file in the input"),
    Column("line", "uint32", False, "line in the file"),
    Column("offset", "uint64", False, "byte in the file"),
    Column("repeated", "uint32", False, "number of repetitions that were folded"),
)
"""All columns in order."""

LAYERS: Final = tuple(layer.value for layer in Layer)
"""Order of the categories of ``layer``."""

LEVELS: Final = tuple(level.word for level in Level)
"""Order of the categories of ``level``."""
