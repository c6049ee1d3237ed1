from __future__ import annotations

import io
import subprocess
import sys

import pytest

from hadiag.cli.bars import Bars
from hadiag.cli.collect import main
from hadiag.collect.runner import Progress
from tests.conftest import ROOT

LOADED = """
import sys
sys.argv = ["hadiag", "collect", "--dry-run", "--nodes", "db1,db2", "-S", "-2h", "--until", "2099-11-22T10:00:00"]
try:
    from hadiag.__main__ import main
    main()
finally:
    names = {name.partition(".")[0] for name in sys.modules}
    print("FOREIGN", sorted(names - set(sys.stdlib_module_names) - {"hadiag", "__main__", "__mp_main__"}))
"""


def test_only_the_standard_library_is_loaded() -> None:
    """The command works on a machine that has Python and nothing else, and starts at once."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{LOADED}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "FOREIGN []", done.stdout[-300:] + done.stderr
    assert "# db1\n" in done.stdout
    assert "crm_mon -1" in done.stdout


def test_a_time_that_counts_back_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    """``--since -6h`` and ``-S -6h`` are read as people write them."""
    for words in (["--since", "-6h"], ["-S", "-6h"], ["--since=-6h"]):
        assert main([*words, "--nodes", "db1", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("# db1\n") == 3


@pytest.mark.parametrize(
    "words",
    [
        ["--nodes", "a", "--from", "b"],
        ["--nodes", "a/b"],
        ["--nodes", "a", "--since", "2030-01-01", "--until", "2020-01-01"],
        ["--nodes", "a", "--since", "whenever"],
        ["--nodes", "a", "-o", "case.zip"],
        ["--nodes-file", "/nowhere/nodes"],
    ],
)
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 and one sentence."""
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("hadiag: ")


@pytest.mark.parametrize("words", [["--via", "tar"], ["--answer-within", "0"], ["--nope"]])
def test_words_that_are_none(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What the parser refuses is wrong usage as well."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_bars_name_each_node_and_what_is_slow() -> None:
    """A bar for each node, one for all, and for how long the step at hand has been running."""
    screen = io.StringIO()
    bars = Bars(screen, 2)
    bars.take(Progress("db1", "connecting", 0, 10, 0))
    bars.take(Progress("db1", "collecting", 5, 10, 3 << 20, "journal"))
    bars.take(Progress("db2", "failed", 0, 10, 0, "it does not answer"))
    began = bars._since["db1"][1]
    first, second, total = bars.lines(began + 42)
    assert first.startswith("db1       [############............]")
    assert first.endswith("3.0 MB  journal for 42 s")
    assert second.endswith("it does not answer")
    assert "1 of 2 ready" in total
    bars.clear()
    assert screen.getvalue().endswith("\x1b[3A\x1b[J")
