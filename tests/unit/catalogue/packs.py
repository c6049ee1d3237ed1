"""Small event packs for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

from hadiag.catalogue import Catalogue, load

HEAD = "schema: hadiag/events/v1\nevents:\n"


def event(body: str, *, name: str = "quorum.lost", cls: str = "core", programs: str = "[]", extra: str = "") -> str:
    """One event entry; ``body`` holds its patterns, ``extra`` further keys."""
    text = f"""\
        - type: {name}
          layer: quorum
          class: {cls}
          level: notice
          about: "A daemon says that something happened."
          source: "a source file"
          programs: {programs}
        """
    return dedent(text) + indent(dedent(extra), "  ") + "  patterns:\n" + indent(dedent(body), "  ")


def write_pack(directory: Path, *events: str, name: str = "pack.yaml") -> Path:
    """Write a pack of events; the directory that holds it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(HEAD + "".join(events), encoding="utf-8")
    return directory


def pack(directory: Path, *events: str) -> Catalogue:
    """Load a pack of events, without the cache."""
    return load([write_pack(directory, *events)], cache=False)


LOST = event(
    """\
    - literal: "is now lost"
      regex: |-
        ^Node (?P<node>\\S+) state is now lost(?: ?\\| .*)?$
      samples:
      - {line: "Node n1 state is now lost | nodeid=1", origin: recorded, fields: {node: n1}}
    """,
    name="node.lost",
    programs="[pacemaker-controld, crmd]",
    extra="subject: node\nfields: {node: node}\n",
)
"""A node is lost, as the controller says it."""

OPERATION = event(
    """\
    - literal: "Operation '"
      regex: "^Operation '(?P<action>[a-z]+)' (?:of (?P<target>\\\\S+) )?by (?P<by>\\\\S+): (?P<status>[^(]+?) \\\\((?P<exec>[^)]+)\\\\)"
      derive:
      - {field: result, from: exec, values: {complete: ok, "Timed Out": timeout}}
      - {field: result, from: status, values: {OK: ok}, default: failed}
      samples:
      - {line: "Operation 'reboot' of n2 by n1: OK (complete)", origin: recorded, fields: {result: ok, target: n2}}
      - {line: "Operation 'off' by n1: Error (Timed Out)", origin: recorded, fields: {result: timeout, target: null}}
      - {line: "Operation 'off' by n1: Error (broken)", origin: recorded, fields: {result: failed}}
    """,
    name="fence.result",
    programs="[pacemaker-fenced, stonith-ng]",
    extra='subject: target\nfields: {action: word, target: "node?", by: word, result: word}\n',
)
"""The result of a fencing operation, with derived fields."""
