"""The declarative rule language: findings, causes and audits as YAML, evaluated with three-valued truth.

A rule (``hadiag/rule/v1``, one file of ``rules/findings``) names *steps*. Each step looks at one source: ``event`` (a type of
the catalogue), ``state`` (a table of interval views), ``finding`` (of another rule) or ``fact`` (configuration)::

    schema: hadiag/rule/v1
    id: fencing.operation-failed
    title: "{op.target} could not be fenced: {op.reason}"
    layer: fencing
    role: failure
    incident_kind: fencing_failed
    severity: critical
    confidence: 0.95
    description: The cluster asked for a node to be fenced and no attempt succeeded.
    per: [op.target]
    match:
      op: {state: fencing.operation, where: {action: [off, reboot], result: [failed, timeout, no_device]}}
      ok: {event: fence.op_result, where: {result: ok, target: $op.target}, after: op, within: 60s, count: 0}
    finding:
      subjects: {nodes: [$op.target]}
      evidence: [op]

A rule holds when all its steps do. An absence (``count: 0``) is true only if a log that would have shown the line covers the
whole window; else the rule is *unknown* and says which log is missing. The whole language stands in docs/rule-language.md.

``load_rules`` reads packs into a ``RuleSet``; ``evaluate`` runs one over a timeline.
"""

from __future__ import annotations

from hadiag.rulelang.evaluate import Evaluation, evaluate
from hadiag.rulelang.loader import load_rules
from hadiag.rulelang.ruleset import Edge, RuleSet

__all__ = ["Edge", "Evaluation", "RuleSet", "evaluate", "load_rules"]
