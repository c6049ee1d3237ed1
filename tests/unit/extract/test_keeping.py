"""What is kept of a storm: few rows, which say how many lines they stand for."""

from __future__ import annotations

import pytest

from hadiag.catalogue import Catalogue
from tests.unit.catalogue.packs import event, pack
from tests.unit.extract.logs import BLOCK, DIFF, MARK, line, read

RESULT = event(
    """\
    - literal: "Result of"
      regex: "^Result of (?P<op>\\\\w+) for (?P<rsc>\\\\S+): (?P<text>[^(]+) \\\\(call=(?P<call>\\\\d+)\\\\)$"
      samples:
      - {line: "Result of monitor for db: Timed Out (call=7)", origin: recorded}
    """,
    name="rsc.result",
    programs="[]",
    extra="subject: rsc\nfields: {op: word, rsc: word, text: text, call: int}\n",
)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return pack(tmp_path_factory.mktemp("pack"), RESULT, DIFF, MARK, BLOCK)


def results(count: int, *, resource: str = "db", per_second: int = 100, start: int = 0, call: int | None = None) -> str:
    """Results of one resource, ``per_second`` in each second, each with a number of its own unless one is given."""
    return "".join(
        line(
            start + n // per_second, f"Result of monitor for {resource}: Timed Out (call={n if call is None else call})"
        )
        for n in range(count)
    )


def test_equal_events_are_folded_and_counted(catalogue: Catalogue) -> None:
    """Fifty equal events of a minute stay, the others are one row with their number and the last stamp."""
    events = read(results(5000, call=1), catalogue).events

    assert len(events) == 51
    assert sum(event.repeated for event in events) == 5000
    last = events[-1].last_time
    assert last is not None
    assert last.text == "Nov 22 10:00:49.000"


def test_a_flood_of_events_that_differ_in_a_number_is_folded(catalogue: Catalogue) -> None:
    """Calls of ever new numbers are a flood: a thousand stay, the rest is counted."""
    events = read(results(20_000), catalogue).events

    assert len(events) < 1010
    assert sum(event.repeated for event in events) == 20_000
    assert events[-1].last_time is not None


def test_a_row_of_a_storm_spans_ten_minutes_at_most(catalogue: Catalogue) -> None:
    """An hour of errors is a handful of rows, so that the course of it stays visible."""
    events = read(results(36_000, per_second=10, call=1), catalogue).events

    folded = [event for event in events if event.repeated > 1]
    assert sum(event.repeated for event in events) == 36_000
    assert 6 <= len(folded) <= 8
    assert len(events) < 100


def test_another_subject_is_not_lost_in_a_flood(catalogue: Catalogue) -> None:
    """A resource whose name differs in a digit only keeps its own rows in the middle of the flood of the other."""
    text = (
        results(3000, resource="db1") + results(2, resource="db2", start=30) + results(3000, resource="db1", start=31)
    )

    events = read(text, catalogue).events

    assert [event.repeated for event in events if event.fields["rsc"] == "db2"] == [1, 1]
    assert sum(event.repeated for event in events if event.fields["rsc"] == "db1") == 6000


def test_what_comes_after_a_storm_is_kept(catalogue: Catalogue) -> None:
    """The first event after the storm, with a pause between, is a row of its own."""
    events = read(results(5000, call=1) + results(1, start=600, call=1), catalogue).events

    assert (events[-1].repeated, events[-1].time and events[-1].time.text) == (1, "Nov 22 10:10:00.000")


def test_context_near_a_storm_is_kept(catalogue: Catalogue) -> None:
    """Folded lines are core events too: what stands beside them is context."""
    text = results(5000, call=1, per_second=10) + line(505, "Diff: --- 1") + line(700, "Diff: --- 2")

    assert [event.fields["what"] for event in read(text, catalogue).events if event.type == "cib.diff"] == ["--- 1"]


def test_unknown_errors_are_counted(catalogue: Catalogue) -> None:
    """A storm of a message that no pattern knows is one template with the right number and the right last line."""
    text = "".join(line(n // 100, f"Bucket {n} has a hole in it", level="error") for n in range(5000))

    (template,) = read(text, catalogue).unknowns

    assert template.count == 5000
    assert template.last_ref.line == 5000
    assert template.last is not None
    assert template.last.text == "Nov 22 10:00:49.000"


def test_lines_with_the_same_text_keep_their_own_time_and_place(catalogue: Catalogue) -> None:
    """A line whose text was read before is not read again, but it is another event."""
    text = "".join(line(100 * n, "Result of monitor for db: Timed Out (call=1)") for n in range(4))

    events = read(text, catalogue).events

    assert [event.time and event.time.text[-12:-4] for event in events] == [
        "10:00:00",
        "10:01:40",
        "10:03:20",
        "10:05:00",
    ]
    assert [event.ref.line for event in events] == [1, 2, 3, 4]
    assert [event.text for event in events] == text.splitlines()


def test_what_stands_before_the_stamp_tells_lines_apart(catalogue: Catalogue) -> None:
    """Agents of old print their tag before the stamp: equal texts of two resources are two programs."""
    rows = [
        f"Filesystem({name})[7]:\t2010/05/09_12:10:{second:02} ERROR: Result of monitor for db: Timed Out (call=1)\n"
        for second in range(4)
        for name in ("fs1", "fs2")
    ]

    events = read("".join(rows), catalogue).events

    assert [event.program for event in events] == ["Filesystem(fs1)", "Filesystem(fs2)"] * 4
