"""``hadiag collect``: gather from live nodes what a diagnosis needs.

Only the standard library is imported here and below, so that the command starts at once on any workstation; what the
rest of the command line is built of is not loaded.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from hadiag.cli.bars import bars
from hadiag.cli.collect_help import SUMMARY
from hadiag.cli.console import harmless, write_file
from hadiag.cli.when import parse_when
from hadiag.collect.describe import dry_run
from hadiag.collect.nodes import NodeSpec, discover, from_file, parse
from hadiag.collect.plan import VIA, Window, steps, window
from hadiag.collect.runner import FAR_S, Order
from hadiag.collect.runner import collect as gather
from hadiag.collect.script import script
from hadiag.collect.ssh import ANSWER_S, Local, Remote, SshOptions
from hadiag.errors import HadiagError, UsageError
from hadiag.model.time import NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hadiag.collect.manifest import Manifest


_MORE = """\
Runs on a node or on a workstation, over your own ssh. Nothing is installed on the nodes; passwords, tokens and
keys are removed there. The same command again goes on where the first one ended.

examples:
  hadiag collect --since -2h                       on a node, for all nodes of its cluster
  hadiag collect --nodes db1,db2 --since -6h -o case.tar.gz
  hadiag collect --script collect.sh               then on the node: sh collect.sh
  hadiag collect --add hadiag-db3.stream           then take in what that wrote

exit status: 0 complete, 1 partial, 2 wrong usage, 3 nothing collected, 4 the output cannot be written, 130 interrupted
"""
_STATUS = {"complete": 0, "partial": 1, "nothing": 3}
_INTERRUPTED = 130
_TIMES = frozenset({"--since", "-S", "--until", "-U"})
_BACK = re.compile(r"-\d")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="hadiag collect",
        description=SUMMARY,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _which(made.add_argument_group("which nodes (default: those of this machine's cluster)"))
    _what(made.add_argument_group("what"))
    _how(made.add_argument_group("how"))
    return made


def _which(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--nodes",
        "-n",
        action="append",
        default=[],
        metavar="N1,N2",
        help="nodes, as NAME or NAME=USER@ADDRESS; repeatable",
    )
    group.add_argument("--nodes-file", metavar="FILE", help="a file with nodes, one on a line")
    group.add_argument("--from", dest="ask", metavar="NODE", help="ask this node for the nodes of its cluster")


def _what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--since",
        "-S",
        default="-6h",
        metavar="TIME",
        help="begin of the window: 2026-11-22T10:00 (UTC), -6h (default), yesterday",
    )
    group.add_argument("--until", "-U", metavar="TIME", help="end of the window; now, if not given")
    group.add_argument(
        "--output",
        "-o",
        default="hadiag-case.tar.gz",
        metavar="FILE",
        help="the bundle: .tar.gz, .tar.xz or .tar.zst (default: %(default)s)",
    )
    group.add_argument(
        "--via", choices=VIA, default="", help="also run the node's own collector, and nest its report in the bundle"
    )


def _how(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dry-run", action="store_true", help="print what would run where, and do nothing")
    group.add_argument(
        "--script", metavar="FILE", help="write a script for a node that nobody may log in to; - prints it"
    )
    group.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="FILE",
        help="take in what such a script wrote (- reads standard input); repeatable",
    )
    group.add_argument("--ssh-config", "-F", default="", metavar="FILE", help="configuration for ssh")
    group.add_argument(
        "--ssh-option", action="append", default=[], metavar="OPTION", help="an -o option for ssh; repeatable"
    )
    group.add_argument("--user", "-l", default="", help="user to log in as")
    group.add_argument(
        "--sudo",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="become root by sudo -n where the user is not root",
    )
    group.add_argument(
        "--answer-within",
        type=_seconds,
        default=ANSWER_S,
        metavar="S",
        help="seconds after which a connection without an answer is given up (default: %(default)s)",
    )
    group.add_argument("--quiet", "-q", action="store_true", help="no progress and no summary")
    group.add_argument("--debug", action="store_true", help="show tracebacks")


def _seconds(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 3600")
    return value


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit status."""
    chosen = parser().parse_args(_joined(arguments))
    try:
        return _do(chosen)
    except HadiagError as error:
        if chosen.debug:
            raise
        _complain(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        _complain("interrupted.")
        return _INTERRUPTED


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join ``--since -6h``: argparse would take the time for an option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] in _TIMES and _BACK.match(word):
            joined[-1] += f"={word}" if joined[-1].startswith("--") else word
        else:
            joined.append(word)
    return joined


