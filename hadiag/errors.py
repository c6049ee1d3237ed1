"""Errors that end a run, and the catalogue of warnings that do not.

::

    HadiagError
    ├── UsageError            exit 2: wrong usage, several clusters without a choice
    │   └── RulesError        exit 2: a rule pack that does not load
    ├── NoInputError          exit 3: nothing recognised, or no log in the time range
    └── OutputError           exit 4: the output cannot be written

Data problems never raise past their stage: they become a ``Warn`` row with one of the codes of ``WARNINGS``.
"""

from __future__ import annotations


class HadiagError(Exception):
    """An error for people: one sentence that says what, why and what to try."""

    exit_status = 1


class UsageError(HadiagError):
    """Wrong usage."""

    exit_status = 2


class RulesError(UsageError):
    """A rule pack that does not load; ``problems`` holds one line ``file:line: key: what was expected`` each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join((f"The rules have {count}, and none of them was used:", *problems)))


class NoInputError(HadiagError):
    """No usable input."""

    exit_status = 3


class OutputError(HadiagError):
    """The output cannot be written."""

    exit_status = 4


WARNINGS: dict[str, str] = {
    "input-missing": "the path does not exist or cannot be opened",
    "input-empty": "the input or the archive holds no data",
    "input-unrecognised": "the input is no bundle and no log that hadiag knows",
    "input-duplicate": "the same input was given twice; it is read once",
    "archive-truncated": "the archive ends before its end mark; what came before was read",
    "archive-damaged": "the archive is damaged; what came before the damage was read",
    "archive-encrypted": "the archive is encrypted",
    "archive-limit": "a limit on size, ratio, depth or number of members was reached",
    "archive-unsafe-name": "a member has an unsafe name or is no regular file",
    "archive-link-missing": "a hard link whose target is not in the archive",
    "member-unreadable": "a file inside an input could not be read",
    "nested-unreadable": "an archive inside the archive could not be read",
    "journal-binary": "a binary journal needs journalctl to be read",
    "log-unknown-format": "a log in a format that no grammar knows",
    "log-truncated-line": "a line was longer than the limit and was cut",
    "log-undated": "a log carries no time and cannot be placed on the timeline",
    "snapshot-unreadable": "a snapshot could not be parsed",
    "collect-missing": "something could not be collected, as the manifest of the collection says",
    "node-missing": "a member of the cluster has no logs in the input",
    "clock-unverified": "the clock of a node could not be verified against another",
    "time-assumed": "the zone or the year of a log had to be assumed",
    "artifact-failed": "reading one artefact failed",
    "rule-failed": "a rule failed while it was evaluated",
    "tracker-failed": "a state tracker failed, so its tables are missing",
    "plugin-failed": "a plug-in did not load",
    "timeline-thinned": "context events were dropped to bound the size",
    "several-clusters": "the input holds several clusters",
}
"""Stable warning codes with their meaning; a code is never reused."""
