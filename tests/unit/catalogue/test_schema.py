"""The JSON Schema of event packs."""

from __future__ import annotations

from hadiag.catalogue.schema import json_schema
from hadiag.resources import rules_dir


def test_the_committed_schema_is_current() -> None:
    """Editors check packs against the same models that load them."""
    committed = rules_dir() / "schema" / "events-v1.schema.json"

    assert committed.read_text(encoding="utf-8") == json_schema()
