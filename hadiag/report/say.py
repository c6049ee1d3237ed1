"""How values read to people: times, durations, errors, places, shares. The filters of the templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hadiag.model.entity import confidence_word
from hadiag.model.time import from_iso
from hadiag.report.words import Words
from hadiag.rulelang.template import format_duration

SHAPES = {
    "critical": "\u25c6",
    "error": "\u25a0",
    "warning": "\u25b2",
    "notice": "\u25cf",
    "info": "\u25cb",
}
"""A shape for each severity, so that colour never carries it alone."""

LEVELS = {"emerg": "critical", "alert": "critical", "crit": "critical", "debug": "info", "trace": "info"}


def clock(words: Words, stamp: str | None) -> str:
    """Time of day with milliseconds."""
    return stamp[11:23] if stamp else words("time not known")


def moment(words: Words, stamp: str | None) -> str:
    """Date and time to the second."""
    return f"{stamp[:10]} {stamp[11:19]}" if stamp else words("not known")


def moment_of(words: Words, ns: int | None) -> str:
    """Date and time with milliseconds of UTC nanoseconds."""
    if ns is None:
        return words("not known")
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%d %H:%M:%S}.{ns % 10**9 // 10**6:03d}"


def duration(words: Words, seconds: float | None, absent: str | None = None) -> str:
    """A duration with its unit."""
    if seconds is None:
        return words("not known") if absent is None else absent
    return format_duration(seconds)


def plus_minus(words: Words, seconds: float | None) -> str:
    """The error of a time."""
    if seconds is None:
        return words("± not known")
    return f"± {format_duration(seconds)}" if seconds >= 0.001 else "± < 1 ms"


def between(start: str | None, end: str | None) -> float | None:
    """Seconds from one time to another."""
    return (from_iso(end) - from_iso(start)) / 1e9 if start and end else None


def local_time(nodes: Sequence[Mapping[str, Any]], stamp: str | None) -> str:
    """A time on the clocks of the nodes, where they all keep the same zone and it is not UTC."""
    zones = {span["utc_offset_s"] for node in nodes for span in node["clock"]["offsets"]} - {None}
    if stamp is None or len(zones) != 1 or zones == {0}:
        return ""
    (away,) = zones
    at = datetime.fromtimestamp(from_iso(stamp) // 10**9 + away, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} {_offset(away)}"


def name_of(path: str) -> str:
    """Last two parts of a path: enough to know the file."""
    return "/".join(path.replace("!", "/").split("/")[-2:])


def word(text: str) -> str:
    """A word of the closed lists as the catalogue has it."""
    return text.replace("_", " ")


def capital(text: str) -> str:
    """First letter upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def names(words: Words, values: Sequence[str], absent: str = "—") -> str:
    """Names joined as in a sentence."""
    if not values:
        return absent
    return values[0] if len(values) == 1 else words("list.and", first=", ".join(values[:-1]), last=values[-1])


def shape(severity: str) -> str:
    """Shape of a severity or of a level."""
    return SHAPES.get(LEVELS.get(severity, severity), SHAPES["info"])


def tone(severity: str) -> str:
    """Severity whose colour a level takes."""
    found = LEVELS.get(severity, severity)
    return found if found in SHAPES else "info"


def sureness(confidence: float) -> str:
    """Word for a confidence."""
    return confidence_word(confidence)


def percent(share: float) -> str:
    """A share in per cent."""
    return f"{share * 100:.0f} %"


def size(words: Words, count: int | None) -> str:
    """A number of bytes."""
    if count is None:
        return words("not known")
    for limit, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count} B"


def offset(words: Words, seconds: int | None) -> str:
    """A UTC offset as ISO 8601 writes it."""
    return words("not known") if seconds is None else _offset(seconds)


def _offset(seconds: int) -> str:
    sign, rest = ("-" if seconds < 0 else "+"), abs(seconds)
    return f"UTC{sign}{rest // 3600:02d}:{rest % 3600 // 60:02d}"


def yes_no(value: bool | None) -> str:
    """Yes, no, or not known, as the catalogue has it."""
    return {True: "yes", False: "no", None: "not known"}[value]


