"""The cache of rule packs: the rules of packs that loaded without problems, so that YAML is read and validated once.

The key covers the content of all files, the event catalogue that they were checked against, and the code that reads and checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from hashlib import blake2b
from pathlib import Path

from hadiag.catalogue.document import MarkedDocument
from hadiag.catalogue.store import code_digest, read_records, write_records
from hadiag.resources import content_of
from hadiag.rulelang.ruleset import CatalogueInfo, Located, RuleSet

_FORMAT = 2
_KEPT = tuple(each.name for each in fields(RuleSet) if each.init and each.name != "event_types")


def key(directories: Sequence[Path], catalogue: CatalogueInfo | None) -> str:
    """Key of all packs below some directories."""
    digest = blake2b(digest_size=16)
    for directory in directories:
        for path in sorted(directory.rglob("*.y*ml")):
            if path.is_file() and "events" not in path.relative_to(directory).parts[:1]:
                digest.update(str(path).encode("utf-8", "surrogateescape") + b"\0" + content_of(path) + b"\0")
    events = getattr(catalogue, "digest", None)
    here = Path(__file__).parent
    return f"rules {_FORMAT} {code_digest(here, here.with_name('catalogue'))} {events} {digest.hexdigest()}"


def recall(name: str, catalogue: CatalogueInfo | None) -> RuleSet | None:
    """Rules of a key, if the cache has them whole."""
    kept = read_records("rules", name)
    try:
        return RuleSet(**dict(zip(_KEPT, kept, strict=True)), event_types={} if catalogue is None else catalogue.types)
    except (ValueError, TypeError, AttributeError):
        return None


def remember(name: str, rules: RuleSet) -> None:
    """Write rules without problems to the cache."""
    kept = replace(rules, places=_outlined(rules.places))
    write_records("rules", name, tuple(getattr(kept, each) for each in _KEPT))


def _outlined(places: Mapping[str, Located]) -> dict[str, Located]:
    """Places whose documents know the lines of their entries and no more: nothing is going to be wrong inside of them."""
    outlines: dict[int, MarkedDocument] = {}
    for whole in {id(place.document): place.document for place in places.values()}.values():
        lines = {path: line for path, line in whole.lines.items() if len(path) <= len(("causes", 0))}
        outlines[id(whole)] = MarkedDocument(whole.file, None, lines)
    return {name: replace(place, document=outlines[id(place.document)]) for name, place in places.items()}
