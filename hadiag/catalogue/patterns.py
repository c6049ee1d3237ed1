r"""Block copies: what of a pattern the multi-pattern scan of raw blocks looks for.

The confirming regex sees one tidy message, the scan sees whole lines, with runs of blanks collapsed like those of the
message. So a copy must hit every line that the regex would confirm, and may hit a few more. It is the text around the
declared literal; where that is short, the stretch of the regex that is only text and choices between texts, spelled out.

``^Quorum (?P<state>retained|still lost)`` becomes ``Quorum retained`` and ``Quorum still lost``.

No copy is more than text. Vectorscan 5.4.12 misses ``section [^\n]*,[ \t]+version=`` where the gap is 15 bytes or longer,
and text alone is what it finds fastest: four times as fast as the same text with ``[ \t]+`` for each blank.
"""

from __future__ import annotations

import re
import re._constants as opcode  # type: ignore[import-not-found]  # the parser of re itself: the one true reading
import re._parser as regex_parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import takewhile
from typing import Any, Final

from hadiag.model.frozen import record

_Atom = tuple[Any, Any]

_NESTED: Final = 9  # an unbounded repeat inside another one grows exponentially
_SELECTIVE: Final = 12  # characters around the literal with which it is taken for the scan
_CHOICES: Final = 24  # texts that one pattern may be spelled out to
_EVERYWHERE: Final = ("operation for", "success", "failed")
"""Texts that hundreds of ordinary lines an hour hold: each request to the CIB, the end of anything."""
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_'\"=:;,<>@%&~`!/ ")
_TELLING: Final = 3  # characters without which a text stands in every other line
_REFUSED: Final = {
    "ASSERT": "no lookaround",
    "ASSERT_NOT": "no lookaround",
    "GROUPREF": "no back-reference",
    "GROUPREF_EXISTS": "no conditional group",
}


class PatternError(ValueError):
    """A regex that the catalogue does not take; the message says what was expected."""


@record
class BlockCopy:
    """The scan's copies of a regex, the number of literal characters that the regex needs, and its named groups.

    Every line that the regex matches holds one of the copies, and of each tuple of ``needs`` one text. ``freedom`` n: a
    backtracking engine may need time that grows with the n-th power of the length of the line.
    """

    regexes: tuple[bytes, ...]
    needs: tuple[tuple[str, ...], ...]
    weight: int
    groups: tuple[str, ...]
    freedom: int


def block_copy(regex: str, literal: str, *, head_only: bool = False) -> BlockCopy:
    """Make the block copy of a regex.

    Args:
        regex: the confirming regex.
        literal: text that every match must hold.
        head_only: end with the declared literal, because the rest may stand on a following line.

    Raises:
        PatternError: the regex does not compile, uses what the scan cannot do, or does not need the literal.
    """
    try:
        tree = regex_parser.parse(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"a regex that compiles ({error})") from error
    _refuse(tree)
    ignore_case = bool(tree.state.flags & re.IGNORECASE)
    atoms = list(_flatten(tree))
    runs = list(_runs(atoms))
    anchor = _run_with(runs, literal, ignore_case=ignore_case)
    if head_only:
        texts: tuple[str, ...] = (literal,)
    else:
        texts = (anchor,) if len(anchor.strip()) >= _SELECTIVE else _best_texts(atoms, anchor)
    prefix = "(?i)" if ignore_case else ""
    copies = sorted({prefix + _quote(text) for text in texts})
    groups = tuple(sorted(tree.state.groupdict, key=tree.state.groupdict.__getitem__))
    weight = sum(map(len, runs))
    needs = () if head_only or ignore_case else tuple(_needs(atoms))
    return BlockCopy(tuple(copy.encode("ascii") for copy in copies), needs, weight, groups, _freedom(atoms))


def _refuse(items: Iterable[_Atom]) -> None:
    for op, arg in items:
        if str(op) in _REFUSED:
            raise PatternError(f"{_REFUSED[str(op)]} in the regex")
        for inner in _inner(op, arg):
            _refuse(inner)


def _inner(op: object, arg: Any) -> Sequence[Any]:  # noqa: ANN401 - the parse tree of re has no types
    if op is opcode.SUBPATTERN:
        return (arg[3],)
    if op is opcode.BRANCH:
        return tuple(arg[1])
    if op in _REPEATS:
        return (arg[2],)
    return (arg,) if op is opcode.ATOMIC_GROUP else ()


