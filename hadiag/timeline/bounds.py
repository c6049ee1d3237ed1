"""Bounds on the difference of two clocks from requests and answers: a node cannot answer before it was asked."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from hadiag.model.entity import Node
from hadiag.model.time import NS
from hadiag.timeline.sample import Sample
from hadiag.timeline.skew import Piece, Skew

_RESULTS: Final = frozenset({"pcmk.op.result", "pcmk.op.result_new", "pcmk.op.result_1112"})
_KEY: Final = re.compile(r"\b([\w.:#-]+?)_(\w+?)_(\d+)\b")
_WIDEST: Final = 600 * NS
"""Bounds further apart than this say nothing useful."""

_Request = tuple[int, int]
"""Time of a request, and of the end of its transition."""


def bounded(samples: Sequence[Sample], reference: Node | None, node: Node) -> Skew:
    """Estimate a clock by the requests of a DC on one side and the results on the other, both ways."""
    low: list[int] = []
    high: list[int] = []
    for asker, sign in ((reference, 1), (node, -1)):
        answerer = node if asker == reference else reference
        if asker is None or answerer is None:
            continue
        for at, (asked, ended) in _answered(samples, asker, answerer):
            # answer - skew lies between the request and the end of the transition
            bounds = (at - ended, at - asked) if sign > 0 else (asked - at, ended - at)
            low.append(bounds[0])
            high.append(bounds[1])
    if not low:
        return Skew([], "none")
    floor, ceiling = max(low), min(high)
    if ceiling < floor or ceiling - floor > _WIDEST:
        return Skew([], "none")
    return Skew([Piece(None, None, (floor + ceiling) // 2, (ceiling - floor) // 2 + NS, ())], "bounds")


def _answered(samples: Sequence[Sample], asker: Node, answerer: Node) -> list[tuple[int, _Request]]:
    """Results of a node with the request that caused each, the k-th with the k-th."""
    asked = _requests(sample for sample in samples if sample.node == asker and sample.utc is not None)
    results: dict[str, list[int]] = defaultdict(list)
    for sample in samples:
        if sample.node == answerer and sample.raw.type in _RESULTS and sample.utc is not None:
            operation = _operation(sample)
            if operation:
                results[operation].append(sample.own)
    found: list[tuple[int, _Request]] = []
    for operation, times in sorted(results.items()):
        requests = [request for target, request in asked.get(operation, []) if target == answerer]
        if len(requests) == len(times):
            found.extend(zip(sorted(times), sorted(requests), strict=True))
    return found


def _requests(samples: Iterable[Sample]) -> dict[str, list[tuple[str, _Request]]]:
    """Requests by operation, each with the end of its transition; one without end says nothing."""
    found: dict[str, list[tuple[str, _Request]]] = defaultdict(list)
    pending: list[tuple[str, str, int]] = []
    for sample in sorted(samples, key=lambda each: (each.own, each.raw.ref.line)):
        if sample.raw.type == "pcmk.op.initiate":
            operation = _operation(sample)
            if operation:
                pending.append((operation, str(sample.raw.fields.get("node")), sample.own))
        elif sample.raw.type == "pcmk.transition.result":
            end = sample.own + sample.resolution
            for operation, target, at in pending:
                found[operation].append((target, (at, end)))
            pending = []
    return found


def _operation(sample: Sample) -> str | None:
    """Resource and action of a request or result, in one spelling."""
    fields = sample.raw.fields
    if fields.get("rsc") and fields.get("op"):
        action = "monitor" if fields["op"] == "probe" else fields["op"]
        return f"{fields['rsc']} {action}"
    match = _KEY.search(str(fields.get("opkey") or ""))
    return f"{match.group(1)} {match.group(2)}" if match else None
