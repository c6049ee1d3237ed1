"""Where the rules and the report templates of this installation are found.

In this order: the environment variable (``HADIAG_RULES``, ``HADIAG_TEMPLATES``), the checkout that this package lies in,
the data inside the wheel, and the directory of a distribution package (``/usr/share/hadiag``).
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from hadiag.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent
_DISTRIBUTION = Path("/usr/share/hadiag")


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
    found: list[Path] = []
    missing: list[str] = []
    for point in sorted(entry_points(group="hadiag.rulepacks"), key=lambda each: (each.name, each.value)):
        package, _, below = point.value.partition(":")
        spec = None if "." in package else find_spec(package)
        places = [Path(place) / below for place in (spec.submodule_search_locations or ())] if spec else []
        here = [path for path in places if path.is_dir()]
        found += here[:1]
        if not here:
            missing.append(f"The rule pack {point.name} ({point.value}) has no such directory; it was left out.")
    return tuple(found), tuple(missing)