_REPEATS: Final = (opcode.MAX_REPEAT, opcode.MIN_REPEAT, opcode.POSSESSIVE_REPEAT)


def _flatten(items: Iterable[_Atom]) -> Iterator[_Atom]:
    """Open the groups that every match runs through exactly once."""
    for op, arg in items:
        if op is opcode.SUBPATTERN and not arg[1] and not arg[2]:
            yield from _flatten(arg[3])
        elif op is opcode.ATOMIC_GROUP:
            yield from _flatten(arg)
        else:
            yield op, arg


def _freedom(atoms: Sequence[_Atom], *, at_end: bool = True) -> int:
    """Count the unbounded repeats that do not know where to end: what follows may also be part of them.

    A ``.*`` behind which nothing but optional parts stands (``at_end``) always reaches the end, and costs nothing.
    """
    found = 0
    follower: _Atom | None = None
    for atom in reversed(atoms):
        op, arg = atom
        if op in _REPEATS and arg[1] is opcode.MAXREPEAT:
            inner = list(arg[2])
            if any(_freedom([item], at_end=False) for item in inner):
                found += _NESTED
            elif not (at_end and inner[0][0] is opcode.ANY):
                found += _runs_over(inner, follower)
        else:
            branches = [list(_flatten(items)) for items in _inner(op, arg)]
            found += max((_freedom(items, at_end=at_end) for items in branches), default=0)
        at_end = at_end and (op is opcode.AT or (op in _REPEATS and arg[0] == 0))
        follower = atom
    return found


def _runs_over(repeated: Sequence[_Atom], follower: _Atom | None) -> bool:
    """Whether a repeat of one class of characters may also swallow what follows it."""
    if len(repeated) != 1 or repeated[0][0] not in {opcode.ANY, opcode.IN, opcode.NOT_LITERAL, opcode.LITERAL}:
        return False
    if follower is None or follower[0] is not opcode.LITERAL:
        return follower is None or follower[0] is not opcode.AT
    return follower[1] > 127 or follower[1] in _class_members(repeated[0])


def _runs(atoms: Sequence[_Atom]) -> Iterator[str]:
    start = 0
    while start < len(atoms):
        end = start
        while end < len(atoms) and atoms[end][0] is opcode.LITERAL:
            end += 1
        if end > start:
            yield "".join(chr(arg) for _, arg in atoms[start:end])
        start = end + 1


def _run_with(runs: Sequence[str], literal: str, *, ignore_case: bool) -> str:
    if "  " in literal or "\t" in literal:
        raise PatternError("a literal without runs of blanks")
    wanted = literal.lower() if ignore_case else literal
    for run in runs:
        if wanted in (run.lower() if ignore_case else run):
            return run
    raise PatternError("a literal that stands unbroken in the regex, outside of alternatives and optional parts")


def _best_texts(atoms: Sequence[_Atom], anchor: str) -> tuple[str, ...]:
    """The stretch of the regex with finitely many texts whose shortest text is longest."""
    parts = [_texts([atom]) for atom in atoms]
    best: tuple[str, ...] = (anchor,)
    for start in range(len(parts)):
        texts: tuple[str, ...] = ("",)
        for part in parts[start:]:
            if part is None or len(texts) * len(part) > _CHOICES:
                break
            texts = tuple(head + tail for head in texts for tail in part)
            if _shortest(texts) > _shortest(best) and not any(map(_is_everywhere, texts)):
                best = texts
    return best


def _is_everywhere(text: str) -> bool:
    return any(text.strip() in common for common in _EVERYWHERE)


def _needs(atoms: Sequence[_Atom]) -> Iterator[tuple[str, ...]]:
    """Texts of which every match holds one, for each stretch of the regex with finitely many, in their order."""
    texts: tuple[str, ...] = ("",)
    for index, atom in enumerate(atoms):
        part = _texts([atom])
        joined = None if part is None else tuple(dict.fromkeys(head + tail for head in texts for tail in part))
        if joined is not None and len(joined) <= _CHOICES:
            texts = joined
            continue
        yield from _telling(texts)
        if part is None:
            yield from _telling(_branch_texts(atom, _run(reversed(atoms[:index]))[::-1], _run(atoms[index + 1 :])))
        texts = part or ("",)
    yield from _telling(texts)


