"""The verdict for a terminal: about ten lines, or all of it."""

from __future__ import annotations

from collections.abc import Iterator

from hadiag.model.diagnosis import ChainStep, Diagnosis, Evidence, Incident
from hadiag.model.entity import confidence_word
from hadiag.model.time import iso_utc
from hadiag.report.words import Words, read_words
from hadiag.rulelang.template import format_duration

SHORT_STEPS = 7
SHORT_MISSING = 2
SHORT_OUTAGES = 5


def terminal_text(diagnosis: Diagnosis, *, full: bool = False, words: Words | None = None) -> str:
    """Write the verdict, the chain of the top incident and what is missing; with ``full`` every incident with its evidence.

    ``words`` are the texts of the reader's language, by default English.
    """
    return "\n".join(_Terminal(words or read_words(), full=full).lines(diagnosis))


class _Terminal:
    """Writes in one language, short or in full."""

    def __init__(self, words: Words, *, full: bool) -> None:
        self.words = words
        self.full = full

    def lines(self, diagnosis: Diagnosis) -> Iterator[str]:
        """All lines of a diagnosis."""
        yield from self._verdict(diagnosis)
        shown = diagnosis.incidents if self.full else diagnosis.incidents[:1]
        for incident in shown:
            yield from self._incident(incident)
        rest = len(diagnosis.incidents) - len(shown)
        if rest:
            titles = "; ".join(f"{i.id} {i.title}" for i in diagnosis.incidents[1:4])
            yield self.words("terminal.further", n=rest, titles=titles)
        if self.full:
            yield from self._audit(diagnosis)

    def _verdict(self, diagnosis: Diagnosis) -> Iterator[str]:
        words, verdict = self.words, diagnosis.verdict
        provided = sum(1 for node in diagnosis.nodes if node.provided)
        name = diagnosis.cluster.name or words("without a name")
        yield words("terminal.cluster", name=name, some=provided, all=len(diagnosis.nodes))
        key = "terminal.verdict_fragile" if verdict.fragile else "terminal.verdict"
        yield words(key, status=self._term(verdict.status), confidence=words(confidence_word(verdict.confidence)))
        yield f"  {verdict.headline}"

    def _term(self, value: str) -> str:
        return self.words(value.replace("_", " "))

    def _incident(self, incident: Incident) -> Iterator[str]:
        if self.full:
            kinds = ", ".join(map(self._term, incident.kinds))
            yield f"\n{incident.id} [{self._term(incident.severity)}] {incident.title}  ({kinds})"
            yield from self._explanations(incident)
        steps = incident.chain if self.full else _shortened(incident.chain)
        yield self.words("terminal.chain")
        yield from (_step(number, step) for number, step in enumerate(steps, 1))
        if self.full:
            yield from _proofs(steps)
        yield from self._impact(incident)
        for one in incident.missing if self.full else incident.missing[:SHORT_MISSING]:
            yield self.words("terminal.missing", what=one.what, why=one.why)
            yield f"         {one.command}"
        if self.full:
            yield from (self.words("terminal.worked", what=sentence) for sentence in incident.worked)

    def _explanations(self, incident: Incident) -> Iterator[str]:
        for one in incident.explanations:
            yield f"  {one.rank}. {self.words(confidence_word(one.confidence))}: {one.statement}"

    def _impact(self, incident: Incident) -> Iterator[str]:
        down = self._down(incident)
        risk = {True: "yes", False: "no", None: "not known"}[incident.impact.data_at_risk]
        if down or incident.impact.data_at_risk is not False:
            if len(down) > SHORT_OUTAGES + 1 and not self.full:
                down = [*down[:SHORT_OUTAGES], self.words("terminal.more_outages", n=len(down) - SHORT_OUTAGES)]
            what = "; ".join(down) or self.words("terminal.no_outage")
            yield self.words("terminal.impact", what=what, risk=self.words(risk))

    def _down(self, incident: Incident) -> list[str]:
        """Unplanned outages, one entry a resource."""
        spans: dict[str, list[float | None]] = {}
        for outage in incident.impact.resources:
            if not outage.planned:
                spans.setdefault(outage.resource, []).append(outage.down_s)
        return [f"{resource} {self._total(times)}" for resource, times in spans.items()]

    def _total(self, times: list[float | None]) -> str:
        known = [time for time in times if time is not None]
        parts = [format_duration(round(sum(known), 3))] if known else []
        parts += [self.words("terminal.still_down")] if len(known) < len(times) else []
        total = parts[0] if len(parts) == 1 else self.words("list.and", first=parts[0], last=parts[1])
        return self.words("terminal.in_parts", total=total, n=len(known)) if len(known) > 1 else total

    def _audit(self, diagnosis: Diagnosis) -> Iterator[str]:
        if diagnosis.audit:
            yield f"\n{self.words('terminal.configuration')}"
        for one in diagnosis.audit:
            found = self.words("terminal.check", found=one.found, expected=one.expected)
            yield f"  [{self._term(one.severity)}] {one.id}: {found}"


def _shortened(chain: tuple[ChainStep, ...]) -> tuple[ChainStep, ...]:
    return chain if len(chain) <= SHORT_STEPS else (*chain[: SHORT_STEPS - 1], chain[-1])


def _step(number: int, step: ChainStep) -> str:
    stamp = iso_utc(step.at.ns)[11:23] if step.at else "            "
    lag = f" (+{format_duration(step.lag_s)})" if step.lag_s and step.lag_s >= 0 else ""
    return f"  {number}. {stamp} {step.text}{lag}"


def _proofs(steps: tuple[ChainStep, ...]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        for evidence in step.evidence[:3]:
            yield f"     [{number}] {_quoted(evidence)}"


def _quoted(evidence: Evidence) -> str:
    return f"{evidence.path}:{evidence.line}: {evidence.text}"
