"""What would run where, as plain commands: the dry run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from hadiag.collect.nodes import NodeSpec
from hadiag.collect.plan import MB, Kind, Step, Window, steps
from hadiag.collect.runner import Order
from hadiag.collect.script import BOOTSTRAP, FIELDS
from hadiag.collect.ssh import Local, Remote


def dry_run(order: Order) -> Iterator[str]:
    """Yield the lines of a dry run."""
    yield f"# window {_iso(order.window.since)} to {_iso(order.window.until)}; logs from {_iso(order.window.first)}"
    for node in order.nodes:
        yield f"# {node.name}"
        yield _login(node, order)
    yield "# On each node, one after the other, each with its limits of time and size; secrets are removed there:"
    for step in steps(order.via):
        if step.kind is not Kind.PART:
            yield from _step(step, order.window)


def _login(node: NodeSpec, order: Order) -> str:
    link = Local() if node.local else Remote(node.destination, order.ssh)
    return shlex.join(link.argv(["sh", "-c", BOOTSTRAP, "hadiag", "run"])) + " < SCRIPT"


def _step(step: Step, window: Window) -> Iterator[str]:
    yield f"# {step.id}: {step.about} [{step.seconds} s, {step.limit // MB} MB{', files' * (step.kind is Kind.FILES)}]"
    yield plain(step.command, window)


def plain(command: str, window: Window) -> str:
    """A command with its variables filled in."""
    values = {
        "$SINCE": str(window.first),
        "$UNTIL": str(window.until),
        "$MINUTES": str((window.until - window.first) // 60 + 2),
        "$AFTER": "0",
        "$FIELDS": f"--output-fields={FIELDS}",
    }
    for name, value in values.items():
        command = command.replace(name, value)
    return command


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
