"""What a collection came to: complete, partial or nothing, and what is missing, why, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence

from hadiag.collect.manifest import CUT, Manifest, Missing, NodeRow, Result, Status
from hadiag.collect.plan import Kind, Step

_GROUPS = {"logs": "any log", "cib": "the CIB"}


def conclude(manifest: Manifest, steps: Sequence[Step]) -> None:
    """Fill in the results of the nodes and of the whole, and the list of what is missing."""
    manifest.missing = [row for _, node in sorted(manifest.nodes.items()) for row in _missing(node, steps)]
    for node in manifest.nodes.values():
        node.status = _result(node, manifest.missing)
    results = {node.status for node in manifest.nodes.values()}
    if results <= {Result.NOTHING}:
        manifest.result = Result.NOTHING
    else:
        manifest.result = Result.COMPLETE if results == {Result.COMPLETE} else Result.PARTIAL


def _result(node: NodeRow, missing: Sequence[Missing]) -> Result:
    if not any(step.bytes for step in node.steps.values()):
        return Result.NOTHING
    return Result.PARTIAL if any(row.node == node.name for row in missing) else Result.COMPLETE


def _missing(node: NodeRow, steps: Sequence[Step]) -> list[Missing]:
    if not any(step.bytes for step in node.steps.values()):
        why = node.why or "it gave nothing"
        return [Missing(node.name, "everything", why, f"hadiag collect --nodes {node.name} --since …, or --script")]
    rows = []
    if node.why:
        rows.append(Missing(node.name, "what only root may read" if "root" in node.why else "the rest", node.why))
    asked = {step.id for step in steps if step.kind is Kind.VIA}  # the user wants these, so that one that failed counts
    rows += [
        Missing(node.name, row.about, row.why or _word(row.status), row.command.splitlines()[0])
        for row in node.steps.values()
        if row.status is not Status.PENDING
        and (row.status in CUT or (row.step in asked and row.status is not Status.OK))
    ]
    return rows + _not_reached(node) + _missing_groups(node, steps)


def _not_reached(node: NodeRow) -> list[Missing]:
    """Steps that were not begun, as one row: what ended the others stands before it."""
    left = [row for row in node.steps.values() if row.status is Status.PENDING]
    if not left:
        return []
    what = left[0].about if len(left) == 1 else f"{left[0].about}, and {len(left) - 1} further steps"
    return [Missing(node.name, what, _word(Status.PENDING), left[0].command.splitlines()[0])]


def _missing_groups(node: NodeRow, steps: Sequence[Step]) -> list[Missing]:
    """Evidence of which none of several sources gave anything. A node without pacemaker has no CIB to give."""
    rows = []
    for group, what in _GROUPS.items():
        mine = [node.steps[step.id] for step in steps if step.group == group and step.id in node.steps]
        if not mine or any(row.bytes for row in mine) or any(row.status in CUT for row in mine):
            continue
        if group == "cib" and all(row.status is Status.ABSENT for row in mine):
            continue
        why = "; ".join(f"{row.about}: {row.why or _word(row.status)}" for row in mine if row.why)
        rows.append(Missing(node.name, what, why, mine[0].command.splitlines()[0]))
    return rows


def _word(status: Status) -> str:
    return "the end came before" if status is Status.PENDING else status.value