def longest_outage(incident: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The worst unplanned outage: one that has not ended, else the longest."""
    rows = [row for row in incident["impact"]["resources"] if not row["planned"]]
    open_ended = [row for row in rows if row["down_s"] is None]
    return open_ended[0] if open_ended else max(rows, key=lambda row: row["down_s"], default=None)


def apart(explanations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What each explanation says by itself, and the sentences after it that all of them share."""
    parts = [one["statement"].rstrip(".").split(". ") for one in explanations]
    shared = 0
    while len(parts) > 1 and shared < min(map(len, parts)) - 1 and len({part[-1 - shared] for part in parts}) == 1:
        shared += 1
    texts = [". ".join(part[: len(part) - shared]) for part in parts]
    return {"texts": texts, "beside": [f"{sentence}." for sentence in parts[0][-shared:]] if shared else []}


def alternatives(incident: Mapping[str, Any], headline: str) -> Mapping[str, Any] | None:
    """What the cause could be, as a headline leaves it open, and what holds in each case."""
    rows = incident["explanations"]
    told = apart(rows)
    pairs = zip(rows, told["texts"], strict=True)
    leads = [{"text": text, "confidence": one["confidence"]} for one, text in pairs if text in headline]
    return {"leads": leads, "beside": told["beside"]} if len(leads) > 1 else None


def covered(nodes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What the logs of all nodes cover together: first and last time, lines, and lines that are known events."""
    logs = [log for node in nodes for log in node["coverage"]]
    return {
        "start": min((log["start"] for log in logs if log["start"]), default=None),
        "end": max((log["end"] for log in logs if log["end"]), default=None),
        "lines": sum(log["lines"] for log in logs),
        "recognised": sum(log["recognised"] for log in logs),
    }


def fresh(chain: Sequence[Mapping[str, Any]], listed: int) -> list[tuple[Mapping[str, Any], list[Any], int]]:
    """Steps with their lines, those first that no earlier step quoted, and how many of them stand open."""
    seen: set[tuple[str, int]] = set()
    rows = []
    for step in chain:
        places = [(line["path"], line["line"]) for line in step["evidence"]]
        old = [place in seen for place in places]
        lines = [line for _, line in sorted(zip(old, step["evidence"], strict=True), key=lambda pair: pair[0])]
        rows.append((step, lines, max(1, min(listed, old.count(False)))))
        seen.update(places)
    return rows


def tools_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """With what the cluster is managed: the one tool that is installed on it, else either."""
    packages = {"pcs": "pcs", "crmsh": "crm"}
    found = tuple(tool for package, tool in packages.items() if package in data["cluster"]["versions"])
    return found or tuple(packages.values())


def by_tool(fix: Mapping[str, Sequence[str]], tools: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Commands of the only tool, or those that are the same with all tools up to the first that differs, and those of each tool."""
    known = [tool for tool in tools if fix[tool]] or [tool for tool in ("pcs", "crm") if fix[tool]]
    if len(known) < 2:
        return {"both": fix[known[0]] if known else (), "pcs": (), "crm": ()}
    pcs, crm = fix["pcs"], fix["crm"]
    same = next(
        (n for n, pair in enumerate(zip(pcs, crm, strict=False)) if pair[0] != pair[1]), min(len(pcs), len(crm))
    )
    return {"both": pcs[:same], "pcs": pcs[same:], "crm": crm[same:]}


def with_tool(fix: Mapping[str, Sequence[str]], tools: Sequence[str]) -> Sequence[str]:
    """Commands of one tool: that of the cluster, where they are known for it."""
    return next((fix[tool] for tool in (*tools, "pcs", "crm") if fix[tool]), ())


def weighed(explanation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Lines of the arithmetic with the running sum."""
    total = explanation.get("log_prior") or 0.0
    rows: list[Mapping[str, Any]] = []
    for argument in explanation.get("arguments") or ():
        total += argument["weight"]
        rows.append({**argument, "sum": total})
    return rows


def md(text: str) -> str:
    """A text inside Markdown: nothing in it becomes markup."""
    flat = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~" else c for c in flat)


def code(text: str) -> str:
    """A text as code inside Markdown, on one line."""
    flat = " ".join(str(text).split())
    fence = "`"
    while fence in flat:
        fence += "`"
    return f"{fence} {flat} {fence}" if "`" in flat else f"`{flat}`"


_WORDED: dict[str, Callable[..., str]] = {
    "clock": clock,
    "duration": duration,
    "moment": moment,
    "moment_of": moment_of,
    "names": names,
    "offset": offset,
    "plus_minus": plus_minus,
    "size": size,
}
"""Filters that need words of the reader's language."""

_PLAIN: dict[str, Callable[..., Any]] = {
    "alternatives": alternatives,
    "apart": apart,
    "between": between,
    "by_tool": by_tool,
    "capital": capital,
    "code": code,
    "covered": covered,
    "fresh": fresh,
    "local_time": local_time,
    "longest_outage": longest_outage,
    "md": md,
    "name_of": name_of,
    "percent": percent,
    "shape": shape,
    "sureness": sureness,
    "tone": tone,
    "weighed": weighed,
    "with_tool": with_tool,
    "word": word,
    "yes_no": yes_no,
}


def filters(words: Words) -> dict[str, Callable[..., Any]]:
    """All filters, by the name that templates use."""
    return {name: partial(function, words) for name, function in _WORDED.items()} | _PLAIN
