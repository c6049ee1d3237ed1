"""Small logs and packs for the tests of extraction."""

from __future__ import annotations

import io
from pathlib import Path

from hadiag.catalogue import Catalogue
from hadiag.extract import LineSearch, LogExtract, extract_log
from hadiag.formats import detect
from hadiag.model.source import Artifact, ArtifactRole, BundleId, BundleKind
from hadiag.scan.database import build_database
from tests.unit.catalogue.packs import LOST, event, pack

DIFF = event(
    """\
    - literal: "Diff: "
      regex: "^Diff: (?P<what>.+)$"
      samples:
      - {line: "Diff: --- 1", origin: recorded}
    """,
    name="cib.diff",
    cls="context",
    extra="fields: {what: text}\n",
)
MARK = event(
    """\
    - literal: "Mark of time"
      regex: "^Mark of time (?P<epoch>[0-9]+)$"
      samples:
      - {line: "Mark of time 1", origin: recorded}
    """,
    name="clock.mark",
    cls="anchor",
    extra="fields: {epoch: int}\n",
)
CHATTER = event(
    """\
    - literal: "Service engine loaded: "
      regex: "^Service engine loaded: (?P<what>.+)$"
      samples:
      - {line: "Service engine loaded: quorum", origin: recorded}
    """,
    name="service.loaded",
    cls="noise",
    extra="fields: {what: text}\n",
)
MEMBERS = event(
    """\
    - literal: "Members["
      regex: '^Members\\[(?P<count>\\d+)\\]: (?P<members>[\\d ]+)$'
      samples:
      - {line: "Members[2]: 1 2", origin: recorded, fields: {count: 2}}
    """,
    name="quorum.members",
    programs="[corosync]",
    extra="fields: {count: int, members: list}\n",
)
BLOCK = event(
    """\
    - literal: "Client started:"
      regex: '^Client started: node (?P<node>\\d+) votes (?P<votes>\\d+)$'
      samples:
      - {line: "Client started: node 1 votes 2", origin: recorded}
    """,
    name="qnetd.client",
    extra="continues: true\nfields: {node: word, votes: int}\n",
)


def catalogue_of(directory: Path) -> Catalogue:
    """A core event, a context event, an anchor, noise, a list that is cut, and a message of several lines."""
    return pack(directory, LOST, DIFF, MARK, CHATTER, MEMBERS, BLOCK)


def line(
    second: int, message: str, *, level: str = "notice", program: str = "pacemaker-controld", pid: int = 93
) -> str:
    """A line of pacemaker.log, ``second`` s after 10:00:00."""
    hour, rest = divmod(second, 3600)
    stamp = f"Nov 22 {10 + hour:02}:{rest // 60:02}:{rest % 60:02}.000"
    return f"{stamp} n1 {program:<20}[{pid}] (handle) \t{level}: {message}\n"


def read(
    text: str,
    catalogue: Catalogue,
    *,
    head: int = 64,
    path: str = "n1/pacemaker.log",
    search: LineSearch | None = None,
) -> LogExtract:
    """Extract the events of a log given as text; ``head`` bytes of it are handed over as already read."""
    data = text.encode("utf-8", "surrogateescape")
    kind = detect(path, data)
    assert kind is not None
    stream = io.BytesIO(data[head:])
    artifact = Artifact(BundleId("b"), path, BundleKind.DIRECTORY, ArtifactRole.CANDIDATE, "n1", len(data), 7, stream)
    database = build_database(catalogue, cache=False)
    return extract_log(artifact, data[:head], kind, database, catalogue, search=search)
