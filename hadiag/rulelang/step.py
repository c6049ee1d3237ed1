"""One named step of a match: what it looks at, which rows it takes, and when."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from hadiag.rulelang import entries
from hadiag.rulelang.entries import AT_LEAST, SOURCES
from hadiag.rulelang.fields import ConditionField, Duration

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
TYPE_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$"
ID_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""Name of a step or a field."""

RuleId = Annotated[str, Field(pattern=ID_PATTERN, max_length=100)]
"""Dotted lower-case id of a rule, a cause or an audit."""

Point = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}(\.(start|end))?$")]
"""A step, or ``step.start`` / ``step.end``."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _one_or_more_schema(pattern: str) -> WithJsonSchema:
    item = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"anyOf": [item, {"type": "array", "minItems": 1, "items": item}]})


EventTypes = Annotated[
    tuple[Annotated[str, Field(pattern=TYPE_PATTERN)], ...],
    BeforeValidator(_as_tuple),
    Field(min_length=1, max_length=60),
    _one_or_more_schema(TYPE_PATTERN),
]
"""One or more event types, or prefixes such as ``kernel.nic.*``."""

Tables = Annotated[
    tuple[Annotated[str, Field(pattern=TYPE_PATTERN)], ...],
    BeforeValidator(_as_tuple),
    Field(min_length=1, max_length=20),
    _one_or_more_schema(TYPE_PATTERN),
]
"""One or more state or fact tables."""

RuleIds = Annotated[
    tuple[Annotated[str, Field(pattern=ID_PATTERN)], ...],
    BeforeValidator(_as_tuple),
    Field(min_length=1, max_length=60),
    _one_or_more_schema(ID_PATTERN),
]
"""One or more ids of findings."""


def _check_count(value: object) -> object:
    if value in (0, 1, "any") and not isinstance(value, bool):
        return value
    if isinstance(value, str) and AT_LEAST.fullmatch(value):
        return value
    raise ValueError("expected 0 (absent), 1, any (optional) or a bound such as '>=3'")


def _check_quorum(value: object) -> object:
    if value in ("any", "all", "majority") or (isinstance(value, str) and AT_LEAST.fullmatch(value)):
        return value
    raise ValueError("expected any, all, majority or a bound such as '>=2'")


def _check_distinct(value: object) -> object:
    if value == "all" or (isinstance(value, str) and AT_LEAST.fullmatch(value)):
        return value
    raise ValueError("expected 'all' (all other members of the cluster) or a bound such as '>=2'")


Count = Annotated[
    int | str,
    BeforeValidator(_check_count),
    WithJsonSchema({"anyOf": [{"enum": [0, 1, "any"]}, {"type": "string", "pattern": "^>=\\s*[1-9]"}]}),
]
Quantifier = Annotated[
    str,
    BeforeValidator(_check_quorum),
    WithJsonSchema({"anyOf": [{"enum": ["any", "all", "majority"]}, {"type": "string", "pattern": "^>=\\s*[1-9]"}]}),
]
DistinctBound = Annotated[
    str,
    BeforeValidator(_check_distinct),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "string", "pattern": "^>=\\s*[1-9]"}]}),
]
AtLeastTwo = Annotated[int, Field(ge=2, le=100)]


class Strict(BaseModel):
    """Base of everything people write in rule files: unknown keys are errors, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=False)
    made: ClassVar[type[Any]]
    """The record that an entry becomes."""

    def entry(self) -> Any:  # noqa: ANN401 - an instance of ``made``
        """The record of ``hadiag.rulelang.entries`` that says the same."""
        return self.made(**{each.name: _plain(getattr(self, each.name)) for each in fields(self.made)})


def _plain(value: object) -> object:
    if isinstance(value, Strict):
        return value.entry()
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


