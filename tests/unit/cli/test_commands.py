"""The command line as a user meets it: exit status, one sentence for each bad input, data on standard output only."""

from __future__ import annotations

import bz2
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = ROOT / "samples" / "14-quiet" / "quiet.tar.bz2"
FENCED = ROOT / "samples" / "01-partition-fenced" / "partition-fence-ok.tar.bz2"


def hadiag(*arguments: str | Path, cwd: Path | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "hadiag", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, cwd=cwd or ROOT, input=stdin, check=False, timeout=120)


def test_version() -> None:
    """The version is one line."""
    done = hadiag("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(b"hadiag ")


def test_help_imports_nothing_heavy() -> None:
    """Help and completion answer at once: no pandas, no matplotlib, no lxml is imported for them."""
    code = (
        "import sys; sys.argv = ['hadiag', '--help']\n"
        "from hadiag.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pandas', 'numpy', 'matplotlib', 'lxml', 'jinja2', 'hyperscan'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.rstrip().endswith("[]")


def test_a_second_analysis_imports_no_validation(tmp_path: Path) -> None:
    """With a warm cache nothing reads YAML or builds models, and what other forms of a result need is not imported."""
    words = ["hadiag", "analyze", str(SAMPLE), "-q", "-o", str(tmp_path / "a.html")]
    code = (
        f"import sys; sys.argv = {words}\n"
        "from hadiag.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pydantic', 'pydantic_core', 'yaml', 'pandas', 'matplotlib', 'rich', 'importlib.metadata'}\n"
        "own = {'hadiag.rulelang.language', 'hadiag.rulelang.reading', 'hadiag.catalogue.schema', 'hadiag.collect'}\n"
        "print('LOADED', sorted((heavy | own) & set(sys.modules)))\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for loaded in (b"'pydantic'", b"LOADED []"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, env=environment)
        assert loaded in done.stdout.splitlines()[-1]


def test_no_cache_leaves_no_cache(tmp_path: Path) -> None:
    """With --no-cache nothing is written beside the report, and the report is the same."""
    targets = [tmp_path / "a.html", tmp_path / "b.html"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for target, option in zip(targets, ("--no-cache", "-q"), strict=True):
        command = [sys.executable, "-m", "hadiag", "analyze", str(SAMPLE), "-q", option, "-o", str(target)]
        subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
        assert (tmp_path / "cache").exists() == (option == "-q")
    assert targets[0].read_bytes() == targets[1].read_bytes()


def test_the_outline_is_that_of_the_whole_tree() -> None:
    """The help of the tree names the commands and says of each what its own help says, although none of them is made."""
    import typer
    from typer.testing import CliRunner

    from hadiag.cli.app import app, outline, register

    whole = typer.Typer(help=app.info.help, rich_markup_mode=None)
    short = typer.Typer(help=app.info.help, rich_markup_mode=None)
    for tree in (whole, short):
        tree.callback()(lambda: None)
    register(tree=whole)
    outline(tree=short)
    told = [CliRunner().invoke(tree, ["--help"]).stdout for tree in (whole, short)]
    assert told[0] == told[1]
    assert "explain-line" in told[0]


@pytest.mark.parametrize("name", ["analyze", "collect", "explain-line", "whois", "state", "rules", "report"])
def test_each_command_is_found_by_its_name(name: str) -> None:
    """Only the module of the command is imported, and the command is in it."""
    done = hadiag(name, "--help")
    assert done.returncode == 0
    assert f"hadiag {name}".encode() in done.stdout


def test_json_goes_to_standard_output_alone(tmp_path: Path) -> None:
    """With --json the result is all that is printed, and no file is written."""
    done = hadiag("analyze", SAMPLE, "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["schema"] == "hadiag.analysis/v1"
    assert list(tmp_path.iterdir()) == []


def test_equal_input_gives_equal_bytes() -> None:
    """Two runs over the same bundle print the same bytes."""
    first, second = (hadiag("analyze", FENCED, "--json").stdout for _ in range(2))
    assert first == second


def test_default_report_lies_in_the_current_directory(tmp_path: Path) -> None:
    """Without -o the report is named after the bundle."""
    done = hadiag("analyze", SAMPLE, cwd=tmp_path)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["quiet.hadiag.html"]
    assert b"Verdict:" in done.stdout


def test_several_forms_in_one_run(tmp_path: Path) -> None:
    """Each -o writes the form that its suffix names."""
    targets = [tmp_path / name for name in ("a.html", "a.json", "a.md", "a.txt")]
    options = [word for target in targets for word in ("-o", str(target))]
    assert hadiag("analyze", SAMPLE, *options).returncode == 0
    assert all(target.stat().st_size > 100 for target in targets)


def test_timeline_on_standard_input() -> None:
    """A bundle may come through a pipe; the timeline is sorted and filtered."""
    done = hadiag("timeline", "-", "--jsonl", "--type", "fence.op_result", stdin=FENCED.read_bytes())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {row["type"] for row in rows} == {"fence.op_result"}
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def test_parse_prints_a_record_for_each_line(tmp_path: Path) -> None:
    """A known line gives its fields, an unknown one has no format."""
    log = tmp_path / "corosync.log"
    log.write_text(
        "Nov 22 10:10:06 [66] node1 corosync notice  [TOTEM ] A processor failed, forming new configuration: "
        "token timed out (3000ms), waiting 3600ms for consensus.\n%% no log line %%\n"
    )
    rows = [json.loads(line) for line in hadiag("parse", log, "--jsonl").stdout.splitlines()]
    assert rows[0]["event"] == "corosync.totem.token_lost"
    assert rows[0]["host"] == "node1"
    assert rows[0]["time"] is None


BAD: dict[str, Callable[[Path], Path]] = {
    "no such file": lambda path: path / "missing.tar.bz2",
    "no bundle": lambda path: _written(path / "photo.jpg", b"\xff\xd8\xff\xe0" + bytes(4000)),
    "an empty file": lambda path: _written(path / "empty.tar.gz", b""),
    "an empty archive": lambda path: _tar(path / "empty.tar", {}),
    "a directory without logs": lambda path: _made(path / "nothing"),
    "a text that is no log": lambda path: _written(path / "letter.txt", b"Dear reader,\nnothing happened.\n"),
}


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def _tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("what", BAD)
def test_unusable_input_is_one_message_and_status_3(what: str, tmp_path: Path) -> None:
    """Where nothing can be used, a sentence says what and why, no traceback appears, and the exit status is 3."""
    done = hadiag("analyze", BAD[what](tmp_path), cwd=tmp_path)
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"hadiag: ")
    assert done.stdout == b""


def test_bad_input_beside_a_good_one_is_a_warning(tmp_path: Path) -> None:
    """What can be read is analyzed; the rest is a row in the warnings."""
    done = hadiag("analyze", SAMPLE, tmp_path / "missing.tar.bz2", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert any(warn["code"] == "input-missing" for warn in result["warnings"])


def test_a_warning_tells_the_file(tmp_path: Path) -> None:
    """Of many archives in a directory, the damaged one is named."""
    (tmp_path / "node1.log").write_bytes(b"Nov 22 10:10:00 node1 kernel: hello\n")
    (tmp_path / "node2.tar.gz").write_bytes(bytes(range(256)) * 40)
    done = hadiag("analyze", tmp_path, "-v", "-o", tmp_path / "out.json")
    assert b"warning: node2.tar.gz: it does not begin like the archive" in done.stderr


def test_a_truncated_archive_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """What came before the cut is analyzed, and the cut is a warning."""
    cut = _written(tmp_path / "cut.tar", bz2.decompress(FENCED.read_bytes())[:-250_000])
    result = json.loads(hadiag("analyze", cut, "--json").stdout)
    assert any(warn["code"] == "archive-truncated" for warn in result["warnings"])
    assert result["nodes"]


def test_wrong_usage_is_status_2(tmp_path: Path) -> None:
    """An output without a clear form, and a rule directory that does not exist."""
    assert hadiag("analyze", SAMPLE, "-o", tmp_path / "report").returncode == 2
    assert hadiag("analyze", SAMPLE, "--rules", tmp_path / "none").returncode == 2
    assert hadiag("analyze").returncode == 2


def test_an_output_that_cannot_be_written_is_status_4(tmp_path: Path) -> None:
    """One sentence, no half-written file."""
    done = hadiag("analyze", SAMPLE, "-o", tmp_path / "none" / "a.json")
    assert done.returncode == 4
    assert b"cannot be written" in done.stderr


def test_fail_on(tmp_path: Path) -> None:
    """--fail-on turns findings into exit status 1."""
    target = tmp_path / "a.json"
    assert hadiag("analyze", FENCED, "-o", target, "--fail-on", "error").returncode == 1
    assert hadiag("analyze", SAMPLE, "-o", target, "--fail-on", "error").returncode == 0


def test_explain_line() -> None:
    """A line from the middle of a log is explained."""
    done = hadiag("explain-line", "Nov 22 10:10:06 node1 corosync[66]:   [KNET  ] link: host: 2 link: 0 is down")
    assert done.returncode == 0
    assert b"knet.link.down" in done.stdout


def test_explain_an_incident_of_a_stored_result(tmp_path: Path) -> None:
    """The arithmetic of a stored result is shown as a table whose last sum is the score."""
    assert hadiag("analyze", FENCED, "-o", tmp_path / "r.json", "-q").returncode == 0
    done = hadiag("explain", "I-1", tmp_path / "r.json", "--table")
    assert done.returncode == 0
    assert b"prior odds of the causes" in done.stdout
    assert b"network.partition" in done.stdout


@pytest.mark.parametrize("words", [["I-99"], ["I-1", "--why-not", "nobody.knows"], ["F-1", "--why-not", "network.cut"]])
def test_explain_says_what_it_does_not_know(words: list[str]) -> None:
    """An unknown incident or cause is one sentence and exit status 2."""
    done = hadiag("explain", *words[:1], FENCED, *words[1:], "-q")
    assert done.returncode == 2
    assert done.stderr.startswith(b"hadiag: ")
    assert b"Traceback" not in done.stderr
