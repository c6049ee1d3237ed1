"""From the lines of a log to its events."""

from __future__ import annotations

import json

import pytest

from hadiag.catalogue import Catalogue, Matcher, load
from hadiag.formats import detect
from hadiag.formats.parser import LineParser
from hadiag.model.entity import Level
from hadiag.model.event import EventClass
from hadiag.model.source import BundleId, SourceRef
from hadiag.resources import rules_dir
from tests.unit.extract.logs import catalogue_of, line, read

LOST = "Node n2 state is now lost"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of(tmp_path_factory.mktemp("pack"))


def test_an_event_tells_where_it_stands_and_what_it_says(catalogue: Catalogue) -> None:
    """Place, envelope, fields and the line itself."""
    text = line(0, "nothing") + line(1, LOST + " | nodeid=2", level="warning") + line(2, "nothing")

    extract = read(text, catalogue)

    (event,) = extract.events
    assert (event.type, event.cls, event.fields) == ("node.lost", EventClass.CORE, {"node": "n2"})
    assert (event.ref.line, event.ref.offset) == (2, len(line(0, "nothing")))
    assert text.encode()[event.ref.offset :][: event.ref.length].decode() == event.text
    assert (event.host, event.node_hint, event.family) == ("n1", "n1", "pacemaker")
    assert (event.program, event.pid, event.level) == ("pacemaker-controld", 93, Level.WARNING)
    assert event.message == LOST + " | nodeid=2"
    assert event.time is not None
    assert event.time.text == "Nov 22 10:00:01.000"


def test_the_summary_covers_all_lines(catalogue: Catalogue) -> None:
    """Also lines that nobody asked about count for coverage."""
    summary = read(line(0, "nothing") + line(1, LOST) + line(300, "nothing"), catalogue).summary

    assert (summary.lines, summary.recognised, summary.unparsed, summary.mtime) == (3, 1, 0, 7)
    assert (summary.family, summary.formats, summary.hosts) == ("pacemaker", ("pcmk.file.2x",), (("n1", 3),))
    assert [(run.first_line, run.last_line) for run in summary.runs] == [(1, 3)]
    assert [gap.line for gap in summary.gaps] == [3]


def test_the_head_that_was_read_before_is_part_of_the_log(catalogue: Catalogue) -> None:
    """Nothing is lost or doubled, wherever the head ends."""
    text = line(0, LOST) + line(1, LOST) + line(2, LOST)

    found = [[event.ref.offset for event in read(text, catalogue, head=head).events] for head in (0, 5, 120, len(text))]

    assert found == [[0, len(line(0, LOST)), 2 * len(line(0, LOST))]] * 4


def test_messages_that_no_pattern_knows_are_clustered(catalogue: Catalogue) -> None:
    """Only at warning or worse, and not what is an event."""
    text = line(0, "Disk 7 failed", level="error") + line(1, "Disk 8 failed", level="error") + line(2, "Disk 9 is fine")
    text += line(3, LOST, level="error")

    (row,) = read(text, catalogue).unknowns

    assert (row.template, row.program, row.level, row.count) == (
        "Disk <n> failed",
        "pacemaker-controld",
        Level.ERROR,
        2,
    )
    assert (row.example.line, row.last_ref.line) == (1, 2)
    assert row.text == line(0, "Disk 7 failed", level="error").rstrip("\n")


def test_context_is_kept_near_core_events_only(catalogue: Catalogue) -> None:
    """A minute before and after; the rest is counted."""
    seconds = (0, 100, 155, 200, 225, 270, 400)
    text = "".join(line(second, LOST if second == 200 else f"Diff: {second}") for second in seconds)

    extract = read(text, catalogue)

    assert [event.fields.get("what") for event in extract.events] == ["155", None, "225"]
    assert extract.summary.recognised == 7


def test_anchors_are_sampled(catalogue: Catalogue) -> None:
    """The first, the last, and at most one in five seconds."""
    text = "".join(line(second, f"Mark of time {second}") for second in (*range(13), 60, 61, 62))

    assert [event.fields["epoch"] for event in read(text, catalogue).events] == [0, 5, 10, 60, 62]


