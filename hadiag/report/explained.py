"""One incident, finding or event of a result in words for a terminal, with the arithmetic that anyone can recompute.

Everything is read from the data of the result contract, so that a stored result can be explained as well as a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hadiag.diagnose.why import Case, WhyNot
from hadiag.report.say import weighed
from hadiag.report.words import Words, read_words

Data = Mapping[str, Any]
_SHOWN_LINES = 8
_INDENT = "   "


def explain_incident(
    incident: Data, findings: Mapping[str, Data], *, table: bool, words: Words | None = None
) -> Iterator[str]:
    """An incident: its explanations with what speaks for and against each, and with ``table`` the arithmetic."""
    words = words or read_words()
    yield f"{incident['id']} [{words(incident['severity'])}] {incident['title']}"
    kinds = ", ".join(words(kind.replace("_", " ")) for kind in incident["kinds"])
    yield "  " + words("explain.kinds", kinds=kinds, start=incident["start"], end=incident["end"])
    for one in incident["explanations"]:
        yield ""
        yield f"{one['rank']}. {one['cause']}: {words(one['confidence_word'])} ({one['confidence']:.2f})"
        yield f"{_INDENT}{one['statement']}"
        yield from _lines("explain.for", one["for"], words)
        yield from _lines("explain.against", one["against"], words)
        yield from (_INDENT + words("explain.not_checkable", what=text) for text in one["uncheckable"])
        if table:
            yield from _table(one, findings, words)
    yield from _chain(incident, words)


def _lines(key: str, evidence: Sequence[Data], words: Words) -> Iterator[str]:
    head = f"{_INDENT}{words(key):<8} "
    for line in evidence[:_SHOWN_LINES]:
        yield head + quoted(line)
    if len(evidence) > _SHOWN_LINES:
        yield f"{head}… {words.many(len(evidence) - _SHOWN_LINES, '{n} more line', '{n} more lines')}"


def quoted(line: Data) -> str:
    """A line of evidence with its place."""
    return f"{line['path']}:{line['line']}: {line['text']}"


def _table(explanation: Data, findings: Mapping[str, Data], words: Words) -> Iterator[str]:
    evidence, state, total = (words(f"explain.{name}") for name in ("evidence", "state", "sum"))
    yield f"{_INDENT}{evidence:<58} {state:<8} {'P':>8} {'ln P':>9} {total:>9}"
    prior = explanation["log_prior"]
    yield f"{_INDENT}{words('explain.prior'):<58} {'':<8} {'':>8} {prior:>9.4f} {prior:>9.4f}"
    for row in weighed(explanation):
        name = named(row["finding"], findings)
        numbers = f"{row['probability']:>8.4f} {row['weight']:>9.4f} {row['sum']:>9.4f}"
        yield f"{_INDENT}{name:<58} {words(row['state']):<8} {numbers}"


def named(effect: str, findings: Mapping[str, Data]) -> str:
    """A finding as its rule with the nodes and resources it names; an absent one as it is."""
    found = findings.get(effect)
    if found is None:
        return effect
    subjects = ", ".join((*found["nodes"], *found["resources"]))
    return f"{found['rule']} ({subjects})" if subjects else str(found["rule"])


def _chain(incident: Data, words: Words) -> Iterator[str]:
    yield ""
    yield words("terminal.chain")
    numbers = {step["id"]: number for number, step in enumerate(incident["chain"], 1)}
    for step in incident["chain"]:
        because = ", ".join(str(numbers[name]) for name in step["because_of"] if name in numbers)
        why = f"  ({words('explain.because', steps=because)})" if because else ""
        yield f"  {numbers[step['id']]}. {step['time'] or '':<24} {step['text']}{why}"
        yield from (f"       {quoted(line)}" for line in step["evidence"][:3])


def explain_finding(finding: Data, incidents: Sequence[Data], words: Words | None = None) -> Iterator[str]:
    """A finding: what it says, the lines that prove it, what it is part of, what to do."""
    words = words or read_words()
    yield f"{finding['id']} [{words(finding['severity'])}] {finding['title']}"
    yield f"  {finding['says']}"
    yield "  " + words(
        "explain.rule",
        rule=finding["rule"],
        layer=words(finding["layer"]),
        holds=words(finding["holds"]),
        confidence=f"{finding['confidence']:.2f}",
    )
    yield from _lines("explain.line", finding["evidence"], words)
    for incident in incidents:
        if finding["id"] in incident["findings"]:
            yield "  " + words("explain.part_of", incident=f"{incident['id']}: {incident['title']}")
            yield from _place(finding["id"], incident, words)


def _place(name: str, incident: Data, words: Words) -> Iterator[str]:
    texts = {step["id"]: step["text"] for step in incident["chain"]}
    for step in incident["chain"]:
        if step["id"] == name:
            known = (texts[other] for other in step["because_of"] if other in texts)
            yield from ("    " + words("explain.because_of", what=text) for text in known)
        elif name in step["because_of"]:
            yield "    " + words("explain.led_to", what=step["text"])


def explain_event(uid: str, line: Data, findings: Iterable[Data], words: Words | None = None) -> Iterator[str]:
    """An event: its line and the findings that it proves."""
    words = words or read_words()
    yield quoted(line)
    logged = {name: line[name] for name in ("node", "logged", "time")}
    yield "  " + words("explain.logged", **logged, error=line["error_s"])
    yield from ("  " + words("explain.also", place=f"{other['path']}:{other['line']}") for other in line["also"])
    for finding in findings:
        if any(each["event"] == uid for each in finding["evidence"]):
            yield "  " + words("explain.proves", finding=f"{finding['id']}: {finding['title']}")


def explain_why_not(
    found: WhyNot, findings: Mapping[str, Data], *, table: bool, words: Words | None = None
) -> Iterator[str]:
    """What speaks against a cause, strongest first."""
    words = words or read_words()
    if not found.cases:
        yield words("explain.no_sign", cause=found.cause)
        yield from ("  " + words("explain.sign", rule=rule, weight=f"{weight:.2f}") for rule, weight in found.signs)
    for case in found.cases:
        yield from _case(case, findings, words, table=table)


def _case(case: Case, findings: Mapping[str, Data], words: Words, *, table: bool) -> Iterator[str]:
    key = "explain.is_part" if case.candidate in case.best else "explain.is_no_part"
    yield words(key, cause=case.candidate, share=f"{case.share:.2f}", best=" + ".join(case.best))
    for row in (row for row in case.rows if row.difference < -0.01):
        name, weight = named(row.effect, findings), f"{row.difference:+.2f}"
        yield "  " + words("explain.speaks_against", finding=name, state=words(row.state), weight=weight)
    if case.prior_difference < -0.01:
        yield "  " + words("explain.less_common", weight=f"{case.prior_difference:+.2f}")
    for one in case.not_checked:
        nodes = ", ".join(one.nodes) or words("cluster")
        yield "  " + words("explain.open", rule=one.rule, nodes=nodes)
    if table:
        yield from _compared(case, findings, words)


def _compared(case: Case, findings: Mapping[str, Data], words: Words) -> Iterator[str]:
    evidence, state, best, this = (words(f"explain.{name}") for name in ("evidence", "state", "best", "this"))
    yield f"  {evidence:<58} {state:<8} {best:>9} {this:>9} {words('explain.difference'):>9}"
    for row in case.rows:
        name = named(row.effect, findings)
        numbers = f"{row.under_best:>9.4f} {row.under_cause:>9.4f} {row.difference:>9.4f}"
        yield f"  {name:<58} {words(row.state):<8} {numbers}"
