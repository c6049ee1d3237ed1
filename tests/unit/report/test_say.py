"""Words that the templates use: what an undecided headline leaves open."""

from __future__ import annotations

from hadiag.report.say import alternatives, by_tool, local_time, tools_of, with_tool


def _incident(*statements: str) -> dict[str, object]:
    return {"explanations": [{"statement": text, "confidence": 0.3} for text in statements]}


def test_alternatives_are_told_apart_from_what_they_share() -> None:
    """Each lead by itself; the sentences after it that all explanations share stand once."""
    rest = "The fence device f does not work. It refuses."
    incident = _incident(f"a crashed. {rest}", f"The network of a was cut. {rest}", f"Not known. {rest}")
    found = alternatives(incident, "a was lost. It could be: a crashed; or: The network of a was cut. The fence device")
    assert found is not None
    assert [one["text"] for one in found["leads"]] == ["a crashed", "The network of a was cut"]
    assert found["beside"] == ["The fence device f does not work.", "It refuses."]


def test_a_single_explanation_is_no_alternative() -> None:
    """Nothing to choose from: the headline stays as it is."""
    assert alternatives(_incident("a crashed."), "a crashed") is None
    assert alternatives(_incident("a crashed.", "b was cut."), "Something else.") is None


FIX = {"pcs": ["sync", "pcs a"], "crm": ["sync", "crm a", "crm b"]}


def test_commands_that_are_equal_with_all_tools_stand_once() -> None:
    """Up to the first that differs; the order of the commands stays."""
    assert by_tool(FIX, ("pcs", "crm")) == {"both": ["sync"], "pcs": ["pcs a"], "crm": ["crm a", "crm b"]}
    assert by_tool({"pcs": [], "crm": []}, ("pcs", "crm")) == {"both": (), "pcs": (), "crm": ()}


def test_only_the_tool_of_the_cluster_is_named() -> None:
    """Where one tool is installed, its commands are enough; without any for it, those of the other are better than none."""
    assert tools_of({"cluster": {"versions": {"crmsh": "4.6", "pacemaker": "2.1.7"}}}) == ("crm",)
    assert tools_of({"cluster": {"versions": {}}}) == ("pcs", "crm")
    assert by_tool(FIX, ("crm",)) == {"both": FIX["crm"], "pcs": (), "crm": ()}
    assert by_tool({"pcs": ["pcs a"], "crm": []}, ("crm",))["both"] == ["pcs a"]
    assert with_tool(FIX, ("crm",)) == FIX["crm"]


def test_local_time_only_where_it_helps() -> None:
    """One zone that is not UTC on all nodes: the time there, with its offset."""

    def nodes(*offsets: int) -> list[dict[str, object]]:
        return [{"clock": {"offsets": [{"utc_offset_s": offset}]}} for offset in offsets]

    assert local_time(nodes(19800, 19800), "2026-11-22T20:10:00.000Z") == "2026-11-23 01:40:00 UTC+05:30"
    assert local_time(nodes(0, 0), "2026-11-22T20:10:00.000Z") == ""
    assert local_time(nodes(3600, 7200), "2026-11-22T20:10:00.000Z") == ""