class Concurrent(Strict):
    """Intervals that hold at the same time beyond clock error.

    ``distinct`` names the field in which they differ; ``same`` the fields that they share (``per`` fields are shared anyway).
    ``excludes`` names a list field: the intervals count only if each one's list lacks the observer of the other.
    ``disjoint`` names a list field whose values share nothing.
    """

    made = entries.Concurrent

    distinct: Name
    at_least: AtLeastTwo = 2
    same: tuple[Name, ...] = ()
    for_: Duration = Field(default=0, alias="for")
    excludes: Name | None = None
    disjoint: Name | None = None


class Step(Strict):
    """A named step; exactly one of ``event``, ``state``, ``finding`` and ``fact`` says what it looks at.

    See docs/rule-language.md for what each key means.
    """

    made = entries.Step

    event: EventTypes | None = None
    state: Tables | None = None
    finding: RuleIds | None = None
    fact: Tables | None = None
    where: dict[Name, ConditionField] = Field(default_factory=dict)
    after: Point | None = None
    before: Point | None = None
    near: Point | None = None
    during: Point | None = None
    overlaps: Point | None = None
    holds_at: Point | None = None
    closes: Name | None = None
    opens: Name | None = None
    within: Duration | None = None
    same: Annotated[tuple[Name, ...], AfterValidator(lambda value: tuple(dict.fromkeys(value)))] = ()
    count: Count = 1
    distinct: dict[Name, DistinctBound] = Field(default_factory=dict, max_length=3)
    nodes: Quantifier | None = None
    concurrent: Concurrent | None = None
    requires: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_coherent(self) -> Step:
        for problem in _incoherences(self.entry()):
            raise ValueError(problem)
        return self


def _incoherences(step: entries.Step) -> list[str]:
    given = [source for source in SOURCES if getattr(step, source) is not None]
    if len(given) != 1:
        return [f"expected exactly one of event, state, finding and fact, found {' and '.join(given) or 'none'}"]
    return [*_time_problems(step), *_kind_problems(step), *_count_problems(step)]


def _time_problems(step: entries.Step) -> list[str]:
    timed = any(getattr(step, word) for word in ("after", "before", "near", "during", "overlaps"))
    rows = {
        "'within' needs after, before, near, during, overlaps, or a count, distinct or nodes to bound": (
            step.within is not None and not (timed or step.collective)
        ),
        "'near' needs 'within'": step.near is not None and step.within is None,
        "a count such as '>=3' needs 'within'": (
            step.minimum > 1 and step.within is None and not timed and step.kind != "fact"
        ),
        "facts have no time: a fact step takes no time words and no nodes": (
            step.kind == "fact" and bool(step.refers_to or step.nodes or step.within is not None)
        ),
        "an event is a moment: use during, not overlaps or holds_at": (
            step.kind == "event" and bool(step.overlaps or step.holds_at)
        ),
    }
    return [problem for problem, wrong in rows.items() if wrong]


def _kind_problems(step: entries.Step) -> list[str]:
    rows = {
        "'concurrent' compares intervals and needs a state step": bool(step.concurrent) and step.kind != "state",
        "'closes' and 'opens' tie an event to a state": bool(step.closes or step.opens) and step.kind != "event",
        "'requires' names snapshots and needs a fact step": bool(step.requires) and step.kind != "fact",
    }
    return [problem for problem, wrong in rows.items() if wrong]


def _count_problems(step: entries.Step) -> list[str]:
    others = step.nodes or step.distinct or step.minimum > 1
    rows = {
        "'concurrent' stands without count, distinct and nodes": bool(step.concurrent and others),
        "'nodes' stands without distinct and without a count": bool(
            step.nodes and not step.absent and (step.distinct or step.minimum > 1)
        ),
        "an absence takes neither distinct nor concurrent": step.absent and bool(step.distinct or step.concurrent),
        "an absence takes 'nodes: any' (one complete log is enough) or 'nodes: all' (every member's log)": (
            step.absent and step.nodes not in {None, "any", "all"}
        ),
    }
    return [problem for problem, wrong in rows.items() if wrong]