def _run(atoms: Iterable[_Atom]) -> str:
    """The text that some atoms begin with."""
    return "".join(chr(arg) for _, arg in takewhile(lambda atom: atom[0] is opcode.LITERAL, atoms))


def _branch_texts(atom: _Atom, before: str, behind: str) -> tuple[str, ...]:
    """For a choice between branches of any form a text that each of them needs; one empty text where one has none.

    A branch that is text stands between what is ``before`` and ``behind`` the choice.
    """
    op, arg = atom
    if op is not opcode.BRANCH:
        return ("",)
    found: list[str] = []
    for branch in arg[1]:
        finite = _texts(list(branch))
        if finite is None:
            found.append(max(_runs(list(_flatten(branch))), key=len, default=""))
        else:
            found.extend(f"{before}{text}{behind}" for text in finite)
    return tuple(dict.fromkeys(found))


def _telling(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if texts and _shortest(texts) >= _TELLING:
        found = sorted({text.strip() for text in texts}, key=len)
        yield tuple(text for index, text in enumerate(found) if not any(other in text for other in found[:index]))


def _shortest(texts: Sequence[str]) -> int:
    return min(len(text.strip()) for text in texts)


def _texts(items: Sequence[_Atom]) -> tuple[str, ...] | None:
    """All texts that a piece of a regex can match, None where there are too many to tell."""
    texts: tuple[str, ...] = ("",)
    for atom in items:
        part = _atom_texts(atom)
        if part is None or len(texts) * len(part) > _CHOICES:
            return None
        texts = tuple(dict.fromkeys(head + tail for head in texts for tail in part))
    return texts


def _atom_texts(atom: _Atom) -> tuple[str, ...] | None:
    op, arg = atom
    if op is opcode.LITERAL:
        return (chr(arg),)
    if op is opcode.AT:
        return ("",)
    if op is opcode.IN and all(kind is opcode.LITERAL for kind, _ in arg):
        return tuple(chr(code) for _, code in arg)
    if op in _REPEATS and arg[:2] == (0, 1):
        return _union([(), arg[2]])
    if op is opcode.SUBPATTERN and (arg[1] or arg[2]):
        return None
    inner = _inner(op, arg)
    return _union(inner) if inner and op not in _REPEATS else None


def _union(branches: Iterable[Sequence[_Atom]]) -> tuple[str, ...] | None:
    found: list[str] = []
    for branch in branches:
        texts = _texts(list(branch))
        if texts is None:
            return None
        found.extend(texts)
    return tuple(dict.fromkeys(found)) if len(found) <= _CHOICES else None


def _quote(text: str) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def _class_members(atom: _Atom) -> frozenset[int]:
    op, arg = atom
    if op is opcode.ANY:
        return frozenset(range(256))
    if op is opcode.LITERAL:
        return frozenset({arg})
    if op is opcode.NOT_LITERAL:
        return frozenset(range(256)) - ({arg} if arg < 128 else set())
    negated = arg[0][0] is opcode.NEGATE
    found = frozenset().union(*(_members(kind, value, negated=negated) for kind, value in arg))
    return frozenset(range(256)) - found if negated else found


def _members(kind: object, value: Any, *, negated: bool) -> frozenset[int]:  # noqa: ANN401 - see _inner
    """Bytes of one member of a class; what is outside ASCII counts as a member, or as none in a negated class."""
    beyond = frozenset() if negated else frozenset(range(128, 256))
    if kind is opcode.NEGATE:
        return frozenset()
    if kind is opcode.LITERAL:
        return frozenset({value}) if value < 128 else beyond
    if kind is opcode.RANGE:
        low, high = value
        return frozenset(range(low, min(high, 127) + 1)) | (beyond if high > 127 else frozenset())
    return _category(str(value)) | beyond


@cache
def _category(name: str) -> frozenset[int]:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rsplit("_", 1)[-1]]
    test = re.compile("\\" + (letter.upper() if "_NOT_" in name else letter), re.ASCII)
    return frozenset(code for code in range(128) if test.fullmatch(chr(code)))
