"""Values of rule files that have a notation of their own, as fields of pydantic models with their JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from hadiag.rulelang.condition import LIST_OPERATORS, SCALAR_OPERATORS, TEXT_OPERATORS, Condition, parse_condition
from hadiag.rulelang.template import Template, parse_template
from hadiag.rulelang.words import DURATION_PATTERN, parse_duration

Duration = Annotated[
    int, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})
]
"""A duration in a rule file, held as nanoseconds."""

TemplateField = Annotated[Template, PlainValidator(parse_template), WithJsonSchema({"type": "string", "minLength": 1})]
"""A text with places inside a pydantic model."""

_SCALAR_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_SCALED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["ref"],
    "additionalProperties": False,
    "properties": {"ref": {"type": "string"}, "times": {"type": "number"}, "plus": {"type": "number"}},
}
_OPERAND_SCHEMA: dict[str, Any] = {"anyOf": [_SCALAR_SCHEMA, _SCALED_SCHEMA]}
_LIST_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "array", "minItems": 1, "items": _OPERAND_SCHEMA}, {"type": "string", "pattern": r"^\$"}]
}
_OPERATOR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(SCALAR_OPERATORS, _OPERAND_SCHEMA),
        **dict.fromkeys(LIST_OPERATORS, _LIST_SCHEMA),
        **{operator: {"type": "string"} for operator in TEXT_OPERATORS},
        "exists": {"type": "boolean"},
    },
}
_ALTERNATIVE_SCHEMA: dict[str, Any] = {"anyOf": [_SCALAR_SCHEMA, {"type": "null"}, _OPERATOR_SCHEMA]}
CONDITION_SCHEMA: dict[str, Any] = {
    "anyOf": [_ALTERNATIVE_SCHEMA, {"type": "array", "minItems": 1, "items": _ALTERNATIVE_SCHEMA}]
}

ConditionField = Annotated[Condition, PlainValidator(parse_condition), WithJsonSchema(CONDITION_SCHEMA)]
"""A condition inside a pydantic model."""
