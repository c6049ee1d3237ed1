"""One incident, finding or event of a result in words for a terminal, with the arithmetic that anyone can recompute.

Everything is read from the data of the result contract, so that a stored result can be explained as well as a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hadiag.diagnose.why import Case, WhyNot
from hadiag.report.say import weighed

Data = Mapping[str, Any]
_SHOWN_LINES = 8


def explain_incident(incident: Data, findings: Mapping[str, Data], *, table: bool) -> Iterator[str]:
    """An incident: its explanations with what speaks for and against each, and with ``table`` the arithmetic."""
    yield f"{incident['id']} [{incident['severity']}] {incident['title']}"
    yield f"  kinds: {', '.join(incident['kinds'])}; from {incident['start']} to {incident['end']}"
    for one in incident["explanations"]:
        yield ""
        yield f"{one['rank']}. {one['cause']}: {one['confidence_word']} ({one['confidence']:.2f})"
        yield f"   {one['statement']}"
        yield from _lines("for", one["for"])
        yield from _lines("against", one["against"])
        yield from (f"   not checkable: {text}" for text in one["uncheckable"])
        if table:
            yield from _table(one, findings)
    yield from _chain(incident)


def _lines(word: str, evidence: Sequence[Data]) -> Iterator[str]:
    for line in evidence[:_SHOWN_LINES]:
        yield f"   {word + ':':<8} {quoted(line)}"
    if len(evidence) > _SHOWN_LINES:
        yield f"   {word + ':':<8} … and {len(evidence) - _SHOWN_LINES} more lines"


def quoted(line: Data) -> str:
    """A line of evidence with its place."""
    return f"{line['path']}:{line['line']}: {line['text']}"


def _table(explanation: Data, findings: Mapping[str, Data]) -> Iterator[str]:
    yield f"   {'evidence':<58} {'state':<8} {'P':>8} {'ln P':>9} {'sum':>9}"
    yield f"   {'prior odds of the causes':<58} {'':<8} {'':>8} {explanation['log_prior']:>9.4f} {explanation['log_prior']:>9.4f}"
    for row in weighed(explanation):
        name = named(row["finding"], findings)
        yield f"   {name:<58} {row['state']:<8} {row['probability']:>8.4f} {row['weight']:>9.4f} {row['sum']:>9.4f}"


def named(effect: str, findings: Mapping[str, Data]) -> str:
    """A finding as its rule with the nodes and resources it names; an absent one as it is."""
    found = findings.get(effect)
    if found is None:
        return effect
    subjects = ", ".join((*found["nodes"], *found["resources"]))
    return f"{found['rule']} ({subjects})" if subjects else str(found["rule"])


def _chain(incident: Data) -> Iterator[str]:
    yield ""
    yield "Chain:"
    numbers = {step["id"]: number for number, step in enumerate(incident["chain"], 1)}
    for step in incident["chain"]:
        because = ", ".join(str(numbers[name]) for name in step["because_of"] if name in numbers)
        yield f"  {numbers[step['id']]}. {step['time'] or '':<24} {step['text']}" + (
            f"  (because of {because})" if because else ""
        )
        yield from (f"       {quoted(line)}" for line in step["evidence"][:3])


def explain_finding(finding: Data, incidents: Sequence[Data]) -> Iterator[str]:
    """A finding: what it says, the lines that prove it, what it is part of, what to do."""
    yield f"{finding['id']} [{finding['severity']}] {finding['title']}"
    yield f"  {finding['says']}"
    yield f"  rule {finding['rule']}, layer {finding['layer']}, holds: {finding['holds']}, confidence {finding['confidence']:.2f}"
    yield from _lines("line", finding["evidence"])
    for incident in incidents:
        if finding["id"] in incident["findings"]:
            yield f"  part of {incident['id']}: {incident['title']}"
            yield from _place(finding["id"], incident)


def _place(name: str, incident: Data) -> Iterator[str]:
    texts = {step["id"]: step["text"] for step in incident["chain"]}
    for step in incident["chain"]:
        if step["id"] == name:
            yield from (f"    because of: {texts[other]}" for other in step["because_of"] if other in texts)
        elif name in step["because_of"]:
            yield f"    led to: {step['text']}"


def explain_event(uid: str, line: Data, findings: Iterable[Data]) -> Iterator[str]:
    """An event: its line and the findings that it proves."""
    yield quoted(line)
    yield f"  logged by {line['node']} as {line['logged']}; {line['time']} ± {line['error_s']} s"
    yield from (f"  also in {other['path']}:{other['line']}" for other in line["also"])
    for finding in findings:
        if any(each["event"] == uid for each in finding["evidence"]):
            yield f"  proves {finding['id']}: {finding['title']}"


def explain_why_not(found: WhyNot, findings: Mapping[str, Data], *, table: bool) -> Iterator[str]:
    """What speaks against a cause, strongest first."""
    if not found.cases:
        yield f"{found.cause}: no finding of this incident speaks for it. It would show as:"
        yield from (f"  {rule} (strength {weight:.2f})" for rule, weight in found.signs)
    for case in found.cases:
        yield from _case(case, findings, table=table)


def _case(case: Case, findings: Mapping[str, Data], *, table: bool) -> Iterator[str]:
    if case.candidate in case.best:
        yield f"{case.candidate} is part of the best explanation (share {case.share:.2f})."
    else:
        yield f"{case.candidate}: share {case.share:.2f}; the best explanation is {' + '.join(case.best)}."
    against = [row for row in case.rows if row.difference < -0.01]
    for row in against:
        yield f"  against: {named(row.effect, findings)} is {row.state} ({row.difference:+.2f})"
    if case.prior_difference < -0.01:
        yield f"  against: it is less common, or needs more causes at once ({case.prior_difference:+.2f})"
    for one in case.not_checked:
        yield f"  open: {one.rule} on {', '.join(one.nodes) or 'the cluster'} could not be looked for; no log covers it"
    if table:
        yield f"  {'evidence':<58} {'state':<8} {'best':>9} {'this':>9} {'this-best':>9}"
        for row in case.rows:
            name = named(row.effect, findings)
            yield f"  {name:<58} {row.state:<8} {row.under_best:>9.4f} {row.under_cause:>9.4f} {row.difference:>9.4f}"
