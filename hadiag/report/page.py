"""The page: templates with the texts of the reader's language, and one file with a strict policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from hadiag.errors import UsageError
from hadiag.report import say
from hadiag.report.brand import read_brand
from hadiag.report.compiled import CompiledTemplates
from hadiag.report.scene import quote_key
from hadiag.report.visible import visible
from hadiag.report.words import read_words
from hadiag.resources import templates_dir

SCRIPTS = ("page.js", "payload.js", "timeline.js")
"""Assets that make up the script, in this order."""


def environment(
    directory: Path | None, data: Mapping[str, Any], *, markup: bool, cache: bool = True
) -> jinja2.Environment:
    """Make the template environment for a result; templates of ``directory`` come before the shipped ones.

    Raises:
        UsageError: the brand or the texts of its language have an error.
    """
    brand = read_brand(directory)
    words = read_words(directory, brand.language, cache=cache)
    folders = [*([directory] if directory else []), templates_dir()]
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        autoescape=markup,  # noqa: S701 - pages are escaped; Markdown has filters of its own
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        bytecode_cache=CompiledTemplates(f"{markup} {brand.language}") if cache else None,
    )
    env.globals |= {"_": words, "_n": words.many, "brand": brand, "quote_key": quote_key, "anchor": anchor}
    env.globals["tools"] = say.tools_of(data)
    env.filters |= say.filters(words)
    return env


def _harmless(value: object) -> object:
    """Make every text harmless on its way into the page; what is markup already was made by the templates."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


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
        text = env.get_template(name).render(context)
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
    if isinstance(env.bytecode_cache, CompiledTemplates):
        env.bytecode_cache.keep()
    return text


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


def script(env: jinja2.Environment) -> Markup:
    """The one script of the page, from its parts."""
    parts = "\n".join(asset(env, name) for name in SCRIPTS)
    return Markup(f'"use strict";\n(() => {{\n{parts}\n}})();')  # noqa: S704 - shipped text, or the user's own


def fingerprint(text: str) -> str:
    """Hash of an inline block as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
