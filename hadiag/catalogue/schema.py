r"""The event YAML (``rules/events/*.yaml``, schema ``hadiag/events/v1``) as models: validation, and its JSON Schema.

::

    schema: hadiag/events/v1
    events:
    - type: quorum.lost
      layer: quorum
      class: core
      level: notice
      about: "Corosync says that its partition has no quorum any more."
      source: "corosync exec/vsf_quorum.c quorum_api_set_quorum()"
      programs: [corosync]
      patterns:
      - literal: "activity blocked"
        regex: ^This node is within the non-primary component and will NOT provide any services\.$
        samples:
        - {line: "This node is ...", origin: recorded, fields: {}}
"""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from hadiag.model.entity import Layer
from hadiag.model.event import EventClass

SCHEMA: Final = "hadiag/events/v1"
"""The value of the key ``schema``."""

FIELD_TYPES: Final = ("word", "text", "int", "float", "node", "hex", "list", "bool")
"""Types of event fields; a ``?`` behind them means that the field may be absent."""

LEVEL_WORDS: Final = ("trace", "debug", "info", "notice", "warning", "error", "crit", "alert", "emerg")
"""Levels as libqb prints them."""

Constant = bool | int | float | Annotated[str, Field(max_length=200)]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
_FieldType = Annotated[str, Field(pattern=rf"^({'|'.join(FIELD_TYPES)})\??$")]
_Sentence = Annotated[str, Field(min_length=10, max_length=1000)]
_Program = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\[\]:]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class DeriveModel(_Strict):
    """A field that is computed from a captured group: the first entry of a field that yields a value wins.

    Keys of ``values`` are compared without regard to case. Without ``values`` the text itself is the value.
    ``default`` is the value for everything else, an absent group included.
    """

    field: _Name
    from_: _Name = Field(alias="from")
    values: dict[str, Constant] | None = None
    default: Constant | None = None


class SampleModel(_Strict):
    """A line (the message part) that the pattern must match, with fields that must come out; null means absent."""

    line: Annotated[str, Field(min_length=4, max_length=8192)]
    origin: Literal["recorded", "published", "rendered"]
    fields: dict[str, Constant | list[str | int | float] | None] = Field(default_factory=dict)


class PatternModel(_Strict):
    """One wording of an event: a literal for the fast scan, a regex whose named groups are fields, and samples.

    ``short`` says why the message has no longer text that the scan could look for.
    """

    literal: Annotated[str, Field(min_length=4, max_length=200)]
    regex: Annotated[str, Field(min_length=4, max_length=4000)]
    short: _Sentence | None = None
    versions: Annotated[str, Field(max_length=80)] | None = None
    set_: dict[str, Constant] = Field(default_factory=dict, alias="set")
    derive: tuple[DeriveModel, ...] = ()
    samples: Annotated[tuple[SampleModel, ...], Field(min_length=1)]


class EventModel(_Strict):
    """One event type: what a line of it means, who prints it, and how it is recognised.

    ``continues`` says that the message goes on in following lines without a head; they are joined by blanks before
    the regex sees them (the literal must stand in the first line).
    """

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=80)]
    layer: Layer
    cls: EventClass = Field(alias="class")
    level: Literal["trace", "debug", "info", "notice", "warning", "error", "crit", "alert", "emerg"]
    about: _Sentence
    source: Annotated[str, Field(min_length=3, max_length=400)]
    programs: tuple[_Program, ...]
    subject: _Name | None = None
    logged: Literal["after_resume"] | None = None
    status: Literal["stable", "experimental"] = "stable"
    continues: bool = False
    fields: dict[_Name, _FieldType] = Field(default_factory=dict)
    next: _Sentence | None = None
    patterns: Annotated[tuple[PatternModel, ...], Field(min_length=1)]


class FileModel(_Strict):
    """A file of the catalogue; its events are validated one by one, so that one bad entry hides no other."""

    schema_: Literal["hadiag/events/v1"] = Field(alias="schema")
    events: tuple[EventModel, ...]


def json_schema() -> str:
    """JSON Schema of an event file for editors, as text that is the same on every run."""
    schema = FileModel.model_json_schema(by_alias=True)
    schema["$id"] = "hadiag/events/v1"
    schema["title"] = "hadiag event catalogue"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
