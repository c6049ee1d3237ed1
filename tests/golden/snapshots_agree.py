"""Whether the reconstructed state agrees with the snapshots in a bundle at their time.

``python -m tests.golden.snapshots_agree INPUT ...`` compares what crm_mon and its like printed (resources and roles, nodes,
quorum, DC) with the views at that moment, and prints each difference. Resources on a node that is unclean are left out: the
cluster shows them until the node is fenced, while the node itself is silent.

``--cib`` compares the CIBs and the inputs of the scheduler instead: resources, modes, options, nodes and the DC, each at the
time of its own. What views take from the same CIB agrees by itself; the figure tells how many rows the logs alone account for.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hadiag.model.entity import Scalar
from hadiag.model.fact import Fact
from hadiag.model.time import NS
from hadiag.model.view import View
from hadiag.pipeline import Options, read_timeline
from hadiag.snapshots.cib_facts import TABLE
from hadiag.state import Views, build_views
from hadiag.state.modes import modes_of
from hadiag.state.options import canonical
from hadiag.state.snapshots import Claim, Snapshot, claims, snapshots
from hadiag.timeline import Timeline

_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}
_ACTIVE = frozenset({"Started", "Promoted", "Unpromoted"})
_SLACK = 2 * NS
_UP = frozenset({"online", "standby", "maintenance"})


class Comparison:
    """The views of one input beside its snapshots."""

    def __init__(self, timeline: Timeline, views: Views, facts: Sequence[Fact]) -> None:
        self.timeline = timeline
        self.views = views
        self.facts = [fact for fact in facts if fact.as_of_ns is not None and fact.table.startswith("monitor.")]
        self.compared: Counter[str] = Counter()

    def name(self, said: object) -> str:
        """Canonical name of a node."""
        return str(self.timeline.node(str(said)) or said)

    def at(self, table: str, fact: Fact) -> tuple[View, ...]:
        """Views at the time of a snapshot, on the clock of the reference."""
        node = self.timeline.node(fact.node_hint or "")
        moment = fact.as_of_ns or 0
        return self.views.at(table, moment if node is None else self.timeline.aligned(node, moment))

    def differences(self) -> Iterator[str]:
        """Every statement of a snapshot that the views do not share."""
        for path in sorted({fact.path for fact in self.facts}):
            mine = [fact for fact in self.facts if fact.path == path]
            for what in (*self._nodes(mine), *self._resources(mine), *self._cluster(mine)):
                yield f"{path}: {what}"

    def _nodes(self, facts: Sequence[Fact]) -> Iterator[str]:
        for fact in (each for each in facts if each.table == "monitor.node"):
            node, state = self.name(fact.values["node"]), str(fact.values["state"])
            seen = {
                view.value["state"]
                for view in self.at("node.state", fact)
                if view.value["node"] == node and view.value["state"] in {"member", "lost"}
            }
            self.compared["nodes"] += 1
            if seen and ("member" if state in _UP else "lost") not in seen and not _unclean(fact):
                yield f"{node} is {state}, not {', '.join(sorted(map(str, seen)))}"

    def _resources(self, facts: Sequence[Fact]) -> Iterator[str]:
        rows = [fact for fact in facts if fact.table == "monitor.resource"]
        away = {self.name(fact.values["node"]) for fact in facts if _unclean(fact)}
        if not rows:
            return
        said = {self._row(fact) for fact in rows if fact.values.get("failed") is not True}
        failed = {
            str(fact.values["resource"]).split(":", maxsplit=1)[0] for fact in rows if fact.values.get("failed") is True
        }
        told = {
            (str(v.value["resource"]), str(v.value["node"]), str(v.value["role"]))
            for v in self.at("rsc.active", rows[0])
        }
        said = {row for row in said if row[2] in _ACTIVE and row[1] not in away}
        told = {row for row in told if row[1] not in away}
        self.compared["resources"] += len(said)
        yield from (f"{' '.join(row)} is not in the views" for row in sorted(said - told) if row[0] not in failed)
        yield from (f"{' '.join(row)} is only in the views" for row in sorted(told - said) if row[0] not in failed)

    def _row(self, fact: Fact) -> tuple[str, str, str]:
        role = str(fact.values.get("role"))
        return (
            str(fact.values["resource"]).split(":", maxsplit=1)[0],
            self.name(fact.values.get("node")),
            _ROLES.get(role, role),
        )

    def _cluster(self, facts: Sequence[Fact]) -> Iterator[str]:
        for fact in (each for each in facts if each.table == "monitor.cluster" and self._is_logged(each)):
            for table, key in (("quorum.view", "quorate"), ("dc.view", "dc")):
                value = fact.values.get(key)
                value = self.name(value) if isinstance(value, str) else value
                seen = {
                    view.value[key] for view in self.at(table, fact) if fact.node_hint in {None, str(view.observer)}
                }
                self.compared[key] += 1
                if value not in {None, ""} and seen and value not in seen:
                    yield f"{key} is {value}, not {', '.join(sorted(map(str, seen)))}"

    def _is_logged(self, fact: Fact) -> bool:
        """Whether the logs of the host of a snapshot last until it: a node that was fenced may have none of after."""
        node = self.timeline.node(fact.node_hint or "")
        ends = [one.end_ns for one in self.timeline.coverage if one.node == node and one.end_ns is not None]
        return node is None or (bool(ends) and max(ends) >= self.timeline.aligned(node, fact.as_of_ns or 0) - 5 * NS)


class CibComparison:
    """The views of one input beside its CIBs and scheduler inputs."""

    def __init__(self, timeline: Timeline, views: Views, facts: Sequence[Fact]) -> None:
        self.views = views
        self.timeline = timeline
        aligned = [self._aligned(fact) for fact in facts]
        self.snapshots = snapshots(timeline, aligned)
        self.claims = [claim for claim in claims(timeline, aligned, self.snapshots) if claim.fact.table == TABLE]
        self.compared: Counter[str] = Counter()

    def _aligned(self, fact: Fact) -> Fact:
        node = self.timeline.node(fact.node_hint or "")
        if fact.as_of_ns is None or node is None:
            return fact
        return replace(fact, as_of_ns=self.timeline.aligned(node, fact.as_of_ns))

    def around(self, table: str, ns: int) -> Iterator[View]:
        """Views that hold at a moment, or within the seconds that stamps are apart."""
        for view in self.views.of(table):
            start = view.start.ns if view.start is not None else 0
            end = view.end.ns if view.end is not None else ns
            if start - _SLACK <= ns <= end + _SLACK:
                yield view

    def differences(self) -> Iterator[str]:
        """Every statement of a CIB that the views do not share."""
        for claim in self.claims:
            yield from self._resource(claim)
        for one in self.snapshots:
            for table, node, on in modes_of(self.timeline, one):
                yield from self._row(one, table, {"node": node, "value": on}, "node")
            for name, value in one.cib.options().items():
                yield from self._row(one, "cluster.option", {"name": canonical(name), "value": value}, "name")
            if one.is_live:
                yield from self._nodes(one)

    def _resource(self, claim: Claim) -> Iterator[str]:
        if claim.role is None:
            return
        rows = [v for v in self.around("rsc.active", claim.at.ns) if v.value["resource"] == claim.resource]
        here = {str(view.value["role"]) for view in rows if view.value["node"] == claim.node}
        exact = {
            view.value["node"]
            for view in self.views.at("rsc.active", claim.at.ns)
            if view.value["resource"] == claim.resource and not self._begun_near(view, claim.at.ns)
        }
        self.compared["resources"] += 1
        self.compared["resources told by logs"] += any(v.told_by is None for v in rows) or not claim.role
        if claim.role and claim.role not in here:
            yield f"{claim.fact.path}: {claim.resource} {claim.node} {claim.role} is not in the views ({here or 'nothing'})"
        elif not claim.role and claim.node in exact:
            yield f"{claim.fact.path}: {claim.resource} {claim.node} is only in the views"

    @staticmethod
    def _begun_near(view: View, ns: int) -> bool:
        near = [moment.ns for moment in (view.start, view.end) if moment is not None]
        return any(abs(moment - ns) <= _SLACK for moment in near)

    def _row(self, one: Snapshot, table: str, row: dict[str, Scalar], key: str) -> Iterator[str]:
        rows = [view for view in self.around(table, one.at.ns) if view.value[key] == row[key]]
        self.compared[table] += 1
        self.compared[f"{table} told by logs"] += any(view.told_by is None for view in rows)
        if not any(row.items() <= dict(view.value).items() for view in rows):
            yield f"{one.fact.path}: {table} {row} is not in the views ({[dict(view.value) for view in rows]})"

    def _nodes(self, one: Snapshot) -> Iterator[str]:
        for node in (row for row in one.cib.nodes if row.state in {"online", "offline"} and row.kind == "member"):
            name = str(self.timeline.node(node.name) or node.name)
            seen = {
                view.value["state"]
                for view in self.around("node.state", one.at.ns)
                if view.value["node"] == name and view.observer == one.observer and view.told_by is None
            }
            wanted = {"online": "member", "offline": "lost"}[node.state]
            self.compared["nodes"] += bool(seen)
            if seen & {"member", "lost"} and wanted not in seen:
                yield f"{one.fact.path}: {name} is {node.state}, not {', '.join(sorted(map(str, seen)))}"


def _unclean(fact: Fact) -> bool:
    return fact.table == "monitor.node" and fact.values.get("state") == "unclean"


def main(paths: Sequence[str]) -> int:
    """Compare each input by itself."""
    kind: type[Comparison | CibComparison] = CibComparison if "--cib" in paths else Comparison
    compared: Counter[str] = Counter()
    count = 0
    for path in (each for each in paths if each != "--cib"):
        timeline, reading, _ = read_timeline([path], Options())
        comparison = kind(timeline, build_views(timeline, reading.facts), reading.facts)
        for difference in comparison.differences():
            count += 1
            print(difference)  # noqa: T201 (a program)
        compared += comparison.compared
    print(f"{count} differences; compared {', '.join(f'{n} {what}' for what, n in sorted(compared.items()))}")  # noqa: T201
    return 0 if count == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
