"""Event files to event types and patterns: validation, block copies and samples, with every problem noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hadiag.catalogue.marked import MarkedDocument, expected_text, parse_marked, told
from hadiag.catalogue.patterns import PatternError, block_copy
from hadiag.catalogue.samples import check_pattern
from hadiag.catalogue.schema import EventModel, FileModel, PatternModel
from hadiag.catalogue.types import Derive, EventType, Pattern, Problem, Sample
from hadiag.model.entity import Level

_Path = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(slots=True)
class Reading:
    """What was read so far: types and patterns that are sound, and the problems of the others."""

    types: dict[str, EventType] = field(default_factory=dict)
    patterns: list[Pattern] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def add_file(self, name: str, raw: bytes | None, short: str) -> None:
        """Add one file; None as content means that it could not be read. ``short`` is its name inside the pack."""
        if raw is None:
            self.problems.append(Problem(name, 1, "document", "a readable file"))
            return
        document = parse_marked(raw, name)
        if not document.problems:
            for index, event in _events(document):
                self._add_event(event, index, document, short)
        self.problems.extend(document.problems)

    def _add_event(self, model: EventModel, index: int, document: MarkedDocument, short: str) -> None:
        path: _Path = ("events", index)
        place = f"{document.file}:{document.line_of(path)}"
        if model.type in self.places:
            document.problem((*path, "type"), f"a type that is not yet defined (see {self.places[model.type]})")
            return
        self.places[model.type] = place
        event = event_type(model)
        if event.subject is not None and event.subject not in event.fields:
            document.problem((*path, "subject"), f"the name of a declared field, not {event.subject!r}")
        self.types[event.name] = event
        for number, pattern in enumerate(model.patterns):
            self._add_pattern(event, pattern, (*path, "patterns", number), document, short)

    def _add_pattern(
        self, event: EventType, model: PatternModel, path: _Path, document: MarkedDocument, short: str
    ) -> None:
        try:
            copy = block_copy(model.regex, model.literal, head_only=event.continues)
        except PatternError as error:
            key = "literal" if "a literal" in str(error) else "regex"
            document.problem((*path, key), str(error))
            return
        pattern = Pattern(
            id=len(self.patterns),
            type=event.name,
            literal=model.literal,
            regex=model.regex,
            block_regexes=copy.regexes,
            needs=copy.needs,
            weight=copy.weight,
            freedom=copy.freedom,
            short=model.short,
            versions=model.versions,
            set=model.set_,
            derive=_derives(model),
            samples=tuple(_sample(sample.line, sample.origin, sample.fields) for sample in model.samples),
            origin=f"{short}:{document.line_of(path)}",
        )
        found = list(check_pattern(event, pattern, copy.groups))
        for inside, expected in found:
            document.problem((*path, *inside), expected)
        if not found:
            self.patterns.append(pattern)


def _derives(model: PatternModel) -> tuple[Derive, ...]:
    return tuple(
        Derive(
            entry.field,
            entry.from_,
            None if entry.values is None else {key.strip().lower(): value for key, value in entry.values.items()},
            entry.default,
        )
        for entry in model.derive
    )


def _sample(line: str, origin: str, fields: Mapping[str, object]) -> Sample:
    values = {
        name: tuple(sorted(map(str, value))) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Sample(line, origin, values)  # type: ignore[arg-type]  # the schema admits scalars and lists of scalars only


def event_type(model: EventModel) -> EventType:
    """The event type of a validated entry."""
    return EventType(
        name=model.type,
        layer=model.layer,
        cls=model.cls,
        level=Level[model.level.upper()],
        about=model.about,
        source=model.source,
        programs=model.programs,
        subject=model.subject,
        fields=dict(model.fields),
        after_resume=model.logged == "after_resume",
        status=model.status,
        continues=model.continues,
        next=model.next,
    )


def _events(document: MarkedDocument) -> Iterator[tuple[int, EventModel]]:
    """The sound events of a document; what is wrong with the others is noted."""
    data = document.data
    entries = data.get("events") if isinstance(data, Mapping) else None
    frame = {**data, "events": []} if isinstance(data, Mapping) and isinstance(entries, list) else data
    _validated(FileModel, frame, (), document)
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        model = _validated(EventModel, entry, ("events", index), document)
        if model is not None:
            yield index, model


def _validated(
    model: type[_Model], data: object, path: tuple[str | int, ...], document: MarkedDocument
) -> _Model | None:
    try:
        return model.model_validate(data)
    except ValidationError as errors:
        for error in told(errors.errors(include_url=False, include_input=False)):
            document.problem((*path, *_path_in(data, error)), expected_text(error))
        return None


def _path_in(data: object, error: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Place of a validation error without the branch names that pydantic puts in for unions."""
    path: list[str | int] = []
    for part in error["loc"]:
        if (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            data = data[part]  # part is a key of the mapping or a place in the list
        elif error["type"] not in {"missing", "extra_forbidden"} or part != error["loc"][-1]:
            continue
        path.append(part)
    return tuple(path)
