"""Command line of the lab: ``python -m tests.lab --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab import base, cluster, collect, faults, notes, power, scenario
from tests.lab.commands import LabError
from tests.lab.places import Places
from tests.lab.plan import from_data, load


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("base", help="build a base system").add_argument("suite", nargs="?", default="bookworm")
    up = commands.add_parser("up", help="start a cluster: that of a scenario, or one with these nodes")
    up.add_argument("scenario", nargs="?", type=Path)
    up.add_argument("--nodes", default="alder,birch", help="names, joined by commas")
    up.add_argument("--suite", default="bookworm")
    up.add_argument("--links", type=int, default=1)
    up.add_argument("--no-fencing", action="store_true")
    run = commands.add_parser("run", help="run a command in a node")
    run.add_argument("node")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    fault = commands.add_parser("fault", help="break something", epilog=" · ".join(faults.FAULTS))
    fault.add_argument("words", nargs="+")
    gather = commands.add_parser("collect", help="collect logs and reports of the cluster that is up")
    gather.add_argument("target", type=Path)
    gather.add_argument("--tool", default="crm_report", choices=["crm_report", "crm report"])
    commands.add_parser("play", help="do the steps of a scenario").add_argument("scenario", type=Path)
    record = commands.add_parser("record", help="up, play, collect, down")
    record.add_argument("scenario", type=Path)
    record.add_argument("target", type=Path)
    commands.add_parser("status", help="show the nodes and what was done to them")
    commands.add_parser("down", help="stop and remove the cluster")
    return parser


def _say(text: str) -> None:
    if text:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _scenario(chosen: argparse.Namespace) -> scenario.Scenario:
    if chosen.scenario:
        return scenario.read(chosen.scenario)
    shape = {"name": "lab", "suite": chosen.suite, "links": chosen.links, "fencing": not chosen.no_fencing}
    plan = from_data({**shape, "nodes": chosen.nodes.split(",")})
    return scenario.Scenario("by-hand", "A cluster by hand", plan)


def _status(places: Places) -> None:
    plan = load(places.plan)
    for node in plan.nodes:
        pid = power.order(places, "pid", node=node.name)
        _say(f"{node.name:<12} {plan.address(node):<15} {'off' if pid is None else f'process {pid}'}")
    for row in notes.read(places):
        _say(json.dumps(row))


def _collect(places: Places, target: Path, tool: str) -> None:
    plan = load(places.plan)
    for path in collect.varlogs(plan, places, target / "raw"):
        _say(str(path))
    _say(str(collect.report(plan, places, target, "report", tool=tool)))


def _do(chosen: argparse.Namespace, places: Places) -> int:
    match chosen.command:
        case "base":
            _say(str(base.ensure(places, chosen.suite)))
        case "up":
            scenario.up(_scenario(chosen), places, _say)
        case "run":
            return power.interactive(power.inside(places, chosen.node, " ".join(chosen.words) or "bash"))
        case "fault":
            faults.inject(faults.Bench(load(places.plan), places), " ".join(chosen.words))
        case "collect":
            _collect(places, chosen.target, chosen.tool)
        case "play":
            scenario.play(scenario.read(chosen.scenario), places, _say)
        case "record":
            scenario.record(scenario.read(chosen.scenario), places, chosen.target, _say)
        case "status":
            _status(places)
        case "down":
            cluster.down(places)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Do one command; 1 with a sentence if it could not be done."""
    try:
        return _do(_arguments().parse_args(arguments), Places.default())
    except LabError as error:
        sys.stderr.write(f"lab: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