def test_noise_is_counted_and_never_kept(catalogue: Catalogue) -> None:
    """Chatter beside a core event is a line that hadiag knows, and no event; a core event behind it is read as ever."""
    chatter = line(1, "Service engine loaded: quorum", program="corosync")
    found = read(chatter + line(2, "Node n2 state is now lost") + chatter, catalogue)

    assert [event.type for event in found.events] == ["node.lost"]
    assert found.summary.recognised == 3
    assert found.unknowns == ()


def test_a_storm_is_folded(catalogue: Catalogue) -> None:
    """Fifty equal events a minute stay; what follows is one row with its count and its last time."""
    text = (
        "".join(line(second // 4, LOST) for second in range(400))
        + line(120, LOST.replace("n2", "n3"))
        + line(200, LOST)
    )

    events = read(text, catalogue).events

    assert [event.repeated for event in events] == [1] * 50 + [350, 1, 1]
    assert events[50].last_time is not None
    assert events[50].last_time.text == "Nov 22 10:01:39.000"
    assert events[51].fields == {"node": "n3"}


def test_a_repeated_message_stands_for_its_count(catalogue: Catalogue) -> None:
    """rsyslog writes the text once, with a number."""
    text = f"Nov 22 10:00:00 n1 pacemaker-controld[93]: notice: {LOST}\n"
    text += f"Nov 22 10:00:05 n1 pacemaker-controld[93]: message repeated 3 times: [ notice: {LOST}]\n"

    assert [event.repeated for event in read(text, catalogue, path="messages").events] == [1, 3]


def test_a_cut_list_of_members_is_joined(catalogue: Catalogue) -> None:
    """corosync goes on in a record of its own."""
    text = "Nov 22 10:00:00 [12] n1 corosync notice  [QUORUM] Members[14]: 1 2 3 4 5 6 7 8 9 10 11 12 1\\\n"
    text += "Nov 22 10:00:00 [12] n1 corosync notice  [QUORUM] Members[14]: 13 14\n"

    event = read(text, catalogue, path="corosync.log").events[0]

    assert event.fields["count"] == 14
    assert event.fields["members"] == tuple(sorted(map(str, range(1, 15))))


def test_a_message_of_several_lines_is_read_forward(catalogue: Catalogue) -> None:
    """Types that say so see the lines behind the hit."""
    text = "Nov 22 10:00:00 n1 corosync-qnetd[7]: Client started:\n    node 1\n    votes 2\n"
    text += "Nov 22 10:00:01 n1 corosync-qnetd[7]: other\n"

    (event,) = read(text, catalogue, path="messages").events

    assert event.fields == {"node": "1", "votes": 2}


def test_a_journal_export_is_read_by_entry(catalogue: Catalogue) -> None:
    """Line and offset are the number of the entry."""
    rows = [
        {"__REALTIME_TIMESTAMP": str(1_700_000_000_000_000 + second * 1_000_000), "_HOSTNAME": "n1", "_PID": "93"}
        | {"SYSLOG_IDENTIFIER": "pacemaker-controld", "PRIORITY": priority, "MESSAGE": message}
        for second, priority, message in ((0, "5", " notice: x"), (1, "5", f" notice: {LOST}"), (2, "3", "it broke"))
    ]

    extract = read("".join(json.dumps(row) + "\n" for row in rows), catalogue, path="journal.json")

    (event,) = extract.events
    assert (event.ref.line, event.ref.offset, event.ref.length) == (2, 2, 0)
    assert [row.template for row in extract.unknowns] == ["it broke"]


def test_an_undated_log_is_told(catalogue: Catalogue) -> None:
    """Events without a time are kept, with a warning."""
    text = "".join(f"[12] n1 corosyncnotice  [QUORUM] Members[2]: 1 {n}\n" for n in (2, 3))

    extract = read(text, catalogue, path="corosync.log")

    assert [event.time for event in extract.events] == [None, None]
    assert [warn.code for warn in extract.warnings] == ["log-undated"]


@pytest.mark.parametrize("engine", ["hyperscan", "re2"])
def test_damage_is_survived(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """NUL bytes, bytes that are no UTF-8, and lines without end neither stop the reading nor hide an event."""
    monkeypatch.setenv("HADIAG_ENGINE", engine)
    text = line(0, LOST) + "\0" * 300 + line(1, LOST) + "\udcff\udcfe garbage\n" + line(2, "x" * 20_000) + line(3, LOST)

    extract = read(text, catalogue)

    assert [event.ref.line for event in extract.events] == [1, 2, 5]
    assert extract.summary.nul_bytes


def test_equal_input_gives_equal_events(catalogue: Catalogue) -> None:
    """Nothing depends on the order of a set or on what was read before."""
    text = "".join(line(second, LOST if second % 7 else f"Diff: {second}") for second in range(300))

    assert read(text, catalogue) == read(text, catalogue)


def test_a_message_of_a_daemon_that_was_started_anew(catalogue: Catalogue) -> None:
    """The same text under another process id is known, and the event tells that process."""
    text = line(0, LOST) + line(1, LOST).replace("[93]", "[4711]") + line(2, LOST.replace("n2", "n3"))

    found = [(event.pid, event.fields["node"], event.text.split("[")[1][:2]) for event in read(text, catalogue).events]

    assert found == [(93, "n2", "93"), (4711, "n2", "47"), (93, "n3", "93")]


def test_colours_inside_a_message(catalogue: Catalogue) -> None:
    """What the line needs besides the text that hit it may have colours in between."""
    text = line(0, "No\x1b[31mde\x1b[0m n2 state is now lost")

    assert [event.fields for event in read(text, catalogue).events] == [{"node": "n2"}]


SHIPPED = """\
Nov 22 10:00:00.100 n1 pacemaker-controld  [93] (abort_transition_graph) \tinfo: Transition 7 aborted by deletion of nvpair[@id='x']: Configuration change | cib=0.10.3 source=te_update_diff_v2:494 path=/cib complete=true
Nov 22 10:00:00.200 n1 pacemaker-controld  [93] (node_left) \tinfo: Group crmd event 3: n2 (node 2 pid 90) left via cluster exit
Nov 22 10:00:00.300 n1 pacemaker-controld  [93] (crm_update_peer_state_iter) \tnotice: Node n2 state is now lost | nodeid=2 previous=member source=crm_reap_unseen_nodes
Nov 22 10:00:00.400 n1 pacemaker-based     [90] (cib_process_request) \tinfo: Completed cib_modify operation for section status: OK (rc=0, origin=n1/crmd/31, version=0.10.4)
Nov 22 10:00:00.500 n1 pacemaker-fenced    [91] (finalize_op) \tnotice: Operation 'reboot' targeting n2 by n1 for pacemaker-controld.93@n1: OK (complete) | id=8f3a1c20
Nov 22 10:00:00.600 n1 pacemaker-schedulerd[94] (pe_fence_node) \twarning: Cluster node n2 will be fenced: peer is no longer part of the cluster
Nov 22 10:00:00.700 n1 pacemaker-controld  [93] (do_state_transition) \tnotice: State transition S_IDLE -> S_POLICY_ENGINE | input=I_PE_CALC cause=C_FSA_INTERNAL origin=abort_transition_graph
Nov 22 10:00:00.800 n1 pacemaker-controld  [93] (process_graph_event) \tnotice: Transition 7 action 12 (db_monitor_10000 on n1): expected 'ok' but got 'not running' | target-rc=0 rc=7 call-id=31 event='arrived really late'
Nov 22 10:00:00.900 n1 pacemaker-controld  [93] (log_executor_event) \tnotice: Result of stop operation for db on n1: ok | CIB update 31, graph action confirmed; call=30 key=db_stop_0 rc=0
Nov 22 10:00:01.000 n1 pacemaker-controld  [93] (handle) \tinfo: a line that is nothing at all
"""


@pytest.mark.parametrize("engine", ["hyperscan", "re2"])
def test_the_scan_misses_nothing_that_brute_force_finds(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pattern of the shipped catalogue, asked about every line, finds the same events as the scan."""
    monkeypatch.setenv("HADIAG_ENGINE", engine)
    catalogue = load([rules_dir() / "events"])
    kind = detect("pacemaker.log", SHIPPED.encode())
    assert kind is not None
    parser, matcher = LineParser(kind), Matcher(catalogue)
    every = range(len(catalogue.patterns))
    want = []
    for number, text in enumerate(SHIPPED.splitlines(), start=1):
        record = parser.parse(text, SourceRef(BundleId("b"), "x", number, 0, 0))
        assert record is not None
        match = matcher.match(record.program, record.message, record.details, every)
        want += [(number, match.type, match.fields)] if match else []

    found = [(event.ref.line, event.type, event.fields) for event in read(SHIPPED, catalogue).events]

    assert found == want
    assert len(want) >= 8
