from __future__ import annotations

import shutil
import subprocess
from importlib import resources

import pytest

from tests.unit.collect import secrets

AWKS = (("mawk",), ("gawk",), ("gawk", "--posix"), ("busybox", "awk"), ("original-awk",))


@pytest.fixture(params=AWKS, ids=" ".join)
def awk(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each awk that a node may have."""
    words: tuple[str, ...] = request.param
    if shutil.which(words[0]) is None:
        pytest.skip(f"there is no {words[0]} on this machine")
    return words


def clean(awk: tuple[str, ...], mode: str, text: str) -> str:
    program = resources.files("hadiag.collect").joinpath("node/scrub.awk").read_text("utf-8")
    done = subprocess.run(
        [*awk, "-v", f"mode={mode}", program],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("mode", "text"),
    [("lines", secrets.LINES), ("lines", secrets.CONF), ("journal", secrets.JOURNAL), ("xml", secrets.XML)],
    ids=["lines", "configuration", "journal", "xml"],
)
def test_no_secret_is_left(awk: tuple[str, ...], mode: str, text: str) -> None:
    """Whatever form a secret has, its mark is gone, and the text around it stays."""
    cleaned = clean(awk, mode, text)
    assert secrets.MARK in text
    assert [line for line in cleaned.splitlines() if secrets.MARK in line] == []
    assert len(cleaned) > 0.5 * len(text)


def test_what_is_no_secret_stays(awk: tuple[str, ...]) -> None:
    """Tokens of corosync, keys of operations and refused passwords are evidence."""
    assert clean(awk, "lines", secrets.HARMLESS) == secrets.HARMLESS


def test_numbers_of_the_configuration_stay(awk: tuple[str, ...]) -> None:
    """The token timeout is no secret, the key is."""
    cleaned = clean(awk, "lines", secrets.CONF)
    assert "token: 10000" in cleaned
    assert "token_coefficient: 650" in cleaned
    assert "key: *****" in cleaned


def test_an_xml_document_stays_well_formed(awk: tuple[str, ...]) -> None:
    """Only the values change."""
    from lxml import etree

    tree = etree.fromstring(clean(awk, "xml", secrets.XML))
    assert tree.xpath("string(//nvpair[@name='ipaddr']/@value)") == "192.0.2.9"
    assert tree.xpath("string(//nvpair[@name='passwd']/@value)") == "*****"
    assert tree.xpath("string(//lrm_rsc_op/@op-secure-digest)") == "71358b2f7e18971b6d4b2d045ca34f79"


def test_json_stays_json(awk: tuple[str, ...]) -> None:
    """Each line of a journal can still be read."""
    import json

    rows = [json.loads(line) for line in clean(awk, "journal", secrets.JOURNAL).splitlines()]
    assert [row["__REALTIME_TIMESTAMP"] for row in rows] == ["1", "2", "3", "7", "4", "5", "6"]
