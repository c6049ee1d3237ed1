r"""The confirming regexes for other tools: they find the lines of an event in a raw log, as ``rg -f`` or RE2 take them.

A confirming regex sees one tidy message from end to end, a search sees whole lines. So the message may begin anywhere in a
line, white space may stand behind it, a blank may be several, and what a match may do without at its ends is left out: it decides nothing about
which lines are found, and costs an automaton dearly.

``^(?:\[\d+\] )?node (?P<node>\S+?) is lost.*$`` becomes ``node +\S+? +is +lost``.
"""

from __future__ import annotations

import re
import re._constants as opcode  # type: ignore[import-not-found]  # the parser of re itself: the one true reading
import re._parser as regex_parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

_Atom = tuple[Any, Any]

_MOST_REPEATS: Final = 1000
"""RE2 counts no further."""
_GREEDY: Final = (opcode.MAX_REPEAT, opcode.MIN_REPEAT)
_WHOLE: Final = (opcode.LITERAL, opcode.NOT_LITERAL, opcode.ANY, opcode.IN, opcode.BRANCH, opcode.SUBPATTERN)
"""What a repeat may follow without a group around it."""
_PLACES: Final = {
    "AT_BEGINNING": "",
    "AT_BEGINNING_STRING": "",
    "AT_END": r"\s*$",
    "AT_END_STRING": r"\s*$",
    "AT_BOUNDARY": r"\b",
    "AT_NON_BOUNDARY": r"\B",
}
_PLAIN: Final = frozenset("_'\"=:;,<>@%&~`!/-#")
_BLANK: Final = " "
_BLANK_OR_TAB: Final = r"[ \t]"


class NotPortableError(ValueError):
    """A regex that other engines have no words for."""


def line_regex(regex: str, *, tabs: bool) -> str:
    r"""Write a confirming regex so that it finds the lines that hold such a message.

    Args:
        regex: the confirming regex.
        tabs: whether a blank may also be a tab, which is dearer.

    Raises:
        NotPortableError: it needs what RE2 and the regexes of Rust do not have.
    """
    tree = regex_parser.parse(regex)
    text = _Writer(_BLANK_OR_TAB if tabs else _BLANK).text(_needed(list(_opened(tree))))
    if not text:
        raise NotPortableError("it would find every line")
    return f"(?i:{text})" if tree.state.flags & re.IGNORECASE else text


def _opened(items: Iterable[_Atom]) -> Iterator[_Atom]:
    """The atoms with the groups opened that every match runs through once."""
    for op, arg in items:
        if op is opcode.SUBPATTERN and not arg[1] and not arg[2]:
            yield from _opened(arg[3])
        else:
            yield op, arg


def _needed(atoms: list[_Atom]) -> list[_Atom]:
    """The atoms without those at the ends that a search finds the same lines without."""
    while atoms and (_is_start(atoms[0]) or _is_optional(atoms[0])):
        del atoms[0]
    if len(atoms) > 1 and _is_end(atoms[-1]) and _runs_to_end(atoms[-2]):
        least, _, inner = atoms[-2][1]
        atoms[-2:] = list(inner) * least
    while atoms and _is_optional(atoms[-1]):
        del atoms[-1]
    return atoms


def _is_start(atom: _Atom) -> bool:
    return atom[0] is opcode.AT and str(atom[1]).startswith("AT_BEGINNING")


def _is_end(atom: _Atom) -> bool:
    return atom[0] is opcode.AT and str(atom[1]).startswith("AT_END")


def _is_optional(atom: _Atom) -> bool:
    return atom[0] in _GREEDY and atom[1][0] == 0


def _runs_to_end(atom: _Atom) -> bool:
    op, arg = atom
    return op in _GREEDY and arg[1] is opcode.MAXREPEAT and len(arg[2]) == 1 and arg[2][0][0] is opcode.ANY


class _Writer:
    """Writes a parsed regex in the dialect that RE2 and Rust share; groups capture nothing."""

    def __init__(self, blank: str) -> None:
        self._blank = blank

    def text(self, items: Iterable[_Atom]) -> str:
        """The text of atoms that follow each other.

        Raises:
            NotPortableError: the dialect cannot express one of them.
        """
        return "".join(self._atom(op, arg) for op, arg in items)

    def _atom(self, op: object, arg: Any) -> str:  # noqa: ANN401 - the parse tree of re has no types
        if op is opcode.LITERAL:
            return f"{self._blank}+" if chr(arg) == " " else _character(arg, _PLAIN)
        if op is opcode.BRANCH:
            return f"(?:{'|'.join(map(self.text, arg[1]))})"
        if op is opcode.SUBPATTERN:
            return self._group(*arg)
        if op in _GREEDY:
            return self._repeat(op, *arg)
        return _single(op, arg)

    def _group(self, number: int | None, added: int, removed: int, items: Sequence[_Atom]) -> str:
        del number
        case = ("i" if added & re.IGNORECASE else "") + ("-i" if removed & re.IGNORECASE else "")
        return f"(?{case}:{self.text(items)})"

    def _repeat(self, op: object, least: int, most: int, items: Sequence[_Atom]) -> str:
        bounded = most is not opcode.MAXREPEAT
        if max(least, most if bounded else 0) > _MOST_REPEATS:
            raise NotPortableError(f"it counts beyond {_MOST_REPEATS}")
        if list(items) == [(opcode.LITERAL, ord(" "))]:
            return self._blank + (
                "+" if least else "*"
            )  # a run is one blank of the message, however often it may stand there
        inner = self.text(items)
        if len(items) != 1 or items[0][0] not in _WHOLE:
            inner = f"(?:{inner})"
        if least == most:
            return f"{inner}{{{least}}}"
        short = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most if bounded else None))
        lazy = "?" if op is opcode.MIN_REPEAT else ""
        return inner + (short or f"{{{least},{most if bounded else ''}}}") + lazy


def _single(op: object, arg: Any) -> str:  # noqa: ANN401 - see _Writer
    """What stands for one character, or for a place between two."""
    if op is opcode.ANY:
        return "."
    if op is opcode.NOT_LITERAL:
        return f"[^{_character(arg)}]"
    if op is opcode.IN:
        return _class(arg)
    if op is opcode.AT and str(arg) in _PLACES:
        return _PLACES[str(arg)]
    raise NotPortableError(f"{str(op).lower()} is known to Python only")


def _class(members: Sequence[_Atom]) -> str:
    if len(members) == 1 and members[0][0] is opcode.CATEGORY:
        return _category(members[0][1])
    return f"[{''.join(map(_member, members))}]"


def _member(member: _Atom) -> str:
    kind, value = member
    if kind is opcode.NEGATE:
        return "^"
    if kind is opcode.RANGE:
        return f"{_character(value[0])}-{_character(value[1])}"
    return _character(value) if kind is opcode.LITERAL else _category(value)


def _category(value: object) -> str:
    name = str(value)
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rsplit("_", 1)[-1]]
    return "\\" + (letter.upper() if "_NOT_" in name else letter)


def _character(code: int, plain: frozenset[str] = frozenset(" _'\"=:;,<>@%`!/()|.*+?{}$#")) -> str:
    """A character as itself where that is safe in both engines; Rust takes no backslash before one that means nothing."""
    text = chr(code)
    if text.isprintable() and (text.isalnum() or text in plain or not text.isascii()):
        return text
    return f"\\x{{{code:x}}}" if not text.isprintable() else f"\\{text}"
