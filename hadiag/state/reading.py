"""Typed access to event fields: a log, a rule pack or a test may print a number where another has a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hadiag.catalogue.programs import RENAMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hadiag.model.entity import Scalar
    from hadiag.model.event import Event
    from hadiag.model.time import Instant

_SEPARATORS = re.compile(r"[\s,]+")
_OPKEY = re.compile(
    r"^(?P<resource>.+?)_(?:(?:pre|post|confirmed-pre|confirmed-post)_notify_)?(?P<op>[a-z]+(?:_(?:to|from))?)_(?P<ms>\d+)$"
)
_NOTIFY = re.compile(r"_(?:pre|post|confirmed-pre|confirmed-post)_notify_")
_INSTANCE = re.compile(r":(\d+)$")


def text(event: Event, *keys: str) -> str | None:
    """First of the fields that holds something, as text."""
    return scalar_text(event.fields, *keys)


def scalar_text(values: Mapping[str, Scalar], *keys: str) -> str | None:
    """First of the values that is neither missing nor empty, as text."""
    for key in keys:
        value = values.get(key)
        if value is None or value in ("", ()):
            continue
        if isinstance(value, bool):
            return "true" if value else "false"
        return " ".join(value) if isinstance(value, tuple) else str(value)
    return None


def number(event: Event, *keys: str) -> int | None:
    """First of the fields that holds a whole number."""
    return scalar_number(event.fields, *keys)


def scalar_number(values: Mapping[str, Scalar], *keys: str) -> int | None:
    """First of the values that is a whole number, or a text that reads as one."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, int | float):
            return int(value)
        if isinstance(value, str) and value.strip().lstrip("+-").isdigit():
            return int(value)
    return None


def words(event: Event, *keys: str) -> tuple[str, ...]:
    """First of the fields that holds something, as a list of words."""
    for key in keys:
        value = event.fields.get(key)
        if isinstance(value, tuple) and value:
            return value
        if value is not None and not isinstance(value, tuple) and str(value).strip():
            return tuple(part for part in _SEPARATORS.split(str(value).strip()) if part)
    return ()


def flag(value: Scalar) -> bool | None:
    """Read a yes/no value as pacemaker does; None for anything else."""
    word = str(value).strip().lower()
    if word in ("true", "on", "yes", "y", "1"):
        return True
    if word in ("false", "off", "no", "n", "0"):
        return False
    return None


def split_opkey(key: str) -> tuple[str, str, int] | None:
    """Split an operation key (``vip_monitor_10000``) into resource, operation and interval in ms."""
    match = _OPKEY.match(key)
    if match is None:
        return None
    if _NOTIFY.search(key):
        return match["resource"], "notify", int(match["ms"])
    return match["resource"], match["op"], int(match["ms"])


def base_name(resource: str) -> str:
    """Name of a resource without the number of its clone instance."""
    return _INSTANCE.sub("", resource)


def is_instance(resource: str) -> bool:
    """Tell whether a name carries the number of a clone instance."""
    return _INSTANCE.search(resource) is not None


def daemon(name: str | None) -> str:
    """Name of a daemon as pacemaker 2 and later call it."""
    bare = (name or "").rsplit("/", 1)[-1]
    return RENAMED.get(bare, bare)


def at_of(event: Event) -> Instant:
    """Instant of an event that is known to have one."""
    if event.at is None:
        msg = f"event {event.uid} has no time"
        raise ValueError(msg)
    return event.at


def moment_of(event: Event) -> int:
    """Time of an event that is known to have one, UTC ns."""
    return at_of(event).ns


def same_file(one: Event, two: Event) -> bool:
    """Whether the canonical lines of two events stand in one file, so that their lines order them."""
    return one.ref.bundle == two.ref.bundle and one.ref.path == two.ref.path
