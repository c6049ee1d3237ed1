"""The text for the post-incident review, in Markdown, blameless: summary, impact, causes, trigger, detection, what went well."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hadiag.model.diagnosis import Diagnosis
from hadiag.report import page
from hadiag.report.machine import as_data


def to_markdown(diagnosis: Diagnosis) -> str:
    """Write a diagnosis as the draft of a post-incident review."""
    return markdown_of(as_data(diagnosis))


def markdown_of(data: Mapping[str, Any], templates: Path | None = None, *, cache: bool = True) -> str:
    """Write a result as the draft of a post-incident review.

    Raises:
        UsageError: a template has an error.
    """
    env = page.environment(templates, data, markup=False, cache=cache)
    findings = {finding["id"]: finding for finding in data["findings"]}
    text = page.render_template(env, "review.md.j2", {"data": data, "findings": findings})
    return text.strip() + "\n"
