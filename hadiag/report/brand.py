"""What a company adds to a report: its name, logo and footer, and the language of the report."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from hadiag.errors import UsageError
from hadiag.model.frozen import record

LOGO_LIMIT = 300_000
"""Bytes that a logo may have."""

LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
BRAND_KEYS = {"name", "logo", "footer", "language"}


@record
class Brand:
    """Name and logo in the header, a line in the footer, the language. ``logo`` is the address of its content."""

    name: str = ""
    logo: str = ""
    footer: str = ""
    language: str = "en"


def read_brand(directory: Path | None) -> Brand:
    """Read ``brand.yaml`` of a template directory: ``name``, ``logo`` (a file beside it), ``footer``, ``language``.

    Raises:
        UsageError: the file has an error, or its logo cannot be used.
    """
    path = directory / "brand.yaml" if directory else None
    if path is None or directory is None or not path.is_file():
        return Brand()
    values = read_mapping(path) or {}
    if not set(values) <= BRAND_KEYS:
        raise UsageError(f"{path}: allowed are the keys {', '.join(sorted(BRAND_KEYS))}.")
    words = {key: str(value) for key, value in values.items()}
    if "logo" in words:
        words["logo"] = _logo(directory / words["logo"])
    return Brand(**words)


def read_mapping(path: Path) -> dict[str, Any] | None:
    """Read a YAML file; None where it holds something else than pairs.

    Raises:
        UsageError: the file cannot be read.
    """
    import yaml

    try:
        found = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    return found if isinstance(found, dict) else {} if found is None else None


def _logo(path: Path) -> str:
    kind = LOGO_TYPES.get(path.suffix.lower())
    if kind is None or not path.is_file() or path.stat().st_size > LOGO_LIMIT:
        wanted = f"an existing {', '.join(LOGO_TYPES)} file of at most {LOGO_LIMIT // 1000} kB"
        raise UsageError(f"The logo {path} cannot be used: it has to be {wanted}.")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
