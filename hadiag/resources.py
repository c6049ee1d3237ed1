"""Where the rules and the report templates of this installation are found.

In this order: the environment variable (``HADIAG_RULES``, ``HADIAG_TEMPLATES``), the checkout that this package lies in,
the data inside the wheel, and the directory of a distribution package (``/usr/share/hadiag``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hadiag.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_PACKAGE = Path(__file__).resolve().parent
_DISTRIBUTION = Path("/usr/share/hadiag")
_GROUP: Final = "hadiag.rulepacks"


def _candidates(name: str, variable: str) -> list[Path]:
    found = []
    if os.environ.get(variable):
        found.append(Path(os.environ[variable]))
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        found.append(checkout / name)
    found.append(_PACKAGE / "_data" / name)
    found.append(_DISTRIBUTION / name)
    return found


def _first(name: str, variable: str) -> Path:
    candidates = _candidates(name, variable)
    for path in candidates:
        if path.is_dir():
            return path
    tried = ", ".join(str(path) for path in candidates)
    raise UsageError(f"The {name} of hadiag were not found (looked in {tried}). Reinstall hadiag, or set {variable}.")


def rules_dir() -> Path:
    """Directory of the shipped rule packs.

    Raises:
        UsageError: no candidate exists.
    """
    return _first("rules", "HADIAG_RULES")


def templates_dir() -> Path:
    """Directory of the shipped report templates.

    Raises:
        UsageError: no candidate exists.
    """
    return _first("report_templates", "HADIAG_TEMPLATES")


def installed_packs() -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Rule packs of installed distributions: their directories, and a sentence for each that is not there.

    A distribution names its pack with an entry point of the group ``hadiag.rulepacks``: ``hana = "hadiag_hana:rules"`` is the
    directory ``rules`` of the package ``hadiag_hana``. Packs are data; nothing of the package is run.
    """
    from importlib.util import find_spec

    found: list[Path] = []
    missing: list[str] = []
    for point in sorted(_points(tuple(dict.fromkeys(sys.path))), key=lambda each: (each.name, each.value)):
        package, _, below = point.value.partition(":")
        spec = None if "." in package else find_spec(package)
        places = [Path(place) / below for place in (spec.submodule_search_locations or ())] if spec else []
        here = [path for path in places if path.is_dir()]
        found += here[:1]
        if not here:
            missing.append(f"The rule pack {point.name} ({point.value}) has no such directory; it was left out.")
    return tuple(found), tuple(missing)


@cache
def _points(places: tuple[str, ...]) -> Sequence[EntryPoint]:
    """Entry points of rule packs below places of ``sys.path``. What reads them is slow to import, and asked only where one may be."""
    if not any(_may_name_a_pack(Path(place)) for place in places):
        return ()
    from importlib.metadata import entry_points

    return tuple(entry_points(group=_GROUP))


def _may_name_a_pack(place: Path) -> bool:
    """Whether a distribution below a place of ``sys.path`` names the group; of what is no directory nothing is known."""
    try:
        names = [name for name in os.listdir(place) if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208 - names
    except NotADirectoryError:
        return True
    except OSError:
        return False
    return any(_GROUP.encode() in content_of(place / name / "entry_points.txt") for name in names)


def content_of(path: Path) -> bytes:
    """Content of a file, nothing of one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
