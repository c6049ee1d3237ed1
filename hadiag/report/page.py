"""The page: templates, the words of the reader's language, the company's brand, and one file with a strict policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from hadiag.errors import UsageError
from hadiag.report import say
from hadiag.report.scene import quote_key
from hadiag.report.visible import visible
from hadiag.resources import templates_dir

LOGO_LIMIT = 300_000
"""Bytes that a logo may have."""

LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
BRAND_KEYS = {"name", "logo", "footer", "language"}


@dataclass(frozen=True, slots=True)
class Brand:
    """What a company adds to the page: its name and logo in the header, a line in the footer, the language."""

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
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict) or not set(values) <= BRAND_KEYS:
        raise UsageError(f"{path}: allowed are the keys {', '.join(sorted(BRAND_KEYS))}.")
    words = {key: str(value) for key, value in values.items()}
    if "logo" in words:
        words["logo"] = _logo(directory / words["logo"])
    return Brand(**words)


def _logo(path: Path) -> str:
    kind = LOGO_TYPES.get(path.suffix.lower())
    if kind is None or not path.is_file() or path.stat().st_size > LOGO_LIMIT:
        wanted = f"an existing {', '.join(LOGO_TYPES)} file of at most {LOGO_LIMIT // 1000} kB"
        raise UsageError(f"The logo {path} cannot be used: it has to be {wanted}.")
    return data_uri(path.read_bytes(), kind)


def data_uri(content: bytes, kind: str) -> Markup:
    """Write bytes as a ``data:`` address."""
    return Markup(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")  # noqa: S704 - base64


def environment(directory: Path | None, brand: Brand, *, markup: bool) -> jinja2.Environment:
    """Make the template environment; templates of ``directory`` come before the shipped ones."""
    shipped = templates_dir()
    folders = [*([directory] if directory else []), shipped]
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        autoescape=markup,  # noqa: S701 - pages are escaped; Markdown has filters of its own
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    env.globals |= {"_": _words(folders, brand.language), "brand": brand, "quote_key": quote_key, "anchor": anchor}
    env.filters |= say.FILTERS
    return env


def _harmless(value: object) -> object:
    """Make every text harmless on its way into the page; what is markup already was made by the templates."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _words(folders: list[Path], language: str) -> Any:  # noqa: ANN401 - a callable of the templates
    """Translate the fixed texts: the templates are written in English, another language is one file of pairs."""
    path = next((p for folder in folders if (p := folder / "words" / f"{language}.yaml").is_file()), None)
    if path is None and language != "en":
        raise UsageError(f"There is no language {language!r}: words/{language}.yaml was not found in the templates.")
    pairs = _pairs(path) if path else {}

    def translate(text: str, **values: object) -> str:
        found = str(pairs.get(text, text))
        return found.format(**values) if values else found

    return translate


def _pairs(path: Path) -> Mapping[str, str]:
    """Read a file of translations."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} has to hold pairs: the English text, and the text of this language.")
    return found


def anchor(key: str) -> str:
    """Id of an element for any key: letters, digits and hyphens only."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in key)
    return (
        plain
        if plain == key
        else f"{plain[-24:].strip('-')}-{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"
    )


def render_template(env: jinja2.Environment, name: str, context: Mapping[str, Any]) -> str:
    """Render a template.

    Raises:
        UsageError: the template has an error; the message names its file and line.
    """
    try:
        return env.get_template(name).render(context)
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(
            f"The template {error.filename or error.name}, line {error.lineno}: {error.message}"
        ) from error
    except jinja2.TemplateNotFound as error:
        raise UsageError(f"The template {error.name} was not found.") from error
    except (
        jinja2.TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise UsageError(f"The template {_place(error)}: {error}") from error


def _place(error: BaseException) -> str:
    """File and line of the template in which an error arose."""
    trace, found = error.__traceback__, "report"
    while trace:
        code = trace.tb_frame.f_code
        if code.co_filename.endswith(".j2"):
            found = f"{code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def asset(env: jinja2.Environment, name: str) -> Markup:
    """Text of an asset (style sheet, script), overridable like the templates."""
    loader = env.loader
    assert loader is not None  # noqa: S101 - the environment was made with one
    return Markup(loader.get_source(env, f"assets/{name}")[0].strip())  # noqa: S704 - shipped text, or the user's own


def fingerprint(text: str) -> str:
    """Hash of an inline block as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
