"""Links are names, resolved inside their container."""

from __future__ import annotations

import pytest

from hadiag.sources.links import Links, clean


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("a/b", "a/b"),
        ("./a//b/", "a/b"),
        ("././a/./b", "a/b"),
        ("./", ""),
        ("/etc/passwd", None),
        ("../a", None),
        ("a/../../b", None),
        ("a/..", None),
        ("a\0b", None),
        ("..a/b..", "..a/b.."),
    ],
)
def test_clean_names(name: str, want: str | None) -> None:
    """Absolute names and those that go up are refused, dots inside of names are not."""
    assert clean(name) == want


def test_relative_targets() -> None:
    """A target is relative to the place of its link."""
    links = Links()
    assert links.symbolic("n1/members.txt", "../members.txt") == "members.txt"
    assert links.symbolic("n1/x", "./y") == "n1/y"
    assert links.aliases("members.txt") == ("n1/members.txt",)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "../../../../x"])
def test_targets_outside_are_none(target: str) -> None:
    """What leads out of the container is not resolved."""
    links = Links()
    assert links.symbolic("top/link", target) is None
    assert links.aliases("etc/passwd") == ()


def test_chains_and_directories() -> None:
    """A link to a link and a way through a linked directory lead to the member."""
    links = Links()
    links.symbolic("lib", "usr/lib")
    links.symbolic("a", "lib/x")
    links.symbolic("b", "a")
    links.hard_link("c", "./b")
    assert links.aliases("usr/lib/x") == ("a", "b", "c")


def test_circles_end() -> None:
    """Links that lead to each other do not hang."""
    links = Links()
    links.symbolic("a", "b")
    links.symbolic("b", "a")
    links.symbolic("self", "self")
    links.symbolic("d", "d/d/d/d")
    links.symbolic("e", "d/d/d/f")
    assert set(links.aliases("a")) == {"b"}
    assert links.aliases("self") == ()


def test_seeing_a_link_twice_changes_nothing() -> None:
    """Containers are looked at before they are read."""
    links = Links()
    for _ in range(2):
        links.symbolic("a", "b")
        links.hard_link("c", "b")
    assert links.aliases("b") == ("a", "c")
