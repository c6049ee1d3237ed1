"""The catalogue of texts: all that a report says to people beside what it quotes, in the language of its reader.

``report_templates/words/en.yaml`` holds every text: those of the code by a key (``band.no_dc``), those of the templates and the
words of closed lists (``not recovered``) by themselves. Another language is one file ``words/LANGUAGE.yaml`` of such pairs; what
it lacks stays English.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from hadiag import __version__
from hadiag.catalogue.store import read_records, write_records
from hadiag.errors import UsageError
from hadiag.model.frozen import record
from hadiag.report.brand import read_brand, read_mapping
from hadiag.resources import templates_dir

ENGLISH = "en"


@record
class Said:
    """A text that is not yet in a language: its key, and the values that it names; a value may be such a text itself."""

    key: str
    values: tuple[tuple[str, object], ...] = ()


def said(key: str, **values: object) -> Said:
    """Name a text of the catalogue."""
    return Said(key, tuple(values.items()))


class Words:
    """The texts of one language."""

    def __init__(self, language: str, texts: Mapping[str, str], english: Mapping[str, str]) -> None:
        """Take the texts of a language, and the English ones for what it lacks."""
        self.language = language
        self._texts = {**english, **texts}

    def __call__(self, key: str, /, **values: object) -> str:
        """Text of a key with its values; an unknown key is its own text.

        Raises:
            UsageError: the text names a value that it has not, which only an own catalogue does.
        """
        text = self._texts.get(key, key)
        if not values:
            return text
        try:
            return text.format_map({name: self.of(value) for name, value in values.items()})
        except (LookupError, ValueError, AttributeError) as error:
            raise UsageError(f"The text {key!r} of the language {self.language} has an error: {error}.") from error

    def of(self, text: object) -> object:
        """Put a text into this language; what is no text of the catalogue stays as it is."""
        return self(text.key, **dict(text.values)) if isinstance(text, Said) else text

    def label(self, text: Said | str) -> str:
        """A text of the catalogue, or a name, as people read it."""
        return str(self.of(text))

    def many(self, count: int, one: str, more: str) -> str:
        """Text of a number: ``one`` for 1, else ``more``; both may name ``n``."""
        return self(one if count == 1 else more, n=f"{count:,}")


def read_words(directory: Path | None = None, language: str | None = None, *, cache: bool = True) -> Words:
    """Read the texts of a language; by default that which ``brand.yaml`` of a template directory names.

    Args:
        directory: templates of a company, which come before the shipped ones.
        language: the language.
        cache: keep the shipped texts in the cache directory.

    Raises:
        UsageError: there is no such language, or its file has an error.
    """
    named = language or read_brand(directory).language
    shipped = templates_dir()
    folders = [*([directory] if directory else []), shipped]
    path = next((p for folder in folders if (p := folder / "words" / f"{named}.yaml").is_file()), None)
    if path is None:
        raise UsageError(f"There is no language {named!r}: words/{named}.yaml was not found in the templates.")
    english = shipped / "words" / f"{ENGLISH}.yaml"
    return Words(named, {} if path == english else _texts(path), english_texts(english, cached=cache))


@cache
def english_texts(path: Path, *, cached: bool = True) -> Mapping[str, str]:
    """The shipped texts, read once, and if they are ``cached``, as YAML only once for all runs."""
    if not cached:
        return _texts(path)
    key = f"texts {__version__} {blake2b(path.read_bytes(), digest_size=16).hexdigest()}"
    known: object = read_records("texts", key)
    if isinstance(known, dict):
        return known
    texts = _texts(path)
    write_records("texts", key, texts)
    return texts


def _texts(path: Path) -> dict[str, str]:
    """Read a file of texts; a key without one is its own."""
    found: dict[str, Any] | None = read_mapping(path)
    if found is None:
        raise UsageError(f"{path} has to hold pairs: the English text or its key, and the text of this language.")
    return {_key(key): str(value) for key, value in found.items() if value is not None}


def _key(key: object) -> str:
    """YAML reads the words yes and no, where they stand without quotes, as truth values."""
    return str(key) if not isinstance(key, bool) else "yes" if key else "no"
