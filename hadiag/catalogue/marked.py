"""YAML with the line of every value, read so that a hostile file can do no harm.

A plain scalar is ``true``/``false``, ``null``/``~``/nothing, a decimal number, or text: nothing else, so that ``no``, ``1:30``,
``1.4e2`` and ``2026-01-01`` stay the text that the author sees. Keys are always text. Duplicate keys, anchors, aliases and
foreign tags are problems, not surprises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import yaml

from hadiag.catalogue.document import MarkedDocument, Path_, key_text
from hadiag.catalogue.types import Problem

if TYPE_CHECKING:
    from pathlib import Path

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_MAX_BYTES: Final = 8 << 20
_MAX_DEPTH: Final = 40
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_CORE: Final = frozenset(f"tag:yaml.org,2002:{word}" for word in ("str", "int", "float", "bool", "null", "map", "seq"))
_IMPLICIT: Final = frozenset({"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"})


def read_marked(path: Path, name: str) -> MarkedDocument:
    """Read one YAML file; every problem lands in the document, none is raised.

    Args:
        path: the file.
        name: how the file is called in messages.
    """
    try:
        return parse_marked(path.read_bytes(), name)
    except OSError as error:
        document = MarkedDocument(name)
        document.problem((), f"a readable file ({error.strerror})")
        return document


def parse_marked(raw: bytes, name: str) -> MarkedDocument:
    """Parse the bytes of one YAML document (see ``read_marked``)."""
    document = MarkedDocument(name)
    if len(raw) > _MAX_BYTES:
        document.problem((), f"at most {_MAX_BYTES} bytes, not {len(raw)}")
        return document
    try:
        if not _events_are_harmless(raw, document):
            return document
        root = yaml.compose(raw, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        document.problems.append(Problem(name, line, "document", f"valid YAML ({error.problem or error.context})"))
        return document
    except (yaml.YAMLError, ValueError) as error:
        document.problem((), f"valid YAML in UTF-8 ({str(error).splitlines()[0]})")
        return document
    if root is not None:
        document.data = _value(root, (), document)
    return document


def _events_are_harmless(raw: bytes, document: MarkedDocument) -> bool:
    depth = 0
    for event in yaml.parse(raw, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) is not None:
            document.problems.append(Problem(document.file, line, "document", "no anchors and aliases (&, *)"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            document.problems.append(Problem(document.file, line, "document", "less nesting"))
            break
    return not document.problems


def _value(node: yaml.Node, path: Path_, document: MarkedDocument) -> object:
    document.lines[path] = node.start_mark.line + 1
    if node.tag not in _CORE and node.tag not in _IMPLICIT:
        document.problem(path, f"no YAML tag (found {node.tag})")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), document) for index, item in enumerate(node.value)]
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _mapping(node: yaml.MappingNode, path: Path_, document: MarkedDocument) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            document.problem(path, "plain text as key")
            continue
        key = str(key_node.value)
        if key in found:
            place = (*path, key)
            document.lines[place] = key_node.start_mark.line + 1
            document.problem(place, "each key once in a mapping")
            continue
        found[key] = _value(value_node, (*path, key), document)
    return found


def _scalar(node: yaml.ScalarNode) -> str | float | bool | None:
    text = str(node.value)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    # A float is only read as one where it would print the same again: "1.40" may be a ring id.
    if _FLOAT.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return text


_MESSAGES = {
    "missing": "this key is required",
    "extra_forbidden": "no such key here; remove it or correct its spelling",
    "model_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
}


def expected_text(detail: Mapping[str, Any]) -> str:
    """One clear expectation from an error of pydantic."""
    known = _MESSAGES.get(detail["type"])
    if known:
        return known
    message: str = detail["msg"]
    if detail["type"] == "too_short":
        return f"at least {detail['ctx']['min_length']} of them"
    for prefix in ("Value error, ", "Input should be ", "String should "):
        if message.startswith(prefix):
            rest = message[len(prefix) :]
            return rest.removeprefix("expected ") if prefix.startswith("Value") else rest
    return message


def told(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The errors of pydantic that are worth telling: a list is not too short because its members are wrong."""
    places = [error["loc"] for error in errors]

    def follows(error: Mapping[str, Any]) -> bool:
        own = error["loc"]
        return error["type"] == "too_short" and any(len(loc) > len(own) and loc[: len(own)] == own for loc in places)

    return [error for error in errors if not follows(error)]


__all__ = ["MarkedDocument", "expected_text", "key_text", "parse_marked", "read_marked", "told"]
