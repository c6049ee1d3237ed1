"""The timeline as a pandas DataFrame: the one place where events meet pandas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hadiag.model.event import Event
from hadiag.timeline.schema import COLUMNS, LAYERS, LEVELS

if TYPE_CHECKING:
    import pandas as pd

_READERS: dict[str, Callable[[Event], Any]] = {
    "uid": lambda event: event.uid,
    "time": lambda event: event.at.ns if event.at else None,
    "err": lambda event: event.at.err_ns if event.at else None,
    "logged": lambda event: event.at.logged if event.at else None,
    "seq": lambda event: event.seq,
    "observer": lambda event: event.observer,
    "subject": lambda event: event.subject,
    "layer": lambda event: event.layer.value,
    "type": lambda event: event.type,
    "level": lambda event: event.level.word,
    "program": lambda event: event.program,
    "pid": lambda event: event.pid,
    "message": lambda event: event.message,
    "source": lambda event: event.ref.path,
    "line": lambda event: event.ref.line,
    "offset": lambda event: event.ref.offset,
    "repeated": lambda event: event.repeated,
}
_NO_TIME = -(2**63)
"""What numpy reads as no time."""
_ORDERS = {"layer": list(LAYERS), "level": list(LEVELS)}


def to_frame(events: Sequence[Event]) -> pd.DataFrame:
    """Make the table of the events, in their order."""
    import numpy as np
    import pandas as pd

    columns: dict[str, Any] = {}
    for column in COLUMNS:
        values = [_READERS[column.name](event) for event in events]
        if column.name == "time":
            stamps = np.array([_NO_TIME if value is None else value for value in values], dtype="datetime64[ns]")
            columns["time"] = pd.Series(stamps).dt.tz_localize("UTC")
        elif column.dtype == "category":
            order = _ORDERS.get(column.name)
            columns[column.name] = pd.Categorical(values, categories=order, ordered=order is not None)
        else:
            columns[column.name] = pd.Series(values, dtype=pd.api.types.pandas_dtype(column.dtype))
    return pd.DataFrame(columns)
