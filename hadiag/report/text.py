"""The verdict for a terminal: about ten lines, or all of it."""

from __future__ import annotations

from collections.abc import Iterator

from hadiag.model.diagnosis import ChainStep, Diagnosis, Evidence, Incident
from hadiag.model.entity import confidence_word
from hadiag.model.time import iso_utc
from hadiag.rulelang.template import format_duration

SHORT_STEPS = 7
SHORT_MISSING = 2


def terminal_text(diagnosis: Diagnosis, *, full: bool = False) -> str:
    """Write the verdict, the chain of the top incident and what is missing; with ``full`` every incident with its evidence."""
    lines = list(_verdict(diagnosis))
    shown = diagnosis.incidents if full else diagnosis.incidents[:1]
    for incident in shown:
        lines += _incident(incident, full=full)
    rest = len(diagnosis.incidents) - len(shown)
    if rest:
        titles = "; ".join(f"{i.id} {i.title}" for i in diagnosis.incidents[1:4])
        lines.append(f"Further incidents: {rest} ({titles})")
    if full:
        lines += _audit(diagnosis)
    return "\n".join(lines)


def _verdict(diagnosis: Diagnosis) -> Iterator[str]:
    verdict = diagnosis.verdict
    word = confidence_word(verdict.confidence)
    provided = sum(1 for node in diagnosis.nodes if node.provided)
    cluster = diagnosis.cluster.name or "(no name)"
    yield f"Cluster {cluster}: logs of {provided} of {len(diagnosis.nodes)} nodes"
    fragile = ", hangs on a single strength" if verdict.fragile else ""
    yield f"Verdict: {verdict.status.value.replace('_', ' ')} ({word}{fragile})"
    yield f"  {verdict.headline}"


def _incident(incident: Incident, *, full: bool) -> list[str]:
    lines = []
    if full:
        kinds = ", ".join(kind.value for kind in incident.kinds)
        lines.append(f"\n{incident.id} [{incident.severity.value}] {incident.title}  ({kinds})")
        lines += _explanations(incident)
    steps = incident.chain if full else _shortened(incident.chain)
    lines.append("Chain:")
    lines += [_step(number, step) for number, step in enumerate(steps, 1)]
    if full:
        lines += _proofs(steps)
    lines += _impact(incident)
    missing = incident.missing if full else incident.missing[:SHORT_MISSING]
    lines += [f"Missing: {m.what}: {m.why}\n         {m.command}" for m in missing]
    if full:
        lines += [f"Worked: {sentence}" for sentence in incident.worked]
    return lines


def _shortened(chain: tuple[ChainStep, ...]) -> tuple[ChainStep, ...]:
    return chain if len(chain) <= SHORT_STEPS else (*chain[: SHORT_STEPS - 1], chain[-1])


def _step(number: int, step: ChainStep) -> str:
    stamp = iso_utc(step.at.ns)[11:23] if step.at else "            "
    lag = f" (+{format_duration(step.lag_s)})" if step.lag_s and step.lag_s >= 0 else ""
    return f"  {number}. {stamp} {step.text}{lag}"


def _explanations(incident: Incident) -> Iterator[str]:
    for one in incident.explanations:
        yield f"  {one.rank}. {confidence_word(one.confidence)}: {one.statement}"


def _proofs(steps: tuple[ChainStep, ...]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        for evidence in step.evidence[:3]:
            yield f"     [{number}] {_quoted(evidence)}"


def _quoted(evidence: Evidence) -> str:
    return f"{evidence.path}:{evidence.line}: {evidence.text}"


def _impact(incident: Incident) -> Iterator[str]:
    down = _down(incident)
    risk = {True: "yes", False: "no", None: "not known"}[incident.impact.data_at_risk]
    if down or incident.impact.data_at_risk is not False:
        yield f"Impact: {'; '.join(down) or 'no outage of a resource'}. Data at risk: {risk}."


def _down(incident: Incident) -> list[str]:
    """Unplanned outages, one entry a resource."""
    spans: dict[str, list[float | None]] = {}
    for outage in incident.impact.resources:
        if not outage.planned:
            spans.setdefault(outage.resource, []).append(outage.down_s)
    return [f"{resource} {_total(times)}" for resource, times in spans.items()]


def _total(times: list[float | None]) -> str:
    known = [time for time in times if time is not None]
    words = [format_duration(round(sum(known), 3))] if known else []
    words += ["still down"] if len(known) < len(times) else []
    often = f" in {len(known)} parts" if len(known) > 1 else ""
    return f"{' and '.join(words)}{often}"


def _audit(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.audit:
        yield "\nConfiguration:"
    for one in diagnosis.audit:
        yield f"  [{one.severity.value}] {one.id}: {one.found} (expected: {one.expected})"
