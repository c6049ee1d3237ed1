"""Which files are logs, and of which kind."""

from __future__ import annotations

import pytest

from hadiag.formats import Decoder, LogKind, detect, refusal
from tests.unit.formats import lines

PCMK = lines.PACEMAKER[0].line
PCMK11 = lines.PACEMAKER[5].line
COROSYNC = lines.COROSYNC[0].line
SYSLOG = "May  7 13:33:20 node1 sshd[7]: Accepted publickey for root"
SBD = "May  7 13:33:20 node1 sbd[1830]: warning: inquisitor_child: Servant cluster is outdated (age: 4)"


def _text(*rows: str) -> bytes:
    return "".join(row + "\n" for row in rows).encode()


@pytest.mark.parametrize(
    ("path", "rows", "family", "formats"),
    [
        ("a/pacemaker.log", ["Set r/w permissions for uid=1, gid=2 on x", PCMK], "pacemaker", ("pcmk.file.2x",)),
        ("corosync.log", [COROSYNC] * 4, "corosync", ("corosync.file",)),
        ("corosync.log", [COROSYNC, *[PCMK11] * 3], "corosync", ("pcmk.file.11", "corosync.file")),
        ("ha-log.txt", [COROSYNC, *[PCMK11] * 3], "pacemaker", ("pcmk.file.11", "corosync.file")),
        ("corosync.log", [lines.COROSYNC[4].line], "corosync", ("corosync.file.nots",)),
        ("messages", [SYSLOG, SBD], "system", ("syslog.bsd",)),
        ("messages", [SBD, SBD], "sbd", ("syslog.bsd",)),
        ("journal.log", [SYSLOG], "journal", ("journal.short",)),
        ("out.txt", ["-- Logs begin at Thu 2019-03-21 14:02:46 CST. --", SYSLOG], "journal", ("journal.short",)),
        ("out.txt", ["2019-03-22T10:57:27+0800 n1 kernel: Linux"], "journal", ("journal.iso",)),
        ("out.txt", ["2019-03-22T10:57:27+08:00 n1 app: Linux"], "system", ("syslog.iso",)),
        ("journal_pacemaker.log", [lines.JOURNAL[0].line], "pacemaker", ("journal.short",)),
        ("dmesg.txt", [lines.KERNEL[0].line, lines.KERNEL[2].line], "kernel", ("dmesg.raw",)),
        ("dmesg.txt", [lines.KERNEL[4].line], "kernel", ("dmesg.T",)),
        ("x", [lines.MONOTONIC.line] * 3, "journal", ("journal.monotonic",)),
        ("pcsd.log", [*[lines.PCS[2].line] * 3, *["{", "}", "dump"] * 5], "pcsd", ("pcsd.010",)),
        ("crmsh.log", [lines.PCS[7].line], "crmsh", ("crmsh.log",)),
        ("audit.log", [lines.SYSLOG[-2].line], "audit", ("audit",)),
        ("ha-log", [lines.SYSLOG[-3].line], "heartbeat", ("heartbeat.file",)),
        ("qnetd.txt", [lines.COROSYNC[-1].line], "qdevice", ("qdevice.fg",)),
        ("dlm_controld.log", [lines.SYSLOG[-1].line], "dlm", ("dlm.file",)),
        ("blackbox.txt", [lines.COROSYNC[-2].line], "corosync", ("qb.blackbox",)),
        ("fence.log", [lines.AGENTS[-1].line], "other", ("fence.stderr",)),
    ],
)
def test_kind(path: str, rows: list[str], family: str, formats: tuple[str, ...]) -> None:
    """Family and formats come from the content; the path only breaks ties."""
    kind = detect(path, _text(*rows))
    assert kind is not None
    assert (kind.family, kind.formats, kind.decoder) == (family, formats, Decoder.PLAIN)


