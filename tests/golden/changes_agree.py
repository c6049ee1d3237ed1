"""Whether changes of the configuration and transitions are told as they were made on recorded clusters.

``python -m tests.golden.changes_agree DIRECTORY ...`` takes recordings with the commands that were given (``truth.yaml`` or
``notes.json``) and a bundle. For each command that changes the configuration it looks for a row of ``config.change`` of that
object at that time, from the node where it was given: once with the whole bundle, and once with its CIBs and scheduler inputs
alone. Each transition must have the input that it was calculated from, where the bundle holds any.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hadiag.model.time import NS, from_iso
from hadiag.model.view import View
from hadiag.pipeline import Options, load_catalogue, read_timeline
from hadiag.state import Views, build_views
from hadiag.timeline import build

_LATE = 6 * NS
"""A tool needs seconds from its call to its write."""
_COMMANDS = (
    (re.compile(r"(?:pcs|crm) node (?:un)?(?:standby|maintenance) (?P<object>\S+)"), "nodes", "standby|maintenance"),
    (re.compile(r"pcs property set (?P<name>[\w-]+)="), "crm_config", ""),
    (re.compile(r"crm configure property (?P<name>[\w-]+)="), "crm_config", ""),
    (re.compile(r"crm_attribute (?:--type crm_config )?--name (?P<name>\S+) --update"), "crm_config", ""),
    (re.compile(r"(?:pcs|crm) resource (?:en|dis)able (?P<object>\S+)"), "resources", "meta target-role"),
    (re.compile(r"crm resource restart (?P<object>\S+)"), "resources", "meta target-role"),
    (re.compile(r"(?:pcs|crm) resource (?:move|ban) (?P<part>\S+)"), "constraints", "rsc_location"),
    (re.compile(r"crm_resource --resource (?P<part>\S+) --(?:ban|move)"), "constraints", "rsc_location"),
    (re.compile(r"crm_resource --resource (?P<object>\S+) --set-parameter (?P<name>\S+)"), "resources", ""),
    (re.compile(r"pcs resource update (?P<object>\S+) (?P<name>[\w-]+)="), "resources", ""),
)


@dataclass(frozen=True)
class Command:
    """A command that was given, and the row that it makes."""

    at: int
    node: str
    text: str
    section: str
    object: str
    part: str
    name: str

    def told_by(self, views: Views) -> View | None:
        """The row that tells it."""
        for view in views.of("config.change"):
            value, start, end = view.value, view.start, view.end
            near = start is not None and end is not None and start.ns - _LATE <= self.at + NS and end.ns + NS >= self.at
            mine = value["section"] == self.section and (not self.object or value["object"] == self.object)
            named = re.fullmatch(self.name, str(value["name"])) and self.part in str(value["object"])
            if near and mine and named:
                return view
        return None


def commands(directory: Path) -> Iterator[Command]:
    """Commands of a recording that change the configuration."""
    for at, node, text in _given(directory):
        for pattern, section, name in _COMMANDS:
            found = pattern.search(text)
            if found is None:
                continue
            groups = found.groupdict()
            said = re.escape(groups["name"]) if groups.get("name") else name
            yield Command(
                from_iso(at.replace("Z", "+00:00")),
                node,
                text,
                section,
                groups.get("object") or "",
                groups.get("part") or "",
                said,
            )


def _given(directory: Path) -> Iterator[tuple[str, str, str]]:
    truth, notes = directory / "truth.yaml", directory / "notes.json"
    if truth.exists():
        for row in yaml.safe_load(truth.read_text()).get("injected") or ():
            yield str(row["time"]), str(row.get("node")), str(row.get("command"))
    elif notes.exists():
        rows: list[dict[str, Any]] = json.loads(notes.read_text())
        for row in rows:
            node, _, text = str(row.get("detail")).partition(": ")
            yield str(row["time"]), node, text


def _bundle(directory: Path) -> list[str]:
    return [str(path) for path in sorted((*directory.glob("*.tar.*"), *directory.glob("bundle/*.tar.*")))]


class Check:
    """Counts over all recordings."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.catalogue = load_catalogue(Options())

    def recording(self, directory: Path) -> Iterator[str]:
        """Sentences on what is missing in one recording."""
        paths = _bundle(directory)
        if not paths:
            return
        timeline, reading, _ = read_timeline(paths, Options())
        views = build_views(timeline, reading.facts)
        bare = build((), (), reading.facts, self.catalogue)
        alone = build_views(bare, reading.facts)
        yield from (f"{directory.name}: {warn.message}" for warn in (*views.warnings, *alone.warnings))
        dates = [view.end.ns for view in alone.of("config.change") if view.end is not None]
        for command in commands(directory):
            self.count["commands"] += 1
            row = command.told_by(views)
            self.count["told"] += row is not None
            self.count["with the node"] += row is not None and row.value["node"] == command.node
            self.count["with the client"] += row is not None and bool(row.value["client"])
            if row is None:
                yield f"{directory.name}: no row tells {command.text!r}"
            told = command.told_by(alone) is not None
            self.count["told by CIBs alone"] += told
            if not told and dates:
                yield f"{directory.name}: no CIB tells {command.text!r}"
        yield from self._transitions(directory.name, views, reading.facts)

    def _transitions(self, name: str, views: Views, facts: Sequence[Any]) -> Iterator[str]:
        kept = {str(fact.path) for fact in facts if fact.table == "pe_input"}
        for view in views.of("transition"):
            self.count["transitions"] += 1
            self.count["with a result"] += bool(view.value["result"])
            self.count["with their input"] += view.value["input"] is not None
            self.count["known from their input only"] += view.told_by is not None
            if view.value["input"] is None and any(path.endswith(f"/{view.value['file']}") for path in kept):
                yield f"{name}: transition {view.value['number']} has no input ({view.value['file']})"


def main(arguments: Sequence[str]) -> int:
    """Check all recordings and print the figures."""
    check, bad = Check(), 0
    for argument in arguments:
        for sentence in check.recording(Path(argument)):
            bad += 1
            print(sentence)  # noqa: T201 (a program)
    print("; ".join(f"{number} {what}" for what, number in check.count.items()))  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