def _complain(text: str) -> None:
    sys.stderr.write(f"hadiag: {harmless(text)}\n")


def _do(chosen: argparse.Namespace) -> int:
    wanted = _window(chosen.since, chosen.until)
    if chosen.script is not None:
        _write_script(chosen.script, wanted, chosen.via, until_now=chosen.until is None)
        return 0
    ssh = SshOptions(chosen.ssh_config, tuple(chosen.ssh_option), chosen.user, chosen.sudo, chosen.answer_within)
    order = Order(chosen.output, _nodes(chosen, ssh), wanted, chosen.via, ssh, tuple(chosen.add))
    if chosen.dry_run:
        sys.stdout.write("".join(f"{line}\n" for line in dry_run(order)))
        return 0
    return _run(order, quiet=chosen.quiet)


def _window(since: str, until: str | None) -> Window:
    first, last = parse_when(since), parse_when(until)
    found = window((first or 0) // NS, None if last is None else last // NS)
    if found.since >= found.until:
        raise UsageError(f"The window is empty: --since {since} is not before its end.")
    return found


def _nodes(chosen: argparse.Namespace, ssh: SshOptions) -> tuple[NodeSpec, ...]:
    import threading

    if sum(bool(given) for given in (chosen.nodes, chosen.nodes_file, chosen.ask)) > 1:
        raise UsageError("Give one of --nodes, --nodes-file and --from.")
    if chosen.nodes:
        return parse(chosen.nodes)
    if chosen.nodes_file:
        return from_file(chosen.nodes_file)
    if chosen.ask:
        return discover(Remote(chosen.ask, ssh), chosen.ask, threading.Event())
    return () if chosen.add else discover(Local(), "This machine", threading.Event())


def _write_script(target: str, wanted: Window, via: str, *, until_now: bool) -> None:
    write_file(target, script(steps(via), wanted, until_now=until_now))
    if target != "-":
        sys.stderr.write(
            f"Run on the node, as root: sh {target}; then give the .stream file that it writes to: hadiag collect --add\n"
        )


def _run(order: Order, *, quiet: bool) -> int:
    with bars(len(order.nodes), quiet=quiet) as on_progress:
        manifest = gather(order, on_progress)
    _tell(manifest, order, quiet=quiet)
    return _INTERRUPTED if manifest.interrupted else _STATUS[manifest.result.value]


def _tell(manifest: Manifest, order: Order, *, quiet: bool) -> None:
    for row in manifest.missing:
        sys.stderr.write(harmless(f"{row.node}: {row.what} is missing: {row.why}") + "\n")
    for name, node in sorted(manifest.nodes.items()):
        if node.clock and abs(node.clock.offset_s) > FAR_S:
            where = "ahead of" if node.clock.offset_s > 0 else "behind"
            far = f"{name}: its clock is {abs(node.clock.offset_s):.1f} s {where} this machine's, and the window was moved with it"
            sys.stderr.write(harmless(far) + "\n")
    if quiet:
        return
    for name, node in sorted(manifest.nodes.items()):
        clock = f", clock {node.clock.offset_s:+.3f} s ± {node.clock.error_s:.3f} s" if node.clock else ""
        size = sum(step.bytes for step in node.steps.values()) / (1 << 20)
        sys.stdout.write(harmless(f"{name}: {node.status.value}, {size:.1f} MB{clock}") + "\n")
    if manifest.result.value != "nothing":
        sys.stdout.write(f"Bundle: {order.output} ({manifest.result.value}). Next: hadiag analyze {order.output}\n")
