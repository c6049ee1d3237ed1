"""The one script that runs on a node: the window, the table of steps and their commands, the cleaner and the shell part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from importlib import resources

from hadiag.collect.plan import Step, Window

FIELDS = (
    "__REALTIME_TIMESTAMP,__MONOTONIC_TIMESTAMP,_SOURCE_REALTIME_TIMESTAMP,_BOOT_ID,_MACHINE_ID,_HOSTNAME,_TRANSPORT,"
    "SYSLOG_IDENTIFIER,SYSLOG_PID,_COMM,_PID,_SYSTEMD_UNIT,UNIT,PRIORITY,MESSAGE"
)
"""Fields of the journal that are taken; command lines and environments are not among them."""

BOOTSTRAP = 'HADIAG=$(cat); export HADIAG; eval "$HADIAG"'
"""What is given to ``sh -c`` on the node, with the script on standard input."""


@cache
def _part(name: str) -> str:
    return resources.files("hadiag.collect").joinpath("node", name).read_text("utf-8")


def script(steps: Sequence[Step], window: Window, skip: Collection[str] = (), until_now: bool = False) -> str:
    """Write the script for a node.

    Args:
        steps: what is collected.
        window: the window on the node's clock.
        skip: ids of steps that are not run.
        until_now: the window ends when the script runs.
    """
    until = "$(date +%s)" if until_now else str(window.until)
    # A step that stands in for another runs in a second round, which a script that is handed over does not have.
    return "\n".join(
        (
            "#!/bin/sh",
            f"SINCE={window.first}; UNTIL=${{HADIAG_UNTIL:-{until}}}; HADIAG_UNTIL=$UNTIL; export HADIAG_UNTIL",
            ": ${NOW:=$(date +%s)}; MINUTES=$(((NOW - SINCE) / 60 + 2)); AFTER=$(((NOW - UNTIL) / 60 - 5)); export NOW",
            "[ $AFTER -gt 0 ] || AFTER=0",
            f"ALL_FIELDS={FIELDS}",
            f"SKIP='{' '.join(sorted(skip))}'",
            f"STEPS='{_table(steps)}'",
            f"SCRUB='{_awk()}'",
            _commands(steps),
            _part("collect.sh").rstrip(),
            'main "$@"',
            "",
        )
    )


def _awk() -> str:
    """The cleaner without its comments, which no node needs."""
    lines = _part("scrub.awk").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _table(steps: Sequence[Step]) -> str:
    rows = (
        (step.id, step.kind.value, str(step.seconds), str(step.limit), step.scrub.value, step.needs, step.path)
        for step in steps
    )
    return "\n".join("|".join(row) for row in rows)


def _commands(steps: Sequence[Step]) -> str:
    cases = "\n".join(f"{step.id})\n{step.command}\n;;" for step in steps)
    return f"produce() {{ _step=$1; shift; case $_step in\n{cases}\nesac; }}"
