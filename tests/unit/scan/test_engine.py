"""The multi-pattern engines: both report the same lines, and the same as ``re``."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadiag.errors import UsageError
from hadiag.scan.engine import Engine, EngineError, Expression, choose_engine

ENGINES = ("hyperscan", "re2")

TEXT = b"""\
Nov 22 10:00:01 n1 pacemaker-controld[93]:  notice: Node n2 state is now lost
Nov 22 10:00:01 n1 corosync[12]:   [TOTEM ] A new  membership (1.a8) was formed. Members left: 2
Nov 22 10:00:02 n1 kernel: nothing of interest\r
Nov 22 10:00:03 n1 pacemaker-controld[93]:  notice: state   is\tnow member, and state is now member
state is now"""

EXPRESSIONS = (
    Expression(1, rb"state[ \t]+is[ \t]+now"),
    Expression(2, rb"A new[ \t]+membership \x28"),
    Expression(3, rb"(?i)OF INTEREST"),
    Expression(4, rb"never there"),
    Expression(4, rb"corosync\x5b"),
)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return choose_engine(request.param)


def lines(engine: Engine, expressions: tuple[Expression, ...], text: bytes) -> set[tuple[int, int]]:
    """Line and id of every report."""
    ids, ends = engine.compile(expressions).scan(text)
    return {(text.count(b"\n", 0, end - 1), number) for number, end in zip(ids, ends, strict=True)}


def brute_force(expressions: tuple[Expression, ...], text: bytes) -> set[tuple[int, int]]:
    return {
        (index, number)
        for index, line in enumerate(text.split(b"\n"))
        for number, regex in expressions
        if re.search(regex, line)
    }


def test_the_lines_are_those_of_re(engine: Engine) -> None:
    """Every line that matches is reported with the id of the expression, and no other."""
    found = lines(engine, EXPRESSIONS, TEXT)

    assert found == brute_force(EXPRESSIONS, TEXT)
    assert found == {(0, 1), (1, 2), (1, 4), (2, 3), (3, 1), (4, 1)}


def test_a_restored_scanner_reports_the_same(engine: Engine) -> None:
    """What the cache holds is the scanner itself."""
    scanner = engine.compile(EXPRESSIONS)

    restored = engine.restore(scanner.serialise())

    assert restored.scan(TEXT) == scanner.scan(TEXT) != ([], [])


@pytest.mark.parametrize("data", [b"", b"something else", b"[1]", b'[["a", "b"]]', b"[[1, 2]]"])
def test_a_foreign_database_is_refused(engine: Engine, data: bytes) -> None:
    """Bytes that are no database of this engine are an error, not a crash."""
    with pytest.raises(EngineError):
        engine.restore(data)


def test_a_pattern_that_cannot_be_compiled_is_named(engine: Engine) -> None:
    """The error tells which pattern it is."""
    with pytest.raises(EngineError, match="pattern 7"):
        engine.compile([Expression(1, b"fine"), Expression(7, b"(?=ahead)")])


def test_several_threads_scan_at_once(engine: Engine) -> None:
    """Each thread has its own scratch space."""
    scanner = engine.compile(EXPRESSIONS)
    want = scanner.scan(TEXT)
    found: list[bool] = []

    def scan() -> None:
        found.extend(scanner.scan(TEXT) == want for _ in range(200))

    threads = [threading.Thread(target=scan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 800


def test_an_empty_block_has_no_hits(engine: Engine) -> None:
    """Nothing in, nothing out."""
    assert engine.compile(EXPRESSIONS).scan(b"") == ([], [])


_PIECES = st.sampled_from(["A", "new", "x,", "of", "version=", "lost", "(", "'", "state"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(_PIECES, min_size=2, max_size=4), min_size=1, max_size=5), st.data())
def test_both_engines_agree_with_re_on_elastic_text(texts: list[list[str]], data: st.DataObject) -> None:
    """Texts with runs of blanks are found wherever they stand, however long the line and the runs are."""
    end = data.draw(st.sampled_from([b"", rb"[ \t]"]))
    expressions = tuple(
        Expression(number, rb"[ \t]+".join(re.escape(piece.encode()) for piece in pieces) + end)
        for number, pieces in enumerate(texts)
    )
    parts: list[str] = []
    for pieces in texts:
        blank = data.draw(st.text(" \t", min_size=1, max_size=40))
        noise = data.draw(st.text("aA ,(=n", max_size=60))
        parts.append(noise + blank.join(pieces) + noise)
    text = "\n".join(parts).encode()

    want = brute_force(expressions, text)

    assert lines(choose_engine("hyperscan"), expressions, text) == want
    assert lines(choose_engine("re2"), expressions, text) == want


def test_an_unknown_engine_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may name the engine, and must name one that exists."""
    monkeypatch.setenv("HADIAG_ENGINE", "re2")
    assert choose_engine().name == "re2"

    monkeypatch.setenv("HADIAG_ENGINE", "grep")
    with pytest.raises(UsageError, match="grep is not available"):
        choose_engine()


def test_the_fastest_engine_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a choice, hyperscan is taken."""
    monkeypatch.delenv("HADIAG_ENGINE", raising=False)

    assert choose_engine().name == "hyperscan"
