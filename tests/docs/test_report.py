"""What ``docs/report.md`` says of templates is what the page is made of."""

from __future__ import annotations

import re

from hadiag.report.brand import BRAND_KEYS
from hadiag.resources import templates_dir
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")


def test_every_section_is_named() -> None:
    """A section that can be replaced can be found in the document, in the order of the page."""
    shipped = {path.name.removesuffix(".html.j2") for path in (templates_dir() / "sections").glob("*.j2")} - {"macros"}
    named = re.findall(r"`(\w+)`", TEXT[TEXT.index("The sections, in the order") :].split("Templates")[0])
    assert sorted(named) == sorted(shipped)
    whole = (templates_dir() / "report.html.j2").read_text(encoding="utf-8")
    order = re.findall(r"sections/(\w+)\.html\.j2", whole)
    assert [name for name in named if name in order] == order


def test_every_key_of_the_brand_is_named() -> None:
    """All of ``brand.yaml``."""
    row = next(line for line in TEXT.splitlines() if line.startswith("| `brand.yaml`"))
    assert set(re.findall(r"`(\w+)`", row)) == BRAND_KEYS
