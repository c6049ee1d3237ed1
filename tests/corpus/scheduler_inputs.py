"""States from a CIB alone against those that Pacemaker's scheduler prints for its own regression tests.

``python -m tests.corpus.scheduler_inputs DIRECTORY [NAME ...]`` reads ``xml/*.xml`` and the "Current cluster status" of
``summary/*.summary`` below a directory (``cts/scheduler`` of a Pacemaker source tree), and prints each case that differs and
the share of those that agree. Nothing of upstream is part of this repository.

What the text does not tell is not compared: the role of a failed promotable instance, a container whose service is stopped,
and the connections that guest nodes bring along.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from hadiag.snapshots.cib_state import CibState

Row = tuple[str, str, str]
"""Resource, node, role."""

_NODES = re.compile(r"^ *\* (?P<word>Online|OFFLINE|\w+Online|\w+OFFLINE): \[(?P<names>.*)\]")
_NODE = re.compile(r"^    \* (?:GuestNode|RemoteNode|Node) (?P<name>[^\s:]+):? ?(?:\(.*?\))?:? (?P<state>.*)$")
_CLONE = re.compile(r"^ *\* Clone Set: \S+ \[(?P<name>\S+)\]")
_LIST = re.compile(r"^ *\* (?P<role>Started|Promoted|Unpromoted|FAILED|Starting)[^:]*: \[(?P<names>.*)\]")
_ROW = re.compile(r"^(?P<indent> *)\* (?P<name>\S+)(?: \([\da-f.:]+\))?\s+\(\S+\):\s+(?P<state>.*)$")
_ROLES = {
    "Starting": "Started",
    "Stopping": "Started",
    "Migrating": "Started",
    "Monitoring": "Started",
    "Promoting": "Unpromoted",
    "Demoting": "Promoted",
}
_WORDS = frozenset({"Started", "Stopped", "Promoted", "Unpromoted", *_ROLES})
_REPLICA = re.compile(r"^(?P<bundle>.+?)-(?:(?P<engine>docker|podman|rkt)-)?(?P<number>\d+)$")


@dataclass
class Printed:
    """What a summary says: states of nodes, rows of resources, rows of the replicas of bundles."""

    nodes: dict[str, str] = field(default_factory=dict)
    rows: set[Row] = field(default_factory=set)
    replicas: set[Row] = field(default_factory=set)


def printed(text: str) -> Printed:
    """Read the "Current cluster status" of a summary."""
    status = text.split("Current cluster status:", 1)[1]
    status = re.split(r"^(?:Transition Summary|Executing Cluster|Performing|Using the)", status, flags=re.MULTILINE)[0]
    found, clone, bundle = Printed(), "", False
    for line in status.splitlines():
        if match := _NODES.match(line):
            word = "online" if "nline" in match["word"] else "offline"
            found.nodes.update({_bare(name): word for name in match["names"].split()})
        elif match := _NODE.match(line):
            found.nodes[_bare(match["name"])] = _state(match["state"])
        elif match := _CLONE.match(line):
            clone = match["name"]
        elif "Container bundle" in line:
            bundle = True
        elif match := _LIST.match(line):
            role = {"Starting": "Started", "FAILED": "Started"}.get(match["role"], match["role"])
            found.rows |= {(clone, _bare(name), role) for name in match["names"].split()}
        elif match := _ROW.match(line):
            bundle = bundle and len(match["indent"]) > 4
            (found.replicas if bundle else found.rows).update(_rows(match["name"].split(":")[0], match["state"]))
    return found


def _bare(name: str) -> str:
    return name.split("@", maxsplit=1)[0]


def _state(text: str) -> str:
    words = {"UNCLEAN": "unclean", "pending": "pending", "OFFLINE": "offline"}
    return next((word for key, word in words.items() if key in text), text.split(maxsplit=1)[0])


def _rows(name: str, state: str) -> set[Row]:
    plain = re.sub(r"\(.*?\)|\b(?:FAILED|ORPHANED|REMOVED)\b|[\[\]]", "", state).split()
    role = plain.pop(0) if plain and plain[0] in _WORDS else "Started"
    if role == "Stopped":
        return set()
    role = "failed" if "FAILED" in state and role == "Started" else _ROLES.get(role, role)
    return {(name, _bare(node), role) for node in plain}


def _settled(rows: set[Row], found: set[Row]) -> set[Row]:
    """Rows of failed resources without a role take that of the state, unless it is the promoted one."""
    settled = set()
    for name, node, role in rows:
        shown = [row for row in found if row[:2] == (name, node) and row[2] != "Promoted"]
        settled.add(
            (name, node, "Started")
            if role == "failed" and not shown
            else shown[0]
            if role == "failed"
            else (name, node, role)
        )
    return settled


def differences(path: Path, summary: Path) -> list[str]:
    """Where the states of a case differ."""
    root = etree.parse(str(path)).getroot()
    said = printed(summary.read_text())
    date = root.get("execution-date")
    state = CibState(root, int(date) * 1000 if date else None)
    groups = {
        str(g.get("id")): [str(p.get("id")) for p in g.iterfind("primitive")]
        for g in root.iterfind(".//resources//group")
    }
    rows = {(member, node, role) for name, node, role in said.rows for member in groups.get(name, [name])}
    ours = {(one.resource, one.node, one.role) for one in state.resources}
    bundles = {str(bundle.get("id")): bundle for bundle in root.iterfind(".//resources//bundle")}
    replicas = {row for row in ours if _of_bundle(row[0], bundles)}
    inside = {f"{m['bundle']}-{m['number']}" for name, _, _ in replicas if (m := _REPLICA.match(name)) and m["engine"]}
    implied = {str(pair.get("value")) for pair in root.iterfind(".//nvpair[@name='remote-node']")}
    shown = {row for row in ours - replicas if row[1] not in inside}
    shown = {row for row in shown if row[0] not in implied - {name for name, _, _ in rows}}
    rows = {row for row in rows if not _of_bundle(row[0], bundles)}
    found = [
        f"{name} is {state.nodes[name].text if name in state.nodes else 'unknown'}, not {text}"
        for name, text in sorted(said.nodes.items())
        if name not in state.nodes or state.nodes[name].text != text
    ]
    found += _compared(_settled(rows, shown), shown)
    return found + _compared(*_replicas(said, state, bundles))


def _of_bundle(name: str, bundles: dict[str, etree._Element]) -> bool:
    match = _REPLICA.match(name)
    return (match is not None and match["bundle"] in bundles) or any(name.startswith(f"{each}-ip-") for each in bundles)


def _replicas(said: Printed, state: CibState, bundles: dict[str, etree._Element]) -> tuple[set[Row], set[Row]]:
    """Rows of replicas, with the role of the service inside and the node of the container."""
    wanted = {row for row in said.replicas if (m := _REPLICA.match(row[0])) and m["bundle"] in bundles}
    full = {row[0] for row in wanted}
    found = set()
    for one in state.resources:
        match = _REPLICA.match(one.resource)
        if match is None or match["bundle"] not in bundles or not match["engine"]:
            continue
        plain = bundles[match["bundle"]].find("primitive") is None
        name = one.resource if plain else f"{match['bundle']}-{match['number']}"
        inside = [each.role for each in state.resources if each.node == name]
        if plain or inside or one.failed or name in full:
            found.add((name, one.node, inside[0] if inside else "Started"))
    listed = {row[0] for row in found}
    wanted = {row for row in wanted if row[0] in listed or "-docker-" not in row[0]}
    return _settled(wanted, found), found


def _compared(wanted: set[Row], found: set[Row]) -> list[str]:
    lacking = [f"lacks {' '.join(row)}" for row in sorted(wanted - found)]
    return lacking + [f"has {' '.join(row)}" for row in sorted(found - wanted)]


def main(arguments: list[str]) -> int:
    """Compare all cases, or those named."""
    directory, names = Path(arguments[0]), set(arguments[1:])
    count: Counter[str] = Counter()
    for path in sorted((directory / "xml").glob("*.xml")):
        summary = directory / "summary" / f"{path.stem}.summary"
        if (
            (names and path.stem not in names)
            or not summary.exists()
            or "Current cluster status:" not in summary.read_text()
        ):
            continue
        found = differences(path, summary)
        count["cases"] += 1
        count["agree"] += not found
        if found:
            print(f"{path.stem}: {'; '.join(found[:6])}")  # noqa: T201 (a program)
    print(f"{count['agree']} of {count['cases']} cases agree ({count['agree'] / max(count['cases'], 1):.1%})")  # noqa: T201 (a program)
    return 0 if count["agree"] >= 0.95 * count["cases"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
