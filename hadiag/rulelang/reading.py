"""The files of rule packs to rules: validation first, then every reference between them, with every problem noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from hadiag.catalogue.document import MarkedDocument
from hadiag.catalogue.marked import expected_text, parse_marked, read_marked, told
from hadiag.rulelang import language
from hadiag.rulelang.edges import build_edges
from hadiag.rulelang.entries import Audit, Cause, Rule
from hadiag.rulelang.resolve import check_references
from hadiag.rulelang.ruleset import CatalogueInfo, Located, PackInfo, RuleSet
from hadiag.rulelang.step import Strict
from hadiag.rulelang.strata import order_rules
from hadiag.rulelang.words import LANGUAGE_VERSION, satisfies

MAX_PROBLEMS = 500
"""Problems that are reported at most."""

Entry = Rule | Cause | Audit
_M = TypeVar("_M", bound=Strict)
_FILES: Final = (("findings", language.Rule), ("causes", language.CauseFile), ("audits", language.AuditFile))


class Reading:
    """Collects entries and problems while the files of all packs are read."""

    def __init__(self) -> None:
        self.documents: list[MarkedDocument] = []
        self.rules: dict[str, Rule] = {}
        self.causes: dict[str, Cause] = {}
        self.audits: dict[str, Audit] = {}
        self.packs: list[PackInfo] = []
        self.places: dict[str, Located] = {}
        self.digest = blake2b(digest_size=16)

    def read_pack(self, directory: Path) -> None:
        """Read all files of one pack."""
        if not any((directory / name).exists() for name in ("pack.yaml", "events", "findings", "causes", "audits")):
            empty = MarkedDocument(shown_path(directory, directory.parent), None)
            empty.problem((), "a rule pack: events/, findings/, causes/ or audits/ with YAML files")
            self.documents.append(empty)
            return
        pack = self._read_header(directory)
        for kind, model in _FILES:
            for path in yaml_files(directory / kind):
                document = self._document(path, directory)
                self._add_file(document, model, pack, path.parent)

    def _read_header(self, directory: Path) -> str:
        path = directory / "pack.yaml"
        if not path.is_file():
            return directory.name
        document = self._document(path, directory)
        pack = validate(document, language.Pack)
        if pack is None:
            return directory.name
        if not satisfies(str(LANGUAGE_VERSION), pack.engine):
            document.problem(("engine",), f"a rule language that this hadiag has ({LANGUAGE_VERSION})")
        self.packs.append(PackInfo(pack.entry(), directory))
        return pack.name

    def _document(self, path: Path, directory: Path) -> MarkedDocument:
        name = shown_path(path, directory)
        try:
            raw = path.read_bytes() if path.is_file() else None
        except OSError:
            raw = None
        if raw is None:
            document = read_marked(path, name)
        else:
            document = parse_marked(raw, name)
            self.digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + raw + b"\0")
        self.documents.append(document)
        return document

    def _add_file(self, document: MarkedDocument, model: type[Strict], pack: str, folder: Path) -> None:
        content = validate(document, model)
        if isinstance(content, language.Rule):
            self._add(content.entry(), Located(document, (), pack, folder))
        elif isinstance(content, language.CauseFile):
            for index, cause in enumerate(content.causes):
                self._add(cause.entry(), Located(document, ("causes", index), pack, folder))
        elif isinstance(content, language.AuditFile):
            for index, audit in enumerate(content.audits):
                self._add(audit.entry(), Located(document, ("audits", index), pack, folder))

    def _add(self, entry: Entry, place: Located) -> None:
        if entry.id in self.places:
            place.problem(("id",), f"an id of its own; {entry.id} stands in {self.places[entry.id].place} already")
            return
        self.places[entry.id] = place
        if isinstance(entry, Rule):
            self.rules[entry.id] = entry
        elif isinstance(entry, Cause):
            self.causes[entry.id] = entry
        else:
            self.audits[entry.id] = entry

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems as lines, in the order of files and lines."""
        rows = sorted(
            {(problem.file, problem.line, str(problem)) for document in self.documents for problem in document.problems}
        )
        return tuple(text for _, _, text in rows[:MAX_PROBLEMS])


def read_packs(directories: Sequence[Path], catalogue: CatalogueInfo | None = None) -> tuple[RuleSet, tuple[str, ...]]:
    """Read all packs: what can be loaded, and the problems."""
    reading = Reading()
    for directory in directories:
        reading.read_pack(directory)
    rule_set = _assemble(reading, catalogue)
    return rule_set, reading.problems


def _assemble(reading: Reading, catalogue: CatalogueInfo | None) -> RuleSet:
    rules = dict(sorted(reading.rules.items()))
    audits = dict(sorted(reading.audits.items()))
    causes = dict(sorted(reading.causes.items()))
    check_references(rules, audits, causes, reading.places, None if catalogue is None else catalogue.types)
    table = build_edges(rules, audits, causes, reading.places)
    return RuleSet(
        findings=rules,
        causes=causes,
        audits=audits,
        edges=table.edges,
        duplicate_edges=table.duplicates,
        digest=reading.digest.hexdigest(),
        packs=tuple(reading.packs),
        strata=order_rules(rules, reading.places),
        places=reading.places,
        event_types={} if catalogue is None else catalogue.types,
    )


def yaml_files(directory: Path) -> Iterator[Path]:
    """YAML files below a directory, sorted; directories of test fixtures are passed over."""
    for path in sorted(directory.rglob("*.y*ml")):
        if path.is_file() and "fixtures" not in path.relative_to(directory).parts:
            yield path


def shown_path(path: Path, directory: Path) -> str:
    """Name of a file in messages: below the directory that holds the pack."""
    return str(path.relative_to(directory.parent)) if directory.parent in path.parents else str(path)


def validate(document: MarkedDocument, model: type[_M]) -> _M | None:
    """Read a document as a model; problems land in the document."""
    if document.problems:
        return None
    if not isinstance(document.data, Mapping):
        document.problem((), f"a mapping with the keys of {model.__name__}")
        return None
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for detail in told(error.errors(include_url=False, include_input=False)):
            document.problem(_known_path(document, detail["loc"]), expected_text(detail))
    return None


def _known_path(document: MarkedDocument, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Pydantic puts names of types into the place of an error; only what stands in the file is kept."""
    path: tuple[str | int, ...] = ()
    for part in location:
        if (*path, part) in document.lines:
            path = (*path, part)
    last = location[-1] if location else None
    if isinstance(last, str) and (not path or path[-1] != last) and last.isidentifier():
        return (*path, last)
    return path
