"""Evaluate a rule set: stratum by stratum, three-valued, each rule on its own so that one that fails harms no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hadiag.model.fact import Fact
from hadiag.model.finding import AuditResult, Finding
from hadiag.model.frozen import record
from hadiag.model.source import Warn
from hadiag.model.tri import Tri
from hadiag.rulelang.compile import compile_match
from hadiag.rulelang.entries import Audit, Rule
from hadiag.rulelang.findings import Folded, condition_of, evidence_steps, fold, make_audit, make_finding
from hadiag.rulelang.match import MAX_MATCHES, Matcher, Outcome
from hadiag.rulelang.proof import Prover
from hadiag.rulelang.ruleset import RuleSet
from hadiag.rulelang.words import satisfies
from hadiag.rulelang.world import TimelineLike, ViewsLike, World


@record
class Evaluation:
    """What a rule set found: findings by time, failed audits by id, and rules that could not be evaluated."""

    findings: tuple[Finding, ...]
    audits: tuple[AuditResult, ...]
    warnings: tuple[Warn, ...]


def evaluate(
    rule_set: RuleSet,
    timeline: TimelineLike,
    views: ViewsLike,
    facts: Sequence[Fact],
    given: Iterable[Finding] = (),
) -> Evaluation:
    """Evaluate all rules and audits.

    Args:
        rule_set: rules of all packs.
        timeline: the aligned events.
        views: what the nodes believed, and when.
        facts: statements of configuration and status.
        given: findings that are already known; rules see them.
    """
    run = _Run(rule_set, World(timeline, views, facts), facts)
    run.world.add(given)
    for name, audit in rule_set.audits.items():
        run.guarded(name, audit)
    for name in rule_set.strata:
        run.guarded(name, rule_set.findings[name])
    return run.result()


class _Run:
    """One evaluation on its way."""

    def __init__(self, rule_set: RuleSet, world: World, facts: Sequence[Fact]) -> None:
        self.world = world
        self._rule_set = rule_set
        self._prover = Prover(world, rule_set.findings, rule_set.event_types)
        self._owners = {id(fact): world.owner(fact) for fact in facts}
        self._nodes = frozenset(world.node_names)
        self._findings: list[Finding] = []
        self._audits: list[AuditResult] = []
        self._warnings: list[Warn] = []

    def guarded(self, name: str, rule: Rule | Audit) -> None:
        """Evaluate one rule; whatever goes wrong in it is a warning."""
        try:
            if isinstance(rule, Rule):
                self._rule(rule)
            else:
                self._audit(rule)
        except Exception as error:  # noqa: BLE001 - a rule from a pack of somebody else must not end the run
            place = self._rule_set.places[name].place if name in self._rule_set.places else name
            self._warnings.append(Warn("rule-failed", f"rule {name}: {type(error).__name__}: {error}", place))

    def _applies(self, rule: Rule | Audit) -> bool:
        """A rule is left out only where every known version is out of its bounds."""
        for component, bounds in rule.applies_to.items():
            versions = self.world.versions(component)
            if versions and not any(satisfies(version, bounds) for version in versions):
                return False
        return rule.status != "deprecated"

    def _rule(self, rule: Rule) -> None:
        if not self._applies(rule):
            return
        subjects = (*rule.finding.subjects.nodes, *rule.finding.subjects.resources)
        steps = compile_match(rule.match, rule.per, subjects, self.world.clock)
        outcome = Matcher(steps, self.world, self._prover, rule.needs).run(rule.one_of)
        self._note_cut(rule.id, outcome)
        folded = fold(outcome.matches, rule, rule.merge, evidence_steps(rule.match, rule.finding.evidence))
        found = [make_finding(rule, each, self._nodes, self._owners) for each in folded if _has_ground(rule, each)]
        self._findings.extend(found)
        self.world.add(found)

    def _audit(self, audit: Audit) -> None:
        if not self._applies(audit):
            return
        steps = compile_match(audit.match, audit.per, (*audit.nodes, *audit.resources), self.world.clock)
        outcome = Matcher(steps, self.world, self._prover).run(audit.one_of)
        self._note_cut(audit.id, outcome)
        unread = [snapshot for snapshot in audit.requires if not self.world.was_read(snapshot)]
        for each in fold(outcome.matches, audit, 0, tuple(audit.match)):
            folded = Folded(each.key, each.matches, Tri.UNKNOWN, each.extent) if unread else each
            if _has_ground(audit, folded):
                result = make_audit(audit, folded, self._owners)
                self._audits.append(result)
                if audit.condition:
                    finding = condition_of(audit, folded, result, self._owners)
                    self._findings.append(finding)
                    self.world.add([finding])

    def _note_cut(self, name: str, outcome: Outcome) -> None:
        if outcome.cut:
            place = self._rule_set.places[name].place if name in self._rule_set.places else name
            message = f"rule {name}: more than {MAX_MATCHES} combinations; the rest was not looked at"
            self._warnings.append(Warn("rule-failed", message, place))

    def result(self) -> Evaluation:
        """Everything found, in a stable order."""
        findings = sorted(self._findings, key=lambda each: (_start(each), each.rule, each.id))
        audits = sorted(self._audits, key=lambda each: (each.id, each.nodes, each.found))
        return Evaluation(tuple(findings), tuple(audits), tuple(self._warnings))


def _start(finding: Finding) -> int:
    return -1 if finding.start is None else finding.start.ns


def _has_ground(rule: Rule | Audit, folded: Folded) -> bool:
    """What is not proven needs at least one step that was found; absence alone finds nothing."""
    if folded.truth is Tri.TRUE:
        return True
    return any(name in match.rows for match in folded.matches for name, step in rule.match.items() if not step.absent)
