"""Statements of CIBs and scheduler inputs, short to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadiag.model.fact import Fact
from tests.unit.state.builders import START, offset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hadiag.model.entity import Scalar


def cib(
    at: str,
    keeper: str = "n1",
    *,
    nodes: str = "n1=online n2=online",
    guests: str = "",
    resources: str = "",
    settings: Sequence[tuple[str, str, str, str]] = (),
    failures: str = "",
    origin: str = "pe-input",
    live: bool = True,
    **values: Scalar,
) -> Fact:
    """``resources`` as ``web@n1=Started+30s``: name, node, role, and since when if that is told; ``*`` behind a role: failed start."""
    rows: dict[str, list[tuple[str, ...]]] = {
        "node": [],
        "resource": [],
        "failure": [],
        "setting": [tuple(s) for s in settings],
    }
    for number, word in enumerate(nodes.split(), start=1):
        name, _, state = word.partition("=")
        flags = ("1" if state == "standby" else "0", "1" if state == "maintenance" else "0")
        rows["node"].append((name, str(number), "member", state if live else "", *flags, ""))
    rows["node"] += [(name, "", "guest", "online", "0", "0", "") for name in guests.split()]
    for word in resources.split():
        name, _, rest = word.partition("@")
        node, _, role = rest.partition("=")
        role, _, since = role.partition("+")
        ns = str(START + offset(since)) if since else ""
        rows["resource"].append((name, node, role.rstrip("*"), "doubtful" if role.endswith("*") else "0", ns))
    for word in failures.split():
        name, _, rest = word.partition("@")
        node, _, count = rest.partition("=")
        rows["failure"].append((name, node, count))
    widths = {"node": 7, "resource": 5, "failure": 3, "setting": 4}
    columns: dict[str, Scalar] = {
        f"{table}.{index}": tuple(row[index] for row in rows[table])
        for table, width in widths.items()
        for index in range(width)
    }
    told: dict[str, Scalar] = {
        "origin": origin, "file": f"{origin}-{at}", "live": live, "exact": True, "dc": keeper, "quorate": True,
        "admin_epoch": 0, "epoch": 1, "num_updates": 0, **values, **columns,
    }  # fmt: skip
    return Fact("cib.state", told, "b", f"{keeper}/{origin}-{at}", 1, keeper, START + offset(at))
