"""The JSON Schema of ``hadiag.analysis/v1``, generated from the types of ``contract``, and the reading of stored results.

``python -m hadiag.report.schema`` prints the schema; the copy in ``docs/analysis-v1.schema.json`` is tested to be current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hadiag.errors import NoInputError, UsageError
from hadiag.report.contract import AnalysisDoc
from hadiag.report.machine import SCHEMA

MAX_BYTES = 512 << 20
"""Bytes that a stored result may have."""


def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(AnalysisDoc)


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a result. Further keys are allowed: the contract grows by adding."""
    schema = _adapter().json_schema(ref_template="#/$defs/{model}")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "hadiag.analysis/v1",
        "title": "hadiag.analysis/v1",
    }
    return head | {key: value for key, value in schema.items() if key != "title"}


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"


def problems(text: str) -> list[str]:
    """What of a JSON text does not fit the contract, one line each; empty for a valid result."""
    try:
        _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        return [f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors()]
    return []


def read_result(path: str) -> Mapping[str, Any]:
    """Read a stored result; ``-`` is standard input.

    Raises:
        NoInputError: the file cannot be read, or holds no result.
        UsageError: the result is of another schema.
    """
    try:
        if path != "-" and Path(path).stat().st_size > MAX_BYTES:
            raise NoInputError(f"{path} is larger than {MAX_BYTES >> 20} MiB; a result of hadiag is not.")
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise NoInputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise NoInputError(
            f"{path} is no JSON ({error}). Make a result with: hadiag analyze BUNDLE -o result.json"
        ) from error
    return _checked(path, text, data)


def _checked(path: str, text: str, data: object) -> Mapping[str, Any]:
    found = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(found, str) or not found.startswith("hadiag."):
        raise NoInputError(f"{path} is no result of hadiag. Make one with: hadiag analyze BUNDLE -o result.json")
    if found != SCHEMA:
        raise UsageError(f"{path} has the schema {found}; this hadiag reads {SCHEMA}. Use the version that wrote it.")
    wrong = problems(text)
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise UsageError(f"{path} does not fit {SCHEMA}: {wrong[0]}{more}")
    return data


if __name__ == "__main__":
    sys.stdout.write(schema_text())
