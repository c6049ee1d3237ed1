"""``hadiag explain``: why an answer is what it is, down to the arithmetic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, progress
from hadiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hadiag.diagnose.why import WhyNot
    from hadiag.pipeline import Analysis


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("explain")(explain)


def explain(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="An incident (I-1), a finding, a rule, or the uid of an event.")
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="A stored result (.json), or the bundles.", show_default=False),
    ],
    table: Annotated[bool, typer.Option("--table", help="Show the arithmetic of each explanation.")] = False,
    why_not: Annotated[
        str | None,
        typer.Option("--why-not", metavar="CAUSE", help="Say what speaks against a cause (hadiag rules list)."),
    ] = None,
    rules: shared.Rules = None,
    cluster: shared.Cluster = None,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
) -> None:
    """Explain an incident, a finding or an event of a result; say why a cause is not the answer.

    Examples:

      hadiag explain I-1 result.json --table

      hadiag explain I-1 crm_report.tar.bz2 --why-not network.cut
    """
    del debug
    if _is_result(inputs):
        from hadiag.report.schema import read_result

        if why_not is not None:
            raise UsageError("--why-not weighs the evidence anew and needs the bundles, not a stored result.")
        lines = _explained(what, read_result(inputs[0]), table=table)
    else:
        analysis, data = _analyzed(inputs, rules, cluster, quiet)
        compared = _why_not(why_not, what, analysis) if why_not is not None else None
        lines = _explained(what, data, table=table) if compared is None else _compared(compared, data, table=table)
    for line in lines:
        typer.echo(harmless(line))


def _is_result(inputs: Sequence[str]) -> bool:
    return len(inputs) == 1 and Path(inputs[0]).suffix == ".json"


def _analyzed(
    inputs: Sequence[str], rules: Sequence[str] | None, cluster: str | None, quiet: bool
) -> tuple[Analysis, Mapping[str, Any]]:
    from hadiag.pipeline import analyze
    from hadiag.report.machine import as_data

    with progress(inputs, quiet=quiet) as hooks:
        analysis = analyze(list(inputs), shared.make(rules=rules, cluster=cluster, hooks=hooks), sys.stdin.buffer)
    return analysis, as_data(analysis.diagnosis)


def _explained(what: str, data: Mapping[str, Any], *, table: bool) -> Iterator[str]:
    from hadiag.cli.forms import template_folder
    from hadiag.report import explained
    from hadiag.report.words import read_words

    words = read_words(template_folder(None))
    findings = {finding["id"]: finding for finding in data["findings"]}
    incidents = {incident["id"]: incident for incident in data["incidents"]}
    if what in incidents:
        return explained.explain_incident(incidents[what], findings, table=table, words=words)
    named = [finding for name, finding in findings.items() if what in (name, finding["rule"])]
    if named:
        return (line for finding in named for line in explained.explain_finding(finding, data["incidents"], words))
    for finding in findings.values():
        for line in finding["evidence"]:
            if line["event"] == what:
                return explained.explain_event(what, line, data["findings"], words)
    known = ", ".join(incidents) or "none"
    raise UsageError(f"Nothing in the result is called {what}. Its incidents: {known}; findings are listed by --json.")


def _why_not(cause: str, what: str, analysis: Analysis) -> WhyNot:
    from hadiag.diagnose.why import why_not

    incident = next((one for one in analysis.diagnosis.incidents if one.id == what), None)
    if incident is None:
        known = ", ".join(one.id for one in analysis.diagnosis.incidents) or "none"
        raise UsageError(f"--why-not wants an incident; this result has: {known}.")
    if cause not in analysis.ruleset.causes:
        near = ", ".join(
            sorted(name for name in analysis.ruleset.causes if cause.rsplit(".", maxsplit=1)[-1] in name)[:5]
        )
        raise UsageError(f"No cause is called {cause}." + (f" Near: {near}." if near else " See hadiag rules list."))
    members = [finding for finding in analysis.diagnosis.findings if finding.id in incident.findings]
    return why_not(cause, members, analysis.ruleset, analysis.timeline)


def _compared(compared: WhyNot, data: Mapping[str, Any], *, table: bool) -> Iterator[str]:
    from hadiag.cli.forms import template_folder
    from hadiag.report.explained import explain_why_not
    from hadiag.report.words import read_words

    findings = {finding["id"]: finding for finding in data["findings"]}
    return explain_why_not(compared, findings, table=table, words=read_words(template_folder(None)))
