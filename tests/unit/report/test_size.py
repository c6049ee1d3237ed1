"""How large a page may be, that it is thinned by rule and says so, and that equal input gives equal bytes."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hadiag.model.time import NS
from hadiag.pipeline import analyze
from hadiag.report.machine import as_data
from hadiag.report.payload import BUDGET, pack
from hadiag.report.render import render_page
from hadiag.report.scene import Moment, Scene
from hadiag.report.words import read_words
from tests.conftest import ROOT

SHELL_LIMIT = 80_000
PAGE_LIMIT = 5_000_000
MANY = 100_000
START = 1_795_000_000 * NS
BUNDLE = ROOT / "samples" / "01-partition-fenced" / "partition-fence-ok.tar.bz2"
LAYERS = ("corosync", "quorum", "fencing", "pacemaker", "resource", "config", "network", "os")
LEVELS = ("info", "info", "info", "notice", "notice", "warning", "error")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The result of a sample."""
    cache_dir = tmp_path_factory.getbasetemp().parent / "hadiag-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache_dir))
        found: Mapping[str, Any] = json.loads(json.dumps(as_data(analyze([str(BUNDLE)]).diagnosis)))
    return found


@pytest.fixture(scope="module")
def empty(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result in which nothing was found: all that is left of its page is the shell."""
    lists = ("incidents", "findings", "fencing", "contradictions", "answers", "audit", "unknown_messages", "warnings")
    verdict = {**result["verdict"], "status": "no_incident", "headline": "No incident."}
    return {**result, **{key: [] for key in (*lists, "nodes", "inputs")}, "verdict": verdict}


def crowd(count: int, *, alike: bool = False) -> Scene:
    """A timeline of many events of four nodes; ``alike`` messages differ in nothing but their numbers."""
    chance = random.Random(7)
    moments = []
    ns = START
    for number in range(count):
        ns += chance.randrange(1, 20) * 10_000_000
        level = chance.choice(LEVELS)
        layer = chance.choice(LAYERS)
        noise = "" if alike else f" {chance.getrandbits(160):040x} {chance.getrandbits(160):040x}"
        moments.append(
            Moment(
                ns=ns,
                err_ns=1_000_000,
                node=f"node{chance.randrange(1, 5)}",
                layer=layer,
                type=f"{layer}.{chance.randrange(30)}",
                level=level,
                subject=f"rsc{chance.randrange(40)}",
                text=f"Result of monitor operation for rsc{chance.randrange(40)} call={number}{noise}",
                path=f"node{chance.randrange(1, 5)}/pacemaker.log",
                line=number + 1,
                logged=None,
                quoted="f" * 12 + f"{number:04x}" if number % 2500 == 0 else None,
                core=number % 3 == 0,
            )
        )
    return Scene(("node1", "node2", "node3", "node4"), tuple(moments), (), (), (), (START, ns), complete=True)


def unpacked(page: str) -> dict[str, Any]:
    """What the script of a page reads."""
    found = re.search(r'id="timeline-lanes">([^<]+)<', page)
    assert found
    return read_part(found[1])


def read_part(packed: str) -> dict[str, Any]:
    """Head and columns of a part, as the script of the page reads them."""
    raw = gzip.decompress(base64.b64decode(packed))
    long = int.from_bytes(raw[:4], "little")
    part: dict[str, Any] = json.loads(raw[4 : 4 + long])
    at = 4 + long
    for name, kind, count in part["columns"]:
        size = struct.calcsize(f"<{kind}")
        assert at % size == 0, name
        part[name] = struct.unpack(f"<{count}{kind}", raw[at : at + count * size])
        at += count * size
    return part | {"tail": raw[at:].decode()}


def test_the_shell_is_small(empty: Mapping[str, Any]) -> None:
    """Markup, style and script without any content stay below 80 KB."""
    page = render_page(empty, Scene((), (), (), (), (), None, complete=True))
    assert len(page.encode("utf-8")) < SHELL_LIMIT


def test_a_hundred_thousand_events_fit(empty: Mapping[str, Any]) -> None:
    """Ordinary messages are all kept; the page stays below 5 MB."""
    page = render_page(empty, crowd(MANY, alike=True))
    assert len(page.encode("utf-8")) < PAGE_LIMIT
    assert len(unpacked(page)["t"]) == MANY
    assert "were left out of the interactive timeline" not in page


def test_what_does_not_fit_is_thinned_by_rule_and_said(empty: Mapping[str, Any]) -> None:
    """Quoted events and warnings stay, others go, and the page says how many."""
    scene = crowd(MANY)
    page = render_page(empty, scene)
    assert len(page.encode("utf-8")) < PAGE_LIMIT
    kept = unpacked(page)
    left_out = MANY - len(kept["t"])
    assert left_out > 0
    assert f"{left_out} of {MANY} events that nothing rests on were left out" in page
    quoted = {moment.quoted for moment in scene.moments if moment.quoted}
    assert {key for _, key in kept["quoted"]} == quoted


def test_the_order_of_thinning(empty: Mapping[str, Any]) -> None:
    """A smaller budget keeps a subset; the last to go is what the report quotes."""
    scene, data = crowd(2000), empty
    whole = pack(scene, data, read_words())
    assert whole.left_out == 0
    assert len(whole) < BUDGET
    tiny = pack(scene, data, read_words(), budget=1)
    events = read_part(tiny.lanes)
    assert len(events["t"]) == len(events["quoted"]) == 2000 - tiny.left_out == 1


def test_columns_hold_what_the_scene_holds(empty: Mapping[str, Any]) -> None:
    """Times, places and messages come out as they went in, over gaps of any length."""
    early, late = crowd(40), replace(crowd(1).moments[0], ns=START + 86_400 * 40 * NS, err_ns=None)
    scene = replace(early, moments=(*early.moments, late))
    packed = pack(scene, empty, read_words())
    lanes, texts = read_part(packed.lanes), read_part(packed.texts)
    far = dict(lanes["far"])
    steps = [step + far.get(place, 0) for place, step in enumerate(lanes["t"])]
    messages = texts["tail"].split("\0")
    found = [
        (lanes["zero"] + sum(steps[: place + 1]), lanes["nodes"][lanes["n"][place]], messages[texts["x"][place]],
         texts["paths"][texts["p"][place]], texts["k"][place])
        for place in range(len(steps))
    ]  # fmt: skip
    assert found == [(m.ns // 1000, m.node, m.text, m.path, m.line) for m in scene.moments]
    assert lanes["e"][-1] == -1


def test_equal_results_give_equal_bytes(result: Mapping[str, Any], tmp_path: Path) -> None:
    """In this process and in another, whose hashes of texts differ."""
    stored = tmp_path / "result.json"
    stored.write_text(json.dumps(result), encoding="utf-8")
    code = (
        "import sys, hashlib\n"
        "from hadiag.report.render import render_result\n"
        "from hadiag.report.schema import read_result\n"
        "page = render_result(read_result(sys.argv[1]))\n"
        "print(hashlib.sha256(page.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(stored)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": "", "XDG_CACHE_HOME": str(tmp_path)},
            cwd=ROOT,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(digests) == 1
