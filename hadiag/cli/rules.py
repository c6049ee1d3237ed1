"""``hadiag rules …`` and ``hadiag explain-line``: the knowledge, for people who read and write it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hadiag.cli import options as shared
from hadiag.cli.console import harmless, write_file
from hadiag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hadiag.catalogue import Catalogue
    from hadiag.extract import LineExplanation
    from hadiag.model.fact import Fact
    from hadiag.rulelang import RuleSet
    from hadiag.rulelang.entries import Rule
    from hadiag.state import Views
    from hadiag.timeline import Timeline

_rules = typer.Typer(help="List, show, check and test the rule packs.", no_args_is_help=True, rich_markup_mode=None)

Only = Annotated[str | None, typer.Argument(metavar="[ID]", help="One rule, cause or audit.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.add_typer(_rules, name="rules")
    app.command("explain-line")(explain_line)


def _load(rules: Sequence[str] | None) -> tuple[RuleSet, Catalogue]:
    from hadiag.pipeline import load_catalogue, rule_dirs
    from hadiag.rulelang import load_rules

    chosen = shared.make(rules=rules)
    catalogue = load_catalogue(chosen)
    return load_rules(rule_dirs(chosen.rules), catalogue), catalogue


@_rules.command("list")
def list_(rules: shared.Rules = None, debug: shared.Debug = False) -> None:
    """List all findings, causes and audits."""
    del debug
    from hadiag.rulelang import tools

    rule_set, catalogue = _load(rules)
    for entry in tools.entries(rule_set):
        typer.echo(f"{entry.kind:<8} {entry.id:<42} {entry.severity:<9} {entry.title}")
    typer.echo(
        f"{len(rule_set.findings)} findings, {len(rule_set.causes)} causes, {len(rule_set.audits)} audits, "
        f"{len(catalogue.types)} event types with {len(catalogue.patterns)} patterns"
    )


@_rules.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A rule, a cause or an audit.")],
    rules: shared.Rules = None,
    debug: shared.Debug = False,
) -> None:
    """Show one entry as it is written, with all its causal edges."""
    del debug
    from hadiag.rulelang import tools

    typer.echo(tools.show(_load(rules)[0], name), nl=False)


@_rules.command("lint")
def lint(only: Only = None, rules: shared.Rules = None, debug: shared.Debug = False) -> None:
    """Look for what loads and is still wrong: missing tests, unanchored absence, slow patterns."""
    del debug
    from hadiag.catalogue.lint import lint as lint_events
    from hadiag.rulelang import tools

    rule_set, catalogue = _load(rules)
    found = [str(remark) for remark in tools.remarks(rule_set, only)]
    if only is None:
        found += [str(remark) for remark in lint_events(catalogue)]
    for line in found:
        typer.echo(line)
    typer.echo(f"{len(found)} remark(s)")
    raise typer.Exit(1 if found else 0)


@_rules.command("test")
def check(
    only: Only = None, rules: shared.Rules = None, quiet: shared.Quiet = False, debug: shared.Debug = False
) -> None:
    """Run the tests that stand in the rule files, and check the sample lines of all patterns."""
    del debug
    from hadiag.rulelang import tools

    rule_set, catalogue = _load(rules)
    results = tools.run_tests(rule_set, only, read_logs)
    for result in results:
        if not result.passed:
            typer.echo(f"FAILED {result.case.label}\n  " + "\n  ".join(result.problems))
    if not quiet and only is None:
        samples = sum(len(pattern.samples) for pattern in catalogue.patterns)
        typer.echo(f"{samples} sample lines of {len(catalogue.patterns)} patterns match as they say")
    if not quiet and only is None:
        for layer, passed, count in tools.by_layer(rule_set, results):
            typer.echo(f"  {layer:<12} {passed} of {count} passed")
    typer.echo(tools.summary(results))
    raise typer.Exit(0 if all(result.passed for result in results) else 1)


def read_logs(directories: Sequence[str]) -> tuple[Timeline, Views, tuple[Fact, ...]]:
    """Read the raw logs of a rule test through the whole pipeline."""
    from hadiag.pipeline import Options, read_timeline
    from hadiag.state import build_views

    timeline, reading, _ = read_timeline(directories, Options())
    return timeline, build_views(timeline, reading.facts), reading.facts


@_rules.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="Dotted lower-case id, such as fencing.login-refused.")],
    layer: Annotated[str, typer.Option("--layer", help="Layer of the finding.")] = "pacemaker",
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write; - is standard output.")] = "-",
) -> None:
    """Write a rule to start from; with -o PACK/findings/NAME.yaml it is the beginning of a pack."""
    from hadiag.rulelang import tools

    text = tools.new_rule(name, layer)
    if output != "-":
        if Path(output).exists():
            raise UsageError(f"{output} exists already; a rule is not written over it.")
        with contextlib.suppress(OSError):
            Path(output).parent.mkdir(parents=True, exist_ok=True)
    write_file(output, text)


@_rules.command("export")
def export(
    regex: Annotated[
        bool, typer.Option("--regex", help="The expressions that find the lines, for rg -a --no-unicode -f and RE2.")
    ] = False,
    texts: Annotated[bool, typer.Option("--texts", help="What the scan of raw lines looks for: texts only.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write; - is standard output.")] = "-",
    rules: shared.Rules = None,
    debug: shared.Debug = False,
) -> None:
    """Write the event patterns for other tools, one a line: their literals, their expressions, or the texts of the scan."""
    del debug
    from hadiag.pipeline import load_catalogue

    if regex and texts:
        raise UsageError("Choose --regex or --texts; they are two lists.")
    catalogue = load_catalogue(shared.make(rules=rules))
    if regex:
        rows = _expressions(catalogue)
    elif texts:
        rows = _texts(catalogue)
    else:
        rows = [pattern.literal for pattern in catalogue.patterns]
    write_file(output, "".join(f"{row}\n" for row in dict.fromkeys(rows)))


def _texts(catalogue: Catalogue) -> list[str]:
    from hadiag.scan.database import expressions

    return [expression.regex.decode("ascii") for expression in expressions(catalogue)[0]]


def _expressions(catalogue: Catalogue) -> list[str]:
    """The confirming expressions as other engines take them; says how many they do not take."""
    from hadiag.catalogue.portable import NotPortableError, line_regex

    found, left_out = [], 0
    for pattern in catalogue.patterns:
        # Messages with tabs are rare, and looking for them with each pattern takes a third of its speed from ripgrep.
        tabs = any("\t" in sample.line for sample in pattern.samples)
        try:
            found.append(line_regex(pattern.regex, tabs=tabs))
        except NotPortableError:
            left_out += 1
    if left_out:
        typer.echo(
            f"{left_out} of {len(catalogue.patterns)} patterns are left out: only Python can express them.", err=True
        )
    return found


@_rules.command("schema")
def schema(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the JSON Schemas are written.")],
) -> None:
    """Write the JSON Schemas of all rule files, for editors."""
    from hadiag.catalogue.schema import json_schema as event_schema
    from hadiag.rulelang import tools

    if not directory.is_dir():
        raise UsageError(f"{directory} is no directory.")
    for name, text in {**tools.schemas(), "events-v1.schema.json": event_schema()}.items():
        write_file(str(directory / name), text)


def explain_line(
    line: Annotated[str, typer.Argument(metavar="LINE", help="A log line; - reads lines from standard input.")],
    rules: shared.Rules = None,
    debug: shared.Debug = False,
) -> None:
    """Say what a log line means, who prints it, and what to look at next."""
    del debug
    from hadiag.catalogue import Matcher
    from hadiag.extract import explain_line as explain

    rule_set, catalogue = _load(rules)
    matcher = Matcher(catalogue)
    for number, text in enumerate(_lines(line)):
        if line == "-":
            typer.echo(("\n" if number else "") + harmless(f"> {text}"))
        typer.echo(harmless(_explained(explain(text, catalogue, matcher), rule_set)))


def _explained(found: LineExplanation, rule_set: RuleSet) -> str:
    """Say in a few lines what is known of a log line."""
    record, event = found.record, found.event
    lines = []
    if record is not None and record.format:
        level = f" at {record.level.word}" if record.level is not None else ""
        lines.append(f"Format: {record.format}, printed by {record.program or 'an unknown program'}{level}")
    if event is None or found.match is None:
        return "\n".join([*lines, "No event of the catalogue: hadiag does not know this message."])
    fields = ", ".join(f"{name} = {value}" for name, value in sorted(found.match.fields.items()) if value is not None)
    lines += [f"Event:  {event.name} ({event.layer.value})", f"Means:  {event.about}"]
    lines += [f"Fields: {fields}"] if fields else []
    versions = f", versions {found.pattern.versions}" if found.pattern and found.pattern.versions else ""
    lines.append(f"Source: {event.source}{versions}")
    lines += [f"By:     {', '.join(event.programs)}"] if event.programs else []
    lines += [f"Next:   {event.next}"] if event.next else []
    used = [rule.id for rule in rule_set.findings.values() if _looks_at(rule, event.name)]
    lines += [f"Rules:  {_some(used)}"] if used else []
    effects = [edge.effect for rule in used for edge in rule_set.edges_from(rule) if edge.kind == "causes"]
    lines += [f"Leads to: {_some(dict.fromkeys(effects))}"] if effects else []
    return "\n".join(lines)


def _some(names: Iterable[str], most: int = 8) -> str:
    """The first names of a list, and how many more there are."""
    listed = list(names)
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + rest


def _looks_at(rule: Rule, event: str) -> bool:
    """Whether a rule asks for the event, or for a state that lines of it show."""
    from hadiag.rulelang.tables import STATE_TABLES

    for step in rule.match.values():
        tables = step.looks_at if step.kind == "state" else ()
        shown = {name for table in tables for name in STATE_TABLES[table].shown_by}
        if event in (step.looks_at if step.kind == "event" else shown):
            return True
    return False


def _lines(line: str) -> Iterator[str]:
    if line != "-":
        yield line
        return
    for raw in sys.stdin:
        if raw.strip():
            yield raw.rstrip("\n")
