"""Words of a command line to values without pydantic, which typer would import for each option.

Typer keeps in each parameter what converts its words, and makes it when a value comes. What is a text, a switch, a choice or a list
of texts is converted here instead; everything else, and every wrong word, is left to typer, so that its messages stay what they are.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, get_args, get_origin

_KEPT: Final = "_runtime_param"
"""Where typer keeps it; a version without this attribute converts as it likes."""


class PlainWords:
    """Converts the words of one parameter."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - the signature that typer calls
        """The value of the parameter."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        made = _plain(value, param.type_descriptor.annotation, several=several)
        if made is None:
            setattr(param, _KEPT, None)
            return param.get_runtime_param().coerce(value, param=param, ctx=ctx)
        return made


def _plain(value: object, wanted: Any, *, several: bool) -> object:  # noqa: ANN401 - an annotation
    """The value, None where typer has to look at it."""
    if get_origin(wanted) is list:
        texts = several and get_args(wanted) == (str,) and isinstance(value, (list, tuple))
        return list(value) if texts and all(type(each) is str for each in value) else None  # type: ignore[call-overload,attr-defined]
    if several or not isinstance(wanted, type):
        return None
    if isinstance(value, wanted) and wanted in {str, bool}:
        return value
    if issubclass(wanted, Enum):
        return next((each for each in wanted if value is each or value == each.value), None)
    return None


def use_plain_words(command: Any, above: Any = None) -> None:  # noqa: ANN401 - a command of typer, and a context
    """Convert the words of all parameters of a command, and of those below it, without pydantic where that is enough."""
    context = command.context_class(command, parent=above, **command.context_settings)
    for param in command.get_params(context):  # --help among them, which is made for a context
        if getattr(param, _KEPT, param) is None:
            setattr(param, _KEPT, PlainWords())
    for below in getattr(command, "commands", {}).values():
        use_plain_words(below, context)