@pytest.mark.parametrize(
    ("head", "decoder"),
    [
        (b'{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1715081600123456","MESSAGE":"x"}\n', Decoder.JOURNAL_JSON),
        (b'{\n\t"__REALTIME_TIMESTAMP" : "1715081600123456",\n\t"MESSAGE" : "x"\n}\n', Decoder.JOURNAL_JSON),
        (b'\x1e{"__REALTIME_TIMESTAMP":"1715081600123456"}\n', Decoder.JOURNAL_JSON),
        (b'data: {"__REALTIME_TIMESTAMP":"1715081600123456"}\n\n', Decoder.JOURNAL_JSON),
        (b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1715081600123456\nMESSAGE=x\n\n", Decoder.JOURNAL_EXPORT),
        (
            b"-- Logs begin at x --\nTue 2024-05-07 13:33:20.123456 CEST [s=6f7a2b;i=1a2;t=617e2a]\n    PRIORITY=6\n",
            Decoder.JOURNAL_VERBOSE,
        ),
    ],
)
def test_structured_journal(head: bytes, decoder: Decoder) -> None:
    """json in all its dresses, export and verbose outputs need a decoder."""
    kind = detect("any", head)
    assert kind is not None
    assert (kind.family, kind.decoder, kind.decoded, kind.from_journal) == ("journal", decoder, True, True)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n",
        b"<?xml version='1.0'?>\n<cib/>\n",
        b"<cib epoch='1'>\nMay  7 13:33:20 node1 app: x\n</cib>\n",
        b"#!/bin/sh\nMay  7 13:33:20 node1 app: x\n",
        b'{"name": "value"}\n',
        b"\x7fELF\x02\x01\x01\x03\x04\x05\x06\x07\x08",
        b"totem.token (u32) = 3000\nnodelist.node.0.name (str) = n1\n",
        b"node1:      Debug: Looking for corosync configuration file. This may take a while...\n" * 5,
        b"USER       PID %CPU %MEM COMMAND\nroot         1  0.0  0.1 systemd\n",
        b"Cluster Summary:\n  * Last updated: Tue May  7 13:33:20 2024\nFailed Resource Actions:\n  * vip_start_0 on n1 'error' (1): call=5, last-rc-change='x'\n",
        b"drwxr-xr-x 2 root root 4096 May  7 13:33 .\n" * 5,
        b'192.0.2.1 - - [22/May/2019:11:59:45 +0000] "GET / HTTP/1.1" 200 36\n'[:20],
        b"  0 c70cc4deb38f4244b5f66e367695e84f Sun 2026-11-22 10:39:57 UTC Sun 2026-11-22 10:41:15 UTC\n",
    ],
)
def test_no_log(head: bytes) -> None:
    """Markup, scripts, snapshots and command output are no logs."""
    assert detect("some.log", head) is None


def test_logs_of_package_managers_are_no_logs_of_a_node() -> None:
    """What was done to a package stands where others print the host."""
    dpkg = [
        "2026-11-26 03:21:26 startup archives install",
        "2026-11-26 03:21:26 status half-configured libmagic1:amd64 1:5.44-3",
    ]
    assert detect("var/log/dpkg.log", _text(*dpkg * 3)) is None
    assert detect("var/log/yum.log", _text(*["Nov 22 10:00:00 Installed: pacemaker-2.1.5-8.el8.x86_64"] * 3)) is None


def test_status_with_excerpts_is_no_log() -> None:
    """``systemctl status`` quotes the journal between indented blocks of its own."""
    block = ["* a.service - A", *["     Loaded: loaded (x)"] * 6, *[SYSLOG] * 2, ""]
    assert detect("systemctl_status_--all", _text(*block * 20)) is None


def test_last_line_of_head_may_be_cut() -> None:
    """A head that ends inside a line is judged without it; a single line counts."""
    assert detect("x", _text(SYSLOG) + b"May  7 1") == detect("x", _text(SYSLOG))
    assert detect("x", SYSLOG.encode()) == LogKind("system", ("syslog.bsd",))


def test_survives_crash_damage() -> None:
    """A run of NUL bytes before and inside a log hides it not."""
    kind = detect("messages", b"\0" * 2000 + _text(SYSLOG) + b"\0" * 500 + _text(SYSLOG, SYSLOG))
    assert kind is not None
    assert kind.family == "system"


def test_undated_and_continuing_kinds() -> None:
    """Kinds know whether their lines print a time and whether headless lines belong to a record."""
    undated, free = detect("c.log", _text(lines.COROSYNC[4].line)), detect("p", _text(lines.PCS[2].line))
    assert undated is not None
    assert free is not None
    assert (undated.undated, undated.continues) == (True, False)
    assert (free.undated, free.continues) == (False, True)


def test_refusal_of_cat_output() -> None:
    """Messages without times say so, in a sentence."""
    warning = refusal("n1/journal.log", b"Started corosync.service.\nReached target multi-user.target.\n")
    assert warning is not None
    assert warning.code == "log-undated"
    assert "-o cat" in warning.message


def test_refusal_of_unknown_format() -> None:
    """A file named like a log of the cluster that no grammar knows is told."""
    warning = refusal("var/log/pacemaker.log", b"10:00 something happened\n" * 3)
    assert warning is not None
    assert warning.code == "log-unknown-format"


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("messages", _text(SYSLOG)),
        ("access.log", b"x\n"),
        ("corosync.conf", b"totem {\n"),
        ("journald.conf", b"[Journal]\n"),
        ("pacemaker.log", b""),
        ("corosync.dump", b"a (u32) = 1\n"),
    ],
)
def test_no_refusal(path: str, head: bytes) -> None:
    """Logs, empty files and other files are refused in silence or not at all."""
    assert refusal(path, head) is None
