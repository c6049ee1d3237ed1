"""Words that the templates use: what an undecided headline leaves open."""

from __future__ import annotations

from hadiag.report.say import alternatives


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
